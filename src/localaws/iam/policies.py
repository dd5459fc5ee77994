"""What a policy says of a request: one evaluator for those of buckets, functions, queues, users and roles. Pure.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html. A policy without principals is an identity's,
and about whoever has it.

Not done: the condition keys of VPCs, organisations and tags (but S3's own), which no request here has.
"""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from localaws.iam.conditions import Context, expanded, holds, like

Document = Mapping[str, Any]
Effect = Literal["Allow", "Deny"]

_ROLE_SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.*")
_WITH_VARIABLES = "2012-10-17"


@dataclass(frozen=True, slots=True)
class Ask:
    """One permission that a request needs. `principals`: by AWS's kinds ("AWS", "Service" ...) what a policy may call
    who asks."""

    action: str
    resource: str
    context: Context
    principals: Mapping[str, frozenset[str]] = field(default_factory=dict)


def role_of(arn: str) -> str:
    """The role's ARN of a session's, without the role's path, which a session does not tell; any other ARN as it is."""
    session = _ROLE_SESSION.fullmatch(arn)
    return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else arn


def names_of(arn: str, account: str) -> frozenset[str]:
    """What a Principal of the kind "AWS" may call a caller, "*" aside; nobody ("") has no name."""
    return frozenset({account, f"arn:aws:iam::{account}:root", arn, role_of(arn)}) if account else frozenset()


@functools.lru_cache(maxsize=1024)
def parsed(text: str) -> Document:
    """A policy that was checked when it was put."""
    policy: Document = json.loads(text)
    return policy


def verdict(policy: Document, ask: Ask) -> Effect | None:
    """ "Deny" before "Allow"; None if no statement is about the request."""
    has_variables = policy.get("Version") == _WITH_VARIABLES
    effects = {statement["Effect"] for statement in statements(policy) if _is_about(statement, ask, has_variables)}
    return "Deny" if "Deny" in effects else "Allow" if effects else None


def statements(policy: Document) -> list[Any]:
    found = policy["Statement"]
    return found if isinstance(found, list) else [found]


def texts(value: object) -> list[str]:
    """One or a list of texts; numbers and booleans, which conditions may have, as texts. ValueError for others."""
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str | bool | int | float) for text in found):
        raise ValueError("no text")
    return [str(text).lower() if isinstance(text, bool) else str(text) for text in found]


def principals(principal: object) -> Iterator[tuple[str, str]]:
    """(kind, name) of each."""
    if isinstance(principal, dict):
        yield from ((kind, text) for kind, found in principal.items() for text in texts(found))
    else:
        yield "AWS", str(principal)


def tests(statement: Document) -> Iterator[tuple[str, str, list[str]]]:
    """(operator, condition key, values) of each."""
    for operator, found in statement.get("Condition", {}).items():
        yield from ((operator, key, texts(values)) for key, values in found.items())


def _is_about(statement: Document, ask: Ask, has_variables: bool) -> bool:
    return (
        _is_meant(statement, ask)
        and _fits(statement, "Action", lambda text: like(text.lower(), ask.action.lower()))
        and _fits(statement, "Resource", lambda text: _is_resource(text, ask, has_variables))
        and all(_holds(ask.context, *test, has_variables) for test in tests(statement))
    )


def _fits(statement: Document, name: str, fits: Callable[[str], bool]) -> bool:
    """A role's trust policy has no resource: it is the role's."""
    if name in statement:
        return any(map(fits, texts(statement[name])))
    return f"Not{name}" not in statement or not any(map(fits, texts(statement[f"Not{name}"])))


def _is_resource(text: str, ask: Ask, has_variables: bool) -> bool:
    pattern = expanded(text, ask.context) if has_variables else text
    return pattern is not None and like(pattern, ask.resource)


def _holds(context: Context, operator: str, key: str, values: list[str], has_variables: bool) -> bool:
    if not has_variables:
        return holds(context, operator, key, values)
    wanted = [text for value in values if (text := expanded(value, context)) is not None]
    return bool(wanted) and holds(context, operator, key, wanted)


def _is_meant(statement: Document, ask: Ask) -> bool:
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return True
    name = "Principal" if "Principal" in statement else "NotPrincipal"
    is_one = any(_names(kind, text, ask) for kind, text in principals(statement[name]))
    return is_one == (name == "Principal")


def _names(kind: str, text: str, ask: Ask) -> bool:
    return (kind == "AWS" and text == "*") or text in ask.principals.get(kind, ())
