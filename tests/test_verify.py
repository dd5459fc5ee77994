"""`clicklake verify`: each kind of planted damage is found and named, what can be mended is, and all else is left."""

import gzip
import json
import random
import re
import shlex
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from unittest.mock import ANY

import pytest

from clicklake import __version__
from clicklake.catalog import Document
from clicklake.lake import Days
from clicklake.transform.keys import Place
from clicklake.verify.counting import Counting, findings
from clicklake.verify.expiry import expires
from clicklake.verify.findings import Finding, Kind, Partition
from endpoint_process import running
from proven_lake import BUCKET, GOOD, NAMES, PIPELINE, ROOT, ProvenLake, Said, console, content, forbidden

EVENTS, FAILED, LEDGER = (table.name for table in PIPELINE.tables)
# Days of November 2025: those whose files can't be read any more, those whose rows are counted, those of which the
# partitions are wrong; one for chance, one for tests on a sound day, the page's, and one that is busy.
FILES, ROWS, MOVED, CHANCE, OWN, PAGE, COMING = "21", "22", "23", "24", "25", "26", "27"
DAY = Days(date(2025, 11, 25), date(2025, 11, 25))


class Damage:
    """What is planted on one raw object each, by its name; `self.expected` becomes what must be found."""

    def __init__(self, lake: ProvenLake) -> None:
        self.lake, self.s3 = lake, lake.s3()
        self.glue = lake.endpoint.client("glue")
        self.expected: dict[Kind, str] = {}

    def plant(self) -> None:
        names = [name for name in dir(self) if name.startswith(("files_", "rows_"))]
        days = {"files": FILES, "rows": ROWS}
        # Without .gz at its end nobody processes a raw object but we, so that what is planted stays.
        where = {name: self.lake.put(days[name.partition("_")[0]], f"{name}.json", content(name)) for name in names}
        moved = self.lake.put(MOVED, "moved.json", content("moved"))
        self.lake.process([*where.values(), moved])
        for name, place in where.items():
            kind, key = getattr(self, name)(place)
            self.expected[kind] = key
        self.of_days()

    def delete(self, key: str) -> str:
        self.s3.delete_object(Bucket=BUCKET, Key=key)
        return key

    def change(self, key: str, how: Callable[[bytes], bytes], to: str | None = None) -> str:
        body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        self.s3.put_object(Bucket=BUCKET, Key=to or key, Body=how(body))
        return to or key

    def change_row(self, key: str, **numbers: int) -> str:
        def changed(body: bytes) -> bytes:
            row = json.loads(gzip.decompress(body))
            return gzip.compress(json.dumps(row | {name: row[name] + by for name, by in numbers.items()}).encode())

        return self.change(key, changed)

    # --- files ---

    def files_missing(self, place: Place) -> tuple[Kind, str]:
        return "processed_missing", self.delete(place.processed["parquet"])

    def files_cut_off(self, place: Place) -> tuple[Kind, str]:
        return "processed_damaged", self.change(place.processed["parquet"], lambda body: body[:-100])

    def files_failed_missing(self, place: Place) -> tuple[Kind, str]:
        return "failed_missing", self.delete(place.failed)

    def files_failed_rotten(self, place: Place) -> tuple[Kind, str]:
        """Of the same size, so that only its bytes tell."""
        return "failed_damaged", self.change(place.failed, lambda body: body[:-8] + bytes(8))

    def files_twin(self, place: Place) -> tuple[Kind, str]:
        return "left_over", self.change(place.failed, bytes, to=place.processed["json"])

    def files_without_raw_object(self, place: Place) -> tuple[Kind, str]:
        key = place.processed["parquet"]
        return "orphan", self.change(key, bytes, to=key.replace("without_raw_object", "copied_by_hand"))

    def files_never_processed(self, place: Place) -> tuple[Kind, str]:
        for key in (place.processed["parquet"], place.failed, place.ledger):
            self.delete(key)
        return "unprocessed", place.raw_key

    # --- ledger, raw objects and rows ---

    def rows_ledger_lost(self, place: Place) -> tuple[Kind, str]:
        return "ledger_lost", self.delete(place.ledger)

    def rows_ledger_unreadable(self, place: Place) -> tuple[Kind, str]:
        return "ledger_unreadable", self.change(place.ledger, lambda _: gzip.compress(b"{}\n"))

    def rows_ledger_wrong(self, place: Place) -> tuple[Kind, str]:
        return "ledger_wrong", self.change_row(place.ledger, good=1)

    def rows_ledger_says_less(self, place: Place) -> tuple[Kind, str]:
        """Sums that hold, of rows that are not there."""
        self.change_row(place.ledger, records_in=1, good=1, processed_rows=1)
        return "rows_differ", place.processed["parquet"]

    def rows_raw_changed(self, place: Place) -> tuple[Kind, str]:
        return "raw_changed", self.change(place.raw_key, lambda _: content("changed", page_title="another"))

    def rows_raw_deleted(self, place: Place) -> tuple[Kind, str]:
        return "raw_missing", self.delete(place.raw_key)

    def rows_ledger_copied(self, place: Place) -> tuple[Kind, str]:
        key = place.ledger
        return "orphan_ledger", self.change(key, bytes, to=key.replace("ledger_copied", "second"))

    # --- days and what is nobody's ---

    def of_days(self) -> None:
        self.glue.delete_partition(DatabaseName=NAMES.database, TableName=FAILED, PartitionValues=["2025", "11", MOVED])
        self.expected["partition_missing"] = f"{FAILED} year=2025/month=11/day={MOVED}"
        self.change_partition(EVENTS, Location=f"s3://{BUCKET}/processed/year=2025/month=11/day={ROWS}/")
        self.expected["partition_location"] = f"{EVENTS} year=2025/month=11/day={MOVED}"
        self.change_partition(LEDGER, Columns=[{"Name": "raw_key", "Type": "string"}])
        self.expected["partition_columns"] = f"{LEDGER} year=2025/month=11/day={MOVED}"
        key = f"firehose-errors/format-conversion-failed/year=2025/month=11/day={MOVED}/x.gz"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
        self.expected["delivery_error"] = key
        sqs = self.lake.endpoint.client("sqs")
        url = sqs.get_queue_url(QueueName=NAMES.failure_queue)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="{}")
        self.expected["dead_letters"] = NAMES.failure_queue

    def change_partition(self, table: str, **storage: Any) -> None:
        where = {"DatabaseName": NAMES.database, "TableName": table}
        values = ["2025", "11", MOVED]
        found = self.glue.get_partition(**where, PartitionValues=values)["Partition"]["StorageDescriptor"]
        wanted: Document = {"Values": values, "StorageDescriptor": found | storage}
        self.glue.update_partition(**where, PartitionValueList=values, PartitionInput=wanted)


