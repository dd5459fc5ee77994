"""Which browser, operating system and device: from the user agent, and better from client hints where they are sent.

Names and versions are those of ua-parser's rules (github.com/ua-parser/uap-core), by its Rust engine. A version is what
the rules find of it, joined by dots, so it is as long as the sender tells: "120.0.0", "17.1", "XP".
Chromium has frozen parts of its user agent (chromium.org/updates/ua-reduction): Windows is always 10, macOS 10.15.7, a
phone "Android 10; K" and a version 120.0.0.0. Hints tell what is true there; without them the frozen values stay.
"""

from functools import cache
from operator import attrgetter
from pkgutil import get_data
from typing import NamedTuple

import ua_parser_rs

from clicklake.transform.enrich import client_hints
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
# A brand in Sec-CH-UA -> the family in ua-parser's words, on a desktop and on a phone. Others are taken as they are.
BRANDS = {
    "Google Chrome": ("Chrome", "Chrome Mobile"),
    "Android WebView": ("Chrome Mobile WebView", "Chrome Mobile WebView"),
    "Microsoft Edge": ("Edge", "Edge Mobile"),
    "Opera": ("Opera", "Opera Mobile"),
    "OperaMobile": ("Opera", "Opera Mobile"),
    "YaBrowser": ("Yandex Browser", "Yandex Browser"),
    "Yandex": ("Yandex Browser", "Yandex Browser"),
    "DuckDuckGo": ("DuckDuckGo", "DuckDuckGo Mobile"),
    "HuaweiBrowser": ("Huawei Browser", "Huawei Browser"),
}
# These say only which engine it is: any other brand, and any other name in the user agent, tells more.
ENGINES = ("Chromium", "Google Chrome", "Android WebView")
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


class Named(NamedTuple):
    name: Text
    version: Text


class Hints(NamedTuple):
    """The headers, read: brands with their versions, the best known."""

    brands: dict[str, str]
    full_versions: dict[str, str]
    mobile: bool | None
    platform: Text
    platform_version: Text
    model: Text
    form_factors: dict[str, str]


_NO_HINTS = Hints({}, {}, None, None, None, None, {})


def device(_context: Context, user_agent: object, *headers: object) -> tuple[Text, ...]:
    """browser, browser_version, os, os_version, device_type, device_brand; NULL where nothing tells."""
    agent = readable(user_agent)
    hints = _read(*headers)
    rules = _rules()
    found = Named(*_named(rules.browsers.extract(agent)))
    system = _system(Named(*_named(rules.systems.extract(agent))), hints)
    return (*_browser(found, hints), *system, _type(agent, system.name, hints), _brand(agent, hints.model))


DEVICE = Enrichment(
    reads=(
        "user_agent",
        "headers.sec-ch-ua",
        "headers.sec-ch-ua-full-version-list",
        "headers.sec-ch-ua-mobile",
        "headers.sec-ch-ua-platform",
        "headers.sec-ch-ua-platform-version",
        "headers.sec-ch-ua-model",
        "headers.sec-ch-ua-form-factors",
    ),
    makes=("browser", "browser_version", "os", "os_version", "device_type", "device_brand"),
    make=device,
)


def readable(user_agent: object) -> str:
    """The user agent as the Rust engine takes it: no longer than LONGEST, no lone surrogates; "" if there is none."""
    if not isinstance(user_agent, str):
        return ""
    text = user_agent[:LONGEST]
    return text if text.isascii() else text.encode(errors="replace").decode()


def rules_version() -> str:
    """Which rules told browsers, systems and brands: the commit of uap-core that ua-parser-builtins was made of."""
    try:
        revision = get_data("ua_parser_builtins", "../REVISION")
    except OSError:
        revision = None
    return f"uap-core {revision.decode().strip()[:12]}" if revision else "uap-core unknown"


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


def _named(found: "ua_parser_rs.UserAgent | ua_parser_rs.OS | None") -> tuple[Text, Text]:
    """ua-parser's answer; "Other" is its word for nothing found."""
    if found is None or found.family in {"", "Other"}:
        return None, None
    numbers = (found.major, found.minor, found.patch, found.patch_minor)
    return found.family, ".".join(number for number in numbers if number) or None


def _read(*headers: object) -> Hints:
    """The seven headers in the order of DEVICE.reads."""
    if not any(headers):
        return _NO_HINTS
    sec_ch_ua, full, mobile, platform, platform_version, model, form_factors = headers
    full_versions = client_hints.brands(full)
    return Hints(
        client_hints.brands(sec_ch_ua) | full_versions,
        full_versions,
        client_hints.boolean(mobile),
        client_hints.string(platform),
        client_hints.string(platform_version),
        client_hints.string(model),
        client_hints.brands(form_factors),
    )


def _browser(found: Named, hints: Hints) -> Named:
    """The hints' brand, unless it is only the engine's and the user agent tells which app is built on it."""
    if not hints.brands:
        return found
    brand = min(hints.brands, key=lambda name: -1 if name not in ENGINES else -ENGINES.index(name) + len(ENGINES))
    on_phone = hints.mobile if hints.mobile is not None else "Mobile" in (found.name or "")
    name = BRANDS.get(brand, (brand, brand))[on_phone]
    if found.name not in PLAIN and found.name != name:
        return found
    told = hints.brands[brand]
    if brand not in hints.full_versions and found.version and found.version.split(".")[0] == told:
        told = found.version
    return Named(name, told or found.version)


def _system(found: Named, hints: Hints) -> Named:
    """The hints' platform and its version; a Linux that the user agent knows by name (Ubuntu) keeps it."""
    name = PLATFORMS.get(hints.platform or "")
    if name is None or (name == "Linux" and found.name not in DESKTOPS - {"Linux"} | {None, "Android"}):
        return found
    known = found.version if found.name == name else None
    told = hints.platform_version
    if told is None or not told[0].isdigit():
        return Named(name, known)
    return Named(name, _windows(told, known) if name == "Windows" else _without_zeros(told))


def _windows(told: str, known: Text) -> Text:
    major = told.split(".")[0]
    if major == "0":
        return WINDOWS_BEFORE_10.get(_without_zeros(told), known)
    return "11" if major.isdecimal() and int(major) >= WINDOWS_11 else "10"


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
