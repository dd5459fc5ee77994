"""A strict reader of Prometheus's text format 0.0.4: what breaks a rule of the format, or of its naming, is an error.

prometheus.io/docs/instrumenting/exposition_formats, prometheus.io/docs/practices/naming
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_HELP = re.compile(rf"# HELP ({_NAME}) (.+)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}

Labels = tuple[tuple[str, str], ...]


@dataclass
class Family:
    name: str
    help: str
    kind: str = ""
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def value(self, **labels: str) -> float:
        """Of the sample with exactly these labels; of a histogram, its count."""
        name = f"{self.name}_count" if self.kind == "histogram" else self.name
        return self.samples[name, tuple(labels.items())]


def parse(text: str) -> Mapping[str, Family]:
    assert text.endswith("\n")
    families: dict[str, Family] = {}
    current: Family | None = None
    for line in text.splitlines():
        if found := _HELP.fullmatch(line):
            assert found[1] not in families, f"{found[1]} comes twice"
            current = families[found[1]] = Family(found[1], found[2])
        elif found := _TYPE.fullmatch(line):
            assert current is not None
            assert (current.name, current.kind, current.samples) == (found[1], "", {}), line
            current.kind = found[2]
        else:
            assert current is not None, line
            _add_sample(current, line)
    for family in families.values():
        _check(family)
    return families


def _add_sample(family: Family, line: str) -> None:
    found = _SAMPLE.fullmatch(line)
    assert found, line
    suffixes = ("_bucket", "_sum", "_count") if family.kind == "histogram" else ("",)
    assert found[1] in {family.name + suffix for suffix in suffixes}, line
    labels = _labels(found[2] or "")
    assert (found[1], labels) not in family.samples, line
    family.samples[found[1], labels] = float(found[3])


def _labels(text: str) -> Labels:
    pairs, at = [], 0
    while at < len(text):
        found = _LABEL.match(text, at)
        assert found, text
        pairs.append((found[1], re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], found[2])))
        at = found.end()
    assert len({name for name, _ in pairs}) == len(pairs), text
    return tuple(pairs)


def _check(family: Family) -> None:
    assert family.kind, f"{family.name} has no type"
    assert family.samples, f"{family.name} has no sample"
    assert (family.kind == "counter") == family.name.endswith("_total"), family.name
    if family.kind == "counter":
        assert all(value >= 0 for value in family.samples.values()), family.name
    if family.kind == "histogram":
        _check_histogram(family)


def _check_histogram(family: Family) -> None:
    """Buckets are cumulative, in order, and end in +Inf, which is the count."""
    series: dict[Labels, list[tuple[float, float]]] = {}
    for (name, labels), value in family.samples.items():
        if name.endswith("_bucket"):
            series.setdefault(labels[:-1], []).append((float(labels[-1][1]), value))
            assert labels[-1][0] == "le"
    for labels, buckets in series.items():
        assert buckets == sorted(buckets), labels
        assert [count for _, count in buckets] == sorted(count for _, count in buckets), labels
        assert buckets[-1] == (float("inf"), family.samples[f"{family.name}_count", labels])
        assert (f"{family.name}_sum", labels) in family.samples
