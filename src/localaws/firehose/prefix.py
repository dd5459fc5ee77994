"""Object names of a delivery stream: prefix expressions and the name that follows them.

docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html and s3-object-name.html. Pure: the time is an argument, the
arrival of the oldest record in the object in the stream's time zone, as AWS has it for prefix and name.

ErrorOutputPrefix is checked by AWS's rules and then has no use: of Direct PUT to S3 only what is not done here fails.
Not done, and refused when the stream is created: the namespaces partitionKeyFromQuery and partitionKeyFromLambda.
"""

import re
import uuid
from datetime import UTC, datetime

from localaws.errors import AwsError
from localaws.firehose.java_time import format_time

_EXPRESSION = re.compile(r"!\{(\w+):([^}]*)\}")
_ERROR_TYPE = "!{firehose:error-output-type}"
_DEFAULT = "!{timestamp:yyyy/MM/dd/HH}/"
_LONGEST = 512
_RANDOM = 11


def check(prefix: str, error_prefix: str) -> None:
    """Refuse what AWS refuses ("Semantic rules") and what `expand` can't do, before any record depends on it."""
    broken = {
        f"Prefix cannot contain {_ERROR_TYPE}": _ERROR_TYPE in prefix,
        "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions": "!{" in prefix
        and not error_prefix,
        f"ErrorOutputPrefix must contain {_ERROR_TYPE} when it contains expressions": "!{" in error_prefix
        and _ERROR_TYPE not in error_prefix,
        f"Prefix cannot be longer than {_LONGEST} characters when evaluated": _is_long(prefix),
        f"ErrorOutputPrefix cannot be longer than {_LONGEST} characters when evaluated": _is_long(error_prefix),
    }
    for constraint in (text for text, is_broken in broken.items() if is_broken):
        text = f"Ths supplied prefix(es) do not satisfy the following constraint: {constraint}"
        raise AwsError("InvalidArgumentException", text)


def _is_long(prefix: str) -> bool:
    sample = datetime(2000, 9, 30, 23, tzinfo=UTC)
    return len(expand(prefix.replace(_ERROR_TYPE, "format-conversion-failed"), sample, "")) > _LONGEST


def expand(prefix: str, time: datetime, name: str) -> str:
    """The prefix with its expressions filled in. What is random in it follows from the object's `name`, so that a
    second attempt writes the same object. AwsError for an expression that Firehose does not know."""
    if "!{timestamp:" not in prefix:
        prefix += _DEFAULT
    count = 0

    def fill(found: re.Match[str]) -> str:
        nonlocal count
        match found.groups():
            case ("timestamp", pattern):
                return _timestamp(time, pattern)
            case ("firehose", "random-string"):
                count += 1
                return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}/{count}"))[:_RANDOM]
        raise _unknown(found.group())

    expanded = _EXPRESSION.sub(fill, prefix)
    if "!{" in expanded:
        raise _unknown(expanded[expanded.index("!{") :])
    return expanded


def _timestamp(time: datetime, pattern: str) -> str:
    try:
        return format_time(time, pattern)
    except ValueError as e:
        raise AwsError("InvalidArgumentException", f"The timestamp pattern {pattern!r} is not valid: {e}") from e


def _unknown(expression: str) -> AwsError:
    return AwsError(
        "InvalidArgumentException", f"The prefix expression {expression} is not one that localaws can expand"
    )


def object_name(stream: str, version: int, time: datetime, name: str, extension: str) -> str:
    return f"{stream}-{version}-{time:%Y-%m-%d-%H-%M-%S}-{name}{extension}"
