"""What a repair does: partitions as the table says, then raw objects through the function again.

Partitions first and here, for a worker of the function that lives remembers which ones it has registered. Nothing is
removed, but for what the function's own run removes: outputs of the same raw object that the run does not write.
"""

from dataclasses import dataclass

from clicklake.glue_tables import register, table
from clicklake.lake import Lake
from clicklake.reprocess import Outcome, Processor
from clicklake.target import translated
from clicklake.verify.findings import Finding, Partition
from clicklake.verify.reading import Count


@dataclass(frozen=True, slots=True)
class Plan:
    """To process these raw objects again and register these partitions, because of `findings`, all that there are."""

    findings: tuple[Finding, ...]
    raw_keys: tuple[str, ...]
    partitions: tuple[Partition, ...]

    def __bool__(self) -> bool:
        return bool(self.raw_keys or self.partitions)

    def __str__(self) -> str:
        return f"process {len(self.raw_keys):,} raw objects again and register {len(self.partitions):,} partitions"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was found, and done then; `failed` raw objects with what the function said."""

    findings: tuple[Finding, ...]
    processed: int
    partitions: int
    failed: tuple[Outcome, ...]


def plan(findings: tuple[Finding, ...]) -> Plan:
    raw_keys = dict.fromkeys(finding.raw_key for finding in findings if finding.raw_key)
    partitions = dict.fromkeys(finding.partition for finding in findings if finding.partition)
    return Plan(findings, tuple(raw_keys), tuple(partitions))


def repair(lake: Lake, wanted: Plan, processor: Processor, on_object: Count) -> Repaired:
    glue, database = lake.target.client("glue"), lake.names.database
    with translated():
        tables = {where.table: table(glue, database, where.table) for where in wanted.partitions}
        for where in wanted.partitions:
            register(glue, database, tables[where.table], where.values)
    outcomes = list[Outcome]()
    for outcome in processor.run_all(wanted.raw_keys):
        outcomes.append(outcome)
        on_object(len(outcomes))
    failed = tuple(outcome for outcome in outcomes if outcome.status == "failed")
    return Repaired(wanted.findings, len(outcomes) - len(failed), len(wanted.partitions), failed)
