"""The parts of the page's and the referrer's address (RFC 3986, appendix B), without what is private."""

import re

from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.redact import Address

APP = "android-app:"
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")

Text = str | None


def _page(context: Context, page_url: Text) -> tuple[Text, Text, Text, Text]:
    if page_url is None:
        return None, None, None, None
    address = context.redact(page_url.strip())
    host = host_of(address)
    return str(address), host, address.path or ("/" if host else None), address.query or None


def _referrer(context: Context, referrer: Text) -> tuple[Text, Text, Text]:
    if referrer is None:
        return None, None, None
    address = context.redact(referrer.strip())
    return str(address), host_of(address), referrer_form(referrer)


def host_of(address: Address) -> str | None:
    """The host in lower case without user, port and trailing dot; None if there is none."""
    authority = address.origin.partition("//")[2].rpartition("@")[2]
    if ":" in authority:
        host = _HOST.match(authority)
        authority = host[1] if host else ""
    return authority.rstrip(".").lower() or None


def referrer_form(address: str) -> str:
    """What kind of address it is: an Android app's, or one on the same site (RFC 3986, 4.2: it starts with a slash)."""
    start = address.lstrip()[: len(APP)].lower()
    return APP if start == APP else "/" if start[:1] == "/" and start[:2] != "//" else ""


# What is no column is for later steps, which so have few distinct inputs: campaign and referrer_class.
page = Enrichment(reads=("page_url",), makes=("page_url", "page_host", "page_path", "page_query"), make=_page)
referrer = Enrichment(reads=("referrer",), makes=("referrer", "referrer_host", "referrer_form"), make=_referrer)
