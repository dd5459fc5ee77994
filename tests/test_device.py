"""Browsers, systems and devices, from user agents and client hints.

Whole fixtures of other projects are compared by benchmarks/agreement_agents.py; here stands what we add to them.
"""

import pytest
import ua_parser_rs
from hypothesis import given
from hypothesis import strategies as st

from clicklake.transform.enrich.client_hints import HEADERS, boolean, brands, string
from clicklake.transform.enrich.context import Context
from clicklake.transform.enrich.device import device, rules_version
from clicklake.transform.enrich.device_types import RULES
from clicklake.transform.redact import split

CONTEXT = Context(buffer_ms=0, redact=split)
WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.6 Mobile/15E148 Safari/604.1"
)
LINUX = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def told(user_agent: object, **hints: object) -> dict[str, object]:
    """The columns for a user agent and hints, named as their headers without Sec-CH-UA; ua is Sec-CH-UA itself."""
    names = {"ua": "headers.sec-ch-ua"} | {
        name: f"headers.sec-ch-ua-{name.replace('_', '-')}" for name in hints if name != "ua"
    }
    headers = {names[name]: value for name, value in hints.items()}
    assert set(headers) <= set(HEADERS)
    made = device.make(CONTEXT, user_agent, *(headers.get(name) for name in HEADERS))
    return dict(zip(device.makes, made, strict=True))


def test_a_browser_on_a_desktop() -> None:
    assert told(WINDOWS) == {
        "browser": "Chrome",
        "browser_version": "131.0.0.0",
        "os": "Windows",
        "os_version": "10",
        "device_type": "desktop",
        "device_brand": None,
    }


def test_a_browser_on_a_phone() -> None:
    assert told(IPHONE) == {
        "browser": "Mobile Safari",
        "browser_version": "17.6",
        "os": "iOS",
        "os_version": "17.6.1",
        "device_type": "mobile",
        "device_brand": "Apple",
    }


@pytest.mark.parametrize("user_agent", [None, "", "-", 7])
def test_what_nothing_tells_is_null(user_agent: object) -> None:
    assert set(told(user_agent).values()) == {None}


# --- client hints --------------------------------------------------------------------------------------------------

CHROME = '"Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"'
FULL = '"Google Chrome";v="131.0.6778.86", "Chromium";v="131.0.6778.86", "Not_A Brand";v="24.0.0.0"'


def test_hints_tell_what_the_user_agent_has_frozen() -> None:
    hints = {"ua": CHROME, "full_version_list": FULL, "mobile": "?1", "platform": '"Android"'}
    assert told(PHONE, **hints, platform_version='"14.0.0"', model='"SM-S918B"') == {
        "browser": "Chrome Mobile",
        "browser_version": "131.0.6778.86",
        "os": "Android",
        "os_version": "14",
        "device_type": "mobile",
        "device_brand": "Samsung",
    }


@pytest.mark.parametrize(
    ("platform_version", "expected"),
    [("19.0.0", "11"), ("13.0.0", "11"), ("10.0.0", "10"), ("1.0.0", "10"), ("0.3.0", "8.1"), ("0.3", "8.1"),
     ("0.2.0", "8"), ("0.1.0", "7"), ("0.0.0", "10"), ("", "10"), ("eleven", "10"), ("٣.0", "10")],
)  # fmt: skip
def test_windows_11_is_13_and_more(platform_version: str, expected: str) -> None:
    row = told(WINDOWS, platform='"Windows"', platform_version=f'"{platform_version}"')
    assert (row["os"], row["os_version"]) == ("Windows", expected)


@pytest.mark.parametrize(
    ("platform", "version", "expected"),
    [
        ("macOS", "14.6.1", ("Mac OS X", "14.6.1")),
        ("macOS", "15.0.0", ("Mac OS X", "15")),
        ("Chrome OS", "16033.58.0", ("Chrome OS", "16033.58")),
        ("Chromium OS", None, ("Chrome OS", None)),
        ("Android", "15", ("Android", "15")),
        ("iOS", "18.1", ("iOS", "18.1")),
        ("Unknown", "1", ("Windows", "10")),
        ("Plan 9", "4", ("Windows", "10")),
    ],
)
def test_platforms_have_the_names_of_user_agents(platform: str, version: str | None, expected: tuple[str, str]) -> None:
    row = told(WINDOWS, platform=platform, platform_version=version)
    assert (row["os"], row["os_version"]) == expected


