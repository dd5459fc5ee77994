"""Who may knock: requests that a web page had a browser send end here, before anything else of them is looked at.

A page of anywhere can have its name resolve to 127.0.0.1 (DNS rebinding), and any page can send requests to
http://127.0.0.1:4566. The first carry a Host that no client of this endpoint would use, the second an Origin that is
not this machine's (RFC 9110, 7.2; Fetch Standard, "Origin header"). Names under amazonaws.com can't be rebound: they
are AWS's.
"""

import ipaddress
import re
from collections.abc import Collection, Mapping

from localaws.errors import AwsError

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://(?P<host>[^/]+)")
_REMEMBERED = 1000
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


class Gate:
    """`bound` is the address that the endpoint listens on; `more` are names by which it is reached besides, through a
    proxy, say. Beyond loopback every address and every name that no stranger can own (no dot in it, or `.internal`) is
    a way to reach it."""

    def __init__(self, bound: str, more: Collection[str] = ()) -> None:
        self._is_open = not _is_loopback(bound)
        self._names = {"localhost", bound.lower(), *(name.strip().lower() for name in more if name.strip())}
        self._admitted: set[str] = set()

    def check_host(self, headers: Mapping[str, str]) -> None:
        """AwsError 403 if the request was meant for another host, or does not say for which."""
        given = headers.get("host", "")
        if given in self._admitted:
            return
        if not self._is_ours(given):
            text = f"{given[:200]!r} is no name of this endpoint; CLICKLAKE_ALLOWED_HOSTS takes more, comma-separated"
            raise AwsError("AccessDenied", text, 403)
        if len(self._admitted) < _REMEMBERED:
            self._admitted.add(given)

    def is_foreign(self, headers: Mapping[str, str]) -> bool:
        """Does a page of another origin send this? Pages of this machine are no strangers."""
        if "origin" not in headers:
            return False
        found = _ORIGIN.fullmatch(headers["origin"])
        return found is None or not self._is_ours(found["host"], aws=False)

    def _is_ours(self, host: str, aws: bool = True) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found["name"].lower().removesuffix(".")
        if name in self._names or name.endswith(".localhost") or (aws and name.endswith(_AWS)):
            return True
        address = _address(name)
        if address is not None:
            return self._is_open or address.is_loopback
        return self._is_open and ("." not in name or name.endswith(".internal"))


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)
