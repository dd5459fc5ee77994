"""Who, without saying who: the id itself ends here.

`user_key` can be joined on and can't be turned back without the key: HMAC (RFC 2104) with SHA-256, not a plain hash,
because ids and addresses are few enough to try them all.
"""

import hmac

from clicklake.transform.enrich.context import Context, Enrichment


def _user(context: Context, user_id: str | None) -> tuple[str | None]:
    return (keyed(context.user_key, user_id) if context.user_key and user_id is not None else None,)


def _visitor(
    context: Context,
    anonymous_id: str | None,
    user_key: str | None,
    day: int,
    app_id: str | None,
    ip: str | None,
    user_agent: str | None,
) -> tuple[str | None]:
    """The best of what can tell one visitor from another: at last a cookieless visitor of one UTC day and app, as
    Plausible counts them; None if nothing tells visitors apart."""
    visitor = anonymous_id or user_key
    if visitor is None and context.user_key and (ip is not None or user_agent is not None):
        visitor = keyed(context.user_key, f"{day}|{app_id or ''}|{ip or ''}|{user_agent or ''}")[:32]
    return (visitor,)


def keyed(key: bytes, text: str) -> str:
    """Lower-case hex HMAC-SHA256 of UTF-8 text."""
    return hmac.digest(key, text.encode(), "sha256").hex()


user = Enrichment(reads=("user_id",), makes=("user_key",), make=_user)
visitor = Enrichment(
    reads=("anonymous_id", "user_key", "event_date", "app_id", "ip", "user_agent"),
    makes=("visitor_id",),
    make=_visitor,
    memo=False,
)
