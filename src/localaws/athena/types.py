"""Type names of three worlds: Hive's (Glue's columns), Trino's (Athena's answers) and DuckDB's.

    parse_hive("array<struct<a:int>>") -> Type    .hive() .trino() .duckdb() write it in each
    of_duckdb(relation's type)         -> Type

Sources: docs.aws.amazon.com/athena/latest/ug/data-types.html; the precisions are those GetQueryResults reports.
"""

import functools
import re
from dataclasses import dataclass
from typing import Any, NoReturn

# name -> (Hive, Trino, DuckDB, precision); the name is Trino's.
_SCALARS: dict[str, tuple[str, str, str, int]] = {
    "boolean": ("boolean", "boolean", "BOOLEAN", 0),
    "tinyint": ("tinyint", "tinyint", "TINYINT", 3),
    "smallint": ("smallint", "smallint", "SMALLINT", 5),
    "integer": ("int", "integer", "INTEGER", 10),
    "bigint": ("bigint", "bigint", "BIGINT", 19),
    "real": ("float", "real", "FLOAT", 17),
    "double": ("double", "double", "DOUBLE", 17),
    "varchar": ("string", "varchar", "VARCHAR", 2147483647),
    "varbinary": ("binary", "varbinary", "BLOB", 1073741824),
    "date": ("date", "date", "DATE", 0),
    "timestamp": ("timestamp", "timestamp(3)", "TIMESTAMP", 3),
    "timestamp with time zone": ("timestamp", "timestamp(3) with time zone", "TIMESTAMP WITH TIME ZONE", 3),
    "time": ("string", "time(3)", "TIME", 3),
    "time with time zone": ("string", "time(3) with time zone", "TIME WITH TIME ZONE", 3),
    "json": ("string", "json", "JSON", 0),
    "unknown": ("string", "unknown", "VARCHAR", 0),
    "interval day to second": ("string", "interval day to second", "INTERVAL", 0),
    "uuid": ("string", "uuid", "UUID", 0),
}
_FROM_HIVE = {
    "int": "integer",
    "float": "real",
    "string": "varchar",
    "binary": "varbinary",
    "long": "bigint",
    "short": "smallint",
    "byte": "tinyint",
}
_FROM_DUCKDB = {
    "utinyint": "smallint",
    "usmallint": "integer",
    "uinteger": "bigint",
    "ubigint": "bigint",
    "hugeint": "bigint",
    "uhugeint": "bigint",
    "float": "real",
    "blob": "varbinary",
    "null": "unknown",
    "interval": "interval day to second",
    "timestamp_s": "timestamp",
    "timestamp_ms": "timestamp",
    "timestamp_ns": "timestamp",
}


@dataclass(frozen=True, slots=True)
class Type:
    """`name` is Trino's; `precision` and `scale` for decimal, `precision` for varchar(n) and char(n); `children` for
    array (element), map (key, value) and row (fields, named by `fields`); a row that is not `named` calls them
    field0, field1 ... where it must have names."""

    name: str
    precision: int = 0
    scale: int = 0
    children: tuple["Type", ...] = ()
    fields: tuple[str, ...] = ()
    named: bool = True

    def hive(self) -> str:
        inner = [c.hive() for c in self.children]
        named = ",".join(f"{n}:{t}" for n, t in zip(self.fields, inner, strict=False))
        return self._spelled(0, f"array<{''.join(inner)}>", f"map<{','.join(inner)}>", f"struct<{named}>")

    def trino(self) -> str:
        inner = [c.trino() for c in self.children]
        named = ", ".join(f"{n} {t}" if self.named else t for n, t in zip(self.fields, inner, strict=False))
        return self._spelled(1, f"array({''.join(inner)})", f"map({', '.join(inner)})", f"row({named})")

    def duckdb(self) -> str:
        inner = [c.duckdb() for c in self.children]
        named = ", ".join(f'"{n}" {t}' for n, t in zip(self.fields, inner, strict=False))
        return self._spelled(2, f"{''.join(inner)}[]", f"MAP({', '.join(inner)})", f"STRUCT({named})")

    def _spelled(self, world: int, array: str, mapping: str, row: str) -> str:
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.name in {"varchar", "char"} and self.precision:
            return "VARCHAR" if world == 2 else f"{self.name}({self.precision})"
        nested = {"array": array, "map": mapping, "row": row}
        return nested.get(self.name) or str(_SCALARS[self.name][world])

    def column_info(self, name: str) -> dict[str, Any]:
        """A ColumnInfo of GetQueryResults."""
        precision = self.precision or (_SCALARS[self.name][3] if self.name in _SCALARS else 0)
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": name,
            "Label": name,
            "Type": {"real": "float"}.get(self.name, self.name),
            "Precision": precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.name in {"varchar", "char"},
        }


