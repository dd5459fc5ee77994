"""As much of Java as Trino's tests need to say what a call is worth: tokens, constants, and chains of calls.

tokens(source)  -> Token ...
chain(tokens)   -> [("assertThat", [arguments]), ("isEqualTo", [arguments])]
value(tokens)   -> a constant in Athena's text (None is NULL); raises UnknownValueError for anything else
"""

import re
import struct
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<skip>\s+|//[^\n]*|/\*.*?\*/)|(?P<block>\"\"\"\n.*?(?<!\\)\"\"\")|(?P<text>"(?:\\.|[^"\\])*")"""
    r"""|(?P<number>0x[0-9A-Fa-f]+L?|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[LlfFdD]?)|(?P<char>'(?:\\.|[^'\\])+')"""
    r"""|(?P<name>\w+)|(?P<symbol>::|->|.)""",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "s": " ", "\n": ""}
_CONSTANTS = {
    "true": "true",
    "false": "false",
    "NaN": "NaN",
    "POSITIVE_INFINITY": "Infinity",
    "NEGATIVE_INFINITY": "-Infinity",
    "Integer.MAX_VALUE": str(2**31 - 1),
    "Integer.MIN_VALUE": str(-(2**31)),
    "Long.MAX_VALUE": str(2**63 - 1),
    "Long.MIN_VALUE": str(-(2**63)),
    "Short.MAX_VALUE": "32767",
    "Short.MIN_VALUE": "-32768",
    "Byte.MAX_VALUE": "127",
    "Byte.MIN_VALUE": "-128",
}


