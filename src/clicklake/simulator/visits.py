"""Visits to the imaginary shop: sessions begin at random moments, and each walks from page to page until it ends.

Everything is drawn from the `Random` that is handed in. Times are epoch seconds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from clicklake.simulator import shop, sources
from clicklake.simulator.audience import Visitor, visitor
from clicklake.simulator.chance import Weighted, exponential, hexadecimal, uuid
from clicklake.simulator.robots import Traffic
from clicklake.simulator.shop import Page, Product
from clicklake.simulator.sources import Arrival

EVENTS_PER_SESSION = 6.2  # what _WALK and _CRAWL amount to; a test holds it
_RETURNING = 0.4
_KNOWN_VISITORS = 5000
_SESSION_ID = hexadecimal(16)
_OF_PRODUCTS = 0.55  # of the pages that are seen

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


Newcomer = Callable[[Random], Visitor]


@dataclass(frozen=True, slots=True)
class Visit:
    """Who it is, by a number, and what truly brought them. With `one_id` all events of the visit have the same id."""

    session_id: str
    visitor: Visitor
    number: int
    arrival: Arrival
    one_id: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at `at` and was first sent at `sent`, the `index`th of its visit; `fields` are the input event's,
    without these two times."""

    at: float
    sent: float
    event_type: str
    fields: dict[str, Any]
    visit: Visit
    index: int

    @property
    def traffic(self) -> Traffic:
        """Who truly made it."""
        return self.visit.visitor.device.traffic


@dataclass(frozen=True, slots=True)
class Habits:
    """How visits are: `offline` is the share of those on moving devices that happened out of reach, earlier. `indexed`
    events tell their place in the visit, as Snowplow's and Segment's do. `one_id` is the share of visits by browsers
    that give all events the same id (snowplow.io/blog/dealing-with-duplicate-event-ids)."""

    offline: float = 0.06
    indexed: bool = False
    one_id: float = 0.0


def sessions(
    random: Random, start: float, events_per_second: float, habits: Habits, newcomer: Newcomer = visitor
) -> Iterator[tuple[float, list[Event]]]:
    """Sessions without end: (when it begins to send, its events), in that order; nothing is sent before it begins.
    Visitors come back."""
    known: list[tuple[int, Visitor]] = []
    number = 0
    began = start
    while True:
        began += exponential(random, EVENTS_PER_SESSION / events_per_second)
        if known and random.random() < _RETURNING:
            who = known[random.randrange(len(known))]
        else:
            number += 1
            who = number, newcomer(random)
            _remember(random, known, who)
        cut_off = who[1].device.moves and random.random() < habits.offline
        delay = 1800 + exponential(random, 4 * 3600) if cut_off else 0.0
        yield began, list(_walk(random, _visit(random, who, habits), habits.indexed, began, delay))


def _remember(random: Random, known: list[tuple[int, Visitor]], new: tuple[int, Visitor]) -> None:
    if len(known) < _KNOWN_VISITORS:
        known.append(new)
    else:
        known[random.randrange(len(known))] = new


def _visit(random: Random, who: tuple[int, Visitor], habits: Habits) -> Visit:
    """Robots follow no links that tell where from, unless the traffic is the plain one."""
    session_id = _SESSION_ID(random)
    lifelike_robot = habits.indexed and who[1].device.traffic != "human"
    arrival = sources.NOWHERE if lifelike_robot else sources.arrive(random)
    one_id = uuid(random) if habits.one_id and random.random() < habits.one_id else None
    return Visit(session_id, who[1], who[0], arrival, one_id)


# --- one session -------------------------------------------------------------------------------------------------


def _walk(random: Random, visit: Visit, indexed: bool, began: float, delay: float) -> Iterator[Event]:
    """From the landing page to the end. With a `delay` the walk was so much earlier, and all is sent at `began`."""
    session = _Session(random, visit)
    human = visit.visitor.device.traffic == "human"
    at, index = began - delay, 0
    step = "page_view"
    while step != "end":
        latency = 0.05 + exponential(random, 0.4)
        fields = session.fields(step)
        if indexed:
            fields["properties"] = {"event_index": index, **fields["properties"]}
        yield Event(at, (began if delay else at) + latency, step, fields, visit, index)
        at += 0.8 + exponential(random, 18) if human else 0.2
        step = (_WALK[step] if human else _CRAWL).pick(random)
        index += 1


