"""Athena as a service: how many queries at once, what one may take, what it leaves, and what survives what.

An endpoint of its own, with little for queries: two at once, four queued or running, 64 MiB of memory and of spill.
"""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from athena_client import RESULTS, Queries
from endpoint_process import EndpointProcess, eventually, running
from localaws.athena.limits import limits_of
from localaws.errors import StartError

MIB = 1 << 20
ENDLESS = "SELECT count(*) FROM UNNEST(sequence(1, 1000000)) AS a(x), UNNEST(sequence(1, 1000000)) AS b(y) WHERE x * y % 7 = 3"
# More groups than 64 MiB hold, so they are spilled.
SPILLED = (
    "SELECT count(*) FROM (SELECT DISTINCT x * 100000 + y, cast(x * y AS varchar) || 'spilled' "
    "FROM UNNEST(sequence(1, 15)) AS a(x), UNNEST(sequence(1, 100000)) AS b(y))"
)
# One value has to be in memory.
TOO_BIG = "SELECT cardinality(array_agg(rpad(cast(x AS varchar), 1000, 'x'))) FROM UNNEST(sequence(1, 200000)) AS t(x)"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    limits = {"CLICKLAKE_ATHENA_QUERIES": "2", "CLICKLAKE_ATHENA_ACTIVE": "4"}
    memory = {"CLICKLAKE_ATHENA_MEMORY_BYTES": str(64 * MIB), "CLICKLAKE_ATHENA_SPILL_BYTES": str(64 * MIB)}
    yield from running(tmp_path_factory.mktemp("service") / "data", "--bare", **limits, **memory)


@pytest.fixture(scope="module")
def queries(endpoint: EndpointProcess) -> Queries:
    endpoint.client("s3").create_bucket(Bucket="lake")
    endpoint.client("glue").create_database(DatabaseInput={"Name": "db"})
    return Queries(endpoint.client("athena"))


