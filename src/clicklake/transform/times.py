"""Times as epoch milliseconds in UTC, which is how they travel through the transform.

Years 1 to 9999, as in Athena's timestamps and Python's.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
EARLIEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
LATEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
DAY = 86_400_000

_HOUR, _MINUTE = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
# ISO 8601, extended format, as RFC 3339 profiles it; without an offset it is UTC. The pattern, not the Python version,
# decides what is a time: fromisoformat reads more forms in newer Pythons.
_ISO = re.compile(
    rf"\d{{4}}-\d{{2}}-\d{{2}}"
    rf"(?:[T ]{_HOUR}:{_MINUTE}(?::{_MINUTE}(?:[.,]\d{{1,9}})?)?(?:Z|[+-]{_HOUR}:?{_MINUTE})?)?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{9,17}(?:\.\d{1,9})?", re.ASCII)
# The unit of an epoch number by its size: seconds until the year 5138, and so on.
_UNITS = ((1e11, 1000, 1), (1e14, 1, 1), (1e17, 1, 1000))


def parse_time(value: object) -> int | None:
    """Epoch ms of ISO 8601 text, of an epoch number in s, ms or us, or of text that holds such a number; else None."""
    if type(value) is str:
        # Measured: what browsers send (2025-11-26T10:15:00.123Z), whose seconds repeat from event to event.
        if len(value) == 24 and value[19] == "." and value[23] == "Z":
            second, ms = _second(value[:19]), value[20:23]
            if second is not None and ms.isdecimal() and ms.isascii():
                return second + int(ms)
        if _ISO.fullmatch(value):
            return _iso(value)
        return _number(float(value)) if _NUMBER.fullmatch(value) else None
    return _number(value) if type(value) in (int, float) else None  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _second(text: str) -> int | None:
    return _iso(text) if _ISO.fullmatch(text) else None


def _iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        ms = (moment - _EPOCH) // _MILLISECOND
    except (ValueError, OverflowError):
        return None
    return ms if EARLIEST <= ms <= LATEST else None


def _number(value: float) -> int | None:
    if value < 0:
        return None
    for below, times, by in _UNITS:
        if value < below:
            return int(value * times // by)
    return None


def timestamp_text(ms: int) -> str:
    """`yyyy-MM-dd HH:mm:ss.SSS`, the form that Athena's JSON SerDe reads as a timestamp:
    docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
    """
    seconds, rest = divmod(ms, 1000)
    return f"{_second_text(seconds)}.{rest:03}"


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(" ")


@lru_cache(maxsize=4096)
def date_text(day: int) -> str:
    """`yyyy-MM-dd` of days since 1970-01-01."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()
