"""Athena's API through boto3: a query's states, results and history; workgroups and what is saved in them."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from athena_client import RESULTS, Queries
from endpoint_process import EndpointProcess

Client = Callable[..., Any]
ENDLESS = "SELECT count(*) FROM UNNEST(sequence(1, 1000000)) AS a(x), UNNEST(sequence(1, 1000000)) AS b(y) WHERE x * y % 7 = 3"


@pytest.fixture(scope="module")
def queries(aws: Client) -> Queries:
    aws("s3").create_bucket(Bucket="lake")
    aws("glue").create_database(DatabaseInput={"Name": "db"})
    return Queries(aws("athena"))


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    found = error.value.response["Error"]
    return found["Code"], found["Message"]


def test_an_execution_says_what_it_was(queries: Queries) -> None:
    execution = queries.run(" SELECT 1 ; ")
    assert execution["Query"] == "SELECT 1"
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
    assert execution["QueryExecutionContext"] == {"Database": "db"}
    assert execution["WorkGroup"] == "primary"
    assert execution["ResultConfiguration"]["OutputLocation"] == f"{RESULTS}{execution['QueryExecutionId']}.csv"
    assert execution["Status"]["CompletionDateTime"] >= execution["Status"]["SubmissionDateTime"]
    assert {"DataScannedInBytes", "EngineExecutionTimeInMillis", "TotalExecutionTimeInMillis"} <= set(
        execution["Statistics"]
    )
    assert execution["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    assert execution["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": False}
    assert execution["Statistics"]["QueryQueueTimeInMillis"] > 0


def test_a_databases_name_may_stand_in_backticks(queries: Queries) -> None:
    execution = queries.run(
        "SHOW TABLES", QueryExecutionContext={"Database": "`db`"}
    )  # awswrangler's DESCRIBE sends it
    assert execution["QueryExecutionContext"] == {"Database": "db"}


def test_an_executions_query_has_the_comments_that_were_sent(queries: Queries) -> None:
    assert queries.run(" SELECT 1 -- once; ")["Query"] == "SELECT 1 -- once;"


YOUNG = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}


def test_an_earlier_result_is_reused_where_that_is_allowed(queries: Queries) -> None:
    sql = "SELECT 41 + 1 AS answer, ? AS given"
    first = queries.run(sql, ExecutionParameters=["1"])
    again = queries.run(sql, ExecutionParameters=["1"], ResultReuseConfiguration=YOUNG)
    assert again["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": True}
    assert again["ResultReuseConfiguration"] == YOUNG
    assert again["Statistics"]["DataScannedInBytes"] == 0
    assert again["ResultConfiguration"] == first["ResultConfiguration"]
    assert queries.rows(sql, ExecutionParameters=["1"], ResultReuseConfiguration=YOUNG) == [["42", "1"]]


@pytest.mark.parametrize(
    "changed",
    [
        {"ExecutionParameters": ["2"]},
        {"QueryExecutionContext": {"Database": "default"}},
        {"ResultConfiguration": {"OutputLocation": "s3://lake/elsewhere/"}},
        {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}}},
        {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 0}}},
    ],
    ids=str,
)
def test_another_question_or_place_or_age_is_not_answered_by_an_earlier_result(queries: Queries, changed: Any) -> None:
    asked = {"ExecutionParameters": ["1"], "ResultReuseConfiguration": YOUNG}
    queries.run("SELECT 1, ?", **asked)
    assert not reused(queries, "SELECT 1, ?", **(asked | changed))


@pytest.mark.parametrize(
    ("sql", "same"),
    [
        ("SELECT random() AS r", False),
        ("SELECT x FROM (VALUES 1, 2) AS t(x) LIMIT 1", False),
        ("SELECT * FROM (SELECT x FROM (VALUES 1, 2) AS t(x) LIMIT 1) ORDER BY x", False),
        ("SELECT x FROM (VALUES 1, 2) AS t(x) ORDER BY x LIMIT 1", True),
        ("SELECT 'random()' AS \"LIMIT\"", True),
        ("SELECT now() AS t", False),
    ],
)
def test_only_what_is_answered_alike_each_time_is_reused(queries: Queries, sql: str, same: bool) -> None:
    queries.run(sql)
    assert reused(queries, sql, ResultReuseConfiguration=YOUNG) is same


def test_a_result_that_is_gone_is_not_reused(queries: Queries, aws: Client) -> None:
    number = queries.run("SELECT 'gone'")["QueryExecutionId"]
    aws("s3").delete_object(Bucket="lake", Key=f"results/{number}.csv")
    assert not reused(queries, "SELECT 'gone'", ResultReuseConfiguration=YOUNG)


def test_a_prepared_statement_that_means_something_else_now_is_run_again(queries: Queries) -> None:
    for said in ("1", "2"):
        queries.run(f"PREPARE changing FROM SELECT {said}")
        assert queries.rows("EXECUTE changing", ResultReuseConfiguration=YOUNG) == [[said]]
        assert reused(queries, "EXECUTE changing", ResultReuseConfiguration=YOUNG)
        queries.run("DEALLOCATE PREPARE changing")


def test_a_result_may_be_reused_for_a_week_at_most(queries: Queries) -> None:
    age = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 10081}}
    assert refused(queries.start, sql="SELECT 1", ResultReuseConfiguration=age)[0] == "InvalidRequestException"


def reused(queries: Queries, sql: str, **parameters: Any) -> bool:
    information: dict[str, bool] = queries.run(sql, **parameters)["Statistics"]["ResultReuseInformation"]
    return information["ReusedPreviousResult"]


def test_random_below_nothing_fails(queries: Queries) -> None:
    assert queries.failure("SELECT random(-1)") == "INVALID_FUNCTION_ARGUMENT: bound must be positive"
    assert queries.rows("SELECT random(1)") == [["0"]]


def test_a_number_with_a_point_is_a_double_and_decimals_say_so(queries: Queries) -> None:
    sql = "SELECT 1.2 AS d, .5 + 1. AS e, 100.0 * 1 / 3 AS f, ? AS g, DECIMAL '1.2' AS n, CAST(1.25 AS DECIMAL(3, 1)) AS c"
    parameters = {"ExecutionParameters": ["0.1"]}
    assert queries.rows(sql, **parameters) == [["1.2", "1.5", "33.333333333333336", "0.1", "1.2", "1.3"]]
    types = [kind for _, kind in queries.columns(sql.replace("?", "0.1"))]
    assert types == ["double", "double", "double", "double", "decimal", "decimal"]


def test_a_word_alone_as_a_parameter_is_a_string(queries: Queries) -> None:
    assert queries.rows("SELECT ?, ?, ?", ExecutionParameters=["Washington", "TRUE", "null"]) == [
        ["Washington", "true", None]
    ]
    queries.run("PREPARE asking FROM SELECT ?")
    assert queries.rows("EXECUTE asking", ExecutionParameters=["Washington"]) == [["Washington"]]
    queries.run("DEALLOCATE PREPARE asking")


def test_a_failure_says_why_and_whose_fault_it_is(queries: Queries) -> None:
    number = queries.start("SELECT nope FROM (VALUES 1) AS t(x)")
    status = queries.wait(number)["Status"]
    assert status["AthenaError"]["ErrorCategory"] == 2
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
    code, message = refused(queries.client.get_query_results, QueryExecutionId=number)
    assert code == "InvalidRequestException"
    assert message.startswith("Query did not finish successfully. Final query state: FAILED")


def test_the_result_file_is_csv_with_every_value_quoted(queries: Queries, aws: Client) -> None:
    sql = "SELECT * FROM (VALUES ('a \"b\"\nc', '', NULL), ('d', 'e,f', 'g')) AS t(x, \"Y\", z)"
    number = queries.run(sql)["QueryExecutionId"]
    body = aws("s3").get_object(Bucket="lake", Key=f"results/{number}.csv")["Body"].read()
    assert body == b'"x","Y","z"\n"a ""b""\nc","",\n"d","e,f","g"\n'
    rows = queries.client.get_query_results(QueryExecutionId=number)["ResultSet"]["Rows"]
    assert [[c.get("VarCharValue") for c in r["Data"]] for r in rows] == [
        ["x", "Y", "z"],
        ['a "b"\nc', "", None],
        ["d", "e,f", "g"],
    ]


def test_ddl_writes_lines_and_has_no_header(queries: Queries, aws: Client) -> None:
    execution = queries.run("SHOW DATABASES")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("UTILITY", "SHOW_DATABASES")
    key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://lake/")
    assert key.endswith(".txt")
    assert aws("s3").get_object(Bucket="lake", Key=key)["Body"].read() == b"db\n"
    answer = queries.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert answer["ResultSet"]["Rows"] == [{"Data": [{"VarCharValue": "db"}]}]
    assert answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]["Name"] == "database_name"


def test_results_come_in_pages(queries: Queries) -> None:
    sql = "SELECT n, rpad('ä', 300, 'ö') FROM UNNEST(sequence(1, 5000)) AS t(n) ORDER BY n"
    number = queries.run(sql)["QueryExecutionId"]
    pages = list(queries.client.get_paginator("get_query_results").paginate(QueryExecutionId=number))
    assert [len(p["ResultSet"]["Rows"]) for p in pages] == [1000] * 5 + [1]
    values = [r["Data"][0]["VarCharValue"] for p in pages for r in p["ResultSet"]["Rows"]]
    assert values == ["n", *(str(n) for n in range(1, 5001))]
    first = queries.client.get_query_results(QueryExecutionId=number, MaxResults=2)
    assert len(first["ResultSet"]["Rows"]) == 2
    code, _ = refused(queries.client.get_query_results, QueryExecutionId=number, NextToken="nonsense")
    assert code == "InvalidRequestException"


def test_without_a_place_for_results_nothing_starts(queries: Queries) -> None:
    code, message = refused(queries.client.start_query_execution, QueryString="SELECT 1")
    assert code == "InvalidRequestException"
    assert message.startswith("No output location provided.")
    location = {"OutputLocation": "nowhere"}
    assert (
        refused(queries.client.start_query_execution, QueryString="SELECT 1", ResultConfiguration=location)[0] == code
    )
    missing = queries.failure("SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-bucket/"})
    assert missing == "Unable to verify/create output bucket no-such-bucket"


@pytest.mark.parametrize("sql", ["SELEC 1", "", ";", "-- only a comment", "GRANT ALL"])
def test_what_is_no_statement_does_not_start(queries: Queries, sql: str) -> None:
    location = {"OutputLocation": RESULTS}
    parameters = {"QueryString": sql or " ", "ResultConfiguration": location}
    assert refused(queries.client.start_query_execution, **parameters)[0] == "InvalidRequestException"


def test_a_request_token_starts_one_query_only(queries: Queries) -> None:
    token = "t" * 32
    first = queries.start("SELECT 1", ClientRequestToken=token)
    assert queries.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        queries.start("SELECT 2", ClientRequestToken=token)


def test_a_token_used_at_the_same_moment_starts_one_query_only(queries: Queries) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(queries.start("SELECT 7", ClientRequestToken="s" * 32)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_stopping_a_query_really_stops_it(queries: Queries, endpoint: EndpointProcess) -> None:
    number = queries.start(ENDLESS)
    while queries.client.get_query_execution(QueryExecutionId=number)["QueryExecution"]["Status"]["State"] == "QUEUED":
        time.sleep(0.01)
    queries.client.stop_query_execution(QueryExecutionId=number)
    execution = queries.wait(number)
    assert execution["Status"]["State"] == "CANCELLED"
    assert queries.rows("SELECT 2") == [["2"]]
    queries.client.stop_query_execution(QueryExecutionId=number)  # once more is no error
    assert queries.wait(number)["Status"] == execution["Status"]


def test_queries_beyond_the_workers_wait_and_ddl_goes_on(queries: Queries) -> None:
    busy = [queries.start(ENDLESS) for _ in range(2)]
    waiting = queries.start("SELECT 3")
    assert queries.rows("SHOW DATABASES") == [["db"]]
    states = queries.client.batch_get_query_execution(QueryExecutionIds=[waiting, "no"])
    assert states["QueryExecutions"][0]["Status"]["State"] == "QUEUED"
    assert states["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == "no"
    for number in busy:
        queries.client.stop_query_execution(QueryExecutionId=number)
    assert queries.wait(waiting)["Status"]["State"] == "SUCCEEDED"


def test_a_stopped_query_that_never_ran_is_cancelled(queries: Queries) -> None:
    busy = [queries.start(ENDLESS) for _ in range(2)]
    waiting = queries.start("SELECT 3")
    for number in (waiting, *busy):
        queries.client.stop_query_execution(QueryExecutionId=number)
    assert queries.wait(waiting)["Status"]["State"] == "CANCELLED"


def test_a_worker_that_dies_fails_its_query_and_nothing_else(queries: Queries, endpoint: EndpointProcess) -> None:
    queries.run("SELECT 3")  # by a worker that has loaded, and that is taken again
    number = queries.start(ENDLESS)
    time.sleep(0.3)
    kill_workers(endpoint)
    status = queries.wait(number)["Status"]
    assert (status["State"], status["AthenaError"]["ErrorCategory"]) == ("FAILED", 1)
    assert queries.rows("SELECT 4") == [["4"]]


def test_idle_workers_that_die_are_replaced(queries: Queries, endpoint: EndpointProcess) -> None:
    kill_workers(endpoint)
    assert queries.rows("SELECT 5") == [["5"]]


def kill_workers(endpoint: EndpointProcess) -> None:
    assert endpoint.process is not None
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        number, parent, command = line.split(None, 2)
        if int(parent) == endpoint.process.pid and "localaws.athena.worker" in command:
            subprocess.run(["kill", "-9", number], check=True)


def test_the_history_is_newest_first_and_survives_a_kill(queries: Queries, endpoint: EndpointProcess) -> None:
    done = [queries.run(f"SELECT {i}")["QueryExecutionId"] for i in range(3)]
    running = queries.start(ENDLESS)
    time.sleep(0.2)
    endpoint.kill()
    endpoint.start()
    status = queries.wait(running)["Status"]
    assert (status["State"], status["AthenaError"]["ErrorCategory"]) == ("FAILED", 1)
    listed = queries.client.list_query_executions(MaxResults=2)
    assert listed["QueryExecutionIds"] == [running, done[2]]
    more = queries.client.list_query_executions(MaxResults=2, NextToken=listed["NextToken"])
    assert more["QueryExecutionIds"] == [done[1], done[0]]
    rows = queries.client.get_query_results(QueryExecutionId=done[0])["ResultSet"]["Rows"]
    assert rows[1] == {"Data": [{"VarCharValue": "0"}]}


def test_workers_end_with_the_endpoint(tmp_path: Path) -> None:
    endpoint = EndpointProcess(tmp_path / "data", ("--bare",))
    endpoint.start()
    endpoint.client("s3").create_bucket(Bucket="lake")
    queries = Queries(endpoint.client("athena"), database="default")
    queries.start(ENDLESS)
    time.sleep(0.5)
    endpoint.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and workers_of(tmp_path):
        time.sleep(0.05)
    assert not workers_of(tmp_path)


def workers_of(directory: Path) -> list[str]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,command="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(directory) in line and "localaws.athena.worker" in line]


def test_an_unknown_query_is_an_invalid_request(queries: Queries) -> None:
    for call in (
        queries.client.get_query_execution,
        queries.client.get_query_results,
        queries.client.stop_query_execution,
    ):
        code, message = refused(call, QueryExecutionId="nope")
        assert (code, message) == ("InvalidRequestException", "QueryExecution nope was not found")


def test_a_workgroups_settings_rule_its_queries(queries: Queries, aws: Client) -> None:
    client = queries.client
    forced = {"ResultConfiguration": {"OutputLocation": "s3://lake/forced/"}, "EnforceWorkGroupConfiguration": True}
    client.create_work_group(Name="team", Configuration=forced, Description="ours", Tags=[{"Key": "a", "Value": "1"}])
    execution = queries.run("SELECT 1", WorkGroup="team")
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/forced/")
    assert client.list_query_executions(WorkGroup="team")["QueryExecutionIds"] == [execution["QueryExecutionId"]]

    group = client.get_work_group(WorkGroup="team")["WorkGroup"]
    assert (group["State"], group["Description"]) == ("ENABLED", "ours")
    assert group["Configuration"]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    updates = {"EnforceWorkGroupConfiguration": False, "ResultConfigurationUpdates": {"RemoveOutputLocation": True}}
    client.update_work_group(WorkGroup="team", ConfigurationUpdates=updates, State="ENABLED")
    assert queries.run("SELECT 1", WorkGroup="team")["ResultConfiguration"]["OutputLocation"].startswith(RESULTS)
    client.update_work_group(WorkGroup="team", State="DISABLED")
    assert refused(queries.start, sql="SELECT 1", WorkGroup="team")[0] == "InvalidRequestException"

    arn = "arn:aws:athena:us-east-1:000000000000:workgroup/team"
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert [g["Name"] for g in client.list_work_groups()["WorkGroups"]] == ["primary", "team"]
    assert refused(client.create_work_group, Name="team") == ("InvalidRequestException", "WorkGroup is already created")
    client.delete_work_group(WorkGroup="team")
    assert refused(client.get_work_group, WorkGroup="team")[1] == "WorkGroup team is not found."
    assert refused(client.delete_work_group, WorkGroup="primary")[0] == "InvalidRequestException"


def test_a_workgroup_keeps_the_engine_version_that_it_was_given(queries: Queries) -> None:
    client, third = queries.client, "Athena engine version 3"
    client.create_work_group(Name="third", Configuration={"EngineVersion": {"SelectedEngineVersion": third}})

    def engine() -> dict[str, str]:
        found: dict[str, str] = client.get_work_group(WorkGroup="third")["WorkGroup"]["Configuration"]["EngineVersion"]
        return found

    assert engine() == {"SelectedEngineVersion": third, "EffectiveEngineVersion": third}
    assert queries.run("SELECT 1", WorkGroup="third")["EngineVersion"] == engine()
    automatic = {"EngineVersion": {"SelectedEngineVersion": "AUTO"}}
    client.update_work_group(WorkGroup="third", ConfigurationUpdates=automatic)
    assert engine() == {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": third}
    client.update_work_group(WorkGroup="third", ConfigurationUpdates={"BytesScannedCutoffPerQuery": 10_000_000})
    assert engine()["SelectedEngineVersion"] == "AUTO", "what an update does not name stays"
    spark = {"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}}
    code, text = refused(client.update_work_group, WorkGroup="third", ConfigurationUpdates=spark)
    assert code == "InvalidRequestException"
    assert "PySpark engine version 3" in text
    assert refused(client.create_work_group, Name="spark", Configuration=spark)[0] == code


def test_managed_results_are_kept_by_athena_for_a_day(queries: Queries, aws: Client, endpoint: EndpointProcess) -> None:
    kept = {"EnforceWorkGroupConfiguration": True, "ManagedQueryResultsConfiguration": {"Enabled": True}}
    queries.client.create_work_group(Name="managed", Configuration=kept)
    place = {"QueryExecutionContext": {"Database": "db"}, "WorkGroup": "managed"}
    number = queries.client.start_query_execution(QueryString="SELECT 1 AS a, 'x' AS b", **place)["QueryExecutionId"]
    execution = queries.wait(number)
    assert execution["ManagedQueryResultsConfiguration"] == {"Enabled": True}
    assert "OutputLocation" not in execution["ResultConfiguration"]
    rows = queries.client.get_query_results(QueryExecutionId=number)["ResultSet"]["Rows"]
    assert [[c["VarCharValue"] for c in r["Data"]] for r in rows] == [["a", "b"], ["1", "x"]]
    assert not [o for o in aws("s3").list_objects_v2(Bucket="lake").get("Contents", []) if number in o["Key"]]

    ctas = "CREATE TABLE kept {} AS SELECT 1 AS a"
    started = [queries.client.start_query_execution(QueryString=ctas.format(w), **place)["QueryExecutionId"]
               for w in ("", "WITH (external_location = 's3://lake/kept/')")]  # fmt: skip
    assert [queries.wait(n)["Status"]["State"] for n in started] == ["FAILED", "SUCCEEDED"]
    queries.run("DROP TABLE kept")
    assert refused(queries.start, sql="SELECT 1", WorkGroup="managed")[0] == "InvalidRequestException"

    (file,) = endpoint.data_dir.rglob(number)
    day = time.time() - 24 * 3600
    os.utime(file, (day, day))
    assert "kept for a day" in refused(queries.client.get_query_results, QueryExecutionId=number)[1]
    again = queries.client.start_query_execution(QueryString="SELECT 2", **place)["QueryExecutionId"]
    queries.wait(again)
    assert not file.exists()


def test_a_workgroup_has_managed_results_or_a_place_for_them(queries: Queries) -> None:
    kept = {"ManagedQueryResultsConfiguration": {"Enabled": True}}
    both = kept | {"ResultConfiguration": {"OutputLocation": RESULTS}}
    client = queries.client
    assert refused(client.create_work_group, Name="both", Configuration=both)[0] == "InvalidRequestException"
    client.create_work_group(Name="either", Configuration=kept)
    back = {
        "ManagedQueryResultsConfigurationUpdates": {"Enabled": False},
        "ResultConfigurationUpdates": {"OutputLocation": RESULTS},
    }
    client.update_work_group(WorkGroup="either", ConfigurationUpdates=back)
    number = client.start_query_execution(QueryString="SELECT 1", WorkGroup="either")["QueryExecutionId"]
    assert queries.wait(number)["ResultConfiguration"]["OutputLocation"] == f"{RESULTS}{number}.csv"


def test_a_query_that_reads_more_than_its_workgroup_allows_is_cancelled(queries: Queries, aws: Client) -> None:
    client, limit = queries.client, 10_000_000  # the smallest that there is
    client.create_work_group(Name="thrifty", Configuration={"BytesScannedCutoffPerQuery": limit})
    queries.run("CREATE DATABASE thrifty")
    for name, size in (("little", 1000), ("much", limit + 100)):
        aws("s3").put_object(Bucket="lake", Key=f"{name}/1.csv", Body=(b"x" * 99 + b"\n") * (size // 100))
        queries.run(f"CREATE EXTERNAL TABLE thrifty.{name} (x string) LOCATION 's3://lake/{name}/'")
    assert (
        queries.run("SELECT count(*) FROM thrifty.little", WorkGroup="thrifty")["Statistics"]["DataScannedInBytes"]
        == 1000
    )
    execution = queries.wait(queries.start("SELECT count(x) FROM thrifty.much", WorkGroup="thrifty"))
    status = execution["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Bytes scanned limit was exceeded")
    assert execution["Statistics"]["DataScannedInBytes"] > limit
    assert refused(client.get_query_results, QueryExecutionId=execution["QueryExecutionId"])[0]
    assert queries.run("SELECT count(x) FROM thrifty.much")["Status"]["State"] == "SUCCEEDED", "another workgroup's"
    queries.run("DROP DATABASE thrifty CASCADE")


def test_named_queries_and_prepared_statements_are_kept(queries: Queries) -> None:
    client = queries.client
    number = client.create_named_query(Name="n", Database="db", QueryString="SELECT 1")["NamedQueryId"]
    assert client.get_named_query(NamedQueryId=number)["NamedQuery"]["QueryString"] == "SELECT 1"
    assert client.list_named_queries()["NamedQueryIds"] == [number]
    batch = client.batch_get_named_query(NamedQueryIds=[number, "no"])
    assert (len(batch["NamedQueries"]), len(batch["UnprocessedNamedQueryIds"])) == (1, 1)
    client.delete_named_query(NamedQueryId=number)
    assert client.list_named_queries()["NamedQueryIds"] == []

    names = {"WorkGroup": "primary", "StatementName": "s"}
    client.create_prepared_statement(**names, QueryStatement="SELECT ?")
    client.update_prepared_statement(**names, QueryStatement="SELECT ? + 1")
    assert client.get_prepared_statement(**names)["PreparedStatement"]["QueryStatement"] == "SELECT ? + 1"
    assert len(client.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]) == 1
    client.delete_prepared_statement(**names)
    assert refused(client.get_prepared_statement, **names)[0] == "ResourceNotFoundException"


def test_the_catalog_is_seen_through_athena_too(queries: Queries) -> None:
    client = queries.client
    queries.run("CREATE EXTERNAL TABLE seen (a int COMMENT 'x') PARTITIONED BY (d string) LOCATION 's3://lake/no/'")
    names = {"CatalogName": "AwsDataCatalog", "DatabaseName": "db"}
    assert client.list_data_catalogs()["DataCatalogsSummary"][0]["CatalogName"] == "AwsDataCatalog"
    assert client.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"
    assert [d["Name"] for d in client.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]] == ["db"]
    table = client.get_table_metadata(**names, TableName="seen")["TableMetadata"]
    assert table["Columns"] == [{"Name": "a", "Type": "int", "Comment": "x"}]
    assert table["PartitionKeys"] == [{"Name": "d", "Type": "string"}]
    assert len(client.list_table_metadata(**names)["TableMetadataList"]) == 1
    assert refused(client.get_table_metadata, **names, TableName="no")[0] == "MetadataException"
