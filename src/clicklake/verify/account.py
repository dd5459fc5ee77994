"""A ledger row as a frozen value, and whether its sums hold. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from clicklake.lake import LedgerRow
from clicklake.transform.event import FAILURE_TYPES
from clicklake.transform.keys import Place


@dataclass(frozen=True, slots=True)
class Output:
    """What the row says about an object: its rows and its size in bytes; `sha256`, in hex, of a processed one only."""

    key: str
    rows: int
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Makers:
    """What rows depend on besides the raw object: columns of the ledger, NULL as None."""

    processor_version: str
    contract_sha256: str
    user_agent_rules: str | None
    geo_database: str | None
    user_key_id: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one raw object: numbers of records; `received` is the time in its name, UTC."""

    raw_key: str
    received: datetime
    records_in: int
    good: int
    duplicate: int
    failed: int
    by_type: dict[str, int]
    bytes_in: int
    processed: Output | None
    rejected: Output | None
    content_sha256: str
    makers: Makers

    @property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(output for output in (self.processed, self.rejected) if output)


def account_of(row: LedgerRow) -> Account | None:
    """None if it is no row of the ledger."""
    try:
        return _account(row)
    except (KeyError, TypeError, ValueError):
        return None


def _account(row: LedgerRow) -> Account:
    numbers = ("records_in", "good", "duplicate", "failed")
    return Account(
        raw_key=str(row["raw_key"]),
        received=datetime.fromisoformat(row["received_ts"]).replace(tzinfo=UTC),
        **{name: int(row[name]) for name in numbers},
        by_type={kind: int(row[f"failed_{kind}"]) for kind in FAILURE_TYPES},
        bytes_in=int(row["bytes_in"]),
        processed=_output(row, "processed", row.get("file_sha256")),
        rejected=_output(row, "failed", None),
        content_sha256=str(row["content_sha256"]),
        makers=Makers(
            str(row["processor_version"]),
            str(row["contract_sha256"]),
            row.get("user_agent_rules"),
            row.get("geo_database"),
            row.get("user_key_id"),
        ),
    )


def _output(row: LedgerRow, of: str, sha256: str | None) -> Output | None:
    key = row.get(f"{of}_key")
    return Output(key, int(row[f"{of}_rows"]), int(row[f"{of}_bytes"]), sha256) if key else None


def problems(account: Account, where: Place) -> list[str]:
    """What of the row can't be, in the words of a finding; `where` is the place of the raw object."""
    found = account.good + account.duplicate + account.failed
    of_types = sum(account.by_type.values())
    rows = [output.rows if output else 0 for output in (account.processed, account.rejected)]
    wrong = {
        f"it is about {account.raw_key}": account.raw_key != where.raw_key,
        f"good + duplicate + failed are {found} of records_in {account.records_in}": found != account.records_in,
        f"{of_types} of {account.failed} failed records have a type": of_types != account.failed,
        f"processed_rows are {rows[0]}, good {account.good}": rows[0] != account.good,
        f"failed_rows are {rows[1]}, failed {account.failed}": rows[1] != account.failed,
    }
    strangers = [output.key for output in account.outputs if output.key not in outputs_of(where)]
    return [text for text, holds in wrong.items() if holds] + [f"{key} is not its output" for key in strangers]


def outputs_of(where: Place) -> tuple[str, ...]:
    """Every key but the ledger's that a run may write."""
    return (*where.processed.values(), where.failed)
