"""The channel that brought the visitor: Google Analytics' default channel groups, in Google's order and names.

Definitions: support.google.com/analytics/answer/9756891, "channels for manual traffic"; AI Assistant is newer
(13 May 2026, support.google.com/analytics/answer/9164320). Google applies them to a session's source, medium and
campaign. An event has an address and a referrer, so `_arrival` says what these three are; then the first rule that fits
names the channel.
Where we differ from Google, and why, is in docs/enrichment.md.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from clicklake.transform.enrich.campaign import CLICK_IDS, parameters
from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.enrich.referrer import referrer_kind, site_of_source
from clicklake.transform.enrich.url import split_address


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


def _tagged(page_url: str) -> tuple[str, str, str]:
    """Source, medium and campaign that the link was tagged with; a click id fills in what is not there."""
    if "?" not in page_url:
        return "", "", ""
    sent = parameters(page_url)
    source, medium, campaign = (
        sent.get(f"utm_{part}", "").strip().lower() for part in ("source", "medium", "campaign")
    )
    network = next((network for name, network in CLICK_IDS.items() if name in sent), None)
    if network:
        source, medium = source or CLICKS[network][0], medium or CLICKS[network][1]
    return source, medium, campaign


def _arrival(page_url: str, referrer: str) -> Arrival | None:
    """How the visitor came: by a tagged link, else by the referrer. None: the event goes on with a visit."""
    source, medium, campaign = _tagged(page_url)
    if source:
        site = site_of_source(source)
        kind = site.kind if site else ""
        return Arrival(source, medium or MEDIA.get(kind, ""), campaign, kind)
    came = referrer_kind(referrer, split_address(page_url).host) if referrer else None
    if came and came != "internal":
        return Arrival(split_address(referrer).host or "", medium or MEDIA.get(came, "referral"), campaign, came)
    if medium or campaign:
        return Arrival("", medium, campaign)
    return None if came else Arrival("(direct)", "(none)")


def _channel(_context: Context, page_url: str | None, referrer: str | None) -> tuple[str | None]:
    if not page_url and not referrer:
        return (None,)
    arrival = _arrival(page_url or "", referrer or "")
    return (channel_of(arrival) if arrival else None,)


channel = Enrichment(reads=("page_url", "referrer"), makes=("channel",), make=_channel)