def refused(call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    answer: dict[str, Any] = error.value.response
    return answer


def state(queries: Queries, number: str) -> str:
    execution = queries.client.get_query_execution(QueryExecutionId=number)["QueryExecution"]
    found: str = execution["Status"]["State"]
    return found


def workers(endpoint: EndpointProcess) -> set[int]:
    """The processes that run queries, dead ones that nobody has looked after included."""
    assert endpoint.process is not None
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {
        int(pid) for pid, parent, command in rows if int(parent) == endpoint.process.pid and "athena.worker" in command
    }


def spilled(endpoint: EndpointProcess) -> list[Path]:
    """All that workers left, but for the empty files by which DuckDB knows its own."""
    return [path for path in (endpoint.data_dir / "athena").rglob("*") if path.is_file() and path.stat().st_size]


def delivered(endpoint: EndpointProcess) -> set[str]:
    files = (endpoint.data_dir / "s3" / "lake" / "raw").rglob("*")
    return {line for path in files if path.is_file() for line in path.read_text().splitlines()}


def test_queries_wait_in_a_queue_that_can_be_full_and_can_be_stopped_wherever_they_are(
    queries: Queries, endpoint: EndpointProcess
) -> None:
    running_ones = [queries.start(ENDLESS) for _ in range(2)]
    assert eventually(lambda: [state(queries, n) for n in running_ones] == ["RUNNING"] * 2)
    busy = workers(endpoint)
    token = "t" * 32
    waiting = [queries.start("SELECT 3", ClientRequestToken=token), queries.start("SELECT 4")]
    assert [state(queries, n) for n in waiting] == ["QUEUED"] * 2
    assert "mismatched input" in refused(queries.start, sql="SELECT 5 5")["Error"]["Message"], "nobody waits to be told"
    assert len(workers(endpoint)) == len(busy) + 1, "one more reads what comes in"

    answer = refused(queries.start, sql="SELECT 5")
    assert answer["Error"]["Code"] == "TooManyRequestsException"
    assert answer["Reason"] == "CONCURRENT_QUERY_LIMIT_EXCEEDED"
    assert queries.start("SELECT 3", ClientRequestToken=token) == waiting[0], "a retry is no new query"

    queries.client.stop_query_execution(QueryExecutionId=waiting[1])
    assert queries.wait(waiting[1])["Status"]["StateChangeReason"] == "Query cancelled by user"
    queries.client.stop_query_execution(QueryExecutionId=running_ones[0])
    assert state(queries, running_ones[0]) == "CANCELLED"
    assert queries.wait(waiting[0])["Status"]["State"] == "SUCCEEDED", "its place is taken"
    queries.client.stop_query_execution(QueryExecutionId=running_ones[1])
    assert eventually(lambda: not busy & workers(endpoint)), "what ran them takes no more time"


def test_what_does_not_fit_into_memory_is_spilled_and_leaves_nothing(
    queries: Queries, endpoint: EndpointProcess
) -> None:
    number = queries.start(SPILLED)
    assert eventually(lambda: spilled(endpoint) or state(queries, number) == "SUCCEEDED")
    assert queries.wait(number)["Status"]["State"] == "SUCCEEDED"
    assert spilled(endpoint) == []
    rows = queries.client.get_query_results(QueryExecutionId=number)["ResultSet"]["Rows"]
    assert rows[1] == {"Data": [{"VarCharValue": "1500000"}]}


def test_a_query_that_is_too_big_fails_dies_and_is_no_concern_of_deliverys(
    queries: Queries, endpoint: EndpointProcess
) -> None:
    firehose = endpoint.client("firehose")
    place = {"BucketARN": "arn:aws:s3:::lake", "RoleARN": "arn:aws:iam::000000000000:role/r", "Prefix": "raw/"}
    buffering = {"BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1}}
    firehose.create_delivery_stream(DeliveryStreamName="s", ExtendedS3DestinationConfiguration=place | buffering)
    doomed = [queries.start(TOO_BIG), queries.start(ENDLESS)]
    assert eventually(lambda: state(queries, doomed[1]) == "RUNNING")
    for number in range(10):
        records = [{"Data": f"{number}.{i}\n".encode()} for i in range(100)]
        assert firehose.put_record_batch(DeliveryStreamName="s", Records=records)["FailedPutCount"] == 0
        if number == 5:
            assert queries.wait(doomed[0])["Status"]["StateChangeReason"] == (
                "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor"
            )
            for pid in workers(endpoint):
                os.kill(pid, signal.SIGKILL)
    assert queries.wait(doomed[1])["Status"]["State"] == "FAILED"
    assert queries.rows("SELECT 6") == [["6"]]
    assert spilled(endpoint) == []
    sent = {f"{number}.{i}" for number in range(10) for i in range(100)}
    assert eventually(lambda: delivered(endpoint) == sent), "every record arrives"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process: prlimit(2)")
def test_a_result_that_the_disk_does_not_take_is_a_failure_and_nothing_worse(
    queries: Queries, endpoint: EndpointProcess
) -> None:
    """As on a full disk, no file may grow: first the worker's, then the endpoint's own."""
    large = "SELECT x, rpad('', 1000, 'x') FROM UNNEST(sequence(1, 6000)) AS t(x)"
    queries.run("SELECT 7")
    assert endpoint.process is not None
    for pid in [*workers(endpoint), endpoint.process.pid]:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4 * MIB, resource.RLIM_INFINITY))
        status = queries.wait(queries.start(large))["Status"]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert (status["State"], status["AthenaError"]["ErrorCategory"]) == ("FAILED", 1), status
        assert "File too large" in status["StateChangeReason"]
        assert spilled(endpoint) == []
        execution = queries.run(large)
        assert execution["Status"]["State"] == "SUCCEEDED"


def test_a_large_result_is_read_to_its_end(queries: Queries, endpoint: EndpointProcess) -> None:
    execution = queries.run("SELECT x, rpad('', 1000, 'x') FROM UNNEST(sequence(1, 6000)) AS t(x) ORDER BY x")
    key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://lake/")
    body: bytes = endpoint.client("s3").get_object(Bucket="lake", Key=key)["Body"].read()
    lines = body.decode().splitlines()
    assert (len(lines), lines[0], lines[-1]) == (6001, '"x","_col1"', f'"6000","{"x" * 1000}"')
    statistics = queries.client.get_query_runtime_statistics(QueryExecutionId=execution["QueryExecutionId"])
    rows = statistics["QueryRuntimeStatistics"]["Rows"]
    assert rows == {"InputBytes": 0, "OutputBytes": len(body), "OutputRows": 6000}
    timeline = statistics["QueryRuntimeStatistics"]["Timeline"]
    assert timeline["TotalExecutionTimeInMillis"] >= timeline["EngineExecutionTimeInMillis"] > 0


def test_an_end_that_was_seen_survives_a_kill(queries: Queries, endpoint: EndpointProcess) -> None:
    number = queries.start("SELECT 8")
    while state(queries, number) in {"QUEUED", "RUNNING"}:
        pass
    endpoint.kill()
    endpoint.start()
    queries.client = endpoint.client("athena")
    assert state(queries, number) == "SUCCEEDED"
    assert queries.client.get_query_results(QueryExecutionId=number)["ResultSet"]["Rows"][1] == {
        "Data": [{"VarCharValue": "8"}]
    }


