"""Managed query results: of a workgroup that has them, results are kept by Athena itself, for 24 hours, and not in S3.

docs.aws.amazon.com/athena/latest/ug/managed-results.html. GetQueryResults reads them as any others; they have no
OutputLocation, no .metadata beside them and are not reused. "A workgroup cannot have the
ResultConfiguration$OutputLocation parameter" beside them (API_ManagedQueryResultsConfiguration.html).
"""

from collections.abc import Callable
from pathlib import Path

from localaws import durable
from localaws.athena.catalog import Document
from localaws.athena.pages import invalid

_KEPT = 24 * 3600.0  # seconds


def is_managed(configuration: Document) -> bool:
    """Of a workgroup's configuration, or of a QueryExecution."""
    return bool((configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"))


def checked(configuration: Document) -> Document:
    """A workgroup's configuration. Raises InvalidRequestException."""
    if is_managed(configuration) and configuration.get("ResultConfiguration", {}).get("OutputLocation"):
        raise invalid("A workgroup with managed query results can't have an OutputLocation")
    return configuration


class ManagedResults:
    """Results by the number of their execution, in `directory`."""

    def __init__(self, directory: Path, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._clock = clock

    def put(self, number: str, data: bytes | Path) -> None:
        """Durable on return; a file is moved. Those that are too old go."""
        durable.make_directories(self._directory)
        self._sweep()
        path = self._directory / number
        if isinstance(data, Path):
            durable.sync_file(data)
            durable.move_file(data, path)
        else:
            durable.replace_file(path, data)

    def find(self, number: str) -> Path | None:
        """None a day after it was put."""
        path = self._directory / number
        return path if path.exists() and self._clock() - path.stat().st_mtime < _KEPT else None

    def _sweep(self) -> None:
        for path in self._directory.iterdir():
            if self._clock() - path.stat().st_mtime >= _KEPT:
                path.unlink(missing_ok=True)
