"""JSON through Athena: each SerDe's own rules for keys, lines and values."""

from collections.abc import Callable
from typing import Any

import pytest

from athena_client import Queries

OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE = "org.apache.hive.hcatalog.data.JsonSerDe"
Rows = list[list[str | None]]


@pytest.fixture(scope="module")
def queries(aws: Callable[..., Any], s3: Any) -> Queries:
    queries = Queries(aws("athena"), "jsons")
    queries.run("CREATE DATABASE jsons", QueryExecutionContext={})
    return queries


@pytest.fixture
def made(queries: Queries, s3: Any) -> Callable[..., None]:
    """made(columns, lines, serde, properties): the table `t` over one file."""

    def make(columns: str, lines: str, serde: str = OPENX, properties: str = "") -> None:
        s3.put_object(Bucket="lake", Key="jsons/a.json", Body=lines.encode())
        queries.run("DROP TABLE IF EXISTS t")
        given = f"WITH SERDEPROPERTIES ({properties})" if properties else ""
        queries.run(
            f"CREATE EXTERNAL TABLE t ({columns}) ROW FORMAT SERDE '{serde}' {given} LOCATION 's3://lake/jsons/'"
        )

    return make


@pytest.mark.parametrize("serde", [OPENX, HIVE])
def test_keys_within_columns_match_without_regard_to_case(
    queries: Queries, made: Callable[..., None], serde: str
) -> None:
    lines = '{"User":{"Id":1,"Address":{"City":"Bonn"}},"Tags":[{"Name":"a"}]}\n{"user":{"id":2}}\n'
    made("user struct<id:int,address:struct<city:string>>, tags array<struct<name:string>>", lines, serde)
    assert queries.rows("SELECT user.id, user.address.city, tags FROM t ORDER BY 1") == [
        ["1", "Bonn", "[{name=a}]"],
        ["2", None, None],
    ]


def test_openx_makes_keys_lower_case_in_maps_and_in_text_but_not_in_values(
    queries: Queries, made: Callable[..., None]
) -> None:
    made(
        "m map<string,string>, raw string, said string",
        '{"m":{"Key":"Value"},"raw":{"K":["V"]},"said":"{\\"K\\":1}"}\n',
    )
    assert queries.rows("SELECT * FROM t") == [["{key=Value}", '{"k":["V"]}', '{"K":1}']]


def test_keys_that_fold_to_one_are_doubled_unless_case_counts(queries: Queries, made: Callable[..., None]) -> None:
    lines = '{"URL":"a","Url":"b","n":1}\n'
    made("url string", lines)
    assert queries.failure("SELECT * FROM t").startswith(
        "HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: Duplicate key"
    )
    exact = "'case.insensitive' = 'FALSE', 'mapping.url1' = 'URL', 'mapping.url2' = 'Url', 'mapping.m' = 'N'"
    made("url1 string, url2 string, n int, m int", lines, OPENX, exact)
    assert queries.rows("SELECT * FROM t") == [["a", "b", "1", None]]


def test_dots_in_keys_become_underscores_where_a_column_or_field_is_meant(
    queries: Queries, made: Callable[..., None]
) -> None:
    lines = '{"a.b":1,"s":{"c.d":"x"},"m":{"e.f":2}}\n'
    made("a_b int, s struct<c_d:string>, m map<string,int>", lines)
    assert queries.rows("SELECT * FROM t") == [[None, "{c_d=null}", "{e.f=2}"]]
    made("a_b int, s struct<c_d:string>, m map<string,int>", lines, OPENX, "'dots.in.keys' = 'true'")
    assert queries.rows("SELECT * FROM t") == [["1", "{c_d=x}", "{e.f=2}"]]


def test_mappings_name_the_keys_of_columns_and_of_fields(queries: Queries, made: Callable[..., None]) -> None:
    lines = '{"timestamp":"now","item":{"my:field":"x"}}\n'
    mapping = "'mapping.ts' = 'timestamp', 'mapping.my_field' = 'my:field'"
    made("ts string, item struct<my_field:string>", lines, OPENX, mapping)
    assert queries.rows("SELECT ts, item.my_field FROM t") == [["now", "x"]]
    made("ts string, timestamp string", lines, HIVE, mapping)  # Hive's SerDe knows no properties
    assert queries.rows("SELECT * FROM t") == [[None, "now"]]


