"""`make fuzz`: bytes that nobody thought of, for FUZZ_SECONDS (600 unless set).

Whatever the raw object holds, plain or gzipped, whole or cut off: the transform must not raise, must account for every
record, keep the order, give the same rows in both formats and whatever the size of the chunks, leave the records before
and behind alone, and need no longer than its length explains. `check` is that list.

With atheris (libFuzzer for Python; Linux on x86_64), what an input reaches in our code decides what is tried next;
elsewhere the golden raws are spliced, flipped, cut and repeated at random, by FUZZ_SEED. What breaks a rule is left in
.fuzz/, and `python tests/fuzz.py FILE...` checks it again.
"""

import gzip
import importlib
import importlib.util
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

# Only where this file is run: tests import it, too.
wanted = __name__ == "__main__" and importlib.util.find_spec("atheris")
atheris: Any = importlib.import_module("atheris") if wanted else None

with atheris.instrument_imports(include=["clicklake"]) if atheris else nullcontext():
    from clicklake import pipeline
    from clicklake.pipeline import Format
    from clicklake.transform.event import FAILURE_TYPES
    from clicklake.transform.process import Settings, process
    from transforming import KEY, PIPELINE, RAW_KEY, lines

GOLDEN = Path(__file__).parent / "golden"
FINDINGS = Path(".fuzz")
LONGEST = 4096  # bytes; longer inputs find little more and cost their length
LARGE_CHUNK, SMALL_CHUNK = 1 << 20, 5
SLOWEST = 5.0  # seconds of CPU time for LONGEST bytes, in seven passes
BEFORE = b'{"event_type":"neighbour","event_id":"before","properties":{"a":[1,{"b":"}{"}]}}\n'
BEHIND = b'\n{"event_type":"neighbour","event_id":"behind","page_url":"https://shop.example/?q=1"}\n'
WORDS = (
    b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\n", b"\r\n", b"\r", b" ", b"\0", b"\xff", b"\xef\xbb\xbf", b"\x1f\x8b",
    b"}{", b"},{", b'{"', b'"}', b"NaN", b"-Infinity", b"1e999", b"18446744073709551616", b"null", b"tru", b"\\ud800", b"\\u0000",
    b"eyJ", b"e30=", b"W3si", b"77u/", b"=", b"==", b'"event_type":"x"', b'"event_id":"1"', b'"user_id":"u"', b'"ip":1',
    b'"properties":{', b'"headers":{"accept-language":"', b'"event_time":"', b'"page_url":"https://x.example/?', b'"value":',
)  # fmt: skip

Settled = dict[Format, Settings]
SETTINGS: Settled = {
    form: replace(Settings(PIPELINE, KEY), pipeline=pipeline.with_processed_format(PIPELINE, form))
    for form in ("parquet", "json")
}


def check(raw: bytes) -> None:
    """Every rule for `raw` as it is, gzipped, and gzipped and cut off."""
    began = time.process_time()
    for stored in (raw, gzip.compress(raw, 1), gzip.compress(raw, 1)[: -1 - len(raw) % 12]):
        check_object(stored)
    check_neighbours(raw)
    assert time.process_time() - began < SLOWEST * max(1, len(raw) / LONGEST), "too slow"


def check_object(stored: bytes) -> None:
    """No record is lost or counted twice, order is kept, and neither format nor chunks show in the content."""
    made = outputs(stored, "json", LARGE_CHUNK)
    ledger, rows, failed = made
    assert ledger["records_in"] == ledger["good"] + ledger["duplicate"] + ledger["failed"]
    assert (ledger["good"], ledger["failed"]) == (len(rows), len(failed))
    assert ledger["failed"] == sum(ledger[f"failed_{kind}"] for kind in FAILURE_TYPES)
    for records in (rows, failed):
        assert all(one["record_index"] < other["record_index"] for one, other in pairwise(records))
        assert all(one["raw_offset"] <= other["raw_offset"] for one, other in pairwise(records))
    assert len({record["record_index"] for record in (*rows, *failed)}) == len(rows) + len(failed)
    assert all(0 <= record["record_index"] < ledger["records_in"] for record in (*rows, *failed))
    assert outputs(stored, "json", SMALL_CHUNK) == made, "the size of the chunks shows"
    in_parquet = process(stored, RAW_KEY, 0, SETTINGS["parquet"])
    assert lines(in_parquet.ledger.body)[0]["content_sha256"] == ledger["content_sha256"], "the format shows"


