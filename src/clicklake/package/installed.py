"""The packages that are installed beside us, for a zip that runs on this machine only."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from clicklake.package.targets import PackageError

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def needed(extra: str) -> list[Distribution]:
    """What the extra names in our own metadata, and all that those need in turn, each once."""
    found: dict[str, Distribution] = {}
    names = _requirements(_installed("clicklake"), extra)
    while names:
        name = names.pop()
        if name not in found:
            found[name] = _installed(name)
            names.extend(_requirements(found[name], None))
    return list(found.values())


def files(extra: str) -> Iterator[tuple[str, bytes]]:
    """All of them, named as they are in site-packages."""
    for dist in needed(extra):
        for file in dist.files or ():
            located = Path(str(file.locate()))
            if ".." not in file.parts and located.is_file():
                yield file.as_posix(), located.read_bytes()


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
