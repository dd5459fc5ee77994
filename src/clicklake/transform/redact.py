"""What must never reach the processed zone: fields by their names, and private values inside addresses.

A query string is where identifiers, e-mail addresses and tokens leak into page views, so only the values of parameters
on pipeline.json's `kept_query_parameters` stay; every other value becomes `redacted`. Names stay, so that one sees
what could be added to the list. E-mail addresses are redacted wherever they stand in an address.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import unquote_plus

REDACTED = "redacted"

# RFC 3986, appendix B: scheme and authority, path, query, fragment.
_ADDRESS = re.compile(r"((?:[^:/?#]+:)?(?://[^/?#]*)?)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_USERINFO = re.compile(r"//[^/@]*@")
_EMAIL = re.compile(
    r"[^\s/?#&=;,:@%]+(?:%[0-9a-fA-F]{2}[^\s/?#&=;,:@%]*)*?(?:@|%40)[^\s/?#&=;,:@%]+\.[^\s/?#&=;,:@%.]+"
)
_FLAG = re.compile(r"[A-Za-z][A-Za-z_-]{0,19}")
_CACHED = 1 << 14


def private_names(names: Iterable[str]) -> Callable[[str], bool]:
    """A test for the names and their spellings: user_id, userId, User-ID, USERID."""
    private = frozenset(map(_spelling, names))

    @lru_cache(maxsize=_CACHED)
    def is_private(name: str) -> bool:
        return _spelling(name) in private

    return is_private


def _spelling(name: str) -> str:
    return name.removeprefix("_event.").replace("_", "").replace("-", "").replace(" ", "").lower()


def address_redactor(kept_parameters: Iterable[str]) -> Callable[[str], str]:
    """A function that redacts an address (absolute or relative); text without private parts comes back as it is."""
    kept = frozenset(kept_parameters)

    @lru_cache(maxsize=_CACHED)
    def redact(address: str) -> str:
        found = _ADDRESS.fullmatch(address)
        assert found is not None  # every part is optional
        origin, path, query, fragment = (part or "" for part in found.groups())
        origin = _USERINFO.sub("//", origin)
        path = _EMAIL.sub(REDACTED, path)
        query = _parameters(query, kept)
        fragment = _parameters(fragment, kept) if "=" in fragment else _EMAIL.sub(REDACTED, fragment)
        return origin + path + query + fragment

    return redact


def _parameters(query: str, kept: frozenset[str]) -> str:
    """A query or fragment with its leading mark; `&` and `;` separate (HTML 4.01, B.2.2)."""
    mark, parts = query[:1], re.split("([&;])", query[1:])
    return mark + "".join(part if part in ("&", ";") else _parameter(part, kept) for part in parts)


def _parameter(part: str, kept: frozenset[str]) -> str:
    name, equals, value = part.partition("=")
    if not equals:
        return part if not part or _FLAG.fullmatch(part) else REDACTED
    if not value or (unquote_plus(name).lower() in kept and not _EMAIL.search(unquote_plus(value))):
        return part
    return f"{_EMAIL.sub(REDACTED, name)}={REDACTED}"
