"""Who can reach an address: this machine alone, or others too."""

import ipaddress
import re

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")  # RFC 9110, 7.2


def is_loopback(host: str) -> bool:
    """A name other than `localhost` may be anybody's."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def names_loopback(host: str) -> bool:
    """A Host header. A page whose own name was made to resolve to this machine (DNS rebinding) says that name."""
    found = _HOST.fullmatch(host)
    return found is not None and is_loopback(found[1].strip("[]").lower().removesuffix("."))
