"""Prometheus's text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from localaws.metrics.definitions import DEFINITIONS, Definition, Kind
from localaws.metrics.registry import Histogram, Reading

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(readings: Iterable[Reading], histograms: Iterable[Histogram]) -> bytes:
    """Every metric that has a value, in the order of the definitions."""
    values: dict[str, list[Reading]] = {}
    for reading in readings:
        values.setdefault(reading.name, []).append(reading)
    distributions: dict[str, list[Histogram]] = {}
    for histogram in histograms:
        distributions.setdefault(histogram.definition.name, []).append(histogram)
    lines: list[str] = []
    for definition in DEFINITIONS:
        samples = [
            *(_line(definition.name, _pairs(definition, r.labels), r.value) for r in values.get(definition.name, [])),
            *(line for h in distributions.get(definition.name, []) for line in _distribution(h)),
        ]
        lines += [*_head(definition), *samples] if samples else []
    return ("\n".join(lines) + "\n").encode()


def _head(definition: Definition) -> Iterator[str]:
    text = definition.help.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {definition.name} {text}"
    yield f"# TYPE {definition.name} {definition.kind.value}"


def _distribution(histogram: Histogram) -> Iterator[str]:
    """Buckets are cumulative on the wire."""
    assert histogram.definition.kind is Kind.HISTOGRAM
    name, pairs = histogram.definition.name, _pairs(histogram.definition, histogram.labels)
    counts = list(accumulate(histogram.buckets))
    bounds = [*(_number(bound) for bound in histogram.definition.buckets), "+Inf"]
    for bound, count in zip(bounds, counts, strict=True):
        yield _line(f"{name}_bucket", [*pairs, ("le", bound)], count)
    yield _line(f"{name}_sum", pairs, histogram.sum)
    yield _line(f"{name}_count", pairs, counts[-1])


def _pairs(definition: Definition, labels: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(definition.labels, labels, strict=True))


def _line(name: str, pairs: Sequence[tuple[str, str]], value: float) -> str:
    labels = ",".join(f'{label}="{_escaped(text)}"' for label, text in pairs)
    return f"{name}{{{labels}}} {_number(value)}" if labels else f"{name} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))
