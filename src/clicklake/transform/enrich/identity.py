"""Who, without saying who: the id itself ends here.

`user_key` can be joined on and can't be turned back without the key: HMAC (RFC 2104) with SHA-256, not a plain hash,
because ids and addresses are few enough to try them all.
"""

import hmac
from functools import lru_cache

from clicklake.transform.enrich.context import Context
from clicklake.transform.event import Fields, Values

_CACHED = 1 << 14


def identity(fields: Fields, values: Values, context: Context) -> Values:
    """user_key, and visitor_id: the best of what can tell one visitor from another."""
    key = context.user_key
    user = fields.get("user_id")
    user_key = keyed(key, user) if key and user is not None else None
    visitor = fields.get("anonymous_id") or user_key
    if visitor is None and key:
        visitor = _of_the_day(key, fields, values)
    return {"user_key": user_key, "visitor_id": visitor}


@lru_cache(maxsize=_CACHED)
def keyed(key: bytes, text: str) -> str:
    """Lower-case hex HMAC-SHA256 of UTF-8 text."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def _of_the_day(key: bytes, fields: Fields, values: Values) -> str | None:
    """A cookieless visitor of one UTC day and app, as Plausible counts them; None if nothing tells visitors apart."""
    address, agent = fields.get("ip"), fields.get("user_agent")
    if address is None and agent is None:
        return None
    return keyed(key, f"{values['event_date']}|{fields.get('app_id') or ''}|{address or ''}|{agent or ''}")[:32]
