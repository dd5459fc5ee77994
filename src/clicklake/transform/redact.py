"""What must never reach the processed zone: fields by their names, and private values inside addresses and texts.

A query string is where identifiers, e-mail addresses and tokens leak into page views, so only the values of parameters
on pipeline.json's `kept_query_parameters` stay; every other value becomes `redacted`. Names stay, so that one sees
what could be added to the list. E-mail addresses are redacted wherever they stand, in addresses and in other texts.
docs/privacy.md says what is not found.

Every pattern here takes time linear in the text, whatever the text: a record may be a mebibyte of anything.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_plus

REDACTED = "redacted"

# --- names -----------------------------------------------------------------------------------------------------------

_BETWEEN_PARTS = re.compile(r"[.:/\[\]]+")
_NO_LETTERS = re.compile(r"[\W_]+")
_MOST_PARTS = 3  # of a private name: user.id
_CACHED = 1 << 14
_LONGEST_CACHED = 256  # characters; a name may have a million


def private_names(names: Iterable[str]) -> Callable[[str], bool]:
    """A test for the names, in any spelling and at the end, the beginning or the middle of a path: user_id, userId,
    User-ID, _event.user_id, user.id, traits[user_id], headers.cookie."""
    private = frozenset(map(_spelling, names))

    def judge(name: str) -> bool:
        parts = list(map(_spelling, _BETWEEN_PARTS.split(name)))
        return any(
            "".join(parts[at : at + length]) in private
            for length in range(1, _MOST_PARTS + 1)
            for at in range(len(parts))
        )

    known = lru_cache(maxsize=_CACHED)(judge)
    return lambda name: known(name) if len(name) <= _LONGEST_CACHED else judge(name)


def _spelling(name: str) -> str:
    return _NO_LETTERS.sub("", name).casefold()


# --- e-mail addresses ------------------------------------------------------------------------------------------------

# RFC 5321, 4.1.2, as far as it is in use: no quotes, no comments. `@` and the dots may be percent-encoded, `@` twice.
# A local part is looked for only where one can begin, so that no character is looked at again and again.
_LOCAL = r"[^\s/?#&=;,:@<>\"()\[\]{}|\\`]"
_EMAIL = re.compile(
    rf"(?:(?<!{_LOCAL})|(?<=%40)|(?<=%2540))(?:(?!%(?:25)?40){_LOCAL})++(?:@|%(?:25)?40)"
    r"(?!\dx\.)"  # logo@2x.png
    r"(?:[\w-]++(?:\.|%2[eE]))+(?:xn--[\w-]+|[^\W\d_]{2,})"
)


def without_emails(text: str) -> str:
    """`text` with every e-mail address redacted."""
    return _EMAIL.sub(REDACTED, text) if "@" in text or "40" in text else text


# --- addresses -------------------------------------------------------------------------------------------------------

# RFC 3986, appendix B: scheme and authority, path, query, fragment.
_ADDRESS = re.compile(r"((?:[^:/?#]+:)?(?://[^/?#]*)?)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_USERINFO = re.compile(r"//[^/]*@")
_PATH_PARAMETER = re.compile(r"(;[^/;=]*=)[^/;]+")  # RFC 3986, 3.3: /cart;jsessionid=1
_FLAG = re.compile(r"[A-Za-z][A-Za-z_-]{0,19}")
_PLAIN = re.compile(r"[\w.~-]*", re.ASCII)  # nothing encoded, no address
_LONGEST_NAME = 40  # characters; beyond, it is a value without a name
_PARAMETERS_MARK = re.compile("[?#&]")
_PRIVATE_IN_PATH = re.compile("[;@]|%(?:25)?40")
_ENCODINGS = 3  # how often a value inside a value may be percent-encoded


class Address(NamedTuple):
    """An address in parts that make it up again: `https://host:443`, `/path`, `?a=1`, `#top`; each may be empty."""

    origin: str
    path: str
    query: str
    fragment: str

    def __str__(self) -> str:
        return "".join(self)


def split(address: str) -> Address:
    """The parts of an absolute or relative address; any text is one."""
    found = _ADDRESS.fullmatch(address)
    assert found is not None  # every part is optional
    return Address(*found.groups(""))


def address_redactor(kept_parameters: Iterable[str]) -> Callable[[str], Address]:
    """`split`, without what is private; parts without it come back as they are."""
    kept = frozenset(kept_parameters)

    def redact(address: str) -> Address:
        origin, path, query, fragment = split(address)
        # Measured: most addresses have nothing private but in the query.
        if "@" in origin:
            origin = _USERINFO.sub("//", origin)
        if _PRIVATE_IN_PATH.search(path):
            path = _PATH_PARAMETER.sub(rf"\1{REDACTED}", without_emails(path))
        if query:
            query = _parameters(query, kept)
        if fragment:
            fragment = _parameters(fragment, kept) if "=" in fragment else without_emails(fragment)
        return Address(origin, path, query, fragment)

    return redact


def _parameters(query: str, kept: frozenset[str]) -> str:
    """A query or fragment with its leading mark; `&` and `;` separate (HTML 4.01, B.2.2)."""
    mark, parts = query[:1], re.split("([&;])", query[1:])
    return mark + "".join(part if part in ("&", ";") else _parameter(part, kept) for part in parts)


def _parameter(part: str, kept: frozenset[str]) -> str:
    name, equals, value = part.partition("=")
    if not value:
        return part if not part or _FLAG.fullmatch(name) else REDACTED + equals
    is_kept = (name if _PLAIN.fullmatch(name) else unquote_plus(name)).lower() in kept
    if is_kept and (_PLAIN.fullmatch(value) or _is_public(value)):
        return part
    return f"{without_emails(name) if len(name) <= _LONGEST_NAME else REDACTED}={REDACTED}"


def _is_public(value: str) -> bool:
    """True if a value has neither an e-mail address in it nor an address with parameters of its own."""
    for _ in range(_ENCODINGS):
        mark = _PARAMETERS_MARK.search(value)
        if (mark and "=" in value[mark.end() :]) or without_emails(value) != value:
            return False
        value = unquote_plus(value)
    return "%" not in value or value == unquote_plus(value)


# --- any text --------------------------------------------------------------------------------------------------------

# An address without a scheme: a relative one, location.search, location.hash, or shop.example/?token=1.
_RELATIVE = re.compile(r"(?:[/?#]|\.{1,2}/)\S*+|[^\s?]++\?[^\s=]*+=\S*+")


def text_redactor(redact: Callable[[str], Address]) -> Callable[[str], str]:
    """A function that redacts a text that may be an address, which is for `redact`, or anything else."""

    def redact_text(text: str) -> str:
        is_address = "://" in text or _RELATIVE.fullmatch(text)
        return str(redact(text)) if is_address else without_emails(text)

    return redact_text


_TELLTALES = b"@?#;%\\"  # the last stands before the quotes of JSON in a text


def may_hold_private_text(json: bytes) -> bool:
    """False if no string of this JSON is one that a text redactor changes. Measured: 0.2 us for 300 bytes, a third of
    what a pattern takes."""
    return len(json.translate(None, _TELLTALES)) != len(json)
