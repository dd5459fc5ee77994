"""Another processor's zip, run on this machine in a process of its own: nothing of it is imported here.

    with OtherProcessor(Path("dist/processor-local.zip"), user_key) as other:
        made = other.process(raw_file, raw_key, modified_ms, "0.2.0")

The zip must be one of `clicklake package --target local`, for this machine. Its pipeline file is the one baked into it.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clicklake import package
from clicklake.errors import UsageError
from clicklake.pipeline import Column

_RUNNER = Path(__file__).with_name("zip_runner.py")
_GEO = "CLICKLAKE_GEO_DATABASE"
_BUILD = "build it here: clicklake package --target local"


@dataclass(frozen=True, slots=True)
class Made:
    """What a raw object became: the ledger's row, and the good rows in a file as JSON (empty if there are none), which
    the next call overwrites. Or the processor's `problem`."""

    ledger: dict[str, Any]
    rows: Path
    problem: str = ""


class OtherProcessor:
    """Raises UsageError if the zip can't be used here."""

    def __init__(self, file: Path, user_key: bytes | None) -> None:
        self.file, self._user_key = file, user_key
        self.sha256, self.version, self.contract_sha256 = "", "", ""
        self.columns: tuple[Column, ...] = ()

    def __enter__(self) -> "OtherProcessor":
        self.sha256 = _checked(self.file)
        self._directory = tempfile.TemporaryDirectory(prefix="clicklake-")
        folder = Path(self._directory.name)
        self._rows = folder / "rows"
        try:
            with zipfile.ZipFile(self.file) as zipped:
                zipped.extractall(folder / "code")
            self._start(folder / "code")
        except BaseException:
            self._directory.cleanup()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._child.stdin
        if kind:
            self._child.kill()
        with suppress(BrokenPipeError):
            self._child.stdin.close()
        self._child.wait()
        if self._child.stdout:
            self._child.stdout.close()
        self._directory.cleanup()

    def _start(self, code: Path) -> None:
        """Its environment has nothing that could lead it to a lake."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CLICKLAKE_"))}
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_RUNNER), str(code)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            process_group=0,  # Ctrl-C is ours to answer
        )
        try:
            hello = self._heard()
            if "error" in hello:
                raise UsageError(f"{self.file} does not run here ({hello['error']})", _BUILD)
            self.version, self.contract_sha256 = hello["version"], hello["contract_sha256"]
            self.columns = tuple(Column(name, kind, "", from_) for name, kind, from_ in hello["columns"])
            self._say({"user_key": self._user_key.decode() if self._user_key else None, "geo": os.environ.get(_GEO)})
        except BaseException:
            self._child.kill()
            self._child.communicate()
            raise

    def process(self, raw: Path, raw_key: str, modified_ms: int, processor_version: str) -> Made:
        """`processor_version` is what its rows say, so that they can be the same as those of another version."""
        asked = {"raw": str(raw), "raw_key": raw_key, "modified_ms": modified_ms}
        self._say(asked | {"rows": str(self._rows), "processor_version": processor_version})
        said = self._heard()
        return Made(said.get("ledger", {}), self._rows, said.get("error", ""))

    def _say(self, what: dict[str, Any]) -> None:
        assert self._child.stdin
        with suppress(BrokenPipeError):  # it has ended: what is heard next says so
            self._child.stdin.write(json.dumps(what) + "\n")
            self._child.stdin.flush()

    def _heard(self) -> dict[str, Any]:
        assert self._child.stdout
        line = self._child.stdout.readline()
        if not line:
            raise UsageError(f"{self.file}: its process ended with code {self._child.wait()}", _BUILD)
        said: dict[str, Any] = json.loads(line)
        return said


def _checked(file: Path) -> str:
    """The SHA-256 of a zip that runs here."""
    try:
        made_for = package.made_for(file)
        with file.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as e:
        raise UsageError(f"{file}: {e.strerror or e}", _BUILD) from e
    except (zipfile.BadZipFile, KeyError, ValueError) as e:
        raise UsageError(f"{file} is no zip of clicklake package", _BUILD) from e
    here = ("local", f"python{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
    there = tuple(made_for.get(name, "?") for name in ("target", "runtime", "machine"))
    if there != here:
        raise UsageError(f"{file} is for {' '.join(there)}, and this is {' '.join(here)}", _BUILD)
    return digest
