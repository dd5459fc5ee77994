"""The parts of the page's and the referrer's address (RFC 3986, appendix B)."""

import re
from typing import NamedTuple

from clicklake.transform.enrich.context import Context, Enrichment

_ADDRESS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?[^#]*)?(?:#.*)?", re.DOTALL)
APP = "android-app:"
_HOST = re.compile(r"(?:[^@]*@)?(\[[^\]]*\]|[^:]*)(?::\d*)?")


class Address(NamedTuple):
    host: str | None
    path: str | None


def _page(context: Context, address: str | None) -> tuple[str | None, str | None, str | None]:
    if address is None:
        return None, None, None
    safe = context.redact(address)
    return safe, *split_address(safe)


def _referrer(context: Context, address: str | None) -> tuple[str | None, str | None, str | None]:
    if address is None:
        return None, None, None
    safe = context.redact(address)
    host, _path = split_address(safe)
    return safe, host, referrer_form(address)


def referrer_form(address: str) -> str:
    """What kind of address it is: an Android app's, or one on the same site (RFC 3986, 4.2: it starts with a slash)."""
    start = address.lstrip()[: len(APP)].lower()
    return APP if start == APP else "/" if start[:1] == "/" and start[:2] != "//" else ""


def split_address(address: str) -> Address:
    """The host in lower case without user, port and trailing dot; the path, `/` if a host has none. None if absent."""
    found = _ADDRESS.fullmatch(address.strip())
    assert found is not None  # every part is optional
    _scheme, authority, path = found.groups()
    host = _HOST.match(authority or "")
    name = host[1].rstrip(".").lower() if host else ""
    return Address(name or None, path or ("/" if name else None))


page = Enrichment(reads=("page_url",), makes=("page_url", "page_host", "page_path"), make=_page)
# referrer_form is no column: referrer_class reads it, and so has few distinct inputs.
referrer = Enrichment(reads=("referrer",), makes=("referrer", "referrer_host", "referrer_form"), make=_referrer)
