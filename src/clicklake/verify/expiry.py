"""When S3 removes an object by the bucket's lifecycle rules. Pure.

"Amazon S3 calculates the time by adding the number of days specified in the rule to the object creation time and
rounding up the resulting time to the next day at midnight UTC":
docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html. It may be removed later, never before.

Rules that ask for tags are left out, for neither Firehose nor the function gives an object any.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

Rule = dict[str, Any]  # as GetBucketLifecycleConfiguration has it


def expires(rules: list[Rule], key: str, size: int, created: datetime) -> datetime | None:
    """When an object of this key and size (bytes) that was made then may be gone; None: never."""
    return min((due for rule in rules if (due := _due(rule, created)) and _covers(rule, key, size)), default=None)


def _due(rule: Rule, created: datetime) -> datetime | None:
    expiration = rule.get("Expiration", {})
    if rule["Status"] != "Enabled":
        return None
    if "Days" in expiration:
        return _next_midnight(created + timedelta(days=expiration["Days"]))
    date: datetime | None = expiration.get("Date")
    return date


def _next_midnight(moment: datetime) -> datetime:
    midnight = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == moment else midnight + timedelta(days=1)


def _covers(rule: Rule, key: str, size: int) -> bool:
    asked = rule.get("Filter", {})
    asked = asked.get("And", asked)
    if "Tag" in asked or asked.get("Tags"):
        return False
    prefix = asked.get("Prefix", rule.get("Prefix", ""))
    larger, smaller = asked.get("ObjectSizeGreaterThan"), asked.get("ObjectSizeLessThan")
    fits = (larger is None or size > larger) and (smaller is None or size < smaller)
    return bool(key.startswith(prefix) and fits)
