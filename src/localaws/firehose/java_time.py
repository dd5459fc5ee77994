"""Times in the words of java.time.format.DateTimeFormatter, which Firehose's prefixes are written in.

docs.oracle.com/javase/8/docs/api/java/time/format/DateTimeFormatter.html, all of its letters, for Locale.US (a week
begins on Sunday, the year's first week holds January 1). Pure. A pattern that Java would not take raises ValueError.

Not done, and refused: `zzzz`, the full name of a time zone, which needs Unicode's tables of names.
"""

import re
from collections.abc import Callable, Container
from datetime import date, datetime, timedelta

Field = Callable[[datetime], str]
_TOKEN = re.compile(r"'((?:[^']|'')*)'|(p*)([a-zA-Z])\3*|[^']", re.DOTALL)
_MINUTE = timedelta(minutes=1)


def format_time(time: datetime, pattern: str) -> str:
    """`time`, which knows its time zone, by a pattern such as yyyy-MM-dd'T'HH."""
    parts, position = [], 0
    for token in _TOKEN.finditer(pattern):
        if token.start() != position:
            break
        position = token.end()
        quoted, pad, letter = token.group(1), token.group(2), token.group(3)
        if quoted is not None:
            parts.append(quoted.replace("''", "'") or "'")
        elif letter:
            parts.append(_field(letter, len(token.group()) - len(pad))(time).rjust(len(pad)))
        elif token.group() in "{}#":
            raise ValueError(f"{token.group()} is reserved")
        elif token.group() not in "[]":  # an optional section; nothing of a time is ever absent
            parts.append(token.group())
    if position != len(pattern):
        raise ValueError("a quotation mark has no partner")
    return "".join(parts)


def _field(letter: str, count: int) -> Field:
    for counts, make in _LETTERS.get(letter, ()):
        if count in counts:
            return make(count)
    raise ValueError(f"{letter * count} is no field of a date pattern")


def _number(value: Callable[[datetime], int]) -> Callable[[int], Field]:
    return lambda count: lambda t: f"{value(t):0{count}}"


def _year(value: Callable[[datetime], int]) -> Callable[[int], Field]:
    """Two letters are the year's last two digits."""
    return lambda count: lambda t: f"{value(t) % 100:02}" if count == 2 else f"{value(t):0{count}}"


def _text(form: str) -> Callable[[int], Field]:
    return lambda _count: lambda t: t.strftime(form)


def _narrow(form: str) -> Callable[[int], Field]:
    return lambda _count: lambda t: t.strftime(form)[0]


def _words(value: Callable[[datetime], str]) -> Callable[[int], Field]:
    return lambda _count: value


def _quarter(t: datetime) -> int:
    return (t.month + 2) // 3


def _weekday(t: datetime) -> int:
    return t.isoweekday() % 7 + 1


def _first_week(year: int) -> date:
    """The Sunday that the year's first week begins with."""
    first = date(year, 1, 1)
    return first - timedelta(days=first.isoweekday() % 7)


def _week_year(t: datetime) -> int:
    return t.year + (t.date() >= _first_week(t.year + 1))


def _week(t: datetime) -> int:
    return (t.date() - _first_week(_week_year(t))).days // 7 + 1


def _week_of_month(t: datetime) -> int:
    return (t.day + t.replace(day=1).isoweekday() % 7 - 1) // 7 + 1


def _nano_of_day(t: datetime) -> int:
    return ((t.hour * 60 + t.minute) * 60 + t.second) * 10**9 + t.microsecond * 1000


def _zone_id(t: datetime) -> str:
    return str(t.tzinfo)


def _zone_name(t: datetime) -> str:
    return t.tzname() or ""


def _minutes(t: datetime) -> int:
    return (t.utcoffset() or timedelta()) // _MINUTE


def _offset(form: str, zero: str) -> Callable[[int], Field]:
    """`form` has {h} and {m}, of two digits, and may have {s}, the minutes if there are any."""

    def write(t: datetime) -> str:
        minutes = _minutes(t)
        hour, minute = divmod(abs(minutes), 60)
        text = form.format(h=f"{hour:02}", m=f"{minute:02}", s=f"{minute:02}" if minute else "")
        return ("-" if minutes < 0 else "+") + text if minutes else zero

    return lambda _count: write