def test_a_full_page_has_a_token_even_if_nothing_follows(queries: Queries) -> None:
    for sql, rows in (("SELECT * FROM (VALUES 1, 2, 3) AS t(x)", 4), ("SHOW DATABASES", 1)):
        number = queries.run(sql)["QueryExecutionId"]
        page = queries.client.get_query_results(QueryExecutionId=number, MaxResults=rows)
        assert len(page["ResultSet"]["Rows"]) == rows
        last = queries.client.get_query_results(QueryExecutionId=number, NextToken=page["NextToken"])
        assert (last["ResultSet"]["Rows"], last.get("NextToken")) == ([], None)


# The message beside a result of these columns, as AWS wrote it on 2026-09-17, without its first field, the query's id
# (aoyagikouhei/athena-local, src/metadata.rs).
MEASURED = bytes.fromhex(
    """
    221d0a04686976652201692a01693207696e7465676572380a400048035000
    221f0a0468697665220274692a027469320774696e79696e743803400048035000
    22200a0468697665220273692a0273693208736d616c6c696e743805400048035000
    221e0a0468697665220262692a0262693206626967696e743813400048035000
    221c0a04686976652201642a01643206646f75626c653811400048035000
    221b0a04686976652201722a01723205666c6f61743811400048035000
    221f0a0468697665220264632a0264633207646563696d616c380a400248035000
    22190a04686976652201622a01623207626f6f6c65616e48035000
    221a0a0468697665220264742a026474320464617465400048035000
    22210a0468697665220274732a027473320974696d657374616d703803400048035000
    22190a046869766522036172722a03617272320561727261794803
    22130a046869766522016d2a016d32036d61704803
    22150a0468697665220272772a0272773203726f774803
    22140a046869766522016a2a016a32046a736f6e4803
    22250a0468697665220276622a027662320976617262696e617279388080808004400048035000
    222a0a0468697665220269762a0269763216696e74657276616c2064617920746f207365636f6e6448035000
    221a0a04686976652201742a0174320474696d653803400048035000
    """
)


def test_beside_a_result_lies_what_its_columns_are_byte_for_byte_as_on_aws(
    queries: Queries, endpoint: EndpointProcess
) -> None:
    columns = [
        "1 AS i, TINYINT '1' AS ti, SMALLINT '1' AS si, BIGINT '1' AS bi, DOUBLE '1' AS d, REAL '1' AS r",
        "CAST(1 AS decimal(10, 2)) AS dc, true AS b, DATE '2026-01-01' AS dt, TIMESTAMP '2026-01-01 00:00:00' AS ts",
        "ARRAY[1] AS arr, MAP(ARRAY['a'], ARRAY[1]) AS m, CAST(ROW(1) AS ROW(x integer)) AS rw, json_parse('1') AS j",
        "X'01' AS vb, INTERVAL '1' DAY AS iv, TIME '01:00:00' AS t",
    ]
    execution = queries.run(f"SELECT {', '.join(columns)}")
    assert beside(endpoint, execution) == (execution["QueryExecutionId"], MEASURED)


def beside(endpoint: EndpointProcess, execution: dict[str, Any]) -> tuple[str, bytes]:
    """The id that the .metadata object of an execution begins with, and the rest of it."""
    key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://lake/") + ".metadata"
    body: bytes = endpoint.client("s3").get_object(Bucket="lake", Key=key)["Body"].read()
    assert body[0] == 0x0A
    return body[2 : 2 + body[1]].decode(), body[2 + body[1] :]


def test_what_a_statement_wrote_is_said_beside_it_and_ddl_has_nothing_to_say(
    queries: Queries, endpoint: EndpointProcess
) -> None:
    count = bytes.fromhex("22220a04686976652204726f77732a04726f77733206626967696e743813400048035000")
    created = queries.run("CREATE TABLE written WITH (format = 'JSON') AS SELECT 1 AS x UNION ALL SELECT 2")
    assert beside(endpoint, created)[1] == b"\x12\x0cCREATE TABLE\x18\x02" + count
    inserted = queries.run("INSERT INTO written SELECT 3 WHERE false")
    assert beside(endpoint, inserted)[1] == b"\x12\x06INSERT\x18\x00" + count
    described = queries.run("SHOW TABLES")
    assert beside(endpoint, described)[0] == described["QueryExecutionId"]
    dropped = queries.run("DROP TABLE written")
    key = dropped["ResultConfiguration"]["OutputLocation"].removeprefix("s3://lake/")
    found = endpoint.client("s3").list_objects_v2(Bucket="lake", Prefix=key)["Contents"]
    assert [o["Key"] for o in found] == [key]


