# ruff: noqa: E501 - the tables are read by the line: one source a line
"""How visits to the imaginary shop begin: the page before, and what the link that led there carries.

Hosts of search engines, networks and assistants are the real ones, as the transform must know them; all other sites
are `.example` (RFC 2606).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from clicklake.simulator.chance import Rule, Weighted, Words, base64url, digits, hexadecimal, number, uuid, words


@dataclass(frozen=True, slots=True)
class Source:
    """The landing page's query and the page before: sentences of RULES. `told` is whether they tell the channel."""

    query: str
    referrer: str | None
    channel: str | None
    told: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """A landing page's query, `?` included and maybe empty, and the page before; the `channel` that it truly was, and
    whether anything tells it."""

    query: str
    referrer: str | None
    channel: str | None
    told: bool = True


_TOPICS = ("trail", "alpine", "summit", "river", "forest", "northern", "slow", "family", "ultralight", "weekend")
_OUTLETS = ("notes", "journal", "club", "magazine", "forum", "reviews", "weekly", "guide", "deals", "radio")

RULES: Mapping[str, Rule] = {
    "google": Weighted(((60, "com"), (8, "de"), (6, "co.uk"), (5, "fr"), (5, "com.br"), (4, "co.jp"), (4, "co.in"), (3, "pl"), (3, "es"), (2, "it"))).pick,
    "amazon": words("com", "de", "co.uk", "fr", "co.jp", "es", "it"),
    "ebay": words("com", "de", "co.uk", "fr"),
    "campaign": words(
        "autumn_sale", "brand", "lookalike_de", "prospecting", "retargeting_30d", "black_friday", "winter_boots",
        "new_arrivals", "shoes_de", "jackets_uk", "generic_exact", "competitors", "Fr%C3%BChling", "store+opening",
    ),
    "ad": Weighted((1 / (rank + 2), f"ad_{rank:03}") for rank in range(120)).pick,
    "term": words("rain+jacket", "trail+running+shoes", "regenjacke+damen", "imperm%C3%A9able", "down+jacket", "botas", "hiking+boots+wide"),
    "week": number(30, 48),
    "slot": words("hero", "footer", "product_1", "product_2", "product_3", "logo"),
    "id": digits(11),
    "hex": hexadecimal(32),
    "gclid": base64url(55),
    "token": base64url(58),
    "short": base64url(10),
    "video": base64url(11),
    "uuid": uuid,
    "site": Weighted((1 / (rank + 3), f"{topic}-{outlet}") for rank, (topic, outlet) in enumerate((t, o) for t in _TOPICS for o in _OUTLETS)).pick,
    "article": Weighted((1 / (rank + 3), f"20{22 + rank % 5}/{1 + rank % 12:02}/{topic}-{subject}") for rank, (topic, subject) in enumerate((t, s) for t in _TOPICS for s in ("jackets-tested", "packing-list", "boots-compared", "gift-ideas"))).pick,
    "thread": number(1000, 4000),
}  # fmt: skip

