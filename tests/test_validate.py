"""The table of fields in pipeline.json: aliases, types, and what is private."""

import base64
import json
import time
from typing import Any

import pytest

from transforming import PIPELINE, event, transform

FIELDS = {field.name: field for field in PIPELINE.fields}


@pytest.mark.parametrize(
    ("alias", "field", "column", "value"),
    [
        (alias, field.name, column.name, "2025-11-26T10:00:00Z" if field.accepts == "time" else "some-value")
        for field in PIPELINE.fields
        for alias in field.aliases
        for column in PIPELINE.tables.events.columns
        if column.from_ == field.name
    ],
)
def test_an_alias_fills_the_same_column(alias: str, field: str, column: str, value: str) -> None:
    named, aliased = ({name: value} if name == "event_type" else event(**{name: value}) for name in (field, alias))
    if field == "event_type":
        aliased.pop("event_type", None)
        aliased = {alias: value}
    assert transform(aliased).row[column] == transform(named).row[column] == value


@pytest.mark.parametrize("alias", ["timestamp", "ts", "event_ts", "originalTimestamp", "event_timestamp"])
def test_event_time_has_the_names_that_senders_use(alias: str) -> None:
    assert transform(event(**{alias: "2025-11-26T10:00:00.123Z"})).row["event_ts"] == "2025-11-26 10:00:00.123"


def test_the_fields_own_name_wins_over_its_aliases_and_the_other_value_is_kept() -> None:
    row = transform({"event": "click", "event_type": "page_view"}).row
    assert (row["event_type"], row["properties"]) == ("page_view", '{"event":"click"}')


def test_the_same_value_under_two_names_is_kept_once() -> None:
    assert transform(event(event="page_view")).row["properties"] == "{}"


@pytest.mark.parametrize("name", ["event_type", "event_name", "event"])
@pytest.mark.parametrize("empty", ["", None])
def test_an_event_without_a_type_fails(name: str, empty: str | None) -> None:
    made = transform({name: empty, "app_id": "shop"})
    assert [row["failure_type"] for row in made.failed] == ["missing_field"]
    assert made.failed[0]["errors"] == '[{"path":"event_type","message":"is required"}]'


@pytest.mark.parametrize("wrong", [5, True, ["page_view"], {"name": "page_view"}])
def test_an_event_with_a_type_that_is_no_text_fails(wrong: object) -> None:
    assert [row["failure_type"] for row in transform({"event_type": wrong}).failed] == ["invalid_field"]


def test_an_alias_steps_in_for_a_type_that_is_no_text() -> None:
    row = transform({"event_type": 5, "event": "click"}).row
    assert (row["event_type"], row["properties"]) == ("click", '{"event_type":5}')


def test_an_empty_value_is_as_if_it_had_not_been_sent() -> None:
    assert transform(event(app_id="", page_url=None, value=None)).row.keys() == transform(event()).row.keys()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("app_id", 7), ("app_id", ["a"]), ("session_id", True), ("session_id", 1.5), ("event_id", {"a": 1}),
        ("page_url", 1), ("value", "12.50"), ("value", False), ("currency", 978), ("event_time", "yesterday"),
        ("event_time", {"s": 1}), ("sent_time", -1), ("event_time", 1e18), ("locale", ["en"]),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_goes_to_properties_under_its_own_name(name: str, wrong: object) -> None:
    made = transform(event(**{name: wrong}))
    expected = transform({**event(properties={name: wrong})})
    assert made.row["properties"] == expected.row["properties"]
    assert made.ledger["misplaced_values"] == 1
    if name in made.row:
        assert made.row[name] == expected.row.get(name) or name == "event_id"


@pytest.mark.parametrize("wrong", ["text", 7, ["a", {"b": 1}], True])
def test_properties_that_are_no_object_are_kept_inside_properties(wrong: object) -> None:
    made = transform(event(properties=wrong))
    assert made.row["properties"] == transform(event(properties={"properties": wrong})).row["properties"]


