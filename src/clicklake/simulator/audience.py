"""Who visits the imaginary shop, and from where: people with a device, a language and an address, and robots.

Addresses are those reserved for tests and examples (RFC 2544, RFC 3849). Headers are what an edge in front of a
collector adds: docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html
"""

from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from clicklake.simulator import published
from clicklake.simulator.chance import Weighted, base64url, uuid
from clicklake.simulator.clocks import EXACT, Clock, clock
from clicklake.simulator.devices import Device, Headers, device
from clicklake.simulator.shop import (
    ENGLISH,
    FRENCH,
    GERMAN,
    ITALIAN,
    JAPANESE,
    KOREAN,
    POLISH,
    PORTUGUESE,
    SPANISH,
    Language,
)

SITE = "https://www.shop.example"


@dataclass(frozen=True, slots=True)
class City:
    """`region` is the second part of an ISO 3166-2 code."""

    region: str
    region_name: str
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """A listed price of 1 costs `price` of its `currency` there; `number` makes its networks differ from others'."""

    number: int
    country: str
    locale: str
    language: Language
    currency: str
    price: float
    cities: tuple[City, ...]


@dataclass(frozen=True, slots=True)
class Visitor:
    """`home` is where the shop's addresses begin for this visitor."""

    anonymous_id: str | None
    user_id: str | None
    device: Device
    place: Place
    ip: str
    headers: Headers
    locale: str | None
    home: str
    clock: Clock = EXACT


def _cities(text: str) -> tuple[City, ...]:
    return tuple(City(*city.split("/")) for city in text.split(", "))


_TABLE: tuple[tuple[float, str, str, Language, str, float, str], ...] = (
    (24, "US", "en-US", ENGLISH, "USD", 1.0,
     "CA/California/San Francisco, NY/New York/New York, TX/Texas/Austin, WA/Washington/Seattle, CO/Colorado/Denver"),
    (3, "US", "es-US", SPANISH, "USD", 1.0, "CA/California/Los Angeles, FL/Florida/Miami, TX/Texas/El Paso"),
    (10, "GB", "en-GB", ENGLISH, "GBP", 0.8, "ENG/England/London, ENG/England/Leeds, SCT/Scotland/Glasgow"),
    (13, "DE", "de-DE", GERMAN, "EUR", 0.9,
     "BE/Berlin/Berlin, BY/Bavaria/Munich, HH/Hamburg/Hamburg, NW/North Rhine-Westphalia/Cologne"),
    (2, "CH", "de-CH", GERMAN, "CHF", 0.9, "ZH/Zurich/Zürich, BE/Bern/Bern"),
    (7, "FR", "fr-FR", FRENCH, "EUR", 0.9,
     "IDF/Île-de-France/Paris, ARA/Auvergne-Rhône-Alpes/Lyon, PAC/Provence-Alpes-Côte d'Azur/Nice"),
    (2, "CA", "fr-CA", FRENCH, "CAD", 1.35, "QC/Quebec/Montréal, QC/Quebec/Québec"),
    (3, "CA", "en-CA", ENGLISH, "CAD", 1.35, "ON/Ontario/Toronto, BC/British Columbia/Vancouver"),
    (6, "JP", "ja-JP", JAPANESE, "JPY", 150.0, "13/Tokyo/Tokyo, 27/Osaka/Osaka, 01/Hokkaido/Sapporo"),
    (3, "KR", "ko-KR", KOREAN, "KRW", 1400.0, "11/Seoul/Seoul, 26/Busan/Busan"),
    (6, "BR", "pt-BR", PORTUGUESE, "BRL", 5.5,
     "SP/São Paulo/São Paulo, RJ/Rio de Janeiro/Rio de Janeiro, PR/Paraná/Curitiba"),
    (6, "IN", "en-IN", ENGLISH, "INR", 85.0, "MH/Maharashtra/Mumbai, KA/Karnataka/Bengaluru, DL/Delhi/New Delhi"),
    (4, "PL", "pl-PL", POLISH, "PLN", 4.0, "14/Mazovia/Warsaw, 12/Lesser Poland/Krakow"),
    (4, "ES", "es-ES", SPANISH, "EUR", 0.9, "MD/Madrid/Madrid, CT/Catalonia/Barcelona"),
    (2, "MX", "es-MX", SPANISH, "MXN", 18.5, "CMX/Mexico City/Mexico City, JAL/Jalisco/Guadalajara"),
    (3, "IT", "it-IT", ITALIAN, "EUR", 0.9, "25/Lombardy/Milan, 62/Lazio/Rome"),
    (2, "AU", "en-AU", ENGLISH, "AUD", 1.5, "NSW/New South Wales/Sydney, VIC/Victoria/Melbourne"),
)  # fmt: skip
_PLACES = Weighted(
    (weight, Place(number, country, locale, language, currency, price, _cities(cities)))
    for number, (weight, country, locale, language, currency, price, cities) in enumerate(_TABLE)
)
_IPV6, _KNOWN_USERS, _COOKIELESS, _SAYS_LOCALE = 0.4, 0.3, 0.06, 0.75
_EDGES = Weighted(((10, "cloudfront with city"), (11, "cloudfront"), (4, "cloudflare"), (75, "")))
_TOKEN = base64url(22)