# The last is what truly brought the visitor, by the names of Google Analytics' default channel groups and their
# definitions (support.google.com/analytics/answer/9756891); None goes on with a visit that began on the shop's own site.
_TABLE: tuple[tuple[float, str, str | None, str | None], ...] = (
    (28, "", None, "Direct"),
    (20, "", "https://www.google.{google}/", "Organic Search"),
    (1, "", "android-app://com.google.android.googlequicksearchbox/", "Organic Search"),
    (3, "", "https://www.bing.com/", "Organic Search"),
    (2, "", "https://duckduckgo.com/", "Organic Search"),
    (1, "", "https://search.yahoo.com/", "Organic Search"),
    (0.5, "", "https://yandex.ru/", "Organic Search"),
    (0.5, "", "https://www.ecosia.org/", "Organic Search"),
    (0.4, "", "https://search.brave.com/", "Organic Search"),
    (0.3, "", "https://www.baidu.com/link?url={token}", "Organic Search"),
    (0.3, "", "https://www.startpage.com/", "Organic Search"),
    (0.3, "", "https://search.naver.com/", "Organic Search"),
    (7, "utm_source=google&utm_medium=cpc&utm_campaign={campaign}&utm_id={id}&utm_term={term}&gclid=EAIaIQobChMI{gclid}", "https://www.google.{google}/", "Paid Search"),
    (2, "gad_source=1&gad_campaignid={id}&gbraid=0AAAAA{token}", "https://www.google.com/", "Paid Search"),
    (1, "gad_source=1&wbraid=Cj{token}", "https://www.google.com/", "Paid Search"),
    (0.7, "utm_source=dv360&utm_medium=display&utm_campaign={campaign}&dclid=CM{token}", "https://{site}.example/", "Display"),
    (2.5, "utm_source=bing&utm_medium=cpc&utm_campaign={campaign}&utm_term={term}&msclkid={hex}", "https://www.bing.com/", "Paid Search"),
    (1.5, "utm_source=google&utm_medium=shopping&utm_campaign=feed_{campaign}&gclid=Cj0KCQ{gclid}", "https://shopping.google.com/", "Paid Shopping"),
    (5, "utm_source=facebook&utm_medium=paid_social&utm_campaign={campaign}&utm_content={ad}&fbclid=IwZXh0bg{token}", "https://l.facebook.com/", "Paid Social"),
    (2, "fbclid=IwAR{token}", "https://m.facebook.com/", "Organic Social"),
    (3, "utm_source=instagram&utm_medium=social&utm_campaign=stories&utm_content={ad}", "https://l.instagram.com/", "Organic Social"),
    (1.5, "utm_source=tiktok&utm_medium=paid&utm_campaign={campaign}&utm_content={ad}&ttclid=E.C.P.{token}", "https://www.tiktok.com/", "Paid Social"),
    (0.7, "utm_source=twitter&utm_medium=paid_social&utm_campaign={campaign}&twclid=2-{short}", "https://t.co/{short}", "Paid Social"),
    (0.7, "utm_source=linkedin&utm_medium=paid_social&utm_campaign={campaign}&li_fat_id={uuid}", "https://www.linkedin.com/", "Paid Social"),
    (1, "", "https://t.co/{short}", "Organic Social"),
    (1.5, "", "https://www.reddit.com/", "Organic Social"),
    (1, "", "https://www.pinterest.com/", "Organic Social"),
    (0.5, "", "https://lnkd.in/{short}", "Organic Social"),
    (0.4, "", "https://bsky.app/", "Organic Social"),
    (0.4, "", "https://news.ycombinator.com/item?id={thread}", "Organic Social"),
    (0.3, "", "android-app://com.reddit.frontpage/", "Organic Social"),
    (5, "utm_source=newsletter&utm_medium=email&utm_campaign=week_{week}&utm_content={slot}", None, "Email"),
    (1.5, "utm_source=newsletter&utm_medium=email&utm_campaign=week_{week}&utm_content={slot}", "https://mail.google.com/", "Email"),
    (0.5, "utm_source=crm&utm_medium=email&utm_campaign=cart_reminder&email=someone{thread}%40mail.example&token={token}", "https://outlook.live.com/", "Email"),
    (0.3, "", "https://mail.yahoo.com/", "Email"),
    (0.3, "utm_source=sms&utm_medium=sms&utm_campaign={campaign}", None, "SMS"),
    (1.5, "", "https://www.youtube.com/", "Organic Video"),
    (0.5, "utm_source=youtube&utm_medium=video&utm_campaign={campaign}", "https://www.youtube.com/watch?v={video}", "Organic Video"),
    (0.3, "", "https://vimeo.com/{thread}", "Organic Video"),
    (0.2, "", "https://www.twitch.tv/", "Organic Video"),
    (1, "", "https://www.amazon.{amazon}/", "Organic Shopping"),
    (0.5, "", "https://www.ebay.{ebay}/", "Organic Shopping"),
    (0.4, "", "https://www.etsy.com/", "Organic Shopping"),
    (0.5, "utm_source=idealo&utm_medium=cpc&utm_campaign=price_comparison", "https://www.idealo.de/", "Paid Shopping"),
    (2, "utm_source=chatgpt.com", "https://chatgpt.com/", "AI Assistant"),
    (0.7, "", "https://chatgpt.com/", "AI Assistant"),
    (0.7, "", "https://www.perplexity.ai/", "AI Assistant"),
    (0.5, "", "https://gemini.google.com/", "AI Assistant"),
    (0.4, "", "https://copilot.microsoft.com/", "AI Assistant"),
    (0.4, "", "https://claude.ai/", "AI Assistant"),
    (0.2, "", "https://chat.deepseek.com/", "AI Assistant"),
    (2, "utm_source={site}&utm_medium=affiliate&utm_campaign=reviews&aff={thread}", "https://www.{site}.example/{article}", "Affiliates"),
    (3, "", "https://www.{site}.example/{article}", "Referral"),
    (1, "", "https://www.{site}.example/viewtopic.php?t={thread}", "Referral"),
    (1, "ref={site}", "https://{site}.example/", "Referral"),
    (0.7, "", "https://help.shop.example/articles/{thread}", None),
    (0.4, "utm_source=app&utm_medium=push&utm_campaign={campaign}", None, "Mobile Push Notifications"),
    (0.4, "utm_source=poster&utm_medium=qr&utm_campaign=store_{week}", None, "Unassigned"),
    # Ads of Performance Max and YouTube, which only Google can tell from search ads (docs/enrichment.md), and free listings
    # in Shopping, which Merchant Center's auto-tagging marks with srsltid
    (2, "gad_source=1&gad_campaignid={id}&gclid=Cj0KCQ{gclid}", "https://www.google.com/", "Cross-network"),
    (0.7, "gad_source=2&gad_campaignid={id}&gclid=EAIaIQobChMI{gclid}", "https://www.youtube.com/", "Paid Video"),
    (1, "srsltid=AfmBO{token}", "https://www.google.com/", "Organic Shopping"),
    # Links that people tagged in a hurry
    (0.6, "utm_source=Facebook&utm_medium=CPC&utm_campaign={campaign}&fbclid=IwZXh0bg{token}", "https://m.facebook.com/", "Paid Social"),
    (0.5, "utm_source=ig&utm_medium=Paid+Social&utm_campaign={campaign}", "https://l.instagram.com/", "Paid Social"),
    (0.5, "utm_source=fb&utm_medium=paidsocial&utm_campaign={campaign}&utm_content={ad}", None, "Paid Social"),
    (0.3, "utm_source=meta&utm_medium=ads&utm_campaign={campaign}&fbclid=IwZXh0bg{token}", "https://l.facebook.com/", "Paid Social"),
    (0.4, "utm_source=Newsletter&utm_medium=E-Mail&utm_campaign=week_{week}", None, "Email"),
    (0.4, "utm_source=mailchimp&utm_medium=newsletter&utm_campaign=week_{week}", None, "Email"),
    (0.3, "utm_source=klaviyo&utm_medium=campaign&utm_campaign={campaign}", None, "Email"),
    (0.3, "utm_source=awin&utm_medium=affiliates&awc={id}", "https://www.{site}.example/{article}", "Affiliates"),
    (0.3, "utm_source=spotify&utm_medium=audio&utm_campaign={campaign}", None, "Audio"),
    (0.2, "utm_source=podcast_{site}&utm_medium=podcast", None, "Audio"),
    (0.5, "utm_source=google&utm_medium=organic&utm_campaign=gbp", "https://www.google.com/", "Organic Search"),
    (0.3, "utm_source=criteo&utm_medium=retargeting&utm_campaign={campaign}", "https://www.{site}.example/", "Display"),
    (0.3, "utm_source=taboola&utm_medium=native&utm_campaign={campaign}", "https://www.{site}.example/{article}", "Display"),
)  # fmt: skip
# What comes as if it were Direct, for apps tell no page before: SparkToro and Really Good Data measured in 2023 that all
# visits from TikTok, Slack, Discord, Mastodon and WhatsApp do, three in four from Messenger and some from others
# (sparktoro.com/blog/new-research-dark-social-falsely-attributes-significant-percentages-of-web-traffic-as-direct).
# Mail programs are apps, too.
_UNTOLD: tuple[tuple[float, str], ...] = ((5, "Organic Social"), (2.5, "Email"), (1, "AI Assistant"), (1.5, "Referral"))
_SOURCES = Weighted(
    [(weight, Source(query, referrer, channel)) for weight, query, referrer, channel in _TABLE]
    + [(weight, Source("", None, channel, told=False)) for weight, channel in _UNTOLD]
)
NOWHERE = Arrival("", None, "Direct")


def arrive(random: Random) -> Arrival:
    source = _SOURCES.pick(random)
    said = Words(RULES, random)
    query = f"?{source.query.format_map(said)}" if source.query else ""
    return Arrival(query, source.referrer and source.referrer.format_map(said), source.channel, source.told)