def outputs(stored: bytes, form: Format, chunk_size: int) -> tuple[dict[str, Any], list[Any], list[Any]]:
    batch = process(stored, RAW_KEY, 0, SETTINGS[form], chunk_size)
    rows, failed = (lines(output.body) if output else [] for output in (batch.processed, batch.failed))
    return lines(batch.ledger.body)[0], rows, failed


def check_neighbours(raw: bytes) -> None:
    """The events before and behind `raw` become what they would be without it."""
    alone = outputs(BEFORE + BEHIND, "json", LARGE_CHUNK)[1]
    _, rows, _ = outputs(BEFORE + raw + BEHIND, "json", LARGE_CHUNK)
    assert [without_place(row) for row in (rows[0], rows[-1])] == [without_place(row) for row in alone]


def without_place(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"raw_offset": 0, "record_index": 0}


# --- what to try ---------------------------------------------------------------------------------------------------

SEEDS = [path.read_bytes()[:LONGEST] for path in sorted(GOLDEN.glob("*/raw"))]


def flipped(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def cut(chance: random.Random, data: bytes) -> bytes:
    at, length = chance.randrange(len(data) + 1), chance.choice((1, 2, 8, 64, 512))
    return data[:at] + data[at + length :]


def repeated(chance: random.Random, data: bytes) -> bytes:
    at, length = chance.randrange(len(data) + 1), chance.choice((1, 2, 8, 64))
    return data[:at] + data[at : at + length] * chance.choice((2, 3, 50)) + data[at + length :]


def spliced(chance: random.Random, data: bytes) -> bytes:
    other = chance.choice(SEEDS)
    at, begin = chance.randrange(len(data) + 1), chance.randrange(len(other) + 1)
    return data[:at] + other[begin : begin + chance.choice((4, 32, 4096))] + data[at:]


def worded(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(WORDS) + data[at + chance.choice((0, 0, 1, 3)) :]


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (flipped, cut, repeated, spliced, worded, worded)


def mutated(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.randint(1, 5)):
        data = chance.choice(MUTATIONS)(chance, data)
    return data[:LONGEST]


def fuzz_at_random(seconds: float, seed: int) -> int:
    """Returns how many inputs were checked."""
    chance, until, done = random.Random(seed), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        raw = mutated(chance, chance.choice(SEEDS))
        try:
            check(raw)
        except BaseException:
            FINDINGS.mkdir(exist_ok=True)
            (FINDINGS / f"finding-{seed}-{done}").write_bytes(raw)
            raise
        done += 1
    return done


def fuzz_by_coverage(seconds: int, seed: int) -> None:
    corpus = FINDINGS / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for at, raw in enumerate(SEEDS):
        (corpus / f"golden-{at}").write_bytes(raw)

    def other(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        mutant = mutated(chance, data) if chance.random() < 0.5 else atheris.Mutate(data, longest)
        return bytes(mutant[:longest])

    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-seed={seed}", f"-artifact_prefix={FINDINGS}/"]
    atheris.Setup(
        [sys.argv[0], *limits, "-timeout=60", "-print_final_stats=1", str(corpus)], check, custom_mutator=other
    )
    atheris.Fuzz()


def main(files: list[str]) -> None:
    for file in files:
        check(Path(file).read_bytes())
        print(f"{file}: no finding")  # noqa: T201
    if files:
        return
    seconds, seed = int(os.environ.get("FUZZ_SECONDS", "600")), int(os.environ.get("FUZZ_SEED", "1"))
    if atheris:
        fuzz_by_coverage(seconds, seed)
    else:
        print(f"{fuzz_at_random(seconds, seed)} inputs in {seconds} s, no finding")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
