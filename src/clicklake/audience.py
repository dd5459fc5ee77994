"""Who visits the imaginary shop of traffic.py, from where and with what: tables with weights, no behaviour.

Names and addresses are those reserved for examples (RFC 2606, RFC 5737, RFC 3849); user agents have the form that
real browsers, apps and crawlers send.
"""

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Generic, Literal, TypeVar

T = TypeVar("T")
SITE = "https://www.shop.example"


class Weighted(Generic[T]):
    """Things to pick from, each as often as its weight says."""

    def __init__(self, weighted: Iterable[tuple[float, T]]) -> None:
        pairs = list(weighted)
        self._things = [thing for _, thing in pairs]
        self._sums = list(accumulate(weight for weight, _ in pairs))

    def pick(self, random: Random) -> T:
        return self._things[bisect(self._sums, random.random() * self._sums[-1])]


@dataclass(frozen=True, slots=True)
class Device:
    """`moves` devices lose their network now and then and send later."""

    user_agent: str
    platform: Literal["web", "ios", "android"] = "web"
    moves: bool = False
    bot: bool = False

    @property
    def app_id(self) -> str:
        return f"shop-{self.platform}"


@dataclass(frozen=True, slots=True)
class Place:
    """A listed price of 1 costs `price` of its `currency` there; `network` is an address to be filled in."""

    country: str
    locale: str
    currency: str
    price: float
    network: str


@dataclass(frozen=True, slots=True)
class Source:
    """How a visit begins: the landing page's query ({click} is a click id) and the page before."""

    query: str
    referrer: str | None


@dataclass(frozen=True, slots=True)
class Product:
    sku: str
    name: str
    category: str
    price: float

    @property
    def path(self) -> str:
        return f"/{self.category}/{self.name.lower().replace(' ', '-')}"


# --- devices -----------------------------------------------------------------------------------------------------

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64)"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
_CHROMES = ("137", "138", "139", "140", "141")
_FIREFOXES = ("128", "140", "142", "143")
_IOS = ("17_6", "18_3", "18_5", "18_6")