VARCHAR = Type("varchar")


@functools.cache
def parse_hive(text: str) -> Type:
    """Raises ValueError with a readable message for a type that Athena doesn't know."""
    parser = _HiveParser(text)
    parsed = parser.type()
    parser.end()
    return parsed


class _HiveParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = re.findall(r"[\w$.-]+|`[^`]*`|[<>(),:]", text)

    def type(self) -> Type:
        name = self._pop().lower()
        if name == "array":
            return Type("array", children=tuple(self._inside(1)))
        if name == "map":
            return Type("map", children=tuple(self._inside(2)))
        if name == "struct":
            return self._struct()
        if name in {"decimal", "numeric"}:
            precision, scale = (*self._numbers(), 0, 0)[:2]
            return Type("decimal", precision or 10, scale)
        if name in {"varchar", "char"}:
            return Type(name, (*self._numbers(), 0)[0])
        known = _FROM_HIVE.get(name, name)
        if known not in _SCALARS:
            self._fail()
        return Type(known)

    def end(self) -> None:
        if self._tokens:
            self._fail()

    def _inside(self, count: int) -> list[Type]:
        self._expect("<")
        types = [self.type()]
        while len(types) < count:
            self._expect(",")
            types.append(self.type())
        self._expect(">")
        return types

    def _struct(self) -> Type:
        names, types, separator = [], [], "<"
        while True:
            self._expect(separator)
            names.append(self._pop().strip("`").lower())
            self._expect(":")
            types.append(self.type())
            if self._tokens[:1] != [","]:
                self._expect(">")
                return Type("row", children=tuple(types), fields=tuple(names))
            separator = ","

    def _numbers(self) -> list[int]:
        if self._tokens[:1] != ["("]:
            return []
        close = self._tokens.index(")") if ")" in self._tokens else self._fail()
        inside, self._tokens = self._tokens[1:close], self._tokens[close + 1 :]
        return [int(t) for t in inside if t.isdigit()]

    def _pop(self) -> str:
        if not self._tokens:
            self._fail()
        return str(self._tokens.pop(0))

    def _expect(self, token: str) -> None:
        if self._pop() != token:
            self._fail()

    def _fail(self) -> NoReturn:
        raise ValueError(f"Unknown hive type: {self._text}")


def of_duckdb(kind: Any) -> Type:
    """From a `duckdb.sqltypes.DuckDBPyType`."""
    name = str(kind.id).lower()
    if str(kind) == "JSON":
        return Type("json")
    if name == "decimal":
        parts = dict(kind.children)
        return Type("decimal", parts["precision"], parts["scale"])
    if name in {"list", "array"}:
        return Type("array", children=(of_duckdb(kind.children[0][1]),))
    if name == "map":
        return Type("map", children=tuple(of_duckdb(t) for _, t in kind.children))
    if name in {"struct", "tuple"}:  # a tuple is a row without names; Athena calls its fields field0, field1 ...
        if [n for n, _ in kind.children] == ["t_at", "t_zone"]:  # zones.py
            return Type("timestamp with time zone", fields=("t_zone",))
        fields = tuple(n or f"field{i}" for i, (n, _) in enumerate(kind.children))
        children = tuple(of_duckdb(t) for _, t in kind.children)
        return Type("row", children=children, fields=fields, named=name == "struct")
    known = _FROM_DUCKDB.get(name, name)
    return Type(known if known in _SCALARS else "varchar")
