"""Firehose's prefixes: every letter of Java's date patterns, and AWS's rules for expressions."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from localaws.errors import AwsError
from localaws.firehose.prefix import check, expand, object_name

TOKYO = datetime(2018, 8, 27, 9, 5, 3, 123456, tzinfo=ZoneInfo("Asia/Tokyo"))
ERRORS = "errors/!{firehose:error-output-type}/"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyy/MM/dd/HH", "2018/08/27/09"),
        ("y yy yyyyy u uu", "2018 18 02018 2018 18"),
        ("M L MMM LLLL MMMMM", "8 8 Aug August A"),
        ("Q qq QQQ QQQQ q", "3 03 Q3 3rd quarter 3"),
        ("d D DDD F", "27 239 239 6"),
        ("E EEEE EEEEE e ee eee c", "Mon Monday M 2 02 Mon 2"),
        ("YYYY ww w W", "2018 35 35 5"),
        ("h hh K k H a", "9 09 9 9 9 AM"),
        ("m mm s ss", "5 05 3 03"),
        ("S SSS SSSSSSSSS n", "1 123 123456000 123456000"),
        ("A N", "32703123 32703123456000"),
        ("VV z O OOOO", "Asia/Tokyo JST GMT+9 GMT+09:00"),
        ("X XX XXX x xxx", "+09 +0900 +09:00 +09 +09:00"),
        ("Z ZZZZ ZZZZZ", "+0900 GMT+09:00 +09:00"),
        ("G GGGG GGGGG", "AD Anno Domini A"),
        ("'year='yyyy'/o''clock='''HH", "year=2018/o'clock='09"),
        ("yyyy[-MM]pppppd", "2018-08   27"),
    ],
)
def test_a_timestamp_is_written_as_java_writes_it(pattern: str, text: str) -> None:
    assert expand(f"!{{timestamp:{pattern}}}", TOKYO, "") == text


@pytest.mark.parametrize(
    ("pattern", "text"), [("X XX XXX", "Z Z Z"), ("x xx xxx", "+00 +0000 +00:00"), ("Z ZZZZ O z", "+0000 GMT GMT UTC")]
)
def test_utc_has_its_own_words_for_an_offset(pattern: str, text: str) -> None:
    assert expand(f"!{{timestamp:{pattern}}}", datetime(2018, 8, 27, tzinfo=UTC), "") == text


def test_the_last_days_of_december_are_in_the_next_week_based_year() -> None:
    assert expand("!{timestamp:YYYY-'W'ww}", datetime(2024, 12, 29, tzinfo=UTC), "") == "2025-W01"
    assert expand("!{timestamp:YYYY-'W'ww}", datetime(2024, 12, 28, tzinfo=UTC), "") == "2024-W52"


@pytest.mark.parametrize("pattern", ["B", "ddd", "zzzz", "V", "OO", "cc", "#", "{", "'open", "p", "iso"])
def test_a_pattern_that_java_does_not_take_is_refused(pattern: str) -> None:
    with pytest.raises(AwsError, match="not valid"):
        check(f"!{{timestamp:{pattern}}}", ERRORS)


def test_without_a_timestamp_the_hour_is_appended() -> None:
    assert expand("raw/", TOKYO, "") == "raw/2018/08/27/09/"
    assert expand("", TOKYO, "") == "2018/08/27/09/"


def test_every_random_string_is_new_and_the_same_at_the_next_attempt() -> None:
    twice = "!{firehose:random-string}/!{firehose:random-string}/!{timestamp:yyyy}"
    first, second, _ = expand(twice, TOKYO, "one").split("/")
    assert len(first) == len(second) == 11
    assert first != second
    assert expand(twice, TOKYO, "one") == f"{first}/{second}/2018"
    assert expand(twice, TOKYO, "two") != f"{first}/{second}/2018"


def test_the_objects_name_has_the_time_in_the_streams_zone() -> None:
    assert object_name("s", 3, TOKYO, "id", ".gz") == "s-3-2018-08-27-09-05-03-id.gz"


@pytest.mark.parametrize(
    ("prefix", "errors", "constraint"),
    [
        ("!{timestamp:yyyy}/", "", "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions"),
        ("!{timestamp:yyyy}/", "errors/!{timestamp:yyyy}/", "ErrorOutputPrefix must contain"),
        ("!{firehose:error-output-type}/", ERRORS, "Prefix cannot contain"),
        ("x" * 500, "", "Prefix cannot be longer than 512"),
        ("", "x" * 500, "ErrorOutputPrefix cannot be longer than 512"),
        ("a!{b", ERRORS, "expression"),
        ("!{timestamp:yyyy", ERRORS, "expression"),
        ("!{partitionKeyFromQuery:id}/", ERRORS, "partitionKeyFromQuery"),
        ("!{firehose:nothing}/", ERRORS, "firehose:nothing"),
    ],
)
def test_prefixes_that_break_a_rule_of_aws_are_refused(prefix: str, errors: str, constraint: str) -> None:
    with pytest.raises(AwsError, match=constraint) as refused:
        check(prefix, errors)
    assert refused.value.code == "InvalidArgumentException"


@pytest.mark.parametrize(
    ("prefix", "errors"), [("", ""), ("raw/", ""), ("raw/", "errors/"), ("!{timestamp:yyyy}/", ERRORS), ("", ERRORS)]
)
def test_prefixes_by_the_rules_are_taken(prefix: str, errors: str) -> None:
    check(prefix, errors)
