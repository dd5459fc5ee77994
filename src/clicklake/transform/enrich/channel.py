"""The channel that brought the visitor: Google Analytics' default channel groups, in Google's order and names.

Definitions: support.google.com/analytics/answer/9756891, "channels for manual traffic"; AI Assistant is newer
(13 May 2026, support.google.com/analytics/answer/9164320). Google applies them to a session's source, medium and
campaign. An event has an address and a referrer, so `_channel` says what these three are; then the first rule that fits
names the channel. Where we differ from Google, and why, is in docs/enrichment.md.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.enrich.referrer import site_of_source


class Arrival(NamedTuple):
    """How a visitor came, all in lower case; "" is unknown. `kind` is the class of the source's site."""

    source: str
    medium: str = ""
    campaign: str = ""
    kind: str = ""

    @property
    def paid(self) -> bool:
        """Google's `^(.*cp.*|ppc|retargeting|paid.*)$`."""
        return "cp" in self.medium or self.medium in ("ppc", "retargeting") or self.medium.startswith("paid")

    @property
    def shopping(self) -> bool:
        return self.kind == "shopping" or _SHOPPING.search(self.campaign) is not None


_SHOPPING = re.compile("(?:[^a-df-z]|^)shop|shopping")  # a shop, but no workshop
_SOCIAL = ("social", "social-network", "social-media", "sm", "social network", "social media")
_EMAIL = ("email", "e-mail", "e_mail", "e mail")
_PUSH = re.compile("push$|mobile|notification")

RULES: tuple[tuple[str, Callable[[Arrival], bool]], ...] = (
    ("Direct", lambda a: a.source == "(direct)" and a.medium in ("(none)", "(not set)")),
    ("Cross-network", lambda a: "cross-network" in a.campaign),
    ("Paid Shopping", lambda a: a.paid and a.shopping),
    ("Paid Search", lambda a: a.paid and a.kind == "search"),
    ("Paid Social", lambda a: a.paid and a.kind == "social"),
    ("Paid Video", lambda a: a.paid and a.kind == "video"),
    ("Display", lambda a: a.medium in ("display", "banner", "expandable", "interstitial", "cpm")),
    ("Paid Other", lambda a: a.paid),
    ("Organic Shopping", lambda a: a.shopping),
    ("Organic Social", lambda a: a.kind == "social" or a.medium in _SOCIAL),
    ("Organic Video", lambda a: a.kind == "video" or "video" in a.medium),
    ("Organic Search", lambda a: a.kind == "search" or a.medium == "organic"),
    ("AI Assistant", lambda a: a.kind == "ai_chatbot" or a.medium == "ai-assistant"),
    ("Referral", lambda a: a.medium in ("referral", "app", "link")),
    ("Email", lambda a: a.medium in _EMAIL or a.source in _EMAIL),
    ("Affiliates", lambda a: a.medium == "affiliate"),
    ("Audio", lambda a: a.medium == "audio"),
    ("SMS", lambda a: "sms" in (a.medium, a.source)),
    ("Mobile Push Notifications", lambda a: _PUSH.search(a.medium) is not None or a.source == "firebase"),
)
UNASSIGNED = "Unassigned"
CHANNELS = (*(name for name, _ in RULES), UNASSIGNED)

# What a click id says where the link has no utm_source or utm_medium. Google's ids tell neither search from video nor
# from shopping; search is the most. Facebook adds fbclid to every link that leaves it, so it is no sign of an ad.
CLICKS = {
    "Google": ("google", "cpc"),
    "DoubleClick": ("dv360", "display"),
    "Microsoft": ("bing", "cpc"),
    "TikTok": ("tiktok", "cpc"),
    "X": ("x", "cpc"),
    "LinkedIn": ("linkedin", "cpc"),
    "Meta": ("facebook", "social"),
}
# The medium that nobody named, by the class of the source, as Google Analytics fills it in; mail is our own.
MEDIA = {"search": "organic", "ai_chatbot": "ai-assistant", "email": "email"}


def channel_of(arrival: Arrival) -> str:
    """The name of the first rule that fits."""
    return next((name for name, fits in RULES if fits(arrival)), UNASSIGNED)


def _channel(
    _context: Context,
    utm_source: str | None,
    utm_medium: str | None,
    utm_campaign: str | None,
    click_network: str | None,
    page_host: str | None,
    referrer_host: str | None,
    referrer_class: str | None,
) -> tuple[str | None]:
    click = CLICKS.get(click_network or "", ("", ""))
    source, medium = _word(utm_source) or click[0], _word(utm_medium) or click[1]
    campaign = _word(utm_campaign)
    if source:
        site = site_of_source(source)
        kind = site.kind if site else ""
        arrival = Arrival(source, medium or MEDIA.get(kind, ""), campaign, kind)
    elif referrer_class and referrer_class != "internal":
        medium = medium or MEDIA.get(referrer_class, "referral")
        arrival = Arrival(referrer_host or "", medium, campaign, referrer_class)
    elif medium or campaign:
        arrival = Arrival("", medium, campaign)
    elif referrer_class or not page_host:
        return (None,)  # inside a visit, or no page at all
    else:
        arrival = Arrival("(direct)", "(none)")
    return (channel_of(arrival),)


def _word(value: str | None) -> str:
    return value.strip().lower() if value else ""


# All of these repeat, whatever the address: answers are found in memory even if every event has a page of its own.
channel = Enrichment(
    reads=(
        *("utm_source", "utm_medium", "utm_campaign", "click_network"),
        *("page_host", "referrer_host", "referrer_class"),
    ),
    makes=("channel",),
    make=_channel,
)
