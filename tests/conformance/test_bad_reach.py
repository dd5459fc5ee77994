"""Names, settings and statements that would reach further than they may."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import package
from sender import BUCKET, ROLE

Client = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("unharmed")


def create_function(aws: Client, name: str, **settings: Any) -> None:
    code = package("def handler(event, context):\n    print('ran')\n    return 1\n")
    runtime = {"Runtime": "python3.13", "Handler": "app.handler"} | settings
    aws("lambda").create_function(FunctionName=name, Role=ROLE, Code={"ZipFile": code}, **runtime)


def test_a_log_group_can_not_lead_out_of_the_logs(aws: Client, endpoint: EndpointProcess) -> None:
    create_function(aws, "escapes", LoggingConfig={"LogGroup": "../../escaped"})
    assert aws("lambda").invoke(FunctionName="escapes")["StatusCode"] == 200
    lines = eventually(lambda: aws("logs").filter_log_events(logGroupName="../../escaped")["events"])
    assert any("ran" in line["message"] for line in lines)
    assert not (endpoint.data_dir.parent / "escaped").exists()


@pytest.mark.parametrize(
    "settings", [{"Environment": {"Variables": {"A": "a\0b"}}}, {"Handler": "app.han\0dler"}], ids=str
)
def test_a_function_that_no_process_could_be_is_refused(aws: Client, settings: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        create_function(aws, "null", **settings)
    assert refused.value.response["Error"]["Code"] in {"InvalidParameterValueException", "ValidationException"}


@pytest.mark.parametrize("zone", ["Mars/Phobos", "../../etc/passwd", "\0"])
def test_a_time_zone_that_is_none_is_refused_before_a_record_depends_on_it(aws: Client, zone: str) -> None:
    destination = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "RoleARN": ROLE, "CustomTimeZone": zone}
    with pytest.raises(ClientError, match=r"(?i)customTimeZone"):
        aws("firehose").create_delivery_stream(
            DeliveryStreamName="zone", ExtendedS3DestinationConfiguration=destination
        )


SQL = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM glob('/**')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM information_schema.tables, pragma_database_list()",
    "SELECT getenv('HOME')",
    "SELECT read_blob('/etc/passwd')",
    "SELECT current_setting('home_directory')",
    "SELECT query('SELECT 1')",
    "SELECT system('id')",
    "COPY (SELECT 1) TO '/tmp/escaped.csv'",
    "ATTACH '/tmp/escaped.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "EXPORT DATABASE '/tmp/escaped'",
    "CREATE MACRO f() AS 1",
    "CALL pragma_version()",
    "SELECT 1; ATTACH '/tmp/escaped.db'",
    "WITH t AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM t",
    "SELECT 1 /* " + "(" * 200_000,
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "CREATE TABLE " + "a" * 260_000,
    "SELECT " + "'" * 200_001,
    "SHOW PARTITIONS " + "`" * 100_001,
    "MSCK REPAIR TABLE " + "a." * 100_000,
    "ALTER TABLE t ADD " + "PARTITION (day = 'x') " * 10 + "'" * 100_001,
    "CREATE EXTERNAL TABLE t (" + "a struct<" * 5_000,
]


def test_sql_reaches_nothing_but_the_lake(aws: Client, endpoint: EndpointProcess) -> None:
    athena = aws("athena")
    begun = [number for sql in SQL if (number := started(athena, sql)) is not None]
    for number in begun:
        ended = eventually(partial(finished, athena, number))
        assert ended["Status"]["State"] == "FAILED", ended["Query"][:60]
        assert "GENERIC_INTERNAL_ERROR" not in ended["Status"]["StateChangeReason"], ended["Query"][:60]


def started(athena: Any, sql: str) -> str | None:
    """The query's id; None if it was refused at once."""
    context, results = {"Database": "bad_input"}, {"OutputLocation": f"s3://{BUCKET}/sql/"}
    try:
        answer = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext=context, ResultConfiguration=results
        )
    except athena.exceptions.InvalidRequestException:
        return None
    return str(answer["QueryExecutionId"])


def finished(athena: Any, number: str) -> dict[str, Any]:
    """The execution once it has ended; nothing before."""
    execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]
    return {} if execution["Status"]["State"] in {"QUEUED", "RUNNING"} else execution
