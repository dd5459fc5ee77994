"""`clicklake tail`: each event is shown once, soon after it landed, and each failed record with its reason."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from clicklake import tail
from clicklake.processed_rows import rows
from clicklake.recent import Span, recent
from clicklake.tail import Asked, Follower, Landed
from clicklake.transform.keys import Place
from endpoint_process import eventually, running
from proven_lake import BUCKET, NAMES, ProvenLake, console, content
from typed_pages import undescribed

AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
AGENT += "Mobile/15E148 Safari/604.1"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[ProvenLake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("tail") / "data")):
        yield ProvenLake(endpoint)


def put(lake: ProvenLake, now: datetime, name: str, body: bytes = b"") -> Place:
    """A raw object that landed now, and what the function makes of it."""
    key = f"raw/{now:year=%Y/month=%m/day=%d}/clicks-1-{now:%Y-%m-%d-%H-%M-%S}-{name}.json"
    lake.s3().put_object(Bucket=BUCKET, Key=key, Body=body or content(name))
    where = lake.place(key)
    lake.process([where])
    return where


def poll(follower: Follower) -> list[Landed]:
    return list(follower.poll(datetime.now(UTC)))


def ids(found: list[Landed]) -> list[str]:
    return [landed.event_id or f"{landed.failure_type} {landed.record_index}" for landed in found]


def named(name: str) -> list[str]:
    return [f"{name}-0", f"{name}-1", f"{name}-2", "decode_error 3"]


def test_what_was_there_is_not_shown_and_what_lands_is_shown_once_in_its_order(lake: ProvenLake) -> None:
    put(lake, datetime.now(UTC), "before")
    follower = Follower(lake.lake, Asked(), rows)
    assert poll(follower) == []
    put(lake, datetime.now(UTC), "first")
    put(lake, datetime.now(UTC), "second")
    assert ids(poll(follower)) == named("first") + named("second")
    assert poll(follower) == []


def test_an_object_that_is_processed_again_shows_only_what_had_failed_before(lake: ProvenLake) -> None:
    """Its bytes change here, as a mended processor would change what it makes of them."""
    follower = Follower(lake.lake, Asked(), rows)
    poll(follower)
    where = put(lake, datetime.now(UTC), "again")
    assert ids(poll(follower)) == named("again")
    lake.process([where])
    assert poll(follower) == []
    mended = b"".join(b'{"event_type":"click","event_id":"again-%d"}\n' % n for n in range(4))
    lake.s3().put_object(Bucket=BUCKET, Key=where.raw_key, Body=mended)
    lake.process([where])
    assert ids(poll(follower)) == ["again-3"]
    lake.s3().put_object(Bucket=BUCKET, Key=where.raw_key, Body=mended.replace(b'"event_type":"click",', b"", 1))
    lake.process([where])
    assert ids(poll(follower)) == ["missing_field 0"]


def test_failed_records_alone_need_no_processed_object(lake: ProvenLake) -> None:
    follower = Follower(lake.lake, Asked(only_failed=True), lambda _: pytest.fail("was read"))
    poll(follower)
    where = put(lake, datetime.now(UTC), "failed", b'{"event_type":"click"}\n{"a":1}\nrubbish\n')
    found = poll(follower)
    assert ids(found) == ["missing_field 1", "decode_error 2"]
    assert {landed.raw_key for landed in found} == {where.raw_key}


def test_one_event_type(lake: ProvenLake) -> None:
    follower = Follower(lake.lake, Asked(event_type="buy"), rows)
    poll(follower)
    put(lake, datetime.now(UTC), "types", b'{"event_type":"click"}\n{"event_type":"buy","event_id":"b"}\nrubbish\n')
    assert ids(poll(follower)) == ["b"]


def test_midnight_is_no_gap(lake: ProvenLake) -> None:
    """Days that the endpoint's clock does not have: the names alone say when it is."""
    late = datetime(2031, 12, 31, 23, 59, 58, tzinfo=UTC)
    follower = Follower(lake.lake, Asked(), rows)
    assert list(follower.poll(late)) == []
    put(lake, late, "old")
    put(lake, late + timedelta(seconds=3), "new")
    assert sorted(ids(list(follower.poll(late + timedelta(seconds=4))))) == sorted(named("old") + named("new"))
    put(lake, late - timedelta(seconds=5), "late")
    assert ids(list(follower.poll(late + timedelta(seconds=30)))) == named("late")


def test_what_was_processed_late_is_found_by_a_sweep(lake: ProvenLake) -> None:
    clock = [0.0]
    follower = Follower(lake.lake, Asked(), rows, lambda: clock[0])
    poll(follower)
    put(lake, datetime.now(UTC) - timedelta(hours=5), "late")
    assert poll(follower) == []
    clock[0] += 31
    assert ids(poll(follower)) == named("late")
    assert poll(follower) == []


