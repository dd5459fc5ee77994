"""Which entries of the journal a replay still needs.

A call is dropped when what it did is undone or overwritten, as far as that can be told from the calls alone:

    overwritten   it set one thing as a whole, and a later call set the same thing
    lived         it is one of a resource's life that began and ended in the journal, and no call meanwhile that stays
                  has the resource's name anywhere in it

What the tables below don't name stays. So the journal grows with what there is, and not with how often
`terraform apply` and `destroy` were run.
"""

import itertools
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.control.call import Call

Entry = dict[str, Any]

# By service and operation: the parameters that say what was set.
_WHOLE = {
    ("iam", "PutRolePolicy"): ("RoleName", "PolicyName"),
    ("iam", "PutUserPolicy"): ("UserName", "PolicyName"),
    ("iam", "PutGroupPolicy"): ("GroupName", "PolicyName"),
    ("iam", "UpdateAssumeRolePolicy"): ("RoleName",),
    ("logs", "PutRetentionPolicy"): ("logGroupName",),
    ("monitoring", "PutDashboard"): ("DashboardName",),
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of resource: the operation that makes one and the parameter that names it there, the operation that
    deletes one, and the parameters that name it everywhere else, as it is or at the end of a URL or an ARN."""

    service: str
    makes: str
    by: str
    deletes: str
    names: tuple[str, ...]


_KINDS = (
    _Kind("iam", "CreateRole", "RoleName", "DeleteRole", ("RoleName",)),
    _Kind("iam", "CreateUser", "UserName", "DeleteUser", ("UserName",)),
    _Kind("iam", "CreateGroup", "GroupName", "DeleteGroup", ("GroupName",)),
    _Kind("iam", "CreatePolicy", "PolicyName", "DeletePolicy", ("PolicyArn",)),
    _Kind("sqs", "CreateQueue", "QueueName", "DeleteQueue", ("QueueUrl",)),
    _Kind("sns", "CreateTopic", "Name", "DeleteTopic", ("TopicArn", "SubscriptionArn", "ResourceArn")),
    _Kind("ssm", "PutParameter", "Name", "DeleteParameter", ("Name", "ResourceId")),
    _Kind("logs", "CreateLogGroup", "logGroupName", "DeleteLogGroup", ("logGroupName",)),
    _Kind("dynamodb", "CreateTable", "TableName", "DeleteTable", ("TableName",)),
)


def needed(entries: Sequence[Entry]) -> list[Entry]:
    """The entries that stay, in their order."""
    calls = [Call.from_entry(entry["call"]) for entry in entries]
    gone = _overwritten(calls)
    gone |= _lived(calls, gone)
    return [entry for number, entry in enumerate(entries) if number not in gone]


def _overwritten(calls: list[Call]) -> set[int]:
    found, later = set(), set()
    for number in range(len(calls) - 1, -1, -1):
        thing = _thing(calls[number])
        if thing is None:
            continue
        if thing in later:
            found.add(number)
        later.add(thing)
    return found


def _thing(call: Call) -> tuple[str, ...] | None:
    """What the call sets as a whole; None if it does not."""
    names = _WHOLE.get((call.service, call.operation))
    if names is None:
        return None
    parameters = call.parameters()
    values = [parameters.get(name) for name in names]
    is_named = all(isinstance(value, str) for value in values)
    return (call.service, call.region, call.operation, *map(str, values)) if is_named else None


@dataclass(slots=True)
class _Life:
    name: str
    calls: list[int]


def _lived(calls: list[Call], gone: set[int]) -> set[int]:
    """The calls of lives that ended. One whose name stands in a call that stays, stays too, as a whole."""
    ended = [life for kind in _KINDS for life in _ended(kind, calls, gone)]
    while True:
        dropped = {number for life in ended for number in life.calls}
        kept = [number for number in range(len(calls)) if number not in gone and number not in dropped]
        texts = [_text(calls[number]) for number in kept]
        ends = list(itertools.accumulate(map(len, texts)))
        whole = b"".join(texts)

        def is_named(life: _Life) -> bool:
            first, last = bisect(kept, life.calls[0]), bisect(kept, life.calls[-1])  # noqa: B023 - called in this round
            begin, end = ends[first - 1] if first else 0, ends[last - 1] if last else 0  # noqa: B023
            return whole.find(life.name.encode(), begin, end) >= 0  # noqa: B023

        staying = [life for life in ended if not is_named(life)]
        if len(staying) == len(ended):
            return dropped
        ended = staying


def _ended(kind: _Kind, calls: list[Call], gone: set[int]) -> Iterator[_Life]:
    living: dict[tuple[str, str], _Life] = {}
    for number, call in enumerate(calls):
        if call.service != kind.service or number in gone:
            continue
        operation, name = _read(kind, call)
        key = (call.region, name)
        if operation == kind.makes and name:
            living.setdefault(key, _Life(name, []))
        if key in living:
            living[key].calls.append(number)
            if operation == kind.deletes:
                yield living.pop(key)


def _read(kind: _Kind, call: Call) -> tuple[str, str]:
    """The operation, and the name of the resource that it is about: "" if that can't be told."""
    parameters = call.parameters()
    if call.operation == kind.makes:
        return call.operation, str(parameters.get(kind.by, ""))
    given = [str(parameters[name]) for name in kind.names if name in parameters]
    return call.operation, _last(given[0]) if len(given) == 1 else ""


def _last(name: str) -> str:
    """Of an ARN the resource, without the path before it or the subscription behind it; of a queue's URL its end."""
    parts = name.split(":")
    resource = parts[5] if parts[0] == "arn" and len(parts) > 5 else name
    return resource.rpartition("/")[2] if resource.startswith(("policy/", "https://", "http://")) else resource


def _text(call: Call) -> bytes:
    return f"{call.path}?{call.query}&".encode() + call.body
