"""What of an outside suite is expected to fail here, and whether that is still so.

A list has one line for each test that fails, `test id  # cause`, sorted by cause and id. It may only shrink: a test
that fails and is not in it is an error, one that is in it and passes is to be taken out (`--update` does), and nothing
is ever put in but by hand, with its cause.
"""

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

_SEPARATOR = "  # "


@dataclass(frozen=True, slots=True)
class Outcome:
    """Test ids as JUnit's XML has them, `package.module.Class::name[parameters]`; a test is in one of the three."""

    passed: Set[str]
    failed: Set[str]
    skipped: Set[str]

    @property
    def run(self) -> int:
        return len(self.passed) + len(self.failed)


def read(path: Path) -> dict[str, str]:
    """Test id -> cause. Raises ValueError for a line without a cause, or one too many."""
    causes: dict[str, str] = {}
    for line in path.read_text().splitlines():
        test, separator, cause = line.partition(_SEPARATOR)
        if not separator or not cause.strip() or test in causes:
            raise ValueError(f"{path.name}: {line!r} is not `test id{_SEPARATOR}cause`, once")
        causes[test] = cause
    return causes


def write(path: Path, causes: Mapping[str, str]) -> None:
    ordered = sorted(causes.items(), key=lambda item: (item[1], item[0]))
    path.write_text("".join(f"{test}{_SEPARATOR}{cause}\n" for test, cause in ordered))


def outcome(junit: Path) -> Outcome:
    """What pytest's `--junitxml` says. A test that breaks while it is cleaned up after has failed, too."""
    passed, failed, skipped = set[str](), set[str](), set[str]()
    for case in ET.parse(junit).iter("testcase"):
        test = f"{case.get('classname')}::{case.get('name')}"
        kinds = {child.tag for child in case}
        where = failed if kinds & {"failure", "error"} else skipped if "skipped" in kinds else passed
        where.add(test)
    return Outcome(passed - failed, failed, skipped)


def judge(suite: str, path: Path, did: Outcome, update: bool) -> bool:
    """Print what became of the suite; whether it is as the list at `path` says. `update`: take out what passes now."""
    expected = read(path)
    new, mended = sorted(did.failed - expected.keys()), sorted(did.passed & expected.keys())
    if update and mended:
        expected = {test: cause for test, cause in expected.items() if test not in mended}
        write(path, expected)
    print(f"{suite}: {len(did.passed)} of {did.run} passed, {len(did.skipped)} skipped")
    for cause, count in Counter(expected[test] for test in did.failed & expected.keys()).most_common():
        print(f"{count:5}  {cause}")
    for test in new:
        print(f"failed, and is not expected to: {test}")
    for test in () if update else mended:
        print(f"passes, take it out of {path.name} (--update): {test}")
    return not new and (update or not mended)
