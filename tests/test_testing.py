"""clicklake.testing as a team uses it: the fixture in these very tests, and in small projects that pytest runs inside.

All share one endpoint: a project's conftest.py is handed the stack of this run.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from uuid import UUID

import boto3
import pytest

from clicklake.errors import NoError, RefusedError, UsageError
from clicklake.testing import Clicklake
from clicklake.testing.stack import Stack
from endpoint_process import clean_environment, eventually

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "testing"
SHARED = (
    "from shared_by_the_tests import stack\nimport pytest\n\nclicklake_stack = pytest.fixture(scope='session')(stack)\n"
)
CLICK = {"event_type": "click", "event_id": "1"}

INSIDE = ("-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")  # that one takes seconds at its end

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, clicklake_stack: Stack) -> Run:
    """Runs a project's tests on this run's endpoint."""
    shared = ModuleType("shared_by_the_tests")
    shared.stack = lambda: clicklake_stack  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, shared.__name__, shared)
    pytester.makeconftest(SHARED)
    pytester.makeini("[pytest]")
    return lambda: pytester.runpytest_inprocess(*INSIDE)


# --- what a test is handed -------------------------------------------------------------------------------------------


def test_what_is_sent_is_accounted_for_and_read_back(clicklake: Clicklake) -> None:
    said = clicklake.send(CLICK, [{**CLICK, "sent_time": "2026-01-01T00:00:00Z"}, {"event_type": "view"}], b"{broken")
    assert (said.records_in, said.good, said.duplicate, said.failed) == (4, 2, 1, 1)
    assert str(said) == (
        "in 4 = good 2 + duplicate 1 + failed 1\nfailed: decode_error: $: not JSON at byte 1, in {broken"
    )
    assert [row["event_type"] for row in clicklake.good()] == ["click", "view"]
    assert [row["event_id"] for row in clicklake.good(event_type="click", user_key=None)] == ["1"]
    (failed,) = clicklake.failed()
    assert (failed["failure_type"], failed["raw"]) == ("decode_error", b"{broken")
    assert failed["errors"] == [{"path": "$", "message": "not JSON at byte 1"}]


def test_rows_come_in_the_order_of_sending_with_their_properties_read(clicklake: Clicklake) -> None:
    for number in range(4):
        clicklake.send({"event_type": "step", "properties": {"number": number, "tags": ["a", None]}})
    assert [row["properties"]["number"] for row in clicklake.good()] == [0, 1, 2, 3]
    assert clicklake.good(properties={"number": 2, "tags": ["a", None]})
    assert clicklake.wait().good == 4


def test_a_call_carries_at_most_what_firehose_takes(clicklake: Clicklake) -> None:
    many = [{"event_type": "many", "n": number} for number in range(501)]
    assert clicklake.send(many).good == 501
    large = [{"event_type": "large", "text": f"{number}" * 900_000} for number in range(5)]
    assert clicklake.send(large).good == 5


def test_a_query_has_pythons_values(clicklake: Clicklake) -> None:
    (row,) = clicklake.query(
        """SELECT 7 AS i, 0.5e0 AS d, DECIMAL '1.50' AS n, true AS b, 'x' AS t, CAST(NULL AS bigint) AS nothing,
        DATE '2026-01-02' AS day, TIMESTAMP '2026-01-02 03:04:05.678' AS ts, X'00ff' AS raw, ARRAY[1, 2] AS many,
        TIMESTAMP '2026-01-02 03:04:05 UTC' AS utc, TIMESTAMP '2026-01-02 03:04:05 +01:00' AS cet, JSON '{"a": [1]}' AS j
        """
    )
    assert row == {
        "i": 7,
        "d": 0.5,
        "n": Decimal("1.50"),
        "b": True,
        "t": "x",
        "nothing": None,
        "day": date(2026, 1, 2),
        "ts": datetime(2026, 1, 2, 3, 4, 5, 678000),  # noqa: DTZ001 - Athena's timestamp has no zone
        "raw": b"\x00\xff",
        "many": "[1, 2]",
        "utc": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "cet": datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
        "j": {"a": [1]},
    }
    assert clicklake.query("SELECT 1 AS a WHERE false") == []


def test_what_cannot_be_meant_is_refused_with_a_hint(clicklake: Clicklake) -> None:
    with pytest.raises(UsageError, match=r"no column event_typ; there is: event_type"):
        clicklake.good(event_typ="click")
    with pytest.raises(UsageError, match=r"two columns of the result are called a; give one another name: a AS"):
        clicklake.query("SELECT 1 AS a, 2 AS a")
    with pytest.raises(UsageError, match="a datetime without a time zone is not JSON"):
        clicklake.send({"event_type": "click", "event_time": datetime(2026, 1, 1)})  # noqa: DTZ001
    with pytest.raises(RefusedError, match="COLUMN_NOT_FOUND"):
        clicklake.query("SELECT nonsense FROM clickstream_events")


def test_times_and_uuids_are_sent_as_the_producer_sends_them(clicklake: Clicklake) -> None:
    moment = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    clicklake.send({"event_type": "click", "event_id": UUID(int=7), "event_time": moment})
    (row,) = clicklake.good()
    assert (row["event_id"], row["event_ts"]) == (str(UUID(int=7)), moment.replace(tzinfo=None))


def test_a_function_that_fails_is_told_with_its_own_words(clicklake: Clicklake) -> None:
    """And at once, not after the three minutes in which Lambda would try again."""
    s3, bucket = clicklake.client("s3"), clicklake.names.bucket
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/ledger/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    try:
        with pytest.raises(NoError, match=r"the function failed at raw/.*AccessDenied"):
            clicklake.send(CLICK)
        assert clicklake.query("SELECT count(*) AS n FROM clickstream_events") == [{"n": 1}]
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    clicklake.reset()
    assert clicklake.send(CLICK).good == 1


# --- one test sees nothing of another --------------------------------------------------------------------------------


def test_nothing_of_a_test_is_seen_in_the_next_even_with_a_delivery_in_flight(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import gzip
        import boto3

        BATCH = [{"Data": b'{"event_type": "late"}'}] * 400 + [{"Data": b"broken"}] * 100

        def test_leaves_much_behind(clicklake):
            s3, bucket = clicklake.client("s3"), clicklake.names.bucket
            old = gzip.compress(b'{"event_type": "old"}')
            s3.put_object(Bucket=bucket, Key="raw/year=2025/month=01/day=02/a.gz", Body=old)
            assert [row["day"] for row in clicklake.good()] == ["02"]
            sqs = clicklake.client("sqs")
            url = sqs.get_queue_url(QueueName=clicklake.names.failure_queue)["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody="failed")
            for _ in range(3):
                boto3.client("firehose").put_record_batch(
                    DeliveryStreamName=clicklake.names.delivery_stream, Records=BATCH
                )

        def test_finds_nothing(clicklake):
            s3, sqs = clicklake.client("s3"), clicklake.client("sqs")
            found = s3.list_object_versions(Bucket=clicklake.names.bucket)
            assert not found.get("Versions") and not found.get("DeleteMarkers")
            assert clicklake.wait().records_in == 0
            assert clicklake.good() == clicklake.failed() == []
            assert clicklake.query("SELECT count(*) AS n FROM clickstream_ledger") == [{"n": 0}]
            assert len(clicklake.query("SHOW PARTITIONS clickstream_events")) == 1
            url = sqs.get_queue_url(QueueName=clicklake.names.failure_queue)["QueueUrl"]
            assert "Messages" not in sqs.receive_message(QueueUrl=url)

        def test_sends_for_the_same_old_day(clicklake):
            old = gzip.compress(b'{"event_type": "old"}')
            clicklake.client("s3").put_object(
                Bucket=clicklake.names.bucket, Key="raw/year=2025/month=01/day=02/b.gz", Body=old
            )
            assert [row["day"] for row in clicklake.good()] == ["02"]
        """
    )
    run().assert_outcomes(passed=3)


