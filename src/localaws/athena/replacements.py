"""regexp_replace: Java's replacement texts, and lambdas, said to RE2.

A replacement has $1, ${name} and \\x (java.util.regex.Matcher.appendReplacement); RE2 knows \\0 to \\9. A lambda gets
the groups of each match. What depends on the groups of the pattern wants a literal pattern.
(trino.io/docs/current/functions/regexp.html)
"""

import re
from collections.abc import Sequence

from sqlglot import exp

from localaws.athena import regexps
from localaws.athena.failures import QueryFailure, not_supported

_GROUP = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]|\((\?P?<([A-Za-z]\w*)>|(?!\?))", re.DOTALL)

MACROS = {
    "t_interleaved(pieces, f)": "CASE WHEN len(f) = list_count(f) THEN array_to_string(list_transform(pieces, "
    "lambda t__p, t__i: t__p || coalesce(f[t__i], '')), '') END",
}


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def replaced(a: Sequence[exp.Expr]) -> exp.Expr:
    if isinstance(a[-1], exp.Lambda):
        return _by_lambda(a[0], a[1], a[2])
    replacement = a[2].unnest() if len(a) == 3 else exp.Literal.string("")
    if not (isinstance(replacement, exp.Literal) and replacement.is_string):
        return _call("t_regexp_replace", *a)
    written = exp.Literal.string(_rewritten(replacement.name, a[1].unnest()))
    known = groups_of(a[1].unnest()) is not None  # and refusals.py has looked at what it matches
    pattern = _named(a[1]) if known else _call("t_no_empty", a[1], written.copy())
    return _call("regexp_replace", a[0], pattern, written, exp.Literal.string("g"))


def _rewritten(text: str, pattern: exp.Expr) -> str:
    """The replacement in RE2's words. A group's number takes as many digits as there are groups."""
    groups = groups_of(pattern)
    written, at = "", 0
    while at < len(text):
        if text[at] == "\\":
            written += re.sub(r"\\", r"\\\\", text[at + 1 : at + 2])
            at += 2
        elif text[at] == "$":
            number, at = _group(text, at + 1, groups)
            written += rf"\{number}"
        else:
            written += text[at]
            at += 1
    return written


def _group(text: str, at: int, groups: list[str] | None) -> tuple[int, int]:
    """The number of the group that is named at `at`, and the place behind it. Without `groups` any digit will do."""
    name = re.compile(r"\{(\w+)\}").match(text, at)
    if name and groups is not None and name[1] in groups:
        return _known(groups.index(name[1]) + 1), name.end()
    digits = re.compile(r"\d+").match(text, at)
    if digits is None:
        raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: {text}")
    if groups is None and len(digits[0]) > 1:
        raise not_supported(f"regexp_replace with the replacement '{text}' and a pattern that is not a literal")
    number, end = int(digits[0][0]), digits.start() + 1
    while end < digits.end() and number * 10 + int(text[end]) <= len(groups or ()):
        number, end = number * 10 + int(text[end]), end + 1
    if groups is not None and number > len(groups):
        raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: Illegal replacement sequence: unknown group {number}")
    return _known(number), end


def _known(number: int) -> int:
    if number > 9:
        raise not_supported("regexp_replace with a group after the ninth")
    return number


def groups_of(pattern: exp.Expr) -> list[str] | None:
    """The names of a literal pattern's groups, '' for those that have none; None if it is no literal."""
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        return None
    return [m[2] or "" for m in _GROUP.finditer(pattern.name) if m[0].startswith("(")]


def _named(pattern: exp.Expr) -> exp.Expr:
    """RE2 writes (?P<name>...) where Java has (?<name>...)."""
    inner = pattern.unnest()
    if not groups_of(inner):
        return pattern
    return exp.Literal.string(_GROUP.sub(lambda m: f"(?P<{m[2]}>" if m[2] else m[0], inner.name))


def _by_lambda(text: exp.Expr, pattern: exp.Expr, function: exp.Expr) -> exp.Expr:
    """The pieces between the matches, with the lambda's texts in between; NULL if one of those is."""
    literal = pattern.unnest()
    groups = groups_of(literal)
    if groups is None or len(groups) > 9 or regexps.matches_nothing(literal.name):
        raise not_supported("regexp_replace with a lambda and a pattern that is not a literal or can match nothing")
    found, position = _named(pattern), exp.to_identifier("t_at")
    items: list[exp.Expr] = []
    for number in range(1, len(groups) + 1):
        every = regexps.extract([text.copy(), found.copy(), exp.Literal.number(number)], every=True)
        items.append(_call("list_extract", every, position.copy()))
    array = exp.Cast(this=exp.Array(expressions=items), to=exp.DataType.build("VARCHAR[]", dialect="duckdb"))
    end = exp.Add(this=_call("t_regexp_count", text.copy(), found.copy()), expression=exp.Literal.number(1))
    numbers = _call("range", exp.Literal.number(1), end)
    matches = _call("list_transform", numbers, exp.Lambda(this=array, expressions=[position]))
    pieces = _call("string_split_regex", text.copy(), found.copy())
    return _call("t_interleaved", pieces, _call("list_transform", matches, function))
