"""What a request itself tells of its visitor, and how much of that is said: address, headers, cookie, consent.

The client's address is where the nearest proxy that is not ours says the request came from: X-Forwarded-For is read
from its end, for anybody can write its beginning (developer.mozilla.org, X-Forwarded-For, "Security and privacy
concerns").
"""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from clicklake.collector.event import Voice
from clicklake.collector.request import Request
from clicklake.collector.settings import Cookie, Settings, network_of

_LONGEST_ADDRESS = 100  # with a port and spaces around it
_FROM_THE_EDGE = ("cloudfront-", "cf-")  # anybody could send them: they count behind a trusted proxy alone
_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_LONGEST = 1024  # of a header that is kept: each event of a request gets it, and there may be thousands
_MANY = 100  # headers
_SIGNALS = ("sec-gpc", "dnt")


class Reader:
    """Reads requests as these settings say."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        trusted = settings.trusted_proxies
        self._hops = trusted if isinstance(trusted, int) else 0
        self._networks = () if isinstance(trusted, int) else tuple(network_of(text) for text in trusted)
        exact = [name for name in settings.headers if not name.endswith("*")]
        self._exact = frozenset(exact)
        self._prefixes = tuple(name[:-1] for name in settings.headers if name.endswith("*"))
        self._kept = lru_cache(500)(self._names)

    def address(self, request: Request) -> str:
        """The client's; empty if there is none that can be read."""
        if not self._hops and not self._networks:
            return _canonical(request.peer)
        chain = [*request.header("x-forwarded-for").split(","), request.peer]
        if self._hops:
            place = chain[max(0, len(chain) - 1 - self._hops)]
        else:
            place = next((one for one in reversed(chain) if not self._is_ours(one)), chain[0])
        return _canonical(place) if len(place) < _LONGEST_ADDRESS else ""

    def is_proxy(self, peer: str) -> bool:
        """Does the connection come from a proxy that we trust?"""
        return bool(self._hops) or (bool(self._networks) and self._is_ours(peer))

    def _is_ours(self, text: str) -> bool:
        found = _address(text)
        return found is not None and any(found in network for network in self._networks)

    def headers(self, request: Request) -> dict[str, str]:
        """Those that are kept, by the allow-list."""
        said, behind = request.headers, self.is_proxy(request.peer)
        names = tuple(said)
        is_usual = len(names) < _MANY and len("".join(names)) < _LONGEST  # a browser always sends the same names
        kept = (self._kept if is_usual else self._names)(names, behind)
        return {name: _text(said[name]) for name in kept if len(said[name]) <= _LONGEST}

    def _names(self, names: tuple[str, ...], behind: bool) -> tuple[str, ...]:
        return tuple(name for name in names if self._matches(name, behind))

    def _matches(self, name: str, behind: bool) -> bool:
        is_listed = name in self._exact or name.startswith(self._prefixes)
        return is_listed and (behind or not name.startswith(_FROM_THE_EDGE))

    def user_agent(self, request: Request) -> str:
        agent = request.header("user-agent")
        return _text(agent) if len(agent) <= _LONGEST else ""

    def asks_for_privacy(self, request: Request) -> bool:
        """Global Privacy Control (w3c.github.io/gpc) or Do Not Track, where the settings honour them."""
        return self._settings.consent != "ignore" and any(request.header(name) == "1" for name in _SIGNALS)


def without_place(headers: Mapping[str, str]) -> dict[str, str]:
    """Without what the edge says of the address, and where it is."""
    return {name: value for name, value in headers.items() if not name.startswith(_FROM_THE_EDGE)}


def cookie_id(request: Request, cookie: Cookie) -> str:
    """The id that an earlier answer gave; empty if there is none, or one that we didn't make."""
    for part in request.header("cookie").split(";"):
        name, _, value = part.strip().partition("=")
        if name == cookie.name and _ID.fullmatch(value):
            return value
    return ""


def set_cookie(request: Request, cookie: Cookie, value: str, *, forget: bool = False) -> tuple[str, str]:
    """For the collector's own site alone, unless it is cross-site by its set-up: then only Secure ones may be sent."""
    is_secure = request.base.startswith("https:")
    seconds = 0 if forget else cookie.days * 86_400
    parts = [f"{cookie.name}={value}", f"Max-Age={seconds}", "Path=/", "HttpOnly"]
    parts += [f"Domain={cookie.domain}"] if cookie.domain else []
    parts += ["SameSite=None", "Secure"] if is_secure else ["SameSite=Lax"]
    return "set-cookie", "; ".join(parts)


def forget_cookie(request: Request, cookie: Cookie) -> tuple[tuple[str, str], ...]:
    """Of a visitor who has one and asks for none."""
    if not cookie_id(request, cookie):
        return ()
    return (set_cookie(request, cookie, "", forget=True),)


def _text(value: str) -> str:
    """Of a header: in UTF-8, if it can be."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


@lru_cache(4096)
def _canonical(text: str) -> str:
    """Empty if it is no address."""
    found = _address(text)
    return str(found) if found else ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """As proxies write it: with a port, in brackets, mapped, with a zone (RFC 4007, 11)."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def additions(
    seconds: float, app_id: str, address: str, user_agent: str, headers: Mapping[str, str]
) -> dict[Voice, dict[str, Any]]:
    """What is added to an event of each voice, at `seconds` since 1970. The sender's own `headers` count for
    nothing."""
    ours: dict[str, Any] = {"collector_time": int(seconds * 1000)} | ({"app_id": app_id} if app_id else {})
    network = ({"ip": address} if address else {}) | {"headers": dict(headers) or None}
    agent = {"user_agent": user_agent} if user_agent else {}
    return {"request": ours | network | agent, "own user agent": ours | network, "other": ours | {"headers": None}}
