"""Amazon Athena's API: a query from StartQueryExecution to its results.

StartQueryExecution  ->  durable, QUEUED  ->  a thread takes it (carrying.py)  ->  RUNNING, in a worker or commands.py
->  its result is put into S3  ->  SUCCEEDED, durable. Workgroups, saved statements and the data catalog are answered by
settings.py, saved.py and metadata.py.
"""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localaws.athena import malformed, results
from localaws.athena.carrying import WRITING, Carrier
from localaws.athena.catalog import Catalog, Document, Files, PutFile, PutObject
from localaws.athena.commands import Commands
from localaws.athena.executions import Execution, Executions
from localaws.athena.limits import Limits
from localaws.athena.managed import ManagedResults
from localaws.athena.metadata import Metadata
from localaws.athena.pages import invalid, number_of
from localaws.athena.questions import Questions
from localaws.athena.requests import check_same, described, numbered
from localaws.athena.result_files import ResultFiles
from localaws.athena.settings import Settings
from localaws.athena.statements import Statement
from localaws.athena.workers import Pool
from localaws.athena.writes import Writes
from localaws.errors import AwsError
from localaws.store import Store
from localaws.wire import Handler, Operation, Parameters, json_service

_TOO_MANY = (
    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of "
    "concurrent queries submitted by this account. Contact customer support to request a concurrent query limit "
    "increase."
)
# Files that workers were writing when the endpoint died.
_LEFT = ("*.csv", "*.whole", "*.files", "spill-*")


class Athena:
    """`catalog`, `files`, `put_object` and `put_file` are the neighbours (catalog.py); `root` is the data directory.

    Nothing is started before `warm()` or the first query. `ended` is told of every execution that came to its end, as
    GetQueryExecution answers it.
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
        limits: Limits,
        ended: Callable[[Document], None] = lambda _execution: None,
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._limits = limits
        scratch = _cleared(root / "athena")
        self._executions = Executions(store, self._now)
        self._settings = Settings(store, clock, ids, account, region)
        managed = ManagedResults(scratch / "results", clock)
        self._results = ResultFiles(files, put_object, put_file, account, managed, scratch)
        self._pool = Pool([root / "s3"], scratch, limits, Questions(catalog, files).answer)
        self._carrier = Carrier(
            self._executions,
            self._settings,
            catalog,
            Commands(catalog, files),
            Writes(catalog, files, put_object, put_file, scratch, ids),
            self._results,
            self._pool,
            self._now,
            ended,
        )
        self._threads = ThreadPoolExecutor(max_workers=limits.active, thread_name_prefix="athena")
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
        self._results.close()

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
        malformed.refuse(statement, self._pool.check)
        with self._starting:
            token = p.get("ClientRequestToken")
            known = self._executions.by_token(token) if token else None
            if known is not None:
                check_same(known.document, document)
                return {"QueryExecutionId": known.id}
            if self._executions.unfinished() >= self._limits.active:
                raise AwsError("TooManyRequestsException", _TOO_MANY, Reason="CONCURRENT_QUERY_LIMIT_EXCEEDED")
            number = self._ids()
            self._begin(Execution(number, numbered(document, number), token), statement)
        return {"QueryExecutionId": number}

    def _begin(self, execution: Execution, statement: Statement) -> None:
        """It is on its way while it is made durable; what can't be must not run, because nobody knows its number."""
        self._executions.announce(execution)
        self._threads.submit(self._carrier.carry_out, execution, statement)
        try:
            self._executions.add(execution)
        except BaseException:
            self._executions.withdraw(execution)
            self._pool.stop(execution.id)
            raise

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
        if execution.document["SubstatementType"] in WRITING:
            written = {"Rows": [], "ResultSetMetadata": {"ColumnInfo": execution.columns}}
            return {"UpdateCount": execution.rows, "ResultSet": written}
        path = self._results.find(execution)
        if path is None:
            place = execution.document["ResultConfiguration"].get("OutputLocation", "Athena: they are kept for a day")
            raise invalid(f"Could not find results at {place}")
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

    def _runtime_statistics(self, p: Parameters) -> Parameters:
        """Without OutputStage: the stages of another engine's plan."""
        execution = self._executions.get(p["QueryExecutionId"])
        statistics = execution.document["Statistics"]
        timeline = {k: statistics[k] for k in statistics if k.endswith("TimeInMillis")}
        rows = {"InputBytes": statistics.get("DataScannedInBytes", 0)} | execution.counted
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    def _stop(self, p: Parameters) -> Parameters:
        self._carrier.cancel(self._executions.get(p["QueryExecutionId"]), "Query cancelled by user")
        return {}

    def _list(self, p: Parameters) -> Parameters:
        group = self._settings.workgroup(p.get("WorkGroup", "primary"))["Name"]
        before = number_of(p.get("NextToken") or str(1 << 62))
        found, following = self._executions.page(group, before, min(p.get("MaxResults", 50), 50))
        return {"QueryExecutionIds": found} | ({"NextToken": str(following)} if following else {})

    def _now(self) -> float:
        return round(self._clock(), 3)


def _cleared(scratch: Path) -> Path:
    """The directory in which workers write, without what was left there."""
    scratch.mkdir(parents=True, exist_ok=True)
    for left in [path for pattern in _LEFT for path in scratch.glob(pattern)]:
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
    return scratch
