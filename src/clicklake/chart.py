"""A result of two columns as a chart in the terminal: bars of what is counted by name, a line of what goes on in time.

Bars are drawn here: each has its number and its name in full, wide characters too. Lines are plotext's, which is not
part of the light install (`pip install plotext`).
"""

import math
import re
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from typing import Literal

from clicklake import table
from clicklake.errors import UsageError
from clicklake.query import Column, Result

Kind = Literal["bar", "line"]

_ROWS = 16  # of a line chart
_LABELS = 5
_FEWEST = 3  # points of a line, unless one is asked for
_MOST_BARS = 200
_TIMES = {"date", "timestamp", "timestamp with time zone"}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")


class NoPlotextError(UsageError):
    """A line chart needs plotext, which is not installed."""


def lines(result: Result, kind: Kind | None, width: int) -> Iterator[str]:
    """The chart, none of its lines wider than `width`; `kind` None is a line for numbers and times, and bars for names.

    Raises UsageError if it is not two columns of which the second is a number, and NoPlotextError.
    """
    names, values = _columns(result)
    kind = kind or _kind(result)
    yield f"{table.printable(values.name)} by {table.printable(names.name)}"
    if not result.rows:
        yield "no rows"
    elif kind == "bar":
        yield from _bars(result, width)
    else:
        yield from _line(result, width)


def _columns(result: Result) -> tuple[Column, Column]:
    hint = "select a name or a time, and a number"
    if len(result.columns) != 2:
        raise UsageError(f"a chart is of two columns, and the result has {len(result.columns)}", hint)
    names, values = result.columns
    if not values.is_number:
        raise UsageError(f"a chart is of numbers, and {values.name} is {values.type}", hint)
    return names, values


def _kind(result: Result) -> Kind:
    first = result.columns[0]
    named = [row[0] for row in result.rows if row[0] is not None]
    in_time = first.type in _TIMES or (bool(named) and all(_DAY.fullmatch(name) for name in named))
    return "line" if (in_time or first.is_number) and len(result.rows) >= _FEWEST else "bar"


def _number(text: str | None) -> float | None:
    """None for NULL, and for what has no place on an axis."""
    value = math.nan if text is None else float(text)
    return value if math.isfinite(value) else None


# --- bars ------------------------------------------------------------------------------------------------------------


def _bars(result: Result, width: int) -> Iterator[str]:
    """Name, number as Athena has it, bar. Below zero the bar has another face."""
    shown = result.rows[:_MOST_BARS]
    rows = [(table.printable(_text(name)), _text(value), _number(value)) for name, value in shown]
    longest = min(max(table.display_width(name) for name, _, _ in rows), width // 3)
    digits = max(len(text) for _, text, _ in rows)
    room = max(8, width - longest - digits - 4)
    largest = max((abs(number) for _, _, number in rows if number is not None), default=0) or 1
    for name, text, number in rows:
        drawn = table.bar(abs(number or 0) / largest, room)
        drawn = "░" * round(abs(number or 0) / largest * room) if (number or 0) < 0 else drawn
        yield f"{table.pad(name, longest)}  {text:>{digits}}  {drawn}".rstrip()
    if len(result.rows) > len(shown):
        yield f"… and {len(result.rows) - len(shown):,} more rows"


def _text(value: str | None) -> str:
    return "NULL" if value is None else value


# --- a line ----------------------------------------------------------------------------------------------------------


def _line(result: Result, width: int) -> Iterator[str]:
    """From left to right by what the first column says: numbers and times as far apart as they are, names one after the
    other as they come. A row with NULL is left out, and counted."""
    points = [(row[0], y) for row in result.rows if row[0] is not None and (y := _number(row[1])) is not None]
    if points:
        yield from _plotted(*_places(result.columns[0], points), [y for _, y in points], width)
    if missing := len(result.rows) - len(points):
        yield f"({missing:,} of {len(result.rows):,} rows have no place on it: NULL, NaN or Infinity)"


def _places(column: Column, points: list[tuple[str, float]]) -> tuple[list[float], list[str]]:
    """Where on the axis, and what is written there."""
    labels = [table.printable(x) for x, _ in points]
    try:
        if column.is_number:
            return [float(label) for label in labels], labels
        return [datetime.fromisoformat(label.removesuffix(" UTC")).timestamp() for label in labels], labels
    except (ValueError, OverflowError):
        return [float(place) for place in range(len(labels))], labels


def _plotted(places: list[float], labels: list[str], numbers: list[float], width: int) -> Iterator[str]:
    try:
        plotext = import_module("plotext")  # it has no types
    except ImportError as e:
        raise NoPlotextError("a line chart needs plotext", "pip install plotext, or --chart bar") from e
    order = sorted(range(len(places)), key=places.__getitem__)
    figure = plotext.figure
    plotext.terminal.limit(False, False)  # the width is ours: what is on a pipe is of no terminal
    figure.clear()
    figure.plot_size(width, _ROWS)
    figure.theme("colorless")
    signal = figure.signal([places[i] for i in order], [numbers[i] for i in order])
    signal.lines()
    figure.draw(signal)
    fitting = max(2, min(_LABELS, width // (max(map(table.display_width, labels)) + 4)))
    chosen = sorted({round(step * (len(order) - 1) / (fitting - 1)) for step in range(fitting)})
    figure.ruler("x").ticks([places[order[i]] for i in chosen], [labels[order[i]] for i in chosen])
    for line in str(figure.build()).splitlines():
        if plain := _COLOURS.sub("", line).rstrip():
            yield plain


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
