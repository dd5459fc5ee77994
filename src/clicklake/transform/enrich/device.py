"""Which browser, operating system and device: from the user agent, and better from client hints where they are sent.

Names and versions are those of ua-parser's rules (github.com/ua-parser/uap-core), by its Rust engine. A version is what
the rules find of it, joined by dots, so it is as long as the sender tells: "120.0.0", "17.1", "XP".
Chromium has frozen parts of its user agent (chromium.org/updates/ua-reduction): Windows is always 10, macOS 10.15.7, a
phone "Android 10; K" and a version 120.0.0.0. Hints tell what is true there; without them the frozen values stay.
"""

import re
from functools import cache
from operator import attrgetter
from pkgutil import get_data
from typing import NamedTuple

import ua_parser_rs

from clicklake.transform.enrich.client_hints import HEADERS, Hints, read
from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.enrich.device_types import RULES

Text = str | None

# Longer ones are cut. The longest of the 38,000 user agents in device-detector's fixtures has 419 characters.
LONGEST = 1024

# Sec-CH-UA-Form-Factors (wicg.github.io/ua-client-hints), and what the other hints and the user agent can't tell.
FORM_FACTORS = {
    "Desktop": "desktop",
    "Mobile": "mobile",
    "Tablet": "tablet",
    "Automotive": "car",
    "Watch": "wearable",
    "XR": "wearable",
}
# A brand in Sec-CH-UA -> the family in ua-parser's words, on a desktop and on a phone. Other brands do not count: what
# a header says is never stored as it stands.
BRANDS = {
    "Chromium": ("Chromium", "Chromium"),
    "Google Chrome": ("Chrome", "Chrome Mobile"),
    "Android WebView": ("Chrome Mobile WebView", "Chrome Mobile WebView"),
    "HeadlessChrome": ("HeadlessChrome", "HeadlessChrome"),
    "Microsoft Edge": ("Edge", "Edge Mobile"),
    "Opera": ("Opera", "Opera Mobile"),
    "OperaMobile": ("Opera", "Opera Mobile"),
    "Opera GX": ("Opera", "Opera Mobile"),
    "Brave Browser": ("Brave", "Brave"),
    "YaBrowser": ("Yandex Browser", "Yandex Browser"),
    "Yandex": ("Yandex Browser", "Yandex Browser"),
    "DuckDuckGo": ("DuckDuckGo", "DuckDuckGo Mobile"),
    "HuaweiBrowser": ("Huawei Browser", "Huawei Browser"),
    "Whale": ("Whale", "Whale"),
    "CocCoc": ("Coc Coc", "Coc Coc"),
    "Amazon Silk": ("Amazon Silk", "Amazon Silk"),
    **{brand: (brand, brand) for brand in ("Brave", "Vivaldi", "Samsung Internet", "Ecosia", "Avast Secure Browser")},
    **{brand: (brand, brand) for brand in ("AVG Secure Browser", "CCleaner Browser", "Norton Private Browser")},
}
# These say little more than which engine it is; any other brand, and any other name in the user agent, tells more.
ENGINES = {"Chromium": 0, "Google Chrome": 1, "Android WebView": 2}
PLAIN = frozenset({None, "Chrome", "Chrome Mobile", "Chrome Mobile WebView", "Chromium", "Android"})
# Sec-CH-UA-Platform -> the family in ua-parser's words.
PLATFORMS = {
    "Windows": "Windows",
    "macOS": "Mac OS X",
    "Android": "Android",
    "iOS": "iOS",
    "Chrome OS": "Chrome OS",
    "Chromium OS": "Chrome OS",
    "Linux": "Linux",
}
# learn.microsoft.com/microsoft-edge/web-platform/how-to-detect-win11: from 13 on it is Windows 11.
WINDOWS_11 = 13
WINDOWS_BEFORE_10 = {"0.1": "7", "0.2": "8", "0.3": "8.1"}
# What ua-parser says where it knows no maker.
NO_BRAND = frozenset({None, "", "Generic", "Generic_Android", "Generic_Android_Tablet", "Spider"})
DESKTOPS = frozenset({"Windows", "Mac OS X", "Chrome OS", "Linux"})


# What ua-parser finds is words of the sender's. A name or a version is no longer, and no mailbox or address is in it:
# of a bot's "+https://openai.com/bot" it makes the browser "com/bot".
LONGEST_ANSWER = 64
_NO_NAME = re.compile("[@/]")


class Named(NamedTuple):
    name: Text
    version: Text


def _device(_context: Context, user_agent: object, *headers: object) -> tuple[Text, ...]:
    agent = readable(user_agent)
    hints = read(*headers)
    browser = _browser(_named(_rules().browsers.extract(agent)), hints)
    system = _system(_named(_rules().systems.extract(agent)), hints)
    return (*map(short, (*browser, *system)), _type(agent, system.name, hints), short(_brand(agent, hints.model)))


device = Enrichment(
    reads=("user_agent", *HEADERS),
    makes=("browser", "browser_version", "os", "os_version", "device_type", "device_brand"),
    make=_device,
)


def short(answer: Text) -> Text:
    """The answer; None if it is no name of a product but some text that got into its place."""
    return None if answer is None or len(answer) > LONGEST_ANSWER or _NO_NAME.search(answer) else answer