@pytest.mark.parametrize(
    ("sent", "id_"), [("a", "a"), (17, "17"), (12345678901234567890123, "12345678901234567890123")]
)
def test_an_id_may_be_an_integer_of_any_length(sent: object, id_: str) -> None:
    assert transform(event(event_id=sent)).row["event_id"] == id_


def test_an_unknown_field_is_kept_in_properties() -> None:
    assert transform(event(plan="gold", properties={"a": 1})).row["properties"] == '{"a":1,"plan":"gold"}'


def test_on_a_collision_properties_win_and_the_other_is_kept_beside() -> None:
    row = transform(event(plan="gold", properties={"plan": "silver"})).row
    assert row["properties"] == '{"_event.plan":"gold","plan":"silver"}'


@pytest.mark.parametrize(
    "name",
    ["received_ts", "user_key", "visitor_id", "browser", "country", "traffic_type", "ip_truncated", "raw_key",
     "raw_offset", "record_index", "processor_version", "event_ts_source", "event_date", "page_host", "channel"],
)  # fmt: skip
def test_a_name_that_the_server_owns_never_fills_a_column(name: str) -> None:
    forged = transform(event(**{name: "forged"})).row
    honest = transform(event()).row
    assert forged.pop("properties") == f'{{"{name}":"forged"}}'
    assert forged | {"properties": "{}"} == honest


def test_numbers_in_properties_keep_their_digits() -> None:
    raw = b'{"event_type":"x","properties":{"big":123456789012345678901234567890,"real":0.1,"more":1e30}}'
    assert transform(raw).row["properties"] == '{"big":"123456789012345678901234567890","more":1e+30,"real":0.1}'


def test_an_event_nested_too_deeply_fails_and_its_neighbours_do_not() -> None:
    deep: Any = 1
    for _ in range(150):
        deep = {"a": deep}
    made = transform(event(), event(properties=deep), event())
    assert (len(made.rows), [row["failure_type"] for row in made.failed]) == (2, ["decode_error"])


SECRET, ADDRESS = "u-8472-secret", "203.0.113.77"
PLANTED: dict[str, dict[str, Any] | bytes] = {
    "text": event(user_id=SECRET, ip=ADDRESS),
    "a number": event(user_id=84728472, ip=3405803853),
    "an array": event(user_id=[SECRET], ip=[ADDRESS]),
    "an object": event(user_id={"id": SECRET}, ip={"v4": ADDRESS}),
    "a boolean": event(user_id=True, ip=False),
    "an alias": event(userId=SECRET),
    "an alias of the wrong type": event(userId=[SECRET]),
    "both names": event(user_id=SECRET, userId=SECRET + "2"),
    "a repeated key": b'{"event_type":"x","user_id":"%b","user_id":null,"ip":"%b","ip":["%b"]}'
    % (SECRET.encode(), ADDRESS.encode(), ADDRESS.encode()),
    "an escaped key": b'{"event_type":"x","properties":{"user\\u005fid":"%b","\\u0069p":"%b"}}'
    % (SECRET.encode(), ADDRESS.encode()),
    "in properties": event(properties={"user_id": SECRET, "ip": ADDRESS, "headers": {"x-forwarded-for": ADDRESS}}),
    "in camelCase": event(properties={"userId": SECRET, "Ip": ADDRESS, "IP": ADDRESS}),
    "in other spellings": event(properties={"User-ID": SECRET, "USER_ID": SECRET, "userid": SECRET}),
    "nested": event(properties={"a": [{"b": {"userId": SECRET}}, [{"ip": ADDRESS}]]}),
    "in an unknown field": event(context={"ip": ADDRESS, "traits": {"user_id": SECRET}}),
    "headers of the wrong type": event(headers=[ADDRESS, SECRET]),
    "in headers": event(headers={"x-forwarded-for": ADDRESS, "cookie": SECRET}),
    "a parameter of the page": event(page_url=f"https://shop.example/?user_id={SECRET}&ip={ADDRESS}"),
    "a parameter of the referrer": event(referrer=f"https://shop.example/?uid={SECRET}#ip={ADDRESS}"),
    "a parameter of an address in properties": event(properties={"link": f"https://x.example/?u={SECRET}&a={ADDRESS}"}),
    "a parameter of a second address": event(page_url="https://a.example/", url=f"https://b.example/?u={SECRET}"),
    "the user of an address": event(page_url=f"https://{SECRET}:{ADDRESS}@shop.example/"),
}


