"""EventBridge, as far as the events of this endpoint's own services go: which rules want one, and whom they name.

Rules and their patterns are moto's. It would deliver inside of PutEvents, to queues and log groups alone; here targets
are told by events.py, durably. Not done, and refused by name when they are put: other targets than functions, queues
and topics, and what changes the event on its way (Input, InputPath, InputTransformer) or limits trying (RetryPolicy,
DeadLetterConfig). What clients put with PutEvents is moto's, and schedules don't fire.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.errors import AwsError

_TARGETS = frozenset({"lambda", "sqs", "sns"})
_MEMBERS = frozenset({"Id", "Arn", "RoleArn"})


def check_targets(targets: object) -> None:
    """PutTargets. Raises ValidationException."""
    for target in targets if isinstance(targets, list) else ():
        kind = str(target.get("Arn", "")).split(":")[2:3]
        if kind and kind[0] not in _TARGETS:
            raise _refused(f"the target {target['Arn']}: functions, queues and topics can be targets here")
        for name in target.keys() - _MEMBERS:
            raise _refused(f"a target's {name}")


def _refused(what: str) -> AwsError:
    return AwsError("ValidationException", f"localaws does not do {what}")


def targets(bus_arn: str, event: Mapping[str, Any]) -> Iterator[str]:
    """The ARNs that the bus's rules name for the event; each once."""
    told = set()
    for rule in _rules(bus_arn):
        if rule.state == "ENABLED" and rule.event_pattern.matches_event(event):
            told |= {target["Arn"] for target in rule.targets}
    yield from sorted(told)


def names(bus_arn: str, arn: str) -> bool:
    """Whether any rule of the bus has the target."""
    return any(target["Arn"] == arn for rule in _rules(bus_arn) for target in rule.targets)


def _rules(bus_arn: str) -> list[Any]:
    from moto.events.models import events_backends  # it takes half a second, see backend.py

    region, account = bus_arn.split(":")[3:5]
    buses = events_backends[account][region].event_buses
    bus = buses.get(bus_arn.rpartition("/")[2])
    return list(bus.rules.values()) if bus is not None else []
