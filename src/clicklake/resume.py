"""How far a file has been sent, in a small file beside it: FILE.clicklake-sent.

It is written anew, in one step, after each call whose records were all taken, and removed when the whole file was sent.
It says how many records that were, and the SHA-256 of their bytes: a file whose beginning is another one by now can't
be gone on with, one that has only grown can. A call that was under way when the sending was interrupted is sent again.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from clicklake.errors import UsageError

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Reached:
    """`target` and `stream`: where the records went; `sha256`: of the first `records` records."""

    target: str
    stream: str
    records: int
    sha256: str


class Bookmark:
    """Of one file and one stream."""

    def __init__(self, file: str, target: str, stream: str) -> None:
        self.path = Path(f"{file}.clicklake-sent")
        self.reached = Reached(target, stream, 0, "")
        self._file = file
        self._digest = hashlib.sha256()

    def found(self) -> Reached | None:
        """How far an earlier send of the file has come, if it was interrupted. Raises UsageError if that can't be
        read."""
        try:
            said = json.loads(self.path.read_bytes())
            if said.pop("version") != _VERSION:
                raise ValueError("its version is another one")
            return Reached(**said)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as e:
            raise UsageError(f"{self.path} can't be read ({e})", "remove it to send the file from its beginning") from e

    def go_on(self, records: Iterator[bytes], earlier: Reached) -> None:
        """Take from `records` what was sent before. Raises UsageError if that is something else by now."""
        anew = f"remove {self.path} to send the file from its beginning"
        if (earlier.target, earlier.stream) != (self.reached.target, self.reached.stream):
            raise UsageError(f"{self._file} was being sent to {earlier.stream} at {earlier.target}", anew)
        for _ in range(earlier.records):
            self._digest.update(next(records, b""))
        if self._digest.hexdigest() != earlier.sha256:
            raise UsageError(
                f"the first {earlier.records:,} records of {self._file} are not what was sent before", anew
            )
        self.reached = earlier

    def move(self, records: int, data: list[bytes]) -> None:
        """So many more were taken. Raises OSError if that can't be written."""
        for part in data:
            self._digest.update(part)
        reached = self.reached
        self.reached = Reached(reached.target, reached.stream, reached.records + records, self._digest.hexdigest())
        beside = self.path.with_name(f"{self.path.name}.new")
        beside.write_text(json.dumps({"version": _VERSION, **asdict(self.reached)}))
        os.replace(beside, self.path)  # noqa: PTH105 - in one step

    def remove(self) -> None:
        """All of it was sent."""
        self.path.unlink(missing_ok=True)
