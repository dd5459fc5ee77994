"""The recursion guard: how often a function has run in one chain of requests. Pure.

The chain is told by the header X-Amzn-Trace-Id, which the SDK inside a function puts on its calls and which S3's events
and our invocations carry on (docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html, "Tracing header"):

    Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0;Lineage=a87bd80c:1|68fd508a:5

Each part of `Lineage` is a function's hash and how often it has run. "Lambda detects when your function is invoked more
than approximately 16 times in the same chain of requests, and stops it"
(docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html); here it is exactly 16.
"""

import hashlib
import re
from dataclasses import dataclass

from localaws.errors import AwsError

MOST_RUNS = 16

_LINEAGE = re.compile(r"[0-9a-f]{8}:[0-9]{1,9}")
_VALUE = re.compile(r"[\w.:|\-]{1,512}", re.ASCII)
_KEPT = ("Root", "Parent", "Sampled")
# A chain of more functions than this is cut at its beginning, so that the header can't grow without end.
_MOST_FUNCTIONS = 16


@dataclass(frozen=True, slots=True)
class Link:
    """One run of a function. `trace` is the header for what the function itself calls, `runs` counts this run too."""

    trace: str
    runs: int


def link(trace: str, arn: str, root: str) -> Link:
    """The run of the function `arn` that a request with the header `trace` causes; `root` names a chain that begins."""
    fields = _fields(trace)
    runs = _runs(fields.get("Lineage", ""))
    function = hashlib.sha256(arn.encode()).hexdigest()[:8]
    count = runs.pop(function, 0) + 1
    lineage = [*runs.items(), (function, count)][-_MOST_FUNCTIONS:]
    kept = {name: fields[name] for name in _KEPT if name in fields}
    made = {"Root": root, "Sampled": "0"} | kept | {"Lineage": "|".join(f"{name}:{n}" for name, n in lineage)}
    return Link(";".join(f"{name}={value}" for name, value in made.items()), count)


def made_by_a_function(trace: str) -> bool:
    """Whether a function that runs right now may be what waits for the answer."""
    return bool(_runs(_fields(trace).get("Lineage", "")))


def new_root(now: float, unique: str) -> str:
    """`unique`: 24 hexadecimal digits."""
    return f"1-{int(now):08x}-{unique}"


def stopped() -> AwsError:
    text = "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped "
    return AwsError("RecursiveInvocationException", text + "your function's invocation.", 400, Type="User")


def _fields(trace: str) -> dict[str, str]:
    pairs = (part.strip().partition("=") for part in trace.split(";"))
    return {name: value for name, _, value in pairs if _VALUE.fullmatch(value)}


def _runs(lineage: str) -> dict[str, int]:
    parts = (part.partition(":") for part in lineage.split("|") if _LINEAGE.fullmatch(part))
    return {name: int(count) for name, _, count in parts}