def test_results_go_to_the_expected_owner_only(queries: Queries) -> None:
    def place(owner: str) -> dict[str, Any]:
        return {"OutputLocation": RESULTS, "ExpectedBucketOwner": owner}

    own, other = place("0" * 12), place("1" * 12)
    assert queries.run("SELECT 1", ResultConfiguration=own)["ResultConfiguration"]["ExpectedBucketOwner"] == "0" * 12
    told = queries.failure("SELECT 1", ResultConfiguration=other)
    assert told.startswith(f"Access denied when writing output to url: {RESULTS}")
    forced = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": own}
    queries.client.create_work_group(Name="forced", Configuration=forced)
    assert queries.run("SELECT 1", ResultConfiguration=other, WorkGroup="forced")["ResultConfiguration"]


def test_results_are_encrypted_as_is_asked_for_and_what_clients_must_decrypt_is_refused(
    queries: Queries, endpoint: EndpointProcess
) -> None:
    key = "arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111"
    sealed = {"EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": key}, "OutputLocation": RESULTS}
    configuration = queries.run("SELECT 1", ResultConfiguration=sealed)["ResultConfiguration"]
    assert configuration["EncryptionConfiguration"] == sealed["EncryptionConfiguration"]
    for suffix in ("", ".metadata"):
        name = configuration["OutputLocation"].removeprefix("s3://lake/") + suffix
        found = endpoint.client("s3").head_object(Bucket="lake", Key=name)
        assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)
    by_client = {"EncryptionConfiguration": {"EncryptionOption": "CSE_KMS", "KmsKey": key}, "OutputLocation": RESULTS}
    message = refused(queries.start, sql="SELECT 1", ResultConfiguration=by_client)["Error"]["Message"]
    assert "CSE_KMS is not supported" in message


def test_a_token_means_the_same_text_database_and_place(queries: Queries) -> None:
    asked: dict[str, Any] = {"sql": "SELECT ?", "ClientRequestToken": "u" * 32, "ExecutionParameters": ["1"]}
    number = queries.start(**asked)
    assert queries.start(**asked | {"ExecutionParameters": ["2"]}) == number, "AWS does not look at them"
    for other in (
        {"sql": "SELECT ? + 0"},
        {"QueryExecutionContext": {"Database": "other"}},
        {"ResultConfiguration": {"OutputLocation": "s3://lake/elsewhere/"}},
    ):
        answer = refused(queries.start, **asked | other)
        assert answer["Error"]["Message"] == "Idempotent parameters do not match"
        assert answer["AthenaErrorCode"] == "IDEMPOTENT_PARAMETER_MISMATCH"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1 / 0", 1001),
        ("SELECT nothing FROM (VALUES 1) AS t(x)", 1006),
        ("SELECT CAST('x' AS integer)", 1100),
        ("SELECT * FROM nowhere", 1301),
        ("SELECT no_such_function(1)", 1303),
    ],
)
def test_an_error_has_the_number_that_it_has_on_aws(queries: Queries, sql: str, kind: int) -> None:
    error = queries.wait(queries.start(sql))["Status"]["AthenaError"]
    assert (error["ErrorCategory"], error["ErrorType"]) == (2, kind)


def test_statements_that_are_kept_are_read_in_batches_and_changed(queries: Queries) -> None:
    client = queries.client
    client.create_prepared_statement(WorkGroup="primary", StatementName="one", QueryStatement="SELECT 1")
    batch = client.batch_get_prepared_statement(WorkGroup="primary", PreparedStatementNames=["one", "none"])
    assert [s["QueryStatement"] for s in batch["PreparedStatements"]] == ["SELECT 1"]
    assert [s["StatementName"] for s in batch["UnprocessedPreparedStatementNames"]] == ["none"]
    number = client.create_named_query(Name="n", Database="db", QueryString="SELECT 1")["NamedQueryId"]
    client.update_named_query(NamedQueryId=number, Name="m", QueryString="SELECT 2")
    kept = client.get_named_query(NamedQueryId=number)["NamedQuery"]
    assert (kept["Name"], kept["QueryString"], kept["Database"]) == ("m", "SELECT 2", "db")
    versions = client.list_engine_versions()["EngineVersions"]
    assert [v["SelectedEngineVersion"] for v in versions] == ["AUTO", "Athena engine version 3"]


@pytest.mark.parametrize("given", ["1GB", "-1", "63"])
def test_a_limit_that_is_no_number_stops_the_start(given: str) -> None:
    with pytest.raises(StartError, match=f"CLICKLAKE_ATHENA_MEMORY_BYTES is '{given}', which is no whole number"):
        limits_of({"CLICKLAKE_ATHENA_MEMORY_BYTES": given})