def test_the_newest_names_of_a_day_are_found_behind_many_older_ones(lake: ProvenLake) -> None:
    """More than a page of each of two streams, and names without a time."""
    folder, s3 = "athena-results/year=2030/month=01/day=01/", lake.s3()
    old = [f"a-1-2030-01-01-10-{n // 60:02}-{n % 60:02}-x.gz" for n in range(110)]
    new = ["a-1-2030-01-01-11-00-00-x.gz", "b-1-2030-01-01-11-00-01-x.gz", "by-hand.gz"]
    for name in [*old, "b-1-2030-01-01-10-00-00-x.gz", *new]:
        s3.put_object(Bucket=BUCKET, Key=folder + name, Body=b"")
    span = Span(datetime(2030, 1, 1, 11, 0, 0, 400_000, UTC), datetime(2030, 1, 1, 11, 1, tzinfo=UTC))
    found = [stored.key.removeprefix(folder) for stored in recent(lake.lake, "athena-results/", span)]
    assert found == new


def run_tail(lake: ProvenLake, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "clicklake", "tail", *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=lake.endpoint.environment()
    )


def test_an_event_is_shown_within_two_seconds_of_landing_and_ctrl_c_ends_it(lake: ProvenLake) -> None:
    process = run_tail(lake, "--json")
    assert process.stdout
    assert process.stderr
    assert process.stderr.readline().startswith("laptop")
    assert process.stderr.readline().startswith("following")
    put(lake, datetime.now(UTC), "soon")
    landed = time.monotonic()
    found = [json.loads(process.stdout.readline()) for _ in range(4)]
    assert time.monotonic() - landed < 2
    assert [each["event_id"] for each in found] == [*(f"soon-{n}" for n in range(3)), None]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (out, err, process.returncode) == ("", "", 130)


def test_json_is_as_the_page_says(lake: ProvenLake) -> None:
    put(lake, datetime.now(UTC), "typed", content("typed", event_type="typed", user_id="u1", app_id="shop"))
    for only, kind in (("--event-type typed --count 3", "event"), ("--failed --count 1", "failed")):
        said = lake.run(f"clicklake tail --since 1h --json {only}")
        for document in map(json.loads, said.out.splitlines()):
            assert document["kind"] == kind
            assert not undescribed(document, "tail.md")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--failed --event-type click", "a failed record has no event type"),
        ("--environment nowhere", "EntityNotFoundException"),
    ],
)
def test_what_can_not_be_is_one_line(lake: ProvenLake, options: str, says: str) -> None:
    said = lake.run(f"clicklake tail {options}")
    assert said.code in {2, 4}
    assert says in said.err.splitlines()[-1]


def test_a_text_of_a_sender_can_not_move_the_cursor(lake: ProvenLake) -> None:
    put(lake, datetime.now(UTC), "cursor", b'{"event_type":"\\u001b[2Jclick"}\n')
    said = lake.run("clicklake tail --since 1h --event-type \x1b[2Jclick --count 1")
    assert "\x1b" not in said.out
    assert r"\x1b[2Jclick" in said.out


# --- the page --------------------------------------------------------------------------------------------------------


def sent_for_the_page() -> list[dict[str, str]]:
    """One line each; the sender's clock is right, and the second was offline for an hour."""
    now = datetime.now(UTC)
    seen = {"user_agent": AGENT, "page_url": "https://shop.example/en/shoes/trail"}
    return [
        {"event_type": "page_view", "event_time": now.isoformat(), "anonymous_id": "a-93f1c2", **seen},
        {"event_type": "app_open", "event_time": (now - timedelta(hours=1)).isoformat(), "user_id": "u-4711"},
        {"event_name": "", "page_url": "https://shop.example/en/cart"},
        {
            "event_type": "page_view",
            "event_time": now.isoformat(),
            "user_agent": "curl/8.5.0",
            "page_url": "https://shop.example/robots.txt",
        },
    ]


def masked(text: str) -> str:
    """What is another each time: times, and the ids and hashes that are made from them or from this endpoint's key."""
    for pattern in (
        r"\d{4}-\d\d-\d\d[T -]",
        r"\d\d[:-]\d\d[:-]\d\d(\.\d{3}Z?)?",
        r"[0-9a-f-]{32,}",
        r"(?<=u:)\w{8}",
        r"=\d+",
        r"(lag |lag_seconds\": )\d+",
    ):
        text = re.sub(pattern, "#", text)
    return text


def test_the_page_is_true(lake: ProvenLake) -> None:
    for key in lake.keys("ledger/"):
        lake.s3().delete_object(Bucket=BUCKET, Key=key)
    records = [{"Data": json.dumps(event).encode() + b"\n"} for event in sent_for_the_page()]
    lake.endpoint.client("firehose").put_record_batch(DeliveryStreamName=NAMES.delivery_stream, Records=records)
    assert eventually(lambda: lake.keys("ledger/"))
    for command, printed in console("tail.md"):
        assert masked(lake.run(command).out) == masked(printed), command


def test_an_outage_is_waited_for_and_leaves_no_gap(lake: ProvenLake) -> None:
    follower, outages = Follower(lake.lake, Asked(), rows), list[str]()

    def sleep(_: float) -> None:
        if not outages:
            lake.endpoint.kill()
        else:
            lake.endpoint.revive()
            put(lake, datetime.now(UTC), "after")

    follow = tail.follow(follower, 0, lambda error: outages.append(error.problem), lambda: datetime.now(UTC), sleep)
    found = [landed for landed in islice(follow, 7) if landed]
    assert ids(found) == named("after")
    assert len(outages) == 1
