"""Rows as text: aligned for people, CSV for programs. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_GAP = "  "
_NARROWEST = 24  # a column may be cut to this before others are left out
_WIDEST = 60
_NULL = "NULL"
_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")
# A value must not move the cursor, colour the terminal, end the line, or turn around what follows it (Unicode TR 9).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Marks that are drawn over another character, and characters that are not drawn at all.
_NO_WIDTH = {"Mn", "Me", "Cf"}

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))

Row = Sequence[str | None]


def lines(names: Sequence[str], rows: Sequence[Row], numbers: Sequence[bool], width: int) -> Iterator[str]:
    """A header, a rule and the rows, none wider than `width`; `numbers` are aligned to the right.

    Wide columns are cut (…); columns that have no room at all are left out, and the last line names how many.
    """
    if not names:
        return
    cells = [[printable(_NULL if value is None else value) for value in row] for row in rows]
    columns = [_widths(name, [row[i] for row in cells]) for i, name in enumerate(names)]
    shown = _fit(columns, width)
    yield _line([printable(name) for name in names], shown, numbers)
    yield _GAP.join("─" * column for column in shown)
    for row in cells:
        yield _line(row, shown, numbers)
    if len(shown) < len(names):
        yield f"… and {len(names) - len(shown)} more columns"


def _widths(name: str, cells: Iterable[str]) -> int:
    return min(_WIDEST, max([display_width(name), *map(display_width, cells)]))


def _fit(columns: list[int], width: int) -> list[int]:
    """Widths for as many columns, from the left, as fit when each is cut to _NARROWEST at worst."""
    count, used = 0, -len(_GAP)
    for column in columns:
        used += len(_GAP) + min(column, _NARROWEST)
        if used > width and count:
            break
        count += 1
    shown = columns[:count]
    room = width - len(_GAP) * (count - 1)
    while sum(shown) > room and max(shown) > 1:
        widest = shown.index(max(shown))
        shown[widest] -= 1
    return shown


def _line(cells: Sequence[str], widths: Sequence[int], numbers: Sequence[bool]) -> str:
    padded = (pad(cell, width, right=number) for cell, width, number in zip(cells, widths, numbers, strict=False))
    return _GAP.join(padded).rstrip()


def pad(text: str, width: int, *, right: bool = False) -> str:
    """`text` on exactly `width` columns of a terminal, cut with … if it is longer."""
    if display_width(text) > width:
        kept = ""
        for character in text:
            if display_width(kept + character) > width - 1:
                break
            kept += character
        text = kept + "…"
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def display_width(text: str) -> int:
    """Columns of a terminal; East Asian wide characters take two, combining and invisible ones none (Unicode TR 11)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(c) in _NO_WIDTH else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def printable(text: str) -> str:
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1] if found[0] > "\xff" else f"\\x{ord(found[0]):02x}", text)


def short_time(seconds: float) -> str:
    """2s, 5m, 3h, 2d: whole ones, of the largest unit that there is one of."""
    return next((f"{seconds // unit:.0f}{name}" for unit, name in _UNITS if seconds >= unit), f"{seconds:.0f}s")


def csv_lines(names: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """RFC 4180 with LF; NULL is nothing, an empty string is "" (as in Athena's own result files)."""
    if names:
        yield ",".join(map(_csv_cell, names))
    for row in rows:
        yield ",".join(map(_csv_cell, row))


def _csv_cell(value: str | None) -> str:
    if value is None:
        return ""
    if value and not any(c in value for c in ',"\r\n'):
        return value
    return '"' + value.replace('"', '""') + '"'


def bars(rows: Iterable[tuple[str, int]], width: int) -> Iterator[str]:
    """A bar chart: name, bar, number; the longest bar takes what is left of `width`."""
    counts = list(rows)
    if not counts:
        return
    names = max(display_width(name) for name, _ in counts)
    digits = max(len(f"{number:,}") for _, number in counts)
    room = max(10, width - names - digits - 2 * len(_GAP))
    largest = max(1, *(number for _, number in counts))
    for name, number in counts:
        yield f"{pad(name, names)}{_GAP}{number:>{digits},}{_GAP}{bar(number / largest, room)}".rstrip()


def bar(share: float, width: int) -> str:
    """A bar of `share` (0 to 1) of `width`, to an eighth of a character."""
    whole, eighths = divmod(round(share * width * 8), 8)
    return "█" * whole + _EIGHTHS[eighths]


def counted(number: int, what: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
