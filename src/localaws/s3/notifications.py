"""S3 event notifications: which configurations a bucket may have, and what one event says. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
.../notification-how-to-event-types-and-destinations.html. Matching and delivery are events.py's.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from urllib.parse import quote_plus

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
    if "EventBridgeConfiguration" in configuration:
        kept["EventBridgeConfiguration"] = {}
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
        raise _invalid("The ARN could not be parsed", target, entry[target])
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


def targets(configuration: Parameters) -> Iterator[tuple[str, str]]:
    """(member, ARN) of every target."""
    for kind, (target, _) in KINDS.items():
        yield from ((target, entry[target]) for entry in configuration.get(kind, ()))


def _invalid(problem: str, name: str, value: str) -> AwsError:
    return AwsError("InvalidArgument", problem, 400, ArgumentName=name, ArgumentValue=value)


def record(
    name: str, bucket: str, owner: str, region: str, at: float, request_id: str, subject: dict[str, Any]
) -> dict[str, Any]:
    """One event record. `name` without "s3:"; `at` in epoch seconds; `subject`: its "object", key unquoted."""
    moment = datetime.fromtimestamp(at, UTC)
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z",
        "eventName": name,
        "userIdentity": {"principalId": f"AWS:{owner}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": owner}, "arn": f"arn:aws:s3:::{bucket}"},
            # AWS leaves the slashes (github.com/minio/minio/issues/11665 compares)
            "object": {**subject, "key": quote_plus(subject["key"], safe="/")},
        },
    }