def test_linux_in_a_hint_says_less_than_a_distribution_in_the_user_agent() -> None:
    assert told(LINUX, platform='"Linux"')["os"] == "Ubuntu"
    assert told("", platform='"Linux"', platform_version='"6.8.0"')["os"] == "Linux"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ('"Chromium";v="131", "Brave";v="131", "Not_A Brand";v="24"', ("Brave", "131.0.0.0")),
        ('"Not A(Brand";v="8", "Chromium";v="131", "Google Chrome";v="131"', ("Chrome", "131.0.0.0")),
        ('"Microsoft Edge";v="131.0.2903.70", "Chromium";v="131.0.6778.86"', ("Edge", "131.0.2903.70")),
        ('"Chromium";v="131", "Not_A Brand";v="24"', ("Chrome", "131.0.0.0")),
        ('"Chromium";v="130"', ("Chrome", "130")),
        ('"Brave";v="not a version"', ("Brave", "131.0.0.0")),
        ('"jane.doe@example.com";v="1"', ("Chrome", "131.0.0.0")),
        ("no list", ("Chrome", "131.0.0.0")),
        (7, ("Chrome", "131.0.0.0")),
    ],
)
def test_the_brand_that_tells_most_is_the_browser(sent: object, expected: tuple[str, str]) -> None:
    row = told(WINDOWS, ua=sent)
    assert (row["browser"], row["browser_version"]) == expected


def test_a_user_agent_that_names_its_app_is_kept() -> None:
    opera = WINDOWS + " OPR/115.0.5322.77"
    engine = '"Opera";v="131.0.6778.86", "Chromium";v="131.0.6778.86"'
    assert told(opera, full_version_list=engine)["browser_version"] == "115.0.5322"
    facebook = PHONE.replace("K)", "K; wv)") + " [FB_IAB/FB4A;FBAV/489.0.0.70.79;]"
    assert told(facebook, ua='"Android WebView";v="131", "Chromium";v="131"')["browser"] == "Facebook"


@pytest.mark.parametrize(
    ("user_agent", "hints", "expected"),
    [
        (WINDOWS, {"form_factors": '"Tablet"'}, "tablet"),
        (WINDOWS, {"form_factors": '"Unheard-of", "XR"'}, "wearable"),
        (PHONE, {"form_factors": '"Automotive"'}, "car"),
        (PHONE.replace(" Mobile", ""), {"mobile": "?0", "platform": "Android"}, "tablet"),
        (LINUX, {"mobile": "?1"}, "mobile"),
        (PHONE, {"mobile": "?0", "platform": "Windows"}, "desktop"),
        (PHONE, {"mobile": "maybe"}, "mobile"),
        ("", {"mobile": "?1"}, "mobile"),
    ],
)
def test_hints_tell_the_kind_of_device(user_agent: str, hints: dict[str, str], expected: str) -> None:
    assert told(user_agent, **hints)["device_type"] == expected


def test_structured_headers_are_read_as_far_as_needed() -> None:
    assert brands('"Chromium" ; v = "1", "Plain", "Whale";v="2"') == {"Chromium": "1", "Plain": "", "Whale": "2"}
    assert brands(r'"\\Not\"A;Brand";v="99", "Chromium";v="89"') == {"Chromium": "89"}
    assert brands(' "Not;A=Brand";v="8", "(Not(A:Brand";v="8", "Not/A)Brand";v="99", "Not?A_Brand";v="24"') == {}
    assert [string(text) for text in ('"macOS"', " macOS ", '""', "", None, 3)] == [
        "macOS",
        "macOS",
        None,
        None,
        None,
        None,
    ]
    assert [boolean(text) for text in ("?1", "?0", "1", None)] == [True, False, None, None]


# --- device types --------------------------------------------------------------------------------------------------

