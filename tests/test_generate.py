"""`clicklake generate`: the same options give the same bytes, the truth stands beside, and live each has its time."""

import gzip
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clicklake import cli
from clicklake.generate import Order, drawn, due
from endpoint_process import EndpointProcess, clean_environment
from test_cli import run

PAGE = (Path(__file__).parent.parent / "docs" / "generate.md").read_text()


def test_the_same_options_give_the_same_bytes_and_another_seed_others() -> None:
    """Whatever the hashes of a process are: here it is another process."""
    one = run("generate", "--events", "200", "--seed", "5", PYTHONHASHSEED="1").stdout.encode()
    again, other = (b"".join(record.data for record, _ in drawn(Order(events=200, seed=seed))) for seed in (5, 6))
    assert one == again != other


def test_the_truth_has_a_line_for_each_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, told_to = str(tmp_path / "e.ndjson.gz"), str(tmp_path / "t.ndjson")
    assert cli.main(["generate", "--events", "300", "--out", out, "--truth", told_to, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    events = gzip.decompress((tmp_path / "e.ndjson.gz").read_bytes()).splitlines()
    told = [json.loads(line) for line in (tmp_path / "t.ndjson").read_text().splitlines()]
    assert len(events) == len(told) == made["records"] == 300
    assert set(made) == {"records", "bytes", "good", "late", "repeat", "malformed", "seed", "start"}
    assert made["good"] + made["late"] + made["repeat"] + made["malformed"] == 300
    for event, line in zip(events, told, strict=True):
        if line["kind"] != "malformed":
            assert json.loads(event)["event_id"] == line["event_id"]
    assert set(told[0]) == set(re.findall(r"`(\w+)`", _column(PAGE.partition("## The truth")[2]))) | {"version"}


def _column(table: str) -> str:
    """The first cells of its rows."""
    return "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))


def test_the_time_alone_may_say_when_to_stop() -> None:
    order = Order(seconds=30, rate=10)
    sent = [record.at - order.start.timestamp() for record, _ in drawn(order)]
    assert 0 < sent[0] < sent[-1] < 30
    assert len(sent) > 50


def test_a_file_may_begin_some_time_ago(tmp_path: Path) -> None:
    out = str(tmp_path / "events")
    assert cli.main(["generate", "--events", "20", "--clean", "--start", "10m ago", "--out", out]) == 0
    first = json.loads(Path(out).read_text().splitlines()[0])
    ago = datetime.now(UTC) - datetime.fromisoformat(first["sent_time"])
    assert 540 < ago.total_seconds() < 660


def test_clean_traffic_has_nothing_wrong_in_it() -> None:
    told = [line for _, line in drawn(Order(events=2000, clean=True))]
    assert {line["kind"] for line in told} == {"good"}
    assert {line["clock"] for line in told} == {"right"}
    assert not any(line["drift"] or line["one_id"] for line in told)


def test_live_no_record_is_sent_before_its_time_nor_long_after() -> None:
    order = Order(datetime(2026, 5, 1, tzinfo=UTC), seconds=20, rate=50)
    now = order.start.timestamp() - 1

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    sent = [(now, record) for batch in due(drawn(order), lambda: now, sleep) for record, _ in batch]
    assert [record for _, record in sent] == [record for record, _ in drawn(order)]
    assert all(0 <= at - record.at <= 0.5 for at, record in sent)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--send", "--out", "x"), "exclude each other"),
        (("--send", "--oversized", "0.1"), "no record longer"),
        (("--json",), "add --out FILE"),
        (("--truth", "nowhere/truth.ndjson"), "can't be written"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["generate", "--events", "1", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


@pytest.mark.parametrize("option", ["--duration=10", "--duration=0s", "--rate=0", "--start=soon", "--oversized=2"])
def test_an_option_that_is_none_is_refused(option: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["generate", option])
    assert ended.value.code == 2


def test_the_pages_examples_print_what_it_says(tmp_path: Path) -> None:
    (console,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    program = f'clicklake() {{ "{sys.executable}" -m clicklake "$@"; }}\n'
    for example in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, _, printed = example.partition("\n")
        done = subprocess.run(
            ["bash", "-c", f"exec 2>&1\n{program}{command}"],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert sorted(done.stdout.splitlines()) == sorted(printed.splitlines()), command


def test_with_send_the_records_reach_the_stream_and_the_truth_says_which(
    endpoint: EndpointProcess, tmp_path: Path
) -> None:
    stream = "generated"
    role, bucket = "arn:aws:iam::123456789012:role/firehose", "generated"
    endpoint.client("s3").create_bucket(Bucket=bucket)
    destination = {
        "RoleARN": role,
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
    }
    endpoint.client("firehose").create_delivery_stream(
        DeliveryStreamName=stream, ExtendedS3DestinationConfiguration=destination
    )
    options = ("--send", "--stream", stream, "--events", "100", "--rate", "500", "--truth", "t", "--json")
    done = run("generate", *options, cwd=tmp_path, **endpoint.environment())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["records"] == 100
    assert len((tmp_path / "t").read_text().splitlines()) == 100
    assert "laptop" in done.stderr
