"""Visits to the imaginary shop: sessions begin at random moments, and each walks from page to page until it ends.

Everything is drawn from the `Random` that is handed in. Times are epoch seconds.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import UUID

from clicklake import audience
from clicklake.audience import SITE, Device, Place, Product, Source, Weighted

EVENTS_PER_SESSION = 6.2  # what _WALK and _CRAWL amount to; a test holds it
_RETURNING = 0.4
_KNOWN_VISITORS = 5000

# After each step: how often each other follows.
_FOLLOWS: dict[str, dict[str, float]] = {
    "page_view": {"page_view": 30, "click": 26, "scroll": 20, "add_to_cart": 8, "search": 4, "sign_up": 1, "end": 9},
    "click": {"page_view": 55, "click": 12, "add_to_cart": 10, "end": 23},
    "scroll": {"page_view": 40, "click": 30, "end": 30},
    "search": {"page_view": 80, "search": 12, "end": 8},
    "add_to_cart": {"page_view": 45, "begin_checkout": 40, "end": 15},
    "begin_checkout": {"purchase": 62, "page_view": 10, "end": 28},
    "purchase": {"page_view": 25, "sign_up": 10, "end": 65},
    "sign_up": {"page_view": 80, "end": 20},
}
_WALK = {step: Weighted((weight, name) for name, weight in names.items()) for step, names in _FOLLOWS.items()}
_CRAWL = Weighted(((80, "page_view"), (20, "end")))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at `at` and was first sent at `sent`; `fields` are the input event's, without these two times."""

    at: float
    sent: float
    event_type: str
    fields: dict[str, Any]


def sessions(
    random: Random, start: float, events_per_second: float, offline: float
) -> Iterator[tuple[float, list[Event]]]:
    """Sessions without end: (when it begins to send, its events), in that order; nothing is sent before it begins.

    Visitors come back. `offline` is the share of sessions on moving devices that happened out of reach, earlier.
    """
    visitors: list[_Visitor] = []
    began = start
    while True:
        began += exponential(random, EVENTS_PER_SESSION / events_per_second)
        visitor = _visitor(random, visitors)
        cut_off = visitor.device.moves and random.random() < offline
        delay = 1800 + exponential(random, 4 * 3600) if cut_off else 0.0
        yield began, list(_walk(random, visitor, began, delay))


def exponential(random: Random, mean: float) -> float:
    """A waiting time of something that happens at random, `mean` on average."""
    return -math.log(1 - random.random()) * mean


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


# --- visitors ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Visitor:
    anonymous_id: str
    user_id: str | None
    device: Device
    place: Place
    ip: str


def _visitor(random: Random, known: list[_Visitor]) -> _Visitor:
    """One of the `known`, or a new one, who is then known too."""
    if known and random.random() < _RETURNING:
        return known[random.randrange(len(known))]
    device, place = audience.DEVICES.pick(random), audience.PLACES.pick(random)
    user_id = f"user-{random.randrange(10**6):06}" if not device.bot and random.random() < 0.3 else None
    visitor = _Visitor(_uuid(random), user_id, device, place, place.network.format(random.randrange(1, 255)))
    if len(known) < _KNOWN_VISITORS:
        known.append(visitor)
    else:
        known[random.randrange(len(known))] = visitor
    return visitor


# --- one session -------------------------------------------------------------------------------------------------


def _walk(random: Random, visitor: _Visitor, began: float, delay: float) -> Iterator[Event]:
    """From the landing page to the end. With a `delay` the walk was so much earlier, and all is sent at `began`."""
    session = _Session(random, visitor)
    at = began - delay
    step = "page_view"
    while step != "end":
        latency = 0.05 + exponential(random, 0.4)
        yield Event(at, (began if delay else at) + latency, step, session.fields(step))
        at += 0.2 if visitor.device.bot else 0.8 + exponential(random, 18)
        step = (_CRAWL if visitor.device.bot else _WALK[step]).pick(random)


