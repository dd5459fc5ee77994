"""The parts of the page's and the referrer's address (RFC 3986, appendix B)."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from clicklake.transform.enrich.context import Context
from clicklake.transform.event import Fields, Values

_ADDRESS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?[^#]*)?(?:#.*)?", re.DOTALL)
_HOST = re.compile(r"(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::\d*)?")
_CACHED = 1 << 14
_NOTHING: Values = {}


def url(fields: Fields, _values: Values, context: Context) -> Values:
    """page_url, page_host, page_path; referrer, referrer_host."""
    page, referrer = fields.get("page_url"), fields.get("referrer")
    values = _page(page, context.redact) if page is not None else _NOTHING
    return {**values, **_referrer(referrer, context.redact)} if referrer is not None else values


@lru_cache(maxsize=_CACHED)
def _page(address: str, redact: Callable[[str], str]) -> Values:
    safe = redact(address)
    parts = split_address(safe)
    return {"page_url": safe, "page_host": parts.host, "page_path": parts.path}


@lru_cache(maxsize=_CACHED)
def _referrer(address: str, redact: Callable[[str], str]) -> Values:
    safe = redact(address)
    return {"referrer": safe, "referrer_host": split_address(safe).host}


class Address(NamedTuple):
    host: str | None
    path: str | None


def split_address(address: str) -> Address:
    """The host in lower case without user, port and trailing dot; the path, `/` if a host has none. None if absent."""
    found = _ADDRESS.fullmatch(address.strip())
    assert found is not None  # every part is optional
    _scheme, authority, path = found.groups()
    host = _HOST.match(authority or "")
    name = host[1].rstrip(".").lower() if host else ""
    return Address(name or None, path or ("/" if name else None))
