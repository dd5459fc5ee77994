"""`clicklake query` against a stack: where SQL comes from, what is printed and written, and what it may read."""

import io
import json
import re
import shlex
import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest

from clicklake import scan_limit, target
from clicklake.cli import main
from clicklake.saved_queries import saved_query
from endpoint_process import EndpointProcess
from proven_lake import PIPELINE, Said, console, variables
from typed_pages import undescribed

# --- the command, against a stack --------------------------------------------------------------------------------


def clicklake(stack: EndpointProcess, *arguments: str, sent: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clicklake", *arguments]
    return subprocess.run(command, input=sent, capture_output=True, text=True, env=stack.environment(), timeout=60)


def test_on_a_pipe_the_answer_is_csv_and_the_rest_on_stderr(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT 1 AS one, CAST(NULL AS varchar) AS nothing, '' AS empty")
    assert done.stdout == 'one,nothing,empty\n1,,""\n', done.stderr
    assert f"laptop 127.0.0.1:{stack.port}" in done.stderr
    assert "1 row, " in done.stderr


def test_a_statement_can_come_from_standard_input(stack: EndpointProcess) -> None:
    assert clicklake(stack, "query", "-", sent="SELECT 7 / 2;\n").stdout == "_col0\n3\n"


def test_more_rows_than_a_page_are_all_there(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT n FROM UNNEST(sequence(1, 2500)) AS t (n)")
    assert done.stdout.splitlines() == ["n", *map(str, range(1, 2501))], done.stderr


def test_the_pipelines_database_is_the_default(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT COUNT(*) FROM clickstream_events", "--json")
    assert json.loads(done.stdout)["rows"] == [{"_col0": 0}], done.stderr


def test_statements_without_a_header_row_lose_no_row(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SHOW TABLES")
    assert "clickstream_events" in done.stdout.splitlines(), done.stderr


def test_a_failed_query_exits_with_4_and_athenas_reason(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT * FROM no_such_table")
    assert done.returncode == 4
    assert "TABLE_NOT_FOUND" in done.stderr
    assert done.stdout == ""


def test_a_workgroup_that_is_not_there_says_what_to_look_at(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT 1", "--environment", "prod")
    assert done.returncode == 4
    assert "clickstream-prod is not found.; is the stack deployed there? laptop: clicklake up" in done.stderr


# --- in this process -------------------------------------------------------------------------------------------------


class _Bytes(io.TextIOWrapper):
    """Standard output that takes bytes, too."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")


def run(stack: EndpointProcess, command: str) -> Said:
    out, err = _Bytes(), io.StringIO()
    with variables(stack.environment()), redirect_stdout(out), redirect_stderr(err):
        code = main(shlex.split(command)[1:])
        out.flush()
    return Said(code, out.buffer.getvalue().decode(errors="replace"), err.getvalue())  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def table_of_days(stack: EndpointProcess) -> str:
    """Three partitions, each with a file."""
    created = (
        "CREATE TABLE days WITH (format = 'PARQUET', partitioned_by = ARRAY['day']) AS "
        "SELECT n, day FROM (VALUES (1, '2025-11-24'), (2, '2025-11-25'), (3, '2025-11-26')) AS t (n, day)"
    )
    done = run(stack, f'clicklake query "{created}"')
    assert done.code == 0, done.err
    return "days"


def test_the_page_shows_what_it_prints(stack: EndpointProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("report.sql").write_text("-- two; one after the other\nSELECT 1 AS one;\nSELECT 'a;b' AS two;\n")
    for command, printed in console("query.md"):
        said = run(stack, command)
        assert said.out == printed, said.err


def test_the_page_describes_the_json_document(stack: EndpointProcess, table_of_days: str) -> None:
    said = run(stack, f'clicklake query --json "SELECT n, day FROM {table_of_days}"')
    assert undescribed(said.document, "query.md") == []
    assert said.document["usd"] == pytest.approx(10e6 / 2**40 * 5)
    assert "scanned, $0.000045 on AWS" in said.err


def parquet(file: Path, select: str) -> list[Any]:
    with duckdb.connect() as db:
        rows: list[Any] = db.sql(f"{select} FROM '{file}'").fetchall()
        return rows


def test_parquet_keeps_the_types(stack: EndpointProcess, tmp_path: Path) -> None:
    sql = (
        "SELECT TINYINT '1' AS t, 2 AS i, BIGINT '3' AS b, REAL '1.5' AS r, DOUBLE '2.5' AS d, true AS yes, "
        "DECIMAL '1.10' AS m, DATE '2025-11-26' AS day, TIMESTAMP '2025-11-26 10:15:00.123' AS ts, 'ü' AS s, "
        "ARRAY[1, 2] AS a, X'6869' AS x, CAST(NULL AS bigint) AS nothing, 2 AS i"
    )
    file = tmp_path / "all.parquet"
    done = run(stack, f'clicklake query "{sql}" --out {file}')
    assert done.code == 0, done.err
    described, (row,) = (
        parquet(file, "DESCRIBE SELECT *"),
        parquet(file, "SELECT CAST(m AS varchar), CAST(ts AS varchar), s, a, x, nothing"),
    )
    assert [(name, kind) for name, kind, *_ in described] == [
        ("t", "TINYINT"), ("i", "INTEGER"), ("b", "BIGINT"), ("r", "FLOAT"), ("d", "DOUBLE"), ("yes", "BOOLEAN"),
        ("m", "DECIMAL(3,2)"), ("day", "DATE"), ("ts", "TIMESTAMP"), ("s", "VARCHAR"), ("a", "VARCHAR"),
        ("x", "BLOB"), ("nothing", "BIGINT"), ("i_2", "INTEGER"),
    ]  # fmt: skip
    assert row == ("1.10", "2025-11-26 10:15:00.123", "ü", "[1, 2]", b"hi", None)


def test_a_result_without_rows_has_its_columns_in_every_form(stack: EndpointProcess, tmp_path: Path) -> None:
    sql = "SELECT n, n * 2.5 AS m FROM UNNEST(sequence(1, 2)) AS t (n) WHERE n > 5"
    for form, said in (("csv", "n,m\n"), ("table", "n  m\n─  ─\n")):
        assert run(stack, f'clicklake query --output {form} "{sql}"').out == said
    file = tmp_path / "none.parquet"
    assert run(stack, f'clicklake query "{sql}" --out {file}').code == 0
    assert parquet(file, "SELECT count(*), count(m)") == [(0, 0)]


def test_a_file_is_replaced_only_by_a_whole_answer(stack: EndpointProcess, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    assert run(stack, f'clicklake query "SELECT 1 AS a" --out {file}').code == 0
    assert run(stack, f'clicklake query "SELECT * FROM no_such_table" --out {file}').code == 4
    assert file.read_text() == "a\n1\n"
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_what_the_output_can_not_say_is_an_error_of_one_line(stack: EndpointProcess) -> None:
    environment = stack.environment() | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "clicklake", "query", "SELECT 'ü' AS u"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr.splitlines()[1:]) == (
        2,
        ["clicklake query: the answer has characters that ascii has not; set PYTHONUTF8=1, or write a file: --out"],
    )


def test_statements_of_a_file_run_until_one_fails_and_that_one_is_named(stack: EndpointProcess, tmp_path: Path) -> None:
    (file := tmp_path / "many.sql").write_text("SELECT 1 AS a;\n\nSELECT * FROM no_such_table;\nSELECT 3 AS c;")
    done = run(stack, f"clicklake query --file {file} --json")
    assert done.code == 4
    assert [json.loads(line)["rows"] for line in done.out.splitlines()] == [[{"a": 1}]]
    assert "statement 2 of 3, line 3: TABLE_NOT_FOUND" in done.err


def test_a_statement_behind_chart_is_a_statement(stack: EndpointProcess) -> None:
    assert run(stack, "clicklake query --chart \"SELECT 'a' AS name, 1 AS n\"").out.splitlines()[0] == "n by name"
    assert run(stack, "clicklake query --chart").code == 2


def test_without_plotext_bars_do_unless_a_line_is_asked_for(
    stack: EndpointProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "plotext", None)
    sql = "SELECT n, n AS m FROM UNNEST(sequence(1, 3)) AS t (n)"
    auto = run(stack, f'clicklake query --chart "{sql}"')
    assert "█" in auto.out
    assert "drawn as bars: a line chart needs plotext; pip install plotext" in auto.err
    asked = run(stack, f'clicklake query --chart line "{sql}"')
    assert (asked.code, asked.err.splitlines()[-1]) == (
        2,
        "clicklake query: a line chart needs plotext; pip install plotext, or --chart bar",
    )


def test_a_query_that_may_read_more_than_the_limit_is_not_run_unasked(
    stack: EndpointProcess, table_of_days: str
) -> None:
    sql = f"SELECT n FROM {table_of_days}"
    refused = run(stack, f'clicklake query --max-scan 100B "{sql}"')
    assert (refused.code, refused.out) == (2, "")
    assert f"of clickstream_db:{table_of_days}; the limit is 100 B; ask for fewer days or columns" in refused.err
    assert run(stack, f'clicklake query --max-scan 100B --yes "{sql}"').code == 0
    assert run(stack, f'clicklake query --max-scan 1MB "{sql}"').code == 0
    assert run(stack, 'clicklake query --max-scan 0B "SELECT 1"').code == 0
    assert run(stack, "clicklake query --max-scan 0B --name daily_visitors").code == 0  # a comment, and an empty lake


def test_fewer_partitions_are_fewer_bytes(stack: EndpointProcess, table_of_days: str) -> None:
    with variables(stack.environment()):
        aws = target.choose()
        sql = f"SELECT n FROM {table_of_days} WHERE day >= '2025-11-26'"
        whole, one = (
            scan_limit.expected(aws, each, "clickstream-dev", "clickstream_db")
            for each in (f"SELECT n FROM {table_of_days}", sql)
        )
        saved = scan_limit.expected(aws, saved_query("funnel", PIPELINE).sql, "clickstream-dev", "clickstream_db")
    assert whole is not None
    assert one is not None
    assert 0 < one.bytes < whole.bytes
    assert saved == scan_limit.Expected(0, ("clickstream_db:clickstream_events",))  # through the view, of an empty lake


def io_plan(*ranges: dict[str, Any], holder: str = "constraint") -> dict[str, Any]:
    """EXPLAIN (TYPE IO, FORMAT JSON), as Trino prints it; older ones have the constraints at the table."""
    columns = [{"columnName": "day", "type": "varchar", "domain": {"nullsAllowed": False, "ranges": list(ranges)}}]
    named = {"catalog": "awsdatacatalog", "schemaTable": {"schema": "clickstream_db", "table": "days"}}
    constraint = {"none": False, "columnConstraints": columns if ranges else []}
    table_ = {"table": named} | ({"constraint": constraint} if holder else constraint)
    return {"inputTableColumnInfos": [table_]}


DAY = {"low": {"value": "2025-11-25", "bound": "EXACTLY"}, "high": {"value": "2025-11-25", "bound": "EXACTLY"}}
AFTER = {"low": {"value": "2025-11-25", "bound": "ABOVE"}, "high": {"bound": "BELOW"}}


@pytest.mark.usefixtures("table_of_days")
def test_a_plan_of_athenas_names_the_partitions_whose_files_count(stack: EndpointProcess) -> None:
    with variables(stack.environment()):
        aws = target.choose()
        one, after, both, every = (
            scan_limit.of_plan(aws, plan).bytes
            for plan in (io_plan(DAY), io_plan(AFTER, holder=""), io_plan(DAY, AFTER), io_plan())
        )
        nothing = io_plan(DAY)
        nothing["inputTableColumnInfos"][0]["constraint"] = {"none": True}
        assert scan_limit.of_plan(aws, nothing).bytes == 0
    assert 0 < one < both < every
    assert one + after == both


class Answers(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code", "rows"), [("y\n", 0, "n\n1\n2\n3\n"), ("\n", 1, "")])
def test_on_a_terminal_it_is_asked_first(
    stack: EndpointProcess, table_of_days: str, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, rows: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Answers(answer))
    said = run(stack, f'clicklake query --max-scan 1B "SELECT n FROM {table_of_days} ORDER BY n"')
    assert (said.code, said.out) == (code, rows)
    assert re.search(r"it may read \d+ B \(\$0\.000045 on AWS\) of clickstream_db:days; .* Run it\? \[y/N\]", said.err)


class Reading(BaseHTTPRequestHandler):
    """Athena as it is while a query reads: 2 GB so far. The laptop's knows what was read when it is over."""

    asked: list[tuple[str, str]]

    def do_POST(self) -> None:
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((action, sent.get("QueryString", "")))
        execution = {"Status": {"State": "RUNNING"}, "Statistics": {"DataScannedInBytes": 2_000_000_000}}
        answers = {
            "StartQueryExecution": {"QueryExecutionId": "q-1"},
            "GetQueryExecution": {"QueryExecution": execution},
            "StopQueryExecution": {},
        }
        body = json.dumps(answers[action]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quietly."""


def test_a_query_that_reads_more_than_the_limit_is_stopped_while_it_runs() -> None:
    Reading.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Reading) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
        err = io.StringIO()
        with variables(keys | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}), redirect_stderr(err):
            code = main(["query", "INSERT INTO t SELECT * FROM everything", "--max-scan", "1GB"])
        server.shutdown()
    assert (code, err.getvalue().splitlines()[-1]) == (
        1,
        "clicklake query: stopped: it had read 2.0 GB, and may read 1.0 GB; --max-scan, or --yes",
    )
    assert [action for action, _ in Reading.asked] == ["StartQueryExecution", "GetQueryExecution", "StopQueryExecution"]