class _Session:
    """Where the visitor is, where they came from and what is in the cart."""

    def __init__(self, random: Random, visitor: _Visitor) -> None:
        source = audience.SOURCES.pick(random)
        self._random = random
        self._visitor = visitor
        self._id = _uuid(random)
        self._landing = True
        self._path, self._title = audience.PAGES.pick(random)
        self._query = _landing_query(random, source)
        self._referrer = source.referrer
        self._looking_at: Product | None = None
        self._cart: list[Product] = []

    def fields(self, step: str) -> dict[str, Any]:
        """Take the step; the event that tells of it."""
        extra = _STEPS[step](self)
        visitor = self._visitor
        fields = {
            "event_id": _uuid(self._random),
            "event_type": step,
            "app_id": visitor.device.app_id,
            "platform": visitor.device.platform,
            "user_id": visitor.user_id,
            "anonymous_id": visitor.anonymous_id,
            "session_id": self._id,
            "page_url": self._url,
            "page_title": self._title,
            "referrer": self._referrer,
            "user_agent": visitor.device.user_agent,
            "ip": visitor.ip,
            "headers": {"cloudfront-viewer-country": visitor.place.country},
            "locale": visitor.place.locale,
            **extra,
        }
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def _url(self) -> str:
        return f"{SITE}{self._path}{self._query}"

    def _go(self, path: str, title: str, query: str = "") -> None:
        self._referrer = self._url
        self._path, self._title, self._query = path, title, query

    def view(self) -> dict[str, Any]:
        if self._landing:
            self._landing = False
        elif self._random.random() < 0.55:
            product = self._looking_at = audience.PRODUCTS.pick(self._random)
            self._go(product.path, product.name)
            return {"properties": {"sku": product.sku, "category": product.category}}
        else:
            self._go(*audience.PAGES.pick(self._random))
        return {"properties": {"viewport": "390x844" if self._visitor.device.moves else "1440x900"}}

    def click(self) -> dict[str, Any]:
        return {"properties": {"target": audience.TARGETS.pick(self._random), "x": self._random.randrange(1440)}}

    def scroll(self) -> dict[str, Any]:
        return {"properties": {"depth_percent": 25 * self._random.randrange(1, 5)}}

    def search(self) -> dict[str, Any]:
        words = audience.SEARCHES.pick(self._random)
        self._go("/search", f"Search: {words}", f"?q={quote(words)}")
        return {"properties": {"query": words, "results": self._random.randrange(40)}}

    def add_to_cart(self) -> dict[str, Any]:
        product = self._looking_at or audience.PRODUCTS.pick(self._random)
        self._cart.append(product)
        return self._money(product.price, {"sku": product.sku, "quantity": 1})

    def begin_checkout(self) -> dict[str, Any]:
        self._go("/checkout", "Checkout")
        return self._money(self._total, {"items": len(self._cart)})

    def purchase(self) -> dict[str, Any]:
        total, skus = self._total, [product.sku for product in self._cart]
        self._go("/checkout/thank-you", "Thank you")
        self._cart = []
        return self._money(total, {"order_id": f"O-{self._random.randrange(10**8):08}", "skus": skus})

    def sign_up(self) -> dict[str, Any]:
        return {"properties": {"method": "email" if self._random.random() < 0.7 else "apple"}}

    @property
    def _total(self) -> float:
        return sum(product.price for product in self._cart)

    def _money(self, value: float, properties: dict[str, Any]) -> dict[str, Any]:
        place = self._visitor.place
        return {"value": round(value * place.price, 2), "currency": place.currency, "properties": properties}


_STEPS: dict[str, Callable[[_Session], dict[str, Any]]] = {
    "page_view": _Session.view,
    "click": _Session.click,
    "scroll": _Session.scroll,
    "search": _Session.search,
    "add_to_cart": _Session.add_to_cart,
    "begin_checkout": _Session.begin_checkout,
    "purchase": _Session.purchase,
    "sign_up": _Session.sign_up,
}


def _landing_query(random: Random, source: Source) -> str:
    return "?" + source.query.replace("{click}", f"{random.getrandbits(128):032x}") if source.query else ""
