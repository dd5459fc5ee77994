"""Signatures: only the owner's, unchanged and recent; and every way in which SDKs send a body."""

import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess
from signing import s3_signer, send, sign_as_of, signed

Client = Callable[..., Any]
BUCKET = "signed"

# What each protocol calls a signature that is not right, and a key that nobody has (the API references' common errors).
CALLS: dict[str, Callable[[Any], Any]] = {
    "firehose": lambda c: c.list_delivery_streams(),
    "s3": lambda c: c.list_buckets(),
    "lambda": lambda c: c.list_functions(),
    "athena": lambda c: c.list_work_groups(),
    "sts": lambda c: c.get_caller_identity(),
    "iam": lambda c: c.list_roles(),
}
WRONG = {
    "firehose": ("InvalidSignatureException", "UnrecognizedClientException"),
    "athena": ("InvalidSignatureException", "UnrecognizedClientException"),
    "lambda": ("InvalidSignatureException", "UnrecognizedClientException"),
    "s3": ("SignatureDoesNotMatch", "InvalidAccessKeyId"),
    "sts": ("SignatureDoesNotMatch", "InvalidClientTokenId"),
    "iam": ("SignatureDoesNotMatch", "InvalidClientTokenId"),
}


@pytest.fixture(scope="module", autouse=True)
def _bucket(aws: Client) -> None:
    aws("s3").create_bucket(Bucket=BUCKET)


def client(endpoint: EndpointProcess, service: str, **changed: Any) -> Any:
    options = Config(retries={"max_attempts": 1})
    return boto3.client(
        service, endpoint_url=endpoint.url, region_name="us-east-1", config=options, **endpoint.keys() | changed
    )


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret_is_refused_in_the_services_own_words(endpoint: EndpointProcess, service: str) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[service](client(endpoint, service, aws_secret_access_key="wrong"))
    assert refused.value.response["Error"]["Code"] == WRONG[service][0]


@pytest.mark.parametrize("service", CALLS)
def test_an_unknown_key_is_refused_in_the_services_own_words(endpoint: EndpointProcess, service: str) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[service](client(endpoint, service, aws_access_key_id="AKIAUNKNOWN"))
    assert refused.value.response["Error"]["Code"] == WRONG[service][1]


def test_a_session_token_that_is_not_the_keys_is_refused(endpoint: EndpointProcess) -> None:
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client(endpoint, "s3", aws_session_token="forged").list_buckets()


def test_an_unsigned_request_reaches_nothing(endpoint: EndpointProcess) -> None:
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{endpoint.url}/{BUCKET}/key")
    assert refused.value.code == 403
    assert b"<Code>AccessDenied</Code>" in refused.value.read()


def test_health_alone_needs_no_signature(endpoint: EndpointProcess) -> None:
    with urllib.request.urlopen(f"{endpoint.url}/_clicklake/health") as answer:
        assert answer.status == 200


@pytest.mark.parametrize("age", [20 * 60, -20 * 60])
def test_a_clock_more_than_15_minutes_off_is_refused(endpoint: EndpointProcess, age: float) -> None:
    response = signed(endpoint, "GET", "/", age=age)
    assert response.status == 403
    assert b"RequestTimeTooSkewed" in response.body


def test_a_body_changed_on_its_way_is_refused(endpoint: EndpointProcess) -> None:
    request = botocore.awsrequest.AWSRequest("PUT", f"{endpoint.url}/{BUCKET}/changed", {}, b"sent")
    s3_signer(endpoint).add_auth(request)
    response = send(endpoint, "PUT", f"/{BUCKET}/changed", b"evil", dict(request.headers))
    assert (response.status, b"XAmzContentSHA256Mismatch" in response.body) == (400, True)


@pytest.mark.parametrize("header", ["authorization", "x-amz-date"])
def test_a_malformed_signature_header_is_a_clear_error(endpoint: EndpointProcess, header: str) -> None:
    headers = {
        "authorization": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x",
        "x-amz-date": "yesterday",
    }
    response = send(
        endpoint,
        "GET",
        "/",
        b"",
        {k: v for k, v in headers.items() if k != header} | {"authorization": "AWS4-HMAC-SHA256 x"},
    )
    assert response.status == 400