FOR_PEOPLE: set[Kind] = {"orphan", "orphan_ledger", "raw_missing", "delivery_error", "dead_letters"}
MENDED: set[Kind] = {
    *("processed_missing", "processed_damaged", "failed_missing", "failed_damaged", "left_over", "unprocessed"),
    *("ledger_lost", "ledger_unreadable", "ledger_wrong", "rows_differ", "raw_changed"),
    *("partition_missing", "partition_location", "partition_columns"),
}
OTHER_TESTS: set[Kind] = {"content_differs", "unreadable"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[ProvenLake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("verify") / "data")):
        yield ProvenLake(endpoint)


# --- days of their own, while nothing is wrong anywhere else ---------------------------------------------------------


def test_the_page_shows_what_is_printed(lake: ProvenLake) -> None:
    _, gone = (lake.put_and_wait(PAGE, name) for name in ("a.gz", "b.gz"))
    blocks = iter(console("verify.md"))
    command, expected = next(blocks)
    assert lake.run(command) == Said(0, expected, ANY)
    lake.s3().delete_object(Bucket=BUCKET, Key=gone.processed["parquet"])
    ((command, expected),) = blocks
    assert lake.run(command) == Said(0, expected, ANY)


OTHERS = {
    "user_key_id": "the key of user_key was another than here",
    "contract_sha256": "the pipeline file was another than here",
    "processor_version": f"clicklake 0 made other rows than {__version__} would",
}
"""What a ledger row may name that can't be compared with, and what is said then."""