ANDROID = "Mozilla/5.0 (Linux; Android 12; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
TYPES = [
    ("desktop", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"),
    ("console", "Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko)"),
    ("wearable", "Acme/2.0 watchOS/10.1 model/Watch6,6"),
    ("wearable", "Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 VR Safari/537.36"),
    ("car", "Mozilla/5.0 (X11; GNU/Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Tesla/2024.38.3"),
    ("mobile", IPHONE),
    ("mobile", ANDROID.format("SM-F946B")),  # a folding phone, open: its browser does not say Mobile
    ("tv", "Mozilla/5.0 (Linux; NetCast; U) HbbTV/1.2.1 (;LGE;OLED55;;)"),
    ("tv", "Mozilla/5.0 (Web0S; Linux/SmartHub) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36"),
    ("tv", "Mozilla/5.0 (Web0S; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36"),
    ("tv", ANDROID.format("AFTKA")),
    ("tv", "Kodi/21.0 (X11; Linux x86_64)"),
    ("tv", "Mozilla/5.0 (STB; Linux) AppleWebKit/605.1.15 (KHTML, like Gecko)"),
    ("tv", ANDROID.format("AcmeBox")),
    ("tv", ANDROID.format("43U570T")),
    ("other", "Mozilla/5.0 (Linux; Android 9; AEOBC) AppleWebKit/537.36 (KHTML, like Gecko) Silk/94.3 like Chrome/94.0 Safari/537.36"),
    ("other", ANDROID.format("Raspberry Pi 4")),
    ("tablet", "Mozilla/5.0 (iPad; CPU OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1"),
    ("tablet", ANDROID.format("SM-X710")),
    ("tablet", ANDROID.format("KFTRWI")),
    ("tablet", ANDROID.format("Redmi Pad SE").replace(" Safari", " Mobile Safari")),
    ("mobile", "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80; U; en) Presto/2.5.25 Version/10.54"),
    ("mobile", "SonyEricssonK800i/R1ED Browser/NetFront/3.3 Profile/Acme"),
    ("mobile", PHONE),
    ("mobile", "Mozilla/5.0 (Linux; U; Android 2.3.6; en-us; Acme) AppleWebKit/533.1 (KHTML, like Gecko) Version/4.0 Safari/533.1"),
    ("tablet", ANDROID.format("Acme One")),
    ("mobile", "Dalvik/2.1.0 (Linux; U; Android 14; Acme One Build/UQ1A)"),
    ("desktop", WINDOWS),
    ("desktop", LINUX),
    ("desktop", "Mozilla/5.0 (compatible; Webpositive; Haiku)"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "user_agent"), TYPES)
def test_kinds_of_devices(kind: str, user_agent: str) -> None:
    assert told(user_agent)["device_type"] == kind


def test_every_rule_decides_an_example() -> None:
    alone = [
        ua_parser_rs.UserAgentExtractor([(f"(?i){pattern}", kind, None, None, None, None)]) for kind, pattern in RULES
    ]
    decided = {next(at for at, rule in enumerate(alone) if rule.extract(user_agent)) for _kind, user_agent in TYPES}
    assert [rule for at, rule in enumerate(RULES) if at not in decided] == []


@pytest.mark.parametrize("user_agent", ["Googlebot/2.1 (+http://www.google.com/bot.html)", "curl/8.5.0", "Acme/1.0"])
def test_what_names_no_device_has_no_kind(user_agent: str) -> None:
    row = told(user_agent)
    assert (row["device_type"], row["device_brand"]) == (None, None)


# --- any input -----------------------------------------------------------------------------------------------------


def test_the_end_of_a_very_long_user_agent_is_not_read() -> None:
    assert told("a" * 900 + IPHONE)["device_type"] == "mobile"
    assert told("a" * 1024 + IPHONE)["device_type"] is None


def test_no_mailbox_and_nothing_long_becomes_a_name_or_version() -> None:
    assert told("VLC/3.0.jane@example.com")["browser_version"] is None
    brand = "x" * 100
    assert told(f"Mozilla/5.0 (SmartWatch( {brand} ; Acme ; 1)")["device_brand"] is None


def test_the_rules_have_a_version() -> None:
    source, commit = rules_version().split()
    assert source == "uap-core"
    assert int(commit, 16)
    assert len(commit) == 12


@given(
    st.lists(
        st.none() | st.integers() | st.text() | st.sampled_from([WINDOWS, PHONE, CHROME, '"Windows"', "?1"]),
        min_size=8,
        max_size=8,
    )
)
def test_any_text_gets_an_answer(values: list[object]) -> None:
    made = device.make(CONTEXT, *values)
    assert len(made) == len(device.makes)
    assert all(value is None or (isinstance(value, str) and value and "@" not in value) for value in made)


@given(st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3))
def test_lone_surrogates_are_no_error(text: str) -> None:
    row = told(f"{IPHONE} {text}", model=f'"{text}"', platform=text)
    assert (row["browser"], row["device_brand"]) == ("Mobile Safari", "Apple")
