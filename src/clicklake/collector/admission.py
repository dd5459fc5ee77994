"""May this request send at all? Origins (Fetch Standard, "CORS protocol"), write keys and app ids.

A foreign Origin is refused, not only left without CORS headers: a text/plain POST needs no leave to be sent, only to be
read. The answer names the very origin, never `*`, for Snowplow's tracker and sendBeacon send with credentials, and
then a browser takes nothing else.
"""

import binascii
import re
from functools import lru_cache
from urllib.parse import unquote

from clicklake.collector.event import Batch
from clicklake.collector.request import Answer, ForbiddenError, Request, RequestError, UnauthorizedError
from clicklake.collector.settings import Settings, Site

Headers = tuple[tuple[str, str], ...]
# Besides those that need no leave; a preflight's answer can't name "all" to a request with credentials.
_ALLOWED_HEADERS = (
    "authorization, content-type, content-encoding, x-write-key, x-retry-count, sp-anonymous, "
    "ce-id, ce-source, ce-specversion, ce-type, ce-time, ce-subject, ce-dataschema"
)
_LONGEST_ORIGIN = 300  # characters: a name has 253 at most (RFC 1035, 2.3.4), and thousands are remembered
_VARY: Headers = (("vary", "origin"),)


class Admission:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_key = {site.write_key: site for site in settings.sites if site.write_key}
        self._by_app = {site.app_id: site for site in settings.sites}
        everyone = {*settings.origins, *(origin for site in settings.sites for origin in site.origins)}
        self._anywhere = [_pattern(origin) for origin in sorted(everyone)]
        self._own = {site: [_pattern(o) for o in (*site.origins, *settings.origins)] for site in settings.sites}
        self._remembered = lru_cache(1000)(self._matches)

    def check_origin(self, request: Request, site: Site | None = None) -> None:
        """ForbiddenError for a page of an origin that is on no list; of a site's own, if it is known."""
        origin = request.header("origin")
        if origin and not self._is_allowed(origin, site):
            hint = "add it to `origins` of the collector's settings, or of the site"
            raise ForbiddenError("pages of this origin may not send to here", hint)

    def _is_allowed(self, origin: str, site: Site | None) -> bool:
        return len(origin) < _LONGEST_ORIGIN and self._remembered(origin, site)

    def _matches(self, origin: str, site: Site | None) -> bool:
        patterns = self._anywhere if site is None else self._own[site]
        return any(pattern.fullmatch(origin) for pattern in patterns)

    def check_key(self, request: Request, own: str | None) -> None:
        """By the head alone, so that a stranger's body costs nothing. `own`: the key in the dialect's own place; None
        if that is in the body, which site() judges. Raises UnauthorizedError."""
        if not self._settings.sites:
            return
        key = _key(request) or own
        if key is not None and key not in self._by_key:
            raise _unknown("the write key is of no site" if key else "there is no write key")

    def site(self, request: Request, batch: Batch) -> Site | None:
        """Whose the request is: by the first write key in it, or, where the dialect has no place for one, by an app id.
        None if there are no sites. Raises UnauthorizedError; and RequestError if it names those of several sites."""
        if not self._settings.sites:
            return None
        if keys := [key for key in (_key(request), *batch.keys) if key]:
            named = [*map(self._by_key.get, keys)]
        else:
            named = [self._by_key.get(said) or self._by_app.get(said) for said in batch.app_ids if said]
        found = named[0] if named else None
        if found is None:
            raise _unknown("the write key is of no site" if named else "there is no write key")
        if any(other and other.app_id != found.app_id for other in named):
            raise RequestError("the request names several sites", "send the events of each site by themselves")
        self.check_origin(request, found)
        return found

    def headers(self, request: Request) -> Headers:
        """Of every answer: pages that may read it, and that it depends on them, which a cache must know of each."""
        origin = request.header("origin")
        if not origin or not self._is_allowed(origin, None):
            return _VARY
        return (
            ("access-control-allow-origin", origin),
            ("access-control-allow-credentials", "true"),
            ("access-control-expose-headers", "retry-after"),
            *_VARY,
        )

    def preflight(self, request: Request, methods: str) -> Answer:
        """Its `headers` come besides. A server may ask, too, whether it may send at all (http-webhook.md of
        CloudEvents, 4, "Abuse Protection"): its name must be that of an allowed origin."""
        allowed: Headers = (
            ("access-control-allow-methods", methods),
            ("access-control-allow-headers", _ALLOWED_HEADERS),
            ("access-control-max-age", str(self._settings.preflight_seconds)),
        )
        sender = request.header("webhook-request-origin")
        if sender and any(self._is_allowed(f"{scheme}://{sender}", None) for scheme in ("https", "http")):
            allowed += (("webhook-allowed-origin", sender), ("webhook-allowed-rate", "*"), ("allow", methods))
        return Answer(204, headers=allowed)


def _unknown(problem: str) -> UnauthorizedError:
    hint = "send a site's write key: X-Write-Key, ?write_key=, or as user name of Basic authorization"
    return UnauthorizedError(problem, hint)


def _key(request: Request) -> str:
    """The write key that a header or the query names, whatever the dialect."""
    if key := request.header("x-write-key"):
        return key
    if authorization := request.header("authorization"):
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                return binascii.a2b_base64(given.strip()).decode().partition(":")[0]
            except ValueError:
                return given
        if scheme.lower() == "bearer":
            return given.strip()
    if "write_key=" in request.query or "access_token=" in request.query:  # the latter: http-webhook.md, 3.2
        parameters = request.parameters()
        return parameters.get("write_key") or parameters.get("access_token", "")
    return ""


def _pattern(origin: str) -> re.Pattern[str]:
    """`*.` stands for one or more labels, `:*` for any port or none."""
    scheme, _, host = unquote(origin).lower().partition("://")
    name, any_port, _ = host.partition(":*")
    is_wild = name.startswith("*.")
    wild = r"([a-z0-9_-]+\.)+" if is_wild else ""
    text = rf"{scheme}://{wild}{re.escape(name.removeprefix('*.'))}{'(:[0-9]{1,5})?' if any_port else ''}"
    return re.compile(text, re.IGNORECASE)