@pytest.fixture(scope="module")
def mixed(lake: ProvenLake) -> Said:
    """A day with a sound raw object, one that is new, one that has expired, one whose row has another content than was
    written, and one for each of OTHERS."""
    sound, differs, *others = (lake.put(OWN, f"{name}.json", content(name)) for name in ("sound", "differs", *OTHERS))
    old = lake.put_and_wait(OWN, "old.gz")
    lake.process([sound, differs, *others])
    change_row(lake, differs, content_sha256="0" * 64)
    for name, where in zip(OTHERS, others, strict=True):
        change_row(lake, where, **{name: "0"})
    for version in lake.s3().list_object_versions(Bucket=BUCKET, Prefix=old.raw_key)["Versions"]:
        lake.s3().delete_object(Bucket=BUCKET, Key=old.raw_key, VersionId=version["VersionId"])
    lake.put(OWN, "late.json", content("late"))
    return lake.run(f"clicklake verify --json --from 2025-11-{OWN} --to 2025-11-{OWN} --rebuild")


def change_row(lake: ProvenLake, where: Place, **changes: str) -> None:
    body = gzip.compress(json.dumps(lake.row(where) | changes).encode())
    lake.s3().put_object(Bucket=BUCKET, Key=where.ledger, Body=body)


def test_what_is_younger_than_a_run_may_take_is_pending_and_no_gap(mixed: Said) -> None:
    (pending,) = mixed.document["pending"]
    assert pending.endswith("-late.json")


def test_a_raw_object_past_its_lifecycle_is_expired_and_no_gap(mixed: Said) -> None:
    """Its name says a year ago; it might be gone before its time if a version of it said that it came today."""
    assert mixed.document["expired"] == 1


def test_rebuild_finds_a_ledger_row_of_another_content_and_says_what_it_cannot_compare(mixed: Said) -> None:
    (finding,) = mixed.document["findings"]
    assert (mixed.code, finding["kind"], finding["repair"]) == (1, "content_differs", "process")
    assert finding["raw_key"].endswith("-differs.json")
    assert mixed.document["recomputed"] == 1
    assert sorted(mixed.document["unchecked"]) == sorted(f"{why}: 1 of the raw objects" for why in OTHERS.values())


@pytest.mark.minutes
def test_quick_reads_what_was_written_after_its_ledger_row(lake: ProvenLake, mixed: Said) -> None:
    s3, (where, *_) = lake.s3(), [raw.place for raw in lake.lake.raw_objects(DAY) if "-sound" in raw.place.raw_key]
    key = where.processed["parquet"]
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    while datetime.now(UTC) < s3.head_object(Bucket=BUCKET, Key=where.ledger)["LastModified"] + timedelta(seconds=1):
        time.sleep(0.05)  # S3 has whole seconds
    s3.put_object(Bucket=BUCKET, Key=key, Body=body[:50] + bytes([body[50] ^ 1]) + body[51:])
    said = lake.run(f"clicklake verify --json --from 2025-11-{OWN} --to 2025-11-{OWN} --quick --grace 0")
    assert kinds(said.document["findings"])["processed_damaged"] == key


@pytest.mark.minutes
@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_removed_cut_off_or_exchanged_is_found_and_mended_to_the_byte(lake: ProvenLake, seed: int) -> None:
    if not lake.keys(f"raw/year=2025/month=11/day={CHANCE}/"):
        lake.process([lake.put(CHANCE, f"{name}.json", content(name)) for name in "abcdef"])
    chance, before = random.Random(seed), bodies(lake)
    for key in chance.sample(sorted(before), chance.randint(1, 8)):
        damage(lake, key, before, chance)
    assert bodies(lake) != before
    said = lake.run(f"clicklake verify --json --from 2025-11-{CHANCE} --to 2025-11-{CHANCE} --grace 0 --repair")
    assert said.code == 0, said.out
    assert said.document["repaired"]["findings"]
    assert bodies(lake) == before


@pytest.mark.minutes
def test_a_raw_object_that_the_function_fails_at_again_is_named_and_stays_a_finding(lake: ProvenLake) -> None:
    where = lake.put(CHANCE, "refused.json", content("refused"))
    with forbidden(lake, "refused"):
        said = lake.run(f"clicklake verify --json --from 2025-11-{CHANCE} --to 2025-11-{CHANCE} --grace 0 --repair")
    assert (said.code, kinds(said.document["findings"])) == (1, {"unprocessed": where.raw_key})
    (failed,) = said.document["repaired"]["failed"]
    assert (failed["raw_key"], said.document["repaired"]["processed"]) == (where.raw_key, 0)
    assert "AccessDenied" in failed["problem"]
    lake.process([where])


