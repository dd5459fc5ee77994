"""With `up --enforce-iam`: whose policies count for a call, in which order, and what AWS says of a no."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.config
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, running
from lambda_functions import call, deploy, package

ACCOUNT = "000000000000"
NUMBERS = itertools.count(1)
ONCE = botocore.config.Config(retries={"max_attempts": 1})
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    yield from running(tmp_path_factory.mktemp("endpoint") / "data", "--bare", "--enforce-iam")


@pytest.fixture(scope="module")
def owner(endpoint: EndpointProcess) -> Client:
    return endpoint.client


@pytest.fixture(scope="module")
def bucket(owner: Client) -> str:
    owner("s3").create_bucket(Bucket="lake")
    owner("s3").put_object(Bucket="lake", Key="a/1", Body=b"1")
    owner("s3").put_object(Bucket="lake", Key="b/1", Body=b"1")
    return "lake"


def policy(action: str | list[str], resource: str = "*", effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class User:
    """A user of IAM with these inline policies."""

    def __init__(self, endpoint: EndpointProcess, *policies: str) -> None:
        self.name, self._endpoint = f"user-{next(NUMBERS)}", endpoint
        self.arn = f"arn:aws:iam::{ACCOUNT}:user/{self.name}"
        iam = endpoint.client("iam")
        iam.create_user(UserName=self.name)
        for number, text in enumerate(policies):
            iam.put_user_policy(UserName=self.name, PolicyName=f"p{number}", PolicyDocument=text)
        key = iam.create_access_key(UserName=self.name)["AccessKey"]
        self.keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}

    def __call__(self, service: str) -> Any:
        return client(self._endpoint, service, **self.keys)


@pytest.fixture(scope="module")
def nobody(endpoint: EndpointProcess) -> User:
    return User(endpoint)


def client(endpoint: EndpointProcess, service: str, **keys: str) -> Any:
    return boto3.client(service, endpoint_url=endpoint.url, region_name="us-east-1", config=ONCE, **keys)


def refusal(call: Any, **parameters: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    response = error.value.response
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"].get("Message", ""),
    )


HERE = f"us-east-1:{ACCOUNT}"
RECORD = {"DeliveryStreamName": "s", "Record": {"Data": b"x"}}
MESSAGE = {"QueueUrl": f"http://127.0.0.1/{ACCOUNT}/q", "MessageBody": "x"}
REFUSED = [
    ("firehose", "put_record", RECORD, "AccessDeniedException", 400, "firehose:PutRecord", f"arn:aws:firehose:{HERE}:deliverystream/s"),
    ("lambda", "get_function", {"FunctionName": "f"}, "AccessDeniedException", 403, "lambda:GetFunction", f"arn:aws:lambda:{HERE}:function:f"),
    ("iam", "get_role", {"RoleName": "r"}, "AccessDenied", 403, "iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/r"),
    ("sns", "publish", {"TopicArn": f"arn:aws:sns:{HERE}:t", "Message": "x"}, "AuthorizationError", 403, "sns:Publish", f"arn:aws:sns:{HERE}:t"),
    ("sqs", "send_message", MESSAGE, "AccessDenied", 403, "sqs:SendMessage", f"arn:aws:sqs:{HERE}:q"),
    ("cloudwatch", "list_metrics", {}, "AccessDenied", 403, "cloudwatch:ListMetrics", ""),
    ("s3", "get_object", {"Bucket": "lake", "Key": "a/1"}, "AccessDenied", 403, "s3:GetObject", '"arn:aws:s3:::lake/a/1"'),
    ("s3", "list_buckets", {}, "AccessDenied", 403, "s3:ListAllMyBuckets", ""),
]  # fmt: skip


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize(("service", "operation", "parameters", "code", "status", "action", "resource"), REFUSED)
def test_a_user_without_policies_may_nothing_and_is_told_so_in_the_services_own_way(
    nobody: User, service: str, operation: str, parameters: Any, code: str, status: int, action: str, resource: str
) -> None:
    about = f" on resource: {resource}" if resource else ""
    why = f"because no identity-based policy allows the {action} action"
    words = f"User: {nobody.arn} is not authorized to perform: {action}{about} {why}"
    assert refusal(getattr(nobody(service), operation), **parameters) == (code, status, words)


def test_everybody_may_ask_who_they_are(endpoint: EndpointProcess) -> None:
    user = User(endpoint, policy("*", effect="Deny"))
    assert user("sts").get_caller_identity()["Arn"] == user.arn


def test_inline_attached_and_groups_policies_count(endpoint: EndpointProcess, owner: Client, bucket: str) -> None:
    iam, user = owner("iam"), User(endpoint, policy("s3:GetObject", "arn:aws:s3:::lake/a/*"))
    s3 = user("s3")
    assert s3.get_object(Bucket=bucket, Key="a/1")["Body"].read() == b"1"
    assert refusal(s3.get_object, Bucket=bucket, Key="b/1")[0] == "AccessDenied"

    made = iam.create_policy(PolicyName="lists", PolicyDocument=policy("s3:ListBucket", "arn:aws:s3:::lake"))
    iam.attach_user_policy(UserName=user.name, PolicyArn=made["Policy"]["Arn"])
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2

    iam.create_group(GroupName="readers")
    iam.attach_group_policy(GroupName="readers", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    iam.add_user_to_group(GroupName="readers", UserName=user.name)
    assert s3.get_object(Bucket=bucket, Key="b/1")["Body"].read() == b"1"
    assert refusal(s3.put_object, Bucket=bucket, Key="b/2")[0] == "AccessDenied"


def test_an_explicit_deny_wins(endpoint: EndpointProcess, bucket: str) -> None:
    user = User(endpoint, policy("s3:*"), policy("s3:DeleteObject", effect="Deny"))
    said = refusal(user("s3").delete_object, Bucket=bucket, Key="a/1")
    assert said[2].endswith(
        's3:DeleteObject on resource: "arn:aws:s3:::lake/a/1" with an explicit deny in an identity-based policy'
    )
    errors = user("s3").delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/1"}]})["Errors"]
    assert [(e["Key"], e["Code"]) for e in errors] == [("a/1", "AccessDenied")]


def test_that_there_is_no_object_is_told_to_who_may_list(endpoint: EndpointProcess, bucket: str) -> None:
    may_read, may_list = policy("s3:GetObject"), policy("s3:ListBucket")
    reader, lister = User(endpoint, may_read), User(endpoint, may_read, may_list)
    code, status, text = refusal(reader("s3").get_object, Bucket=bucket, Key="gone")
    assert (code, status) == ("AccessDenied", 403)
    assert 's3:ListBucket on resource: "arn:aws:s3:::lake" because no identity-based policy' in text
    assert refusal(reader("s3").head_object, Bucket=bucket, Key="gone")[1] == 403
    assert refusal(lister("s3").get_object, Bucket=bucket, Key="gone")[:2] == ("NoSuchKey", 404)
    assert refusal(User(endpoint, may_list)("s3").get_object, Bucket=bucket, Key="gone")[0] == "AccessDenied"


def test_a_copy_a_tag_and_an_upload_in_parts_need_what_they_are(endpoint: EndpointProcess, bucket: str) -> None:
    s3 = User(endpoint, policy("s3:PutObject", "arn:aws:s3:::lake/up/*"))("s3")
    copy = {"Bucket": bucket, "Key": "up/copy", "CopySource": f"{bucket}/a/1"}
    assert "s3:GetObject" in refusal(s3.copy_object, **copy)[2]
    assert "s3:PutObjectTagging" in refusal(s3.put_object, Bucket=bucket, Key="up/x", Tagging="a=b")[2]
    number = s3.create_multipart_upload(Bucket=bucket, Key="up/parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="up/parts", UploadId=number, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    assert s3.complete_multipart_upload(Bucket=bucket, Key="up/parts", UploadId=number, MultipartUpload=parts)["ETag"]
    assert (
        "s3:AbortMultipartUpload" in refusal(s3.abort_multipart_upload, Bucket=bucket, Key="up/parts", UploadId="x")[2]
    )


def test_conditions_and_variables_are_the_requests(endpoint: EndpointProcess, bucket: str) -> None:
    own = policy("s3:PutObject", "arn:aws:s3:::lake/home/${aws:username}/*")
    prefix = policy("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "home/${aws:username}/*"}})
    user = User(endpoint, own, prefix)
    s3 = user("s3")
    s3.put_object(Bucket=bucket, Key=f"home/{user.name}/x", Body=b"")
    assert refusal(s3.put_object, Bucket=bucket, Key="home/other/x")[0] == "AccessDenied"
    assert s3.list_objects_v2(Bucket=bucket, Prefix=f"home/{user.name}/")["KeyCount"] == 1
    assert refusal(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"


def test_a_buckets_policy_lets_in_whom_it_names_but_not_by_the_account(
    endpoint: EndpointProcess, owner: Client
) -> None:
    owner("s3").create_bucket(Bucket="shared")
    owner("s3").put_object(Bucket="shared", Key="k", Body=b"1")
    named, other, eager = User(endpoint), User(endpoint), User(endpoint, policy("s3:*"))
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": [named.arn, f"arn:aws:iam::{ACCOUNT}:root"]}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shared/*"},
        {"Effect": "Deny", "Principal": {"AWS": eager.arn}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shared/*"},
    ]  # fmt: skip
    owner("s3").put_bucket_policy(
        Bucket="shared", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
    )
    assert named("s3").get_object(Bucket="shared", Key="k")["Body"].read() == b"1"
    assert refusal(other("s3").get_object, Bucket="shared", Key="k")[0] == "AccessDenied"
    assert refusal(eager("s3").get_object, Bucket="shared", Key="k")[2].endswith(
        "with an explicit deny in a resource-based policy"
    )


def trusting(*principals: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_session_may_what_its_role_may_within_its_boundary(
    endpoint: EndpointProcess, owner: Client, bucket: str
) -> None:
    iam, user = owner("iam"), User(endpoint)
    boundary = iam.create_policy(PolicyName="reads", PolicyDocument=policy("s3:GetObject"))["Policy"]["Arn"]
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trusting(user.arn), PermissionsBoundary=boundary)
    iam.put_role_policy(RoleName="reader", PolicyName="all", PolicyDocument=policy("s3:*"))
    given = user("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="me")["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    s3 = client(endpoint, "s3", **keys, aws_session_token=given["SessionToken"])
    assert s3.get_object(Bucket=bucket, Key="a/1")["Body"].read() == b"1"
    text = refusal(s3.put_object, Bucket=bucket, Key="a/2")[2]
    assert text.startswith(
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/reader/me is not authorized to perform: s3:PutObject"
    )
    assert text.endswith("because no permissions boundary allows the s3:PutObject action")


def test_a_role_is_for_whom_it_trusts(endpoint: EndpointProcess, owner: Client) -> None:
    """That it trusts the account is not enough: then the user's own policies must allow it, too."""
    iam, bold, shy = owner("iam"), User(endpoint, policy("sts:AssumeRole")), User(endpoint)
    for name, trusted in (("ours", f"arn:aws:iam::{ACCOUNT}:root"), ("theirs", "arn:aws:iam::111111111111:root")):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting(trusted))
    ours, theirs = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("ours", "theirs"))
    assert bold("sts").assume_role(RoleArn=ours, RoleSessionName="me")["Credentials"]
    assert "no identity-based policy" in refusal(shy("sts").assume_role, RoleArn=ours, RoleSessionName="me")[2]
    assert "no resource-based policy" in refusal(bold("sts").assume_role, RoleArn=theirs, RoleSessionName="me")[2]


