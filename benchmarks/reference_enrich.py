"""The enrichments of reference.py: the product's rule tables, matched by the standard library and pure ua-parser.

ua-parser is its pure Python engine (ua_parser.basic) behind the cache that `ua_parser.parse` puts before it by default,
S3Fifo of 2000 user agents. Our own rules for devices and robots go through the same engine and a cache like it, which
is what somebody who has ua-parser would do. There is no other cache.
"""

import ipaddress
import re
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import ua_parser
from ua_parser.matchers import UserAgentMatcher
from ua_parser.utils import fa_simplifier

from clicklake.transform.enrich.agents import ORDER
from clicklake.transform.enrich.campaign import CLICK_IDS, UTM
from clicklake.transform.enrich.channel import CLICKS, MEDIA, RULES, UNASSIGNED, Arrival
from clicklake.transform.enrich.device import (
    BRANDS,
    DESKTOPS,
    ENGINES,
    FORM_FACTORS,
    NO_BRAND,
    PLAIN,
    PLATFORMS,
    WINDOWS_11,
    WINDOWS_BEFORE_10,
)
from clicklake.transform.enrich.device_types import RULES as DEVICE_TYPES
from clicklake.transform.enrich.referrer_sites import SITES
from clicklake.transform.enrich.traffic import APPS, HEADLESS, matcher_rules

Values = dict[str, Any]
Headers = dict[str, Any]

ADDRESS = re.compile(r"((?:([^:/?#]+):)?(?://([^/?#]*))?)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
SECOND_LEVEL = {
    *("ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "govt"),
    *("ltd", "mil", "ne", "net", "nom", "or", "org", "plc", "sch"),
}


SPELLED = {name.lower(): name for rules in ORDER for name in rules.names}

# --- addresses -------------------------------------------------------------------------------------------------------


def host_and_path(address: str) -> tuple[str | None, str | None]:
    found = ADDRESS.fullmatch(address.strip())
    assert found
    _, _, authority, path, _, _ = found.groups()
    host = re.sub(r":\d*$", "", (authority or "").rpartition("@")[2]).rstrip(".").lower()
    return host or None, path or ("/" if host else None)


def campaign(address: str) -> Values:
    sent: dict[str, str] = {}
    for name, value in parse_qsl(urlsplit(address).query):
        sent.setdefault(name.lower(), value)
    found = {name: sent[name] for name in UTM if name in sent}
    for name, seller in CLICK_IDS.items():
        if name in sent and "click_id" not in found:
            found |= {"click_id": sent[name], "click_network": seller}
    return found


def network(address: str) -> str | None:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))


# --- referrer and channel --------------------------------------------------------------------------------------------

Kinds = dict[str, str]
ALONE: Kinds = {}  # a host
BELOW: Kinds = {}  # a host and all below it
FIRST: Kinds = {}  # a host's first label
SOURCES: Kinds = {}  # a campaign's utm_source
for kind, sites in SITES.items():
    for word in " ".join(sites.values()).split():
        table = ALONE if word[0] == "=" else FIRST if word[-1] == "." else BELOW if "." in word else SOURCES
        table[word.strip("=.")] = kind


def kind_of_host(host: str) -> str | None:
    labels = host.removeprefix("www.").split(".")
    country = len(labels[-1]) == 2
    suffix = 2 if country and labels[-2] in SECOND_LEVEL else 1 if country or labels[-1] in ("com", "net", "cat") else 0
    anywhere = [*labels[:-suffix], "*"] if suffix else []
    for table, tails in ((ALONE, range(1)), (BELOW, range(len(labels)))):
        for at in tails:
            for name in (".".join(labels[at:]), ".".join(anywhere[at:])):
                if name in table:
                    return table[name]
    return FIRST.get(labels[0].rstrip("-0123456789")) if len(labels) > 2 else None


def registered(host: str) -> list[str]:
    labels = host.split(".")
    return labels[-3:] if len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL else labels[-2:]