def test_a_test_that_fails_says_what_became_of_what_it_sent(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import boto3

        def test_purchase(clicklake):
            boto3.client("firehose").put_record(
                DeliveryStreamName="clickstream-firehose-dev", Record={"Data": b'{"event_tipe": "purchase"}'}
            )
            [row] = clicklake.good()
        """
    )
    result = run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- clicklake -*",
            "in 1 = good 0 + duplicate 0 + failed 1",
            'failed: missing_field: event_type: is required, in {"event_tipe": "purchase"}',
        ]
    )


# --- the code under test ---------------------------------------------------------------------------------------------


def test_the_example_of_the_page_works_and_is_what_the_page_shows(run: Run, pytester: pytest.Pytester) -> None:
    for file in EXAMPLE.glob("*.*"):
        shutil.copy(file, pytester.path)
    run().assert_outcomes(passed=2)
    page = (ROOT / "docs" / "testing.md").read_text()
    assert (EXAMPLE / "test_shop.py").read_text() in page
    assert (EXAMPLE / "shop.py").read_text() in page


def test_the_environment_is_the_endpoints_while_the_test_runs_and_what_it_was_afterwards(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_FIREHOSE", "http://127.0.0.1:1")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    session = boto3.DEFAULT_SESSION
    pytester.makepyfile(
        """
        import os
        import boto3

        def test_environment(clicklake):
            assert {n: v for n, v in os.environ.items() if n.startswith("AWS_")} == clicklake.environment
            assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"
            assert boto3.client("firehose").meta.endpoint_url == clicklake.environment["AWS_ENDPOINT_URL"]
        """
    )
    run().assert_outcomes(passed=1)
    assert {name: value for name, value in os.environ.items() if name.startswith("AWS_")} == before
    assert boto3.DEFAULT_SESSION is session


def test_clients_made_at_import_know_the_endpoint_if_the_environment_is_the_sessions(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint itself has not been started: no test asks for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.com")
    monkeypatch.setenv("AWS_PROFILE", "production")
    pytester.makeini("[pytest]\nclicklake_environment = session")
    pytester.makeconftest("import boto3\nCLIENT = boto3.Session().client('firehose')")
    pytester.makepyfile(
        """
        import os
        from conftest import CLIENT

        def test_client():
            assert CLIENT.meta.endpoint_url == os.environ["AWS_ENDPOINT_URL"]
            assert CLIENT.meta.endpoint_url.startswith("http://127.0.0.1:")
            assert "AWS_PROFILE" not in os.environ
        """
    )
    pytester.runpytest_inprocess(*INSIDE).assert_outcomes(passed=1)
    assert os.environ["AWS_ENDPOINT_URL"] == "https://example.com"
    result = pytester.runpytest_inprocess(*INSIDE, "-o", "clicklake_environment=always")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*clicklake_environment is 'always'; it may be test or session"])


# --- starting and ending ---------------------------------------------------------------------------------------------


def test_the_plugin_imports_nothing_that_takes_time_until_a_test_asks_for_it() -> None:
    program = (
        "import pytest, sys; before = set(sys.modules); import clicklake.testing.plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["clicklake", "clicklake.testing", "clicklake.testing.plugin"]


@pytest.mark.parametrize("named", [("--clicklake-pipeline", "none.json"), ("-o", "clicklake_pipeline=none.json")])
def test_a_pipeline_file_that_is_not_there_is_named(pytester: pytest.Pytester, named: tuple[str, str]) -> None:
    pytester.makeini("[pytest]")
    pytester.makepyfile("def test_it(clicklake): ...")
    result = pytester.runpytest_inprocess(*INSIDE, *named)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"clicklake: {pytester.path}/none.json: No such file or directory*"])


def test_without_the_extra_the_error_says_what_to_install(pytester: pytest.Pytester) -> None:
    (pytester.path / "absent").mkdir()
    absent = pytester.path / "absent" / "uvicorn.py"
    absent.write_text("raise ModuleNotFoundError(\"No module named 'uvicorn'\", name='uvicorn')")
    pytester.makeini("[pytest]")
    pytester.makepyfile("def test_it(clicklake): ...")
    environment = clean_environment() | {"PYTHONPATH": str(absent.parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "clicklake"],
        env=environment,
        cwd=pytester.path,
        capture_output=True,
        text=True,
    )
    assert "install it: pip install 'clicklake[local]'" in done.stdout


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks for a process in Linux's way")
def test_the_endpoint_ends_with_the_process_that_started_it_even_if_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from clicklake.endpoint import Endpoint;"
        "endpoint = Endpoint(Path(sys.argv[1]), '--bare', tied=True); endpoint.variables['CLICKLAKE_WARM'] = '0';"
        "endpoint.start(); print(endpoint.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "data")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    assert eventually(lambda: not _is_running(pid))


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.minutes
def test_a_stack_that_a_test_has_broken_is_made_anew_with_the_same_address_and_keys(
    run: Run, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from clicklake.errors import NoError

        WAS = {}

        def test_breaks(clicklake):
            WAS.update(clicklake.environment)
            clicklake.client("glue").delete_table(DatabaseName="clickstream_db", Name="clickstream_events")
            with pytest.raises(NoError, match="the function failed at raw/.*EntityNotFoundException"):
                clicklake.send({"event_type": "click"})

        def test_works(clicklake):
            assert clicklake.environment == WAS
            assert clicklake.send({"event_type": "click"}).good == 1
        """
    )
    run().assert_outcomes(passed=2)


