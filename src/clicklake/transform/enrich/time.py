"""When the event happened, by a clock that may be wrong.

`event_ts` is the sender's `event_time` unless the clock is provably wrong; then the skew is subtracted, which is how
Snowplow's derived_tstamp and Segment's timestamp work, too. With a trusted server's `collector_time` the skew is known.
Without, a right clock and the buffering look alike: Firehose names an object for the arrival of its oldest record
(docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html), so records of the same object arrived up to one buffer
interval after that, and a sender may have retried for 15 minutes before. `sent_time` counts as right while it lies
where a right clock could have put it, whichever end of the buffering the name tells. So events with right clocks keep
their order and spacing exactly.

Without an `event_time` it is the time at which the event came: `collector_time`, or else the object's.
"""

from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.times import DAY, EARLIEST, LATEST

RETRIES = 900_000  # ms that a sender may have kept trying
AHEAD = 5_000  # ms that a right clock may be ahead of ours


def _time(
    context: Context, happened: int | None, sent: int | None, collected: int | None, received: int
) -> tuple[int, str, int, int, int | None]:
    """event_ts, its source and day, how late it came and how wrong the sender's clock was."""
    skew = _skew(sent, collected, received, context.buffer_ms)
    source = "event"
    if happened is not None and skew:
        happened -= skew
        source = "derived"
    if happened is None or not EARLIEST <= happened <= LATEST:
        happened, source = received if collected is None else collected, "received"
    return happened, source, happened // DAY, (received - happened) // 1000, skew


def _skew(sent: int | None, collected: int | None, received: int, buffer: int) -> int | None:
    """How far the sender's clock was ahead, in ms; None if nothing tells."""
    if sent is None:
        return None
    if collected is not None:
        return sent - collected
    return 0 if received - buffer - RETRIES <= sent <= received + buffer + AHEAD else sent - received


time = Enrichment(
    reads=("event_time", "sent_time", "collector_time", "received_ts"),
    makes=("event_ts", "event_ts_source", "event_date", "late_by_seconds", "clock_skew_ms"),
    make=_time,
    memo=False,
)
