"""`clicklake explain --event`, and the walk behind `explain`: what it says is what the transform does."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from clicklake.cli import main
from clicklake.explain.sent import MASK, Teller
from clicklake.explain.trace import row, steps, walk
from clicklake.transform.encode import ContentHash
from clicklake.transform.keys import place
from proven_lake import Said, console
from test_golden import CASES, GOLDEN, STORED, settings_of
from transforming import PIPELINE, RAW_KEY, event, transform
from typed_pages import undescribed

WHEN = "--received 2025-11-26T10:15:00Z"


def run(*arguments: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["explain", *arguments])
    return Said(code, out.getvalue(), err.getvalue())


def explained(folder: Path, *records: Any, options: str = WHEN) -> list[dict[str, Any]]:
    file = folder / "event.json"
    file.write_bytes(b"\n".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in records))
    said = run("--event", str(file), "--json", *options.split())
    assert (said.code, said.err) == (0, "")
    return [json.loads(line) for line in said.out.splitlines()]


def values(document: dict[str, Any]) -> dict[str, Any]:
    return {column["column"]: column["value"] for column in document["columns"] if column["value"] is not None}


def source(document: dict[str, Any], column: str) -> str | None:
    (found,) = (each["source"] for each in document["columns"] if each["column"] == column)
    return str(found) if found else None


# --- the walk is the transform's -------------------------------------------------------------------------------------


def test_every_golden_cases_records_are_walked_as_the_transform_walks_them() -> None:
    for name in CASES:
        case, expected = GOLDEN / name, json.loads((GOLDEN / name / "expected.json").read_text())
        stored = (case / "stored").read_text().strip() if (case / "stored").exists() else "gzip"
        settings = settings_of(case)
        raw = STORED[stored]((case / "raw").read_bytes())
        records = list(walk(raw, place(RAW_KEY, 0, settings.pipeline), settings))
        good = [record for record in records if record.values and record.verdict != "duplicate"]
        rows, content = [row(record, settings) for record in good], ContentHash()
        list(content.over([rows] if rows else []))
        assert content.hexdigest() == expected["content_sha256"], name
        found = [(r.failed.type, r.failed.path, r.failed.message) for r in records if r.failed]
        why = [(f["failure_type"], *json.loads(f["errors"])[0].values()) for f in expected["failed"]]
        assert found == why, name
        assert len(records) == expected["sums"].get("records_in", 0), name
        columns = [column.name for column in settings.pipeline.tables.events.columns]
        for record, values_ in zip(good, rows, strict=True):
            made = {column: value for step in steps(record, settings) for column, value in step.makes.items()}
            in_row = dict(zip(columns, values_, strict=True))
            assert {column: in_row[column] for column in made if column in in_row} == {
                column: value for column, value in made.items() if column in in_row
            }, name


# --- a new event -----------------------------------------------------------------------------------------------------


def test_the_page_shows_what_would_become_of_an_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("event.json").write_text(EVENT)
    ((command, printed),) = [block for block in console("explain.md") if "--event" in block[0]]
    assert run(*command.split()[2:]) == Said(0, printed, "")


EVENT = """\
{"event": "purchase", "messageId": "b-1", "app_id": "shop", "timestamp": "2025-11-26T10:14:58Z", "user_id": 17,
 "page_url": "https://shop.example/cart?utm_source=news&utm_medium=email&token=s3cret", "value": "12,50", "plan": "pro"}