@pytest.mark.minutes
def test_while_raw_objects_come_in_nothing_is_named_that_is_in_order(lake: ProvenLake) -> None:
    coming = [f"{number:03}.gz" for number in range(250)]
    with ThreadPoolExecutor(1) as pool:
        put = pool.map(lambda name: lake.put(COMING, name, content(name)), coming)
        while len(lake.keys(f"ledger/year=2025/month=11/day={COMING}/")) < len(coming):
            said = lake.run(f"clicklake verify --json --from 2025-11-{COMING} --to 2025-11-{COMING}")
            assert said.document["findings"] == []
        assert len(list(put)) == len(coming)
    assert said.document["objects"]["raw"] > 0


def bodies(lake: ProvenLake) -> dict[str, bytes]:
    """Whatever was made of the day's raw objects."""
    keys = [
        key
        for zone in ("processed", "failed", "ledger")
        for key in lake.keys(f"{zone}/year=2025/month=11/day={CHANCE}/")
    ]
    return {key: lake.s3().get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def damage(lake: ProvenLake, key: str, before: dict[str, bytes], chance: random.Random) -> None:
    body, (zone, _, _) = before[key], key.partition("/")
    others = [other for name, other in before.items() if name.startswith(zone) and other != body]
    wanted = chance.choice([None, body[: chance.randrange(len(body))], b"", chance.choice(others)])
    if wanted is None:
        lake.s3().delete_object(Bucket=BUCKET, Key=key)
    else:
        lake.s3().put_object(Bucket=BUCKET, Key=key, Body=wanted)


# --- everything at once ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def planted(lake: ProvenLake) -> Damage:
    """All kinds of it, and nothing is left of the tests before."""
    for zone in ("raw", "processed", "failed", "ledger"):
        for key in lake.keys(f"{zone}/year=2025/month=11/day={OWN}/"):
            lake.s3().delete_object(Bucket=BUCKET, Key=key)
    damage = Damage(lake)
    damage.plant()
    return damage


@pytest.fixture(scope="module")
def repaired(lake: ProvenLake, planted: Damage) -> Said:
    return lake.run("clicklake verify --grace 0 --json --repair --parallel 1")


@pytest.fixture(scope="module")
def found(repaired: Said) -> list[dict[str, Any]]:
    """The findings before the repair."""
    findings: list[dict[str, Any]] = repaired.document["repaired"]["findings"]
    return findings


def kinds(findings: list[dict[str, Any]]) -> dict[str, str]:
    return {finding["kind"]: finding["key"] for finding in findings}


def test_the_page_names_every_kind_of_finding_and_every_field_of_the_document(repaired: Said) -> None:
    page = (ROOT / "docs" / "verify.md").read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert named == {*get_args(Kind), *repaired.document, *repaired.document["findings"][0]}


def test_every_kind_of_finding_is_planted() -> None:
    assert {*FOR_PEOPLE, *MENDED, *OTHER_TESTS} == set(get_args(Kind))


@pytest.mark.parametrize("kind", sorted(FOR_PEOPLE | MENDED))
def test_verify_finds(kind: Kind, found: list[dict[str, Any]], planted: Damage) -> None:
    assert kinds(found)[kind] == planted.expected[kind]


def test_verify_finds_nothing_but_what_was_planted(found: list[dict[str, Any]], planted: Damage) -> None:
    assert len(found) == len(planted.expected) == len(FOR_PEOPLE | MENDED)
    assert {finding["kind"] for finding in found if finding["repair"]} == MENDED
    assert all(finding["expected"] and finding["found"] and finding["advice"] for finding in found)


@pytest.mark.parametrize("kind", sorted(MENDED))
def test_repair_mends(kind: Kind, repaired: Said) -> None:
    assert kind not in kinds(repaired.document["findings"])


def test_repair_leaves_to_people_what_it_cannot_mend_and_says_so(repaired: Said, planted: Damage) -> None:
    assert repaired.code == 1
    assert kinds(repaired.document["findings"]) == {kind: planted.expected[kind] for kind in FOR_PEOPLE}
    done = repaired.document["repaired"]
    assert (done["processed"], done["partitions"], done["failed"]) == (len(MENDED) - 3, 3, [])


def test_repair_brings_every_row_back_once(repaired: Said, lake: ProvenLake) -> None:
    sql = (
        "SELECT count(*), count(DISTINCT event_id) FROM clickstream_events WHERE \"$path\" NOT LIKE '%copied_by_hand%'"
    )
    rows = lake.run(f"clicklake query --json {shlex.quote(sql)}").document["rows"][0]
    raw = [found for found in lake.lake.raw_objects() if "raw_deleted" not in found.stored.key]
    assert set(rows.values()) == {GOOD * (len(raw) + 1)}, "the deleted raw object's rows are there still"


def test_a_day_that_athena_cannot_read_is_named_unless_damage_explains_it() -> None:
    where, file = Partition(EVENTS, ("2025", "11", "21")), "processed/year=2025/month=11/day=21/x"
    counting = Counting({}, {where: "GENERIC_INTERNAL_ERROR"})
    orphan, damaged = Finding("orphan", file, "", ""), Finding("processed_damaged", file, "", "", "raw/x")
    for others in ([], [orphan]):  # an orphan may be sound, and does not say that no query of the day works
        (finding,) = findings([counting], others, PIPELINE)
        assert (finding.kind, finding.key) == ("unreadable", f"{EVENTS} year=2025/month=11/day=21")
    assert not list(findings([counting], [orphan, damaged], PIPELINE))


# --- the lifecycle ---------------------------------------------------------------------------------------------------

DAYS_90 = {"Status": "Enabled", "Expiration": {"Days": 90}, "Filter": {"Prefix": "raw/"}}
NOON, MIDNIGHT = datetime(2025, 1, 1, 12, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "created", "expected"),
    [
        ({}, NOON, datetime(2025, 4, 2, tzinfo=UTC)),
        ({}, MIDNIGHT, datetime(2025, 4, 1, tzinfo=UTC)),
        ({"Status": "Disabled"}, NOON, None),
        ({"Filter": {"Prefix": "failed/"}}, NOON, None),
        ({"Filter": {"And": {"Prefix": "raw/", "ObjectSizeGreaterThan": 10}}}, NOON, None),
        ({"Filter": {"And": {"Prefix": "raw/", "ObjectSizeLessThan": 11}}}, NOON, datetime(2025, 4, 2, tzinfo=UTC)),
        ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}}, NOON, None),
        ({"Expiration": {"Date": MIDNIGHT}}, NOON, MIDNIGHT),
        ({"Expiration": {"ExpiredObjectDeleteMarker": True}}, NOON, None),
    ],
)
def test_an_object_expires_at_the_midnight_after_its_days(
    change: dict[str, Any], created: datetime, expected: datetime | None
) -> None:
    assert expires([DAYS_90 | change], "raw/x", 10, created) == expected


