"""CloudWatch Logs' filter patterns, for unstructured events. Pure.

docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html: all terms must occur, of those behind a
`?` one, of those behind a `-` none; `"exact phrase"`, `%regular expression%`. Not done, and refused by name: patterns
for JSON (`{ $.a = 1 }`) and for space-delimited events (`[a, b]`).
"""

import re
from collections.abc import Callable

from localaws.errors import AwsError

_TERM = re.compile(r'(?P<mode>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"]+))')

Filter = Callable[[str], bool]


def compiled(pattern: str) -> Filter:
    """Does a message match? InvalidParameterException."""
    text = pattern.strip()
    if text[:1] in {"{", "["}:
        raise _invalid("localaws filters log events by terms, not by JSON or space-delimited patterns")
    terms: dict[str, list[Filter]] = {"": [], "?": [], "-": []}
    end = 0
    for found in _TERM.finditer(text):
        if text[end : found.start()].strip():
            raise _invalid("Invalid filter pattern")
        terms[found["mode"]].append(_term(found))
        end = found.end()
    if text[end:].strip():
        raise _invalid("Invalid filter pattern")
    return lambda message: _matches(terms, message)


def _matches(terms: dict[str, list[Filter]], message: str) -> bool:
    return (
        all(holds(message) for holds in terms[""])
        and (not terms["?"] or any(holds(message) for holds in terms["?"]))
        and not any(holds(message) for holds in terms["-"])
    )


def _term(found: re.Match[str]) -> Filter:
    if found["regex"] is not None:
        try:
            expression = re.compile(found["regex"])
        except re.error as e:
            raise _invalid("Invalid regular expression in the filter pattern") from e
        return lambda message: expression.search(message) is not None
    text = found["word"] if found["phrase"] is None else re.sub(r"\\(.)", r"\1", found["phrase"])
    return lambda message: text in message


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
