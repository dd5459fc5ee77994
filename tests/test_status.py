"""`clicklake status`: one sentence says whether data flows and where it stops, from numbers and on a lake that breaks."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clicklake.status.judging import judge
from clicklake.status.numbers import Firehose, Function, Numbers, Processed, Raw, Tables
from clicklake.status.rules import RULES
from endpoint_process import eventually, running
from proven_lake import BUCKET, NAMES, PIPELINE, ProvenLake, Said, console
from typed_pages import undescribed

NOW = datetime(2025, 11, 26, 10, 15, 30, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


FLOWS = Numbers(
    moment=NOW,
    window_seconds=300,
    firehose=Firehose("ACTIVE", None, 1, 600, 360_000, 0, 1.0, ago(30), 1.0, ago(30)),
    raw=Raw(True, 290, 120_000, ago(2), 0, None, 0),
    function=Function("Active", None, True, 290, 0, 0, 0, 0.4),
    processed=Processed(290, 600, 580, 20, 0, {}, ago(1)),
    dead_letters=0,
    tables=Tables("year=2025/month=11/day=26", True, "ENABLED"),
)
NOTHING = Processed(0, 0, 0, 0, 0, {}, ago(7200))
QUIET = replace(
    FLOWS,
    firehose=replace(FLOWS.firehose, records=0, bytes=0, oldest_seconds=None, success=None),
    raw=replace(FLOWS.raw, objects=0, bytes=0, newest=ago(7200)),
    function=replace(FLOWS.function, runs=0, mean_seconds=None),
    processed=NOTHING,
)


def but(numbers: Numbers = FLOWS, **changes: Any) -> Numbers:
    """`raw={"waiting": 1}` changes that of the stage."""
    changed = {
        name: replace(getattr(numbers, name), **value) if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return replace(numbers, **changed)


WAITS: dict[str, Any] = {"waiting": 3, "oldest_waiting": ago(90)}
STUCK: dict[str, Any] = {"processed": {"newest": ago(120)}, "raw": WAITS}

CASES: dict[str, tuple[Numbers, str, str | None, str]] = {
    "data flows": (FLOWS, "yes", None, "Data is flowing: 2.00 records a second, the newest could be queried 1 second ago."),
    "nothing was sent lately": (QUIET, "idle", None, "Nothing was sent in the last 5 minutes; what came before, until 2 hours ago, is processed."),
    "nothing was ever sent": (but(QUIET, raw={"newest": None}, processed={"newest": None}), "idle", None, "Nothing was sent in the last 24 hours"),
    "Firehose buffers the first": (but(QUIET, firehose={"records": 7, "buffer_seconds": 300}), "yes", None, "Firehose delivers them within 5 minutes or so"),
    "a raw object just came": (but(QUIET, raw={"waiting": 1, "oldest_waiting": ago(2)}), "yes", None, "the function has 1 raw object to process"),
    "no stream": (but(firehose={"status": None}), "no", "firehose", "there is no delivery stream clickstream-firehose-dev"),
    "stream is made": (but(firehose={"status": "CREATING"}), "no", "firehose", "is CREATING, not ACTIVE"),
    "bucket gone": (but(raw={"bucket_exists": False}), "no", "raw", "the lake's bucket is gone"),
    "another bucket": (but(firehose={"elsewhere": "s3://old/raw/"}), "no", "firehose", "delivers to s3://old/raw/, not to"),
    "S3 refuses Firehose": (but(firehose={"success": 0.0}, raw={"newest": ago(60)}), "no", "firehose", "can't write to the bucket"),
    "S3 refused it, and takes it again": (but(firehose={"success": 0.0, "success_measured": ago(90)}), "yes", None, "flowing"),
    "Firehose holds records": (but(firehose={"oldest_seconds": 80.0}, raw={"newest": ago(80)}), "no", "firehose", "has held records for 1 minute"),
    "Firehose buffers for long": (but(firehose={"oldest_seconds": 500.0, "buffer_seconds": 300}, raw={"newest": ago(500)}), "yes", None, "flowing"),
    "Firehose held records until then": (but(firehose={"oldest_seconds": 80.0}), "yes", None, "flowing"),
    "no function": (but(function={"state": None}), "no", "function", "there is no function clickstream-raw-to-processed-dev"),
    "function failed to deploy": (but(function={"state": "Failed"}), "no", "function", "in the state Failed"),
    "function that sleeps": (but(function={"state": "Inactive"}), "yes", None, "flowing"),
    "concurrency 0": (but(function={"reserved": 0}), "no", "function", "delete-function-concurrency"),
    "concurrency 5": (but(function={"reserved": 5}), "yes", None, "flowing"),
    "no notification": (but(function={"is_triggered": False}), "no", "function", "the bucket's notification"),
    "another trigger": (but(function={"is_triggered": None}), "yes", None, "flowing"),
    "each run fails": (but(function={"runs": 2, "errors": 2}, raw={"waiting": 1, "oldest_waiting": ago(1)}), "no", "function", "each of its 2 runs: see the log group /aws/lambda/clickstream-raw-to-processed-dev. What waits: 1 raw object, the oldest for 1 second"),
    "runs began to fail": (but(function={"errors": 9}, **STUCK), "no", "function", "the function fails, 9 of 290 runs"),
    "throttled": (but(function={"throttles": 9}, **STUCK), "no", "function", "the function is throttled"),
    "not invoked": (but(function={"runs": 0, "mean_seconds": None}, **STUCK), "no", "function", "nobody invokes the function"),
    "finishes nothing": (but(**STUCK), "no", "function", "the function runs, and finishes none. What waits: 3 raw objects, the oldest for 1 minute"),
    "slow, as it always is": (but(function={"mean_seconds": 60.0}, **STUCK), "yes", None, "flowing"),
    "every record fails": (but(processed={"good": 0, "duplicate": 0, "failed": 600, "failures": {"decode_error": 1, "missing_field": 599}}), "no", "processed", "no record becomes an event: missing_field 599, decode_error 1"),
    "no partition": (but(tables={"is_registered": False}), "no", "tables", "Glue has no partition year=2025/month=11/day=26"),
    "workgroup off": (but(tables={"workgroup": "DISABLED"}), "no", "tables", "workgroup clickstream-dev is DISABLED"),
    "no workgroup": (but(tables={"workgroup": None}), "no", "tables", "workgroup clickstream-dev is gone"),
    "some wait": (but(raw=WAITS), "partly", "function", "ago. But not all of it is processed. What waits: 3 raw objects, the oldest for 1 minute; see"),
    "dead letters": (but(dead_letters=2), "partly", "dead_letters", "But 2 invocations failed for good: clicklake replay --dlq."),
    "dead letters, and nothing sent": (but(QUIET, dead_letters=1), "partly", "dead_letters", "is processed. But 1 invocation failed for good"),
    "delivery errors": (but(raw={"delivery_errors": 1}), "partly", "raw", "everything as it was: 1 object under its error prefix"),
    "no queue": (but(dead_letters=None), "yes", None, "flowing"),
}  # fmt: skip

NOTES: dict[str, tuple[Numbers, str]] = {
    "throttled senders": (but(firehose={"throttled": 3}), "The stream was at its limit, and refused 3 records."),
    "some attempts fail": (but(firehose={"success": 0.75}), "25% of the attempts to deliver failed, and were repeated."),
    "some runs fail": (but(function={"errors": 1}), "1 of 290 runs failed."),
    "some runs wait": (but(function={"throttles": 1}), "The function was throttled 1 time."),
    "some records fail": (but(processed={"failed": 60, "failures": {"too_large": 60}}), "10% of the records failed: too_large 60."),
    "few records fail": (but(processed={"failed": 1, "failures": {"too_large": 1}}), "Less than 1% of the records failed: too_large 1."),
    "nearly all attempts fail": (but(firehose={"success": 0.002}), "More than 99% of the attempts to deliver failed, and were repeated."),
}  # fmt: skip


@pytest.mark.parametrize(("numbers", "flowing", "stops_at", "says"), CASES.values(), ids=CASES)
def test_the_sentence_is_of_the_numbers(numbers: Numbers, flowing: str, stops_at: str | None, says: str) -> None:
    verdict = judge(numbers, NAMES)
    assert (verdict.flowing, verdict.stops_at) == (flowing, stops_at)
    assert says in verdict.sentence
    assert verdict.is_well == (stops_at is None)


@pytest.mark.parametrize(("numbers", "says"), NOTES.values(), ids=NOTES)
def test_what_stops_nothing_is_a_note(numbers: Numbers, says: str) -> None:
    verdict = judge(numbers, NAMES)
    assert verdict.is_well
    assert verdict.notes == (says,)


def test_each_rule_has_a_case_of_its_own() -> None:
    all_numbers = [case[0] for case in CASES.values()] + [note[0] for note in NOTES.values()]
    firsts = [next((rule for rule in RULES if rule.applies(numbers)), None) for numbers in all_numbers]
    assert {id(rule) for rule in RULES} == {id(rule) for rule in firsts if rule}


def test_what_follows_from_a_stop_is_not_said_again() -> None:
    broken = but(
        function={"runs": 2, "errors": 2, "reserved": 0}, raw={"waiting": 1, "oldest_waiting": ago(90)}, dead_letters=1
    )
    assert judge(broken, NAMES).notes == ("1 invocation failed for good: clicklake replay --dlq.",)


# --- on a lake that breaks -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[ProvenLake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("status") / "data")):
        yield ProvenLake(endpoint)


def status(lake: ProvenLake, says: str) -> Said:
    """Once the sentence says so."""

    def asked() -> Said | None:
        said = lake.run("clicklake status --json")
        return said if says in said.document["sentence"] else None

    found = eventually(asked)
    assert found, lake.run("clicklake status").out
    assert not undescribed(found.document, "status.md")
    return found


def send(lake: ProvenLake, count: int = 2) -> None:
    records = [{"Data": b'{"event_type":"click"}\n'}] * count
    lake.endpoint.client("firehose").put_record_batch(DeliveryStreamName=NAMES.delivery_stream, Records=records)


def masked(text: str) -> str:
    """Numbers differ."""
    return re.sub(r"\d[\d,.]*(e-\d+)?( seconds?)?", "#", text)


def test_a_lake_from_its_first_record_to_its_end(lake: ProvenLake) -> None:
    """One after the other, for an endpoint's minute of metrics is the same for all of them."""
    function, s3, glue = (lake.endpoint.client(name) for name in ("lambda", "s3", "glue"))
    name = {"FunctionName": NAMES.function}
    page, page_broken = (printed for _, printed in console("status.md"))
    assert status(lake, "Nothing was sent in the last 24 hours").code == 0

    # A function that always fails
    variables = function.get_function_configuration(**name)["Environment"]
    function.update_function_event_invoke_config(**name, MaximumRetryAttempts=0)
    function.update_function_configuration(**name, Environment={"Variables": {"CLICKLAKE_PROCESSED_FORMAT": "xml"}})
    send(lake)
    said = status(lake, "the function fails, each of its 1 run")
    assert (said.code, said.document["stops_at"], said.document["raw"]["waiting"]) == (1, "function", 1)
    function.update_function_configuration(**name, Environment=variables)

    # Data flows again, and what failed for good waits in the queue
    send(lake)
    said = status(lake, "But 1 invocation failed for good")
    assert (said.code, said.document["flowing"], said.document["stops_at"]) == (1, "partly", "dead_letters")
    assert said.document["dead_letters"] == 1
    assert lake.run("clicklake replay --dlq").code == 0
    said = status(lake, "the newest could be queried")
    assert (said.code, said.document["flowing"]) == (0, "yes")
    assert said.document["processed"] | {"newest": None} == {
        "objects": 2,
        "records": 4,
        "good": 4,
        "duplicate": 0,
        "failed": 0,
        "failures": {},
        "newest": None,
    }
    assert masked(lake.run("clicklake status").out) == masked(page)

    # Concurrency 0
    function.put_function_concurrency(**name, ReservedConcurrentExecutions=0)
    said = lake.run("clicklake status")
    assert (said.code, masked(said.out)) == (1, masked(page_broken))
    function.delete_function_concurrency(**name)

    # No notification
    trigger = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration={})
    assert status(lake, "the bucket's notification").code == 1
    kept = {"LambdaFunctionConfigurations": trigger["LambdaFunctionConfigurations"]}
    s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=kept)

    # No partition
    where = {"DatabaseName": NAMES.database, "TableName": PIPELINE.tables.events.name}
    (partition,) = glue.get_partitions(**where)["Partitions"]
    glue.delete_partition(**where, PartitionValues=partition["Values"])
    assert status(lake, "Glue has no partition").code == 1
    glue.create_partition(**where, PartitionInput={k: partition[k] for k in ("Values", "StorageDescriptor")})
    assert status(lake, "the newest could be queried").code == 0
    watches(lake)

    # No bucket, then no stream
    for each in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)
    assert status(lake, "the lake's bucket is gone").code == 1
    lake.endpoint.client("firehose").delete_delivery_stream(DeliveryStreamName=NAMES.delivery_stream)
    assert status(lake, "there is no delivery stream").code == 1
    lake.endpoint.stop()
    try:
        assert lake.run("clicklake status").code == 3
    finally:
        lake.endpoint.start()


def watches(lake: ProvenLake) -> None:
    """On a pipe a line each time; Ctrl-C is no error."""
    command = [sys.executable, "-m", "clicklake", "status", "--watch", "1"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=lake.endpoint.environment()
    )
    assert process.stdout
    for _ in range(2):
        assert re.fullmatch(r"\d\d:\d\d:\d\d  Data is flowing: .+\n", process.stdout.readline())
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[1].startswith("laptop")
    assert process.returncode == 130
