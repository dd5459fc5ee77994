"""`clicklake verify`: raw objects against ledger rows, against files in S3, against rows that Athena counts.

    examination.py  the order of it all
    reading.py      what S3, Glue, SQS and Lambda say
    counting.py     what Athena counts
    account.py entries.py           a ledger row; each raw object with its row and its files
    expiry.py       what the bucket's lifecycle has removed
    judging.py partitions.py        what does not balance, as findings.py's findings
    recompute.py    --rebuild: the transform once more, against the ledger
    repair.py       --repair
    report.py       what is printed

What it needs to be allowed is at the end of docs/verify.md, where a test reads it.
"""

from dataclasses import replace

from clicklake.lake import Lake
from clicklake.reprocess import Processor
from clicklake.target import translated
from clicklake.terminal import Progress, Terminal
from clicklake.verify.examination import Examination, Options, Recompute
from clicklake.verify.repair import Plan, plan, repair
from clicklake.verify.report import Report, document, lines

__all__ = ["Options", "Plan", "Recompute", "Report", "document", "lines", "mend", "plan", "verify"]


def verify(lake: Lake, processor: Processor, options: Options, screen: Terminal) -> Report:
    """Raises RefusedError and UnreachableError."""
    with translated():
        return Examination(lake, processor, options, screen).report()


def mend(lake: Lake, processor: Processor, wanted: Plan, options: Options, screen: Terminal) -> Report:
    """Do what `plan` made of a report's findings, and verify once more."""
    progress = Progress(screen, "repairing   ", len(wanted.raw_keys))
    done = repair(lake, wanted, processor, progress)
    progress.close()
    return replace(verify(lake, processor, options, screen), repaired=done)
