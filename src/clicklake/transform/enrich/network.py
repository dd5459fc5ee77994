"""The sender's network instead of the sender's address.

/24 and /48 are what Google Analytics and Matomo keep of IPv4 and IPv6: support.google.com/analytics/answer/2763052.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from clicklake.transform.enrich.context import Context, Enrichment

_KEPT_OF_IPV6 = 48  # bits
# Measured: most addresses look like this, and ipaddress takes ten times as long. IPv4 has no leading zeros (RFC 3986,
# section 3.2.2); IPv6 is in RFC 5952's form, with a first part that stays as it is.
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_GROUP = r"(?:[1-9a-f][0-9a-f]{0,3})"
_REST = rf"(?:(?::(?:0|{_GROUP})){{5}}|(?::{_GROUP}){{0,2}}::(?:{_GROUP}(?::{_GROUP})?)?)"
_PLAIN = re.compile(rf"({_BYTE}\.{_BYTE}\.{_BYTE})\.{_BYTE}|({_GROUP}:{_GROUP}:{_GROUP}){_REST}")


def _network(_context: Context, ip: str | None) -> tuple[str | None]:
    return (truncated(ip) if ip is not None else None,)


def truncated(text: str) -> str | None:
    """The network of the first address in `text`, such as 203.0.113.0/24; None if there is none."""
    plain = _PLAIN.fullmatch(text)
    if plain:
        return f"{plain[1]}.0/24" if plain[1] else f"{plain[2]}::/{_KEPT_OF_IPV6}"
    address = first_address(text)
    if address is None:
        return None
    if isinstance(address, IPv4Address):
        return f"{str(address).rpartition('.')[0]}.0/24"
    rest = 128 - _KEPT_OF_IPV6
    return f"{IPv6Address(int(address) >> rest << rest)}/{_KEPT_OF_IPV6}"


def first_address(text: str) -> IPv4Address | IPv6Address | None:
    """The first of a list, as X-Forwarded-For has it, without port, brackets and zone; IPv4 inside of IPv6 is IPv4."""
    text = text.split(",", 1)[0].strip()
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:  # 203.0.113.7:443
        text = text.split(":", 1)[0]
    try:
        address = ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


network = Enrichment(reads=("ip",), makes=("ip_truncated",), make=_network, memo=False)
