"""What AWS's Python runtime brings beside the standard library: boto3 and what that needs
(docs.aws.amazon.com/lambda/latest/dg/lambda-python.html, "Runtime-included SDK versions").

A worker's interpreter sees no installed packages (`-S`), for on AWS there are none: these alone are linked into a
folder of their own, which is last on a function's sys.path.
"""

import re
import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def link(folder: Path) -> None:
    """Make `folder` anew, of symbolic links to the packages that are installed beside this one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for dist in _closure("boto3"):
        for name in sorted({file.parts[0] for file in dist.files or () if file.parts[0] not in {"..", "__pycache__"}}):
            (folder / name).symlink_to(Path(str(dist.locate_file(name))).absolute())


def _closure(name: str) -> list[Distribution]:
    """The distribution and all that it needs, extras left out."""
    found: dict[str, Distribution] = {}
    names = [name]
    while names:
        one = names.pop()
        if one not in found and (dist := _installed(one)) is not None:
            found[one] = dist
            names.extend(_required(dist))
    return list(found.values())


def _required(dist: Distribution) -> Iterator[str]:
    for line in dist.requires or ():
        name = _NAME.match(line)
        if name and "extra" not in line.partition(";")[2]:
            yield name[0].lower()


def _installed(name: str) -> Distribution | None:
    """None for what this Python does not need: a requirement's marker is not read."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
