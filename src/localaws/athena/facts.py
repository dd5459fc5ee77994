"""What is known of a data file without the catalog: remembered per file until its size or time changes.

columns    of a Parquet file: name and DuckDB type, from its footer
spellings  of a JSON file: its top-level keys, if any is not all lower case
lines      of a text file: has it a line of some form?
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from localaws.athena.failures import QueryFailure
from localaws.athena.lake import File

Execute = Callable[..., list[tuple[Any, ...]]]
Columns = tuple[tuple[str, str], ...]
Fact = TypeVar("Fact")
_MOST = 200_000  # files remembered


class _Memory(Generic[Fact]):
    """path -> fact, while (size, modification time) stay the same."""

    def __init__(self, learn: Callable[[list[str]], dict[str, Fact]]) -> None:
        self._learn = learn
        self._known: dict[str, tuple[tuple[int, int], Fact]] = {}

    def of(self, files: Sequence[File]) -> list[Fact]:
        marks = {f.path: _mark(f) for f in files}
        new = [p for p, mark in marks.items() if self._known.get(p, (None,))[0] != mark]
        if new:
            if len(self._known) > _MOST:
                self._known.clear()
                new = list(marks)
            self._known.update({p: (marks[p], fact) for p, fact in self._learn(new).items()})
        return [self._known[f.path][1] for f in files]


class Facts:
    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._described: dict[str, Columns] = {}
        self._lines: dict[tuple[str, bool], _Memory[bool]] = {}
        self._columns = _Memory(self._learn_columns)
        self._spellings = _Memory(self._learn_spellings)

    def columns(self, files: Sequence[File]) -> list[Columns]:
        return self._columns.of(files)

    def spellings(self, files: Sequence[File]) -> list[frozenset[str]]:
        return self._spellings.of(files)

    def lines(self, files: Sequence[File], form: str, unlike: bool = False) -> list[bool]:
        """Has each file a line that is (or, `unlike`, one that is not) of this regular expression?"""
        memory = self._lines.setdefault((form, unlike), _Memory(lambda paths: self._learn_lines(paths, form, unlike)))
        return memory.of(files)

    def _learn_lines(self, paths: list[str], form: str, unlike: bool) -> dict[str, bool]:
        found = (
            "SELECT filename, coalesce(bool_or(regexp_full_match(coalesce(line, ''), $form) <> $unlike), false) FROM "
            "read_csv($paths, columns = {'line': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false, "
            "auto_detect = false, filename = true, strict_mode = false, null_padding = true) GROUP BY filename"
        )
        rows = self._execute(found, {"paths": paths, "form": form, "unlike": unlike})
        return dict.fromkeys(paths, False) | {str(path): bool(has) for path, has in rows}

    def _learn_columns(self, paths: list[str]) -> dict[str, Columns]:
        """Files with equal footers are described once: DuckDB alone knows which type it makes of which footer."""
        footer = (
            "SELECT file_name, CAST(list(concat_ws(':', name, type, num_children, converted_type, scale, precision, "
            "logical_type)) AS VARCHAR) FROM parquet_schema($paths) GROUP BY file_name"
        )
        learned = {}
        for path, signature in self._execute(footer, {"paths": paths}):
            if signature not in self._described:
                describe = "DESCRIBE SELECT * FROM read_parquet($path, hive_partitioning = false)"
                rows = self._execute(describe, {"path": path})
                self._described[signature] = tuple((str(r[0]), str(r[1])) for r in rows)
            learned[path] = self._described[signature]
        return learned

    def _learn_spellings(self, paths: list[str]) -> dict[str, frozenset[str]]:
        keys = (
            "SELECT filename, list(DISTINCT key) FROM (SELECT filename, unnest(json_keys(json)) AS key FROM "
            "read_ndjson_objects($paths, filename = true, ignore_errors = true) WHERE json_type(json) = 'OBJECT') "
            "GROUP BY filename HAVING bool_or(key <> lower(key))"
        )
        found = {path: frozenset(names) for path, names in self._execute(keys, {"paths": paths})}
        return {path: found.get(path, frozenset()) for path in paths}


def _mark(file: File) -> tuple[int, int]:
    try:
        status = os.stat(file.path)  # noqa: PTH116 - ten thousand of them: a Path each would double the cost
    except OSError as e:
        raise QueryFailure(f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {file.key}: no such file") from e
    return status.st_size, status.st_mtime_ns
