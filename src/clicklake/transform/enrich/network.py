"""The sender's network instead of the sender's address.

/24 and /48 are what Google Analytics and Matomo keep of IPv4 and IPv6: support.google.com/analytics/answer/2763052.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from clicklake.transform.enrich.context import Context
from clicklake.transform.event import Fields, Values

IPV4_BITS, IPV6_BITS = 24, 48
_CACHED = 1 << 14


def network(fields: Fields, _values: Values, _context: Context) -> Values:
    """ip_truncated, such as 203.0.113.0/24; NULL if `ip` is no address."""
    address = fields.get("ip")
    return {"ip_truncated": truncated(address) if address is not None else None}


@lru_cache(maxsize=_CACHED)
def truncated(text: str) -> str | None:
    """The network of an address, or of the first in a list as X-Forwarded-For has it."""
    address = _address(text.split(",", 1)[0].strip())
    if address is None:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    bits = IPV4_BITS if isinstance(address, IPv4Address) else IPV6_BITS
    return str(ip_network((int(address).to_bytes(address.max_prefixlen // 8), bits), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].split("]", 1)[0]
    elif text.count(":") == 1:  # 203.0.113.7:443
        text = text.split(":", 1)[0]
    try:
        return ip_address(text.split("%", 1)[0])
    except ValueError:
        return None