class _Session:
    """Where the visitor is, where they came from and what is in the cart."""

    def __init__(self, random: Random, visit: Visit) -> None:
        who = visit.visitor
        self._random = random
        self._place = who.place
        self._language = who.place.language
        self._home = who.home
        self._viewport = "390x844" if who.device.moves else "1440x900"
        self._about = _about(who) | {"session_id": visit.session_id}
        self._one_id = visit.one_id
        self._looking_at: Product | None = None
        self._cart: list[Product] = []
        self._referrer = visit.arrival.referrer
        self._landing = True
        self._enter(self._some_page())
        if visit.arrival.query:
            self._url = f"{self._home}{self._page.path}{visit.arrival.query}"

    def fields(self, step: str) -> dict[str, Any]:
        """Take the step; the event that tells of it."""
        extra = _STEPS[step](self)
        fields = {
            "event_id": self._one_id or uuid(self._random),
            "event_type": step,
            **self._about,
            "page_url": self._url,
            "page_title": self._page.title,
        }
        if self._referrer is not None:
            fields["referrer"] = self._referrer
        return fields | extra

    def _some_page(self) -> Page:
        if self._random.random() < _OF_PRODUCTS:
            product = self._looking_at = shop.product(self._random)
            return shop.product_page(self._random, self._language, product)
        self._looking_at = None
        return shop.other_page(self._random, self._language)

    def _enter(self, page: Page) -> None:
        self._page = page
        self._url = f"{self._home}{page.path}{page.query}"

    def _go(self, page: Page) -> None:
        self._referrer = self._url
        self._enter(page)

    def view(self) -> dict[str, Any]:
        if self._landing:
            self._landing = False
        else:
            self._go(self._some_page())
        product = self._looking_at
        if product is None:
            return {"properties": {"viewport": self._viewport}}
        return {"properties": {"sku": product.sku, "category": product.category}}

    def click(self) -> dict[str, Any]:
        return {"properties": {"target": shop.TARGETS(self._random), "x": self._random.randrange(1440)}}

    def scroll(self) -> dict[str, Any]:
        return {"properties": {"depth_percent": 25 * self._random.randrange(1, 5)}}

    def search(self) -> dict[str, Any]:
        page, words = shop.search_page(self._random, self._language)
        self._go(page)
        return {"properties": {"query": words, "results": self._random.randrange(40)}}

    def add_to_cart(self) -> dict[str, Any]:
        product = self._looking_at or shop.product(self._random)
        self._cart.append(product)
        return self._money(product.price, {"sku": product.sku, "quantity": 1})

    def begin_checkout(self) -> dict[str, Any]:
        self._go(shop.checkout_page(self._language))
        return self._money(self._total, {"items": len(self._cart)})

    def purchase(self) -> dict[str, Any]:
        total, skus = self._total, [product.sku for product in self._cart]
        self._go(shop.thanks_page(self._language))
        self._cart = []
        return self._money(total, {"order_id": f"O-{self._random.randrange(10**8):08}", "skus": skus})

    def sign_up(self) -> dict[str, Any]:
        return {"properties": {"method": "email" if self._random.random() < 0.7 else "apple"}}

    @property
    def _total(self) -> float:
        return sum(product.price for product in self._cart)

    def _money(self, value: float, properties: dict[str, Any]) -> dict[str, Any]:
        place = self._place
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


def _about(who: Visitor) -> dict[str, Any]:
    """What all events of a visitor have in common; what is not known is not sent."""
    fields = {
        "app_id": who.device.app_id,
        "platform": who.device.platform,
        "user_id": who.user_id,
        "anonymous_id": who.anonymous_id,
        "user_agent": who.device.user_agent,
        "ip": who.ip,
        "headers": who.headers or None,
        "locale": who.locale,
    }
    return {name: value for name, value in fields.items() if value is not None}
