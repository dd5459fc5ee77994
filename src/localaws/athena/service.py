"""Amazon Athena's API: a query from StartQueryExecution to its results.

StartQueryExecution  ->  durable, QUEUED  ->  a thread takes it (RUNNING)  ->  a worker, or commands.py  ->  the result
file is put into S3  ->  SUCCEEDED, durable. What fails says so in Athena's words. Workgroups, saved statements and the
data catalog are answered by settings.py, saved.py and metadata.py.
"""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from localaws.athena import ddl, explain, prepared, results, reuse, writing
from localaws.athena.catalog import Catalog, Document, Files, PutFile, PutObject, bucket_and_key
from localaws.athena.commands import Commands, Outcome, as_input
from localaws.athena.executions import Execution, Executions, athena_error
from localaws.athena.failures import SYSTEM, USER, Cancelled, QueryFailure, not_supported
from localaws.athena.listing import list_files
from localaws.athena.metadata import Metadata
from localaws.athena.pages import invalid, number_of
from localaws.athena.requests import described, numbered, same, values
from localaws.athena.settings import Settings
from localaws.athena.statements import Run, Statement
from localaws.athena.types import VARCHAR, Type
from localaws.athena.views import view
from localaws.athena.workers import Limits, Pool, Stopped
from localaws.athena.writes import Task, Writes
from localaws.errors import AwsError
from localaws.store import Store
from localaws.wire import Handler, Operation, Parameters, json_service

_WRITING = {"CREATE_TABLE_AS_SELECT", "INSERT", "UNLOAD"}
_QUEUED = 64  # queries that wait for a worker while DDL goes on beside them


