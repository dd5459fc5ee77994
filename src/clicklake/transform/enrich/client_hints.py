"""What a browser says of itself in Sec-CH-UA-* headers (wicg.github.io/ua-client-hints).

Their values are structured (RFC 8941); read is as much of that as they need: lists of strings with a parameter v,
strings, booleans. Such headers go through many hands, so a string may have lost its quotes.
"""

import re
from typing import NamedTuple

# What `read` takes, in this order.
HEADERS = (
    "headers.sec-ch-ua",
    "headers.sec-ch-ua-full-version-list",
    "headers.sec-ch-ua-mobile",
    "headers.sec-ch-ua-platform",
    "headers.sec-ch-ua-platform-version",
    "headers.sec-ch-ua-model",
    "headers.sec-ch-ua-form-factors",
)
LONGEST = 1024  # characters that are read of a value
_BRAND = re.compile(r'"([^"]*)"(?:\s*;\s*v\s*=\s*"([^"]*)")?')
_ESCAPED = re.compile(r"\\.")
_NO_LETTER = re.compile(r"[^a-z]")


class Hints(NamedTuple):
    """The brands' versions are the full ones where these are sent."""

    brands: dict[str, str]
    mobile: bool | None
    platform: str | None
    platform_version: str | None
    model: str | None
    form_factors: tuple[str, ...]


NO_HINTS = Hints({}, None, None, None, None, ())


def read(*headers: object) -> Hints:
    """The values of HEADERS; what is no text or of no use is absent."""
    if not any(headers):
        return NO_HINTS
    sec_ch_ua, full, mobile, platform, platform_version, model, form_factors = headers
    return Hints(
        brands(sec_ch_ua) | brands(full),
        boolean(mobile),
        string(platform),
        string(platform_version),
        string(model),
        tuple(brands(form_factors)),
    )


def brands(header: object) -> dict[str, str]:
    """The brands of a list such as `"Chromium";v="120", "Not_A Brand";v="8"`, in its order, each with its version.

    The made-up brand that keeps servers from relying on the list (GREASE, as the specification calls it) is left out.
    """
    found = _BRAND.findall(_readable(header))
    return {brand: version for brand, version in found if not _is_grease(brand)}


def string(header: object) -> str | None:
    """The text of a string; None if it is absent or empty."""
    return _readable(header).strip().strip('"').strip() or None


def boolean(header: object) -> bool | None:
    """`?1` is True, `?0` False, anything else None."""
    return {"?1": True, "?0": False}.get(header.strip()) if isinstance(header, str) else None


def _readable(header: object) -> str:
    """The header without escaped characters, which only made-up brands have; so a `"` is always an end of a string."""
    return _ESCAPED.sub("", header[:LONGEST]) if isinstance(header, str) else ""


def _is_grease(brand: str) -> bool:
    return _NO_LETTER.sub("", brand.lower()) == "notabrand"
