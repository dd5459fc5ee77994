"""Where the sender was, and in which language: edge headers, geo databases (made here, with networks kept for
documentation: RFC 5737, RFC 3849) and Accept-Language."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import maxminddb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from athena_client import Queries
from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.enrich.geo import database_version, geo
from clicklake.transform.enrich.locale import locale
from clicklake.transform.process import Settings
from clicklake.transform.redact import split
from endpoint_process import EndpointProcess, eventually
from seed_walk import ledger_rows
from transforming import KEY, PIPELINE, event, transform

Makers = Callable[[str, dict[str, Any]], maxminddb.Reader]

# The form of GeoLite2-City and of DB-IP, which has no iso_code: dev.maxmind.com/geoip/docs/databases/city-and-country
GEOLITE: dict[str, Any] = {
    "192.0.2.0/24": {
        "continent": {"code": "EU"},
        "country": {"iso_code": "DE", "names": {"de": "Deutschland", "en": "Germany"}},
        "registered_country": {"iso_code": "US"},
        "subdivisions": [{"iso_code": "BY", "names": {"de": "Bayern", "en": "Bavaria"}}, {"names": {"en": "Upper"}}],
        "city": {"names": {"de": "München", "en": "Munich"}},
    },
    "198.51.100.0/24": {"country": {"iso_code": "FR"}, "subdivisions": [{"iso_code": "IDF"}]},
    "203.0.113.0/24": {"registered_country": {"iso_code": "US"}},
    "2001:db8::/32": {"country": {"iso_code": "JP"}, "city": {"names": {"en": "Tōkyō"}}},
}
FLAT: dict[str, Any] = {
    "192.0.2.0/24": {"country": "Germany", "country_code": "DE", "region": "Bavaria", "city": "Munich"},
    "198.51.100.0/24": {"country": "FR", "region": "", "region_code": "IDF", "city": ""},
    "203.0.113.0/24": {"country_code": "US", "state1": "Michigan", "state2": "Washtenaw", "city": "Ann Arbor"},
    "2001:db8::/32": "no record at all",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Makers:
    """database(type, {network: record}) -> an open MMDB with these."""

    def make(database_type: str, networks: dict[str, Any]) -> maxminddb.Reader:
        version = 6 if any(":" in network for network in networks) else 4
        writer = MMDBWriter(version, database_type, ipv4_compatible=version == 6)
        for network, record in networks.items():
            writer.insert_network(IPSet([network]), record)
        file: Path = tmp_path_factory.mktemp("geo") / f"{database_type}.mmdb"
        writer.to_db_file(str(file))
        return maxminddb.open_database(file)

    return make


@pytest.fixture(scope="module")
def lite(database: Makers) -> maxminddb.Reader:
    return database("GeoLite2-City", GEOLITE)


def made(enrichment: Enrichment, database: maxminddb.Reader | None = None, **values: Any) -> tuple[Any, ...]:
    """What the enrichment makes of these fields and headers (with _ for -)."""
    sent = {name.replace("_", "-"): value for name, value in values.items()}
    context = Context(buffer_ms=0, redact=split, geo=database)
    return enrichment.make(context, *(sent.get(name.removeprefix("headers.")) for name in enrichment.reads))


# --- edge headers ----------------------------------------------------------------------------------------------------

CLOUDFRONT: dict[str, Any] = {
    "cloudfront_viewer_country": "US",
    "cloudfront_viewer_country_region": "MI",
    "cloudfront_viewer_country_region_name": "Michigan",
    "cloudfront_viewer_city": "Ann Arbor",
}


def test_cloudfront_names_country_region_and_city() -> None:
    assert made(geo, **CLOUDFRONT) == ("US", "Michigan", "Ann Arbor")


def test_the_regions_code_stands_in_for_its_name() -> None:
    assert made(geo, **CLOUDFRONT | {"cloudfront_viewer_country_region_name": None}) == ("US", "MI", "Ann Arbor")


@pytest.mark.parametrize(
    ("header", "city"),
    [
        ("M%C3%BCnchen", "München"),
        ("Ann%20Arbor", "Ann Arbor"),
        ("S%C3%A3o Paulo", "São Paulo"),
        ("Chester+le+Street", "Chester+le+Street"),
        ("M%FCnchen", None),
        ("100%", "100%"),
        (" ", None),
        ("", None),
        ("x" * 101, None),
        ("%41" * 100, "A" * 100),
        ("a%0Ab", None),
        ("%00", None),
        (7, None),
    ],
)
def test_a_citys_name_is_percent_encoded_utf_8(header: object, city: str | None) -> None:
    assert made(geo, **CLOUDFRONT | {"cloudfront_viewer_city": header}) == ("US", "Michigan", city)


def test_cloudflare_names_the_country_alone() -> None:
    assert made(geo, cf_ipcountry="NL") == ("NL", None, None)


def test_cloudfront_goes_before_cloudflare() -> None:
    assert made(geo, cf_ipcountry="NL", **CLOUDFRONT) == ("US", "Michigan", "Ann Arbor")


@pytest.mark.parametrize("header", ["XX", "T1", "ZZ", "", "USA", "U", "1", "ÄÖ", "ß", 49, 1.5, None])
def test_what_names_no_country_is_no_country(header: object) -> None:
    assert made(geo, cf_ipcountry=header, cloudfront_viewer_country=header) == (None, None, None)


def test_a_country_is_in_capitals() -> None:
    assert made(geo, cf_ipcountry=" de ") == ("DE", None, None)


def test_without_a_country_the_edges_city_does_not_count() -> None:
    assert made(geo, **CLOUDFRONT | {"cloudfront_viewer_country": "XX"}) == (None, None, None)


# --- geo databases ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("192.0.2.7", ("DE", "Bavaria", "Munich")),
        ("192.0.2.7:443", ("DE", "Bavaria", "Munich")),
        ("192.0.2.7, 198.51.100.1", ("DE", "Bavaria", "Munich")),
        ("::ffff:192.0.2.7", ("DE", "Bavaria", "Munich")),
        ("198.51.100.1", ("FR", "IDF", None)),
        ("2001:db8::1", ("JP", None, "Tōkyō")),
        ("[2001:db8::1]:443", ("JP", None, "Tōkyō")),
        ("203.0.113.9", (None, None, None)),
        ("10.0.0.1", (None, None, None)),
        ("not an address", (None, None, None)),
        ("", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_a_database_in_maxminds_form(lite: maxminddb.Reader, ip: str | None, place: tuple[str | None, ...]) -> None:
    assert made(geo, lite, ip=ip) == place


@pytest.mark.parametrize(
    ("ip", "place"),
    [
        ("192.0.2.7", ("DE", "Bavaria", "Munich")),
        ("198.51.100.1", ("FR", "IDF", None)),
        ("203.0.113.9", ("US", "Michigan", "Ann Arbor")),
        ("2001:db8::1", (None, None, None)),
    ],
)
def test_a_database_in_a_flat_form(database: Makers, ip: str, place: tuple[str | None, ...]) -> None:
    assert made(geo, database("ipinfo standard_location", FLAT), ip=ip) == place


def test_an_ipv6_address_in_a_database_of_ipv4_alone_is_nowhere(database: Makers) -> None:
    v4 = {network: record for network, record in GEOLITE.items() if "." in network}
    assert made(geo, database("GeoLite2-City", v4), ip="2001:db8::1") == (None, None, None)


def test_a_broken_database_never_fails_an_event(tmp_path: Path) -> None:
    whole = MMDBWriter(4, "Broken")
    whole.insert_network(IPSet(["192.0.2.0/24"]), GEOLITE["192.0.2.0/24"])
    whole.to_db_file(str(tmp_path / "whole.mmdb"))
    data = (tmp_path / "whole.mmdb").read_bytes()
    at = data.index(b"Bavaria") - 30
    (tmp_path / "broken.mmdb").write_bytes(data[:at] + b"\xff" * 30 + data[at + 30 :])
    with maxminddb.open_database(tmp_path / "broken.mmdb") as broken:
        with pytest.raises(maxminddb.InvalidDatabaseError):
            broken.get("192.0.2.7")
        assert made(geo, broken, ip="192.0.2.7") == (None, None, None)


def test_the_edge_goes_before_the_database(lite: maxminddb.Reader) -> None:
    assert made(geo, lite, ip="192.0.2.7", **CLOUDFRONT) == ("US", "Michigan", "Ann Arbor")


def test_a_database_that_agrees_on_the_country_adds_region_and_city(lite: maxminddb.Reader) -> None:
    assert made(geo, lite, ip="192.0.2.7", cf_ipcountry="DE") == ("DE", "Bavaria", "Munich")
    assert made(geo, lite, ip="192.0.2.7", cf_ipcountry="AT") == ("AT", None, None)
    assert made(geo, lite, ip="192.0.2.7", cf_ipcountry="XX") == ("DE", "Bavaria", "Munich")


def test_the_version_of_a_database_is_its_type_and_build_time(lite: maxminddb.Reader) -> None:
    assert database_version(lite) == f"GeoLite2-City {lite.metadata().build_epoch}"
    assert lite.metadata().build_epoch > 1_700_000_000


def test_the_transform_says_where_and_the_ledger_by_which_database(lite: maxminddb.Reader) -> None:
    sent = [
        event(ip="192.0.2.7", headers={"accept-language": "de-at,en;q=0.5"}),
        event(ip="192.0.2.7", headers={"cf-ipcountry": "NL"}, locale="nl_NL"),
    ]
    there = transform(*sent, settings=Settings(PIPELINE, KEY, geo=lite))
    assert [[row.get(name) for name in ("country", "region", "city", "locale")] for row in there.rows] == [
        ["DE", "Bavaria", "Munich", "de-AT"],
        ["NL", None, None, "nl_NL"],
    ]
    assert there.ledger["geo_database"] == database_version(lite)
    assert "192.0.2.7" not in str(there.rows)
    assert "geo_database" not in transform(*sent).ledger


def test_the_function_opens_the_database_that_its_environment_names(stack: EndpointProcess, tmp_path: Path) -> None:
    writer = MMDBWriter(4, "GeoLite2-City")
    writer.insert_network(IPSet(["192.0.2.0/24"]), GEOLITE["192.0.2.0/24"])
    writer.to_db_file(str(tmp_path / "geo.mmdb"))
    names, functions = PIPELINE.names(), stack.client("lambda")
    variables = functions.get_function_configuration(FunctionName=names.function)["Environment"]["Variables"]
    variables |= {"CLICKLAKE_GEO_DATABASE": str(tmp_path / "geo.mmdb")}
    functions.update_function_configuration(FunctionName=names.function, Environment={"Variables": variables})
    record = {"Data": json.dumps(event(ip="192.0.2.7"))}
    stack.client("firehose").put_record(DeliveryStreamName=names.delivery_stream, Record=record)
    assert eventually(lambda: ledger_rows(stack.client, names.bucket) == [1])
    queries = Queries(stack.client("athena"), names.database)
    sql = f"SELECT country, region, city FROM {PIPELINE.tables.events.name}"
    assert queries.rows(sql, WorkGroup=names.workgroup) == [["DE", "Bavaria", "Munich"]]


anything = st.none() | st.integers() | st.floats() | st.text() | st.sampled_from(["DE", "192.0.2.7", "2001:db8::1"])


@given(st.lists(anything, min_size=6, max_size=6))
def test_any_text_has_a_place_or_none(lite: maxminddb.Reader, values: list[Any]) -> None:
    for reader in (None, lite):
        country, region, city = geo.make(Context(buffer_ms=0, redact=split, geo=reader), *values)
        assert country is None or (len(country) == 2 and country.isupper())
        assert country is not None or (region, city) == (None, None)


# --- locale ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("de-DE,de;q=0.9,en;q=0.8", "de-DE"),
        ("en;q=0.5, fr;q=0.8", "fr"),
        ("da, en-gb;q=0.8, en;q=0.7", "da"),
        ("de;q=0.8, fr;q=0.8", "de"),
        ("*, en;q=0.5", "en"),
        ("de;q=0", None),
        ("*", None),
        ("", None),
        ("de-at", "de-AT"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("en-ca-x-ca", "en-CA-x-ca"),
        ("de;q=1.000 , fr", "de"),
        ("de;Q=0.3,fr;q=0.4", "fr"),
        ("de;q=2, fr;q=0.1", "fr"),
        ("de_DE, fr;q=0.1", "fr"),
        ("de;q=0.1234, ,fr;q=0.1", "fr"),
        ("<script>", None),
        ("verylonglanguage", None),
        ("de," * 2000, None),
        (5, None),
    ],
)
def test_the_first_choice_of_accept_language_is_the_locale(header: object, language: str | None) -> None:
    assert made(locale, accept_language=header) == (language,)


@pytest.mark.parametrize("sent", ["de-DE", "en_US", "zh-Hans-CN", "C.UTF-8"])
def test_the_senders_own_locale_goes_first_and_stays_as_sent(sent: str) -> None:
    assert made(locale, locale=sent, accept_language="fr") == (sent,)


@given(st.text() | st.text(alphabet="aA1-;=q.,* "))
def test_any_header_has_a_language_or_none(header: str) -> None:
    (language,) = made(locale, accept_language=header)
    assert language is None or language.lower() in header.lower()
