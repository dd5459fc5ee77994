"""Who can reach an address: this machine alone, or others too."""

import ipaddress


def is_loopback(host: str) -> bool:
    """A name other than `localhost` may be anybody's."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
