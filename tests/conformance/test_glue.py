"""Glue's Data Catalog through boto3: what the Terraform provider, processors and query engines ask of it."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess

Client = Callable[..., Any]
KEYS = [{"Name": "year", "Type": "string"}, {"Name": "n", "Type": "int"}]


@pytest.fixture(scope="module")
def glue(aws: Client) -> Any:
    client = aws("glue")
    client.create_database(DatabaseInput={"Name": "db", "Description": "test"})
    return client


def table(name: str, **changes: Any) -> dict[str, Any]:
    storage = {"Columns": [{"Name": "a", "Type": "bigint", "Comment": "first"}], "Location": f"s3://lake/{name}/"}
    return {"Name": name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": KEYS, "StorageDescriptor": storage} | changes


def partition(*values: str) -> dict[str, Any]:
    return {"Values": list(values), "StorageDescriptor": {"Location": f"s3://lake/t/{'/'.join(values)}/"}}


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    return error.value.response["Error"]["Code"], error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_database_comes_back_as_it_was_made(glue: Any) -> None:
    database = glue.get_database(Name="DB")["Database"]
    assert (database["Name"], database["Description"], database["CatalogId"]) == ("db", "test", "000000000000")
    assert database["CreateTableDefaultPermissions"][0]["Permissions"] == ["ALL"]
    glue.update_database(Name="db", DatabaseInput={"Name": "db", "Description": "changed"})
    assert glue.get_database(Name="db")["Database"]["Description"] == "changed"
    assert [d["Name"] for d in glue.get_databases()["DatabaseList"]] == ["db"]


@pytest.mark.parametrize(
    ("call", "parameters", "expected"),
    [
        ("create_database", {"DatabaseInput": {"Name": "DB"}}, "AlreadyExistsException"),
        ("get_database", {"Name": "no"}, "EntityNotFoundException"),
        ("delete_database", {"Name": "no"}, "EntityNotFoundException"),
        ("get_tables", {"DatabaseName": "no"}, "EntityNotFoundException"),
        ("get_table", {"DatabaseName": "db", "Name": "no"}, "EntityNotFoundException"),
        ("delete_table", {"DatabaseName": "db", "Name": "no"}, "EntityNotFoundException"),
        ("create_table", {"DatabaseName": "no", "TableInput": {"Name": "t"}}, "EntityNotFoundException"),
        ("get_partitions", {"DatabaseName": "db", "TableName": "no"}, "EntityNotFoundException"),
        (
            "batch_create_partition",
            {"DatabaseName": "db", "TableName": "no", "PartitionInputList": [partition("1", "2")]},
            "EntityNotFoundException",
        ),
    ],
)
def test_errors_are_glues(glue: Any, call: str, parameters: dict[str, Any], expected: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(glue, call)(**parameters)
    assert code(error) == (expected, 400)


def test_a_table_is_lower_case_versioned_and_complete(glue: Any) -> None:
    glue.create_table(DatabaseName="db", TableInput=table("Versions", Parameters={"classification": "json"}))
    made = glue.get_table(DatabaseName="db", Name="VERSIONS")["Table"]
    assert (made["Name"], made["DatabaseName"], made["VersionId"], made["Retention"]) == ("versions", "db", "0", 0)
    assert made["StorageDescriptor"]["Columns"] == [{"Name": "a", "Type": "bigint", "Comment": "first"}]
    assert made["StorageDescriptor"]["Compressed"] is False
    assert made["IsRegisteredWithLakeFormation"] is False
    assert made["Parameters"] == {"classification": "json"}

    glue.update_table(DatabaseName="db", TableInput=table("versions", Description="second"))
    assert glue.get_table(DatabaseName="db", Name="versions")["Table"]["VersionId"] == "1"
    versions = glue.get_table_versions(DatabaseName="db", TableName="versions")["TableVersions"]
    assert [v["VersionId"] for v in versions] == ["1", "0"]
    with pytest.raises(ClientError) as error:
        glue.update_table(DatabaseName="db", TableInput=table("versions"), VersionId="0")
    assert code(error)[0] == "ConcurrentModificationException"


def test_tables_are_found_by_what_their_metadata_says(glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "searched"})
    glue.create_table(DatabaseName="searched", TableInput=table("one") | {"Parameters": {"classification": "Orcish"}})
    glue.create_table(DatabaseName="searched", TableInput=table("two") | {"Description": "an orc, too"})

    def found(text: str) -> list[str]:
        return [t["Name"] for t in glue.search_tables(SearchText=text)["TableList"]]

    assert found("orc") == ["one", "two"]
    assert found('"orcish"') == ["one"]
    assert found('"orc"') == []
    assert found("searched") == ["one", "two"]
    assert found("storagedescriptor") == []


def test_tables_are_listed_by_pattern_and_page(glue: Any) -> None:
    glue.create_database(DatabaseInput={"Name": "many"})
    for i in range(5):
        glue.create_table(DatabaseName="many", TableInput=table(f"t{i}"))
    names = [t["Name"] for t in glue.get_tables(DatabaseName="many", Expression="t[0-2]")["TableList"]]
    assert names == ["t0", "t1", "t2"]
    assert len(glue.get_tables(DatabaseName="many", Expression="t*")["TableList"]) == 5
    pages = glue.get_paginator("get_tables").paginate(DatabaseName="many", PaginationConfig={"PageSize": 2})
    assert [t["Name"] for p in pages for t in p["TableList"]] == [f"t{i}" for i in range(5)]
    assert glue.batch_delete_table(DatabaseName="many", TablesToDelete=["t0", "no"])["Errors"][0]["TableName"] == "no"
    glue.delete_database(Name="many")
    with pytest.raises(ClientError):
        glue.get_table(DatabaseName="many", Name="t1")


def test_tags_are_on_databases(glue: Any) -> None:
    arn = "arn:aws:glue:us-east-1:000000000000:database/tagged"
    glue.create_database(DatabaseInput={"Name": "tagged"}, Tags={"a": "1"})
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"b": "2"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["a"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"b": "2"}


def test_a_partition_lives_under_its_values(glue: Any) -> None:
    glue.create_table(DatabaseName="db", TableInput=table("one"))
    names = {"DatabaseName": "db", "TableName": "one"}
    glue.create_partition(**names, PartitionInput=partition("2025", "1"))
    with pytest.raises(ClientError) as error:
        glue.create_partition(**names, PartitionInput=partition("2025", "1"))
    assert code(error)[0] == "AlreadyExistsException"
    with pytest.raises(ClientError) as error:
        glue.create_partition(**names, PartitionInput=partition("2025"))
    assert code(error)[0] == "InvalidInputException"

    glue.update_partition(**names, PartitionValueList=["2025", "1"], PartitionInput=partition("2026", "1"))
    assert glue.get_partition(**names, PartitionValues=["2026", "1"])["Partition"]["Values"] == ["2026", "1"]
    with pytest.raises(ClientError) as error:
        glue.get_partition(**names, PartitionValues=["2025", "1"])
    assert code(error)[0] == "EntityNotFoundException"
    found = glue.batch_get_partition(**names, PartitionsToGet=[{"Values": ["2026", "1"]}, {"Values": ["1", "1"]}])
    assert len(found["Partitions"]) == 1
    glue.delete_partition(**names, PartitionValues=["2026", "1"])
    assert glue.get_partitions(**names)["Partitions"] == []
    assert glue.get_partition_indexes(**names)["PartitionIndexDescriptorList"] == []


def test_a_batch_says_which_partitions_were_there(glue: Any) -> None:
    glue.create_table(DatabaseName="db", TableInput=table("batch"))
    names = {"DatabaseName": "db", "TableName": "batch"}
    assert glue.batch_create_partition(**names, PartitionInputList=[partition("1", "1")])["Errors"] == []
    answer = glue.batch_create_partition(**names, PartitionInputList=[partition("1", "1"), partition("1", "2")])
    (error,) = answer["Errors"]
    assert (error["PartitionValues"], error["ErrorDetail"]["ErrorCode"]) == (["1", "1"], "AlreadyExistsException")
    assert len(glue.get_partitions(**names)["Partitions"]) == 2
    with pytest.raises(ClientError) as failure:
        glue.batch_create_partition(**names, PartitionInputList=[partition("9", str(i)) for i in range(101)])
    assert code(failure)[0] == "ValidationException"


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("", 40),
        ("year = '2025'", 20),
        ("year='2025' AND n = 3", 1),
        ("n > 9", 20),
        ("n BETWEEN 5 AND 6", 4),
        ("n NOT IN (0, 1) and year <> '2024'", 18),
        ("year LIKE '%24' OR (n = 1)", 21),
        ("NOT (year = '2025')", 20),
        ("n >= 19.5", 0),
        ("year IS NOT NULL", 40),
    ],
)
def test_partitions_are_filtered_by_an_expression(forty: Any, expression: str, count: int) -> None:
    answer = forty.get_partitions(DatabaseName="db", TableName="forty", Expression=expression)
    assert len(answer["Partitions"]) == count


@pytest.mark.parametrize("expression", ["year =", "nope = 1", "year = '1' garbage", "year ~ 1", "n = 'x'"])
def test_an_expression_that_is_wrong_is_refused(forty: Any, expression: str) -> None:
    with pytest.raises(ClientError) as error:
        forty.get_partitions(DatabaseName="db", TableName="forty", Expression=expression)
    assert code(error)[0] == "InvalidInputException"


def test_pages_and_segments_give_every_partition_once(forty: Any) -> None:
    names = {"DatabaseName": "db", "TableName": "forty"}
    pages = forty.get_paginator("get_partitions").paginate(**names, PaginationConfig={"PageSize": 7})
    paged = [tuple(p["Values"]) for page in pages for p in page["Partitions"]]
    segments = [
        forty.get_partitions(**names, Segment={"SegmentNumber": i, "TotalSegments": 3})["Partitions"] for i in range(3)
    ]
    assert len(paged) == len(set(paged)) == 40
    assert sorted(tuple(p["Values"]) for s in segments for p in s) == sorted(paged)


@pytest.fixture(scope="module")
def forty(glue: Any) -> Any:
    glue.create_table(DatabaseName="db", TableInput=table("forty"))
    inputs = [partition(year, str(n)) for year in ("2024", "2025") for n in range(20)]
    glue.batch_create_partition(DatabaseName="db", TableName="forty", PartitionInputList=inputs)
    return glue


def test_a_kill_loses_nothing(glue: Any, endpoint: EndpointProcess) -> None:
    glue.create_table(DatabaseName="db", TableInput=table("durable"))
    glue.create_partition(DatabaseName="db", TableName="durable", PartitionInput=partition("1", "2"))
    endpoint.kill()
    endpoint.start()
    assert glue.get_partition(DatabaseName="db", TableName="durable", PartitionValues=["1", "2"])
