"""Writes the locks beside it from requirements.lock: `python -m clicklake.package.locking requirements.lock`.

requirements.lock has the hashes of all wheels of a version. A lock here has one for each package, that of the wheel
which pip chooses for the target: so two machines can't choose differently, and one that comes later changes nothing.
"""

import hashlib
import re
import sys
import tempfile
from pathlib import Path

from clicklake.package import installed, wheels
from clicklake.package.contents import FUNCTIONS, Contents
from clicklake.package.targets import AWS, Aws

_PINNED = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)(?P<rest>(?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(lock: str) -> dict[str, tuple[str, list[str]]]:
    """name -> version and hashes, as pip's --hash options."""
    return {pin["name"]: (pin["version"], _HASH.findall(pin["rest"])) for pin in _PINNED.finditer(lock)}


def names(contents: Contents) -> list[str]:
    """What a function needs on AWS: what it needs here, without what only an older Python needs."""
    needed = installed.needed(contents.extra)
    return sorted({re.sub(r"[-_.]+", "-", dist.name).lower() for dist in needed} - {"typing-extensions"})


def _lock(needed: list[str], target: Aws, pinned: dict[str, tuple[str, list[str]]]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text("".join(f"{name}=={pinned[name][0]} {' '.join(pinned[name][1])}\n" for name in needed))
        found = wheels.fetch(target, requirements, Path(folder))
        hashes = {f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" for wheel in found}
    lines = [f"{name}=={pinned[name][0]} {one}\n" for name in needed for one in pinned[name][1] if one in hashes]
    return "".join(lines)


def main() -> None:
    pinned = pins(Path(sys.argv[1]).read_text())
    for contents in FUNCTIONS.values():
        for target in AWS.values():
            wheels.lock_of(contents, target).write_text(_lock(names(contents), target, pinned))


if __name__ == "__main__":
    main()
