"""Conditions and wildcards of a policy, and the variables in them. Pure.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html and
.../reference_policies_variables.html.
"""

import functools
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

Context = Mapping[str, Sequence[str]]
"""Condition keys, in lower case, and their values."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_TOKEN = re.compile(r"\$\{[*?$]\}|\*+|\?|[^*?$]+|\$", re.DOTALL)
_LITERAL = re.compile(r"\$\{([*?$])\}")


def holds(context: Context, operator: str, key: str, wanted: Sequence[str]) -> bool:
    given = context.get(_lower_key(key), ())
    quantifier, _, name = operator.rpartition(":")
    if name.lower() == "null":
        return (not given) == (wanted[0] == "true")
    if not given and name.endswith("IfExists"):
        return True
    found = operator_of(operator)
    assert found is not None
    compare, is_negated = found
    each = [any(compare(value, text) for text in wanted) != is_negated for value in given]
    if quantifier == "ForAllValues":
        return all(each)
    return any(each) or (is_negated and not given)


def _lower_key(key: str) -> str:
    """The name of a condition key does not depend on case; that of a tag, behind the slash, does."""
    name, slash, tag = key.partition("/")
    return name.lower() + slash + tag


def expanded(text: str, context: Context) -> str | None:
    """The text with its variables' values, in which `*` and `?` stand for themselves; None if one has no value and the
    policy gives no other."""
    values = {found: _value(found, context) for found in _VARIABLE.findall(text)}
    if None in values.values():
        return None
    return _VARIABLE.sub(lambda found: values[found[1]] or "", text)


def _value(variable: str, context: Context) -> str | None:
    if variable in {"*", "?", "$"}:
        return f"${{{variable}}}"
    key, comma, default = variable.partition(",")
    given = context.get(_lower_key(key.strip()), ())
    if len(given) == 1:
        return re.sub(r"[*?$]", r"${\g<0>}", given[0])
    return default.strip().strip("'") if comma else None


def like(pattern: str, text: str) -> bool:
    """`*` is any text, `?` any character; `${*}`, `${?}` and `${$}` are the characters themselves."""
    return _compiled(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(map(_as_expression, _TOKEN.findall(pattern))), re.DOTALL)


def _as_expression(token: str) -> str:
    if token.startswith("*"):
        return ".*"
    return "." if token == "?" else re.escape(_plain(token))  # noqa: S105 - no password


def _plain(text: str) -> str:
    return _LITERAL.sub(r"\1", text)


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def apply(given: str, wanted: str) -> bool:
        try:
            return compare(float(given), float(wanted))
        except ValueError:
            return False

    return apply


def _moment(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def seconds(text: str) -> float:
        return float(text) if text.isdecimal() else datetime.fromisoformat(text).timestamp()

    def apply(given: str, wanted: str) -> bool:
        try:
            return compare(seconds(given), seconds(wanted))
        except ValueError:
            return False

    return apply


def _is_in_network(given: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "stringequals": lambda given, wanted: given == _plain(wanted),
    "stringequalsignorecase": lambda given, wanted: given.lower() == _plain(wanted).lower(),
    "stringlike": lambda given, wanted: like(wanted, given),
    "arnequals": lambda given, wanted: like(wanted, given),
    "arnlike": lambda given, wanted: like(wanted, given),
    "bool": lambda given, wanted: given.lower() == wanted.lower(),
    "binaryequals": lambda given, wanted: given == wanted,
    "ipaddress": _is_in_network,
    **{f"numeric{name.lower()}": _number(compare) for name, compare in _COMPARE.items()},
    **{f"date{name.lower()}": _moment(compare) for name, compare in _COMPARE.items()},
}
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
}


def operator_of(operator: str) -> tuple[Callable[[str, str], bool], bool] | None:
    """(comparison, negated?) of an operator; None if there is no such one."""
    quantifier, _, name = operator.rpartition(":")
    name = name.removesuffix("IfExists").lower()
    if quantifier not in {"", "ForAllValues", "ForAnyValue"}:
        return None
    if name == "null":
        return (lambda given, wanted: given == wanted), False
    compare = _OPERATORS.get(_NEGATED.get(name, name))
    return None if compare is None else (compare, name in _NEGATED)
