"""Java's date patterns (java.time.format.DateTimeFormatter), as far as partition projection's formats use them."""

import re
from collections.abc import Callable
from datetime import datetime

from localaws.athena.failures import not_supported

_PIECE = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - twelve quotes say no more

# pattern -> (what matches it, how it is written, the field that it tells, its unit)
_LETTERS: dict[str, tuple[str, Callable[[datetime], str], str, str]] = {
    "yyyy": (r"\d{4}", lambda d: f"{d.year:04d}", "year", "YEAR"),
    "uuuu": (r"\d{4}", lambda d: f"{d.year:04d}", "year", "YEAR"),
    "yy": (r"\d{2}", lambda d: f"{d.year % 100:02d}", "short year", "YEAR"),
    "MMM": ("[A-Z][a-z]{2}", lambda d: _MONTHS[d.month - 1], "month name", "MONTH"),
    "MM": (r"\d{2}", lambda d: f"{d.month:02d}", "month", "MONTH"),
    "M": (r"\d{1,2}", lambda d: str(d.month), "month", "MONTH"),
    "dd": (r"\d{2}", lambda d: f"{d.day:02d}", "day", "DAY"),
    "d": (r"\d{1,2}", lambda d: str(d.day), "day", "DAY"),
    "HH": (r"\d{2}", lambda d: f"{d.hour:02d}", "hour", "HOUR"),
    "H": (r"\d{1,2}", lambda d: str(d.hour), "hour", "HOUR"),
    "mm": (r"\d{2}", lambda d: f"{d.minute:02d}", "minute", "MINUTE"),
    "ss": (r"\d{2}", lambda d: f"{d.second:02d}", "second", "SECOND"),
}
_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR")


class JavaDates:
    """Reads and writes moments in one format; `smallest` is the unit of its smallest field."""

    def __init__(self, form: str) -> None:
        self.format = form.strip()
        pieces = [m.group() for m in _PIECE.finditer(self.format)]
        if "".join(pieces) != self.format:
            raise not_supported(f"the date format {self.format}")
        self._writers: list[Callable[[datetime], str]] = []
        self._fields: list[str] = []
        units, pattern = set(), ""
        for piece in pieces:
            if not piece[0].isalpha():
                pattern += re.escape(self._literal(piece))
                continue
            if piece not in _LETTERS:
                raise not_supported(f"{piece} in the date format {self.format}")
            match, write, name, unit = _LETTERS[piece]
            pattern += f"({match})"
            self._writers.append(write)
            self._fields.append(name)
            units.add(unit)
        self._pattern = re.compile(pattern)
        self.smallest = next((u for u in _UNITS if u in units), "YEAR")

    def _literal(self, piece: str) -> str:
        text = (piece[1:-1].replace("''", "'") or "'") if piece[0] == "'" else piece

        def write(_: datetime) -> str:
            return text

        self._writers.append(write)
        return text

    def written(self, moment: datetime) -> str:
        return "".join(write(moment) for write in self._writers)

    def read(self, text: str) -> datetime:
        """ValueError for what isn't of this format."""
        match = self._pattern.fullmatch(text)
        if match is None:
            raise ValueError(text)
        found = {"year": 1970, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
        for name, value in zip(self._fields, match.groups(), strict=True):
            if name == "month name":
                found["month"] = _MONTHS.index(value) + 1
            elif name == "short year":
                found["year"] = 2000 + int(value)
            else:
                found[name] = int(value)
        return datetime(**found)  # type: ignore[arg-type]  # noqa: DTZ001 - all of them are UTC
