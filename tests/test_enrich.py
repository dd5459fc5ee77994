"""The steps that add columns."""

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clicklake.pipeline import Buffer
from clicklake.transform.process import Settings
from transforming import KEY, PIPELINE, RECEIVED, event, transform

ARRIVAL = datetime(2025, 11, 26, 10, 15, tzinfo=UTC)
BUFFER = PIPELINE.buffering.aws.seconds


def at(seconds: float) -> str:
    """ISO time so many seconds after the object's."""
    return (ARRIVAL + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def shown(seconds: float) -> str:
    return (ARRIVAL + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def time_of(**fields: Any) -> tuple[Any, ...]:
    row = transform(event(**fields)).row
    return row["event_ts"], row["event_ts_source"], row.get("clock_skew_ms")


# --- time ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    ["2025-11-26T10:00:00.123Z", "2025-11-26T12:00:00.123+02:00", "2025-11-26 10:00:00.123", "2025-11-26T10:00:00,123z",
     "2025-11-26T10:00:00.123999Z", 1764151200.123, 1764151200123, 1764151200123456, "1764151200123"],
)  # fmt: skip
def test_times_are_iso_8601_or_epoch_seconds_milliseconds_or_microseconds(sent: object) -> None:
    assert transform(event(event_time=sent)).row["event_ts"] == "2025-11-26 10:00:00.123"


def test_a_date_is_its_first_moment() -> None:
    assert transform(event(event_time="2025-11-26")).row["event_ts"] == "2025-11-26 00:00:00.000"


def test_without_event_time_the_time_of_arrival_counts() -> None:
    row = transform(event()).row
    assert (row["event_ts"], row["event_ts_source"], row["received_ts"]) == (RECEIVED, "received", RECEIVED)
    assert (row["event_date"], row["late_by_seconds"]) == ("2025-11-26", 0)
    assert "clock_skew_ms" not in row


def test_without_sent_time_nothing_is_known_of_the_clock() -> None:
    assert time_of(event_time=at(-90)) == (shown(-90), "event", None)


@pytest.mark.parametrize("buffered", range(0, 901, 60))
def test_right_clocks_keep_their_order_and_spacing_exactly(buffered: int) -> None:
    """The object's time is the arrival of its oldest record, as Firehose names it, or of its newest."""
    pipeline = replace(PIPELINE, buffering=replace(PIPELINE.buffering, aws=Buffer(128, buffered)))
    for first in (0, -buffered):
        moments = range(first, first + buffered + 1, 7)
        events = [event(event_time=at(n - 1), sent_time=at(n)) for n in moments]
        rows = transform(*events, settings=Settings(pipeline, KEY)).rows
        assert [row["event_ts"] for row in rows] == [shown(n - 1) for n in moments]
        assert {(row["clock_skew_ms"], row["event_ts_source"]) for row in rows} == {(0, "event")}


@pytest.mark.parametrize("sent", [-BUFFER - 900, 0, 5, BUFFER + 5])
def test_a_sent_time_that_a_right_clock_could_have_shows_no_skew(sent: int) -> None:
    assert time_of(event_time=at(sent - 1), sent_time=at(sent)) == (shown(sent - 1), "event", 0)


@pytest.mark.parametrize("sent", [-BUFFER - 900.001, BUFFER + 5.001, 3600, -86400 * 365])
def test_any_other_sent_time_is_a_wrong_clock_and_its_skew_is_subtracted(sent: float) -> None:
    assert time_of(event_time=at(sent - 60), sent_time=at(sent)) == (shown(-60), "derived", round(sent * 1000))


def test_a_phone_that_was_offline_keeps_the_time_of_its_event() -> None:
    row = transform(event(event_time=at(-3 * 86400), sent_time=at(-2))).row
    assert (row["event_ts"], row["event_ts_source"]) == (shown(-3 * 86400), "event")
    assert (row["late_by_seconds"], row["event_date"]) == (3 * 86400, "2025-11-23")


def test_a_trusted_servers_clock_tells_the_skew_exactly() -> None:
    fields = {"event_time": at(-10), "sent_time": at(-8), "collector_time": at(-9)}
    assert time_of(**fields) == (shown(-11), "derived", 1000)


def test_a_trusted_server_that_agrees_changes_nothing() -> None:
    assert time_of(event_time=at(-10), sent_time=at(-9), collector_time=at(-9)) == (shown(-10), "event", 0)


def test_without_a_time_of_its_own_an_event_has_the_one_at_which_a_trusted_server_took_it_in() -> None:
    assert time_of(event_time=None, collector_time=at(-9)) == (shown(-9), "received", None)
    assert time_of(event_time=None, sent_time=at(-8), collector_time=at(-9)) == (shown(-9), "received", 1000)
    assert time_of(event_time=None, sent_time=at(-8)) == (RECEIVED, "received", 0)
    assert time_of(event_time=None, collector_time="yesterday") == (RECEIVED, "received", None)
    row = transform(event(event_time=None, collector_time=at(-13 * 3600))).row
    assert (row["event_date"], row["late_by_seconds"]) == ("2025-11-25", 13 * 3600)


def test_an_event_from_the_future_is_kept_and_marked() -> None:
    row = transform(event(event_time=at(86400))).row
    assert (row["event_ts"], row["late_by_seconds"]) == (shown(86400), -86400)


