"""One query, from Athena's text to a result file: the order in which a worker works.

parse and check  ->  tables and views resolved  ->  rewritten for DuckDB  ->  partitions pruned  ->  files found
->  one SQL text  ->  bound (types and names)  ->  run into a CSV file in Athena's text
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp

from localaws.athena import columns, dialect, grammar, operands, pruning, system_tables
from localaws.athena.connection import Connection
from localaws.athena.duck_errors import translate
from localaws.athena.facts import Facts
from localaws.athena.failures import SYSTEM, QueryFailure, not_supported, position
from localaws.athena.lake import Lake
from localaws.athena.partitions import Partitions
from localaws.athena.reading import Reading
from localaws.athena.scan import hidden_columns, relation
from localaws.athena.statements import tokens
from localaws.athena.table import Column, Scan, Table
from localaws.athena.text import written
from localaws.athena.types import Type, of_duckdb
from localaws.athena.views import definition, is_view

_UNNAMED = "t_unnamed"
_DEEPEST = 16  # views in views
_CATALOG = "awsdatacatalog"


@dataclass(slots=True)
class Plan:
    """A query ready to run: DuckDB's SQL, its columns (as Athena names them), the bytes of the files it may read."""

    sql: str
    names: list[str]
    types: list[Type]
    shown: list[Type]  # the same, with the lengths of varchar(n) and char(n)
    file_bytes: int
    seconds: float
    scans: list[Scan]


@dataclass(slots=True)
class _Resolved:
    """The tables of a query by the id of their node, and the text that will stand for each."""

    scans: dict[int, Scan] = field(default_factory=dict)
    nodes: list[exp.Table] = field(default_factory=list)
    system: list[tuple[exp.Table, str]] = field(default_factory=list)

    def add_system(self, node: exp.Table, described: Sequence[Column], rows: Sequence[system_tables.Row]) -> None:
        node.meta["columns"] = {c.name: c.type for c in described}
        self.system.append((node, system_tables.relation(described, rows)))

    def rename(self) -> None:
        """Give each table a name of its own for its text to replace, in every copy that a rewrite makes, too."""
        for i, node in enumerate([*self.nodes, *(node for node, _ in self.system)]):
            if not node.args.get("alias"):
                node.set("alias", exp.TableAlias(this=node.this.copy()))
            node.set("this", exp.to_identifier(f"t_scan_{i}_{id(self)}"))
            node.set("db", None)
            node.set("catalog", None)


