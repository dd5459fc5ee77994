"""The report of a run, a section of docs/aws-runs.md, and what README may say after it.

section(run) -> Markdown            what was asked, and what of it was so
insert(page, section) -> page       the newest is first
verified(page) -> line              README's: of the newest run on AWS; one on a laptop verifies nothing
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["passed", "failed", "skipped"]

_NEWEST = "<!-- runs, the newest first -->\n"
_ON_AWS = re.compile(
    r"^## (?P<day>\d{4}-\d\d-\d\d) [\d:]+ UTC, AWS (?P<region>[a-z0-9-]+): (?P<passed>\d+ of \d+) checks passed",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """`where` is `AWS eu-central-1` or `laptop`: an account's number is in no report."""

    began: datetime
    where: str
    facts: Sequence[tuple[str, str]]
    checks: Sequence[Check]

    @property
    def passed(self) -> bool:
        return bool(self.checks) and not any(check.outcome == "failed" for check in self.checks)


def section(run: Run) -> str:
    counted = [check for check in run.checks if check.outcome != "skipped"]
    passed = sum(check.outcome == "passed" for check in counted)
    title = f"## {run.began:%Y-%m-%d %H:%M} UTC, {run.where}: {passed} of {len(counted)} checks passed"
    facts = [f"| {name} | {value} |" for name, value in run.facts]
    checks = [f"- {check.outcome}: {check.name} ({check.seconds:.0f} s)" for check in run.checks]
    return "\n".join([title, "| | |", "|---|---|", *facts, "", *checks, ""])


def insert(page: str, newest: str) -> str:
    before, marker, after = page.partition(_NEWEST)
    return f"{before}{_NEWEST}\n{newest}{after if marker else ''}"


def verified(page: str) -> str:
    newest = _ON_AWS.search(page)
    if newest is None:
        return "**Verified on AWS: not yet.**"
    return f"**Verified on AWS: {newest['day']} in {newest['region']}, {newest['passed']} checks passed.**"


def with_verified(readme: str, page: str) -> str:
    return re.sub(r"\*\*Verified on AWS: [^*]+\*\*", verified(page), readme)