def test_a_sessions_policy_and_a_users_boundary_are_refused_by_name_for_they_would_not_count(owner: Client) -> None:
    owner("iam").create_role(RoleName="limited", AssumeRolePolicyDocument=trusting("*"))
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/limited", "RoleSessionName": "me"}
    assert refusal(owner("sts").assume_role, **role, Policy=policy("s3:*"))[0] == "NotImplemented"
    bounded = {"UserName": "bounded", "PermissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    assert refusal(owner("iam").create_user, **bounded)[0] == "NotImplemented"


def test_a_function_makes_its_log_group_if_its_role_may(endpoint: EndpointProcess, owner: Client) -> None:
    iam, functions, logs = owner("iam"), owner("lambda"), owner("logs")
    trust = trusting().replace('"AWS": []', '"Service": "lambda.amazonaws.com"')
    role = iam.create_role(RoleName="logger", Path="/team/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    streams = policy(["logs:CreateLogStream", "logs:PutLogEvents"])
    iam.put_role_policy(RoleName="logger", PolicyName="streams", PolicyDocument=streams)
    silent, noted = (deploy(functions, "def handler(event, context): print('noted')", Role=role) for _ in range(2))
    call(functions, silent)
    iam.put_role_policy(RoleName="logger", PolicyName="group", PolicyDocument=policy("logs:CreateLogGroup"))
    call(functions, noted)
    groups = [
        group["logGroupName"] for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    ]
    assert groups == [f"/aws/lambda/{noted}"]


def test_a_layer_has_no_policy_of_its_own(endpoint: EndpointProcess) -> None:
    layer = {"LayerName": "l", "Content": {"ZipFile": package()}}
    assert User(endpoint, policy("lambda:*"))("lambda").publish_layer_version(**layer)["Version"] == 1
    text = refusal(User(endpoint)("lambda").publish_layer_version, **layer)[2]
    assert f"on resource: arn:aws:lambda:us-east-1:{ACCOUNT}:layer:l because no identity-based policy" in text


def test_who_makes_a_function_must_be_allowed_to_pass_its_role(endpoint: EndpointProcess, owner: Client) -> None:
    function = {
        "FunctionName": "f",
        "Runtime": "python3.13",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/function",
        "Handler": "app.handler",
        "Code": {"ZipFile": package()},
    }
    assert (
        "iam:PassRole on resource: arn:aws:iam::000000000000:role/function"
        in refusal(User(endpoint, policy("lambda:CreateFunction"))("lambda").create_function, **function)[2]
    )
    user = User(endpoint, policy(["lambda:CreateFunction", "iam:PassRole"]))
    assert user("lambda").create_function(**function)["FunctionName"] == "f"
    invoker = User(endpoint)
    assert "lambda:InvokeFunction" in refusal(invoker("lambda").invoke, FunctionName="f")[2]
    permission = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": invoker.arn}
    owner("lambda").add_permission(FunctionName="f", **permission)
    assert invoker("lambda").invoke(FunctionName="f", InvocationType="DryRun")["StatusCode"] == 204


def test_glue_asks_for_the_catalog_the_database_and_the_table(endpoint: EndpointProcess) -> None:
    arns = [f"arn:aws:glue:us-east-1:{ACCOUNT}:{what}" for what in ("catalog", "database/db", "table/db/t")]
    for count, arn in enumerate(arns):
        user = User(endpoint, *(policy("glue:GetTable", allowed) for allowed in arns[:count]))
        assert f"on resource: {arn} because" in refusal(user("glue").get_table, DatabaseName="db", Name="t")[2]
    user = User(endpoint, *(policy("glue:GetTable", allowed) for allowed in arns))
    assert refusal(user("glue").get_table, DatabaseName="db", Name="t")[0] == "EntityNotFoundException"


def test_a_query_is_its_workgroups(endpoint: EndpointProcess, owner: Client, bucket: str) -> None:
    location = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/results/"}}
    owner("athena").create_work_group(Name="analysts", Configuration=location)
    athena = User(endpoint, policy("athena:*", f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/analysts"))("athena")
    number = athena.start_query_execution(QueryString="SELECT 1", WorkGroup="analysts")["QueryExecutionId"]
    assert athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]["WorkGroup"] == "analysts"
    text = refusal(athena.start_query_execution, QueryString="SELECT 1")[2]
    assert f"on resource: arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/primary" in text


def test_what_awss_tables_dont_know_is_refused_by_name(endpoint: EndpointProcess) -> None:
    code, _, text = refusal(User(endpoint, policy("*"))("athena").list_system_table_statuses)
    assert (code, text) == (
        "NotImplemented",
        "AWS's tables don't say which permission athena ListSystemTableStatuses needs",
    )


def test_a_request_that_names_two_operations_is_refused(endpoint: EndpointProcess) -> None:
    """The one that is judged must be the one that is done."""
    user = User(endpoint, policy("ssm:GetParameter"))
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.GetParameter"}
    request = AWSRequest("POST", f"{endpoint.url}/?Action=DeleteParameter", headers=headers, data=b'{"Name": "/x"}')
    SigV4Auth(Credentials(*user.keys.values()), "ssm", "us-east-1").add_auth(request)
    answer = requests.post(request.url, data=request.data, headers=dict(request.headers), timeout=10)
    assert (answer.status_code, answer.json()["__type"]) == (400, "InvalidAction")


def test_without_the_option_no_policy_counts(shared_endpoint: EndpointProcess) -> None:
    assert User(shared_endpoint, policy("*", effect="Deny"))("s3").create_bucket(Bucket=f"any-{uuid.uuid4()}")
