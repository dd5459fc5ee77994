"""What a verification found, as text for people and as one JSON document for programs. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clicklake.lake import Days
from clicklake.table import counted
from clicklake.verify.findings import Finding
from clicklake.verify.repair import Repaired

VERSION = 1
_SHOWN = 10  # findings of a kind, as text


@dataclass(frozen=True, slots=True)
class Recomputed:
    """`same` objects have the content that the ledger says; `unknown` is why others could not be compared, and how many
    they are."""

    same: int
    findings: tuple[Finding, ...]
    unknown: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """`objects` and `rows` by zone and by table; `records` are the ledger's sums. `pending` are raw keys that a run may
    be at; `expired` is the number of objects that the bucket's lifecycle has removed; `unchecked` says what could not
    be looked at, and why. `repaired` is what was done before this was found."""

    days: Days
    objects: dict[str, int]
    records: dict[str, int]
    rows: dict[str, int]
    findings: tuple[Finding, ...]
    pending: tuple[str, ...]
    expired: int
    unchecked: tuple[str, ...]
    recomputed: int | None
    repaired: Repaired | None = None

    @property
    def balanced(self) -> bool:
        return not self.findings


def document(report: Report, target: str) -> dict[str, Any]:
    """docs/verify.md describes it."""
    days, repaired = report.days, report.repaired
    return {
        "version": VERSION,
        "target": target,
        "from": str(days.first) if days.first else None,
        "to": str(days.last) if days.last else None,
        "balanced": report.balanced,
        "objects": report.objects,
        "records": report.records,
        "rows": report.rows,
        "findings": [_finding(finding) for finding in report.findings],
        "pending": list(report.pending),
        "expired": report.expired,
        "recomputed": report.recomputed,
        "unchecked": list(report.unchecked),
        "repaired": repaired
        and {
            "findings": [_finding(finding) for finding in repaired.findings],
            "processed": repaired.processed,
            "partitions": repaired.partitions,
            "failed": [{"raw_key": each.raw_key, "problem": each.problem} for each in repaired.failed],
        },
    }


def _finding(finding: Finding) -> dict[str, str | None]:
    return {
        "kind": finding.kind,
        "key": finding.key,
        "raw_key": finding.raw_key,
        "expected": finding.expected,
        "found": finding.found,
        "repair": finding.repair,
        "advice": finding.advice,
    }


def lines(report: Report) -> Iterator[str]:
    if report.repaired:
        yield "found"
        yield from _findings(report.repaired.findings)
        yield from _repaired(report.repaired)
    records = report.records
    yield f"days       {report.days}"
    yield "objects    " + ", ".join(f"{zone} {number:,}" for zone, number in report.objects.items())
    sums = "good {good:,} + duplicate {duplicate:,} + failed {failed:,}".format_map(records)
    yield f"records    in {records['in']:,} = {sums}"
    yield "rows       " + ", ".join(f"{table} {number:,}" for table, number in report.rows.items())
    if report.recomputed is not None:
        yield f"recomputed {counted(report.recomputed, 'raw object')} with the content that the ledger says"
    if report.expired:
        yield f"expired    {counted(report.expired, 'object')}, by the bucket's lifecycle"
    if report.pending:
        number = counted(len(report.pending), "raw object")
        yield f"pending    {number} that a run may be at, such as {report.pending[0]}"
    yield from (f"unchecked  {text}" for text in report.unchecked)
    yield from _findings(report.findings)
    yield _verdict(report)


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    of_kind = defaultdict[str, list[Finding]](list)
    for finding in findings:
        of_kind[finding.kind].append(finding)
    for kind, found in of_kind.items():
        yield f"\n{kind} ({len(found):,})"
        for finding in found[:_SHOWN]:
            yield f"  {finding.key}"
            yield f"    expected {finding.expected}; found {finding.found}"
        if len(found) > _SHOWN:
            yield f"  ... and {len(found) - _SHOWN:,} more: --json has all of them"
        yield from (f"  -> {advice}" for advice in dict.fromkeys(finding.advice for finding in found))


def _verdict(report: Report) -> str:
    if report.balanced:
        return "balanced: every record is accounted for"
    mendable = sum(finding.repair is not None for finding in report.findings)
    findings = counted(len(report.findings), "finding")
    return f"\nnot balanced: {findings}, of which a repair mends {mendable:,}"


def _repaired(repaired: Repaired) -> Iterator[str]:
    raw_objects = counted(repaired.processed, "raw object")
    yield f"\nrepaired   {raw_objects} processed again, {counted(repaired.partitions, 'partition')} registered"
    yield from (f"failed     {each.raw_key}: {each.problem}" for each in repaired.failed)
    yield "now"
