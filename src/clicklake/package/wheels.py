"""The wheels for Lambda: fetched by pip from the index that it is configured for, each the very file that the lock
names, and looked at before they are used.

    <function>-<target>.lock    one line a package: name==version --hash=sha256:..., of that target's wheel alone.
                                locking.py writes them, and tests/test_package.py holds them to requirements.lock
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from clicklake.package import archive
from clicklake.package.contents import Contents
from clicklake.package.targets import GLIBC_MINOR, PYTHON_MINOR, Aws, PackageError

# A wheel's name ends in its tags; each may be several, with dots between them
# (packaging.python.org/specifications/binary-distribution-format).
_TAGS = re.compile(r"-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl$")
_MANYLINUX = re.compile(r"manylinux_2_(?P<glibc>\d+)_(?P<machine>\w+)")
_STABLE = re.compile(r"cp3(?P<minor>\d+)")
_MOVED = re.compile(r"^[^/]+\.data/(?:purelib|platlib)/")  # where installers unpack to the same place as all else
_ELF = b"\x7fELF\x02\x01"  # 64 bits, little-endian


def lock_of(contents: Contents, target: Aws) -> Path:
    return Path(__file__).parent / f"{contents.function}-{target.name}.lock"


def fetch(target: Aws, lock: Path, into: Path) -> list[Path]:
    """The lock's wheels, in the folder `into`; those of their names first that fit `target` best."""
    platforms = [f"manylinux_2_{minor}_{target.machine}" for minor in range(GLIBC_MINOR, 16, -1)]
    command = [*_pip(), "download", "--quiet", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--requirement={lock}", f"--dest={into}"]
    command += ["--implementation=cp", f"--python-version=3.{PYTHON_MINOR}", *(f"--platform={p}" for p in platforms)]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise PackageError(
            f"the wheels for {target.name} can't be downloaded: {_reason(done.stderr)}",
            f"pip takes them from its index (pip config list); offline, from PIP_FIND_LINKS with PIP_NO_INDEX=1, "
            f"a folder with what {lock} names",
        )
    return sorted(into.glob("*.whl"))


def _pip() -> list[str]:
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):  # an environment that uv made has no pip
        return [uv, "tool", "run", "--quiet", "pip"]
    raise PackageError("there is neither pip nor uv to download with", "python -m ensurepip")


def _reason(said: str) -> str:
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else said.strip() or "pip failed without a word"


def files(wheel: Path, target: Aws) -> Iterator[tuple[str, archive.Member]]:
    """Named as in site-packages. Raises PackageError if one can't run on `target`."""
    if not fits(wheel.name, target):
        raise PackageError(f"{wheel.name} is not for {target.name}", "make the locks anew: make lock")
    for name, member in archive.members(wheel):
        moved = _MOVED.sub("", name)
        if re.search(r"\.so(\.|$)", name):
            _check_machine(wheel.name, name, archive.plain(member), target)
        if ".data/" not in moved:
            yield moved, member


def fits(wheel: str, target: Aws) -> bool:
    """Do the tags in a wheel's name say that Lambda's Python on `target` can import it?"""
    tags = _TAGS.search(wheel)
    return tags is not None and (
        any(_speaks(python, abi) for python in tags["python"].split(".") for abi in tags["abi"].split("."))
        and any(_runs(platform, target) for platform in tags["platform"].split("."))
    )


def _speaks(python: str, abi: str) -> bool:
    stable = _STABLE.fullmatch(python)
    if abi == "abi3" and stable:  # of this minor version and all later ones
        return int(stable["minor"]) <= PYTHON_MINOR
    return (python, abi) in {(f"cp3{PYTHON_MINOR}", f"cp3{PYTHON_MINOR}"), ("py3", "none")}


def _runs(platform: str, target: Aws) -> bool:
    built = _MANYLINUX.fullmatch(platform)
    if built:
        return built["machine"] == target.machine and int(built["glibc"]) <= GLIBC_MINOR
    return platform in {"any", f"manylinux2014_{target.machine}"}


def _check_machine(wheel: str, name: str, library: bytes, target: Aws) -> None:
    if not library.startswith(_ELF) or int.from_bytes(library[18:20], "little") != target.elf:
        raise PackageError(f"{name} in {wheel} is no library for {target.machine}", "make the locks anew: make lock")
