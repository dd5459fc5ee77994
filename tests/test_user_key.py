"""`clicklake user-key` and SQL make the user_key that the transform makes."""

import hashlib
import hmac
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena_client import Queries
from clicklake.errors import NoError, RefusedError, UsageError
from clicklake.target import Target, of_keys
from clicklake.transform.process import Settings
from clicklake.user_key import key_of_file, key_of_function, render, user_keys
from endpoint_process import EndpointProcess, clean_environment, eventually
from seed_walk import ledger_rows
from transforming import KEY, PIPELINE, event, transform

DOCUMENT = Path(__file__).parent.parent / "docs" / "privacy.md"
FUNCTION = PIPELINE.names().function
IDS = ["u-4711", "Kim.Muster@mail.example", "42", " spaces stay ", "ключ-🗝", "it's", "a\tb"]
keys = st.binary(min_size=32, max_size=200) | st.sampled_from([b"k" * 63, b"k" * 64, b"k" * 65])


def one(user_id: str, key: bytes = KEY) -> str | None:
    ((_, user_key),) = user_keys([user_id.encode() + b"\n"], key)
    return user_key


# --- the same as the transform ---------------------------------------------------------------------------------------

one_line = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), min_size=1, max_size=40)


@given(one_line, keys)
@settings(deadline=None, max_examples=60)
def test_it_is_the_transforms_for_any_id_and_key(user_id: str, key: bytes) -> None:
    row = transform(event(user_id=user_id), settings=Settings(PIPELINE, key)).row
    assert one(user_id, key) == row["user_key"] == hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("sent", "line"), [(42, "42"), (-7, "-7"), (1.5, "1.5"), (1e3, "1000.0"), (10**30, "1" + "0" * 30)]
)
def test_a_numbers_line_is_its_digits(sent: float, line: str) -> None:
    assert transform(event(user_id=sent)).row["user_key"] == one(line)


def test_an_empty_id_has_none_and_keeps_its_line() -> None:
    assert "user_key" not in transform(event(user_id="")).row
    assert list(render(user_keys([b"a\n", b"\n", b"b"], KEY), as_json=False)) == [one("a"), "", one("b")]


def test_lines_may_end_as_on_windows_and_the_last_may_not_end() -> None:
    assert [user_id for user_id, _ in user_keys([b"a\r\n", b"b\n", b" c "], KEY)] == ["a", "b", " c "]


def test_json_has_the_id_and_its_key() -> None:
    lines = list(render(user_keys(["ü".encode(), b""], KEY), as_json=True))
    assert [json.loads(line) for line in lines] == [
        {"user_id": "ü", "user_key": one("ü")},
        {"user_id": "", "user_key": None},
    ]


def test_a_line_that_is_not_text_is_named() -> None:
    with pytest.raises(UsageError, match="line 2 is not UTF-8"):
        list(user_keys([b"a\n", b"\xff\n"], KEY))


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_key_file_holds_the_key_and_may_end_with_a_line_end(tmp_path: Path, end: bytes) -> None:
    (tmp_path / "key").write_bytes(KEY + end)
    assert key_of_file(str(tmp_path / "key")) == KEY


def test_a_short_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"secret\n")
    with pytest.raises(UsageError, match="has 6 bytes; it needs at least 32") as said:
        key_of_file(str(tmp_path / "key"))
    assert "secret" not in str(said.value)


def test_a_key_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        key_of_file(str(tmp_path / "nowhere"))


@pytest.fixture(scope="module")
def target(stack: EndpointProcess) -> Target:
    keys = stack.keys()
    return of_keys(stack.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], "us-east-1")


@pytest.fixture(scope="module")
def key(target: Target) -> bytes:
    return key_of_function(target, FUNCTION)


@pytest.fixture(scope="module")
def stored(stack: EndpointProcess) -> dict[str, str]:
    """event_id -> user_key of an event of each of IDS, all the way through the endpoint."""
    records = [{"Data": json.dumps(event(event_id=str(n), user_id=user_id))} for n, user_id in enumerate(IDS)]
    stack.client("firehose").put_record_batch(DeliveryStreamName=PIPELINE.names().delivery_stream, Records=records)
    names = PIPELINE.names()
    sql = f"SELECT event_id, user_key FROM {PIPELINE.tables.events.name}"

    assert eventually(lambda: sum(ledger_rows(stack.client, names.bucket)) == len(IDS))
    rows = queries(stack).rows(sql, WorkGroup=names.workgroup)
    return {str(event_id): str(user_key) for event_id, user_key in rows}


def queries(stack: EndpointProcess) -> Queries:
    return Queries(stack.client("athena"), PIPELINE.names().database)


def test_the_functions_key_gives_what_is_stored(stored: dict[str, str], key: bytes) -> None:
    assert stored == {str(n): one(user_id, key) for n, user_id in enumerate(IDS)}


def test_the_documents_sql_finds_the_person(stack: EndpointProcess, stored: dict[str, str], key: bytes) -> None:
    assert stored
    (sql,) = re.findall(r"```sql\n(SELECT event_id[^;`]*hmac_sha256[^;`]*)\n```", DOCUMENT.read_text())
    assert sql.count("'u-4711'") == sql.count("'the key'") == 1
    for n, user_id in enumerate(IDS):
        escaped = user_id.replace("'", "''")
        asked = sql.replace("u-4711", escaped).replace("the key", key.decode())
        found = queries(stack).rows(asked, WorkGroup=PIPELINE.names().workgroup)
        assert [event_id for event_id, _ in found] == [str(n)]


def test_the_command_prints_a_user_key_a_line(stack: EndpointProcess, stored: dict[str, str]) -> None:
    command = [sys.executable, "-m", "clicklake", "user-key"]
    sent = "".join(f"{user_id}\n" for user_id in IDS).encode()
    done = subprocess.run(command, input=sent, capture_output=True, env=stack.environment(), timeout=60, check=True)
    assert done.stdout.decode().splitlines() == [stored[str(n)] for n in range(len(IDS))]
    assert done.stderr.decode().startswith("laptop 127.0.0.1:")


def test_with_a_key_file_no_service_is_asked(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    command = [sys.executable, "-m", "clicklake", "user-key", "--json", "--key-file", str(tmp_path / "key")]
    done = subprocess.run(
        command, input=b"u-4711\n", capture_output=True, env=clean_environment(), timeout=60, check=True
    )
    assert json.loads(done.stdout) == {"user_id": "u-4711", "user_key": one("u-4711")}


@pytest.fixture
def without_key(target: Target) -> Iterator[None]:
    functions = target.client("lambda")
    before = functions.get_function_configuration(FunctionName=FUNCTION)["Environment"]["Variables"]
    other: dict[str, Any] = {name: value for name, value in before.items() if "KEY" not in name}
    functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": other})
    yield
    functions.update_function_configuration(FunctionName=FUNCTION, Environment={"Variables": before})


@pytest.mark.usefixtures("without_key")
def test_a_function_without_a_key_is_said_so(target: Target) -> None:
    with pytest.raises(NoError, match="user_key is NULL"):
        key_of_function(target, FUNCTION)


def test_a_function_that_is_not_there_is_refused(target: Target) -> None:
    with pytest.raises(RefusedError, match="ResourceNotFoundException"):
        key_of_function(target, "clickstream-raw-to-processed-nowhere")