def test_the_first_of_many_rules_counts_and_a_rule_of_the_old_form_too() -> None:
    old = {"Status": "Enabled", "Expiration": {"Days": 1}, "Prefix": "raw/x"}
    assert expires([DAYS_90, old], "raw/x", 10, MIDNIGHT) == datetime(2025, 1, 2, tzinfo=UTC)
    assert expires([], "raw/x", 10, MIDNIGHT) is None


# --- usage -----------------------------------------------------------------------------------------------------------


def test_days_that_end_before_they_begin_are_wrong_usage(lake: ProvenLake) -> None:
    said = lake.run("clicklake verify --from 2025-11-02 --to 2025-11-01")
    assert said.code == 2
    assert "--from 2025-11-02 is after --to 2025-11-01" in said.err


@pytest.mark.parametrize("options", ["--from 2025-11-31", "--grace -1", "--parallel 0"])
def test_an_option_of_another_form_is_wrong_usage(lake: ProvenLake, options: str) -> None:
    with pytest.raises(SystemExit) as ended:
        lake.run(f"clicklake verify {options}")
    assert ended.value.code == 2


@pytest.mark.parametrize("command", ["verify", "replay --failed"])
def test_without_a_stack_it_says_what_is_missing(command: str, lake: ProvenLake) -> None:
    said = lake.run(f"clicklake {command} --environment nowhere")
    assert (said.code, said.out) == (4, "")
    assert said.err.splitlines()[-1].endswith("is the stack deployed there? laptop: clicklake up; AWS: terraform apply")
