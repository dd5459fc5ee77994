"""Where a visit was bought or announced: the campaign parameters of the page's address.

UTM parameters as Google Analytics reads them (support.google.com/analytics/answer/10917952); a click id tells the
network that sold the click even if nobody tagged the link.
"""

import re
from functools import lru_cache
from urllib.parse import unquote_plus

from clicklake.transform.enrich.context import Context
from clicklake.transform.event import Fields, Values

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")
# The first that is there counts; auto-tagging adds one, and fbclid is added to untagged links, too, so it comes late.
CLICK_IDS = {
    "gclid": "Google",
    "gbraid": "Google",
    "wbraid": "Google",
    "dclid": "DoubleClick",
    "msclkid": "Microsoft",
    "ttclid": "TikTok",
    "twclid": "X",
    "li_fat_id": "LinkedIn",
    "fbclid": "Meta",
}

_QUERY = re.compile(r"[^?#]*\?([^#]*)", re.DOTALL)
_SEPARATOR = re.compile("[&;]")
_CACHED = 1 << 14
_NOTHING: Values = {}


def campaign(_fields: Fields, values: Values, _context: Context) -> Values:
    """utm_*, click_id and click_network, from the redacted page_url."""
    page = values.get("page_url")
    return _of(page) if page is not None and "?" in page else _NOTHING


@lru_cache(maxsize=_CACHED)
def _of(address: str) -> Values:
    sent = parameters(address)
    found = {name: sent[name] for name in UTM if name in sent}
    click = next((name for name in CLICK_IDS if name in sent), None)
    return found | {"click_id": sent[click], "click_network": CLICK_IDS[click]} if click else found


def parameters(address: str) -> dict[str, str]:
    """The query's parameters that have a value, decoded; names in lower case, the first of a name wins."""
    query = _QUERY.match(address)
    found: dict[str, str] = {}
    for part in _SEPARATOR.split(query[1]) if query else ():
        name, _, value = part.partition("=")
        if value:
            found.setdefault(unquote_plus(name).lower(), unquote_plus(value))
    return found
