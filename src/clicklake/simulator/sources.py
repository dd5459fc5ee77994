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
    """The landing page's query and the page before: sentences of RULES."""

    query: str
    referrer: str | None


_TOPICS = ("trail", "alpine", "summit", "river", "forest", "northern", "slow", "family", "ultralight", "weekend")
_OUTLETS = ("notes", "journal", "club", "magazine", "forum", "reviews", "weekly", "guide", "deals", "radio")

RULES: Mapping[str, Rule] = {
    "google": Weighted(((60, "com"), (8, "de"), (6, "co.uk"), (5, "fr"), (5, "com.br"), (4, "co.jp"), (4, "co.in"), (3, "pl"), (3, "es"), (2, "it"))).pick,
    "amazon": words("com", "de", "co.uk", "fr", "co.jp", "es", "it"),
    "ebay": words("com", "de", "co.uk", "fr"),
    "campaign": words(
        "autumn_sale", "brand", "lookalike_de", "prospecting", "retargeting_30d", "black_friday", "winter_boots",
        "new_arrivals", "pmax_shoes", "pmax_jackets", "generic_exact", "competitors", "Fr%C3%BChling", "store+opening",
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

_TABLE: tuple[tuple[float, str, str | None], ...] = (
    (38, "", None),
    (20, "", "https://www.google.{google}/"),
    (1, "", "android-app://com.google.android.googlequicksearchbox/"),
    (3, "", "https://www.bing.com/"),
    (2, "", "https://duckduckgo.com/"),
    (1, "", "https://search.yahoo.com/"),
    (0.5, "", "https://yandex.ru/"),
    (0.5, "", "https://www.ecosia.org/"),
    (0.4, "", "https://search.brave.com/"),
    (0.3, "", "https://www.baidu.com/link?url={token}"),
    (0.3, "", "https://www.startpage.com/"),
    (0.3, "", "https://search.naver.com/"),
    (7, "utm_source=google&utm_medium=cpc&utm_campaign={campaign}&utm_id={id}&utm_term={term}&gclid=EAIaIQobChMI{gclid}", "https://www.google.{google}/"),
    (2, "gad_source=1&gad_campaignid={id}&gbraid=0AAAAA{token}", "https://www.google.com/"),
    (1, "gad_source=1&wbraid=Cj{token}", "https://www.google.com/"),
    (0.7, "utm_source=dv360&utm_medium=display&utm_campaign={campaign}&dclid=CM{token}", "https://{site}.example/"),
    (2.5, "utm_source=bing&utm_medium=cpc&utm_campaign={campaign}&utm_term={term}&msclkid={hex}", "https://www.bing.com/"),
    (1.5, "utm_source=google&utm_medium=shopping&utm_campaign=feed_{campaign}&gclid=Cj0KCQ{gclid}", "https://shopping.google.com/"),
    (5, "utm_source=facebook&utm_medium=paid_social&utm_campaign={campaign}&utm_content={ad}&fbclid=IwZXh0bg{token}", "https://l.facebook.com/"),
    (2, "fbclid=IwAR{token}", "https://m.facebook.com/"),
    (3, "utm_source=instagram&utm_medium=social&utm_campaign=stories&utm_content={ad}", "https://l.instagram.com/"),
    (1.5, "utm_source=tiktok&utm_medium=paid&utm_campaign={campaign}&utm_content={ad}&ttclid=E.C.P.{token}", "https://www.tiktok.com/"),
    (0.7, "utm_source=twitter&utm_medium=paid_social&utm_campaign={campaign}&twclid=2-{short}", "https://t.co/{short}"),
    (0.7, "utm_source=linkedin&utm_medium=paid_social&utm_campaign={campaign}&li_fat_id={uuid}", "https://www.linkedin.com/"),
    (1, "", "https://t.co/{short}"),
    (1.5, "", "https://www.reddit.com/"),
    (1, "", "https://www.pinterest.com/"),
    (0.5, "", "https://lnkd.in/{short}"),
    (0.4, "", "https://bsky.app/"),
    (0.4, "", "https://news.ycombinator.com/item?id={thread}"),
    (0.3, "", "android-app://com.reddit.frontpage/"),
    (5, "utm_source=newsletter&utm_medium=email&utm_campaign=week_{week}&utm_content={slot}", None),
    (1.5, "utm_source=newsletter&utm_medium=email&utm_campaign=week_{week}&utm_content={slot}", "https://mail.google.com/"),
    (0.5, "utm_source=crm&utm_medium=email&utm_campaign=cart_reminder&email=someone{thread}%40mail.example&token={token}", "https://outlook.live.com/"),
    (0.3, "", "https://mail.yahoo.com/"),
    (0.3, "utm_source=sms&utm_medium=sms&utm_campaign={campaign}", None),
    (1.5, "", "https://www.youtube.com/"),
    (0.5, "utm_source=youtube&utm_medium=video&utm_campaign={campaign}", "https://www.youtube.com/watch?v={video}"),
    (0.3, "", "https://vimeo.com/{thread}"),
    (0.2, "", "https://www.twitch.tv/"),
    (1, "", "https://www.amazon.{amazon}/"),
    (0.5, "", "https://www.ebay.{ebay}/"),
    (0.4, "", "https://www.etsy.com/"),
    (0.5, "utm_source=idealo&utm_medium=cpc&utm_campaign=price_comparison", "https://www.idealo.de/"),
    (2, "utm_source=chatgpt.com", "https://chatgpt.com/"),
    (0.7, "", "https://chatgpt.com/"),
    (0.7, "", "https://www.perplexity.ai/"),
    (0.5, "", "https://gemini.google.com/"),
    (0.4, "", "https://copilot.microsoft.com/"),
    (0.4, "", "https://claude.ai/"),
    (0.2, "", "https://chat.deepseek.com/"),
    (2, "utm_source={site}&utm_medium=affiliate&utm_campaign=reviews&aff={thread}", "https://www.{site}.example/{article}"),
    (3, "", "https://www.{site}.example/{article}"),
    (1, "", "https://www.{site}.example/viewtopic.php?t={thread}"),
    (1, "ref={site}", "https://{site}.example/"),
    (0.7, "", "https://help.shop.example/articles/{thread}"),
    (0.4, "utm_source=app&utm_medium=push&utm_campaign={campaign}", None),
    (0.4, "utm_source=poster&utm_medium=qr&utm_campaign=store_{week}", None),
)  # fmt: skip
_SOURCES = Weighted((weight, Source(query, referrer)) for weight, query, referrer in _TABLE)


def arrive(random: Random) -> tuple[str, str | None]:
    """A landing page's query, `?` included and maybe empty, and the page before."""
    source = _SOURCES.pick(random)
    said = Words(RULES, random)
    query = f"?{source.query.format_map(said)}" if source.query else ""
    return query, source.referrer and source.referrer.format_map(said)