def _localized(t: datetime) -> str:
    minutes = _minutes(t)
    hour, minute = divmod(abs(minutes), 60)
    return "GMT" + (f"{'-' if minutes < 0 else '+'}{hour}" + (f":{minute:02}" if minute else "") if minutes else "")


def _localized_full(t: datetime) -> str:
    return "GMT" + _offset("{h}:{m}", "")(4)(t)


# A letter's forms: for these counts of the letter, this.
_ONE, _TWO, _THREE, _FOUR, _FIVE = (1,), (2,), (3,), (4,), (5,)
_SHORT, _WORD, _LONG = (1, 2), (1, 2, 3), range(1, 20)

_MONTH = ((_SHORT, _number(lambda t: t.month)), (_THREE, _text("%b")), (_FOUR, _text("%B")), (_FIVE, _narrow("%B")))
_QUARTER = (
    (_SHORT, _number(_quarter)),
    (_THREE, _words(lambda t: f"Q{_quarter(t)}")),
    (_FOUR, _words(lambda t: f"{('1st', '2nd', '3rd', '4th')[_quarter(t) - 1]} quarter")),
    (_FIVE, _words(lambda t: str(_quarter(t)))),
)
_DAY_NAME = ((_THREE, _text("%a")), (_FOUR, _text("%A")), (_FIVE, _narrow("%A")))
_PLAIN_YEAR = ((_LONG, _year(lambda t: t.year)),)
_LETTERS: dict[str, tuple[tuple[Container[int], Callable[[int], Field]], ...]] = {
    "G": ((_WORD, _words(lambda _: "AD")), (_FOUR, _words(lambda _: "Anno Domini")), (_FIVE, _words(lambda _: "A"))),
    "u": _PLAIN_YEAR,
    "y": _PLAIN_YEAR,
    "Y": ((_LONG, _year(_week_year)),),
    "M": _MONTH,
    "L": _MONTH,
    "Q": _QUARTER,
    "q": _QUARTER,
    "w": ((_SHORT, _number(_week)),),
    "W": ((_ONE, _number(_week_of_month)),),
    "d": ((_SHORT, _number(lambda t: t.day)),),
    "D": ((_WORD, _number(lambda t: t.timetuple().tm_yday)),),
    "F": ((_ONE, _number(lambda t: (t.day - 1) % 7 + 1)),),
    "E": ((_SHORT, _text("%a")), *_DAY_NAME),
    "e": ((_SHORT, _number(_weekday)), *_DAY_NAME),
    "c": ((_ONE, _number(_weekday)), *_DAY_NAME),
    "a": ((_ONE, _text("%p")),),
    "h": ((_SHORT, _number(lambda t: t.hour % 12 or 12)),),
    "K": ((_SHORT, _number(lambda t: t.hour % 12)),),
    "k": ((_SHORT, _number(lambda t: t.hour or 24)),),
    "H": ((_SHORT, _number(lambda t: t.hour)),),
    "m": ((_SHORT, _number(lambda t: t.minute)),),
    "s": ((_SHORT, _number(lambda t: t.second)),),
    "S": ((range(1, 10), lambda count: lambda t: f"{t.microsecond:06}000"[:count]),),
    "A": ((_LONG, _number(lambda t: _nano_of_day(t) // 10**6)),),
    "n": ((_LONG, _number(lambda t: t.microsecond * 1000)),),
    "N": ((_LONG, _number(_nano_of_day)),),
    "V": ((_TWO, _words(_zone_id)),),
    "z": ((_WORD, _words(_zone_name)),),
    "O": ((_ONE, _words(_localized)), (_FOUR, _words(_localized_full))),
    "X": (
        (_ONE, _offset("{h}{s}", "Z")),
        ((2, 4), _offset("{h}{m}", "Z")),
        ((3, 5), _offset("{h}:{m}", "Z")),
    ),
    "x": (
        (_ONE, _offset("{h}{s}", "+00")),
        ((2, 4), _offset("{h}{m}", "+0000")),
        ((3, 5), _offset("{h}:{m}", "+00:00")),
    ),
    "Z": ((_WORD, _offset("{h}{m}", "+0000")), (_FOUR, _words(_localized_full)), (_FIVE, _offset("{h}:{m}", "Z"))),
}
