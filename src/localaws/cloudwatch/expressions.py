"""Metric math (docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).

Done: + - * / ^, comparisons, AND, OR, arrays, and the functions in the tables below. Not done, and refused by name: the
others (SEARCH, ANOMALY_DETECTION_BAND, SELECT ...), and expressions that make more than one time series.

Two series meet where both have a value; a division by zero has none.
"""

import operator
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from localaws.cloudwatch.functions import FUNCTIONS, OF_MANY, Value, filled, meeting, sure
from localaws.cloudwatch.query import Found
from localaws.errors import AwsError

_TOKEN = re.compile(r'\s*(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z]\w*|&&|\|\||[<>=!]=|[-+*/^()\[\],<>]|"[^"]*")')
# As many values as GetMetricData gives in one answer.
_MOST_TIMES = 100_800

# Each row binds tighter than the one before.
_BINARY: tuple[dict[str, Callable[[float, float], float]], ...] = (
    {"OR": lambda a, b: float(bool(a or b)), "||": lambda a, b: float(bool(a or b))},
    {"AND": lambda a, b: float(bool(a and b)), "&&": lambda a, b: float(bool(a and b))},
    {
        "==": lambda a, b: float(a == b),
        "!=": lambda a, b: float(a != b),
        "<": lambda a, b: float(a < b),
        ">": lambda a, b: float(a > b),
        "<=": lambda a, b: float(a <= b),
        ">=": lambda a, b: float(a >= b),
    },
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": operator.truediv},
    {"^": operator.pow},
)


def evaluate(expressions: Mapping[str, str], found: Mapping[str, Found]) -> dict[str, Found]:
    """Every expression's series by its id. `found`: the metrics that they may name. ValidationError."""
    done: dict[str, Value] = {}
    open_: set[str] = set()

    def named(name: str) -> Value:
        if name in found:
            return found[name]
        if name not in expressions or name in open_:
            raise AwsError("ValidationError", f"Error in expression: '{name}' is no other query's id")
        if name not in done:
            open_.add(name)
            done[name] = _Parser(name, expressions[name], named, found).value()
            open_.discard(name)
        return done[name]

    return {name: _series(name, named(name)) for name in expressions}


def _series(name: str, value: Value) -> Found:
    if isinstance(value, Found):
        return value
    kind = "a scalar" if isinstance(value, float) else "several time series"
    raise AwsError("ValidationError", f"Error in expression '{name}': it makes {kind}, and not one time series")


class _Parser:
    """Reads and computes at once, by descent."""

    def __init__(self, id_: str, text: str, named: Callable[[str], Value], metrics: Mapping[str, Found]) -> None:
        self._id = id_
        self._named = named
        self._metrics = metrics
        self._tokens = self._split(text)
        self._at = 0

    def value(self) -> Value:
        try:
            value = self._binary(0)
        except RecursionError as e:
            raise AwsError("ValidationError", f"Error in expression '{self._id}': nested too deeply") from e
        if self._at < len(self._tokens):
            self._fail(f"unexpected {self._tokens[self._at]!r}")
        return value

    def _split(self, text: str) -> list[str]:
        tokens, at = [], 0
        text = text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                self._fail(f"unexpected {text[at : at + 10].strip()!r}")
            tokens.append(found[0].strip())
            at = found.end()
        return tokens

    def _fail(self, why: str) -> NoReturn:
        raise AwsError("ValidationError", f"Error in expression '{self._id}': {why}")

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> str:
        token = self._next()
        if not token or (wanted and token != wanted):
            self._fail(f"expected {wanted or 'more'}, found {token or 'the end'}")
        self._at += 1
        return token

    def _binary(self, level: int) -> Value:
        if level == len(_BINARY):
            return self._unary()
        left = self._binary(level + 1)
        while self._next() in _BINARY[level]:
            compute = _BINARY[level][self._take()]
            left = self._combined(compute, left, self._binary(level + 1))
        return left

    def _unary(self) -> Value:
        if self._next() == "-":
            self._take()
            return self._combined(operator.mul, -1.0, self._unary())
        return self._primary()

    def _primary(self) -> Value:
        first = self._take()
        if first == "(":
            value = self._binary(0)
            self._take(")")
            return value
        if first == "[":
            return [found for item in self._items("]") for found in self._many(item)]
        if first[0].isdigit() or first[0] == ".":
            return float(first)
        if self._next() == "(":
            self._take()
            return self._call(first.upper())
        if not first[0].islower():
            self._fail(f"unexpected {first!r}")
        return self._named(first)

    def _items(self, end: str) -> list[Value]:
        items: list[Value] = []
        while self._next() != end:
            items.append(self._binary(0))
            if self._next() != end:
                self._take(",")
        self._take(end)
        return items

    def _call(self, name: str) -> Value:
        if name == "METRICS":
            return self._all_metrics()
        if name == "FILL":
            return self._fill()
        if name not in FUNCTIONS and name not in OF_MANY:
            self._fail(f"the function {name} is not supported")
        items = self._items(")")
        try:
            return self._of_many(OF_MANY[name], *items) if name in OF_MANY else FUNCTIONS[name](*items)
        except (TypeError, AttributeError):
            self._fail(f"{name} does not take these arguments")

    def _all_metrics(self) -> Value:
        """METRICS(), or METRICS("a text that is in their ids")."""
        part = self._take().strip('"') if self._next() != ")" else ""
        self._take(")")
        return [found for name, found in self._metrics.items() if part in name]

    def _fill(self) -> Value:
        series = self._binary(0)
        self._take(",")
        with_ = self._take() if self._next() in {"REPEAT", "LINEAR"} else self._binary(0)
        self._take(")")
        if not isinstance(series, Found) or not isinstance(with_, float | str):
            self._fail("FILL takes a time series, and a number, REPEAT or LINEAR")
        if len(series.times) > _MOST_TIMES:
            self._fail(f"FILL of more than {_MOST_TIMES} values")
        return filled(series, with_)

    def _of_many(self, compute: Callable[[list[float]], float], item: Value) -> Value:
        """Of an array: a series over its series. Of one series: a scalar."""
        if isinstance(item, float):
            return item
        if isinstance(item, Found):
            return compute(list(item.values.values())) if item.values else 0.0
        times = sorted({time for found in item for time in found.values})
        values = {time: compute([found.values[time] for found in item if time in found.values]) for time in times}
        return Found(values, item[0].times) if item else self._fail("an empty array")

    def _many(self, item: Value) -> list[Found]:
        if isinstance(item, float):
            self._fail("an array is of time series")
        return [item] if isinstance(item, Found) else item

    def _combined(self, compute: Callable[[float, float], float], left: Value, right: Value) -> Value:
        if isinstance(left, list) or isinstance(right, list):
            self._fail("an operator takes no array")
        if isinstance(left, float) and isinstance(right, float):
            value = sure(compute, left, right)
            return value if value is not None else self._fail("a division by zero")
        return meeting(compute, left, right)
