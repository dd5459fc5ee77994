"""`make score`: the lake is as right as docs/quality.md says, and the scores would notice if it were not."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from clicklake.generate import Order, drawn
from clicklake.score import page
from clicklake.score.counts import Share, Shares, score
from clicklake.score.deliveries import SECONDS_PER_OBJECT, windows
from clicklake.score.found import Found, Row
from clicklake.score.scores import SECTIONS, below, misses, percent
from endpoint_process import clean_environment

PAGE = Path(__file__).parent.parent / "docs" / "quality.md"
TOLD = [line for _, line in drawn(Order(seconds=1800, rate=1.5, seed=3))]


def row(told: dict[str, Any]) -> Row:
    return Row(
        (told["session_id"], told["event_index"]),
        told["event_type"],
        _seconds(told["event_time"]),
        "event",
        told["channel"],
        told["traffic"],
        told["device"],
        "12.5",
        None,
        "b",
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def perfect() -> Found:
    """A lake that knows everything."""
    first = {(line["session_id"], line["event_index"]): line for line in reversed(TOLD) if line["kind"] != "malformed"}
    rows = [row(line) for line in first.values()]
    failed = [(line["failure_type"], line["sha256"]) for line in TOLD if line["kind"] == "malformed"]
    made = Found(rows, len(rows), failed, 0, 0, len(TOLD), len(rows), len(TOLD) - len(rows) - len(failed), len(failed))
    shares = score(TOLD, made)
    return replace(made, sessions=shares["sessions"].of, visitors=shares["visitors"].of)


PERFECT = perfect()


def wrong(found: Found) -> set[str]:
    """The scores that are not what they should be, but for those of single channels."""
    errors = {each.name for section in SECTIONS.values() for each in section if each.error}
    shares = score(TOLD, found)
    return {
        name
        for name, share in shares.items()
        if share.value is not None
        and share.value != (0 if name in errors else 1)
        and not name.startswith(("channel f", "found ch"))
    }


def test_of_a_lake_that_knows_everything_every_score_is_full() -> None:
    assert wrong(PERFECT) == set()
    shares = score(TOLD, PERFECT)
    assert {each.name for section in SECTIONS.values() for each in section} <= set(shares)
    assert list(below("buffered", shares)) == []


def _changed(where: Any, **values: Any) -> Found:
    """The perfect lake with the first row that `where` finds changed, and all others of the same visitor."""
    who = next(truth(r)["visitor"] for r in PERFECT.rows if where(r))
    rows = [replace(r, **values) if truth(r)["visitor"] == who else r for r in PERFECT.rows]
    return replace(PERFECT, rows=rows)


BY_PLACE = {(line["session_id"], line["event_index"]): line for line in reversed(TOLD)}


def truth(made: Row) -> dict[str, Any]:
    return BY_PLACE[made.place]


DAMAGES: dict[str, tuple[Found, set[str]]] = {
    "a lost event": (
        replace(PERFECT, rows=[r for r in PERFECT.rows if r.place != PERFECT.rows[0].place]),
        {"events found", "removed repeats"},
    ),
    "an event that nobody sent": (
        replace(PERFECT, rows=[*PERFECT.rows, replace(PERFECT.rows[0], place=("nobody", 0))]),
        {"rows sent"},
    ),
    "a lost record": (
        replace(PERFECT, records_in=PERFECT.records_in - 1),
        {"records in", "in = good + duplicate + failed"},
    ),
    "a lost row": (replace(PERFECT, table_rows=PERFECT.table_rows - 1), {"good = rows"}),
    "a failed record of the wrong type": (
        replace(PERFECT, failed=[("too_large", PERFECT.failed[0][1]), *PERFECT.failed[1:]]),
        {"failure types"},
    ),
    "a failed record that is another": (
        replace(PERFECT, failed=[(PERFECT.failed[0][0], "0"), *PERFECT.failed[1:]]),
        {"malformed failed", "failed malformed", "failure types"},
    ),
    "a person called a bot": (
        _changed(lambda r: r.traffic == "human", traffic="bot"),
        {"flagged machines", "found bot"},
    ),
    "a known robot called a person": (
        _changed(lambda r: r.traffic == "bot" and not truth(r)["listed"], traffic="human"),
        {"machines flagged", "machines flagged: known", "bot found"},
    ),
    "a wrong channel": (
        _changed(lambda r: r.traffic == "human" and truth(r)["channel_told"], channel="Audio"),
        {"channels", "channels that are told"},
    ),
    "a right clock made wrong": (
        _changed(lambda r: truth(r)["clock"] == "right", at=0.0),
        {"right clocks made wrong"},
    ),
    "too many sessions": (replace(PERFECT, sessions=PERFECT.sessions + 50), {"sessions"}),
    "too few visitors": (replace(PERFECT, visitors=PERFECT.visitors - 50), {"visitors"}),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed(damage: str) -> None:
    found, noticed = DAMAGES[damage]
    assert wrong(found) == noticed


def test_a_repeat_that_stays_is_one_that_was_not_removed() -> None:
    repeated = next(line for line in TOLD if line["kind"] == "repeat" and not line["one_id"])
    place = repeated["session_id"], repeated["event_index"]
    twice = [*PERFECT.rows, next(r for r in PERFECT.rows if r.place == place)]
    assert wrong(replace(PERFECT, rows=twice)) == {"repeats removed", f"repeats removed: {repeated['change']}"}


def test_a_score_below_its_floor_is_named() -> None:
    shares = score(TOLD, replace(PERFECT, records_in=PERFECT.records_in - 1))
    said = list(below("buffered", shares))
    assert [line.split(": ")[1] for line in said] == ["records in", "in = good + duplicate + failed"]


def test_an_object_holds_what_arrives_in_five_minutes() -> None:
    records = list(drawn(Order(seconds=1800, rate=0.2, seed=3)))
    sent = [record.at for record, _ in records]
    held = [[record.at for record, _ in window] for window in windows(iter(records))]
    assert [at for window in held for at in window] == sent
    assert all(window[-1] - window[0] < SECONDS_PER_OBJECT for window in held)
    assert all(after[0] - before[0] >= SECONDS_PER_OBJECT for before, after in pairwise(held))


# --- the page ----------------------------------------------------------------------------------------------------


def test_the_numbers_are_written_between_their_marks_and_again(tmp_path: Path) -> None:
    shares = score(TOLD, PERFECT)
    file = tmp_path / "page.md"
    file.write_text(f"Before.\n{page.BEGIN}\nold\n{page.END}\nAfter.\n")
    for _ in range(2):
        page.write(file, {"buffered": shares, "live": shares}, 3)
    text = file.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert "old" not in text
    assert text.count("### Accounting") == 1


def test_the_page_has_every_score_and_none_below_its_floor() -> None:
    text = PAGE.read_text()
    for each in (each for section in SECTIONS.values() for each in section):
        (line,) = [line for line in text.splitlines() if line.startswith(f"| {each.says} |")]
        for cell, floor in zip(line.split("|")[2:4], (each.floor, each.floor_of("live")), strict=True):
            numbers = re.search(r"\(([\d,]+) of ([\d,]+)\)", cell)
            if numbers and floor is not None:
                share = Share(*(int(number.replace(",", "")) for number in numbers.groups()))
                assert not misses(share, floor, error=each.error), line


@pytest.mark.parametrize(
    ("share", "floor", "missed"),
    [
        (Share(45, 51), 0.94, False),  # by chance
        (Share(450, 510), 0.94, True),
        (Share(9, 10), 1, True),  # what must hold always
        (Share(1_000_000, 1_000_000), 1, False),
    ],
)
def test_a_floor_is_missed_by_more_than_chance_explains(share: Share, floor: float, missed: bool) -> None:
    assert misses(share, floor) == missed


def test_a_share_is_never_rounded_to_all_or_nothing() -> None:
    shares: Shares = {"nearly": Share(99_999, 100_000), "hardly": Share(1, 100_000), "all": Share(3, 3)}
    assert [percent(shares, name) for name in shares] == ["> 99.9 %", "< 0.1 %", "100 %"]


# --- and all of it -----------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_what_the_pipeline_makes_of_the_simulators_traffic_is_above_the_floors() -> None:
    command = [sys.executable, "-m", "clicklake.score", "--short", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=290)
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    assert set(runs) == {"buffered", "live"}
    assert all(run["records in"][1] > 100 for run in runs.values())
