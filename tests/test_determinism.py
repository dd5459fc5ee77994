"""The same raw object gives the same rows, in any process, format and chunk size, and the same files in any process.

Each process below has its own seed for hashes, time zone, locale, working directory and number of threads, and reads
one object that holds what the golden cases hold, a thousand events and damage.
"""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clicklake import pipeline
from clicklake.pipeline import Format
from clicklake.transform.process import Settings, process
from transforming import KEY, PIPELINE, RAW_KEY, event, lines

GOLDEN = Path(__file__).parent / "golden"
CHUNKS = (1, 7, 4096, 1 << 20)


def raw_object() -> bytes:
    """A thousand events, every golden case, and a gzip stream that ends too early."""
    events = [
        event(
            event_id=str(n),
            user_id=f"user-{n % 97}",
            page_url=f"https://shop.example/{n}?q={n}",
            more={"b": n, "a": [n]},
        )
        for n in range(1000)
    ]
    cases = b"\n".join(path.read_bytes() for path in sorted(GOLDEN.glob("*/raw")))
    plain = b"\n".join(json.dumps(one).encode() for one in events) + b"\n" + cases
    return gzip.compress(plain, mtime=0) + gzip.compress(plain[:1000], mtime=0)[:-20]


def digests(raw: bytes, form: Format, chunk_size: int) -> dict[str, Any]:
    settings = Settings(pipeline.with_processed_format(PIPELINE, form), KEY, "test")
    batch = process(raw, RAW_KEY, 0, settings, chunk_size)
    bodies = {name: output.body for name in ("processed", "failed", "ledger") if (output := getattr(batch, name))}
    ledger = lines(bodies["ledger"])[0]
    return {
        "content": ledger["content_sha256"],
        "sums": {name: ledger[name] for name in ("records_in", "good", "duplicate", "failed")},
        **{name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()},
    }


@dataclass(frozen=True)
class Place:
    """What differs from one machine to another without being the input."""

    hash_seed: str
    zone: str
    locale: str
    threads: str

    def environment(self) -> dict[str, str]:
        threads = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "TOKIO_WORKER_THREADS", "ARROW_NUM_THREADS")
        return {
            "PYTHONHASHSEED": self.hash_seed,
            "TZ": self.zone,
            "LANG": self.locale,
            "LC_ALL": self.locale,
            **dict.fromkeys(threads, self.threads),
        }


PLACES = (Place("0", "UTC", "C", "1"), Place("4242", "Pacific/Kiritimati", "tr_TR.UTF-8", "8"))


def in_a_process(place: Place, folder: Path, raw: bytes) -> dict[str, Any]:
    """The digests by format and chunk size as this file prints them when it is run there."""
    folder.mkdir()
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent / "src")])
    found = subprocess.run(
        [sys.executable, "-W", "error", __file__],
        input=raw,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **place.environment()},
        capture_output=True,
        check=True,
        timeout=100,
    )
    return dict(json.loads(found.stdout))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    raw, folder = raw_object(), tmp_path_factory.mktemp("places")
    return [in_a_process(place, folder / str(nth), raw) for nth, place in enumerate(PLACES)]


def test_two_processes_make_the_same_files_to_the_byte(found: list[dict[str, Any]]) -> None:
    assert found[0] == found[1]
    assert found[0]["parquet"]["processed"] != found[0]["json"]["processed"]


def test_neither_the_format_nor_the_chunks_show_in_the_content(found: list[dict[str, Any]]) -> None:
    made = [digests for place in found for digests in place.values()]
    assert len({digests["content"] for digests in made}) == 1
    assert len({digests["failed"] for digests in made}) == 1
    for digests in made:
        sums = digests["sums"]
        assert sums["records_in"] == sums["good"] + sums["duplicate"] + sums["failed"]
        assert sums["good"] > 1000
        assert sums["duplicate"] > 0
        assert sums["failed"] > 10


def test_the_size_of_the_chunks_does_not_show_in_the_files(found: list[dict[str, Any]]) -> None:
    for form in ("parquet", "json"):
        by_chunk = [found[0][form if size == CHUNKS[-1] else f"{form} by {size}"] for size in CHUNKS]
        assert by_chunk == [by_chunk[0]] * len(CHUNKS)


def test_other_content_has_other_hashes() -> None:
    one, other = (
        digests(json.dumps(event(event_id="1", value=value)).encode(), "parquet", 1 << 20) for value in (1, 2)
    )
    assert one["content"] != other["content"]
    assert one["processed"] != other["processed"]


if __name__ == "__main__":
    raw = sys.stdin.buffer.read()
    made = {
        form if size == CHUNKS[-1] else f"{form} by {size}": digests(raw, form, size)
        for form in ("parquet", "json")
        for size in CHUNKS
    }
    sys.stdout.write(json.dumps(made))
