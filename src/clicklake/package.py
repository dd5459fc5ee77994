"""The function's zip: our own code, the pipeline file and the installed wheels that it needs; the same bytes each time.

Only what Lambda runs goes in (`CONTENTS`), and what the extra `transform` names in this package's own metadata, with
everything that needs in turn. boto3 is not among it: Lambda's Python runtime brings it
(docs.aws.amazon.com/lambda/latest/dg/lambda-python.html), and locally it is installed.

    PackageError        the zip can't be built: what is missing, and a hint
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from clicklake import pipeline as pipelines

TARGETS = ("local", "aws-arm64", "aws-x86_64")
CONTENTS = ("__init__.py", "pipeline/*.py", "processor.py", "transform/**/*.py")

LEVEL = 1  # of zlib: 13 MB in 0.4 s, where the default takes 1.1 s for 12 MB

_HERE = Path(__file__).parent
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can say (APPNOTE.TXT, 4.4.6)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
# Of the metadata a package may ask for its own version when it is imported (maxminddb does), and licences go along.
_SKIPPED = re.compile(
    r"(^|/)(__pycache__|tests?|\.\.)(/|$)|\.(pyc|pyi|h|pxd|pyx|c)$|(^|/)[^/]+\.dist-info/(?!METADATA$|licenses/|LICEN[CS]E)"
)


class PackageError(Exception):
    """The zip can't be built; `hint` says what to do."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}: {hint}")
        self.problem = problem
        self.hint = hint


def build(target: str = "local", pipeline: Path | str | None = None, out: Path = Path("processor.zip")) -> Path:
    """Write the zip to `out` and return it; `pipeline` is baked in instead of ours (and checked first).

    `local` takes the wheels installed beside us, so it runs on this machine's system and Python only.
    Raises PackageError, and PipelineError for a pipeline file that can't be used.
    """
    if target not in TARGETS:
        raise PackageError(f"no target is called {target!r}", f"one of {', '.join(TARGETS)}")
    if target != "local":
        raise PackageError(f"{target} can't be built yet", "only 'local' can, for `clicklake up`")
    pipelines.load(pipeline)
    files = dict(_dependencies()) | dict(_our_own(pipelines.find(pipeline)))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(_zip(files))
    return out


def refresh(out: Path, pipeline: Path | str | None = None) -> Path:
    """`build` for this machine, but only if our code, the pipeline or an installed version changed since the last time;
    beside the zip lies a fingerprint of what it was made from."""
    made_from = out.with_name(out.name + ".sha256")
    fingerprint = _fingerprint(pipelines.find(pipeline))
    if not out.exists() or not made_from.exists() or made_from.read_text() != fingerprint:
        build("local", pipeline, out)
        made_from.write_text(fingerprint)
    return out


def _fingerprint(pipeline: Path) -> str:
    ours = hashlib.sha256()
    for name, data in _our_own(pipeline):
        ours.update(f"{name} {len(data)}\n".encode() + data)
    for dist in _closure(_requirements(_installed("clicklake"), "transform")):
        ours.update(f"{dist.name}=={dist.version}\n".encode())
    return ours.hexdigest()


def _our_own(pipeline: Path) -> Iterator[tuple[str, bytes]]:
    for pattern in CONTENTS:
        for file in sorted(_HERE.glob(pattern)):
            yield f"clicklake/{file.relative_to(_HERE).as_posix()}", file.read_bytes()
    yield "clicklake/pipeline.json", pipeline.read_bytes()


def _dependencies() -> Iterator[tuple[str, bytes]]:
    for dist in _closure(_requirements(_installed("clicklake"), "transform")):
        for file in dist.files or ():
            if not _SKIPPED.search(file.as_posix()):
                yield file.as_posix(), Path(str(file.locate())).read_bytes()


def _closure(names: list[str]) -> list[Distribution]:
    """The distributions of `names` and of all that they need, each once."""
    found: dict[str, Distribution] = {}
    while names:
        name = names.pop()
        if name not in found:
            found[name] = _installed(name)
            names.extend(_requirements(found[name], None))
    return list(found.values())


def _requirements(dist: Distribution, extra: str | None) -> list[str]:
    """Names that `dist` requires: of one extra, or always. Conditions on the Python version count as met."""
    names: list[str] = []
    for line in dist.requires or ():
        requirement, _, marker = line.partition(";")
        extras = re.findall(r"extra\s*==\s*['\"]([^'\"]+)['\"]", marker)
        if ([extra] if extra else []) == extras and (name := _NAME.match(requirement.strip())):
            names.append(name[0].lower())
    return names


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as e:
        raise PackageError(f"{name} is not installed", "pip install 'clicklake[transform]'") from e


def _zip(files: dict[str, bytes]) -> bytes:
    """Sorted names, one date, one mode: the bytes depend on the contents alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, files[name], compresslevel=LEVEL)
    return buffer.getvalue()
