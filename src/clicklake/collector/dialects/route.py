"""What a dialect is made of: routes, and how each reads a request and answers it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from clicklake.collector.event import Batch
from clicklake.collector.request import JSON, Answer, Request, RequestError, refusal

MOST_SHOWN = 100  # problems in an answer: Lambda's may have 6 MB, and nobody reads more


@dataclass(frozen=True, slots=True)
class Outcome:
    """All events are durable. `problems`: which of them, by their place, will be failed records, and why."""

    count: int
    problems: Mapping[int, str]

    def shown(self) -> list[dict[str, Any]]:
        """The first problems, as answers have them."""
        return [{"index": place, "message": problem} for place, problem in islice(self.problems.items(), MOST_SHOWN)]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` may have one `{name}`. `read` gets the request with its body unpacked, and raises RequestError. `answer`
    is asked once every event is durable. `is_public`: it tells of the collector, takes no events, and asks for no key.
    `key`: the write key where the dialect has a place of its own for it in a request's head; None where it, or an app
    id, may stand in the body, of which `read` tells.

    For openapi.py: `schemas`, JSON Schema of the body by content type; `parameters` of the query; `statuses` that
    `answer` gives; `answer_schemas` of what it says by status, in `answer_type`."""

    method: str
    path: str
    summary: str
    read: Callable[[Request], Batch]
    answer: Callable[[Request, Outcome], Answer]
    refuse: Callable[[RequestError], Answer] = refusal
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)
    answer_schemas: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    answer_type: str = JSON
    is_public: bool = False
    key: Callable[[Request], str] | None = lambda _: ""
