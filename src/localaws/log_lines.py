"""The endpoint's log: one line an event on stderr, as text or as JSON.

A line says what happened to what, never what was in it: no credential, no query string (a signature may be in there),
no header, no body. At level "info" there is a line for every request, from the logger "localaws.access".
"""

import json
import logging
import sys
from datetime import UTC, datetime

FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")


def configure(form: str, level: str) -> None:
    """For the whole process; our own loggers at `level`, all others at "warning" at least."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, _number(level)), force=True)
    logging.getLogger("localaws").setLevel(_number(level))


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Text(logging.Formatter):
    """What was logged begins a line; a traceback follows it."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname.lower()} {record.name}: {_one_line(record.getMessage())}"
        fields = " ".join(f"{name}={_one_line(str(value))}" for name, value in _fields(record).items())
        parts = [f"{line} {fields}".rstrip()]
        parts += [self.formatException(record.exc_info)] if record.exc_info else []
        return "\n".join(parts)


class _Json(logging.Formatter):
    """One object a line: time, level, logger, message, the event's own fields, and `exception` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """Given as `extra={"fields": {...}}`."""
    fields: dict[str, object] = getattr(record, "fields", {})
    return fields


def _one_line(text: str) -> str:
    """A client's text can't begin a line of its own."""
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