def test_a_line_that_is_no_object_is_a_row_of_nulls_to_openx_and_an_error_to_hive(
    queries: Queries, made: Callable[..., None]
) -> None:
    made("n int", '{"n":1}\n\nhello\n{"n":2}\n')
    assert queries.rows("SELECT count(*), count(n), sum(n) FROM t") == [["4", "2", "3"]]
    made("n int", '{"n":1}\n[7]\n')
    assert queries.failure("SELECT * FROM t").startswith("NOT_SUPPORTED: a line that is an array of JSON")
    made("n int", '{"n":1}\nhello\n', HIVE)
    assert queries.failure("SELECT * FROM t") == "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"


def test_malformed_lines_are_ignored_and_values_that_do_not_fit_are_not(
    queries: Queries, made: Callable[..., None]
) -> None:
    columns, ignoring = "n int, v double, s struct<a:int>", "'ignore.malformed.json' = 'true'"
    made(columns, '{"n":1\n{"n":2,"v":0.5,"s":{"a":3,"b":4}}\n', OPENX, ignoring)
    assert queries.rows("SELECT * FROM t ORDER BY n") == [["2", "0.5", "{a=3}"], [None, None, None]]
    wrong = '{"a":"many","b":"much","c":{"a":"x"},"d":5,"e":1.7,"f":true}\n'
    columns = "a int, b double, c struct<a:int>, d struct<a:int>, e int, f int"
    made(columns, wrong, OPENX, ignoring)
    for column in "abcdef":
        assert queries.failure(f"SELECT {column} FROM t").startswith("HIVE_BAD_DATA: Error parsing field value"), column
    made(columns, wrong, OPENX, "'use.null.for.invalid.data' = 'true'")
    assert queries.rows("SELECT a, b, c.a, d, e, f FROM t") == [[None] * 6]


@pytest.mark.parametrize(
    ("serde", "read"), [(OPENX, ["7", None, None, None, None]), (HIVE, [None, "1", "-1", None, None])]
)
def test_what_an_integer_may_be_written_as_is_the_serdes(
    queries: Queries, made: Callable[..., None], serde: str, read: list[str | None]
) -> None:
    made("a bigint, b int, c int, d int, e int", '{"a":"7","b":1.7,"c":-1.7,"d":true,"e":[1]}\n', serde)
    for column, value in zip("abcde", read, strict=True):
        if value is None:
            assert queries.failure(f"SELECT {column} FROM t").startswith("HIVE_BAD_DATA"), column
        else:
            assert queries.rows(f"SELECT {column} FROM t") == [[value]], column


def test_what_is_true_and_what_is_text_is_the_serdes(queries: Queries, made: Callable[..., None]) -> None:
    lines = '{"b":"TRUE"}\n{"b":"yes"}\n{"b":false}\n{}\n'
    for serde in (OPENX, HIVE):
        made("b boolean", lines, serde)
        assert queries.rows("SELECT b, count(*) FROM t GROUP BY b ORDER BY b") == [
            ["false", "2"], ["true", "1"], [None, "1"],
        ]  # fmt: skip
    for serde, text in ((OPENX, [['{"k":1}']]), (HIVE, None)):
        made("b string", '{"b":{"k": 1}}\n', serde)
        if text:
            assert queries.rows("SELECT b FROM t") == text
        else:
            assert queries.failure("SELECT b FROM t").startswith("HIVE_BAD_DATA")


def test_hives_timestamps_have_no_t(queries: Queries, made: Callable[..., None]) -> None:
    made("t timestamp, d date", '{"t":"2025-11-26 10:00:00.5","d":"2025-11-26"}\n', HIVE)
    assert queries.rows("SELECT * FROM t") == [["2025-11-26 10:00:00.500", "2025-11-26"]]
    made("t timestamp", '{"t":"2025-11-26T10:00:00Z"}\n', HIVE)
    assert queries.failure("SELECT * FROM t").startswith("HIVE_BAD_DATA")
    made("t timestamp", '{"t":"26.11."}\n', HIVE, "'timestamp.formats' = 'dd.MM.'")
    assert queries.failure("SELECT * FROM t").startswith("NOT_SUPPORTED: the JSON SerDe's timestamp.formats")