class UnknownValueError(ValueError):
    """Not a constant that is understood here."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    line: int


Call = tuple[str, list[list[Token]]]


def tokens(source: str) -> list[Token]:
    found, line = [], 1
    for match in _TOKEN.finditer(source):
        kind, text = str(match.lastgroup), match.group()
        if kind != "skip":
            found.append(Token(kind, text, line))
        line += text.count("\n")
    return found


def chain(source: Sequence[Token]) -> Iterator[Call]:
    """The calls of `a(x).b(y).c`, in order; what is no call has no arguments. Ends where the chain does."""
    at = 0
    while at < len(source) and source[at].kind == "name":
        name = source[at].text
        arguments, at = _arguments(source, at + 1)
        yield name, arguments
        if at >= len(source) or source[at].text != ".":
            return
        at += 1


def _arguments(source: Sequence[Token], at: int) -> tuple[list[list[Token]], int]:
    if at >= len(source) or source[at].text != "(":
        return [], at
    parts: list[list[Token]] = [[]]
    depth = 1
    for i in range(at + 1, len(source)):
        text = source[i].text
        depth += (text in "([{") - (text in ")]}")
        if depth == 0:
            return ([] if parts == [[]] else parts), i + 1
        if text == "," and depth == 1:
            parts.append([])
        else:
            parts[-1].append(source[i])
    raise UnknownValueError("no end")


def string(source: Sequence[Token]) -> str:
    """A constant string: literals, + between them, .formatted() with constants, .repeat()."""
    pieces, at = [], 0
    while at < len(source):
        token = source[at]
        if token.kind not in {"text", "block"}:
            raise UnknownValueError(token.text)
        piece, at = _literal(token), at + 1
        while at + 1 < len(source) and source[at].text == ".":
            name = source[at + 1].text
            arguments, at = _arguments(source, at + 2)
            piece = _method(piece, name, arguments)
        pieces.append(piece)
        if at < len(source) and source[at].text != "+":
            raise UnknownValueError(source[at].text)
        at += 1
    if not pieces:
        raise UnknownValueError("nothing")
    return "".join(pieces)


def _method(piece: str, name: str, arguments: list[list[Token]]) -> str:
    if name == "repeat" and len(arguments) == 1:
        return piece * int(_known(arguments[0]))
    if name == "formatted" and piece.count("%") == len(arguments) == len(re.findall("%[sd]", piece)):
        return re.sub("%[sd]", "{}", piece.replace("{", "{{").replace("}", "}}")).format(*map(_known, arguments))
    raise UnknownValueError(name)


def _known(source: Sequence[Token]) -> str:
    found = value(source)
    if found is None:
        raise UnknownValueError("null")
    return found


def _literal(token: Token) -> str:
    if token.kind == "block":
        lines = token.text[4:-3]
        body = textwrap.dedent(lines)
        return _unescaped("\n".join(line.rstrip() for line in body.split("\n")))
    return _unescaped(token.text[1:-1])


def _unescaped(text: str) -> str:
    units = re.sub(r"\\u+([0-9A-Fa-f]{4})", lambda m: chr(int(m[1], 16)), text)
    plain = re.sub(r"\\([0-7]{1,3})", lambda m: chr(int(m[1], 8)), units)
    plain = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), plain, flags=re.DOTALL)
    try:
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as e:
        raise UnknownValueError("half a character") from e


def value(source: Sequence[Token]) -> str | None:
    """Raises UnknownValueError."""
    if len(source) > 3 and source[0].text == "(" and source[2].text == ")":  # (byte) 1
        if source[1].text not in {"byte", "short", "int", "long", "Object", "Integer", "Long", "String"}:
            raise UnknownValueError(source[1].text)
        return value(source[3:])
    if not source:
        raise UnknownValueError("nothing")
    first = source[0]
    if first.kind in {"text", "block"}:
        return string(source)
    if first.text == "-" and len(source) > 1:
        return negative(_known(source[1:]))
    if first.kind == "number" and len(source) == 1:
        return _number(first.text)
    if first.kind == "name":
        return _named(source)
    raise UnknownValueError(first.text)


def negative(text: str) -> str:
    return text[1:] if text.startswith("-") else f"-{text}"


def _named(source: Sequence[Token]) -> str | None:
    whole = "".join(t.text for t in source)
    if whole == "null" or whole == "(Object)null":
        return None
    constant = whole.removeprefix("Double.").removeprefix("Float.")
    if constant in _CONSTANTS:
        return _CONSTANTS[constant]
    calls = list(chain(source[1:] if source[0].text == "new" else source))
    name, arguments = calls[-1]
    if whole.startswith(("ImmutableMap.of(", "Map.of(")):
        return _map(arguments)
    last = source[-1].text == ")" and _arguments_end(source)
    if not last or name not in _MAKERS:
        raise UnknownValueError(whole)
    return _MAKERS[name](arguments)


def _arguments_end(source: Sequence[Token]) -> bool:
    """Does the first parenthesis close at the very end?"""
    start = next(i for i, t in enumerate(source) if t.text == "(")
    return _arguments(source, start)[1] == len(source)


def _number(text: str) -> str:
    plain = text.replace("_", "")
    if plain.startswith("0x"):
        return str(int(plain.rstrip("L"), 16))
    if plain[-1] in "fF":
        return real(float(plain[:-1]))
    if re.fullmatch(r"\d+[lL]?", plain):
        return str(int(plain.rstrip("lL")))
    return double(float(plain.rstrip("dD")))


def double(number: float) -> str:
    """As java.lang.Double.toString writes it."""
    return _floating(repr(number), number)


def real(number: float) -> str:
    single = struct.unpack("f", struct.pack("f", number))[0]
    shortest = next(
        w for p in range(1, 18) if struct.pack("f", float(w := f"{single:.{p}g}")) == struct.pack("f", single)
    )
    return _floating(repr(float(shortest)), float(shortest))


def _floating(written: str, number: float) -> str:
    if number != number or number in {float("inf"), float("-inf")}:
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[written]
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return written if "e" not in written else f"{number:.20f}".rstrip("0")
    mantissa, exponent = "", ""
    for digits in range(1, 17):
        mantissa, _, exponent = f"{number:.{digits}e}".partition("e")
        if float(f"{mantissa}e{exponent}") == number:
            break
    return f"{mantissa}E{int(exponent)}"


def _list(arguments: list[list[Token]]) -> str:
    return "[" + ", ".join("null" if (v := value(a)) is None else v for a in arguments) + "]"


def _map(arguments: list[list[Token]]) -> str:
    items = ["null" if (v := value(a)) is None else v for a in arguments]
    return "{" + ", ".join(f"{k}={v}" for k, v in zip(items[::2], items[1::2], strict=True)) + "}"


def _varbinary(arguments: list[list[Token]]) -> str:
    return string(arguments[0]).encode("latin-1").hex(" ")


def _from_hex(arguments: list[list[Token]]) -> str:
    return bytes.fromhex(string(arguments[0])).hex(" ")


def _timestamp(arguments: list[list[Token]]) -> str:
    """timestamp(precision, "text")"""
    return milliseconds(string(arguments[1])) if len(arguments) == 2 else _parts(arguments)


def _parts(arguments: list[list[Token]]) -> str:
    numbers = [int(_known(a)) for a in arguments[1:]] + [0]
    if len(numbers) < 7:
        raise UnknownValueError("timestamp")
    return "{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}.{:03d}".format(*numbers[:7])


def milliseconds(text: str) -> str:
    """A timestamp or time as Athena writes it, with three digits; UnknownValueError if it has more."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d )?(\d\d:\d\d)(:\d\d)?(?:\.(\d{1,3}))?( UTC)?", text)
    if not match:
        raise UnknownValueError(text)
    return f"{match[1] or ''}{match[2]}{match[3] or ':00'}.{(match[4] or '').ljust(3, '0')}{match[5] or ''}"


def _decimal(arguments: list[list[Token]]) -> str:
    written = string(arguments[0]).lstrip("+")
    sign, digits = ("-", written[1:]) if written.startswith("-") else ("", written)
    whole, dot, fraction = digits.partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{dot}{fraction}"


_MAKERS: Mapping[str, Callable[[list[list[Token]]], str | None]] = {
    "of": _list,
    "asList": _list,
    "singletonList": _list,
    "newArrayList": _list,
    "valueOf": lambda a: value(a[0]),
    "decimal": _decimal,
    "sqlVarbinary": _varbinary,
    "sqlVarbinaryFromHex": _from_hex,
    "sqlTimestampOf": _timestamp,
    "timestamp": _timestamp,
}