@pytest.mark.minutes
def test_each_worker_of_xdist_has_an_endpoint_and_a_pipeline_file_may_be_ones_own(pytester: pytest.Pytester) -> None:
    pipeline = json.loads((ROOT / "src/clicklake/pipeline.json").read_text())
    column = {"name": "plan", "type": "string", "from": "properties.plan", "comment": "The plan."}
    pipeline["tables"]["events"]["columns"].append(column)
    (pytester.path / "ours.json").write_text(json.dumps(pipeline))
    pytester.makeini("[pytest]\nclicklake_pipeline = ours.json\nclicklake_environment = session")
    pytester.makepyfile(
        """
        import json
        import boto3
        import pytest

        FIREHOSE = boto3.client("firehose")

        @pytest.mark.parametrize("number", range(6))
        def test_it(clicklake, number, worker_id):
            event = {"event_type": "click", "properties": {"plan": f"{worker_id} {number}"}}
            clicklake.send([event] * 3)
            FIREHOSE.put_record(
                DeliveryStreamName="clickstream-firehose-dev", Record={"Data": json.dumps(event).encode()}
            )
            assert [row["plan"] for row in clicklake.good()] == [f"{worker_id} {number}"] * 4
        """
    )
    pytester.runpytest_subprocess(*INSIDE, "-n", "2").assert_outcomes(passed=6)
