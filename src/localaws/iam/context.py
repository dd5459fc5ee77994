"""The condition keys that every request has, whatever its service. Pure.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from localaws.iam.policies import role_of
from localaws.wire import Caller

_KINDS = {"user": "User", "assumed-role": "AssumedRole", "federated-user": "FederatedUser", "root": "Account"}


def of_headers(headers: Mapping[str, str]) -> dict[str, list[str]]:
    """On loopback nobody listens, which is what aws:SecureTransport is about."""
    found = {"aws:securetransport": ["true"], "aws:sourceip": ["127.0.0.1"]}
    for name, key in (("referer", "aws:referer"), ("user-agent", "aws:useragent")):
        if name in headers:
            found[key] = [headers[name]]
    return found


def of_caller(caller: Caller) -> dict[str, list[str]]:
    if not caller.arn:
        return {}
    kind, _, path = caller.arn.rpartition(":")[2].partition("/")
    found = {
        "aws:principalarn": [role_of(caller.arn)],
        "aws:principalaccount": [caller.account],
        "aws:principaltype": [_KINDS.get(kind, "Anonymous")],
        "aws:userid": [caller.user_id],
    }
    return found | ({"aws:username": [path.rpartition("/")[2]]} if kind == "user" else {})


def of_moment(now: float, region: str) -> dict[str, list[str]]:
    """`now` in epoch seconds."""
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"aws:currenttime": [moment], "aws:epochtime": [str(int(now))], "aws:requestedregion": [region]}
