"""Who sent the visitor: referrer_class and channel."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clicklake.transform.enrich import url
from clicklake.transform.enrich.campaign import CLICK_IDS, campaign
from clicklake.transform.enrich.channel import CHANNELS, CLICKS, channel
from clicklake.transform.enrich.context import Context
from clicklake.transform.enrich.referrer import KINDS, referrer_class
from clicklake.transform.enrich.referrer_sites import SITES
from clicklake.transform.redact import split

CONTEXT = Context(buffer_ms=0, redact=split)
PAGE = "https://www.shop.example/boots"


def made(page_url: str | None, referrer: str | None) -> tuple[str | None, str | None]:
    """The class and the channel, from all that they are made of."""
    values: dict[str, Any] = {"page_url": page_url, "referrer": referrer}
    for step in (url.page, url.referrer, referrer_class, campaign, channel):
        values |= zip(step.makes, step.make(CONTEXT, *map(values.get, step.reads)), strict=True)
    assert values["referrer_class"] in (*KINDS, None)
    assert values["channel"] in (*CHANNELS, None)
    return values["referrer_class"], values["channel"]


def class_of(referrer: str | None, page_url: str | None = PAGE) -> str | None:
    return made(page_url, referrer)[0]


def channel_of(page_url: str | None = PAGE, referrer: str | None = None) -> str | None:
    return made(page_url, referrer)[1]


# --- referrer_class ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("https://www.google.com/", "search"),
        ("https://www.google.co.uk/search?q=boots", "search"),
        ("https://google.de", "search"),
        ("http://images.google.com.br/imgres?q=boots", "search"),
        ("https://cn.bing.com/", "search"),
        ("https://uk.search.yahoo.com/", "search"),
        ("https://duckduckgo.com/", "search"),
        ("https://yandex.ru/", "search"),
        ("https://www.baidu.com/link?url=x", "search"),
        ("https://search.brave.com/", "search"),
        ("https://suche.t-online.de/", "search"),
        ("https://l.facebook.com/l.php?u=x", "social"),
        ("https://t.co/abc", "social"),
        ("https://x.com/", "social"),
        ("https://www.linkedin.com/feed/", "social"),
        ("https://old.reddit.com/r/boots", "social"),
        ("https://www.pinterest.co.uk/", "social"),
        ("https://bsky.app/", "social"),
        ("https://mail.google.com/", "email"),
        ("https://outlook.live.com/", "email"),
        ("https://mail.yahoo.co.jp/", "email"),
        ("https://webmail2.provider.example/", "email"),
        ("https://www.youtube.com/watch?v=x", "video"),
        ("https://m.twitch.tv/", "video"),
        ("https://www.amazon.co.jp/", "shopping"),
        ("https://www.ebay.de/itm/1", "shopping"),
        ("https://chatgpt.com/", "ai_chatbot"),
        ("https://chat.openai.com/", "ai_chatbot"),
        ("https://gemini.google.com/app", "ai_chatbot"),
        ("https://copilot.microsoft.com/", "ai_chatbot"),
        ("https://www.perplexity.ai/", "ai_chatbot"),
        ("https://claude.ai/chat/x", "ai_chatbot"),
        ("https://blog.example.org/best-boots", "other"),
        ("https://docs.google.com/document/d/x", "other"),
        ("https://finance.yahoo.com/", "other"),
    ],
)
def test_a_known_host_has_its_class(referrer: str, expected: str) -> None:
    assert class_of(referrer) == expected


@pytest.mark.parametrize(
    "referrer",
    ["https://evilgoogle.com/", "https://google.com.evil.example/", "https://mygoogle.de/", "https://fedex.com/",
     "https://notfacebook.com/", "https://www-google.com/", "https://google.evil.example/", "https://bing.com.co.example/",
     "https://google.com@evil.example/", "https://evil.example/google.com", "https://evil.example/?google.com",
     "https://webmail.example/"],
)  # fmt: skip
def test_only_whole_labels_at_the_end_of_a_host_count(referrer: str) -> None:
    assert class_of(referrer) == "other"


def test_case_port_and_final_dot_of_a_host_do_not_matter() -> None:
    assert class_of("HTTPS://WWW.Google.COM.:443/") == "search"


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        ("android-app://com.google.android.gm/", "email"),
        ("android-app://com.google.android.googlequicksearchbox/https/www.google.com", "search"),
        ("android-app://com.google.android.youtube/", "video"),
        ("android-app://com.google.android.apps.maps/", "other"),
        ("android-app://com.linkedin.android/", "social"),
        ("android-app://com.reddit.frontpage", "social"),
        ("android-app://com.openai.chatgpt/", "ai_chatbot"),
        ("android-app://com.example.reader/", "other"),
        ("https://com.linkedin.android/", "other"),
    ],
)
def test_an_android_app_is_known_by_its_package_or_by_its_makers_site(referrer: str, expected: str) -> None:
    assert class_of(referrer) == expected


@pytest.mark.parametrize(
    ("referrer", "page_url"),
    [
        (PAGE, PAGE),
        ("https://www.shop.example/", "http://www.shop.example:8080/x"),
        ("https://m.shop.example/", PAGE),
        ("https://shop.example/", PAGE),
        ("https://checkout.shop.co.uk/", "https://www.shop.co.uk/thanks"),
        ("https://help.yahoo.com/", "https://mail.yahoo.com/"),
        ("http://localhost:3000/a", "http://localhost:3000/b"),
        ("http://192.0.2.7/a", "http://192.0.2.7/b"),
        ("/boots", PAGE),
    ],
)
def test_a_referrer_of_the_same_site_is_internal(referrer: str, page_url: str) -> None:
    assert class_of(referrer, page_url) == "internal"


@pytest.mark.parametrize(
    ("referrer", "page_url"),
    [
        ("https://other.co.uk/", "https://shop.co.uk/"),
        ("https://other.example/", PAGE),
        ("https://alice.github.io/", "https://bob.github.io/"),
        ("http://192.0.2.7/", "http://198.51.2.7/"),
        ("http://intranet/", "http://localhost/"),
        ("https://shop.example/", None),
    ],
)
def test_a_referrer_of_another_site_is_not_internal(referrer: str, page_url: str | None) -> None:
    assert class_of(referrer, page_url) == "other"


@pytest.mark.parametrize("referrer", [None, "", "about:blank", "about:client", "-", "null", "https://", "boots"])
def test_a_referrer_without_a_host_has_no_class(referrer: str | None) -> None:
    assert class_of(referrer) is None


def test_the_table_has_the_known_classes_and_each_word_once() -> None:
    assert set(SITES) <= set(KINDS)
    words = [word for sites in SITES.values() for listed in sites.values() for word in listed.split()]
    assert sorted(words) == sorted(set(words))
    assert all(word == word.lower() for word in words)


# --- channel -------------------------------------------------------------------------------------------------------

# Google's order of channels, with what makes each.
CHANNEL_EXAMPLES = [
    ("Direct", "", None),
    ("Direct", "", "about:blank"),
    ("Direct", "utm_source=(direct)&utm_medium=(none)", None),
    ("Cross-network", "utm_source=google&utm_medium=cpc&utm_campaign=cross-network", None),
    ("Paid Shopping", "utm_source=amazon&utm_medium=cpc", None),
    ("Paid Shopping", "utm_source=partner&utm_medium=ppc&utm_campaign=shopping_boots", None),
    ("Paid Search", "utm_source=google&utm_medium=cpc", None),
    ("Paid Search", "utm_source=google&utm_medium=cpc&utm_campaign=workshop", None),
    ("Paid Search", "utm_source=Bing&utm_medium=CPC", None),
    ("Paid Search", "utm_source=google&utm_medium=cpm", None),
    ("Paid Social", "utm_source=facebook&utm_medium=paid_social", None),
    ("Paid Social", "utm_source=ig&utm_medium=paid", None),
    ("Paid Social", "utm_source=linkedin.com&utm_medium=retargeting", None),
    ("Paid Video", "utm_source=youtube&utm_medium=cpv_cpc", None),
    ("Display", "utm_source=partner&utm_medium=banner", None),
    ("Display", "utm_source=partner&utm_medium=cpm", None),
    ("Display", "utm_source=google&utm_medium=display", None),
    ("Paid Other", "utm_source=partner&utm_medium=cpc", None),
    ("Paid Other", "utm_source=chatgpt.com&utm_medium=paid", None),
    ("Organic Shopping", "", "https://www.etsy.com/"),
    ("Organic Shopping", "utm_source=partner&utm_campaign=shop", None),
    ("Organic Shopping", "utm_source=Google+Shopping", None),
    ("Organic Social", "", "https://www.instagram.com/"),
    ("Organic Social", "utm_source=partner&utm_medium=social-media", None),
    ("Organic Social", "utm_source=fb", None),
    ("Organic Video", "", "https://www.youtube.com/"),
    ("Organic Video", "utm_source=partner&utm_medium=video_feed", None),
    ("Organic Search", "", "https://www.google.com/"),
    ("Organic Search", "utm_source=partner&utm_medium=organic", None),
    ("Organic Search", "utm_source=bing", None),
    ("AI Assistant", "", "https://chatgpt.com/"),
    ("AI Assistant", "", "https://www.perplexity.ai/"),
    ("AI Assistant", "utm_source=chatgpt.com", None),
    ("AI Assistant", "utm_source=chatgpt.com&utm_medium=referral", None),
    ("AI Assistant", "utm_source=partner&utm_medium=ai-assistant", None),
    ("Referral", "", "https://blog.example.org/"),
    ("Referral", "utm_source=partner&utm_medium=link", None),
    ("Email", "", "https://mail.google.com/"),
    ("Email", "utm_source=newsletter&utm_medium=email", None),
    ("Email", "utm_source=newsletter&utm_medium=E-Mail", None),
    ("Email", "utm_source=e_mail", None),
    ("Affiliates", "utm_source=partner&utm_medium=affiliate", None),
    ("Audio", "utm_source=partner&utm_medium=audio", None),
    ("SMS", "utm_source=partner&utm_medium=sms", None),
    ("SMS", "utm_source=sms", None),
    ("Mobile Push Notifications", "utm_source=partner&utm_medium=webpush", None),
    ("Mobile Push Notifications", "utm_source=partner&utm_medium=mobile-app", None),
    ("Mobile Push Notifications", "utm_source=firebase", None),
    ("Unassigned", "utm_source=newsletter", None),
    ("Unassigned", "utm_source=partner&utm_medium=partnership", None),
    ("Unassigned", "utm_campaign=spring", None),
]


@pytest.mark.parametrize(("expected", "query", "referrer"), CHANNEL_EXAMPLES)
def test_a_channel_is_the_first_of_googles_definitions_that_fits(
    expected: str, query: str, referrer: str | None
) -> None:
    assert channel_of(f"{PAGE}?{query}", referrer) == expected


def test_every_channel_has_an_example_in_googles_order() -> None:
    assert tuple(dict.fromkeys(expected for expected, _, _ in CHANNEL_EXAMPLES)) == CHANNELS


@pytest.mark.parametrize(
    ("click", "expected"),
    [
        ("gclid", "Paid Search"),
        ("gbraid", "Paid Search"),
        ("wbraid", "Paid Search"),
        ("msclkid", "Paid Search"),
        ("dclid", "Display"),
        ("ttclid", "Paid Social"),
        ("twclid", "Paid Social"),
        ("li_fat_id", "Paid Social"),
        ("fbclid", "Organic Social"),  # Facebook adds it to every link
    ],
)
def test_a_click_id_without_utm_is_the_channel_of_its_network(click: str, expected: str) -> None:
    assert channel_of(f"{PAGE}?{click}=abc") == expected
    assert channel_of(f"{PAGE}?{click}=abc", "https://blog.example.org/") == expected


def test_every_network_of_a_click_id_has_a_source_and_a_medium() -> None:
    assert set(CLICK_IDS.values()) == set(CLICKS)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("utm_source=facebook&utm_medium=paid&fbclid=x", "Paid Social"),
        ("utm_source=newsletter&utm_medium=email&fbclid=x", "Email"),
        ("utm_source=newsletter&utm_medium=email&gclid=x", "Email"),
        ("utm_campaign=shopping_de&gclid=x", "Paid Shopping"),
        ("utm_source=partner&gclid=x", "Paid Other"),
    ],
)
def test_what_a_link_is_tagged_with_wins_and_a_click_id_fills_the_gaps(query: str, expected: str) -> None:
    assert channel_of(f"{PAGE}?{query}") == expected


def test_a_tagged_link_wins_over_the_referrer() -> None:
    assert channel_of(f"{PAGE}?utm_source=newsletter&utm_medium=email", "https://www.google.com/") == "Email"


def test_the_referrer_is_the_source_of_a_campaign_that_names_none() -> None:
    assert channel_of(f"{PAGE}?utm_campaign=spring", "https://www.google.com/") == "Organic Search"
    assert channel_of(f"{PAGE}?utm_medium=cpc", "https://www.google.com/") == "Paid Search"


def test_an_event_inside_a_visit_has_no_channel() -> None:
    assert channel_of(PAGE, "https://www.shop.example/") is None
    assert channel_of(f"{PAGE}?page=2", "https://m.shop.example/") is None


def test_a_tagged_link_starts_a_visit_even_from_the_same_site() -> None:
    assert channel_of(f"{PAGE}?utm_source=partner&utm_medium=affiliate", "https://www.shop.example/") == "Affiliates"
    assert channel_of(f"{PAGE}?utm_campaign=spring", "https://www.shop.example/") == "Unassigned"


@pytest.mark.parametrize(("page_url", "referrer"), [(None, None), ("", ""), (None, ""), ("boots", None)])
def test_an_event_without_page_and_referrer_has_no_channel(page_url: str | None, referrer: str | None) -> None:
    assert channel_of(page_url, referrer) is None


def test_a_referrer_without_a_page_has_a_channel() -> None:
    assert channel_of(None, "https://www.google.com/") == "Organic Search"


# --- any text ------------------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["https://", "android-app://", "//", "/", "?", "#", "&", "=", "@", ":", ".", "[", "]", "%", "www.", "google.com",
     "mail.", "co.uk", "utm_source", "utm_medium", "gclid", "cpc", "İ", "\x00", "\n", "ß"]
)  # fmt: skip
_ADDRESSES = st.one_of(st.none(), st.text(), st.lists(_PIECES | st.text(max_size=3), max_size=12).map("".join))


@given(_ADDRESSES, _ADDRESSES)
def test_any_text_has_a_known_class_and_channel_or_none(page_url: str | None, referrer: str | None) -> None:
    made(page_url, referrer)


def test_an_endless_host_is_judged_in_no_time() -> None:
    """Every label of it would be tried, were there no limit."""
    host = "a." * 200_000 + "google.com"
    assert class_of(f"https://{host}/", f"https://b.{host}/") == "other"
