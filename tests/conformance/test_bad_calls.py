"""Bad input gets AWS's own error and status, and nothing of it crashes or wedges the endpoint: calls of the JSON, query and
REST-JSON protocols.

What each service's own tests say of its bad input is not repeated here: this is what they have in common.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sender import BUCKET, Sender

Client = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("unharmed")


UNKNOWN: list[tuple[str, str, dict[str, Any], str, int]] = [
    ("s3", "list_objects_v2", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "get_object", {"Bucket": "nobody", "Key": "k"}, "NoSuchBucket", 404),
    ("s3", "put_object", {"Bucket": "nobody", "Key": "k", "Body": b"x"}, "NoSuchBucket", 404),
    ("s3", "delete_object", {"Bucket": "nobody", "Key": "k"}, "NoSuchBucket", 404),
    ("s3", "delete_bucket", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "head_bucket", {"Bucket": "nobody"}, "404", 404),
    ("s3", "get_bucket_policy", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "get_bucket_notification_configuration", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "create_multipart_upload", {"Bucket": "nobody", "Key": "k"}, "NoSuchBucket", 404),
    ("s3", "copy_object", {"Bucket": BUCKET, "Key": "k", "CopySource": "nobody/k"}, "NoSuchBucket", 404),
    ("firehose", "delete_delivery_stream", {"DeliveryStreamName": "nobody"}, "ResourceNotFoundException", 400),
    ("firehose", "list_tags_for_delivery_stream", {"DeliveryStreamName": "nobody"}, "ResourceNotFoundException", 400),
    ("glue", "get_database", {"Name": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "delete_database", {"Name": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "get_tables", {"DatabaseName": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "get_table", {"DatabaseName": "bad_input", "Name": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "create_table", {"DatabaseName": "nobody", "TableInput": {"Name": "t"}}, "EntityNotFoundException", 400),
    ("glue", "get_partitions", {"DatabaseName": "bad_input", "TableName": "nobody"}, "EntityNotFoundException", 400),
    (
        "glue",
        "get_partition",
        {"DatabaseName": "bad_input", "TableName": "t", "PartitionValues": ["1"]},
        "EntityNotFoundException",
        400,
    ),
    ("lambda", "invoke", {"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
    ("lambda", "invoke", {"FunctionName": "nobody", "InvocationType": "Event"}, "ResourceNotFoundException", 404),
    ("lambda", "delete_function", {"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
    ("athena", "get_query_execution", {"QueryExecutionId": "nobody"}, "InvalidRequestException", 400),
    ("athena", "get_query_results", {"QueryExecutionId": "../../credentials"}, "InvalidRequestException", 400),
    ("athena", "stop_query_execution", {"QueryExecutionId": "nobody"}, "InvalidRequestException", 400),
    ("athena", "get_work_group", {"WorkGroup": "nobody"}, "InvalidRequestException", 400),
    ("athena", "start_query_execution", {"QueryString": "SELECT 1", "WorkGroup": "no"}, "InvalidRequestException", 400),
    ("athena", "get_named_query", {"NamedQueryId": "nobody"}, "InvalidRequestException", 400),
    (
        "athena",
        "get_prepared_statement",
        {"StatementName": "no", "WorkGroup": "primary"},
        "ResourceNotFoundException",
        400,
    ),
    ("athena", "get_database", {"CatalogName": "AwsDataCatalog", "DatabaseName": "nobody"}, "MetadataException", 400),
    ("logs", "get_log_events", {"logGroupName": "nobody", "logStreamName": "s"}, "ResourceNotFoundException", 400),
    ("iam", "get_role", {"RoleName": "nobody"}, "NoSuchEntity", 404),
    ("sqs", "get_queue_url", {"QueueName": "nobody"}, "NonExistentQueue", 400),
    ("ssm", "get_parameter", {"Name": "nobody"}, "ParameterNotFound", 400),
]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "status"), UNKNOWN, ids=[f"{c[0]} {c[1]}" for c in UNKNOWN]
)
def test_what_is_not_there_is_not_found_in_the_services_own_words(
    aws: Client, service: str, operation: str, parameters: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(aws(service), operation)(**parameters)
    answer = refused.value.response
    assert (answer["Error"]["Code"].rpartition(".")[2], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


JSON = {
    "firehose": "Firehose_20150804.DescribeDeliveryStream",
    "glue": "AWSGlue.GetTables",
    "athena": "AmazonAthena.GetQueryExecution",
    "logs": "Logs_20140328.GetLogEvents",
    "sqs": "AmazonSQS.CreateQueue",
    "ssm": "AmazonSSM.GetParameter",
    "kms": "TrentService.Encrypt",
}
UNREADABLE = [b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b'{"a":1}}']
INVALID = [b"{}", b"[{}]", b'{"%b":5}', b'{"%b":{}}', b'{"%b":[["x"]]}', b'{"%b":' + b"9" * 400 + b"}"]
NAMES = {
    "firehose": b"DeliveryStreamName",
    "glue": b"DatabaseName",
    "athena": b"QueryExecutionId",
    "logs": b"logStreamName",
    "sqs": b"QueueName",
    "ssm": b"Name",
    "kms": b"KeyId",
}


@pytest.mark.parametrize("service", JSON)
def test_a_body_that_is_no_json_object_is_a_serialization_error(send: Sender, service: str) -> None:
    for body in UNREADABLE:
        assert send.json(service, JSON[service], body) == (400, "SerializationException"), body[:20]


@pytest.mark.parametrize("service", JSON)
def test_missing_and_wrong_typed_parameters_are_refused(send: Sender, service: str) -> None:
    for body in INVALID:
        status, code = send.json(service, JSON[service], body.replace(b"%b", NAMES[service]))
        assert (status, code in {"ValidationException", "SerializationException"}) == (400, True), (body[:20], code)


@pytest.mark.parametrize("service", JSON)
def test_half_a_surrogate_pair_is_no_name(send: Sender, service: str) -> None:
    body = b'{"%b":"\\ud800","DeliveryStreamName":"\\udfff"}'.replace(b"%b", NAMES[service])
    assert send.json(service, JSON[service], body)[0] == 400


@pytest.mark.parametrize("service", JSON)
def test_an_operation_that_there_is_not_is_refused(send: Sender, service: str) -> None:
    prefix = JSON[service].partition(".")[0]
    for target in (f"{prefix}.MakeCoffee", prefix, ".", "x" * 1000):
        status, _ = send.json(service, target, b"{}")
        assert status in {400, 404, 501}, target


@pytest.mark.parametrize(
    ("service", "operation", "body", "code"),
    [
        ("firehose", "ListDeliveryStreams", b'{"Limit":-1}', "ValidationException"),
        ("firehose", "PutRecord", b'{"DeliveryStreamName":"bad-input","Record":{"Data":null}}', None),
        ("firehose", "PutRecordBatch", b'{"DeliveryStreamName":"bad-input","Records":[]}', "ValidationException"),
        ("firehose", "PutRecordBatch", b'{"DeliveryStreamName":"bad-input","Records":[null]}', None),
        ("glue", "GetTables", b'{"DatabaseName":"bad_input","NextToken":"\\u00b2"}', "InvalidInputException"),
        ("glue", "GetTables", b'{"DatabaseName":"bad_input","Expression":"("}', "InvalidInputException"),
        (
            "glue",
            "GetPartitions",
            b'{"DatabaseName":"bad_input","TableName":"t","Expression":"%b"}' % (b"(" * 9000),
            None,
        ),
        (
            "glue",
            "GetPartitions",
            b'{"DatabaseName":"bad_input","TableName":"t","Expression":"%b a"}' % (b"NOT " * 9000),
            None,
        ),
        ("glue", "CreateTable", b'{"DatabaseName":"bad_input","TableInput":{"Name":"u","LastAccessTime":1e30}}', None),
        (
            "glue",
            "CreatePartition",
            b'{"DatabaseName":"bad_input","TableName":"t","PartitionInput":{"Values":[]}}',
            None,
        ),
        ("athena", "ListQueryExecutions", b'{"NextToken":"\\u00b2"}', "InvalidRequestException"),
        ("athena", "ListQueryExecutions", b'{"NextToken":"%b"}' % (b"9" * 40), "InvalidRequestException"),
        ("athena", "ListWorkGroups", b'{"NextToken":"%b"}' % (b"9" * 1000), "InvalidRequestException"),
        ("athena", "StartQueryExecution", b'{"QueryString":";;"}', "InvalidRequestException"),
        ("athena", "StartQueryExecution", b'{"QueryString":"%b"}' % (b"x" * 262145), None),
        ("logs", "FilterLogEvents", b'{"logGroupName":"../../../../../var/log"}', "ResourceNotFoundException"),
        ("sqs", "ReceiveMessage", b'{"QueueUrl":"x","WaitTimeSeconds":"soon"}', None),
    ],
)
def test_a_value_that_can_not_be_is_refused(
    send: Sender, service: str, operation: str, body: bytes, code: str | None
) -> None:
    status, found = send.json(service, f"{JSON[service].partition('.')[0]}.{operation}", body)
    assert (status, found) == (400, code or found)


def test_null_is_as_good_as_nothing(send: Sender) -> None:
    body = b'{"QueryString":"SELECT 1","QueryExecutionContext":{"Database":null},"ResultConfiguration":{"OutputLocation":"s3://bad-input/r/"}}'
    assert send.json("athena", "AmazonAthena.StartQueryExecution", body)[0] == 200


@pytest.mark.parametrize(
    "body", [b"", b"Action=", b"Action=MakeCoffee&Version=1", b"\xff\xfe", b"&" * 10_000, b"%zz=%"]
)
@pytest.mark.parametrize("service", ["iam", "sts", "sns"])
def test_a_form_that_names_no_action_is_refused(send: Sender, service: str, body: bytes) -> None:
    answer = send(service, "POST", "/", body, {"content-type": "application/x-www-form-urlencoded"})
    assert answer.status in {400, 404, 501}
    assert b"<Error>" in answer.body


def test_a_region_that_can_not_be_is_refused(send: Sender) -> None:
    elsewhere = replace(send, region="us.east")
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = elsewhere("iam", "POST", "/", b"Action=ListUsers&Version=2010-05-08", form)
    assert (answer.status, b"<Code>InvalidSignatureException</Code>" in answer.body) == (403, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/2015-03-31/functions", b"[]", 400),
        ("POST", "/2015-03-31/functions", b"{", 400),
        ("POST", "/2015-03-31/functions", b"{}", 400),
        ("POST", "/2015-03-31/functions", b'{"FunctionName":"\\ud800","Role":"r","Code":{}}', 400),
        ("POST", "/2015-03-31/functions", b'{"FunctionName":"f","Role":"r","Code":{"ZipFile":5}}', 400),
        ("GET", "/2015-03-31/functions/?MaxItems=x", b"", 400),
        ("GET", "/2015-03-31/functions/?Marker=%C2%B2", b"", 400),
        ("GET", "/2015-03-31/functions/%00", b"", 400),
        ("POST", "/2015-03-31/functions/nobody/invocations", b"[" * 100_000, 400),
        ("PATCH", "/2015-03-31/functions/nobody", b"", 501),
        ("GET", "/no/such/route", b"", 501),
    ],
)
def test_lambda_refuses_bad_routes_and_bodies(send: Sender, method: str, path: str, body: bytes, status: int) -> None:
    answer = send("lambda", method, path, body)
    assert (answer.status, "__type" in json.loads(answer.body)) == (status, True)
