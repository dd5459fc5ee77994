"""Object names of a delivery stream: prefix expressions and the name that follows them.

docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html and s3-object-name.html. Pure: the time is an argument, the
arrival of the oldest record in the object, as AWS has it.

Not done, and refused when the stream is created: the namespaces partitionKeyFromQuery and partitionKeyFromLambda.
"""

import re
from collections.abc import Callable
from datetime import datetime

from localaws.errors import AwsError

_EXPRESSION = re.compile(r"!\{(\w+):([^}]*)\}")
_TOKEN = re.compile(r"'(?:[^']|'')*'|([a-zA-Z])\1*|.", re.DOTALL)
DEFAULT = "!{timestamp:yyyy/MM/dd/HH}/"

# java.time.format.DateTimeFormatter's letters. A letter that is not here is refused by name.
_FIELDS: dict[str, Callable[[datetime, int], str]] = {
    "y": lambda t, n: _year(t.year, n),
    "u": lambda t, n: _year(t.year, n),
    "M": lambda t, n: {3: t.strftime("%b"), 4: t.strftime("%B")}.get(n, f"{t.month:0{n}}"),
    "d": lambda t, n: f"{t.day:0{n}}",
    "D": lambda t, n: f"{t.timetuple().tm_yday:0{n}}",
    "H": lambda t, n: f"{t.hour:0{n}}",
    "h": lambda t, n: f"{t.hour % 12 or 12:0{n}}",
    "a": lambda t, _n: "AM" if t.hour < 12 else "PM",
    "m": lambda t, n: f"{t.minute:0{n}}",
    "s": lambda t, n: f"{t.second:0{n}}",
    "S": lambda t, n: f"{t.microsecond:06}"[:n].ljust(n, "0"),
    "E": lambda t, n: t.strftime("%A" if n == 4 else "%a"),
    "Z": lambda t, _n: t.strftime("%z"),
    "X": lambda t, _n: "Z" if not t.utcoffset() else t.strftime("%z"),
}


def _year(year: int, width: int) -> str:
    return f"{year % 100:02}" if width == 2 else f"{year:0{width}}"


def check(prefix: str, *, error_prefix: bool = False) -> None:
    """Refuse what `expand` can't do, before any record depends on it."""
    expand(prefix, datetime(2000, 1, 1), "-", "processing-failed" if error_prefix else None)  # noqa: DTZ001


def expand(prefix: str, time: datetime, random: str, error_type: str | None = None) -> str:
    """The prefix with its expressions filled in; AwsError for one that Firehose does not know."""
    if error_type is None and "!{timestamp:" not in prefix:
        prefix += DEFAULT

    def fill(found: re.Match[str]) -> str:
        match found.groups():
            case ("timestamp", pattern):
                return format_java(time, pattern)
            case ("firehose", "random-string"):
                return random[:11]
            case ("firehose", "error-output-type") if error_type is not None:
                return error_type
        text = f"The prefix expression {found.group()} is not one that localaws can expand"
        raise AwsError("InvalidArgumentException", text)

    return _EXPRESSION.sub(fill, prefix)


def format_java(time: datetime, pattern: str) -> str:
    """`time` by a Java date pattern such as yyyy-MM-dd'T'HH."""
    parts = []
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if token.group(1) is None:
            parts.append("'" if text == "''" else text.strip("'").replace("''", "'"))
        elif text[0] in _FIELDS:
            parts.append(_FIELDS[text[0]](time, len(text)))
        else:
            raise AwsError("InvalidArgumentException", f"The date pattern letter {text[0]!r} is not supported")
    return "".join(parts)


def object_name(stream: str, version: str, time: datetime, random: str, extension: str) -> str:
    return f"{stream}-{version}-{time:%Y-%m-%d-%H-%M-%S}-{random}{extension}"