def test_a_correction_that_leaves_the_calendar_gives_the_time_of_arrival() -> None:
    made = time_of(event_time="0001-01-01T00:00:00Z", sent_time="9999-12-31T23:59:59Z")
    assert made[:2] == (RECEIVED, "received")
    made = time_of(event_time="0001-01-01T00:00:00Z", sent_time="9999-12-31T23:59:59Z", collector_time=at(-9))
    assert made[:2] == (shown(-9), "received")


# --- identity ------------------------------------------------------------------------------------------------------


def test_user_key_is_the_hmac_of_the_user_id() -> None:
    row = transform(event(user_id="ü-1")).row
    assert row["user_key"] == hmac.new(KEY, "ü-1".encode(), "sha256").hexdigest()
    assert transform(event(userId="ü-1")).row["user_key"] == row["user_key"]
    assert transform(event(user_id="u-2")).row["user_key"] != row["user_key"]


def test_a_number_is_the_same_user_as_its_text() -> None:
    assert transform(event(user_id=17)).row["user_key"] == transform(event(user_id="17")).row["user_key"]


def test_without_a_key_the_id_is_removed_and_nothing_takes_its_place() -> None:
    row = transform(event(user_id="u-1", ip="203.0.113.7"), settings=Settings(PIPELINE)).row
    assert not {"user_key", "visitor_id", "user_id"} & row.keys()


def test_another_key_gives_another_user_key() -> None:
    other = Settings(PIPELINE, KEY[::-1])
    assert (
        transform(event(user_id="u"), settings=other).row["user_key"] != transform(event(user_id="u")).row["user_key"]
    )


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Settings(PIPELINE, b"short")


def test_a_visitor_is_the_anonymous_id_else_the_user_key() -> None:
    assert transform(event(anonymous_id="a", user_id="u")).row["visitor_id"] == "a"
    row = transform(event(user_id="u")).row
    assert row["visitor_id"] == row["user_key"]


def test_else_a_visitor_is_an_address_and_browser_of_one_app_and_day() -> None:
    def visitor(**fields: Any) -> str | None:
        found: str | None = transform(event(**{"ip": "203.0.113.7", "user_agent": "a", **fields})).row.get("visitor_id")
        return found

    first = visitor()
    assert first is not None
    assert len(first) == 32
    assert visitor() == first
    changed = [
        visitor(app_id="x"),
        visitor(ip="203.0.113.8"),
        visitor(user_agent="b"),
        visitor(event_time="2025-11-25"),
    ]
    assert len({first, *changed}) == 5
    assert visitor(ip=None, user_agent=None) is None


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "host", "path"),
    [
        ("https://Shop.Example/a/b?q=1#c", "shop.example", "/a/b"),
        ("https://shop.example", "shop.example", "/"),
        ("http://shop.example:8080/x", "shop.example", "/x"),
        ("https://[2001:db8::1]:443/x", "[2001:db8::1]", "/x"),
        ("https://shop.example./x", "shop.example", "/x"),
        ("//shop.example/x", "shop.example", "/x"),
        ("/only/path?x", None, "/only/path"),
        ("android-app://com.example/x", "com.example", "/x"),
        ("about:blank", None, "blank"),
        ("https://bücher.example/ü", "bücher.example", "/ü"),
        ("https:///x", None, "/x"),
    ],
)
def test_an_address_is_split_as_rfc_3986_says(address: str, host: str | None, path: str | None) -> None:
    row = transform(event(page_url=address, referrer=address)).row
    assert (row.get("page_host"), row.get("page_path"), row.get("referrer_host")) == (host, path, host)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1234:5678::1", "2001:db8:1234::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("203.0.113.77, 198.51.100.1", "203.0.113.0/24"),
        ("203.0.113.77:443", "203.0.113.0/24"),
        ("[2001:db8::1]:443", "2001:db8::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        (" 203.0.113.77 ", "203.0.113.0/24"),
        ("localhost", None),
        ("999.1.1.1", None),
        (3405803853, None),
    ],
)
def test_of_an_ip_address_only_the_network_is_kept(address: object, network: str | None) -> None:
    assert transform(event(ip=address)).row.get("ip_truncated") == network


# --- campaigns -----------------------------------------------------------------------------------------------------


def campaign_of(query: str) -> dict[str, str]:
    row = transform(event(page_url=f"https://shop.example/{query}")).row
    return {name: value for name, value in row.items() if name.startswith(("utm_", "click_"))}


def test_utm_parameters_fill_their_columns_decoded() -> None:
    query = "?utm_source=News%20letter&utm_medium=e+mail&utm_campaign=a&utm_term=b&utm_content=c&utm_id=7"
    assert campaign_of(query) == {
        "utm_source": "News letter", "utm_medium": "e mail", "utm_campaign": "a",
        "utm_term": "b", "utm_content": "c", "utm_id": "7",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("?", {}),
        ("#?utm_source=x", {}),
        ("?utm_source=", {}),
        ("?UTM_Source=x", {"utm_source": "x"}),
        ("?utm_source=x&utm_source=y", {"utm_source": "x"}),
        ("?utm_source=me@mail.example", {"utm_source": "redacted"}),
        ("?gclid=a", {"click_id": "a", "click_network": "Google"}),
        ("?fbclid=f&gclid=a", {"click_id": "a", "click_network": "Google"}),
        ("?msclkid=m", {"click_id": "m", "click_network": "Microsoft"}),
        ("?li_fat_id=l;twclid=t", {"click_id": "t", "click_network": "X"}),
    ],
)
def test_a_campaign_is_read_from_the_query_alone(query: str, found: dict[str, str]) -> None:
    assert campaign_of(query) == found
