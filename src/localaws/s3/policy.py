"""Bucket policies: which there may be, and what one says of a request. Pure.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html and, for S3's condition keys,
docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html. What "public" means:
.../access-control-block-public-access.html#access-control-block-public-access-policy-status.

Not done: policy variables, and the keys of VPCs, organisations and principals' tags, which no request here has.
"""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.errors import AwsError
from localaws.s3.accounts import canonical_id
from localaws.s3.policy_conditions import Context, holds, like, operator_of

_LARGEST = 20 * 1024
_VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPALS = ("AWS", "CanonicalUser", "Federated", "Service")
_ROLE_SESSION = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.*")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One permission that a request needs; `arn` and `account` are the caller's, "" for nobody; `service` is a service
    that calls, as principals name it."""

    arn: str
    account: str
    action: str
    resource: str
    context: Context
    service: str = ""


@functools.lru_cache(maxsize=256)
def parsed(text: str) -> Document:
    """A policy that was checked when it was put."""
    policy: Document = json.loads(text)
    return policy


def checked(text: str, bucket: str) -> Document:
    """The policy as a document. Raises MalformedPolicy for what S3 refuses."""
    if len(text) > _LARGEST:
        raise AwsError("PolicyTooLarge", "Policies must be at most 20 KB in size")
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        raise malformed("Policies must be valid JSON and the first byte must be '{'")
    if policy.get("Version", "2008-10-17") not in _VERSIONS:
        raise malformed("The policy must contain a valid version string")
    if not isinstance(policy.get("Statement"), list | dict):
        raise malformed("Missing required field Statement")
    if not _statements(policy):
        raise malformed("Could not parse the policy: Statement is empty!")
    for statement in _statements(policy):
        _check_statement(statement, bucket)
    return policy


def malformed(text: str) -> AwsError:
    return AwsError("MalformedPolicy", text)


def _check_statement(statement: object, bucket: str) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise malformed("Invalid effect in policy")
    for names, what in (("Principal", "principal"), ("Action", "action"), ("Resource", "resource")):
        given = [name for name in (names, f"Not{names}") if name in statement]
        if len(given) != 1:
            raise malformed(f"Missing required field {names}" if not given else f"Policy has invalid {what}")
    _check_principal(statement.get("Principal", statement.get("NotPrincipal")))
    if "NotPrincipal" in statement and statement["Effect"] == "Allow":
        raise malformed("Allow with NotPrincipal is not allowed.")
    for action in _texts(statement.get("Action", statement.get("NotAction"))):
        if action != "*" and not action.lower().startswith("s3:"):
            raise malformed("Policy has invalid action")
    own = re.compile(rf"arn:aws[\w-]*:s3:::{re.escape(bucket)}(/.*)?", re.DOTALL)
    for resource in _texts(statement.get("Resource", statement.get("NotResource"))):
        if not own.fullmatch(resource) and not like(resource.partition("/")[0], f"arn:aws:s3:::{bucket}"):
            raise malformed("Policy has invalid resource")
    _check_conditions(statement.get("Condition", {}))


def _check_principal(principal: object) -> None:
    if principal != "*" and not (isinstance(principal, dict) and all(kind in _PRINCIPALS for kind in principal)):
        raise malformed("Invalid principal in policy")
    for _ in _principals(principal):
        pass


def _check_conditions(conditions: object) -> None:
    if not isinstance(conditions, dict):
        raise malformed("Invalid Condition type")
    for operator, tests in conditions.items():
        if operator_of(operator) is None or not isinstance(tests, dict):
            raise malformed(f"Invalid Condition type : {operator}")
        if not all(_texts(values) for values in tests.values()):
            raise malformed(f"Invalid Condition value : {operator}")


def _texts(value: object) -> list[str]:
    """One or a list of texts; numbers and booleans, which conditions may have, as texts."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str | bool | int | float) for text in texts):
        raise malformed("Policies must be valid JSON and the first byte must be '{'")
    return [str(text).lower() if isinstance(text, bool) else str(text) for text in texts]


def _statements(policy: Document) -> list[Any]:
    statements = policy["Statement"]
    return statements if isinstance(statements, list) else [statements]


# What it says


def verdict(policy: Document, ask: Ask) -> str | None:
    """ "Deny" before "Allow"; None if no statement is about the request."""
    effects = {statement["Effect"] for statement in _statements(policy) if _is_about(statement, ask)}
    return "Deny" if "Deny" in effects else "Allow" if effects else None


def _is_about(statement: Document, ask: Ask) -> bool:
    return (
        _is_meant(statement, ask)
        and _fits(statement, "Action", lambda text: like(text.lower(), ask.action.lower()))
        and _fits(statement, "Resource", lambda text: like(text, ask.resource))
        and all(holds(ask.context, *test) for test in _tests(statement))
    )


def _fits(statement: Document, name: str, fits: Callable[[str], bool]) -> bool:
    if name in statement:
        return any(map(fits, _texts(statement[name])))
    return not any(map(fits, _texts(statement[f"Not{name}"])))


def _is_meant(statement: Document, ask: Ask) -> bool:
    name = "Principal" if "Principal" in statement else "NotPrincipal"
    is_one = any(_names(kind, text, ask) for kind, text in _principals(statement[name]))
    return is_one == (name == "Principal")


def _principals(principal: object) -> Iterator[tuple[str, str]]:
    if isinstance(principal, dict):
        yield from ((kind, text) for kind, texts in principal.items() for text in _texts(texts))
    else:
        yield "AWS", str(principal)


def _names(kind: str, text: str, ask: Ask) -> bool:
    if kind == "CanonicalUser":
        return bool(ask.account) and text == canonical_id(ask.account)
    if kind == "Service":
        return text == ask.service
    if kind != "AWS":
        return False
    session = _ROLE_SESSION.fullmatch(ask.arn)
    role = f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else ask.arn
    own = {ask.account, f"arn:aws:iam::{ask.account}:root", ask.arn, role} if ask.account else set()
    return text == "*" or text in own


def _tests(statement: Document) -> Iterator[tuple[str, str, list[str]]]:
    for operator, tests in statement.get("Condition", {}).items():
        yield from ((operator, key, _texts(values)) for key, values in tests.items())


# Public?

# A statement with one of these is about some, if what it compares with has no wildcard.
_NARROWING = frozenset(
    {
        "aws:sourceip",
        "aws:sourcearn",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:sourceaccount",
        "aws:userid",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    }
)


def is_public(policy: Document) -> bool:
    """Does it allow something to everybody?"""
    for statement in _statements(policy):
        to_all = any(text == "*" for _, text in _principals(statement.get("Principal")))
        if statement["Effect"] == "Allow" and to_all and not any(map(_is_narrow, _tests(statement))):
            return True
    return False


def _is_narrow(test: tuple[str, str, list[str]]) -> bool:
    _, key, values = test
    if key.lower() == "aws:sourceip":
        return not any(value.endswith("/0") for value in values)
    return key.lower() in _NARROWING and not any(c in value for value in values for c in "*?")