@pytest.mark.parametrize("where", PLANTED)
def test_ids_and_addresses_never_leave_the_raw_zone(where: str) -> None:
    made = transform(PLANTED[where])
    text = str(made.row) + str(made.ledger)
    assert not [secret for secret in (SECRET, ADDRESS, "84728472", "3405803853") if secret in text]


def test_a_failed_record_keeps_its_exact_bytes() -> None:
    made = transform(b'{"user_id":"%b"}\n' % SECRET.encode())
    assert base64.b64decode(made.failed[0]["raw"]) == b'{"user_id":"%b"}' % SECRET.encode()


def test_removed_private_values_are_counted() -> None:
    assert transform(event(user_id=[1], properties={"ip": "x", "a": {"userId": 1}})).ledger["dropped_values"] == 3


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://a.example/p?utm_source=x&gclid=abc", "https://a.example/p?utm_source=x&gclid=abc"),
        ("https://a.example/p?token=abc&q=shoes", "https://a.example/p?token=redacted&q=shoes"),
        ("https://a.example/p?q=me%40mail.example", "https://a.example/p?q=redacted"),
        ("https://a.example/users/me@mail.example/x", "https://a.example/users/redacted/x"),
        ("https://a.example/#access_token=abc", "https://a.example/#access_token=redacted"),
        ("https://a.example/#section", "https://a.example/#section"),
        ("https://a.example/?debug&x=", "https://a.example/?debug&x="),
        ("https://a.example/?0123456789abcdef", "https://a.example/?redacted"),
        ("/relative?email=a@b.example", "/relative?email=redacted"),
        ("not an address at all", "not an address at all"),
    ],
)
def test_only_listed_parameters_keep_their_values(address: str, safe: str) -> None:
    assert transform(event(page_url=address)).row["page_url"] == safe


@pytest.mark.parametrize("text", ["a?" + "=" * 60_000 + " b", "/" * 60_000 + " b", "a?" * 30_000 + " b"], ids=len)
def test_a_long_text_that_is_nearly_an_address_takes_no_longer_than_its_length(text: str) -> None:
    """In time that grows with the square, a mebibyte would take an hour, and no run would get past its object."""
    began = time.process_time()
    row = transform(event(properties={"note": text})).row
    assert time.process_time() - began < 1
    assert json.loads(row["properties"]) == {"note": text}


@pytest.mark.parametrize(
    "text",
    [
        '{"userId":"u-4711","v":NaN}',
        '{"userId":"u-4711","name":"\\ud800"}',
        '{"userId":"u-4711"}\n{"userId":"u-4711"}',
        '[{"a": {"user_id" : "u-4711',
        '\ufeff{"userId":"u-4711"}',
        json.dumps(json.dumps({"userId": "u-4711"})),
        json.dumps(json.dumps([json.dumps({"userId": "u-4711"})])),
    ],
)
def test_json_in_a_text_need_not_be_flawless_to_lose_its_private_values(text: str) -> None:
    made = transform(event(properties={"body": text}))
    assert "4711" not in made.row["properties"]
    assert made.ledger["dropped_values"] == 1


@pytest.mark.parametrize("text", ['{"a": NaN}', '"ids": see "userId"', '"', '{"name": "cut of', '"a" "b"'])
def test_other_texts_that_begin_like_json_stay(text: str) -> None:
    assert json.loads(transform(event(properties={"body": text})).row["properties"]) == {"body": text}
