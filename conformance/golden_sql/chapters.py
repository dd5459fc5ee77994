"""Which of Trino's files make which chapter of tests/golden_sql/.

Chosen are the chapters of Athena's function reference that issue 6 names, and SELECT's own; of long tables of cases
(2,000 timestamps of every precision) every n-th is taken, so that no file speaks louder than the others.
"""

import re
from dataclasses import dataclass

from conformance.golden_sql.pairs import Pair

COMMIT = "e26fbcf13ea7"  # of starburstdata/trino, a fork at 484-SNAPSHOT
MOST = 40  # pairs of one file
LONGEST = 500  # characters of a statement

# Trino's own facts that are none of Athena's engine version 3, or that the table can't say.
LEFT_OUT = {
    "Types that Athena does not have, and functions of the tests themselves": (
        r"NUMBER|VARIANT|IPADDRESS|\bCHAR\b|qdigest|tdigest|HyperLogLog|\bfail\(|utf8\(|\bvl\(|\.toString|parse_du"
        r"|parse_data|'AUTO'|\bAUTO\b"
    ),
    "More digits of a second than three, and fewer: Athena shows three, Trino as many as were written": (
        r"\.\d{4,}'|(?:TIME|TIMESTAMP)\s*\(\d+\)|(?:to_iso8601|'millisecond', ).*TIMESTAMP '[^'.]*(?:\.\d\d?)?'"
    ),
    "Division of decimals: releases after Athena's give at least six digits": (
        r"^(?=.*DECIMAL)SELECT \(.*\) / \(.*\)$"
    ),
    "NaN and NULL in greatest and least: changed later": r"(greatest|least|array_max|array_min)\(.*(NaN|NULL)",
    "What depends on the session's zone": r"to_unixtime\(TIMESTAMP '[^']*\d'|current_timezone",
    "Functions that are newer than Athena's release": (
        r"bit_count\(.*'|array_first|array_last|array_histogram|ends_with|title_case|t_pdf|throw_error|json_table|"
        r"cosine_distance|euclidean_distance|regexp_split|bitwise_right_shift_arithmetic\(.*'"
    ),
    "Columns of VALUES whose type only both rows together make": r"ROW\(3, 4\.123\)|\(1, 2e0\)\) x",
    "Rows without names, which Trino's tests write as lists": r"map_entries\(",
}
_LEFT_OUT = tuple(re.compile(p, re.IGNORECASE) for p in LEFT_OUT.values())


def left_out(pair: Pair) -> bool:
    return any(p.search(pair.sql) for p in _LEFT_OUT)


_SCALAR = "core/trino-main/src/test/java/io/trino/operator/scalar"
_TYPE = "core/trino-main/src/test/java/io/trino/type"
_QUERY = "core/trino-main/src/test/java/io/trino/sql/query"
_DOCS = "docs/src/main/sphinx/functions"


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    files: tuple[str, ...]


def _chapter(name: str, scalar: str = "", types: str = "", query: str = "", docs: str = "") -> Chapter:
    return Chapter(
        name,
        (
            *(f"{_DOCS}/{d}.md" for d in docs.split()),
            *(f"{_SCALAR}/{s}.java" for s in scalar.split()),
            *(f"{_TYPE}/Test{t}.java" for t in types.split()),
            *(f"{_QUERY}/Test{q}.java" for q in query.split()),
        ),
    )


CHAPTERS = (
    _chapter(
        "arrays",
        "TestArrayFunctions TestArrayExceptFunction TestArrayFilterFunction TestArrayMatchFunctions "
        "TestArrayReduceFunction TestArrayTransformFunction TestZipWithFunction",
        "ArrayOperators",
        docs="array",
    ),
    _chapter("binary", "TestVarbinaryFunctions", docs="binary"),
    _chapter("conditions", "TestConditions TestTryFunction", "BooleanOperators", docs="conditional logical comparison"),
    _chapter("conversion", types="CharacterStringCasts DecimalToDecimalCasts", docs="conversion"),
    _chapter(
        "dates",
        "TestDateTimeFunctions timestamp/TestDateTrunc timestamp/TestExtract timestamp/TestOperators "
        "timestamp/TestTimestamp timestamptz/TestDateTrunc timestamptz/TestExtract timestamptz/TestAtTimeZone "
        "date/TestExtract",
        "Date",
        docs="datetime",
    ),
    _chapter("decimals", types="DecimalOperators DecimalCasts", docs="decimal"),
    _chapter("json", "TestJsonFunctions", "JsonOperators", docs="json"),
    _chapter("lambdas", "TestLambdaExpression", docs="lambda"),
    _chapter(
        "maps",
        "TestMapFilterFunction TestMapTransformKeysFunction TestMapTransformValuesFunction",
        "MapOperators",
        docs="map",
    ),
    _chapter(
        "numbers",
        "TestMathFunctions TestBitwiseFunctions",
        "BigintOperators IntegerOperators SmallintOperators DoubleOperators RealOperators",
        docs="math bitwise",
    ),
    _chapter(
        "queries",
        query="Aggregation DistinctWithOrderBy Expressions FilteredAggregations FullJoin GroupBy Grouping GroupingSets "
        "Having Join JoinUsing Lag Lateral Lead Listagg OrderedAggregation SetOperations Subqueries Unnest Values "
        "Window WindowFrameGroups WindowFrameRange WindowFrameRows With",
        docs="aggregate window",
    ),
    _chapter("regexp", "AbstractTestRegexpFunctions", docs="regexp"),
    _chapter(
        "strings", "TestStringFunctions TestConcatWsFunction TestLikeFunctions", "VarcharOperators", docs="string"
    ),
    _chapter("urls", "TestUrlFunctions", docs="url"),
)
