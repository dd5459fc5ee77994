"""What a collector can be told: one JSON object, in a file (`--config`) or in the variable CLICKLAKE_COLLECTOR."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import msgspec

from clicklake.errors import UsageError

Consent = Literal["ignore", "anonymise", "refuse"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

VARIABLE = "CLICKLAKE_COLLECTOR"
LOOPBACK_ORIGINS = ("http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*")
# What the transform reads of `headers` (DESIGN.md, "Input event").
HEADERS = ("accept-language", "sec-ch-ua*", "cloudfront-viewer-*", "cf-ipcountry")
# These tell who somebody is, or give it away.
_NEVER_KEPT = frozenset(
    {"authorization", "cookie", "forwarded", "proxy-authorization", "x-forwarded-for", "x-write-key"}
)
_HEADER = re.compile(r"[a-z][a-z0-9-]*\*?")
_ORIGIN = re.compile(r"https?://(\*\.)?(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:([0-9]{1,5}|\*))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Site:
    """Who may send: by `write_key`, or where a client has none (Snowplow's) by its `app_id`. Every event of it gets
    that `app_id`. `origins`: from whose pages, besides the settings' own."""

    app_id: str
    write_key: str = ""
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.app_id:
            raise UsageError("a site has no app_id", "name it, such as shop")
        _check_origins(self.origins)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A first-party id: its value becomes the `anonymous_id` of events that have none."""

    name: str = "clid"
    days: int = 365
    domain: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.name) or not re.fullmatch(r"[A-Za-z0-9.-]*", self.domain):
            raise UsageError("the cookie's name or domain has other than letters, digits and -", "such as clid")
        if not 1 <= self.days <= 400:  # more than 400 a browser makes 400 (RFC 6265bis, 5.5)
            raise UsageError(f"the cookie lasts {self.days} days", "1 to 400")


@dataclass(frozen=True, slots=True)
class Settings:
    """`sites`: none means that anybody may send, which only a collector on loopback is for. `trusted_proxies`: how many
    in front of it add to X-Forwarded-For, or their networks. Bytes, and seconds."""

    sites: tuple[Site, ...] = ()
    origins: tuple[str, ...] = LOOPBACK_ORIGINS
    trusted_proxies: int | tuple[str, ...] = 0
    headers: tuple[str, ...] = HEADERS
    consent: Consent = "ignore"
    private_names: tuple[str, ...] = ()
    cookie: Cookie | None = None
    max_bytes: int = 1_000_000
    max_waiting_bytes: int = 64 * 1024 * 1024
    max_spool_bytes: int = 1024 * 1024 * 1024
    preflight_seconds: int = 86_400
    retry_after_seconds: int = 2

    def __post_init__(self) -> None:
        _check_origins(self.origins)
        for name, least, most in LIMITS:
            if not least <= getattr(self, name) <= most:
                raise UsageError(f"{name} is {getattr(self, name):,}", f"{least:,} to {most:,}")
        for header in self.headers:
            told = {
                name for name in _NEVER_KEPT if name == header or (header[-1:] == "*" and name.startswith(header[:-1]))
            }
            if told or not _HEADER.fullmatch(header):
                raise UsageError(f"{header!r} can't be kept", "name headers in lower case, such as sec-ch-ua*")
        keys = [site.write_key for site in self.sites if site.write_key]
        if len(set(keys)) < len(keys):
            raise UsageError("two sites have the same write_key", "give each its own")
        if isinstance(self.trusted_proxies, tuple):
            for network in self.trusted_proxies:
                network_of(network)
        elif self.trusted_proxies < 0:
            raise UsageError("trusted_proxies is below 0", "a number of proxies, or a list of networks")


LIMITS = (
    ("max_bytes", 1, 1_000_000),  # a Firehose record takes no more
    ("max_waiting_bytes", 16 * 1_000_000, 2**40),
    ("max_spool_bytes", 8 * 1024 * 1024, 2**50),
    ("preflight_seconds", 0, 86_400),  # browsers keep it for 2 hours (Chromium) or a day (Firefox)
    ("retry_after_seconds", 1, 3600),
)


def load(file: str | None, variables: Mapping[str, str]) -> Settings:
    """Those of the file, or of the variable. Raises UsageError."""
    if file is None:
        return read(variables.get(VARIABLE) or "{}")
    try:
        return read(Path(file).read_bytes())
    except OSError as e:
        raise UsageError(f"{file} can't be read ({e.strerror})", "name the file of the collector's settings") from e


def read(text: str | bytes) -> Settings:
    """Raises UsageError that names what is wrong."""
    try:
        said = msgspec.json.decode(text)
        if isinstance(said, Mapping):
            _check_names(said, Settings, "a collector")
            for site in said.get("sites") or ():
                _check_names(site, Site, "a site")
            _check_names(said.get("cookie"), Cookie, "a cookie")
        return msgspec.convert(said, Settings)
    except msgspec.ValidationError as e:
        raise UsageError(f"the collector's settings are wrong: {_cause(e)}", "docs/collector.md lists them") from e
    except msgspec.DecodeError as e:
        raise UsageError(f"the collector's settings are no JSON: {e}", "docs/collector.md has an example") from e


def _check_names(said: Any, kind: type, what: str) -> None:
    known = [field.name for field in fields(kind)]
    unknown = sorted(said.keys() - set(known)) if isinstance(said, Mapping) else []
    if unknown:
        raise UsageError(f"{what} has no setting {unknown[0]!r}", f"there are {', '.join(known)}")


def _cause(error: Exception) -> Any:
    """msgspec wraps what __post_init__ raises only if it is a ValueError or TypeError; ours passes as it is."""
    return error.__cause__ or error


def network_of(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as e:
        raise UsageError(f"{text!r} is no network", "such as 10.0.0.0/8") from e


def _check_origins(origins: tuple[str, ...]) -> None:
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            hint = "such as https://shop.example, https://*.shop.example or http://localhost:*; `*` alone is not taken"
            raise UsageError(f"{origin!r} is no origin", hint)