# weight, user agent with its {} filled from the versions
_DESKTOPS = (
    (24, f"{_WINDOWS} {_WEBKIT} Chrome/{{}}.0.0.0 Safari/537.36", _CHROMES),
    (8, f"{_WINDOWS} {_WEBKIT} Chrome/{{0}}.0.0.0 Safari/537.36 Edg/{{0}}.0.0.0", _CHROMES),
    (8, f"{_MAC} {_WEBKIT} Chrome/{{}}.0.0.0 Safari/537.36", _CHROMES),
    (7, f"{_MAC} {_SAFARI} Version/{{}} Safari/605.1.15", ("17.6", "18.3", "18.5", "18.6")),
    (4, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", _FIREFOXES),
    (2, "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", _FIREFOXES),
    (1, f"{_LINUX} {_WEBKIT} Chrome/{{}}.0.0.0 Safari/537.36", _CHROMES),
    (1, f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/{{}}.0.0.0 Safari/537.36", _CHROMES),
    (1, f"{_WINDOWS} {_WEBKIT} Chrome/137.0.0.0 Safari/537.36 OPR/{{}}.0.0.0", ("120", "121")),
)
_IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS {{}} like Mac OS X) {_SAFARI}"
_IPAD = f"Mozilla/5.0 (iPad; CPU OS {{}} like Mac OS X) {_SAFARI}"
_PHONES = (
    (16, f"{_IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", _IOS),
    (16, f"{_ANDROID} {_WEBKIT} Chrome/{{}}.0.0.0 Mobile Safari/537.36", _CHROMES),
    (3, f"{_ANDROID} {_WEBKIT} SamsungBrowser/{{}} Chrome/121.0.0.0 Mobile Safari/537.36", ("25.0", "27.0", "28.0")),
    (2, f"{_IPAD} Version/18.5 Mobile/15E148 Safari/604.1", _IOS),
    (2, f"{_IPHONE} CriOS/138.0.7204.119 Mobile/15E148 Safari/604.1", _IOS),
    (1, f"{_IPHONE} Mobile/15E148 Instagram 385.0.0.30.74", _IOS),
)
_APPS: tuple[tuple[float, Literal["ios", "android"], str], ...] = (
    (7, "ios", "Shop/5.2.1 CFNetwork/3826.500.131 Darwin/24.5.0"),
    (2, "ios", "Shop/5.1.0 CFNetwork/1498.700.2 Darwin/23.6.0"),
    (5, "android", "Dalvik/2.1.0 (Linux; U; Android 15; Pixel 8 Build/AP4A.250205.002)"),
    (4, "android", "Dalvik/2.1.0 (Linux; U; Android 14; SM-S921B Build/UP1A.231005.007)"),
)
_COMPATIBLE = "Mozilla/5.0 (compatible; "
_BOTS = (
    (6, f"{_COMPATIBLE}Googlebot/2.1; +http://www.google.com/bot.html)"),
    (3, f"{_COMPATIBLE}bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
    (2, f"{_COMPATIBLE}AhrefsBot/7.0; +http://ahrefs.com/robot/)"),
    (3, f"Mozilla/5.0 {_WEBKIT.replace(')', '; compatible; GPTBot/1.2; +https://openai.com/gptbot)')}"),
    (2, f"Mozilla/5.0 {_WEBKIT.replace(')', '; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)')}"),
    (2, f"Mozilla/5.0 {_WEBKIT}; compatible; ChatGPT-User/1.0; +https://openai.com/bot"),
    (2, f"{_LINUX} {_WEBKIT} HeadlessChrome/138.0.0.0 Safari/537.36"),
    (1, "python-requests/2.32.3"),
    (1, "curl/8.7.1"),
    (1, f"{_COMPATIBLE}UptimeRobot/2.0; http://www.uptimerobot.com/)"),
)
_BOT_SHARE = 0.05


def _devices() -> Iterable[tuple[float, Device]]:
    for moves, browsers in ((False, _DESKTOPS), (True, _PHONES)):
        for weight, user_agent, versions in browsers:
            for version in versions:
                yield weight / len(versions), Device(user_agent.format(version), moves=moves)
    for share, platform, user_agent in _APPS:
        yield share, Device(user_agent, platform, moves=True)


_HUMAN = tuple(_devices())
_BOT_UNIT = _BOT_SHARE / (1 - _BOT_SHARE) * sum(w for w, _ in _HUMAN) / sum(w for w, _ in _BOTS)
DEVICES = Weighted([*_HUMAN, *((w * _BOT_UNIT, Device(user_agent, bot=True)) for w, user_agent in _BOTS)])

# --- places, sources, things to look at ------------------------------------------------------------------------------

PLACES = Weighted(
    (
        (30, Place("US", "en-US", "USD", 1.0, "203.0.113.{}")),
        (12, Place("GB", "en-GB", "GBP", 0.8, "198.51.100.{}")),
        (14, Place("DE", "de-DE", "EUR", 0.9, "192.0.2.{}")),
        (8, Place("FR", "fr-FR", "EUR", 0.9, "2001:db8:f{:x}::1")),
        (8, Place("JP", "ja-JP", "JPY", 150.0, "2001:db8:a{:x}::1")),
        (8, Place("BR", "pt-BR", "BRL", 5.5, "203.0.113.{}")),
        (8, Place("IN", "en-IN", "INR", 85.0, "2001:db8:1{:x}::1")),
        (6, Place("PL", "pl-PL", "PLN", 4.0, "198.51.100.{}")),
        (6, Place("ES", "es-ES", "EUR", 0.9, "192.0.2.{}")),
    )
)
SOURCES = Weighted(
    (
        (28, Source("", None)),
        (26, Source("", "https://www.google.com/")),
        (4, Source("", "https://www.bing.com/")),
        (3, Source("", "https://duckduckgo.com/")),
        (10, Source("utm_source=google&utm_medium=cpc&utm_campaign=autumn_sale&gclid={click}", "https://www.google.com/")),
        (3, Source("utm_source=bing&utm_medium=cpc&utm_campaign=brand&msclkid={click}", "https://www.bing.com/")),
        (6, Source("utm_source=facebook&utm_medium=paid_social&utm_campaign=lookalike&fbclid={click}", "https://l.facebook.com/")),
        (5, Source("utm_source=instagram&utm_medium=social&utm_campaign=stories", "https://l.instagram.com/")),
        (7, Source("utm_source=newsletter&utm_medium=email&utm_campaign=week_47&utm_content=hero", None)),
        (2, Source("", "https://t.co/")),
        (2, Source("", "https://www.youtube.com/")),
        (3, Source("utm_source=chatgpt.com", "https://chatgpt.com/")),
        (1, Source("utm_source=partner&utm_medium=affiliate&utm_campaign=reviews", "https://reviews.example/best-jackets")),
    )
)  # fmt: skip
PRODUCTS = Weighted(
    (
        (9, Product("TR-101", "Trail Runner", "shoes", 119.0)),
        (7, Product("TR-204", "City Sneaker", "shoes", 89.5)),
        (4, Product("TR-330", "Winter Boot", "shoes", 159.0)),
        (8, Product("JK-118", "Rain Jacket", "jackets", 139.0)),
        (5, Product("JK-260", "Down Jacket", "jackets", 249.0)),
        (6, Product("BG-012", "Day Pack 22", "bags", 74.9)),
        (3, Product("BG-077", "Travel Duffel", "bags", 98.0)),
        (5, Product("AC-003", "Wool Socks", "accessories", 14.5)),
        (4, Product("AC-045", "Water Bottle", "accessories", 24.0)),
        (2, Product("AC-099", "Head Torch", "accessories", 39.95)),
    )
)
PAGES = Weighted(
    (
        (10, ("/", "Shop: made for outside")),
        (6, ("/shoes", "Shoes")),
        (5, ("/jackets", "Jackets")),
        (4, ("/bags", "Bags")),
        (3, ("/accessories", "Accessories")),
        (2, ("/journal/layering-for-cold-days", "Layering for cold days")),
        (1, ("/journal/how-to-wash-down", "How to wash down")),
        (1, ("/help/shipping", "Shipping and returns")),
    )
)
SEARCHES = Weighted((3.0, words) for words in ("rain jacket", "size 42", "wool", "zelt", "リュック", "botas"))
TARGETS = Weighted(
    ((5, "menu"), (4, "hero_banner"), (4, "size_picker"), (3, "gallery"), (2, "reviews"), (1, "footer_link"))
)
