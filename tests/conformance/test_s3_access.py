"""Who may do what in S3: guests of another account, and those who sign nothing; browsers; what is locked or encrypted."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.config
import pytest
import requests
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, running

GUEST = {"aws_access_key_id": "AKIAGUESTGUESTGUEST2", "aws_secret_access_key": "g" * 40}
CREDENTIALS = """[default]
aws_access_key_id = AKIAOWNEROWNEROWNER2
aws_secret_access_key = {}

[guest]
aws_access_key_id = {aws_access_key_id}
aws_secret_access_key = {aws_secret_access_key}
aws_account_id = 111111111111
"""
DENIED = ("AccessDenied", 403)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    data_dir = tmp_path_factory.mktemp("endpoint") / "data"
    data_dir.mkdir(mode=0o700)
    (data_dir / "credentials").touch(mode=0o600)
    (data_dir / "credentials").write_text(CREDENTIALS.format("o" * 40, **GUEST))
    yield from running(data_dir, "--bare")


@pytest.fixture(scope="module")
def s3(endpoint: EndpointProcess) -> Any:
    return endpoint.client("s3")


@pytest.fixture(scope="module")
def guest(endpoint: EndpointProcess) -> Any:
    once = botocore.config.Config(retries={"max_attempts": 1})
    return boto3.client("s3", endpoint_url=endpoint.url, region_name="us-east-1", config=once, **GUEST)


@pytest.fixture(scope="module")
def shared(s3: Any) -> str:
    """A bucket as S3 made them until April 2023: access lists count, and nothing is blocked."""
    s3.create_bucket(Bucket="shared", ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket="shared")
    s3.put_object(Bucket="shared", Key="mine", Body=b"mine")
    return "shared"


def refusal(call: Any, **parameters: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response: Any = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def policy(bucket: str, effect: str, action: str, resource: str = "/*", principal: Any = "*", **more: Any) -> str:
    statement = {
        "Effect": effect,
        "Principal": principal,
        "Action": action,
        "Resource": f"arn:aws:s3:::{bucket}{resource}",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | more]})


def test_new_buckets_are_private_and_have_no_lists(s3: Any, guest: Any, endpoint: EndpointProcess) -> None:
    s3.create_bucket(Bucket="closed")
    assert refusal(s3.put_bucket_acl, Bucket="closed", ACL="public-read") == ("AccessControlListNotSupported", 400)
    assert refusal(s3.put_object, Bucket="closed", Key="a", ACL="private") == ("AccessControlListNotSupported", 400)
    assert refusal(s3.put_bucket_policy, Bucket="closed", Policy=policy("closed", "Allow", "s3:GetObject")) == DENIED
    assert refusal(guest.list_objects_v2, Bucket="closed") == DENIED
    assert refusal(guest.get_object, Bucket="closed", Key="a") == DENIED
    assert refusal(guest.delete_bucket, Bucket="closed") == DENIED
    assert refusal(guest.create_bucket, Bucket="closed") == ("BucketAlreadyExists", 409)
    for method in ("get", "put", "delete"):
        assert requests.request(method, f"{endpoint.url}/closed/a", timeout=10).status_code == 403
    assert requests.get(f"{endpoint.url}/", timeout=10).status_code == 403


def test_guests_have_buckets_of_their_own_and_nothing_but_s3(guest: Any, s3: Any, endpoint: EndpointProcess) -> None:
    guest.create_bucket(Bucket="of-the-guest")
    assert [bucket["Name"] for bucket in guest.list_buckets()["Buckets"]] == ["of-the-guest"]
    assert "of-the-guest" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert refusal(s3.list_objects_v2, Bucket="of-the-guest") == DENIED
    queues = boto3.client("sqs", endpoint_url=endpoint.url, region_name="us-east-1", **GUEST)
    assert refusal(queues.list_queues)[1] == 403


def test_a_list_grants_what_it_says(s3: Any, guest: Any, shared: str, endpoint: EndpointProcess) -> None:
    s3.put_object(Bucket=shared, Key="public", Body=b"public", ACL="public-read")
    assert requests.get(f"{endpoint.url}/{shared}/public", timeout=10).content == b"public"
    assert guest.get_object(Bucket=shared, Key="public")["Body"].read() == b"public"
    assert refusal(guest.put_object, Bucket=shared, Key="public", Body=b"") == DENIED
    assert refusal(guest.get_object, Bucket=shared, Key="mine") == DENIED
    assert refusal(guest.get_object, Bucket=shared, Key="missing") == DENIED  # who may not list is not told
    id_ = guest.list_buckets()["Owner"]["ID"]
    s3.put_bucket_acl(Bucket=shared, GrantWrite=f"id={id_}", GrantRead=f'id="{id_}"')
    assert refusal(guest.get_object, Bucket=shared, Key="missing") == ("NoSuchKey", 404)
    guest.put_object(Bucket=shared, Key="theirs", Body=b"theirs")
    assert s3.get_bucket_acl(Bucket=shared)["Grants"][0]["Grantee"] == {"ID": id_, "Type": "CanonicalUser"}
    owners = {item["Key"]: item["Owner"]["ID"] for item in s3.list_objects(Bucket=shared)["Contents"]}
    assert (owners["theirs"], owners["mine"] == id_) == (id_, False)
    assert refusal(s3.get_object, Bucket=shared, Key="theirs") == DENIED  # it is its writer's


def test_a_list_names_its_owner_first_and_nobody_by_a_display_name(s3: Any, shared: str) -> None:
    s3.put_object(Bucket=shared, Key="read", Body=b"", ACL="public-read")
    answer = s3.get_object_acl(Bucket=shared, Key="read")
    assert list(answer["Owner"]) == ["ID"]
    assert answer["Grants"] == [
        {"Grantee": answer["Owner"] | {"Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"},
        {
            "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
            "Permission": "READ",
        },
    ]


def test_public_access_can_be_blocked(s3: Any, shared: str, endpoint: EndpointProcess) -> None:
    s3.put_object(Bucket=shared, Key="was-public", Body=b"x", ACL="public-read")
    blocked = {"IgnorePublicAcls": True, "BlockPublicAcls": True}
    s3.put_public_access_block(Bucket=shared, PublicAccessBlockConfiguration=blocked)
    assert requests.get(f"{endpoint.url}/{shared}/was-public", timeout=10).status_code == 403
    assert refusal(s3.put_object_acl, Bucket=shared, Key="mine", ACL="public-read") == DENIED
    s3.delete_public_access_block(Bucket=shared)
    assert requests.get(f"{endpoint.url}/{shared}/was-public", timeout=10).status_code == 200


def test_a_policy_allows_and_denies(s3: Any, guest: Any, endpoint: EndpointProcess) -> None:
    s3.create_bucket(Bucket="ruled")
    s3.delete_public_access_block(Bucket="ruled")
    s3.put_object(Bucket="ruled", Key="a/1", Body=b"1", Tagging="level=open")
    s3.put_object(Bucket="ruled", Key="b/1", Body=b"1")
    account = {"AWS": "arn:aws:iam::111111111111:root"}
    s3.put_bucket_policy(Bucket="ruled", Policy=policy("ruled", "Allow", "s3:Get*", "/a/*", account))
    assert guest.get_object(Bucket="ruled", Key="a/1")["Body"].read() == b"1"
    assert refusal(guest.get_object, Bucket="ruled", Key="b/1") == DENIED
    assert requests.get(f"{endpoint.url}/ruled/a/1", timeout=10).status_code == 403
    assert not s3.get_bucket_policy_status(Bucket="ruled")["PolicyStatus"]["IsPublic"]
    tagged = {"StringEquals": {"s3:ExistingObjectTag/level": "open"}}
    s3.put_bucket_policy(Bucket="ruled", Policy=policy("ruled", "Allow", "s3:GetObject", Condition=tagged))
    assert s3.get_bucket_policy_status(Bucket="ruled")["PolicyStatus"]["IsPublic"]
    assert requests.get(f"{endpoint.url}/ruled/a/1", timeout=10).status_code == 200
    assert requests.get(f"{endpoint.url}/ruled/b/1", timeout=10).status_code == 403
    s3.put_bucket_policy(Bucket="ruled", Policy=policy("ruled", "Deny", "s3:DeleteObject", "/b/*"))
    both = s3.delete_objects(Bucket="ruled", Delete={"Objects": [{"Key": "a/2"}, {"Key": "b/1"}]})
    assert [item["Key"] for item in both["Deleted"]] == ["a/2"]
    assert [(item["Key"], item["Code"]) for item in both["Errors"]] == [("b/1", "AccessDenied")]
    s3.put_bucket_policy(Bucket="ruled", Policy=policy("ruled", "Deny", "*", "*"))
    assert refusal(s3.get_object, Bucket="ruled", Key="a/1") == DENIED
    s3.delete_bucket_policy(Bucket="ruled")  # an account can't lock itself out
    insecure = policy("ruled", "Deny", "s3:*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    s3.put_bucket_policy(Bucket="ruled", Policy=insecure)
    assert s3.get_object(Bucket="ruled", Key="a/1")["Body"].read() == b"1"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"Version": "2012-10-17"}',
        '{"Version": "2012-10-17", "Statement": []}',
        policy("ruled", "Perhaps", "s3:GetObject"),
        policy("ruled", "Allow", "ec2:Run"),
        policy("another", "Allow", "s3:GetObject"),
        policy("ruled", "Allow", "s3:GetObject", Condition={"StringIsNice": {"a": "b"}}),
        policy("ruled", "Allow", "s3:GetObject", Condition={"Null": {"aws:referer": []}}),
        policy("ruled", "Allow", "s3:GetObject", principal={"AWS": {"a": "b"}}),
        '{"Version": [], "Statement": [{"Effect": []}]}',
    ],
)
def test_what_is_no_policy_of_the_bucket_is_refused(s3: Any, text: str) -> None:
    s3.create_bucket(Bucket="ruled")
    assert refusal(s3.put_bucket_policy, Bucket="ruled", Policy=text) == ("MalformedPolicy", 400)


def test_a_rule_lets_pages_of_another_origin_in(s3: Any, shared: str, endpoint: EndpointProcess) -> None:
    url, page = f"{endpoint.url}/{shared}/mine", {"origin": "https://app.example.com"}
    asks = page | {"access-control-request-method": "PUT", "access-control-request-headers": "x-amz-meta-a"}
    assert requests.options(url, headers=asks, timeout=10).status_code == 403
    rule = {
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedMethods": ["PUT", "GET"],
        "AllowedHeaders": ["x-amz-*"],
    }
    s3.put_bucket_cors(Bucket=shared, CORSConfiguration={"CORSRules": [rule | {"ExposeHeaders": ["etag"]}]})
    allowed = requests.options(url, headers=asks, timeout=10)
    assert allowed.headers["access-control-allow-origin"] == page["origin"]
    assert allowed.headers["access-control-allow-headers"] == "x-amz-meta-a"
    signed = s3.generate_presigned_url("get_object", {"Bucket": shared, "Key": "mine"})
    answer = requests.get(signed, headers=page, timeout=10)
    assert (answer.content, answer.headers["access-control-expose-headers"]) == (b"mine", "etag")
    refused = requests.get(url, headers=page, timeout=10)  # the rule lets the page ask, not have
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, page["origin"])
    other = requests.get(signed, headers={"origin": "https://evil.example.org"}, timeout=10)
    assert (other.status_code, "access-control-allow-origin" in other.headers) == (403, False)


@pytest.mark.parametrize(("version", "signature"), [("s3", "signature"), ("s3v4", "x-amz-signature")])
def test_a_browser_uploads_a_form_that_was_signed_for_it(
    s3: Any, endpoint: EndpointProcess, version: str, signature: str
) -> None:
    s3.create_bucket(Bucket="forms")
    signer = endpoint.client("s3", signature_version=version)
    conditions = [["starts-with", "$key", "up/"], ["content-length-range", 1, 10], {"x-amz-meta-a": "b"}]
    form = signer.generate_presigned_post("forms", "up/${filename}", {"x-amz-meta-a": "b"}, conditions)
    status = form["fields"] | {"success_action_status": "201"}

    def post(fields: dict[str, str], body: bytes = b"12345") -> requests.Response:
        return requests.post(form["url"], data=fields, files={"file": ("a.txt", body)}, timeout=10)

    assert post(form["fields"]).status_code == 204
    got = s3.get_object(Bucket="forms", Key="up/a.txt")
    assert (got["Body"].read(), got["Metadata"]) == (b"12345", {"a": "b"})
    assert b"Extra input fields: success_action_status" in post(status).content
    assert b"EntityTooLarge" in post(form["fields"], b"x" * 11).content
    assert b"Policy Condition failed" in post(form["fields"] | {"key": "elsewhere"}).content
    assert b"SignatureDoesNotMatch" in post(form["fields"] | {signature: "0" * 64}).content
    assert post({"key": "up/b"}).status_code == 403
    assert post({"key": "up/b", "policy": form["fields"]["policy"]}).status_code == 403
    assert b"must contain a field" in post({k: v for k, v in form["fields"].items() if k != signature}).content


def test_the_clients_own_key_encrypts_what_is_on_the_disk(s3: Any, endpoint: EndpointProcess) -> None:
    s3.create_bucket(Bucket="sealed")
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}
    body = bytes(range(256)) * 50
    put = s3.put_object(Bucket="sealed", Key="a", Body=body, **key)
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(b"k" * 32).digest()).decode()
    on_disk = (endpoint.data_dir / "s3" / "sealed" / "a").read_bytes()
    assert (len(on_disk), body[:64] in on_disk) == (len(body), False)
    assert s3.get_object(Bucket="sealed", Key="a", **key)["Body"].read() == body
    assert s3.get_object(Bucket="sealed", Key="a", Range="bytes=1001-1099", **key)["Body"].read() == body[1001:1100]
    assert refusal(s3.get_object, Bucket="sealed", Key="a") == ("InvalidRequest", 400)
    assert refusal(s3.get_object, Bucket="sealed", Key="a", **key | {"SSECustomerKey": b"x" * 32}) == DENIED
    assert refusal(s3.put_object, Bucket="sealed", Key="b", **key | {"SSECustomerKey": b"short"})[1] == 400
    source = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": b"k" * 32}
    upload = {"Bucket": "sealed", "Key": "c"}
    upload |= {"UploadId": s3.create_multipart_upload(**upload, **key)["UploadId"]}
    copy = s3.upload_part_copy(
        **upload, PartNumber=2, CopySource="sealed/a", CopySourceRange="bytes=9-99", **key, **source
    )
    first = s3.upload_part(**upload, PartNumber=1, Body=b"1" * (5 * 2**20 + 1), **key)
    parts = [{"PartNumber": 1, "ETag": first["ETag"]}, {"PartNumber": 2, "ETag": copy["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **key)
    end = s3.get_object(Bucket="sealed", Key="c", Range=f"bytes={5 * 2**20 - 9}-", **key)["Body"].read()
    assert end == b"1" * 10 + body[9:100]
    s3.copy_object(Bucket="sealed", Key="plain", CopySource="sealed/a", **source)
    assert s3.get_object(Bucket="sealed", Key="plain")["Body"].read() == body


def test_what_is_locked_stays(s3: Any) -> None:
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    assert refusal(s3.put_bucket_versioning, Bucket="locked", VersioningConfiguration={"Status": "Suspended"})[1] == 409
    default = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    s3.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=default)
    version = {"Bucket": "locked", "Key": "a", "VersionId": s3.put_object(Bucket="locked", Key="a")["VersionId"]}
    assert s3.head_object(**version)["ObjectLockMode"] == "GOVERNANCE"
    assert s3.delete_object(Bucket="locked", Key="a")["DeleteMarker"]  # a marker hides it, and no more
    assert refusal(s3.delete_object, **version) == DENIED
    earlier = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(hours=1)}
    assert refusal(s3.put_object_retention, **version, Retention=earlier) == DENIED
    s3.put_object_retention(**version, Retention=earlier, BypassGovernanceRetention=True)
    s3.put_object_legal_hold(**version, LegalHold={"Status": "ON"})
    assert refusal(s3.delete_object, **version, BypassGovernanceRetention=True) == DENIED
    s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
    s3.delete_object(**version, BypassGovernanceRetention=True)
    assert refusal(s3.put_object, Bucket="shared", Key="x", ObjectLockLegalHoldStatus="ON") == ("InvalidRequest", 400)
