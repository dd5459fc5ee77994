"""`clicklake process`: the transform on files of this machine, without AWS and without an endpoint.

    files = find(Path("raw"), pipeline)
    done = [run(file, settings, Path("out"), seen) for file in files]

A raw file is what Firehose leaves in raw/, gzipped or not; any bytes will do. Its key is its path from `raw/year=` on,
or else `raw/` and its path in the directory that was named, so its outputs are called what they are called in the lake.
A key without Firehose's time in its name is dated by the file's own time, as S3's LastModified dates an object's.
"""

import gzip
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from clicklake.errors import UsageError
from clicklake.pipeline import Pipeline
from clicklake.processor import spool
from clicklake.transform.event import FAILURE_TYPES, Tally
from clicklake.transform.process import Batch, Output, Settings, process

VERSION = 1
_GEO = "CLICKLAKE_GEO_DATABASE"
_DAY = "year="

Rows = Callable[[BinaryIO], None]
"""Called with the file of good rows, before it is closed."""


@dataclass(frozen=True, slots=True)
class RawFile:
    path: Path
    raw_key: str
    modified_ms: int  # whole seconds, as S3 has them


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one raw file; `keys` are its outputs', in the order in which they are written."""

    file: RawFile
    tally: Tally
    failures: dict[str, int]
    content_sha256: str
    keys: dict[str, str] = field(default_factory=dict)


# --- which files ----------------------------------------------------------------------------------------------------


def find(source: Path, pipeline: Pipeline, without: Iterable[Path] = ()) -> list[RawFile]:
    """A file, or all raw files of a directory in the order of their keys. Of a lake's whole directory it is those in
    raw/; elsewhere, all but hidden ones, and but those in the folders `without`. Raises UsageError if there is none, or
    if two have the same key."""
    if not source.exists():
        raise UsageError(f"{source}: no such file or directory", "name a raw file, or a directory of them")
    is_folder, left_out = source.is_dir(), {folder.resolve() for folder in without}
    root, paths = (source, _within(source, pipeline, left_out)) if is_folder else (source.parent, iter([source]))
    found: dict[str, RawFile] = {}
    for path in paths:
        key = _key(path, root, pipeline)
        if key in found:
            problem = f"{path} and {found[key].path} are the same raw object, {key}"
            raise UsageError(problem, "process them one after the other")
        found[key] = RawFile(path, key, int(path.stat().st_mtime) * 1000)
    if not found:
        raise UsageError(f"{source} has no raw file", "files and folders that begin with . or _ do not count")
    return [found[key] for key in sorted(found)]


def _within(folder: Path, pipeline: Pipeline, without: set[Path]) -> Iterator[Path]:
    zones = asdict(pipeline.zones)
    raw = folder / zones.pop("raw")
    outputs = {(folder / prefix).resolve() for prefix in zones.values()} | without
    for path, folders, names in os.walk(raw if raw.is_dir() else folder):
        here = Path(path)
        folders[:] = [name for name in folders if name[0] not in "._" and (here / name).resolve() not in outputs]
        yield from (here / name for name in names if name[0] not in "._")


def _key(path: Path, root: Path, pipeline: Pipeline) -> str:
    """`/mnt/copy/raw/year=2025/.../a.gz` -> `raw/year=2025/.../a.gz`"""
    raw = pipeline.zones.raw
    _, found, rest = path.resolve().as_posix().rpartition(f"/{raw}{_DAY}")
    return f"{raw}{_DAY}{rest}" if found else raw + path.relative_to(root).as_posix().removeprefix(raw)


# --- what becomes of them ---------------------------------------------------------------------------------------------


def settings(pipeline: Pipeline, user_key: bytes | None) -> Settings:
    """As the function would have them; CLICKLAKE_GEO_DATABASE names a geo database here, too."""
    return Settings(pipeline, user_key=user_key, geo=_geo())


