"""Trino's statements with their decimals as Athena has them: 1.2 is a decimal to Trino, and a double to Athena."""

import re

_PARTS = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|[A-Za-z_]\w*|(?P<number>(?:\d+\.\d*|\.\d+)(?![eE\d]))|\d+\w*(?:\.\d*[eE][+-]?\d+)?"""
)


def spelled_out(sql: str) -> str:
    """1.2 as DECIMAL '1.2'."""
    return _PARTS.sub(lambda part: _decimal(part["number"]) if part["number"] else part[0], sql)


def _decimal(number: str) -> str:
    return f"DECIMAL '{number.rstrip('.')}'"
