"""An execution carried out, from QUEUED to its end: each kind of statement by who can do it.

What fails says so in Athena's words (failures.py); whatever happens, the execution ends in a final state.
"""

from collections.abc import Callable
from typing import Any

from localaws.athena import ddl, explain, prepared, reuse, writing
from localaws.athena.catalog import Catalog, Document
from localaws.athena.commands import Commands
from localaws.athena.executions import Execution, Executions, athena_error
from localaws.athena.failures import SYSTEM, USER, Cancelled, QueryFailure, not_supported
from localaws.athena.named import as_input
from localaws.athena.outcome import Outcome
from localaws.athena.requests import values
from localaws.athena.result_files import ResultFiles
from localaws.athena.settings import Settings
from localaws.athena.statements import Run, Statement
from localaws.athena.types import VARCHAR, Type
from localaws.athena.views import view
from localaws.athena.workers import Pool, Stopped
from localaws.athena.writes import Task, Writes
from localaws.durable import says_full
from localaws.errors import AwsError

WRITING = {"CREATE_TABLE_AS_SELECT", "INSERT", "UNLOAD"}  # statements whose results are no rows
_FULL = "GENERIC_INTERNAL_ERROR: the disk of the data directory is full"


class Carrier:
    """`now` gives epoch seconds; `ended` is told of every execution that came to its end."""

    def __init__(
        self,
        executions: Executions,
        settings: Settings,
        catalog: Catalog,
        commands: Commands,
        writes: Writes,
        results: ResultFiles,
        pool: Pool,
        now: Callable[[], float],
        ended: Callable[[Document], None],
    ) -> None:
        self._executions = executions
        self._settings = settings
        self._catalog = catalog
        self._commands = commands
        self._writes = writes
        self._results = results
        self._pool = pool
        self._now = now
        self._ended = ended

    def carry_out(self, execution: Execution, statement: Statement) -> None:
        """On a thread of its own."""
        try:
            self._run(execution, statement)
            state, changes = "SUCCEEDED", {}
        except Stopped:
            return  # who stopped it has said so, or the endpoint ends
        except Cancelled as e:
            state, changes = "CANCELLED", {"StateChangeReason": str(e)}
        except QueryFailure as e:
            state, changes = "FAILED", _failed(e.message, e.category)
        except AwsError as e:
            state, changes = "FAILED", _failed(f"{e.code}: {e.message}", USER)
        except Exception as e:
            told = _FULL if says_full(e) else f"GENERIC_INTERNAL_ERROR: {type(e).__name__}: {e}"
            state, changes = "FAILED", _failed(told, SYSTEM)
        execution.note(_times(execution, self._now()))
        self._end(execution, state, changes)

    def cancel(self, execution: Execution, reason: str) -> None:
        """Stop it, wherever it is; nothing, if it has ended."""
        if self._end(execution, "CANCELLED", {"StateChangeReason": reason}):
            self._pool.stop(execution.id)

    def _end(self, execution: Execution, state: str, changes: Document) -> bool:
        entered = self._executions.end(execution, state, changes | {"CompletionDateTime": self._now()})
        if entered:
            self._ended(execution.document)
        return entered

    def _begin(self, execution: Execution) -> bool:
        """QUEUED no longer; False if it has been stopped meanwhile."""
        waited = self._now() - execution.document["Status"]["SubmissionDateTime"]
        execution.note({"QueryQueueTimeInMillis": max(1, round(waited * 1000))})  # PyAthena's tests want some
        return execution.move("RUNNING", {})

    # By kind

    def _run(self, execution: Execution, statement: Statement) -> None:
        if statement.kind == "EXECUTE":
            group, given = execution.document["WorkGroup"], execution.document.get("ExecutionParameters", [])
            statement, execution.parameters = prepared.executed(statement, group, given, self._settings.saved)
            if statement.kind in WRITING:
                execution.document["SubstatementType"] = statement.kind
        if statement.run is Run.QUERY:
            self._query(execution, statement)
        elif statement.run is Run.WRITE:
            self._write(execution, statement)
        elif statement.kind == "EXPLAIN":
            self._explain(execution, statement)
        elif not self._begin(execution):
            raise Stopped
        else:
            self._command(execution, statement)

    def _command(self, execution: Execution, statement: Statement) -> None:
        if statement.kind in prepared.KINDS:
            prepared.keep(statement, execution.document["WorkGroup"], self._settings.saved)
            self._put_lines(execution, Outcome())
            return
        if statement.run is Run.REFUSED:
            raise not_supported(statement.kind.replace("_", " "))
        database = execution.document["QueryExecutionContext"].get("Database", "")
        command = ddl.parse(statement)
        if isinstance(command, ddl.CreateView):
            outcome = self._create_view(execution, command, database)
        else:
            outcome = self._commands.execute(command, database)
        self._put_lines(execution, outcome)

    def _query(self, execution: Execution, statement: Statement) -> None:
        job = self._job(execution, statement.text)
        if self._reuse(execution, statement, job["parameters"]):
            return
        with self._results.rows_of(execution) as rows:
            done = self._pool.run(execution.id, job | {"target": str(rows)}, lambda: self._begin(execution))
            execution.columns = done["columns"]
            execution.note(_read(done["bytes"], done["planning"]))
            self._refuse_too_much(execution, done["bytes"])
            size = self._results.put_rows(execution, rows)
        execution.counted = done["counted"] | {"OutputBytes": size}

    def _reuse(self, execution: Execution, statement: Statement, parameters: list[str]) -> bool:
        """Answer with an earlier result, if that is asked for and there is one."""
        configuration = self._settings.workgroup(execution.document["WorkGroup"])["Configuration"]
        own = configuration.get("ResultConfiguration", {}).get("OutputLocation")
        key = reuse.key(statement, parameters, execution.document, own)
        since = reuse.oldest(execution.document, self._now())
        found = self._executions.latest(key) if key and since is not None else None
        if found is None or found.document["Status"]["CompletionDateTime"] < since or not self._results.find(found):
            execution.key = key
            return False
        if not self._begin(execution):
            raise Stopped
        execution.columns = found.columns
        execution.document["ResultConfiguration"] = found.document["ResultConfiguration"]
        execution.note({"DataScannedInBytes": 0, "ResultReuseInformation": {"ReusedPreviousResult": True}})
        return True

    def _write(self, execution: Execution, statement: Statement) -> None:
        def begin() -> bool:
            return execution.state == "RUNNING" or self._begin(execution)

        def go_on() -> None:
            if not begin():
                raise Stopped

        def ask(job: Document) -> Document:
            done = self._pool.run(execution.id, self._job(execution, job["sql"]) | job, begin)
            self._refuse_too_much(execution, done.get("bytes", 0))
            return done

        write = writing.parse(statement)
        own = execution.document["QueryExecutionContext"].get("Database", "")
        location = execution.document["ResultConfiguration"].get("OutputLocation", "").removesuffix(".csv")  # EXECUTE's
        done = self._writes.carry_out(write, Task(execution.id, own, location, ask, go_on))
        go_on()
        execution.note(_read(done.scanned, done.planning))
        execution.note({"DataManifestLocation": done.manifest} if done.manifest else {})
        execution.columns, execution.rows = [Type("bigint").column_info("rows")], done.rows
        execution.counted = {"OutputRows": done.rows}
        if statement.kind != "UNLOAD":
            self._results.describe(execution)

    def _explain(self, execution: Execution, statement: Statement) -> None:
        sql, validated = explain.requested(statement)
        job = self._job(execution, sql) | {"explain": True}
        done = self._pool.run(execution.id, job, lambda: self._begin(execution))
        valid, plan = Outcome(("Valid",), ("true",)), Outcome(("Query Plan",), tuple(done["lines"]))
        self._put_lines(execution, valid if validated else plan)

    def _create_view(self, execution: Execution, command: ddl.CreateView, own: str) -> Outcome:
        """A worker says what columns the view has; then it is a table of the catalog."""
        database = command.name.database or own
        job = self._job(execution, command.query) | {"database": database}
        described = self._pool.run(execution.id, job, lambda: execution.state == "RUNNING")
        names = [c["Name"].lower() for c in described["columns"]]
        if any(n.startswith("_col") for n in names):
            position = next(i for i, n in enumerate(names, 1) if n.startswith("_col"))
            raise QueryFailure(f"MISSING_COLUMN_NAME: line 1:1: Column name not specified at position {position}")
        twice = next((n for n in names if names.count(n) > 1), "")
        if twice:
            raise QueryFailure(f"DUPLICATE_COLUMN_NAME: line 1:1: Column name '{twice}' specified more than once")
        columns = list(zip(names, described["hive"], described["trino"], strict=True))
        table = view(database, command.name.name, command.query, columns)
        try:
            old = self._catalog.table(database, command.name.name)
        except AwsError:
            self._catalog.create_table(database, table)
            return Outcome()
        if not command.replace or old.get("TableType") != "VIRTUAL_VIEW":
            raise QueryFailure(f"TABLE_ALREADY_EXISTS: line 1:1: Table '{database}.{command.name.name}' already exists")
        self._catalog.update_table(database, as_input(table))
        return Outcome()

    # What they share

    def _job(self, execution: Execution, sql: str) -> Document:
        database = execution.document["QueryExecutionContext"].get("Database", "")
        parameters = execution.parameters or values(execution.document.get("ExecutionParameters", []))
        return {"sql": sql, "database": database, "parameters": parameters}

    def _refuse_too_much(self, execution: Execution, scanned: int) -> None:
        """AWS cancels while it reads, and here it is known afterwards; either way there is no result."""
        configuration = self._settings.workgroup(execution.document["WorkGroup"])["Configuration"]
        if scanned > configuration.get("BytesScannedCutoffPerQuery", scanned):
            raise Cancelled("Bytes scanned limit was exceeded")

    def _put_lines(self, execution: Execution, outcome: Outcome) -> None:
        string: dict[str, Any] = VARCHAR.column_info("")
        changed = {"Type": "string", "Precision": 0, "CaseSensitive": False}
        execution.columns = [string | changed | {"Name": n, "Label": n} for n in outcome.columns]
        execution.note({"DataScannedInBytes": 0})
        self._results.put_lines(execution, outcome.lines)


def _read(scanned: int, planning: float) -> Document:
    """Statistics: bytes, and seconds of planning."""
    return {"DataScannedInBytes": scanned, "QueryPlanningTimeInMillis": round(planning * 1000)}


def _failed(message: str, category: int) -> Document:
    return {"StateChangeReason": message, "AthenaError": athena_error(message, category)}


def _times(execution: Execution, now: float) -> Document:
    total = round((now - execution.document["Status"]["SubmissionDateTime"]) * 1000)
    queued = execution.document["Statistics"]["QueryQueueTimeInMillis"]
    return {
        "EngineExecutionTimeInMillis": total - queued,
        "TotalExecutionTimeInMillis": total,
        "ServicePreProcessingTimeInMillis": 0,
        "ServiceProcessingTimeInMillis": 0,
    }