"""


def test_an_events_row_is_the_row_that_it_would_get(tmp_path: Path) -> None:
    sent = event(page_url="https://shop.example/a?utm_source=n", ip="203.0.113.9", timestamp="2025-11-26T10:14:00Z")
    (document,) = explained(tmp_path, sent)
    made = transform(sent, raw_key=document["raw"]["key"]).row
    made_here = values(document)
    by_key = {"user_key", "visitor_id"}  # there is no key here
    assert {n: v for n, v in made_here.items() if n not in by_key} == {n: v for n, v in made.items() if n not in by_key}
    assert undescribed(document, "explain.md") == []


def test_each_value_says_where_it_came_from(tmp_path: Path) -> None:
    (document,) = explained(tmp_path, {"event": "click", "app_id": "shop", "x": 1, "page_url": "https://a.example/"})
    found = [
        source(document, name) for name in ("event_type", "app_id", "event_id", "page_host", "value", "properties")
    ]
    expected = ["sent as event", "sent", "derived: it was sent without an id", "step page", None, "what is no field"]
    assert found == expected


def test_each_name_that_was_sent_says_what_became_of_it(tmp_path: Path) -> None:
    sent = {
        "event": "click",
        "event_type": "view",
        "event_name": "view",
        "value": "much",
        "email": "a@b.example",
        "platform": "",
        "ip": [1],
        "plan": "pro",
        "user_id": 17,
    }
    (document,) = explained(tmp_path, sent)
    assert {each["name"]: each["becomes"] for each in document["sent"]} == {
        "event": "properties.event: event_type comes first",
        "event_type": "event_type",
        "event_name": "event_type, as event_type says",
        "value": "properties.value: must be number",
        "email": "removed: private",
        "platform": "as if not sent: empty",
        "ip": "removed: must be text or number",
        "plan": "properties.plan",
        "user_id": "user_id: read, not kept",
    }
    assert json.loads(values(document)["properties"]) == {"event": "click", "value": "much", "plan": "pro"}
    assert document["removed_values"] == 2


def test_of_several_records_each_is_explained_with_its_repeats(tmp_path: Path) -> None:
    one = event(event_id="a", app_id="shop")
    first, again, other, broken = explained(tmp_path, one, one, one | {"value": 2}, b"rubbish")
    assert [d["outcome"] for d in (first, again, other, broken)] == ["good", "duplicate", "good", "failed"]
    assert again["output"] is None
    assert source(other, "event_id") == "derived: another event has its id"
    assert other["repeats"]["sent_id"] == "a"
    assert [twin["record_index"] for twin in other["repeats"]["in_object"]] == [0, 1]
    assert broken["failure"] == {"type": "decode_error", "path": "$", "message": "not JSON at byte 0"}
    assert undescribed(broken, "explain.md") == []


def test_standard_input_is_an_event_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"event": "click"}')))
    assert run("--event", "-", "--json").document["event_type"] == "click"


def test_user_key_is_made_if_there_is_a_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"a user key of at least 32 bytes!")
    sent = event(user_id="u-1")
    (document,) = explained(tmp_path, sent, options=f"{WHEN} --key-file {tmp_path / 'key'}")
    assert values(document)["user_key"] == transform(sent).row["user_key"]


# --- what is private -------------------------------------------------------------------------------------------------

PRIVATE = {
    "event": "click",
    "user_id": "person-17",
    "ip": "198.51.100.77",
    "headers": {"cookie": "crumbs"},
    "page_url": "https://shop.example/?token=s3cret&utm_source=n",
    "traits": {"email": "a@b.example", "note": "call c@d.example"},
    "body": '{"phone": "555-0100"}',
}
SECRETS = ("person-17", "198.51.100.77", "crumbs", "s3cret", "a@b.example", "c@d.example", "555-0100")


@pytest.mark.parametrize("record", [PRIVATE, {**PRIVATE, "event": None}, json.dumps(PRIVATE)[:-1].encode()])
def test_private_values_are_masked_wherever_they_stand(tmp_path: Path, record: Any) -> None:
    """In an event, in a failed record, and in one that is no JSON."""
    (document,) = explained(tmp_path, record)
    assert not [secret for secret in SECRETS if secret in json.dumps(document)]
    assert MASK in document["raw"]["text"]
    assert document["raw"]["masked"]
    (shown,) = explained(tmp_path, record, options=f"{WHEN} --show-private")
    assert not [secret for secret in SECRETS if secret not in shown["raw"]["text"].replace('\\"', '"')]


def test_what_has_nothing_private_is_shown_byte_for_byte() -> None:
    for text in (b'{"event":  "click", "event": "\xc3\xa4", "n": 1e2}', b"rubbish"):
        assert Teller(PIPELINE).masked(text) is None


# --- usage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("", "name one of"),
        ("a-1 --event -", "name one of"),
        ("--event missing.json", "No such file"),
        ("--event empty.json", "has no record"),
    ],
)
def test_what_cannot_be_explained_is_said_in_one_line(
    arguments: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty.json").touch()
    said = run(*arguments.split())
    assert (said.code in {1, 2}, said.out, len(said.err.splitlines())) == (True, "", 1)
    assert says in said.err


@pytest.mark.parametrize(
    "arguments", ["--record raw/a.gz", "--record :7", "--event - --received soon", "a --day never"]
)
def test_an_option_of_another_form_is_wrong_usage(arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*arguments.split())
    assert ended.value.code == 2