class Athena:
    """`catalog`, `files` and `put_object` are the neighbours (catalog.py); `root` is the data directory.

    `workers` queries run at once; each worker process may use `limits`. Nothing is started before `warm()` or the first
    query. `ended` is told of every execution that came to its end, as GetQueryExecution answers it.
    """

    def __init__(
        self,
        store: Store,
        root: Path,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        catalog: Catalog,
        files: Files,
        put_object: PutObject,
        put_file: PutFile,
        otherwise: Handler,
        workers: int = 2,
        limits: Limits | None = None,
        ended: Callable[[Document], None] = lambda _execution: None,
    ) -> None:
        self._ended = ended
        self._clock = clock
        self._ids = ids
        self._catalog = catalog
        self._files = files
        self._put_object = put_object
        self._scratch = root / "athena"
        self._scratch.mkdir(parents=True, exist_ok=True)
        for left in self._scratch.glob("*.csv"):
            left.unlink()
        for unfinished in self._scratch.glob("*.files"):
            shutil.rmtree(unfinished)
        self._executions = Executions(store)
        self._settings = Settings(store, clock, ids, account, region)
        self._commands = Commands(catalog, files)
        self._writes = Writes(catalog, files, put_object, put_file, self._scratch, ids)
        self._pool = Pool(workers, [root / "s3"], self._scratch, limits or Limits(), self._answer)
        self._threads = ThreadPoolExecutor(max_workers=_QUEUED, thread_name_prefix="athena")
        self._starting = threading.Lock()
        self.handler: Handler = json_service(
            "athena", self._operations() | self._settings.operations | Metadata(catalog).operations, otherwise
        )

    def _operations(self) -> dict[str, Operation]:
        return {
            "StartQueryExecution": self._start,
            "GetQueryExecution": lambda p: {"QueryExecution": self._executions.get(p["QueryExecutionId"]).document},
            "BatchGetQueryExecution": self._batch_get,
            "GetQueryResults": self._get_results,
            "GetQueryRuntimeStatistics": self._runtime_statistics,
            "StopQueryExecution": self._stop,
            "ListQueryExecutions": self._list,
        }

    def warm(self) -> None:
        """Start a worker process, so that the first query finds one."""
        self._pool.warm()

    def running(self) -> int:
        """How many queries are queued or run."""
        return self._executions.unfinished()

    def stop(self) -> None:
        """Running queries end with the endpoint; when it starts again they are FAILED."""
        self._pool.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def with_workgroup(self, p: Parameters) -> Parameters:
        """A request's parameters with the workgroup that it means: that of the executions or named queries, or
        "primary"."""
        numbers = [*p.get("QueryExecutionIds", ()), *filter(None, [p.get("QueryExecutionId")])]
        names = [*p.get("NamedQueryIds", ()), *filter(None, [p.get("NamedQueryId")])]
        groups = {*map(self._executions.workgroup, numbers), *map(self._settings.saved.workgroup, names)} - {None}
        if not groups and "QueryString" in p:
            groups = {"primary"}
        return {"WorkGroup": sorted(groups), **p} if groups else p

    # The API

    def _start(self, p: Parameters) -> Parameters:
        group = self._settings.workgroup(p.get("WorkGroup", "primary"))
        statement, document = described(p, group, self._now())
        with self._starting:
            token = p.get("ClientRequestToken")
            known = self._executions.by_token(token) if token else None
            if known is not None:
                return {"QueryExecutionId": known.id} if same(known.document, document) else _changed()
            number = self._ids()
            execution = Execution(number, numbered(document, number), token)
            self._executions.announce(execution)
            self._threads.submit(self._carry_out, execution, statement)
            self._executions.add(execution)
        return {"QueryExecutionId": number}

    def _batch_get(self, p: Parameters) -> Parameters:
        found, missing = [], []
        for number in p["QueryExecutionIds"]:
            try:
                found.append(self._executions.get(number).document)
            except AwsError as e:
                missing.append({"QueryExecutionId": number, "ErrorCode": "INVALID_REQUEST", "ErrorMessage": e.message})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def _get_results(self, p: Parameters) -> Parameters:
        execution = self._executions.get(p["QueryExecutionId"])
        if execution.state in {"QUEUED", "RUNNING"}:
            raise invalid(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            reason = execution.document["Status"].get("StateChangeReason", "")
            raise invalid(f"Query did not finish successfully. Final query state: {execution.state}. {reason}".rstrip())
        size, token = results.page_size(p), p.get("NextToken")
        if execution.document["SubstatementType"] in _WRITING:
            written = {"Rows": [], "ResultSetMetadata": {"ColumnInfo": execution.columns}}
            return {"UpdateCount": execution.rows, "ResultSet": written}
        path = self._result_file(execution)
        if execution.document["StatementType"] == "DML":
            count = len(execution.columns)
            rows, following = results.csv_page(path, token, size, count)
        else:
            rows, following = results.line_page(path, token, size)
        answer: Parameters = {
            "UpdateCount": 0,
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": execution.columns}},
        }
        return answer | ({"NextToken": following} if following else {})

    def _result_file(self, execution: Execution) -> Path:
        found = self._find_file(execution)
        if found is None:
            raise invalid(f"Could not find results at {execution.document['ResultConfiguration']['OutputLocation']}")
        return found

    def _find_file(self, execution: Execution) -> Path | None:
        bucket, key = bucket_and_key(execution.document["ResultConfiguration"]["OutputLocation"])
        try:
            return next((file.path for file in self._files(bucket, key) if file.key == key), None)
        except AwsError:
            return None  # no bucket

    def _runtime_statistics(self, p: Parameters) -> Parameters:
        statistics = self._executions.get(p["QueryExecutionId"]).document["Statistics"]
        timeline = {k: statistics[k] for k in statistics if k.endswith("TimeInMillis")}
        rows = {"InputBytes": statistics.get("DataScannedInBytes", 0)}
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    def _stop(self, p: Parameters) -> Parameters:
        execution = self._executions.get(p["QueryExecutionId"])
        if execution.move(
            "CANCELLED", {"StateChangeReason": "Query cancelled by user", "CompletionDateTime": self._now()}
        ):
            self._pool.stop(execution.id)
            self._conclude(execution)
        return {}

    def _list(self, p: Parameters) -> Parameters:
        group = self._settings.workgroup(p.get("WorkGroup", "primary"))["Name"]
        before = number_of(p.get("NextToken") or str(1 << 62))
        found, following = self._executions.page(group, before, min(p.get("MaxResults", 50), 50))
        return {"QueryExecutionIds": found} | ({"NextToken": str(following)} if following else {})

    # Carrying a query out

    def _carry_out(self, execution: Execution, statement: Statement) -> None:
        """On a thread of ours. Whatever happens, the execution ends in a final state."""
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
            state, changes = "FAILED", _failed(f"GENERIC_INTERNAL_ERROR: {type(e).__name__}: {e}", SYSTEM)
        now = self._now()
        execution.note(_times(execution, now))
        self._finish(execution, state, changes | {"CompletionDateTime": now})

    def _begin(self, execution: Execution) -> bool:
        """QUEUED no longer; False if it has been stopped meanwhile."""
        waited = self._now() - execution.document["Status"]["SubmissionDateTime"]
        execution.note({"QueryQueueTimeInMillis": round(waited * 1000)})
        return execution.move("RUNNING", {})

    def _finish(self, execution: Execution, state: str, changes: Document) -> None:
        if execution.move(state, changes):
            self._conclude(execution)

    def _conclude(self, execution: Execution) -> None:
        self._executions.save(execution)
        self._ended(execution.document)

    def _run(self, execution: Execution, statement: Statement) -> None:
        if statement.kind == "EXECUTE":
            group, given = execution.document["WorkGroup"], execution.document.get("ExecutionParameters", [])
            statement, execution.parameters = prepared.executed(statement, group, given, self._settings.saved)
            if statement.kind in _WRITING:  # whose results are no rows
                execution.document["SubstatementType"] = statement.kind
        if statement.run is Run.QUERY:
            self._query(execution, statement)
            return
        if statement.run is Run.WRITE:
            self._write(execution, statement)
            return
        if statement.kind == "EXPLAIN":
            self._explain(execution, statement)
            return
        if not self._begin(execution):
            raise Stopped
        if statement.kind in prepared.KINDS:
            prepared.keep(statement, execution.document["WorkGroup"], self._settings.saved)
            self._write_lines(execution, Outcome())
            return
        if statement.run is Run.REFUSED:
            raise not_supported(statement.kind.replace("_", " "))
        database = execution.document["QueryExecutionContext"].get("Database", "")
        command = ddl.parse(statement)
        if isinstance(command, ddl.CreateView):
            outcome = self._create_view(execution, command, database)
        else:
            outcome = self._commands.execute(command, database)
        self._write_lines(execution, outcome)

    def _query(self, execution: Execution, statement: Statement) -> None:
        job = self._job(execution, statement.text) | {"id": execution.id}
        if self._reuse(execution, statement, job["parameters"]):
            return
        done = self._pool.run(execution.id, job, lambda: self._begin(execution))
        execution.columns = done["columns"]
        planning = round(done["planning"] * 1000)
        execution.note({"DataScannedInBytes": done["bytes"], "QueryPlanningTimeInMillis": planning})
        path = Path(done["file"])
        data = results.header([c["Name"] for c in done["columns"]]) + path.read_bytes()
        path.unlink()
        self._refuse_too_much(execution, done["bytes"])
        self._put(execution, data)

    def _reuse(self, execution: Execution, statement: Statement, parameters: list[str]) -> bool:
        """Answer with an earlier result, if that is asked for and there is one."""
        configuration = self._settings.workgroup(execution.document["WorkGroup"])["Configuration"]
        own = configuration.get("ResultConfiguration", {}).get("OutputLocation")
        key = reuse.key(statement, parameters, execution.document, own)
        since = reuse.oldest(execution.document, self._now())
        found = self._executions.latest(key) if key and since is not None else None
        if found is None or found.document["Status"]["CompletionDateTime"] < since or not self._find_file(found):
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
        location = execution.document["ResultConfiguration"]["OutputLocation"].removesuffix(".csv")  # EXECUTE's
        done = self._writes.carry_out(write, Task(execution.id, own, location, ask, go_on))
        go_on()
        planning = round(done.planning * 1000)
        execution.note({"DataScannedInBytes": done.scanned, "QueryPlanningTimeInMillis": planning})
        execution.note({"DataManifestLocation": done.manifest} if done.manifest else {})
        execution.columns, execution.rows = [Type("bigint").column_info("rows")], done.rows

    def _explain(self, execution: Execution, statement: Statement) -> None:
        sql, validated = explain.requested(statement)
        job = self._job(execution, sql) | {"explain": True}
        done = self._pool.run(execution.id, job, lambda: self._begin(execution))
        self._write_lines(
            execution, Outcome(("Valid",), ("true",)) if validated else Outcome(("Query Plan",), tuple(done["lines"]))
        )

    def _refuse_too_much(self, execution: Execution, scanned: int) -> None:
        """AWS cancels while it reads, and here it is known afterwards; either way there is no result."""
        configuration = self._settings.workgroup(execution.document["WorkGroup"])["Configuration"]
        if scanned > configuration.get("BytesScannedCutoffPerQuery", scanned):
            raise Cancelled("Bytes scanned limit was exceeded")

    def _job(self, execution: Execution, sql: str) -> Document:
        database = execution.document["QueryExecutionContext"].get("Database", "")
        parameters = execution.parameters or values(execution.document.get("ExecutionParameters", []))
        return {"sql": sql, "database": database, "parameters": parameters}

    def _create_view(self, execution: Execution, command: ddl.CreateView, own: str) -> Outcome:
        """A worker says what columns the view has; then it is a table of the catalog."""
        database = command.name.database or own
        job = self._job(execution, command.query) | {"database": database}
        described = self._pool.run(execution.id, job, lambda: True)
        names = [c["Name"].lower() for c in described["columns"]]
        if any(n.startswith("_col") for n in names):
            position = next(i for i, n in enumerate(names, 1) if n.startswith("_col"))
            raise QueryFailure(f"MISSING_COLUMN_NAME: line 1:1: Column name not specified at position {position}")
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

    def _write_lines(self, execution: Execution, outcome: Outcome) -> None:
        string = VARCHAR.column_info("")
        execution.columns = [
            string | {"Name": n, "Label": n, "Type": "string", "Precision": 0} for n in outcome.columns
        ]
        execution.note({"DataScannedInBytes": 0})
        self._put(execution, "".join(f"{line}\n" for line in outcome.lines).encode())

    def _put(self, execution: Execution, data: bytes) -> None:
        bucket, key = bucket_and_key(execution.document["ResultConfiguration"]["OutputLocation"])
        try:
            self._put_object(bucket, key, data, "application/octet-stream")
        except AwsError as e:
            raise QueryFailure(f"Unable to verify/create output bucket {bucket}") from e

    # What a worker asks

    def _answer(self, question: Document) -> Document:
        asked = question["ask"]
        if asked == "files":
            return {"files": list_files(self._files, question["locations"])}
        if asked == "databases":
            return {"databases": [d["Name"] for d in self._catalog.databases()]}
        if asked == "tables":
            return {"tables": self._catalog.tables(question["database"])}
        database, name = question["database"], question["name"]
        if asked == "partitions":
            generation = self._catalog.generation(database, name)
            if generation == question["known"]:
                return {}
            return {"generation": generation, "partitions": self._catalog.partition_locations(database, name)}
        return self._table(database, name)

    def _table(self, database: str, name: str) -> Document:
        try:
            return {"table": self._catalog.table(database, name)}
        except AwsError:
            exists = any(d["Name"] == database for d in self._catalog.databases())
            return {"missing": "table" if exists else "database"}

    def _now(self) -> float:
        return round(self._clock(), 3)


def _changed() -> NoReturn:
    raise invalid("Idempotent parameters do not match")


def _failed(message: str, category: int) -> Document:
    return {"StateChangeReason": message, "AthenaError": athena_error(message, category)}


def _times(execution: Execution, now: float) -> Document:
    total = round((now - execution.document["Status"]["SubmissionDateTime"]) * 1000)
    queued = execution.document["Statistics"]["QueryQueueTimeInMillis"]
    return {
        "EngineExecutionTimeInMillis": total - queued,
        "TotalExecutionTimeInMillis": total,
        "ServiceProcessingTimeInMillis": 0,
    }
