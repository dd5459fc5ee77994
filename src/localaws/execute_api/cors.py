"""What a browser is told, as the API's CORS configuration has it. Pure.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html: the gateway answers preflights itself, whether
there is a route for OPTIONS or not, adds its headers to every other answer, and ignores those of the integration. An
origin that is not on the list gets its answer without them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from localaws.execute_api.answers import Answer

PREFIX = "access-control-"


@dataclass(frozen=True, slots=True)
class Cors:
    origins: Sequence[str] = ()
    methods: Sequence[str] = ()
    headers: Sequence[str] = ()
    exposed: Sequence[str] = ()
    credentials: bool = False
    max_age: int | None = None


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """ "For the OPTIONS method, your request must contain an origin header and an Access-Control-Request-Method header"
    (the page above)."""
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def applied(answer: Answer, cors: Cors | None, method: str, headers: Mapping[str, str]) -> Answer:
    """The answer to a request with what a browser is told."""
    if cors is None:
        return answer
    kept = tuple((name, value) for name, value in answer.headers if not name.startswith(PREFIX))
    answer = replace(answer, headers=kept)
    if "origin" not in headers:
        return answer
    told = preflight if is_preflight(method, headers) else of_answer
    return answer.plus(told(cors, headers["origin"]))


def preflight(cors: Cors, origin: str) -> dict[str, str]:
    told = _allowed(cors, origin)
    if not told:
        return {}
    lists = {"allow-methods": cors.methods, "allow-headers": cors.headers}
    told |= {PREFIX + name: ",".join(values) for name, values in lists.items() if values}
    if cors.max_age is not None:
        told[PREFIX + "max-age"] = str(cors.max_age)
    return told


def of_answer(cors: Cors, origin: str) -> dict[str, str]:
    told = _allowed(cors, origin)
    if told and cors.exposed:
        told[PREFIX + "expose-headers"] = ",".join(cors.exposed)
    return told


def _allowed(cors: Cors, origin: str) -> dict[str, str]:
    if not any(_fits(allowed, origin) for allowed in cors.origins):
        return {}
    to_all = "*" in cors.origins and not cors.credentials
    told = {PREFIX + "allow-origin": "*" if to_all else origin}
    return told | ({PREFIX + "allow-credentials": "true"} if cors.credentials else {})


def _fits(allowed: str, origin: str) -> bool:
    """`*`, `https://*`, `http://*`, or the very origin."""
    return origin.startswith(allowed[:-1]) if allowed.endswith("*") else origin == allowed