def referrer_class(referrer: str, page_host: str | None) -> str | None:
    host, path = host_and_path(referrer)
    if host is None:
        return "internal" if path and referrer.startswith("/") else None
    if referrer.lower().startswith("android-app:"):
        return BELOW.get(host) or kind_of_host(".".join(reversed(host.split(".")))) or "other"
    if page_host is not None and registered(host) == registered(page_host):
        return "internal"
    return kind_of_host(host) or "other"


def channel(values: Values) -> str | None:
    """From the columns of page_url, campaign and referrer."""
    click = CLICKS.get(values.get("click_network", ""), ("", ""))
    source = values.get("utm_source", "").strip().lower() or click[0]
    medium = values.get("utm_medium", "").strip().lower() or click[1]
    campaign = values.get("utm_campaign", "").strip().lower()
    kind = values.get("referrer_class")
    if source:
        known = SOURCES.get(source.replace(" ", "")) or (kind_of_host(source) if "." in source else None) or ""
        arrival = Arrival(source, medium or MEDIA.get(known, ""), campaign, known)
    elif kind and kind != "internal":
        arrival = Arrival(values.get("referrer_host") or "", medium or MEDIA.get(kind, "referral"), campaign, kind)
    elif medium or campaign:
        arrival = Arrival("", medium, campaign)
    elif kind or not values.get("page_host"):
        return None
    else:
        arrival = Arrival("(direct)", "(none)")
    return next((name for name, fits in RULES if fits(arrival)), UNASSIGNED)


# --- headers ---------------------------------------------------------------------------------------------------------


def place(headers: Headers) -> Values:
    for header in ("cloudfront-viewer-country", "cf-ipcountry"):
        country = text(headers, header).strip().upper()
        if re.fullmatch("[A-Z]{2}", country) and country not in ("XX", "ZZ"):
            break
    else:
        return {}
    if header == "cf-ipcountry":
        return {"country": country}
    region = text(headers, "cloudfront-viewer-country-region-name") or text(headers, "cloudfront-viewer-country-region")
    city = unquote(text(headers, "cloudfront-viewer-city"))
    return {"country": country, "region": unquote(region) or None, "city": city or None}


def language(headers: Headers) -> str | None:
    """The first of the heaviest; its second part in capitals if it is a country."""
    best, heaviest = None, 0.0
    for choice in text(headers, "accept-language").split(","):
        tag, _, weight = choice.partition(";q=")
        if float(weight or 1) > heaviest and tag.strip().replace("-", "").isalnum():
            best, heaviest = tag.strip(), float(weight or 1)
    if best is None:
        return None
    first, *rest = best.split("-")
    return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.title() for part in rest)])


def text(headers: Headers, name: str) -> str:
    value = headers.get(name)
    return value if isinstance(value, str) else ""


def brands(header: str) -> dict[str, str]:
    found = re.findall(r'"([^"]*)"(?:\s*;\s*v\s*=\s*"([^"]*)")?', header)
    return {brand: version for brand, version in found if re.sub("[^a-z]", "", brand.lower()) != "notabrand"}


# --- device and traffic ----------------------------------------------------------------------------------------------


