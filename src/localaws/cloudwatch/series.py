"""Data points of metrics by the minute: this minute's in memory, older ones in the Store.

`flush` writes what came since the last one, in one transaction; a kill loses what came after it, and nothing else.
Points are kept for 15 days, as AWS keeps those of one minute; AWS's coarser ones of before are not made.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from localaws.cloudwatch.statistics import Point
from localaws.store import Store

MINUTE = 60
RETENTION = 15 * 24 * 3600
# A client may put faster than anybody flushes.
_MOST_OPEN = 20_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS metric (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, name TEXT NOT NULL,
  dimensions TEXT NOT NULL, unit TEXT NOT NULL, last INTEGER NOT NULL, UNIQUE (namespace, name, dimensions, unit));
CREATE TABLE IF NOT EXISTS metric_point (metric INTEGER NOT NULL, minute INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (metric, minute)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS metric_point_minute ON metric_point (minute);
"""


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """Namespace, name and dimensions (sorted pairs) are what identifies a metric to CloudWatch."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()


class Series:
    """Any thread may call."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.migrate(_SCHEMA)
        self._lock = threading.Lock()
        self._open: dict[Metric, dict[tuple[str, int], Point]] = {}
        self._open_points = 0

    def put(self, metric: Metric, unit: str, time: float, point: Point) -> None:
        """`time` in epoch seconds; `unit` is one of CloudWatch's words."""
        key = unit, int(time) // MINUTE * MINUTE
        with self._lock:
            points = self._open.setdefault(metric, {})
            self._open_points += key not in points
            points.setdefault(key, Point()).add(point)
            full = self._open_points > _MOST_OPEN
        if full:
            self.flush()

    def flush(self) -> None:
        """What is in memory is in the Store on return."""
        with self._lock:  # held until it is written: a reader sees each point once
            if not self._open:
                return
            with self._store.write() as db:
                for metric, points in self._open.items():
                    for (unit, minute), point in points.items():
                        _write(db, _number(db, metric, unit, minute), minute, point)
            self._open, self._open_points = {}, 0

    def forget(self, before: float) -> None:
        """Points older than `before` (epoch seconds), and metrics that have no other."""
        with self._store.write() as db:
            db.execute("DELETE FROM metric_point WHERE minute < ?", (int(before),))
            db.execute("DELETE FROM metric WHERE last < ?", (int(before),))

    def points(self, metric: Metric, start: float, end: float) -> dict[str, dict[int, Point]]:
        """By unit and minute, of `start <= minute < end`."""
        found: dict[str, dict[int, Point]] = {}
        with self._lock:
            for (unit, minute), point in self._open.get(metric, {}).items():
                if start <= minute < end:
                    found.setdefault(unit, {}).setdefault(minute, Point()).add(point)
            for unit, minute, point in self._stored(metric, start, end):
                found.setdefault(unit, {}).setdefault(minute, Point()).add(point)
        return found

    def metrics(self, since: float = 0.0) -> list[Metric]:
        """Those that have a point at or after `since`, in their order."""
        query = "SELECT DISTINCT namespace, name, dimensions FROM metric WHERE last >= ?"
        with self._lock:
            found = {
                metric for metric, points in self._open.items() if any(minute >= since - MINUTE for _, minute in points)
            }
            for namespace, name, text in self._store.read().execute(query, (int(since) - MINUTE,)):
                found.add(Metric(namespace, name, _dimensions(text)))
        return sorted(found)

    def _stored(self, metric: Metric, start: float, end: float) -> Iterator[tuple[str, int, Point]]:
        query = """SELECT unit, minute, body FROM metric JOIN metric_point ON metric = id
                   WHERE namespace = ? AND name = ? AND dimensions = ? AND minute >= ? AND minute < ?"""
        row = (metric.namespace, metric.name, json.dumps(metric.dimensions), start, end)
        for unit, minute, body in self._store.read().execute(query, row):
            yield unit, minute, _point(body)


def _number(db: sqlite3.Connection, metric: Metric, unit: str, minute: int) -> int:
    row = (metric.namespace, metric.name, json.dumps(metric.dimensions), unit, minute)
    change = """INSERT INTO metric (namespace, name, dimensions, unit, last) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET last = max(last, excluded.last) RETURNING id"""
    return int(db.execute(change, row).fetchone()[0])


def _write(db: sqlite3.Connection, number: int, minute: int, point: Point) -> None:
    query = "SELECT body FROM metric_point WHERE metric = ? AND minute = ?"
    row = db.execute(query, (number, minute)).fetchone()
    whole = _point(row[0]) if row else Point()
    whole.add(point)
    body = [whole.count, whole.sum, whole.low, whole.high, list(whole.values.items())]
    db.execute("INSERT OR REPLACE INTO metric_point VALUES (?, ?, ?)", (number, minute, json.dumps(body)))


def _point(body: str) -> Point:
    count, total, low, high, values = json.loads(body)
    return Point(count, total, low, high, dict(values))


def _dimensions(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in json.loads(text))