@pytest.mark.parametrize("version", [None, "s3v4"], ids=["as boto3 makes them", "version 4"])
def test_presigned_urls_work_until_they_expire(endpoint: EndpointProcess, aws: Client, version: str | None) -> None:
    s3 = aws("s3", signature_version=version)
    put = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "a b/ü"}, ExpiresIn=60)
    with urllib.request.urlopen(
        urllib.request.Request(put, b"presigned", {"Content-Type": ""}, method="PUT")
    ) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "a b/ü"}, ExpiresIn=60)
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"presigned"


@pytest.mark.parametrize("change", [("Expires=", "Expires=9"), ("/x?", "/y?"), ("Signature=", "Signature=A")])
def test_a_changed_version_2_url_is_refused(endpoint: EndpointProcess, aws: Client, change: tuple[str, str]) -> None:
    url = aws("s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "x"}, ExpiresIn=60)
    assert "AWSAccessKeyId=" in url
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(url.replace(*change))
    assert refused.value.code == 403
    assert b"SignatureDoesNotMatch" in refused.value.read()


def test_an_expired_version_2_url_is_denied(endpoint: EndpointProcess, aws: Client) -> None:
    url = aws("s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "x"}, ExpiresIn=-60)
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(url)
    assert b"Request has expired" in refused.value.read()


def test_an_expired_presigned_url_is_denied(endpoint: EndpointProcess) -> None:
    keys = endpoint.keys()
    credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    signer = botocore.auth.S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=60)
    request = botocore.awsrequest.AWSRequest("GET", f"{endpoint.url}/{BUCKET}/x")
    sign_as_of(120, signer, request)
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(request.url)
    body = refused.value.read()
    assert (refused.value.code, b"AccessDenied" in body, b"Request has expired" in body) == (403, True, True)


def test_path_style_works_by_name_and_by_address(endpoint: EndpointProcess) -> None:
    options = Config(s3={"addressing_style": "path"})
    url = endpoint.url.replace("127.0.0.1", "localhost")
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=options, **endpoint.keys())
    s3.put_object(Bucket=BUCKET, Key="by-path", Body=b"x")
    assert s3.get_object(Bucket=BUCKET, Key="by-path")["Body"].read() == b"x"


@pytest.mark.parametrize("domain", ["localhost", "s3.localhost", "s3.us-east-1.amazonaws.com"])
def test_virtual_host_style_takes_the_bucket_from_the_host_header(
    endpoint: EndpointProcess, aws: Client, domain: str
) -> None:
    """Sent to the address itself: not every resolver knows names under localhost."""
    host = f"{BUCKET}.{domain}:{endpoint.port}"
    request = botocore.awsrequest.AWSRequest("PUT", f"http://{host}/by-host", {"Host": host}, b"x")
    s3_signer(endpoint).add_auth(request)
    assert send(endpoint, "PUT", "/by-host", b"x", dict(request.headers)).status == 200
    assert aws("s3").get_object(Bucket=BUCKET, Key="by-host")["Body"].read() == b"x"


@pytest.mark.parametrize("word", ["anything", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "0" * 63, "STREAMING-"])
def test_a_word_that_covers_no_body_is_refused(endpoint: EndpointProcess, word: str) -> None:
    answer = signed(endpoint, "PUT", f"/{BUCKET}/word", b"x", word=word, headers={"x-amz-content-sha256": word})
    assert (answer.status, b"<Code>InvalidArgument" in answer.body) == (400, True), answer.body


def test_what_names_the_operation_must_be_signed(endpoint: EndpointProcess) -> None:
    keys = endpoint.keys()
    credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    request = botocore.awsrequest.AWSRequest("POST", f"{endpoint.url}/", {}, b"{}")
    botocore.auth.SigV4Auth(credentials, "glue", "us-east-1").add_auth(request)
    headers = dict(request.headers) | {"x-amz-target": "AWSGlue.GetDatabases"}
    answer = send(endpoint, "POST", "/", b"{}", headers)
    assert (answer.status, b"InvalidSignatureException" in answer.body) == (400, True)


def test_a_request_is_signed_in_one_way(endpoint: EndpointProcess) -> None:
    path = f"/{BUCKET}/x?X-Amz-Signature=0&X-Amz-Credential=x"
    answer = signed(endpoint, "GET", path)
    assert (answer.status, b"Only one auth mechanism" in answer.body) == (400, True)
