"""Where the sender was: what the edge in front of your site said, else what a geo database says of the address.

Edge headers: CloudFront's CloudFront-Viewer-Country, -Country-Region-Name, -Country-Region and -City, in which
"non-ASCII characters are percent-encoded" by RFC 3986
(docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html), and Cloudflare's
CF-IPCountry, in which XX is unknown and T1 is Tor
(developers.cloudflare.com/fundamentals/reference/http-headers/#cf-ipcountry).

The database is any MMDB file: GeoLite2 and GeoIP2 (dev.maxmind.com/geoip/docs/databases/city-and-country), DB-IP, which
has the same form, and the flat forms of IPinfo (ipinfo.io/developers) and of npm's ip-location-db. None comes with
clicklake: their licences don't allow it, or ask for a credit on your pages.

`country` is an ISO 3166-1 code, `region` and `city` are English names; `region` is the code after the hyphen of
ISO 3166-2 only where a source has no name for it.
"""

import re
from typing import Any, Protocol
from urllib.parse import unquote

from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.enrich.network import first_address

Place = tuple[str | None, str | None, str | None]
Path = tuple[str | int, ...]

_NOWHERE: Place = (None, None, None)
_COUNTRY = re.compile(r"[A-Z]{2}")
# Cloudflare's unknown; "Unknown or Invalid Territory" (unicode.org/reports/tr35, 3.6.3)
_NO_COUNTRIES = frozenset({"XX", "ZZ"})
_LONGEST = 100  # characters of a place's name; the longest have some 60

# Where the known kinds of database keep it; the first path that leads to a text counts.
_COUNTRY_PATHS: tuple[Path, ...] = (("country", "iso_code"), ("country_code",), ("country",))
_REGION_PATHS: tuple[Path, ...] = (
    ("subdivisions", 0, "names", "en"),
    ("region",),
    ("state1",),
    ("subdivisions", 0, "iso_code"),
    ("region_code",),
)
_CITY_PATHS: tuple[Path, ...] = (("city", "names", "en"), ("city",))


class Database(Protocol):
    """What is used of maxminddb.Reader, so that this file needs no import that costs time without a database."""

    def get(self, ip_address: Any) -> Any: ...

    def metadata(self) -> Any: ...


def database_version(database: Database) -> str:
    """What the ledger says of it: its type and build time in epoch seconds, as in `GeoLite2-City 1763990400`."""
    metadata = database.metadata()
    return f"{metadata.database_type} {metadata.build_epoch}"


def _geo(
    context: Context,
    cloudfront_country: Any,
    region_name: Any,
    region_code: Any,
    city: Any,
    cloudflare_country: Any,
    ip: Any,
) -> Place:
    """The edge's word; if it says the country alone, a database that agrees on that adds region and city."""
    country = _country(cloudfront_country)
    if country is None:
        country, region, city = _country(cloudflare_country), None, None
    else:
        region, city = _name(region_name) or _name(region_code), _name(city)
    if region is not None or city is not None:
        return country, region, city
    found = _looked_up(context.geo, ip)
    return found if country is None or country == found[0] else (country, None, None)


def _looked_up(database: Database | None, ip: Any) -> Place:
    address = first_address(ip) if database is not None and type(ip) is str else None
    if database is None or address is None:
        return _NOWHERE
    try:
        record = database.get(address)
    except (ValueError, RuntimeError):  # IPv6 in a database of IPv4; maxminddb.InvalidDatabaseError is a RuntimeError
        return _NOWHERE
    country = next(filter(None, (_country(_at(record, path)) for path in _COUNTRY_PATHS)), None)
    return country, _first(record, _REGION_PATHS), _first(record, _CITY_PATHS)


def _first(record: Any, paths: tuple[Path, ...]) -> str | None:
    return next((value for path in paths if type(value := _at(record, path)) is str and value), None)


def _at(record: Any, path: Path) -> Any:
    for step in path:
        try:
            record = record[step]
        except (KeyError, IndexError, TypeError):
            return None
    return record


def _country(value: Any) -> str | None:
    code = value.strip().upper() if type(value) is str and value.isascii() else ""  # "ß".upper() is "SS"
    return code if _COUNTRY.fullmatch(code) and code not in _NO_COUNTRIES else None


def _name(value: Any) -> str | None:
    """The decoded name in a header; None if there is none, or if it can't be one."""
    if type(value) is not str or len(value) > 9 * _LONGEST:  # a character is at most 9 bytes of %XX: UTF-8 of the BMP
        return None
    try:
        name = unquote(value, errors="strict").strip()
    except UnicodeDecodeError:
        return None
    return name if 0 < len(name) <= _LONGEST and name.isprintable() else None


geo = Enrichment(
    reads=(
        "headers.cloudfront-viewer-country",
        "headers.cloudfront-viewer-country-region-name",
        "headers.cloudfront-viewer-country-region",
        "headers.cloudfront-viewer-city",
        "headers.cf-ipcountry",
        "ip",
    ),
    makes=("country", "region", "city"),
    make=_geo,
    memo=False,
)