def readable(user_agent: object) -> str:
    """The user agent as the Rust engine takes it: no longer than LONGEST, no lone surrogates; "" if there is none."""
    if not isinstance(user_agent, str):
        return ""
    text = user_agent[:LONGEST]
    return text if text.isascii() else text.encode(errors="replace").decode()


@cache
def rules_version() -> str:
    """Which rules told browsers, systems and brands: the commit of uap-core that ua-parser-builtins was made of."""
    try:
        revision = get_data("ua_parser_builtins", "../REVISION")
    except OSError:
        revision = None
    return f"uap-core {revision.decode().strip()[:12]}" if revision else "uap-core unknown"


_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,4}", re.ASCII)


class _Rules(NamedTuple):
    browsers: ua_parser_rs.UserAgentExtractor
    systems: ua_parser_rs.OSExtractor
    devices: ua_parser_rs.DeviceExtractor
    types: ua_parser_rs.UserAgentExtractor


@cache
def _rules() -> _Rules:
    """The matchers, built at first use: 0.2 s that a start without events should not pay.

    ua_parser.regex.Resolver would do the same after compiling each rule for Python's re, too; the lazy rules don't.
    The engine takes time linear in the text, whatever the text (docs.rs/regex).
    """
    from ua_parser_builtins.lazy import MATCHERS

    browsers, systems, devices = MATCHERS
    versions = ("regex", "family", "major", "minor", "patch", "patch_minor")
    return _Rules(
        ua_parser_rs.UserAgentExtractor(map(attrgetter(*versions), browsers)),
        ua_parser_rs.OSExtractor(map(attrgetter(*versions), systems)),
        ua_parser_rs.DeviceExtractor(map(attrgetter("regex", "regex_flag", "family", "brand", "model"), devices)),
        ua_parser_rs.UserAgentExtractor((f"(?i){pattern}", kind, None, None, None, None) for kind, pattern in RULES),
    )


def _named(found: "ua_parser_rs.UserAgent | ua_parser_rs.OS | None") -> Named:
    """ua-parser's answer; "Other" is its word for nothing found."""
    if found is None or found.family in {"", "Other"}:
        return Named(None, None)
    numbers = (found.major, found.minor, found.patch, found.patch_minor)
    return Named(found.family, ".".join(number for number in numbers if number) or None)


def _browser(found: Named, hints: Hints) -> Named:
    """The hints' brand, unless it is only the engine's and the user agent tells which app is built on it.

    The version is the hints', unless the user agent names the browser itself and has more than its frozen first number:
    some browsers send their engine's.
    """
    known = [brand for brand in hints.brands if brand in BRANDS]
    if not known:
        return found
    brand = max(known, key=lambda brand: ENGINES.get(brand, len(ENGINES)))  # of equals the first
    on_phone = hints.mobile if hints.mobile is not None else "Mobile" in (found.name or "")
    name = BRANDS[brand][on_phone]
    if brand == "Chromium":
        name = found.name or name
    if found.name not in PLAIN | {name}:
        return found
    told, (major, *rest) = _version(hints.brands[brand]), (found.version or "").split(".")
    if told in {None, major} or (found.name not in PLAIN and any(number != "0" for number in rest)):
        told = found.version
    return Named(name, told)


def _version(text: Text) -> Text:
    return text if text and _VERSION.fullmatch(text) else None


def _system(found: Named, hints: Hints) -> Named:
    """The hints' platform and its version; Linux says less than a name in the user agent (Ubuntu)."""
    name = PLATFORMS.get(hints.platform or "")
    if name is None or (name == "Linux" and found.name not in {None, "Linux", "Android"}):
        return found
    known = found.version if found.name == name else None
    told = _version(hints.platform_version)
    if told is None:
        return Named(name, known)
    return Named(name, _windows(told, known) if name == "Windows" else _without_zeros(told))


def _windows(told: str, known: Text) -> Text:
    major = told.split(".")[0]
    if major == "0":
        return WINDOWS_BEFORE_10.get(_without_zeros(told), known)
    return "11" if int(major) >= WINDOWS_11 else "10"


def _without_zeros(version: str) -> str:
    """ "13.0.0" -> "13", as user agents tell it."""
    while version.endswith(".0"):
        version = version.removesuffix(".0")
    return version


def _type(agent: str, system: Text, hints: Hints) -> Text:
    for form_factor in hints.form_factors:
        if form_factor in FORM_FACTORS:
            return FORM_FACTORS[form_factor]
    found = _rules().types.extract(agent)
    kind = found.family if found else None
    if hints.mobile and kind in {None, "desktop", "tablet"}:
        return "mobile"
    if hints.mobile is False and kind in {None, "mobile"} and system in DESKTOPS:
        return "desktop"
    return kind


def _brand(agent: str, model: Text) -> Text:
    """The maker of the device; with a reduced user agent, of the model in the hints."""
    devices = _rules().devices
    found = devices.extract(agent)
    brand = found.brand if found else None
    if model and brand in NO_BRAND:
        found = devices.extract(
            f"Mozilla/5.0 (Linux; Android 10; {readable(model)}) AppleWebKit/537.36 Mobile Safari/537.36"
        )
        brand = found.brand if found else None
    return None if brand in NO_BRAND else brand
