"""Result files and what GetQueryResults reads back of them.

A SELECT's file is CSV with every value in quotes and NULL as nothing between commas; DDL and SHOW write plain lines.
A page's token is a place in the file, so any page costs the same. A full page has a token even if nothing follows, as
on AWS, where that was measured (aoyagikouhei/athena-local, CHANGELOG.md, 2026-09-23).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from localaws.athena.pages import number_of
from localaws.errors import AwsError

_PAGE = 1000  # "MaxResults: ... Maximum value of 1000"
_CHUNK = 1 << 20
_FIELD = re.compile(r'(?:"((?:[^"]|"")*)")?([,\n])')

Row = dict[str, Any]


def header(names: Sequence[str]) -> bytes:
    return (",".join('"' + n.replace('"', '""') + '"' for n in names) + "\n").encode()


def csv_page(path: Path, token: str | None, count: int, columns: int) -> tuple[list[Row], str | None]:
    """`count` rows from the token's place on, and the token of the place after them, None if they are fewer."""
    start = _place(token)
    rows: list[Row] = []
    with path.open("rb") as file:
        file.seek(start)
        pending, used = b"", 0
        while chunk := file.read(_CHUNK):
            pending += chunk
            found, taken = _whole_rows(pending, columns, count - len(rows))
            rows += found
            used += taken
            pending = pending[taken:]
            if len(rows) == count:
                return rows, str(start + used)
    return rows, None


def _whole_rows(data: bytes, columns: int, most: int) -> tuple[list[Row], int]:
    """Complete rows at the start of `data` and the bytes they take. The text may end within a character."""
    text = data.decode("utf-8", errors="surrogateescape")
    rows: list[Row] = []
    position = end = 0
    while len(rows) < most:
        cells: list[dict[str, str]] = []
        while len(cells) < columns:
            match = _FIELD.match(text, position)
            if match is None:
                return rows, len(text[:end].encode("utf-8", errors="surrogateescape"))
            value = match[1]
            cells.append({} if value is None else {"VarCharValue": value.replace('""', '"')})
            position = match.end()
        rows.append({"Data": cells})
        end = position
    return rows, len(text[:end].encode("utf-8", errors="surrogateescape"))


def line_page(path: Path, token: str | None, count: int) -> tuple[list[Row], str | None]:
    """The same for a file of lines, each one value."""
    start = _place(token)
    lines = path.read_text().split("\n")[:-1]
    rows = [{"Data": [{"VarCharValue": line}]} for line in lines[start : start + count]]
    return rows, str(start + count) if len(rows) == count else None


def page_size(parameters: dict[str, Any]) -> int:
    size = int(parameters.get("MaxResults", _PAGE))
    if not 1 <= size <= _PAGE:
        raise AwsError("InvalidRequestException", f"MaxResults is more than maximum allowed length {_PAGE}.")
    return size


def _place(token: str | None) -> int:
    return number_of(token or "0")
