"""A file of SQL statements -> the statements, each with its line. Pure.

Athena takes one statement at a time, so they are taken apart at each `;` that is neither in quotes nor in a comment:
'...' and "..." (a doubled quote is one), `...` (DDL's names), -- to the end of the line, /* to the next */.
"""

import re
from dataclasses import dataclass

from clicklake.errors import UsageError

_TOKEN = re.compile(
    r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`)"""
    r"""|(?P<comment>--[^\n]*|/\*.*?\*/)"""
    r"""|(?P<end>;)|(?P<space>\s+)|(?P<open>['"`]|/\*)|(?P<other>.)""",
    re.DOTALL,
)
_OPEN = {"'": "a quote (')", '"': 'a quote (")', "`": "a quote (`)", "/*": "a comment (/*)"}


@dataclass(frozen=True, slots=True)
class Statement:
    """`line` is that of its first word; comments before and in it stay."""

    sql: str
    line: int


def statements(text: str, name: str) -> list[Statement]:
    """In their order, without `;`; what is only comments is none. Raises UsageError for what is opened and not closed;
    `name` is the file's."""
    found: list[Statement] = []
    begin, first = 0, None
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case "open":
                where = f"{name}, line {_line(text, token.start())}"
                raise UsageError(f"{where}: {_OPEN[token[0]]} is opened and not closed", "close it")
            case "end":
                if first is not None:
                    found.append(Statement(text[begin : token.start()].strip(), _line(text, first)))
                begin, first = token.end(), None
            case "quoted" | "other" if first is None:
                first = token.start()
    if first is not None:
        found.append(Statement(text[begin:].strip(), _line(text, first)))
    return found


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