def visitor(random: Random, own_pages: bool = False) -> Visitor:
    """Somebody new; with `own_pages` all addresses that they see have their own token in the path."""
    return _visitor(random, device(random), own_pages, EXACT)


def lifelike_visitor(random: Random, own_pages: bool, wrong_clocks: float) -> Visitor:
    """Somebody new, with a device of the published lists and a clock that is wrong with that chance."""
    return _visitor(random, published.device(random), own_pages, clock(random, wrong_clocks))


def _visitor(random: Random, held: Device, own_pages: bool, time: Clock) -> Visitor:
    place = _PLACES.pick(random)
    human = held.traffic == "human"
    return Visitor(
        anonymous_id=uuid(random) if human and random.random() >= _COOKIELESS else None,
        user_id=f"user-{random.randrange(10**6):06}" if human and random.random() < _KNOWN_USERS else None,
        device=held,
        place=place,
        ip=_address(random, place.number),
        headers=_headers(random, held, place),
        locale=place.locale if human and random.random() < _SAYS_LOCALE else None,
        home=_home(random, place, own_pages),
        clock=time,
    )


def _home(random: Random, place: Place, own: bool) -> str:
    market = "" if place.locale == "en-US" else f"/{place.locale.lower()}"
    return f"{SITE}/u/{_TOKEN(random)}{market}" if own else SITE + market


def _address(random: Random, number: int) -> str:
    if random.random() < _IPV6:
        return f"2001:db8:{number:x}{random.getrandbits(8):02x}:{random.getrandbits(16):x}::{random.getrandbits(16):x}"
    network = number * 30 + random.randrange(30)
    return f"198.{18 + network // 256}.{network % 256}.{random.randrange(1, 255)}"


def _headers(random: Random, held: Device, place: Place) -> Headers:
    """Those that the transform reads; none without an edge."""
    edge = _EDGES.pick(random)
    if not edge:
        return {}
    headers = dict(held.hints)
    if held.traffic == "human":
        language = place.locale[:2]
        headers["accept-language"] = f"{place.locale},{language};q=0.9" + ("" if language == "en" else ",en;q=0.8")
    if edge == "cloudflare":
        return headers | {"cf-ipcountry": place.country}
    headers["cloudfront-viewer-country"] = place.country
    if edge == "cloudfront with city":
        city = random.choice(place.cities)
        headers["cloudfront-viewer-country-region"] = city.region
        headers["cloudfront-viewer-country-region-name"] = _in_ascii(city.region_name)
        headers["cloudfront-viewer-city"] = _in_ascii(city.name)
    return headers


def _in_ascii(name: str) -> str:
    """A header's value can't have other characters (RFC 9110, 5.5)."""
    return quote(name, safe=" '")
