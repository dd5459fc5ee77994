"""One of each resource, as boto3 makes it, and everything that can be said of them: for tests of what a crash leaves."""

import json
from collections.abc import Callable
from typing import Any

from endpoint_process import eventually
from lambda_functions import package

Client = Callable[..., Any]
Make = Callable[[Client], object]

ROLE = "arn:aws:iam::000000000000:role/restart"
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/restart"
TOPIC = "arn:aws:sns:us-east-1:000000000000:restart"
LAKE = {"Bucket": "restart"}
KEY_RULE = {"ID": "raw", "Status": "Enabled", "Filter": {"Prefix": "raw/"}, "Expiration": {"Days": 90}}
TAGS = [{"Key": "team", "Value": "data"}]
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
BUCKET_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::restart/*"}
    ],
}
CORS = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"]}
ALARM = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 9, "ComparisonOperator": "GreaterThanThreshold"}
COLUMNS = {"Columns": [{"Name": "n", "Type": "int"}], "Location": "s3://restart/t/"}
CODE: bytes = package("def handler(event, context):\n    return 1\n")
TABLE = {"Name": "t", "StorageDescriptor": COLUMNS, "PartitionKeys": [{"Name": "day", "Type": "string"}]}
FUNCTION = {"FunctionName": "restart"}
RESULTS = {"OutputLocation": "s3://restart/results/"}


def a_query(aws: Client) -> None:
    number = aws("athena").start_query_execution(QueryString="SELECT 42", ResultConfiguration=RESULTS)
    assert eventually(
        lambda: (
            aws("athena").get_query_execution(QueryExecutionId=number["QueryExecutionId"])["QueryExecution"]["Status"][
                "State"
            ]
            == "SUCCEEDED"
        )
    )


def a_message(aws: Client) -> None:
    """One that nobody took, with an attribute, and none if it is there already."""
    if aws("sqs").get_queue_attributes(QueueUrl=QUEUE, AttributeNames=["All"])["Attributes"][
        "ApproximateNumberOfMessages"
    ] in {"0", 0}:
        binary = {"b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
        aws("sqs").send_message(QueueUrl=QUEUE, MessageBody="kept", MessageAttributes=binary)


def once(aws: Client, service: str, lists: str, key: str, make: str, **parameters: Any) -> None:
    """What AWS gives a new id each time, unless there is one."""
    if not getattr(aws(service), lists)()[key]:
        getattr(aws(service), make)(**parameters)


MAKERS: list[Make] = [
    lambda aws: aws("iam").create_role(RoleName="restart", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=TAGS),
    lambda aws: aws("iam").put_role_policy(RoleName="restart", PolicyName="p", PolicyDocument=json.dumps(POLICY)),
    lambda aws: aws("iam").create_policy(PolicyName="restart", PolicyDocument=json.dumps(POLICY)),
    lambda aws: aws("iam").create_user(UserName="restart"),
    lambda aws: aws("iam").create_group(GroupName="restart"),
    lambda aws: aws("iam").add_user_to_group(GroupName="restart", UserName="restart"),
    lambda aws: aws("s3").create_bucket(**LAKE),
    lambda aws: aws("s3").put_bucket_versioning(**LAKE, VersioningConfiguration={"Status": "Enabled"}),
    lambda aws: aws("s3").put_bucket_lifecycle_configuration(**LAKE, LifecycleConfiguration={"Rules": [KEY_RULE]}),
    lambda aws: aws("s3").put_bucket_tagging(**LAKE, Tagging={"TagSet": TAGS}),
    lambda aws: aws("s3").put_bucket_policy(**LAKE, Policy=json.dumps(BUCKET_POLICY)),
    lambda aws: aws("s3").put_bucket_cors(**LAKE, CORSConfiguration={"CORSRules": [CORS]}),
    lambda aws: aws("s3").put_object(**LAKE, Key="k", Body=b"1", Metadata={"m": "v"}, Tagging="a=b"),
    lambda aws: aws("s3").delete_object(**LAKE, Key="gone"),
    lambda aws: aws("s3").create_multipart_upload(**LAKE, Key="parts"),
    lambda aws: aws("lambda").create_function(
        **FUNCTION, Role=ROLE, Runtime="python3.13", Handler="app.handler", Code={"ZipFile": CODE}, Tags={"a": "b"}
    ),
    lambda aws: aws("lambda").publish_version(**FUNCTION),
    lambda aws: aws("lambda").create_alias(**FUNCTION, Name="live", FunctionVersion="1"),
    lambda aws: aws("lambda").put_function_concurrency(**FUNCTION, ReservedConcurrentExecutions=3),
    lambda aws: aws("lambda").put_function_event_invoke_config(**FUNCTION, MaximumRetryAttempts=1),
    lambda aws: aws("lambda").add_permission(
        **FUNCTION, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    ),
    lambda aws: aws("sqs").create_queue(QueueName="restart", Attributes={"VisibilityTimeout": "77"}, tags={"a": "b"}),
    a_message,
    lambda aws: aws("sns").create_topic(Name="restart"),
    lambda aws: aws("sns").subscribe(
        TopicArn=TOPIC, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:restart"
    ),
    lambda aws: aws("firehose").create_delivery_stream(
        DeliveryStreamName="restart",
        ExtendedS3DestinationConfiguration={"BucketARN": "arn:aws:s3:::restart", "RoleARN": ROLE},
        Tags=TAGS,
    ),
    lambda aws: aws("glue").create_database(DatabaseInput={"Name": "restart"}),
    lambda aws: aws("glue").create_table(DatabaseName="restart", TableInput=TABLE),
    lambda aws: aws("glue").create_partition(
        DatabaseName="restart", TableName="t", PartitionInput={"Values": ["1"], "StorageDescriptor": COLUMNS}
    ),
    lambda aws: aws("athena").create_work_group(Name="restart", Configuration={"ResultConfiguration": RESULTS}),
    lambda aws: once(
        aws, "athena", "list_named_queries", "NamedQueryIds", "create_named_query",
        Name="q", Database="restart", QueryString="SELECT 1",
    ),
    lambda aws: aws("athena").create_prepared_statement(
        StatementName="s", WorkGroup="restart", QueryStatement="SELECT ?"
    ),
    a_query,
    lambda aws: once(aws, "kms", "list_keys", "Keys", "create_key", Description="restart"),
    lambda aws: aws("ssm").put_parameter(Name="/restart", Value="s3cret", Type="SecureString"),
    lambda aws: aws("logs").create_log_group(logGroupName="/restart", tags={"a": "b"}),
    lambda aws: aws("logs").put_retention_policy(logGroupName="/restart", retentionInDays=7),
    lambda aws: aws("cloudwatch").put_metric_alarm(
        AlarmName="restart", Namespace="a", MetricName="m", Statistic="Maximum", **ALARM
    ),
    lambda aws: aws("events").put_rule(Name="restart", ScheduleExpression="rate(1 day)"),
    lambda aws: aws("dynamodb").create_table(
        TableName="restart",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    ),
    lambda aws: aws("budgets").create_budget(
        AccountId="000000000000",
        Budget={
            "BudgetName": "restart",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "10", "Unit": "USD"},
        },
    ),
]  # fmt: skip

# (service, operation, parameters); what is said of each must not change.
DESCRIPTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("iam", "get_role", {"RoleName": "restart"}),
    ("iam", "get_role_policy", {"RoleName": "restart", "PolicyName": "p"}),
    ("iam", "list_policies", {"Scope": "Local"}),
    ("iam", "list_users", {}),
    ("iam", "get_group", {"GroupName": "restart"}),
    ("iam", "list_access_keys", {"UserName": "restart"}),
    ("s3", "list_buckets", {}),
    ("s3", "get_bucket_versioning", LAKE),
    ("s3", "get_bucket_lifecycle_configuration", LAKE),
    ("s3", "get_bucket_tagging", LAKE),
    ("s3", "get_bucket_policy", LAKE),
    ("s3", "get_bucket_cors", LAKE),
    ("s3", "list_object_versions", LAKE),
    ("s3", "head_object", LAKE | {"Key": "k"}),
    ("s3", "get_object_tagging", LAKE | {"Key": "k"}),
    ("s3", "list_multipart_uploads", LAKE),
    ("lambda", "get_function", FUNCTION),
    ("lambda", "list_versions_by_function", FUNCTION),
    ("lambda", "list_aliases", FUNCTION),
    ("lambda", "get_function_concurrency", FUNCTION),
    ("lambda", "get_function_event_invoke_config", FUNCTION),
    ("lambda", "get_policy", FUNCTION),
    ("sqs", "get_queue_attributes", {"QueueUrl": QUEUE, "AttributeNames": ["All"]}),
    ("sqs", "list_queue_tags", {"QueueUrl": QUEUE}),
    ("sns", "get_topic_attributes", {"TopicArn": TOPIC}),
    ("sns", "list_subscriptions", {}),
    ("firehose", "describe_delivery_stream", {"DeliveryStreamName": "restart"}),
    ("firehose", "list_tags_for_delivery_stream", {"DeliveryStreamName": "restart"}),
    ("glue", "get_database", {"Name": "restart"}),
    ("glue", "get_table", {"DatabaseName": "restart", "Name": "t"}),
    ("glue", "get_partitions", {"DatabaseName": "restart", "TableName": "t"}),
    ("athena", "get_work_group", {"WorkGroup": "restart"}),
    ("athena", "list_named_queries", {}),
    ("athena", "get_prepared_statement", {"StatementName": "s", "WorkGroup": "restart"}),
    ("athena", "list_query_executions", {}),
    ("kms", "list_keys", {}),
    ("ssm", "get_parameter", {"Name": "/restart", "WithDecryption": True}),
    ("logs", "describe_log_groups", {"logGroupNamePrefix": "/restart"}),
    ("cloudwatch", "describe_alarms", {}),
    ("events", "describe_rule", {"Name": "restart"}),
    ("dynamodb", "describe_table", {"TableName": "restart"}),
    ("budgets", "describe_budgets", {"AccountId": "000000000000"}),
]


def described(aws: Client) -> dict[str, Any]:
    said = {f"{s} {o}": getattr(aws(s), o)(**p) for s, o, p in DESCRIPTIONS}
    said["objects"] = aws("s3").get_object(**LAKE, Key="k")["Body"].read()
    for number in aws("athena").list_query_executions()["QueryExecutionIds"]:
        said[number] = aws("athena").get_query_results(QueryExecutionId=number)["ResultSet"]
    for answer in said.values():
        if isinstance(answer, dict):
            answer.pop("ResponseMetadata", None)
    return said
