"""What kind of site sent the visitor: search, social, email, video, shopping, ai_chatbot, internal or other.

Only the host counts: browsers send other sites no more of an address than its origin, unless the page asks for more
(`strict-origin-when-cross-origin`, the default of www.w3.org/TR/referrer-policy). Whole labels are compared, so neither
evilgoogle.com nor google.com.evil.example is Google.
"""

import re
from typing import NamedTuple

from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.enrich.referrer_sites import SITES
from clicklake.transform.enrich.url import APP

KINDS = ("search", "social", "email", "video", "shopping", "ai_chatbot", "internal", "other")


class Site(NamedTuple):
    kind: str
    name: str


_LONGEST = 253  # characters of a host name: RFC 1035, section 2.3.4
# What stands after an organisation's name: .com, .de, .co.uk. A rule instead of the public suffix list, so that nothing
# goes out of date; the second-level names are those under which many countries register everybody.
_SECOND_LEVEL = "ac|co|com|edu|go|gob|gouv|gov|govt|ltd|mil|ne|net|nom|or|org|plc|sch"
_COUNTRY = rf"(?:\.(?:{_SECOND_LEVEL}))?\.[a-z]{{2}}$"
_IN_ANY_COUNTRY = re.compile(rf"{_COUNTRY}|\.(?:com|net|cat)$")
_SUFFIX = re.compile(rf"{_COUNTRY}|\.[a-z][a-z0-9-]*$")
# The hosts below these belong to different people.
_SHARED = frozenset(
    {"amazonaws.com", "azurewebsites.net", "blogspot.com", "cloudfront.net", "firebaseapp.com", "fly.dev", "ghost.io"}
    | {"github.io", "gitlab.io", "herokuapp.com", "myshopify.com", "netlify.app", "onrender.com", "pages.dev"}
    | {"substack.com", "tumblr.com", "vercel.app", "web.app", "webflow.io", "wixsite.com", "wordpress.com"}
    | {"workers.dev"}
)


def _listed() -> tuple[dict[str, Site], ...]:
    """SITES by host and all below it, by host alone, by a host's first label, and by campaign source."""
    below, alone, first, sources = tables = tuple[dict[str, Site], ...]({} for _ in range(4))
    for kind, sites in SITES.items():
        for name, words in sites.items():
            for word in words.split():
                place = alone if word[0] == "=" else first if word[-1] == "." else below if "." in word else sources
                place[word.strip("=.")] = Site(kind, name)
    return tables


_BELOW, _ALONE, _FIRST, _SOURCES = _listed()


def site_of_host(host: str) -> Site | None:
    """The known site of a host name in lower case."""
    if len(host) > _LONGEST:
        return None
    name = host.removeprefix("www.")
    suffix = _IN_ANY_COUNTRY.search(name)
    anywhere = name[: suffix.start()] + ".*" if suffix else ""
    first = name.partition(".")[0].rstrip("-0123456789") if name.count(".") > 1 else ""
    found = _ALONE.get(name) or _ALONE.get(anywhere)
    while name and not found:
        found = _BELOW.get(name) or _BELOW.get(anywhere)
        name, anywhere = name.partition(".")[2], anywhere.partition(".")[2]
    return found or _FIRST.get(first)


def site_of_app(package: str) -> Site | None:
    """The known site of an Android package name: com.google.android.gm."""
    return _BELOW.get(package) or site_of_host(".".join(reversed(package.split("."))))


def site_of_source(source: str) -> Site | None:
    """The known site that a campaign's utm_source means, in lower case: `google`, `facebook.com`, `fb`."""
    return _SOURCES.get(source.replace(" ", "")) or (site_of_host(source) if "." in source else None)


def referrer_kind(form: str, host: str | None, page_host: str | None) -> str | None:
    """The class of a referrer by its form (url.referrer_form) and host; None if it has no host, as about:blank."""
    if host is None:
        return "internal" if form == "/" else None
    if form == APP:
        site = site_of_app(host)
    elif page_host is not None and same_site(host, page_host):
        return "internal"
    else:
        site = site_of_host(host)
    return site.kind if site else "other"


def same_site(one: str, other: str) -> bool:
    """True for the same host, and for hosts below one registered name: www.example.co.uk and shop.example.co.uk."""
    if one == other:
        return True
    registered = _registered(one)
    return registered is not None and registered == _registered(other)


def _registered(host: str) -> str | None:
    """The name that somebody registered: the last label before what `_SUFFIX` finds, and that; None without one."""
    suffix = _SUFFIX.search(host)
    if suffix is None or suffix.start() == 0 or len(host) > _LONGEST:
        return None
    name = host[: suffix.start()].rpartition(".")[2] + suffix[0]
    return host if name in _SHARED else name


def _referrer_class(_context: Context, form: str | None, host: str | None, page_host: str | None) -> tuple[str | None]:
    return (referrer_kind(form, host, page_host) if form is not None else None,)


referrer_class = Enrichment(
    reads=("referrer_form", "referrer_host", "page_host"), makes=("referrer_class",), make=_referrer_class
)
