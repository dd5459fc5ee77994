"""Regular expressions: where Java and DuckDB (RE2) differ, which is worked out from the pattern's text.

A group that took no part in a match is NULL in Java and empty in RE2. Of a literal pattern it is known which groups a
match can leave out and which can match nothing; of any other pattern an empty group is refused when it comes.
(trino.io/docs/current/functions/regexp.html)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from localaws.athena.failures import QueryFailure, not_supported

_SIGN = re.compile(
    r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?:\?(?:<?[=!]|<\w+>|[\w-]*:|[\w-]*(?=\))))?|.",
    re.DOTALL,
)
_MAYBE = re.compile(r"[?*]|\{0")  # behind a group


@dataclass(slots=True)
class Group:
    """A capturing group, and whether a match can leave it out."""

    text: str = ""
    absent: bool = False

    def matches_nothing(self) -> bool:
        return matches_nothing(self.text)


@dataclass(slots=True)
class _Open:
    """A parenthesis (or the whole pattern): its own group if it captures, the groups inside, whether it has a |."""

    start: int = 0
    own: Group | None = None
    inside: list[Group] = field(default_factory=list)
    choice: bool = False


def groups(pattern: str) -> list[Group]:
    """The capturing groups, in their order."""
    found: list[Group] = []
    stack = [_Open()]
    for match in _SIGN.finditer(pattern):
        sign = match.group()
        if sign.startswith("("):
            own = Group() if sign == "(" or sign.endswith(">") else None
            found += [own] if own else []
            stack.append(_Open(match.end(), own))
        elif sign == "|":
            stack[-1].choice = True
        elif sign == ")" and len(stack) > 1:
            stack[-2].inside += _closed(stack.pop(), pattern, match.start())
    _closed(stack[0], pattern, len(pattern))
    return found


def _closed(opened: _Open, pattern: str, end: int) -> list[Group]:
    """The groups of a parenthesis that ends at `end`."""
    if opened.own:
        opened.own.text = pattern[opened.start : end]
    every = [*([opened.own] if opened.own else []), *opened.inside]
    for group in every if _MAYBE.match(pattern, end + 1) else opened.inside if opened.choice else ():
        group.absent = True
    return every


def matches_nothing(pattern: str) -> bool:
    try:
        return re.search(pattern, "x") is not None and re.fullmatch(pattern, "") is not None
    except re.error:
        return False


def extract(arguments: Sequence[exp.Expr], every: bool = False) -> exp.Expr:
    """regexp_extract, or with `every` regexp_extract_all."""
    function = "regexp_extract_all" if every else "t_regexp_extract"
    if len(arguments) == 2:
        return _call(function, *arguments)
    pattern, number = arguments[1].unnest(), arguments[2].unnest()
    plain = _call(function, *arguments)
    if not isinstance(number, exp.Literal):
        raise not_supported("the number of a regular expression's group that is not a literal")
    if number.this == "0":
        return plain
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        return _call("t_groups" if every else "t_group", plain)
    group = _wanted(str(pattern.this), int(number.this))
    if not group.absent:
        return plain
    if group.matches_nothing():
        raise not_supported("a group of a regular expression that can be empty and can be left out")
    return _call("t_absent_groups", plain) if every else _call("nullif", plain, exp.Literal.string(""))


def _wanted(pattern: str, number: int) -> Group:
    there = groups(pattern)
    if number > len(there):
        problem = f"Pattern has {len(there)} groups. Cannot access group {number}"
        raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: {problem}")
    return there[number - 1]


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


_UNSURE = (
    "t_fail('NOT_SUPPORTED: an empty group of a pattern that is no literal is not supported by the local Athena yet'"
)

MACROS: dict[str, str] = {
    "t_regexp_extract(s, p)": "CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p) END",
    "t_regexp_extract(s, p, g)": "CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END",
    "t_group(s)": f"CASE WHEN s = '' THEN {_UNSURE} || s) ELSE s END",
    "t_groups(l)": "list_transform(l, lambda t__s: t_group(t__s))",
    "t_absent_groups(l)": "list_transform(l, lambda t__s: nullif(t__s, ''))",
    "t_regexp_split(s, p)": "CASE WHEN p IS NOT NULL THEN regexp_split_to_array(s, t_no_empty(p, 'x')) END",
    "t_regexp_replace(s, p)": "regexp_replace(s, p, '', 'g')",
    # A match of nothing behind a match of something is replaced in Java and is none in RE2.
    "t_regexp_replace(s, p, r)": r"regexp_replace(s, t_no_empty(p, r), regexp_replace(r, '\$(\d)', '\\\1', 'g'), 'g')",
    "t_no_empty(p, r)": "CASE WHEN r <> '' AND regexp_matches('', p) THEN "
    "t_fail('NOT_SUPPORTED: a pattern here that "
    "matches the empty string is not supported by the local Athena yet' || left(p, 0)) ELSE p END",
    "t_regexp_count(s, p)": "len(regexp_extract_all(s, p))",
}
