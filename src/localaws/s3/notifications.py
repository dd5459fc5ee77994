"""S3 event notifications: which configurations a bucket may have, and whom they name for what happened. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html. What is said is
messages.py's, delivery events.py's.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from urllib.parse import unquote_plus

from localaws.errors import AwsError
from localaws.s3.xml import malformed
from localaws.wire import Parameters

# A configuration's member: the member that holds its target, and the ARN's service.
KINDS = {
    "LambdaFunctionConfigurations": ("LambdaFunctionArn", "lambda"),
    "QueueConfigurations": ("QueueArn", "sqs"),
    "TopicConfigurations": ("TopicArn", "sns"),
}
EVENTS = frozenset(
    [
        "s3:ReducedRedundancyLostObject",
        *(f"s3:ObjectCreated:{kind}" for kind in ("*", "Put", "Post", "Copy", "CompleteMultipartUpload")),
        *(f"s3:ObjectRemoved:{kind}" for kind in ("*", "Delete", "DeleteMarkerCreated")),
        *(f"s3:ObjectRestore:{kind}" for kind in ("*", "Post", "Completed", "Delete")),
        "s3:Replication:*",
        "s3:Replication:OperationFailedReplication",
        "s3:Replication:OperationNotTracked",
        "s3:Replication:OperationMissedThreshold",
        "s3:Replication:OperationReplicatedAfterThreshold",
        *(f"s3:LifecycleExpiration:{kind}" for kind in ("*", "Delete", "DeleteMarkerCreated")),
        "s3:LifecycleTransition",
        "s3:IntelligentTiering",
        *(f"s3:ObjectTagging:{kind}" for kind in ("*", "Put", "Delete")),
        "s3:ObjectAcl:Put",
    ]
)
_WIRE_NAMES = {"LambdaFunctionArn": "CloudFunction", "QueueArn": "Queue", "TopicArn": "Topic"}
BRIDGE = "EventBridgeConfiguration"
_ARN = re.compile(r"arn:[\w-]+:(lambda|sqs|sns):[\w-]+:\d{12}:.+")


def checked(configuration: Parameters, ids: Callable[[], str]) -> Parameters:
    """The configuration as it is kept and answered: every entry with an Id, filter names as S3 writes them.

    Raises InvalidArgument or MalformedXML for what S3 refuses.
    """
    kept: Parameters = {}
    for kind, (target, service) in KINDS.items():
        entries = [_entry(entry, target, service, ids) for entry in configuration.get(kind, ())]
        if entries:
            kept[kind] = entries
    if BRIDGE in configuration:
        kept[BRIDGE] = {}
    _refuse_overlaps([entry for kind in KINDS for entry in kept.get(kind, ())])
    return kept


def _entry(entry: Parameters, target: str, service: str, ids: Callable[[], str]) -> Parameters:
    if not entry.get("Events"):
        raise malformed()
    for event in entry["Events"]:
        if event not in EVENTS:
            raise malformed()
    found = _ARN.fullmatch(entry[target])
    if found is None or found[1] != service:
        raise _invalid("The ARN could not be parsed", _WIRE_NAMES[target], entry[target])
    if len(entry.get("Id", "")) > 255:
        raise malformed()
    kept = {"Id": entry.get("Id") or ids(), target: entry[target], "Events": entry["Events"]}
    rules = [_rule(rule) for rule in entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())]
    if max(Counter(rule["Name"] for rule in rules).values(), default=0) > 1:
        raise _invalid("Cannot specify more than one prefix or suffix rule in a filter.", "FilterRule", "")
    return kept | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def _rule(rule: Parameters) -> Parameters:
    name = rule.get("Name", "").capitalize()
    if name not in {"Prefix", "Suffix"}:
        raise _invalid("filter rule name must be either prefix or suffix", "FilterRule.Name", rule.get("Name", ""))
    value = rule.get("Value", "")
    if len(value) > 1024:
        raise _invalid(
            "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation", "FilterRule", value
        )
    return {"Name": name, "Value": value}


def _refuse_overlaps(entries: list[Parameters]) -> None:
    """No object's event may have two targets."""
    if max(Counter(entry["Id"] for entry in entries).values(), default=0) > 1:
        raise _invalid("Configuration Ids must be unique", "Id", "")
    for one, two in combinations(entries, 2):
        events = any(_same_event(a, b) for a in one["Events"] for b in two["Events"])
        (prefix, suffix), (other_prefix, other_suffix) = _filters(one), _filters(two)
        prefixes = prefix.startswith(other_prefix) or other_prefix.startswith(prefix)
        suffixes = suffix.endswith(other_suffix) or other_suffix.endswith(suffix)
        if events and prefixes and suffixes:
            text = (
                "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes "
            )
            raise AwsError("InvalidArgument", text + "are overlapping for the same event type.")


def _same_event(one: str, two: str) -> bool:
    return one == two or any(a.endswith("*") and b.startswith(a[:-1]) for a, b in ((one, two), (two, one)))


def _filters(entry: Parameters) -> tuple[str, str]:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", ())
    values = {rule["Name"]: rule["Value"] for rule in rules}
    return values.get("Prefix", ""), values.get("Suffix", "")


def targets(configuration: Mapping[str, Any]) -> Iterator[str]:
    """The ARN of every target."""
    for kind, (target, _) in KINDS.items():
        yield from (entry[target] for entry in configuration.get(kind, ()))


def names(configuration: Mapping[str, Any], arn: str) -> bool:
    """Whether the configuration has the target; an event bus has no ARN there."""
    return arn in targets(configuration) or (BRIDGE in configuration and arn.split(":")[2] == "events")


def _invalid(problem: str, name: str, value: str) -> AwsError:
    return AwsError("InvalidArgument", problem, 400, ArgumentName=name, ArgumentValue=value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One target of one event. `id` is the configuration's, as it goes into the record."""

    id: str
    arn: str


def deliveries(configuration: Mapping[str, Any], name: str, key: str) -> Iterator[Delivery]:
    """The targets that a bucket's `configuration` names for the event `name`, without "s3:", of an object."""
    for kind, (target, _) in KINDS.items():
        for entry in configuration.get(kind, ()):
            if _wanted(entry["Events"], name) and _passes(entry.get("Filter", {}), key):
                yield Delivery(entry.get("Id", ""), entry[target])


def _wanted(events: list[str], name: str) -> bool:
    happened = f"s3:{name}"
    return any(happened == e or (e.endswith("*") and happened.startswith(e[:-1])) for e in events)


def _passes(filters: Mapping[str, Any], key: str) -> bool:
    return all(_rule_holds(rule, key) for rule in filters.get("Key", {}).get("FilterRules", []))


def _rule_holds(rule: Mapping[str, str], key: str) -> bool:
    """The value may be URL-encoded: AWS wants it so for special characters
    (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html)."""
    test = key.startswith if rule["Name"].lower() == "prefix" else key.endswith
    value = rule.get("Value", "")
    return test(value) or test(unquote_plus(value))