class Engine:
    """Plans and runs queries on one DuckDB connection; not for several threads."""

    def __init__(self, connection: Connection, lake: Lake, clock: Callable[[], float] = time.time) -> None:
        self._connection = connection
        self._lake = lake
        self.read = Reading()
        self._facts = Facts(self.rows)
        self._partitions = Partitions(lake, self.rows, clock)

    def plan(self, sql: str, database: str, parameters: Sequence[str] = ()) -> Plan:
        """Raises QueryFailure. `parameters` stand for the ? of the text, in order."""
        started = time.perf_counter()
        sql = _bound(sql, parameters)
        tree = self.read.tree(sql)
        grammar.check(sql, tree)
        _name_columns(tree)
        resolved = _Resolved()
        self._resolve(tree, sql, database, resolved, 0)
        operands.check(sql, tree)
        resolved.rename()
        lengths = columns.lengths(tree)
        dialect.rewrite(tree)
        try:
            self._prune(tree, resolved)
            text = self._generate(tree, resolved)
            bound = self._connection.sql(text)
            names, types = bound.columns, [of_duckdb(t) for t in bound.types]
            if any(str(t) == "HUGEINT" for t in bound.types):
                text = _narrowed(text, bound.types)
        except duckdb.Error as e:
            raise _failure(e, sql, resolved.scans.values()) from e
        shown = [
            lengths.get(i) or lengths.get(n.lower()) or t for i, (n, t) in enumerate(zip(names, types, strict=True))
        ]
        names = [f"_col{i}" if n == _UNNAMED else n for i, n in enumerate(names)]
        size = sum(f.size for s in resolved.scans.values() for f in s.files())
        return Plan(text, names, types, shown, size, time.perf_counter() - started, list(resolved.scans.values()))

    def run(self, plan: Plan, sql: str, target: Path) -> tuple[int, int]:
        """Write the rows (no header) to `target`: (how many, bytes read from the lake)."""
        given = ", ".join(f"c{i}" for i in range(len(plan.names)))
        texts = ", ".join(written(f"c{i}", t) for i, t in enumerate(plan.types))
        options = "FORMAT csv, HEADER false, FORCE_QUOTE *, QUOTE '\"', ESCAPE '\"', DELIMITER ',', NULLSTR ''"
        quoted = str(target).replace("'", "''")
        copy = f"COPY (SELECT {texts} FROM ({plan.sql}) AS q({given})) TO '{quoted}' ({options})"
        return self.copy(copy, plan, sql)

    def copy(self, statement: str, plan: Plan, sql: str) -> tuple[int, int]:
        """Carry out a COPY of the plan's rows: (rows written, bytes read from the lake)."""
        try:
            (rows,) = self._connection.execute(statement).fetchall()[0]
        except duckdb.Error as e:
            raise _failure(e, sql, plan.scans) from e
        read = json.loads(self._connection.profile())["io"]["total_bytes_read"]
        return int(rows), min(int(read), plan.file_bytes)

    def rows(self, sql: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(sql, parameters or {}).fetchall()
        return rows

    # Tables

    def _resolve(self, tree: exp.Expr, sql: str, database: str, resolved: _Resolved, depth: int) -> None:
        """Give every table its scan, and put every view's query in the view's place."""
        for node in list(tree.find_all(exp.Table)):
            if "columns" not in node.meta and not _is_with(node):
                self._resolve_one(node, sql, database, resolved, depth)

    def _resolve_one(self, node: exp.Table, sql: str, database: str, resolved: _Resolved, depth: int) -> None:
        schema, name = (node.db or database).lower(), node.name.lower()
        place = position(sql, (node.args.get("db") or node.this).meta.get("start", 0))
        if node.catalog and node.catalog.lower() != _CATALOG:
            raise QueryFailure(f"CATALOG_NOT_FOUND: line {place}: Catalog '{node.catalog}' does not exist")
        described = system_tables.columns(name) if schema == system_tables.SCHEMA else None
        if described is not None:
            resolved.add_system(node, described, system_tables.rows(name, self._lake))
            return
        if schema == system_tables.SCHEMA:
            raise not_supported(f"information_schema.{name}")
        answer = self._lake.table(schema, name.removesuffix(system_tables.PARTITIONS))
        if "table" not in answer:
            raise _not_found(answer["missing"], place, schema, name)
        document = answer["table"]
        if name.endswith(system_tables.PARTITIONS):
            table = Table.of(document)
            if not table.keys:
                raise _not_found("table", place, schema, name)
            resolved.add_system(node, table.keys, system_tables.partition_rows(table, self._lake))
            return
        if is_view(document):
            self._inline(node, document, resolved, depth)
            return
        table = Table.of(document)
        node.meta["columns"] = table.types()
        resolved.scans[id(node)] = Scan(table)
        resolved.nodes.append(node)

    def _inline(self, node: exp.Table, view: dict[str, Any], resolved: _Resolved, depth: int) -> None:
        if depth == _DEEPEST:
            raise QueryFailure(f"VIEW_IS_RECURSIVE: View '{node.name}' is nested too deeply")
        defined = definition(view)
        original, schema = defined["originalSql"], defined.get("schema") or view["DatabaseName"]
        query = grammar.parse(original)
        grammar.check(original, query)
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
        place = exp.Subquery(this=query, alias=alias)
        place.meta["view"] = True
        node.replace(place)
        self._resolve(query, original, schema, resolved, depth + 1)

    # Partitions and files

    def _prune(self, tree: exp.Expr, resolved: _Resolved) -> None:
        keys = {node: frozenset(k.name for k in scan.table.keys) for node, scan in resolved.scans.items()}
        wanted = pruning.conditions(tree, keys)
        hidden = tuple(c.name for c in hidden_columns(i.name.lower() for i in tree.find_all(exp.Identifier)))
        for node, scan in resolved.scans.items():
            scan.hidden = hidden
            scan.where = " AND ".join(map(dialect.generate, wanted[node]))
            partitions = self._partitions.chosen(scan.table, wanted[node])
            locations = [p.location for p in partitions]
            scan.partitions = list(zip(partitions, self._lake.files(locations), strict=True))
        _hide(tree, resolved.scans, hidden)

    # Text

    def _generate(self, tree: exp.Expr, resolved: _Resolved) -> str:
        scans = [(node, relation(resolved.scans[id(node)], self._facts)) for node in resolved.nodes]
        query = dialect.generate(tree)
        for node, text in [*scans, *resolved.system]:
            query = query.replace(f'"{node.name}"', f"({text})")
        return query


def _narrowed(text: str, types: Sequence[Any]) -> str:
    """DuckDB sums integers to more than 64 bits; a sum beyond them is NUMERIC_VALUE_OUT_OF_RANGE in Trino."""
    inner = ", ".join(f"c{i}" for i in range(len(types)))
    outer = ", ".join(f"CAST(c{i} AS BIGINT) AS c{i}" if str(t) == "HUGEINT" else f"c{i}" for i, t in enumerate(types))
    return f"SELECT {outer} FROM ({text}) AS q({inner})"


def _not_found(missing: str, place: str, database: str, name: str) -> QueryFailure:
    if not database:
        return QueryFailure(
            f"MISSING_SCHEMA_NAME: line {place}: Schema must be specified when session schema is not set"
        )
    if missing == "database":
        return QueryFailure(f"SCHEMA_NOT_FOUND: line {place}: Schema '{database}' does not exist")
    return QueryFailure(f"TABLE_NOT_FOUND: line {place}: Table '{_CATALOG}.{database}.{name}' does not exist")


def _failure(error: duckdb.Error, sql: str, scans: Iterable[Scan]) -> QueryFailure:
    """DuckDB has several words for a file that went while it was read, "unordered_map::at" among them."""
    failure = translate(error, sql)
    for file in (f for scan in scans for f in scan.files()) if failure.category == SYSTEM else ():
        if not Path(file.path).exists():
            return QueryFailure(f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {file.key}: no such file")
    return failure


def _is_with(table: exp.Table) -> bool:
    """Does the name mean a query of a WITH that is in sight there, and not a table?"""
    if table.db:
        return False
    name = table.name.lower()
    node: exp.Expr | None = table
    inside: exp.Expr | None = None
    while node is not None and "view" not in node.meta:  # what a view reads has nothing to do with where it stands
        clause = node.args.get("with_") if isinstance(node, exp.Query) else None
        if clause is not None and _names_one(clause, name, inside):
            return True
        inside = node if isinstance(node, exp.CTE) else inside
        node = node.parent
    return False


def _names_one(clause: exp.With, name: str, inside: exp.Expr | None) -> bool:
    """A query of WITH sees those before it; itself only if it is RECURSIVE."""
    for cte in clause.expressions:
        if cte is inside and not clause.args.get("recursive"):
            return False
        if cte.alias.lower() == name:
            return True
    return False


def _bound(sql: str, parameters: Sequence[str]) -> str:
    """The text with each ? replaced by its parameter, which is one expression."""
    holes = [t for t in tokens(sql) if t.kind == "symbol" and t.text == "?"]
    if len(holes) != len(parameters):
        raise QueryFailure(
            f"INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters: expected {len(holes)} but found "
            f"{len(parameters)}"
        )
    for hole, parameter in reversed(list(zip(holes, parameters, strict=True))):
        grammar.check(parameter, grammar.expression(parameter))
        sql = f"{sql[: hole.start]}({parameter}){sql[hole.end :]}"
    return sql


def _name_columns(tree: exp.Expr) -> None:
    """Mark the result's columns that have no name of their own; Athena calls them _col0, _col1 ... by position."""
    query = tree
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    for projection in list(query.expressions) if isinstance(query, exp.Select) else []:
        inner = projection.unnest()
        if not isinstance(inner, exp.Alias | exp.Column | exp.Star) and not columns.is_named_field(inner):
            projection.replace(exp.alias_(projection.copy(), _UNNAMED, quoted=True))


def _hide(tree: exp.Expr, scans: Collection[int], hidden: Sequence[str]) -> None:
    """ "$path" and its like are hidden columns of the tables that are read (`scans`): * doesn't give them."""
    for star in list(tree.find_all(exp.Star)) if hidden else []:
        select = star.find_ancestor(exp.Select)
        if select is None or isinstance(star.parent, exp.Anonymous):
            continue
        wanted = star.parent.table.lower() if isinstance(star.parent, exp.Column) else ""
        clauses = [select.args.get("from_"), *(select.args.get("joins") or [])]
        read = [c.this for c in clauses if c is not None and id(c.this) in scans]
        if any(wanted in {"", node.alias_or_name.lower()} for node in read):
            names = [exp.to_identifier(n, quoted=True) for n in hidden]
            star.set("except_", [*(star.args.get("except_") or []), *names])
