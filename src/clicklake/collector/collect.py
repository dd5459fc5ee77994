"""A request's whole walk but for the waiting: may it send, what does it say, what is added, what is answered. Pure.

collector.collect(request) -> Collected: lines for the stream, and what to answer when they are durable
collector.refused(request, error) -> what to answer instead
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from clicklake.collector import body, newcomer, openapi, visitor
from clicklake.collector.admission import Admission, Headers
from clicklake.collector.anonymise import Anonymiser
from clicklake.collector.dialects import ROUTES, Outcome, Route
from clicklake.collector.event import Batch, Voice, finished, written
from clicklake.collector.request import (
    Answer,
    MethodError,
    NotFoundError,
    Request,
    RequestError,
    TooLargeError,
    refusal,
)
from clicklake.collector.settings import Settings, Site

PREFIX = "/collect"
MOST_LINE_BYTES = 1000 * 1024 - 64  # of a Firehose record, less what the producer may add
_MOST_GROWN_BYTES = 16_000_000
_FEW = 100  # events: what is added to them is no more than a head for each


@dataclass(frozen=True, slots=True)
class Collected:
    """`lines`: of so many events (`count`), each ends in LF. `answer` is the truth once all of them are durable, and
    not before. `failing` of them will be failed records; `unwanted` are those of visitors who ask for privacy, and no
    lines. These numbers and `dialect` are all that may be counted or logged."""

    lines: bytes
    answer: Answer
    count: int = 0
    failing: int = 0
    dialect: str = ""
    unwanted: int = 0


class Collector:
    """`clock`: seconds since 1970. `ids`: new ones for cookies that can't be made of an event's."""

    def __init__(self, settings: Settings, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self.settings = settings
        self._clock, self._ids = clock, ids
        self._admission = Admission(settings)
        self._reader = visitor.Reader(settings)
        self._anonymised = Anonymiser(settings.private_names)
        self.is_proxy = self._reader.is_proxy
        self._exact: dict[str, dict[str, Route]] = {}
        self._open: list[tuple[str, str, dict[str, Route]]] = []  # what stands around a {name}
        for route in (*ROUTES, openapi.route(ROUTES)):
            self._place(route)

    def _place(self, route: Route) -> None:
        start, is_open, rest = route.path.partition("{")
        if is_open:
            self._open.append((start, rest.partition("}")[2], {route.method: route}))
        else:
            self._exact.setdefault(route.path, {})[route.method] = route

    # --- a head alone ------------------------------------------------------------------------------------------------

    def routes(self, request: Request) -> dict[str, Route]:
        """By method. Raises NotFoundError."""
        found = self._exact.get(request.path)
        if found is None:
            path = request.path
            found = next((r for start, end, r in self._open if path.startswith(start) and path.endswith(end)), None)
        if found is None:
            known = ", ".join(sorted({route.path for route in ROUTES}))
            raise NotFoundError("there is nothing at this path", f"events are taken at {known}")
        return found

    def route_of(self, request: Request) -> str:
        """Its path as it is described, which names nobody; empty if there is none."""
        try:
            return next(iter(self.routes(request).values())).path
        except NotFoundError:
            return ""

    def admit(self, request: Request) -> Answer | None:
        """By its head alone: None if the body is to be read, else the answer."""
        try:
            routes = self.routes(request)
            if request.method == "OPTIONS":
                self._admission.check_origin(request)
                return self._to_page(request, self._admission.preflight(request, ", ".join((*routes, "OPTIONS"))))
            self._route(request)
            self._admission.check_origin(request)
            length = request.header("content-length")
            if length.isdecimal() and int(length) > self.settings.max_bytes:
                raise body.too_large(self.settings.max_bytes)
        except RequestError as error:
            return self.refused(request, error)
        return None

    def _route(self, request: Request) -> Route:
        routes = self.routes(request)
        method = "GET" if request.method == "HEAD" and "GET" in routes else request.method
        if method not in routes:
            allowed = ", ".join((*routes, "OPTIONS"))
            raise MethodError(f"this path takes {allowed}", "", (("allow", allowed),))
        return routes[method]

    # --- the whole request -------------------------------------------------------------------------------------------

    def collect(self, request: Request) -> Collected:
        """Raises RequestError; `refused` makes an answer of it."""
        route = self._route(request)
        self._admission.check_origin(request)
        if route.is_public:
            return Collected(b"", self._to_page(request, route.answer(request, Outcome(0, {}))), dialect=route.path)
        self._admission.check_key(request, route.key(request) if route.key else None)
        plain = body.unpacked(request, self.settings.max_bytes)
        request = request if plain is request.body else request.with_body(plain)
        batch = route.read(request)
        site = self._admission.site(request, batch)
        outcome = Outcome(len(batch.events), {n: e.problem for n, e in enumerate(batch.events) if e.problem})
        answer = self._to_page(request, route.answer(request, outcome))
        wants_none = self._reader.asks_for_privacy(request)
        if wants_none and self.settings.consent == "refuse":
            answer = answer.with_headers(self._forgotten(request, batch))
            return Collected(b"", answer, dialect=route.path, unwanted=outcome.count)
        lines, headers = self._lines(request, batch, site, anonymise=wants_none)
        if headers:
            answer = answer.with_headers(headers)
        return Collected(lines, answer, outcome.count, len(outcome.problems), route.path)

    def _forgotten(self, request: Request, batch: Batch) -> Headers:
        """The cookie of a visitor who asks for none."""
        cookie = self.settings.cookie
        return visitor.forget_cookie(request, cookie) if cookie and batch.events else ()

    def refused(self, request: Request, error: RequestError) -> Answer:
        """What the dialect says of that, for pages to read, too."""
        try:
            route = self._route(request)
        except RequestError:
            return self._to_page(request, refusal(error))
        return self._to_page(request, route.refuse(error))

    def _to_page(self, request: Request, answer: Answer) -> Answer:
        headers = self._admission.headers(request)
        return answer.with_headers(headers) if headers else answer

    def _lines(self, request: Request, batch: Batch, site: Site | None, *, anonymise: bool) -> tuple[bytes, Headers]:
        """The events as they go to the stream, and headers for the answer."""
        app_id = site.app_id if site else ""
        if anonymise:
            events = [self._anonymised(event) for event in batch.events]
            ends = _Ends(visitor.additions(self._clock(), app_id, "", "", {}), "", site)
            return _checked(finished(events, ends, ends)), self._forgotten(request, batch)
        reader, agent = self._reader, self._reader.user_agent(request)
        address, kept = reader.address(request), reader.headers(request)
        if batch.is_anonymous:
            address, kept = "", visitor.without_place(kept)
        added = visitor.additions(self._clock(), app_id, address, agent, kept)
        ends = with_id = _Ends(added, "", site)
        cookie = self.settings.cookie
        headers: Headers = ()
        if cookie is not None and batch.is_anonymous:
            headers = self._forgotten(request, batch)
        elif cookie is not None and batch.events:  # an answer without any may be cacheable
            known = visitor.cookie_id(request, cookie) or newcomer.id_of(batch.events, app_id) or self._ids()
            headers = (visitor.set_cookie(request, cookie, known),)
            with_id = _Ends(added, known, site)
        _check_growth(batch, with_id)
        return _checked(finished(batch.events, with_id, ends)), headers


class _Ends(dict[tuple[Voice, str], bytes]):
    """What is added to the lines of each voice and app; written when it is asked for, for most requests have one. An
    app_id that is not the site's is kept under a name of its own, but for the site's key."""

    def __init__(self, added: Mapping[Voice, Mapping[str, Any]], anonymous_id: str, site: Site | None) -> None:
        super().__init__()
        self._added = added
        self._own = {"anonymous_id": anonymous_id} if anonymous_id else {}
        self._known = {"", site.app_id, site.write_key} if site and site.app_id else None

    def __missing__(self, key: tuple[Voice, str]) -> bytes:
        voice, app_id = key
        said = {"client_app_id": app_id} if self._known and app_id not in self._known else {}
        end = self[key] = b",%b\n" % written({**said, **self._added[voice], **self._own})[1:]
        return end


def _check_growth(batch: Batch, ends: _Ends) -> None:
    """What is added to each of a hundred thousand tiny events would fill the memory."""
    count = len(batch.events)
    if count <= _FEW:
        return
    size = sum([len(event.text) for event in batch.events]) + count * len(ends["request", ""])  # which has the most
    if size > _MOST_GROWN_BYTES:
        raise TooLargeError(f"{count:,} events become {size:,} bytes with what is added to each", "send fewer at once")


def _checked(lines: bytes) -> bytes:
    if len(lines) <= MOST_LINE_BYTES:
        return lines
    for place, line in enumerate(lines.split(b"\n")):
        if len(line) >= MOST_LINE_BYTES:
            hint = f"it may have {MOST_LINE_BYTES:,}; keep what is large elsewhere and send its address"
            raise TooLargeError(f"event {place} has {len(line) + 1:,} bytes", hint)
    return lines
