"""What was sent against what was found: shares, each with both of its numbers. Pure.

`score` gives all of them by name; scores.py says what each means and how much it must be at least.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from clicklake.score.found import Found, Place, Row

Told = dict[str, Any]
_GAP_SECONDS = 1800  # what ends a session, in queries/sessions.sql as in Google Analytics


@dataclass(frozen=True, slots=True)
class Share:
    right: int
    of: int

    @property
    def value(self) -> float | None:
        return self.right / self.of if self.of else None


Shares = dict[str, Share]


def score(told: list[Told], found: Found) -> Shares:
    """Every share by its name. Those of events are by happening: all sendings of an event are one."""
    sent = defaultdict[Place, list[Told]](list)
    for line in told:
        if line["kind"] != "malformed":
            sent[line["session_id"], line["event_index"]].append(line)
    rows = defaultdict[Place, list[Row]](list)
    for row in found.rows:
        rows[row.place].append(row)
    matched = [(sent[place][0], own[0]) for place, own in rows.items() if place in sent]
    return {
        **_accounting(told, found, sent, rows),
        **_repeats(sent, rows),
        **_machines(_visits(matched)),
        **_channels(_visits(matched)),
        **_devices(matched),
        **_clocks(matched),
        **_drift(sent, rows),
        **_sessions(sent, found),
    }


def _share(right: Iterable[bool]) -> Share:
    each = list(right)
    return Share(sum(each), len(each))


# --- is everything there, and once? ----------------------------------------------------------------------------------


def _accounting(told: list[Told], found: Found, sent: dict[Place, list[Told]], rows: dict[Place, list[Row]]) -> Shares:
    """Sums hold if they are equal; the share says how near they are."""
    malformed = {line["sha256"]: line["failure_type"] for line in told if line["kind"] == "malformed"}
    failed = {digest: kind for kind, digest in found.failed}
    return {
        "records in": _near(found.records_in, len(told)),
        "in = good + duplicate + failed": _near(found.good + found.duplicate + found.failed_records, found.records_in),
        "good = rows": _near(found.table_rows, found.good),
        "events found": _share(place in rows for place, lines in sent.items() if not lines[0]["one_id"]),
        "rows sent": _share(row.place in sent for row in found.rows),
        "malformed failed": _share(digest in failed for digest in malformed),
        "failed malformed": _share(digest in malformed for digest in failed),
        "failure types": _share(malformed.get(digest) == kind for digest, kind in failed.items()),
    }


def _near(one: int, other: int) -> Share:
    return Share(min(one, other), max(one, other))


def _repeats(sent: dict[Place, list[Told]], rows: dict[Place, list[Row]]) -> Shares:
    """What was removed of what should be, and the other way round. Of n sendings n - 1 should be; if no row is left,
    one of those that were removed should not have been."""
    repeats, removed, rightly = 0, 0, 0
    by_change = defaultdict[str, list[bool]](list)
    for place, lines in sent.items():
        left = len(rows.get(place, ()))
        surplus, gone = len(lines) - 1, max(0, len(lines) - left)
        repeats, removed, rightly = repeats + surplus, removed + gone, rightly + min(gone, surplus)
        for line in lines[1:]:
            by_change[_difference(lines[0], line)].append(left <= 1)
    return {
        "repeats removed": Share(rightly, repeats),
        "removed repeats": Share(rightly, removed),
        **{f"repeats removed: {name}": _share(by_change[name]) for name in ("nothing", "transport", "day", "content")},
        "events with a shared id found": _share(place in rows for place, lines in sent.items() if lines[0]["one_id"]),
    }


def _difference(first: Told, repeat: Told) -> str:
    """The change, but for repeats on another day, which are a case of their own whatever else differs."""
    other_day = first["sent_time"][:10] != repeat["sent_time"][:10]
    return "day" if other_day and repeat["change"] != "content" else str(repeat["change"])


# --- who and from where? by visit ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Visit:
    """The truth of its first row, that row, and its channel: the first that a row of it has."""

    told: Told
    row: Row
    channel: str | None

    @property
    def is_robot(self) -> bool:
        return bool(self.told["traffic"] != "human")

    @property
    def is_flagged(self) -> bool:
        return self.row.traffic != "human"


def _visits(matched: Iterable[tuple[Told, Row]]) -> list[_Visit]:
    by_session = defaultdict[str, list[tuple[Told, Row]]](list)
    for told, row in matched:
        by_session[told["session_id"]].append((told, row))
    return [_visit(sorted(pairs, key=lambda pair: pair[1].at)) for pairs in by_session.values()]


def _visit(pairs: list[tuple[Told, Row]]) -> _Visit:
    told, row = pairs[0]
    return _Visit(told, row, next((row.channel for _, row in pairs if row.channel), None))


def _machines(all_visits: list[_Visit]) -> Shares:
    """By visitor: who comes again says the same of themselves again."""
    visits = list({visit.told["visitor"]: visit for visit in all_visits}.values())
    disguised = [visit for visit in visits if visit.told["disguised"]]
    open_ones = [visit for visit in visits if visit.is_robot and not visit.told["disguised"]]
    shares = {
        "flagged machines": _share(visit.is_robot for visit in visits if visit.is_flagged),
        "machines flagged": _share(visit.is_flagged for visit in open_ones),
        "machines flagged: known": _share(v.is_flagged for v in open_ones if not v.told["listed"]),
        "machines flagged: long tail": _share(v.is_flagged for v in open_ones if v.told["listed"]),
        "machines flagged: disguised": _share(visit.is_flagged for visit in disguised),
    }
    for kind in ("bot", "ai_agent", "automation"):
        shares |= {
            f"{kind} found": _share(v.row.traffic == kind for v in open_ones if v.told["traffic"] == kind),
            f"found {kind}": _share(v.told["traffic"] == kind for v in visits if v.row.traffic == kind),
        }
    return shares


def _channels(visits: list[_Visit]) -> Shares:
    human = [
        (visit.told["channel"], visit.channel, visit.told["channel_told"]) for visit in visits if not visit.is_robot
    ]
    told = [(true, said) for true, said, is_told in human if is_told]
    shares = {
        "channels": _share(true == said for true, said, _ in human),
        "channels that are told": _share(true == said for true, said in told),
    }
    for name in sorted({str(true) for true, _ in told}):
        shares[f"channel found: {name}"] = _share(true == said for true, said in told if str(true) == name)
        shares[f"found channel: {name}"] = _share(true == said for true, said, _ in human if str(said) == name)
    return shares


def _devices(matched: list[tuple[Told, Row]]) -> Shares:
    known = [(told["device"], row.device) for told, row in matched if told["device"] and told["traffic"] == "human"]
    shares = {"devices": _share(true == said for true, said in known)}
    for kind in ("desktop", "mobile", "tablet"):
        shares[f"devices: {kind}"] = _share(true == said for true, said in known if true == kind)
    return shares


# --- when? -----------------------------------------------------------------------------------------------------------

WITHIN = (1, 60, 600)


def _clocks(matched: list[tuple[Told, Row]]) -> Shares:
    """The error is event_ts against the true time. A clock that is right to within seconds needs no correction."""
    timed = [(told, abs(row.at - _seconds(told["event_time"]))) for told, row in matched if not told["one_id"]]
    wrong = [(told, error) for told, error in timed if told["clock"] != "right"]
    slightly = [(told, error) for told, error in wrong if told["clock"] == "minutes"]
    by_hours = [(told, error) for told, error in wrong if told["clock"] != "minutes"]
    shares = {
        "right clocks made wrong": _share(
            error > abs(told["clock_ahead_seconds"]) + 1 for told, error in timed if told["clock"] == "right"
        )
    }
    for name, of_kind, ways in (
        ("with a collector's time", wrong, ("collector",)),
        ("wrong by hours, with the time of sending", by_hours, ("device",)),
        ("wrong by minutes, with the time of sending", slightly, ("device",)),
        ("without either", wrong, ("bare",)),
    ):
        errors = [error for told, error in of_kind if told["sent_by"] in ways]
        for seconds in WITHIN:
            shares[f"clocks {name}: within {seconds} s"] = _share(error <= seconds for error in errors)
    return shares


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _sessions(sent: dict[Place, list[Told]], found: Found) -> Shares:
    """How near the counts of the lake come to the true ones; visits that lie within half an hour are one."""
    times = defaultdict[int, list[float]](list)
    for lines in sent.values():
        if lines[0]["traffic"] == "human":
            times[lines[0]["visitor"]].append(_seconds(lines[0]["event_time"]))
    visits = sum(_visits_of(sorted(moments)) for moments in times.values())
    return {"sessions": _near(visits, found.sessions), "visitors": _near(len(times), found.visitors)}


def _visits_of(moments: list[float]) -> int:
    return 1 + sum(after - before > _GAP_SECONDS for before, after in pairwise(moments))


# --- what a release changed ------------------------------------------------------------------------------------------

_WITH_VALUE = {"add_to_cart", "begin_checkout", "purchase"}


def _drift(sent: dict[Place, list[Told]], rows: dict[Place, list[Row]]) -> Shares:
    """An event that drifted is kept if its row has what it should have, as text or wherever it was put."""
    kept = defaultdict[str, list[bool]](list)
    for place, own in rows.items():
        told, row = sent[place][0] if place in sent else {"drift": None}, own[0]
        if told["drift"] == "a new property":
            kept["a new property"].append(row.experiment == "b")
        elif told["drift"] == "value is text" and row.event_type in _WITH_VALUE:
            kept["value is text"].append(row.value is not None or row.text_value is not None)
        elif told["drift"] == "other names":
            kept["other names"].append(row.event_type == told["event_type"] and row.source != "received")
    return {f"drift kept: {name}": _share(kept[name]) for name in ("a new property", "value is text", "other names")}
