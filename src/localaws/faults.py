"""Faults on purpose, for tests: events that come twice, late and out of order, and S3 writes that fail.

Off unless CLICKLAKE_FAULTS is set when the endpoint starts, to a JSON object of `Faults`'s fields:

    CLICKLAKE_FAULTS='{"seed": 7, "duplicate": 0.1, "delay": 0.2, "reorder": 0.2, "s3_write_errors": 0.05}'

runtime.py then hands the services these in place of the real ones; without it none of this is in anybody's way. All of
it is what AWS says may happen: notifications "at least once" and in no order
(docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html), and 500s and 503s of S3, after which the write
may have been done or not.
"""

import dataclasses
import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from localaws.errors import AwsError, StartError
from localaws.store import Queue, Store
from localaws.wire import Handler, Request, Response

log = logging.getLogger("localaws.faults")

VARIABLE = "CLICKLAKE_FAULTS"
_WRITES = frozenset({"PUT", "POST", "DELETE"})

PutObject = Callable[..., str]


@dataclasses.dataclass(frozen=True, slots=True)
class Faults:
    """Shares from 0 to 1. The same `seed` gives the same faults for the same order of calls, so each start of an
    endpoint that is killed again and again wants its own.

    `duplicate` of the events are told a second time, up to `delay_seconds` later; `delay` of them are told up to
    `delay_seconds` late; `reorder` of them wait up to `reorder_seconds`, in which others overtake them.
    `s3_write_errors` of the writes of objects fail, half of them after they were done.
    """

    seed: int = 0
    duplicate: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 2.0
    reorder: float = 0.0
    reorder_seconds: float = 0.2
    s3_write_errors: float = 0.0

    def pauses(self, chance: random.Random) -> Iterator[float]:
        """When an event is told, in seconds from now: once for each time that it is."""
        first = 0.0
        if chance.random() < self.delay:
            first = chance.uniform(0, self.delay_seconds)
        elif chance.random() < self.reorder:
            first = chance.uniform(0, self.reorder_seconds)
        yield first
        if chance.random() < self.duplicate:
            yield first + chance.uniform(0, self.delay_seconds)


NONE = Faults()


def faults_of(environment: Mapping[str, str]) -> Faults:
    """What CLICKLAKE_FAULTS asks for, `NONE` if it is not set. Raises StartError."""
    text = environment.get(VARIABLE, "")
    if not text:
        return NONE
    try:
        faults = Faults(**json.loads(text))
        shares = (faults.duplicate, faults.delay, faults.reorder, faults.s3_write_errors)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError("a share is from 0 to 1")
    except (TypeError, ValueError) as e:
        fields = ", ".join(field.name for field in dataclasses.fields(Faults))
        raise StartError(f"{VARIABLE} can't be read ({e})", f"give a JSON object of {fields}, or unset it") from e
    log.warning("faults on purpose (%s): %s", VARIABLE, faults)
    return faults


def possibly_disordered(faults: Faults, store: Store, clock: Callable[[], float], name: str) -> Queue:
    """The queue of that name."""
    return Queue(store, name) if faults == NONE else DisorderedQueue(faults, store, clock, name)


def failing_writes(faults: Faults, handler: Handler, put_object: PutObject) -> tuple[Handler, PutObject]:
    """S3's two ways in, for clients and for services: as they are, if no write shall fail."""
    if not faults.s3_write_errors:
        return handler, put_object
    failing = FailingWrites(faults)
    return failing.handler(handler), failing.put_object(put_object)


class DisorderedQueue(Queue):
    """A queue whose items are taken late, twice or out of order; as durable as any."""

    def __init__(self, faults: Faults, store: Store, clock: Callable[[], float], name: str) -> None:
        super().__init__(store, name)
        self._faults = faults
        self._clock = clock
        self._chance = random.Random(faults.seed)  # noqa: S311 - to be repeated, not to be secret

    def put(self, body: dict[str, Any], due: float = 0.0) -> None:
        for pause in self._faults.pauses(self._chance):
            super().put(body, max(due, self._clock() + pause) if pause else due)


class FailingWrites:
    """S3's writes of objects, some of which fail: before they are done, or after."""

    def __init__(self, faults: Faults) -> None:
        self._share = faults.s3_write_errors
        self._chance = random.Random(faults.seed)  # noqa: S311 - to be repeated, not to be secret

    def handler(self, handle: Handler) -> Handler:
        """S3's own, for what comes over the wire."""

        async def handle_or_fail(request: Request) -> Response:
            if not _writes_an_object(request):
                return await handle(request)
            with self._maybe_failing():
                return await handle(request)

        return handle_or_fail

    def put_object(self, put: PutObject) -> PutObject:
        """S3's own, for the services."""

        def put_or_fail(*arguments: Any, **more: Any) -> str:
            with self._maybe_failing():
                return put(*arguments, **more)

        return put_or_fail

    @contextmanager
    def _maybe_failing(self) -> Iterator[None]:
        drawn = self._chance.random()
        if drawn < self._share / 2:
            raise AwsError("SlowDown", "Please reduce your request rate.", 503)
        yield
        if drawn < self._share:
            raise AwsError("InternalError", "We encountered an internal error. Please try again.", 500)


def _writes_an_object(request: Request) -> bool:
    _, _, key = request.path.removeprefix("/").partition("/")
    return request.method in _WRITES and bool(key or request.bucket_host)
