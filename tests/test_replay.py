"""`clicklake replay`: what another function made, made again by the present one: each once, and none twice."""

import gzip
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from clicklake import pipeline
from clicklake.dead_letters import FailureQueue
from clicklake.replay import Present
from endpoint_process import eventually, running
from proven_lake import BUCKET, GOOD, NAMES, ROOT, ProvenLake, Said, console, content, forbidden

FUNCTION = NAMES.function


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[ProvenLake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("replay") / "data")):
        client = endpoint.client("lambda")
        client.put_function_event_invoke_config(FunctionName=FUNCTION, MaximumRetryAttempts=0, DestinationConfig=QUEUE)
        yield ProvenLake(endpoint)


QUEUE = {"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{NAMES.failure_queue}"}}


def deploy(lake: ProvenLake, **variables: str | None) -> None:
    """The function with other environment variables, None for none of that name: another function by that."""
    client = lake.endpoint.client("lambda")
    now = client.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    wanted = {name: value for name, value in (now | variables).items() if value is not None}
    client.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": wanted})
    client.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION)


def without_an_alias(folder: Path) -> str:
    """A pipeline file that does not know that `event` may mean `event_type`."""
    document = json.loads(pipeline.FILE.read_text())
    (field,) = (field for field in document["fields"] if field["name"] == "event_type")
    field["aliases"] = []
    file = folder / "pipeline.json"
    file.write_text(json.dumps(document))
    return str(file)


def event_ids(lake: ProvenLake) -> list[str]:
    sql = "SELECT event_id FROM clickstream_events ORDER BY event_id"
    return [row["event_id"] for row in lake.run(f"clicklake query --json '{sql}'").document["rows"]]


def messages(lake: ProvenLake) -> int:
    return FailureQueue(lake.lake).size()


