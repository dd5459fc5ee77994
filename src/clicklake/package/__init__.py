"""The functions' zips: our own code, the pipeline file and the wheels that it needs; the same bytes each time.

Only what Lambda runs goes in (contents.py), and what an extra of ours names, with everything that needs in turn: for
`local` as it is installed here, for AWS as the target's lock names it. boto3 is not among it: Lambda's Python runtime
brings it (docs.aws.amazon.com/lambda/latest/dg/lambda-python.html), and locally it is installed.

    contents.py     the functions, and what each one's zip holds
    targets.py      what can be built for, PackageError
    installed.py    the packages of this machine
    wheels.py       those of AWS, downloaded and checked
    archive.py      the zip itself
"""

import hashlib
import json
import platform
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from clicklake import pipeline as pipelines
from clicklake.package import archive, installed, wheels
from clicklake.package.contents import COLLECTOR, FUNCTIONS, PROCESSOR, Contents
from clicklake.package.targets import AWS, LOCAL, RUNTIME, TARGETS, Aws, PackageError

__all__ = [
    "AWS",
    "COLLECTOR",
    "FUNCTIONS",
    "PROCESSOR",
    "TARGETS",
    "Contents",
    "PackageError",
    "build",
    "check_size",
    "made_for",
    "refresh",
    "target_of",
]

MADE_FOR = "clicklake/package.json"

MOST_BYTES = 30_000_000
MOST_BYTES_UNZIPPED = 120_000_000

_HERE = Path(__file__).parent.parent
# Of the metadata a package may ask for its own version when it is imported (maxminddb does), and licences go along.
_SKIPPED = re.compile(
    r"(^|/)(__pycache__|tests?)/|\.(pyc|pyi|h|pxd|pyx|c)$|(^|/)[^/]+\.dist-info/(?!METADATA$|licenses/|LICEN[CS]E)"
)


def target_of(pipe: pipelines.Pipeline) -> str:
    """The target that the pipeline file deploys to on AWS."""
    return f"aws-{pipe.function.architecture}"


def build(
    target: str = LOCAL,
    pipeline: Path | str | None = None,
    out: Path = Path("processor.zip"),
    contents: Contents = PROCESSOR,
) -> Path:
    """Write the zip to `out` and return it; `pipeline` is baked in instead of ours (and checked first).

    `local` takes the packages installed beside us, so it runs on this machine's system and Python only; another target
    downloads its wheels. Raises PackageError, and PipelineError for a pipeline file that can't be used.
    """
    if target not in TARGETS:
        raise PackageError(f"no target is called {target!r}", f"one of {', '.join(TARGETS)}")
    pipe = pipelines.load(pipeline)
    ours = dict(_our_own(contents, pipelines.find(pipeline)))
    files = _local(contents, ours) if target == LOCAL else _aws(contents, AWS[target], pipe, ours)
    data = archive.write(files)
    check_size(len(data), sum(member.size for member in files.values()))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(data)
    except OSError as e:
        raise PackageError(f"{out} can't be written ({e.strerror})", "choose another: --out") from e
    return out


def check_size(zipped: int, unzipped: int) -> None:
    """Raise PackageError if a zip is larger than it may be: a function's start takes the time of its size."""
    for what, size, most in (("zip", zipped, MOST_BYTES), ("unzipped package", unzipped, MOST_BYTES_UNZIPPED)):
        if size > most:
            hint = f"it may have {most / 1e6:.0f} MB; what is large goes into a layer"
            raise PackageError(f"the {what} would have {size / 1e6:.1f} MB", hint)


def made_for(file: Path) -> dict[str, str]:
    """What `build` wrote into a zip about it: its target, runtime and machine."""
    with zipfile.ZipFile(file) as zipped:
        said: dict[str, str] = json.loads(zipped.read(MADE_FOR))
    return said


def refresh(out: Path, pipeline: Path | str | None = None) -> Path:
    """`build` of the processor for this machine, but only if our code, the pipeline or an installed version changed
    since the last time; beside the zip lies a fingerprint of what it was made from."""
    made_from = out.with_name(out.name + ".sha256")
    fingerprint = _fingerprint(pipelines.find(pipeline))
    if not out.exists() or not made_from.exists() or made_from.read_text() != fingerprint:
        build(LOCAL, pipeline, out)
        made_from.write_text(fingerprint)
    return out


def _fingerprint(pipeline: Path) -> str:
    ours = hashlib.sha256()
    for name, data in _our_own(PROCESSOR, pipeline):
        ours.update(f"{name} {len(data)}\n".encode() + data)
    for dist in installed.needed(PROCESSOR.extra):
        ours.update(f"{dist.name}=={dist.version}\n".encode())
    return ours.hexdigest()


def _our_own(contents: Contents, pipeline: Path) -> Iterator[tuple[str, bytes]]:
    for pattern in contents.ours:
        for file in sorted(_HERE.glob(pattern)):
            yield f"clicklake/{file.relative_to(_HERE).as_posix()}", file.read_bytes()
    if contents.bakes_pipeline:
        yield "clicklake/pipeline.json", pipeline.read_bytes()


def _local(contents: Contents, ours: Mapping[str, bytes]) -> dict[str, archive.Member]:
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    files = {name: data for name, data in installed.files(contents.extra) if not _SKIPPED.search(name)}
    files |= {**ours, MADE_FOR: _record(LOCAL, runtime, platform.machine())}
    return {name: archive.deflated(data) for name, data in files.items()}


def _aws(
    contents: Contents, target: Aws, pipe: pipelines.Pipeline, ours: Mapping[str, bytes]
) -> dict[str, archive.Member]:
    function = pipe.function
    if function.architecture != target.architecture:
        hint = f"--target {target_of(pipe)}, or change function.architecture"
        raise PackageError(f"the pipeline file's function is for {function.architecture}, not {target.name}", hint)
    if function.runtime != RUNTIME:
        raise PackageError(f"the pipeline file's runtime is {function.runtime}", f"the wheels are for {RUNTIME}")
    with tempfile.TemporaryDirectory() as folder:
        found = wheels.fetch(target, wheels.lock_of(contents, target), Path(folder))
        files = {
            name: member for wheel in found for name, member in wheels.files(wheel, target) if not _SKIPPED.search(name)
        }
    own = {**ours, MADE_FOR: _record(target.name, RUNTIME, target.machine)}
    return files | {name: archive.stored(data) for name, data in own.items()}


def _record(target: str, runtime: str, machine: str) -> bytes:
    return (json.dumps({"target": target, "runtime": runtime, "machine": machine}) + "\n").encode()
