"""What is known of a data file without the catalog: remembered per file until its size or time changes.

columns    of a Parquet file: name and DuckDB type, from its footer
keys       of a JSON file: those that are not spelled as columns are, and whether every line is an object
lines      of a text file: has it a line of some form?
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from localaws.athena.failures import QueryFailure
from localaws.athena.lake import File

Execute = Callable[..., list[tuple[Any, ...]]]
Columns = tuple[tuple[str, str], ...]
Fact = TypeVar("Fact")
_MOST = 200_000  # files remembered
_LINES = (
    "read_csv($paths, columns = {'line': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false, "
    "auto_detect = false, filename = true, strict_mode = false, null_padding = true, max_line_size = 16777216)"
)
_CAPITAL_KEY = r"""'"[^"\\]*\p{Lu}[^"\\]*"\s*:'"""


@dataclass(frozen=True, slots=True)
class Keys:
    """`top` has the keys of a file's objects if any of its keys has a capital letter, and nothing otherwise; `nested`
    those of them below which there is such a key. `has_other_lines`: not every line begins with {."""

    top: frozenset[str] = frozenset()
    nested: frozenset[str] = frozenset()
    has_other_lines: bool = False


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
        self._keys = _Memory(self._learn_keys)

    def columns(self, files: Sequence[File]) -> list[Columns]:
        return self._columns.of(files)

    def keys(self, files: Sequence[File]) -> list[Keys]:
        return self._keys.of(files)

    def lines(self, files: Sequence[File], form: str, unlike: bool = False) -> list[bool]:
        """Has each file a line that is (or, `unlike`, one that is not) of this regular expression?"""
        memory = self._lines.setdefault((form, unlike), _Memory(lambda paths: self._learn_lines(paths, form, unlike)))
        return memory.of(files)

    def _learn_lines(self, paths: list[str], form: str, unlike: bool) -> dict[str, bool]:
        found = (
            "SELECT filename, coalesce(bool_or(regexp_full_match(coalesce(line, ''), $form) <> $unlike), false) "
            f"FROM {_LINES} GROUP BY filename"
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

    def _learn_keys(self, paths: list[str]) -> dict[str, Keys]:
        """A look at the text first, because most files have no capital letters in their keys; lines of 16 MiB at most,
        as long as DuckDB takes an object."""
        looked = (
            f"SELECT filename, bool_or(regexp_matches(line, {_CAPITAL_KEY})), "
            "bool_or(NOT starts_with(ltrim(coalesce(line, ''), ' \t'), '{')) "
            f"FROM {_LINES} GROUP BY filename"
        )
        seen = {str(path): (bool(a), bool(b)) for path, a, b in self._execute(looked, {"paths": paths})}
        with_capitals = [path for path in paths if seen.get(path, (False, False))[0]]
        found = self._learn_capitals(with_capitals) if with_capitals else {}
        nothing: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        return {path: Keys(*found.get(path, nothing), seen.get(path, (False, False))[1]) for path in paths}

    def _learn_capitals(self, paths: list[str]) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        keys = (
            "SELECT filename, e.key, bool_or(e.type IN ('OBJECT', 'ARRAY') AND "
            f"regexp_matches(CAST(e.value AS VARCHAR), {_CAPITAL_KEY})) "
            "FROM read_ndjson_objects($paths, filename = true, ignore_errors = true) AS o, json_each(o.json) AS e "
            "WHERE json_type(o.json) = 'OBJECT' GROUP BY ALL"
        )
        found: dict[str, tuple[set[str], set[str]]] = {path: (set(), set()) for path in paths}
        for path, key, nested in self._execute(keys, {"paths": paths}):
            found[path][0].add(key)
            if nested:
                found[path][1].add(key)
        return {path: (frozenset(top), frozenset(nested)) for path, (top, nested) in found.items()}


def _mark(file: File) -> tuple[int, int]:
    try:
        status = os.stat(file.path)  # noqa: PTH116 - ten thousand of them: a Path each would double the cost
    except OSError as e:
        raise QueryFailure(f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {file.key}: no such file") from e
    return status.st_size, status.st_mtime_ns
