"""Bucket policies: which there may be, and which are public. What one says of a request is iam/policies.py's. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html. What "public" means:
.../access-control-block-public-access.html#access-control-block-public-access-policy-status.
"""

import json
import re

from localaws.errors import AwsError
from localaws.iam import policies
from localaws.iam.conditions import like, operator_of
from localaws.iam.policies import Document

_LARGEST = 20 * 1024
_VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPALS = ("AWS", "CanonicalUser", "Federated", "Service")


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
    if not policies.statements(policy):
        raise malformed("Could not parse the policy: Statement is empty!")
    for statement in policies.statements(policy):
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
    for text in principal.values() if isinstance(principal, dict) else ():
        _texts(text)


def _check_conditions(conditions: object) -> None:
    if not isinstance(conditions, dict):
        raise malformed("Invalid Condition type")
    for operator, tests in conditions.items():
        if operator_of(operator) is None or not isinstance(tests, dict):
            raise malformed(f"Invalid Condition type : {operator}")
        if not all(_texts(values) for values in tests.values()):
            raise malformed(f"Invalid Condition value : {operator}")


def _texts(value: object) -> list[str]:
    try:
        return policies.texts(value)
    except ValueError as e:
        raise malformed("Policies must be valid JSON and the first byte must be '{'") from e


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
    for statement in policies.statements(policy):
        to_all = any(text == "*" for _, text in policies.principals(statement.get("Principal")))
        if statement["Effect"] == "Allow" and to_all and not any(map(_is_narrow, policies.tests(statement))):
            return True
    return False


def _is_narrow(test: tuple[str, str, list[str]]) -> bool:
    _, key, values = test
    if key.lower() == "aws:sourceip":
        return not any(value.endswith("/0") for value in values)
    return key.lower() in _NARROWING and not any(c in value for value in values for c in "*?")