class Agents:
    """Who and what a user agent names; caches are empty at first."""

    def __init__(self) -> None:
        robots = (UserAgentMatcher(rule[0].replace("(?i-u)", "(?ia)"), *rule[1:]) for rule in matcher_rules())
        self.parser = _cached(_simplified(ua_parser.load_builtins()))
        self.types = _cached(([UserAgentMatcher(f"(?i){pattern}", kind) for kind, pattern in DEVICE_TYPES], [], []))
        self.robots = _cached(([*robots], [], []))

    def device(self, agent: str, headers: Headers) -> Values:
        found = self.parser.parse(agent)
        mobile = {"?1": True, "?0": False}.get(text(headers, "sec-ch-ua-mobile"))
        browser, version = _browser(_named(found.user_agent), headers, mobile)
        system, system_version = _system(_named(found.os), headers)
        brand = self.brand(found.device, text(headers, "sec-ch-ua-model").strip('"'))
        values = {"browser": browser, "browser_version": version, "os": system, "os_version": system_version}
        values = {name: _short(value) for name, value in {**values, "device_brand": brand}.items()}
        return {**values, "device_type": self.type(agent, system, mobile, headers)}

    def brand(self, found: ua_parser.Device | None, model: str) -> str | None:
        brand = found.brand if found else None
        if model and brand in NO_BRAND:
            hinted = f"Mozilla/5.0 (Linux; Android 10; {model}) AppleWebKit/537.36 Mobile Safari/537.36"
            known = self.parser.parse_device(hinted)
            brand = known.brand if known else None
        return None if brand in NO_BRAND else brand

    def type(self, agent: str, system: str | None, mobile: bool | None, headers: Headers) -> str | None:
        for form_factor in brands(text(headers, "sec-ch-ua-form-factors")):
            if form_factor in FORM_FACTORS:
                return FORM_FACTORS[form_factor]
        found = self.types.parse_user_agent(agent)
        kind = found.family if found else None
        if mobile and kind in (None, "desktop", "tablet"):
            return "mobile"
        if mobile is False and kind in (None, "mobile") and system in DESKTOPS:
            return "desktop"
        return kind

    def traffic(self, agent: str, platform: str, headers: Headers) -> Values:
        sender = platform.lower()
        if sender == "server" or (sender in APPS and not agent.startswith("Mozilla/")):
            return {"traffic_type": "human"}
        found = self.robots.parse_user_agent(agent) if agent else None
        if found is not None:
            name = SPELLED.get(found.family.lower(), found.family)
            return {"traffic_type": found.major, "bot_name": None if found.major == "human" else _short(name)}
        headless = next((HEADLESS[brand] for brand in brands(text(headers, "sec-ch-ua")) if brand in HEADLESS), None)
        return dict(zip(("traffic_type", "bot_name"), headless or ("human", None), strict=True))


def _cached(matchers: ua_parser.Matchers) -> ua_parser.Parser:
    return ua_parser.Parser(ua_parser.CachingResolver(ua_parser.BasicResolver(matchers), ua_parser.Cache(2000)))


def _simplified(matchers: ua_parser.Matchers) -> ua_parser.Matchers:
    """With `.{0,100}` as `.*`, as ua-parser's Rust engine reads the rules. Measured: as fast either way."""
    matcher: Any
    for matcher in chain(*matchers):
        matcher.pattern = re.compile(fa_simplifier(matcher.pattern.pattern), matcher.pattern.flags)
    return matchers


def _short(answer: str | None) -> str | None:
    return None if answer is None or len(answer) > 64 or "@" in answer or "/" in answer else answer


def _named(found: Any) -> tuple[str | None, str | None]:
    if found is None or found.family in ("", "Other"):
        return None, None
    return found.family, ".".join(filter(None, (found.major, found.minor, found.patch, found.patch_minor))) or None


def _browser(
    found: tuple[str | None, str | None], headers: Headers, mobile: bool | None
) -> tuple[str | None, str | None]:
    named, version = found
    hinted = brands(text(headers, "sec-ch-ua")) | brands(text(headers, "sec-ch-ua-full-version-list"))
    known = [brand for brand in hinted if brand in BRANDS]
    if not known:
        return found
    brand = max(known, key=lambda brand: ENGINES.get(brand, len(ENGINES)))
    on_phone = "Mobile" in (named or "") if mobile is None else mobile
    name = BRANDS[brand][on_phone]
    if brand == "Chromium":
        name = named or name
    if named not in PLAIN and named != name:
        return found
    told, (major, *rest) = hinted[brand] or None, (version or "").split(".")
    if told in (None, major) or (named not in PLAIN and any(number != "0" for number in rest)):
        told = version
    return name, told


def _system(found: tuple[str | None, str | None], headers: Headers) -> tuple[str | None, str | None]:
    named, version = found
    name = PLATFORMS.get(text(headers, "sec-ch-ua-platform").strip('"'))
    if name is None or (name == "Linux" and named not in (None, "Linux", "Android")):
        return found
    told = text(headers, "sec-ch-ua-platform-version").strip('"')
    if not told:
        return name, version if name == named else None
    major = int(told.partition(".")[0])
    told = re.sub(r"(\.0)+$", "", told)
    if name == "Windows":
        told = WINDOWS_BEFORE_10.get(told, version or "") if major == 0 else "11" if major >= WINDOWS_11 else "10"
    return name, told
