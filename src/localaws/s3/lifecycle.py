"""Lifecycle rules: which there may be. Pure. They are kept and answered, and none is carried out here.

docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html.
"""

from collections.abc import Callable, Iterator
from typing import Any

from localaws.errors import AwsError
from localaws.s3.xml import malformed
from localaws.wire import Parameters

_MOST_RULES = 1000
_LONGEST_ID = 255
_DAY = 86_400
_ACTIONS = frozenset(
    {
        "Expiration",
        "Transitions",
        "NoncurrentVersionExpiration",
        "NoncurrentVersionTransitions",
        "AbortIncompleteMultipartUpload",
    }
)


def checked(document: Parameters, ids: Callable[[], str]) -> Parameters:
    """The rules, every one with an ID."""
    rules = document.get("Rules", ())
    if not 0 < len(rules) <= _MOST_RULES:
        raise malformed()
    named = [{**rule, "ID": rule.get("ID") or ids()} for rule in rules]
    if len({rule["ID"] for rule in named}) < len(named):
        raise AwsError("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    for rule in named:
        _check(rule)
    return {**document, "Rules": named}


def _check(rule: Parameters) -> None:
    if len(rule["ID"]) > _LONGEST_ID:
        raise AwsError("InvalidArgument", f"ID length should not exceed allowed limit of {_LONGEST_ID}")
    if "Filter" in rule and "Prefix" in rule:
        raise malformed()
    if not _ACTIONS & rule.keys():
        raise AwsError("InvalidRequest", "At least one action needs to be specified in a rule")
    if len(rule.get("Filter", {})) > 1:
        raise malformed()
    for what, timing in _timings(rule):
        _check_timing(what, timing)
    marker = rule.get("Expiration", {}).get("ExpiredObjectDeleteMarker")
    if marker is not None and {"Days", "Date"} & rule["Expiration"].keys():
        raise malformed()


def _timings(rule: Parameters) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name of the action, when it is due)"""
    for name in ("Expiration", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in rule:
            yield name, rule[name]
    for name in ("Transitions", "NoncurrentVersionTransitions"):
        yield from ((name, timing) for timing in rule.get(name, ()))


def _check_timing(what: str, timing: dict[str, Any]) -> None:
    days = timing.get("Days", timing.get("NoncurrentDays", timing.get("DaysAfterInitiation")))
    if "Days" in timing and "Date" in timing:
        raise malformed()
    if days is not None and days < (0 if what == "Transitions" else 1):
        kind = "nonnegative" if what == "Transitions" else "positive"
        raise AwsError("InvalidArgument", f"'Days' for {what.removesuffix('s')} action must be a {kind} integer")
    if "Date" in timing and timing["Date"] % _DAY:
        raise AwsError("InvalidArgument", "'Date' must be at midnight GMT")
