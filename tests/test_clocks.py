"""Clocks, right and wrong, over every moment that a sender, a network and a buffer can make of them (DESIGN.md, 4, Time).

The times of a record in the order of what happens: the event, the sending (maybe much later: the phone was offline), the
arrival (maybe after retries), and the object, which Firehose names for the arrival of its oldest record.
"""

import os
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake.transform.enrich.context import Context
from clicklake.transform.enrich.time import AHEAD, RETRIES, time
from clicklake.transform.redact import split
from clicklake.transform.times import DAY, EARLIEST, LATEST

NAMED = 1_764_152_100_000  # the time in the object's name, epoch ms
SECOND, YEAR = 1000, 365 * DAY
EXAMPLES = int(os.environ.get("CLICKLAKE_EXAMPLES", "100"))


@dataclass(frozen=True)
class Record:
    """Epoch ms by right clocks."""

    event: int
    sent: int
    arrived: int


@dataclass(frozen=True)
class Stream:
    """Records of one object, and the longest that Firehose held them back, in ms."""

    buffer: int
    records: tuple[Record, ...]


def times_of(happened: int | None, sent: int | None, collected: int | None, buffer: int) -> tuple[object, ...]:
    """event_ts, event_ts_source, event_date, late_by_seconds, clock_skew_ms."""
    return time.make(Context(buffer, split), happened, sent, collected, NAMED)


@st.composite
def streams(draw: st.DrawFn, event_before_sending: st.SearchStrategy[int]) -> Stream:
    buffer = draw(st.integers(0, 900)) * SECOND
    named_for_oldest = draw(st.booleans())
    records = []
    for held in draw(st.lists(st.integers(0, buffer), min_size=1, max_size=20)):
        arrived = NAMED + held if named_for_oldest else NAMED - held
        sent = arrived - draw(st.integers(0, RETRIES))
        records.append(Record(sent - draw(event_before_sending), sent, arrived))
    return Stream(buffer, tuple(records))


at_once = st.integers(0, 60 * SECOND)
offline = st.integers(0, 2 * YEAR)


@given(streams(at_once | offline))
@settings(max_examples=EXAMPLES, deadline=None)
def test_right_clocks_are_believed_to_the_millisecond_whatever_the_buffer(stream: Stream) -> None:
    """So order and spacing are kept exactly, and a phone that was offline keeps the time of its event."""
    for record in stream.records:
        event_ts, source, event_date, late_by, skew = times_of(record.event, record.sent, None, stream.buffer)
        assert (event_ts, source, skew) == (record.event, "event", 0)
        assert event_date == record.event // DAY
        assert late_by == (NAMED - record.event) // SECOND


@given(streams(at_once), st.integers(-YEAR, YEAR))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_clock_that_is_wrong_by_more_than_the_buffer_is_set_right_as_far_as_anyone_can(
    stream: Stream, wrong: int
) -> None:
    """The error that stays is the way from the sending to the object: the buffer and the retries."""
    explained = stream.buffer + RETRIES
    wrong += (explained + stream.buffer + AHEAD + SECOND) * (1 if wrong >= 0 else -1)
    for record in stream.records:
        event_ts, source, _, _, skew = times_of(record.event + wrong, record.sent + wrong, None, stream.buffer)
        assert source == "derived"
        assert isinstance(event_ts, int)
        assert abs(event_ts - record.event) <= explained
        assert skew == record.sent + wrong - NAMED


@given(streams(at_once), st.integers(-YEAR, YEAR))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_trusted_collector_sets_any_clock_right_to_the_millisecond(stream: Stream, wrong: int) -> None:
    for record in stream.records:
        made = times_of(record.event + wrong, record.sent + wrong, record.sent, stream.buffer)
        assert (made[0], made[1], made[4]) == (record.event, "derived" if wrong else "event", wrong)


moments = st.none() | st.integers(EARLIEST, LATEST)


@given(moments, moments, moments, st.integers(0, 900))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_times_give_a_moment_that_the_calendar_has(
    happened: int | None, sent: int | None, collected: int | None, buffer: int
) -> None:
    """From the year 1 to 9999 all are kept, from the future too, and none is dropped."""
    event_ts, source, event_date, late_by, _ = times_of(happened, sent, collected, buffer * SECOND)
    assert isinstance(event_ts, int)
    assert EARLIEST <= event_ts <= LATEST
    assert (event_date, late_by) == (event_ts // DAY, (NAMED - event_ts) // SECOND)
    assert source in ("event", "derived", "received")
    assert (source == "received") >= (happened is None)
    if source == "received":
        assert event_ts == (NAMED if collected is None else collected)
    if happened is not None and sent is None:
        assert (event_ts, source) == (happened, "event")
