"""Where a visit was bought or announced: the campaign parameters of the page's address.

UTM parameters as Google Analytics reads them (support.google.com/analytics/answer/10917952); a click id tells the
network that sold the click even if nobody tagged the link.
"""

import re
from urllib.parse import unquote_plus

from clicklake.transform.enrich.context import Context, Enrichment

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

MAKES = (*UTM, "click_id", "click_network")

_SEPARATOR = re.compile("[&;]")
_NOTHING = (None,) * len(MAKES)


def _campaign(_context: Context, page_query: str | None) -> tuple[str | None, ...]:
    """utm_*, click_id and click_network, from the redacted query of page_url."""
    if page_query is None:
        return _NOTHING
    sent = parameters(page_query)
    click = next((name for name in CLICK_IDS if name in sent), None)
    return (*map(sent.get, UTM), *((sent[click], CLICK_IDS[click]) if click else (None, None)))


def parameters(query: str) -> dict[str, str]:
    """The parameters of `?a=1&b=2` that have a value, decoded; names in lower case, the first of a name wins."""
    found: dict[str, str] = {}
    for part in _SEPARATOR.split(query[1:]):
        name, _, value = part.partition("=")
        if value:
            found.setdefault(unquote_plus(name).lower(), unquote_plus(value))
    return found


campaign = Enrichment(reads=("page_query",), makes=MAKES, make=_campaign)