@pytest.fixture(scope="module")
def sent(lake: ProvenLake, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The ids of events that a function saw which did not know a name of their type, so that they failed; a raw object
    of other events beside. Now there is another function, that knows."""
    deploy(lake, CLICKLAKE_PIPELINE=without_an_alias(tmp_path_factory.mktemp("without")))
    events = [{"event": "click", "event_id": f"a-{number}"} for number in range(GOOD)]
    lake.put_and_wait("24", "a.gz", gzip.compress(b"".join(json.dumps(event).encode() + b"\n" for event in events)))
    lake.put_and_wait("26", "c.gz", content("c"))
    deploy(lake, CLICKLAKE_PIPELINE=None)
    return [f"{name}-{number}" for name in "ac" for number in range(GOOD)]


def test_the_page_shows_how_failed_records_become_events_under_the_ids_they_were_sent_with(
    lake: ProvenLake, sent: list[str]
) -> None:
    look, run, letters = console("replay.md")
    assert lake.run(look[0]) == Said(0, look[1], ANY)
    assert event_ids(lake) == sent[GOOD:]
    assert lake.run(run[0]) == Said(0, run[1], ANY)
    assert event_ids(lake) == sent
    with forbidden(lake, "letter"):
        lake.put("26", "letter.gz", content("letter"))
        assert eventually(lambda: messages(lake) == 1)
    assert lake.run(letters[0]) == Said(0, letters[1], ANY)
    assert messages(lake) == 0


def moment_between_seconds() -> datetime:
    """One that no object has, for S3 has whole seconds: what is written later is written in a later one."""
    began = datetime.now(UTC)
    while datetime.now(UTC) < began.replace(microsecond=0) + timedelta(seconds=1):
        time.sleep(0.05)
    return began


def test_what_is_done_since_a_moment_is_left_alone(lake: ProvenLake, sent: list[str]) -> None:
    since = f"--since {moment_between_seconds().isoformat()} --json --parallel 1"
    assert lake.run(f"clicklake replay --to 2025-11-25 --rate 100 {since}").document["processed"] == 1
    document = lake.run(f"clicklake replay --from 2025-11-24 {since}").document
    assert (document["done_before"], document["processed"]) == (1, len(list(lake.lake.raw_objects())) - 1)


@pytest.mark.minutes
def test_a_replay_that_was_killed_goes_on_where_it_was_and_doubles_nothing(lake: ProvenLake, sent: list[str]) -> None:
    before, began = event_ids(lake), moment_between_seconds()
    since = ["--since", began.isoformat()]
    command = [sys.executable, "-m", "clicklake", "replay", "--from", "2025-11-24", "--rate", "0.2", *since]
    process = subprocess.Popen(command, env=lake.endpoint.environment(), stderr=subprocess.DEVNULL)
    assert eventually(lambda: any(row.modified > began for row in lake.lake.objects("ledger")))
    process.send_signal(signal.SIGKILL)
    process.wait()
    document = lake.run(f"clicklake replay --from 2025-11-24 --json {' '.join(since)}").document
    assert document["done_before"] >= 1
    assert document["processed"] + document["done_before"] == len(list(lake.lake.raw_objects()))
    assert event_ids(lake) == sorted({*before, *sent}), "and what had failed is recovered, if no test before did so"


def test_a_message_goes_unless_it_is_about_no_raw_object_or_its_run_fails_again(lake: ProvenLake) -> None:
    sqs = lake.endpoint.client("sqs")
    url = sqs.get_queue_url(QueueName=NAMES.failure_queue)["QueueUrl"]
    gone, elsewhere = (event(*where) for where in ((BUCKET, "raw/gone+away.gz"), ("b", "raw/c")))
    for body in ("no JSON", json.dumps(gone), json.dumps({"requestPayload": elsewhere})):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    with forbidden(lake, "twice"):
        raw_key = lake.put("26", "twice.gz", content("twice")).raw_key
        assert eventually(lambda: messages(lake) == 4)
        looked = lake.run("clicklake replay --dlq --dry-run --json").document
        said = lake.run("clicklake replay --dlq --json --parallel 1")
    assert (sorted(looked["raw_keys"]), looked["processed"]) == (["raw/gone away.gz", raw_key], 0)
    assert (said.code, [failed["raw_key"] for failed in said.document["failed"]]) == (1, [raw_key])
    assert (said.document["gone"], said.document["messages"]["deleted"]) == (1, 1)
    problems = {left["problem"] for left in said.document["messages"]["left"]}
    assert problems == {"its run failed", "it is about s3://b/raw/c", "it is no record of an invocation by S3"}
    assert messages(lake) == 3
    assert lake.run("clicklake replay --dlq --json --parallel 1").document["messages"]["deleted"] == 1
    assert messages(lake) == 2


def event(bucket: str, key: str) -> dict[str, Any]:
    """What S3 tells Lambda of an object."""
    return {"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}


def test_the_page_names_every_field_of_the_document(lake: ProvenLake, sent: list[str]) -> None:
    page = (ROOT / "docs" / "replay.md").read_text()
    document = lake.run("clicklake replay --from 2025-11-24 --dry-run --json").document
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(document)


# --- what is done, and usage -----------------------------------------------------------------------------------------

NOON = datetime(2025, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("raw", "row", "is_done"),
    [
        (-60, -59, False),  # written before the deployment
        (-60, 4, False),  # by a run that had begun before it, perhaps
        (-60, 6, True),  # none of before was left by then
        (1, 2, True),  # what came since
    ],
)
def test_a_ledger_row_is_the_present_functions_if_no_run_of_before_can_have_written_it(
    raw: int, row: int, is_done: bool
) -> None:
    present = Present(NOON, timeout=5 * MINUTE)
    assert present.wrote(NOON + row * MINUTE, NOON + raw * MINUTE) == is_done


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ("", "name days (--from, --to), --failed or --dlq"),
        ("--dlq --failed", "leave out days, --failed and --since"),
        ("--from 2025-11-26 --type too_large", "--type needs --failed"),
        ("--from 2025-11-26 --to 2025-11-25", "is after"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(lake: ProvenLake, options: str, hint: str) -> None:
    said = lake.run(f"clicklake replay {options}")
    assert (said.code, said.out) == (2, "")
    assert hint in said.err.splitlines()[-1]


@pytest.mark.parametrize("options", ["--rate 0", "--rate x", "--since soon", "--failed --type none"])
def test_an_option_of_another_form_is_wrong_usage(lake: ProvenLake, options: str) -> None:
    with pytest.raises(SystemExit) as ended:
        lake.run(f"clicklake replay {options}")
    assert ended.value.code == 2
