# ruff: noqa: E501 - the table is read by the line: one score a line
"""The scores, what each says, and how much it must be at least.

A share of few cases says little, so a score misses its floor when chance can't explain it: by more than three standard
errors of a share that is the floor. What must always hold exactly has 1, or 0 where a score counts errors; there chance
has no say.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from clicklake.score.counts import Share, Shares

_STANDARD_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Score:
    """`name` is that of counts.py. Without a `floor` it is only told. Of an `error` less is better, and the floor is
    the most that it may be; `live` is the floor for what arrives every second, where that is another."""

    name: str
    says: str
    floor: float | None = None
    live: float | None = None
    error: bool = False

    def floor_of(self, run: str) -> float | None:
        return self.live if run == "live" and self.live is not None else self.floor


SECTIONS: dict[str, tuple[Score, ...]] = {
    "Accounting": (
        Score("records in", "records that the ledger counts, of those that were sent", 1),
        Score("in = good + duplicate + failed", "the ledger's sums against each other", 1),
        Score("good = rows", "rows of `clickstream_events`, against the ledger's good records", 1),
        Score("events found", "events that have a row in `clickstream_events_unique`, sent once or again", 1),
        Score("rows sent", "rows that were truly sent", 1),
        Score("malformed failed", "malformed records that are in `clickstream_failed`, by their bytes", 1),
        Score("failed malformed", "failed records that were truly malformed", 1),
        Score("failure types", "failed records with the right `failure_type`", 1),
    ),
    "Repeats": (
        Score("repeats removed", "repeats that are no second row (recall)", 0.85),
        Score("removed repeats", "of what was removed, true repeats (precision)", 0.97),
        Score("repeats removed: nothing", "sent again the same day as it was, with a new time of sending", 0.99),
        Score("repeats removed: transport", "sent again the same day from another address, with a counter", 0.99),
        Score("repeats removed: day", "either of these on another day"),
        Score("repeats removed: content", "sent again with other content under the same id"),
        Score("events with a shared id found", "different events by browsers that give all of a visit one id"),
    ),
    "Machines": (
        Score("flagged machines", "visitors flagged as machines that are (precision)", 0.99),
        Score("machines flagged", "machines that are flagged (recall), but for disguised ones", 0.94),
        Score("machines flagged: known", "of those, 49 well-known robots", 0.99),
        Score("machines flagged: long tail", "of those, from the list of 1,459 crawlers and tools", 0.89),
        Score("machines flagged: disguised", "machines that say they are a browser"),
        Score("bot found", "bots that are called `bot`", 0.91),
        Score("found bot", "called `bot` that are bots", 0.94),
        Score("ai_agent found", "AI agents that are called `ai_agent`", 0.85),
        Score("found ai_agent", "called `ai_agent` that are AI agents", 0.9),
        Score("automation found", "tools that are called `automation`", 0.87),
        Score("found automation", "called `automation` that are tools", 0.9),
    ),
    "Channels and devices": (
        Score("channels that are told", "people's visits with the right channel, where anything tells it", 0.91),
        Score("channels", "all people's visits, those from apps that tell nothing too", 0.83),
        Score("devices", "events whose `device_type` is the list's kind of device", 0.99),
        Score("devices: desktop", "of those, desktops", 0.99),
        Score("devices: mobile", "of those, phones", 0.99),
        Score("devices: tablet", "of those, tablets"),
    ),
    "Clocks": (
        Score("right clocks made wrong", "events by a right clock that are off by a second more than before", 0, error=True),
        Score("clocks with a collector's time: within 1 s", "wrong clocks, collector's time known: 1 s off at most", 0.99),
        Score("clocks wrong by hours, with the time of sending: within 1 s", "clocks wrong by an hour or more, device's time of sending known: 1 s off at most"),
        Score("clocks wrong by hours, with the time of sending: within 60 s", "these: 60 s off at most", 0.1, 0.99),
        Score("clocks wrong by hours, with the time of sending: within 600 s", "these: 600 s off at most", 0.99),
        Score("clocks wrong by minutes, with the time of sending: within 60 s", "clocks wrong by less than 15 minutes, device's time of sending known: 60 s off at most"),
        Score("clocks wrong by minutes, with the time of sending: within 600 s", "those: 600 s off at most"),
        Score("clocks without either: within 600 s", "wrong clocks, no other time known: 600 s off at most"),
    ),
    "Drift and counts": (
        Score("drift kept: a new property", "events with a new property that have it in `properties`", 1),
        Score("drift kept: value is text", "events whose number became text that keep it", 1),
        Score("drift kept: other names", "events with other field names and epoch times that are read rightly", 1),
        Score("sessions", "visits that the saved query `sessions` counts, and the true number: the smaller of the larger", 0.9),
        Score("visitors", "people by `visitor_id`, and the true number: the smaller of the larger", 0.9),
    ),
}  # fmt: skip
RUNS = ("buffered", "live")


def below(run: str, shares: Shares) -> Iterator[str]:
    """A sentence for each score that misses its floor."""
    for score in (score for section in SECTIONS.values() for score in section):
        share, floor = shares.get(score.name, Share(0, 0)), score.floor_of(run)
        if share.value is not None and floor is not None and misses(share, floor, error=score.error):
            numbers = f"{share.value:.2%} ({share.right:,} of {share.of:,})"
            yield f"{run}: {score.name}: {numbers}, floor {floor:.0%}"


def misses(share: Share, floor: float, *, error: bool = False) -> bool:
    """Is it below (an error: above) the floor, by more than chance explains?"""
    slack = _STANDARD_ERRORS * math.sqrt(floor * (1 - floor) / share.of)
    value = share.right / share.of
    return value > floor + slack if error else value < floor - slack


def table(runs: dict[str, Shares], names: tuple[str, ...]) -> Iterator[str]:
    """Lines of plain text: each score of all `runs`."""
    for name in names:
        cells = (f"{percent(shares, name):>9} {numbers(shares, name):>15}" for shares in runs.values())
        yield f"  {name:<68} {'  '.join(cells)}"


def percent(shares: Shares, name: str) -> str:
    """`99.87 %`; never rounded up to 100, nor down to 0."""
    share = shares.get(name, Share(0, 0))
    if share.value is None:
        return ""
    text = f"{100 * share.value:.1f}"
    if share.right < share.of and text == "100.0":
        text = "> 99.9"
    if share.right and text == "0.0":
        text = "< 0.1"
    return f"{text.removesuffix('.0')} %"


def numbers(shares: Shares, name: str) -> str:
    share = shares.get(name, Share(0, 0))
    return f"{share.right:,} of {share.of:,}" if share.of else ""