def _geo() -> Any | None:
    name = os.environ.get(_GEO)
    if not name:
        return None
    import maxminddb

    try:
        return maxminddb.open_database(name)
    except (OSError, maxminddb.InvalidDatabaseError) as e:
        raise UsageError(f"{name} can't be read ({e})", f"{_GEO} names an MMDB file") from e


def run(file: RawFile, settings: Settings, out: Path | None, on_rows: Rows | None = None) -> Done:
    """One raw file; its outputs are written below `out`, if that is given. Raises UsageError for what can't be read or
    written."""
    with ExitStack() as files:

        def opened() -> BinaryIO:
            return files.enter_context(spool())

        try:
            raw = files.enter_context(file.path.open("rb"))
            batch = process(raw, file.raw_key, file.modified_ms, settings, spool=opened)
        except OSError as e:
            raise UsageError(f"{file.path}: {e.strerror or e}", "it can't be read") from e
        if batch.processed and on_rows:
            batch.processed.file.seek(0)
            on_rows(batch.processed.file)
        if out:
            _write(out, batch)
        return _done(file, batch)


def _done(file: RawFile, batch: Batch) -> Done:
    row = json.loads(gzip.decompress(batch.ledger.body))
    failures: dict[str, int] = {kind: row[f"failed_{kind}"] for kind in FAILURE_TYPES if row[f"failed_{kind}"]}
    written = {"processed": batch.processed, "failed": batch.failed, "ledger": batch.ledger}
    keys = {zone: output.key for zone, output in written.items() if output}
    return Done(file, batch.tally, failures, row["content_sha256"], keys)


def _write(out: Path, batch: Batch) -> None:
    """In the function's order: the ledger's row, written last, says that all of it is there."""
    try:
        for output in filter(None, (batch.processed, batch.failed)):
            _put(out, output)
        for key in batch.stale:
            (out / key).unlink(missing_ok=True)
        _put(out, batch.ledger)
    except OSError as e:
        raise UsageError(f"{out} can't be written ({e.strerror or e})", "choose another: --out") from e


def _put(out: Path, output: Output) -> None:
    path = out / output.key
    path.parent.mkdir(parents=True, exist_ok=True)
    output.file.seek(0)
    with path.open("wb") as file:
        shutil.copyfileobj(output.file, file)


# --- what is said of it -----------------------------------------------------------------------------------------------


def document(done: list[Done], out: Path | None, against: dict[str, Any] | None) -> dict[str, Any]:
    """docs/process.md describes it."""
    failures: Counter[str] = Counter()
    for each in done:
        failures.update(each.failures)
    return {
        "version": VERSION,
        "out": str(out) if out else None,
        "files": [_file(each) for each in done],
        "total": _sums([each.tally for each in done]),
        "failures": dict(failures.most_common()),
        "against": against,
    }


def _file(done: Done) -> dict[str, Any]:
    return {
        "file": str(done.file.path),
        "raw_key": done.file.raw_key,
        **_sums([done.tally]),
        "failures": done.failures,
        "content_sha256": done.content_sha256,
        "keys": done.keys,
    }


def _sums(tallies: list[Tally]) -> dict[str, int]:
    names = ("records_in", "good", "duplicate", "failed", "rederived_ids", "dropped_values", "misplaced_values")
    return {name: sum(getattr(tally, name) for tally in tallies) for name in names}


def sums_line(sums: dict[str, int]) -> str:
    return "in {records_in:,} = good {good:,} + duplicate {duplicate:,} + failed {failed:,}".format(**sums)


def file_line(done: Done) -> str:
    return f"{sums_line(_sums([done.tally]))}  {done.file.path}"


def lines(document: dict[str, Any]) -> Iterator[str]:
    """What is said once all files are done."""
    number = len(document["files"])
    yield f"total      {'1 file' if number == 1 else f'{number:,} files'}: {sums_line(document['total'])}"
    if document["failures"]:
        yield "failed     " + ", ".join(f"{kind} {count:,}" for kind, count in document["failures"].items())
    if document["out"]:
        yield f"written to {document['out']}"
