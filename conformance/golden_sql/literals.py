"""A literal of Trino's SQL in Athena's text: what `matches("ARRAY[1, 2]")` of Trino's tests expects."""

import re

from conformance.golden_sql.java import UnknownValueError, double, milliseconds, real

_TEXT = r"'((?:[^']|'')*)'"
_TYPED = re.compile(
    rf"(VARCHAR|BIGINT|INTEGER|SMALLINT|TINYINT|DECIMAL|DOUBLE|REAL|DATE|TIMESTAMP|TIME|JSON|X)?\s*{_TEXT}",
    re.IGNORECASE,
)
_NULL = re.compile(r"(NULL\b|CAST\(\s*NULL\s+AS\s+[\w()]+(\s*\([\w(), ]*\))?\s*\))", re.IGNORECASE)
_CAST = re.compile(
    rf"CAST\(\s*(?P<value>{_TEXT}|[-\d.]+)\s+AS\s+(?P<type>VARCHAR|BIGINT|INTEGER|DATE)(\(\d+\))?\s*\)", re.IGNORECASE
)
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(E[-+]?\d+)?", re.IGNORECASE)
_WORD = re.compile(r"(true|false|nan\(\)|infinity\(\)|-infinity\(\))(?!\w)", re.IGNORECASE)
_WORDS = {"nan()": "NaN", "infinity()": "Infinity", "-infinity()": "-Infinity"}


def literal(sql: str) -> str | None:
    """Raises UnknownValueError for what is no literal."""
    found, end = _read(sql, 0)
    if sql[end:].strip():
        raise UnknownValueError(sql)
    return found


def rows(sql: str) -> list[list[str | None]]:
    """The rows of VALUES ..., each a list of texts."""
    match = re.match(r"\s*VALUES\b", sql, re.IGNORECASE)
    if not match:
        raise UnknownValueError(sql)
    found, at = [], match.end()
    while True:
        row, at = _row(sql, at)
        found.append(row)
        at = _space(sql, at)
        if at == len(sql):
            return found
        if sql[at] != ",":
            raise UnknownValueError(sql)
        at += 1


def _row(sql: str, at: int) -> tuple[list[str | None], int]:
    at = _space(sql, at)
    opened = re.compile(r"(ROW\s*)?\(", re.IGNORECASE).match(sql, at)
    if not opened:
        value, at = _read(sql, at)
        return [value], at
    return _items(sql, opened.end(), ")")


def _items(sql: str, at: int, close: str) -> tuple[list[str | None], int]:
    values: list[str | None] = []
    at = _space(sql, at)
    if sql[at : at + 1] == close:
        return values, at + 1
    while True:
        value, at = _read(sql, at)
        values.append(value)
        at = _space(sql, at)
        if sql[at : at + 1] == close:
            return values, at + 1
        if sql[at : at + 1] != ",":
            raise UnknownValueError(sql)
        at += 1


def _read(sql: str, at: int) -> tuple[str | None, int]:
    at = _space(sql, at)
    if match := _NULL.match(sql, at):
        return None, match.end()
    if match := re.compile(r"ARRAY\s*\[", re.IGNORECASE).match(sql, at):
        items, end = _items(sql, match.end(), "]")
        return "[" + ", ".join("null" if i is None else i for i in items) + "]", end
    if match := _CAST.match(sql, at):
        inner = match["value"]
        return (inner[1:-1].replace("''", "'") if inner.startswith("'") else inner), match.end()
    if match := _TYPED.match(sql, at):
        return _typed((match[1] or "VARCHAR").upper(), match[2].replace("''", "'")), match.end()
    if match := _WORD.match(sql, at):
        return _WORDS.get(match[0].lower(), match[0].lower()), match.end()
    if match := _NUMBER.match(sql, at):
        return _number(match[0]), match.end()
    raise UnknownValueError(sql)


def _typed(kind: str, text: str) -> str:
    if kind in {"TIMESTAMP", "TIME"}:
        return milliseconds(text)
    if kind == "DOUBLE":
        return double(float(text))
    if kind == "REAL":
        return real(float(text))
    if kind == "DATE" and (match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)):
        return "{}-{:0>2}-{:0>2}".format(*match.groups())
    return bytes.fromhex(text).hex(" ") if kind == "X" else text


def _number(written: str) -> str:
    if "e" in written.lower():
        return double(float(written))
    return re.sub(r"^(-?)\.", r"\g<1>0.", written)


def _space(sql: str, at: int) -> int:
    while at < len(sql) and sql[at].isspace():
        at += 1
    return at
