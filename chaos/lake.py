"""What is there: ids by the file that they are in, read from the data directory and not through any API."""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from chaos.damage import ids_in
from clicklake.pipeline import Names, Pipeline


@dataclass(frozen=True)
class Lake:
    """`events` and `failed`: how often each id is in processed/ and in failed/; `ledger`: its rows; `unledgered` and
    `rawless`: raw objects without a ledger row, and the other way round; `set_aside`: the ids in each damaged segment
    of the log that was set aside, by its file's name; `waiting`: segments that were not delivered."""

    events: Counter[str]
    failed: Counter[str]
    rows_by_raw_key: Counter[str]
    ledger: list[dict[str, Any]]
    unledgered: set[str]
    rawless: set[str]
    set_aside: dict[str, set[str]]
    waiting: list[str]


class Files:
    """A data directory's files of one stream and its bucket."""

    def __init__(self, data_dir: Path, pipeline: Pipeline, names: Names) -> None:
        self._pipeline = pipeline
        self.bucket = data_dir / "s3" / names.bucket
        self.log = data_dir / "firehose" / names.delivery_stream

    def zone(self, name: str) -> list[Path]:
        return [path for path in (self.bucket / name).rglob("*") if path.is_file()]

    def waiting(self) -> list[str]:
        """Log segments that are not delivered."""
        return [path.name for path in self.log.glob("*.log")]

    def unledgered(self) -> set[str]:
        """Raw objects without a ledger row, by their names."""
        return self._names(self._pipeline.zones.raw) - self._names(self._pipeline.zones.ledger)

    def _names(self, zone: str) -> set[str]:
        return {path.name.partition(".")[0] for path in self.zone(zone)}

    def lake(self) -> Lake:
        zones = self._pipeline.zones
        events, failed, rows = Counter[str](), Counter[str](), Counter[str]()
        for id_, raw_key in self._processed():
            events[id_] += 1
            rows[raw_key] += 1
        for row in self._json(zones.failed):
            failed.update(ids_in(base64.b64decode(row["raw"]))[:1] or ["no id"])
            rows[row["raw_key"]] += 1
        ledger = list(self._json(zones.ledger))
        raw = {str(path.relative_to(self.bucket)) for path in self.zone(zones.raw)}
        told = {row["raw_key"] for row in ledger}
        aside = {path.name: set(ids_in(path.read_bytes())) for path in self.log.glob("*.torn")}
        return Lake(events, failed, rows, ledger, raw - told, told - raw, aside, self.waiting())

    def _processed(self) -> Iterator[tuple[str, str]]:
        paths = [str(path) for path in self.zone(self._pipeline.zones.processed)]
        if paths:
            with duckdb.connect() as db:
                sql = "SELECT event_id, raw_key FROM read_parquet(?, hive_partitioning = false)"
                yield from db.execute(sql, [paths]).fetchall()

    def _json(self, zone: str) -> Iterator[dict[str, Any]]:
        for path in self.zone(zone):
            for line in gzip.decompress(path.read_bytes()).splitlines():
                yield json.loads(line)

    def places_of(self, ids: set[str]) -> dict[str, list[str]]:
        """Where in raw/ and in the log each id is."""
        found: dict[str, list[str]] = {id_: [] for id_ in ids}
        for path in (*self.zone(self._pipeline.zones.raw), *self.log.iterdir()):
            data = path.read_bytes()
            for id_ in ids.intersection(ids_in(gzip.decompress(data) if path.suffix == ".gz" else data)):
                found[id_].append(str(path))
        return found
