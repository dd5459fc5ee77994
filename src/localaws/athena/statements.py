"""What kind of statement a text is, by its first words, and the words themselves.

Trino and Hive statements come through the same door; which engine answers is decided by the words at the beginning
(docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from localaws.athena.failures import position
from localaws.errors import AwsError


class Run(Enum):
    """Who carries the statement out."""

    QUERY = "query"  # a worker, rows as CSV
    DDL = "ddl"  # ddl.py and commands.py
    WRITE = "write"  # writing.py and writes.py, which have a worker write files
    VIEW = "view"  # commands.py, after a worker has said what columns the view has
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is word, quoted (a quoted identifier, unquoted here), string, number or symbol; `start` its offset."""

    kind: str
    text: str
    start: int
    end: int

    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as GetQueryExecution describes it: DML, DDL or UTILITY, and the kind within."""

    text: str
    tokens: tuple[Token, ...]
    type: str
    kind: str
    run: Run


def _lexer(escape: str) -> re.Pattern[str]:
    return re.compile(
        r"""(?P<skip>\s+|--[^\n]*|/\*.*?\*/)|(?P<word>[A-Za-z_][\w$]*)"""
        rf"""|(?P<quoted>`(?:[^`]|``)*`|"(?:{escape}[^"]|"")*")|(?P<string>'(?:{escape}[^']|'')*')"""
        r"""|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\w*)|(?P<symbol>.)""",
        re.DOTALL,
    )


_TOKEN = _lexer("")
_HIVE_TOKEN = _lexer(r"\\.|")  # in whose texts a backslash goes before a quote

# (first words, type, kind, who). The longest that fits comes first.
_KINDS: tuple[tuple[str, str, str, Run], ...] = (
    ("SELECT", "DML", "SELECT", Run.QUERY),
    ("WITH", "DML", "SELECT", Run.QUERY),
    ("VALUES", "DML", "SELECT", Run.QUERY),
    ("TABLE", "DML", "SELECT", Run.QUERY),
    ("CREATE EXTERNAL TABLE", "DDL", "CREATE_TABLE", Run.DDL),
    ("CREATE OR REPLACE VIEW", "DDL", "CREATE_VIEW", Run.VIEW),
    ("CREATE VIEW", "DDL", "CREATE_VIEW", Run.VIEW),
    ("CREATE DATABASE", "DDL", "CREATE_DATABASE", Run.DDL),
    ("CREATE SCHEMA", "DDL", "CREATE_DATABASE", Run.DDL),
    ("CREATE TABLE", "DDL", "CREATE_TABLE_AS_SELECT", Run.WRITE),
    ("DROP DATABASE", "DDL", "DROP_DATABASE", Run.DDL),
    ("DROP SCHEMA", "DDL", "DROP_DATABASE", Run.DDL),
    ("DROP TABLE", "DDL", "DROP_TABLE", Run.DDL),
    ("DROP VIEW", "DDL", "DROP_VIEW", Run.DDL),
    ("ALTER TABLE", "DDL", "ALTER_TABLE", Run.DDL),
    ("ALTER DATABASE", "DDL", "ALTER_DATABASE", Run.DDL),
    ("ALTER SCHEMA", "DDL", "ALTER_DATABASE", Run.DDL),
    ("ALTER VIEW", "DDL", "ALTER_VIEW", Run.REFUSED),
    ("MSCK REPAIR TABLE", "DDL", "MSCK_REPAIR_TABLE", Run.DDL),
    ("SHOW DATABASES", "UTILITY", "SHOW_DATABASES", Run.DDL),
    ("SHOW SCHEMAS", "UTILITY", "SHOW_DATABASES", Run.DDL),
    ("SHOW TABLES", "UTILITY", "SHOW_TABLES", Run.DDL),
    ("SHOW VIEWS", "UTILITY", "SHOW_VIEWS", Run.DDL),
    ("SHOW PARTITIONS", "UTILITY", "SHOW_PARTITIONS", Run.DDL),
    ("SHOW COLUMNS", "UTILITY", "SHOW_COLUMNS", Run.DDL),
    ("SHOW CREATE TABLE", "UTILITY", "SHOW_CREATE_TABLE", Run.DDL),
    ("SHOW CREATE VIEW", "UTILITY", "SHOW_CREATE_VIEW", Run.DDL),
    ("SHOW TBLPROPERTIES", "UTILITY", "SHOW_TBLPROPERTIES", Run.DDL),
    ("SHOW FUNCTIONS", "UTILITY", "SHOW_FUNCTIONS", Run.REFUSED),
    ("DESCRIBE", "UTILITY", "DESCRIBE_TABLE", Run.DDL),
    ("DESC", "UTILITY", "DESCRIBE_TABLE", Run.DDL),
    ("INSERT INTO", "DML", "INSERT", Run.WRITE),
    ("UNLOAD", "DML", "UNLOAD", Run.WRITE),
    ("EXPLAIN", "UTILITY", "EXPLAIN", Run.DDL),
    ("PREPARE", "UTILITY", "PREPARE", Run.DDL),
    ("EXECUTE", "DML", "EXECUTE", Run.QUERY),
    ("DEALLOCATE", "UTILITY", "DEALLOCATE", Run.DDL),
    ("DELETE", "DML", "DELETE", Run.REFUSED),
    ("UPDATE", "DML", "UPDATE", Run.REFUSED),
    ("MERGE", "DML", "MERGE", Run.REFUSED),
    ("OPTIMIZE", "DML", "OPTIMIZE", Run.REFUSED),
    ("VACUUM", "DML", "VACUUM", Run.REFUSED),
)


# What AWS says a statement may begin with (dbt-labs/dbt-athena, issue 54; measured with engine version 3).
_EXPECTED = (
    "'ALTER', 'ANALYZE', 'CALL', 'COMMENT', 'COMMIT', 'CREATE', 'DEALLOCATE', 'DELETE', 'DENY', 'DESC', 'DESCRIBE', "
    "'DROP', 'EXECUTE', 'EXPLAIN', 'GRANT', 'INSERT', 'MERGE', 'PREPARE', 'REFRESH', 'RESET', 'REVOKE', 'ROLLBACK', "
    "'SET', 'SHOW', 'START', 'TRUNCATE', 'UNLOAD', 'UPDATE', 'USE', 'USING', <query>"
)
# Statements of Trino's that Athena doesn't run, each with the words that may come second ("" if any may).
_OTHERS = {
    "ANALYZE": "", "CALL": "", "COMMENT": "", "COMMIT": "", "DENY": "", "GRANT": "", "REFRESH": "", "RESET": "",
    "REVOKE": "", "ROLLBACK": "", "SET": "", "START": "", "TRUNCATE": "", "USE": "",
    "SHOW": "CATALOGS GRANTS ROLES SESSION STATS CURRENT ROLE",
}  # fmt: skip
# What Run.DDL has of Trino's grammar; the rest is Hive's.
_TRINO = {"EXPLAIN", "PREPARE", "DEALLOCATE"}


def tokens(text: str, hive: bool = False) -> tuple[Token, ...]:
    found = []
    for match in (_HIVE_TOKEN if hive else _TOKEN).finditer(text):
        kind = match.lastgroup or "symbol"
        if kind != "skip":
            found.append(Token(kind, _unquoted(kind, match.group()), match.start(), match.end()))
    return tuple(found)


def _unquoted(kind: str, text: str) -> str:
    if kind == "quoted":
        return text[1:-1].replace(text[0] * 2, text[0])
    return text[1:-1].replace("''", "'") if kind == "string" else text


def classify(text: str) -> Statement:
    """Raises InvalidRequestException, as StartQueryExecution does, for what begins like no statement at all."""
    parts = tokens(text)
    while parts and parts[-1].text == ";" and parts[-1].kind == "symbol":
        parts = parts[:-1]
    if not parts:
        raise _no_statement(text, len(text), "<EOF>")
    body = text[: parts[-1].end]
    if parts[0].text == "(":
        return Statement(body, parts, "DML", "SELECT", Run.QUERY)
    for words, kind, name, run in _KINDS:
        wanted = words.split()
        if [t.word() for t in parts[: len(wanted)]] == wanted:
            hive = run is Run.DDL and name not in _TRINO
            return Statement(body, tokens(body, hive) if hive else parts, kind, name, run)
    if _is_other_statement(parts):
        raise AwsError(
            "InvalidRequestException", "Queries of this type are not supported", AthenaErrorCode="INVALID_INPUT"
        )
    raise _no_statement(text, parts[0].start, parts[0].text)


def _is_other_statement(parts: Sequence[Token]) -> bool:
    """In Trino's grammar, and not Athena's: USE db, SET SESSION ..., SHOW CATALOGS."""
    first, second = parts[0].word(), parts[1].word() if len(parts) > 1 else ""
    return first in _OTHERS and (_OTHERS[first] == "" or second in _OTHERS[first].split())


def _no_statement(text: str, offset: int, found: str) -> AwsError:
    return malformed(f"line {position(text, offset)}: mismatched input '{found}'. Expecting: {_EXPECTED}")


def malformed(message: str) -> AwsError:
    """What StartQueryExecution says to a text that isn't in the grammar."""
    return AwsError("InvalidRequestException", message, AthenaErrorCode="MALFORMED_QUERY")
