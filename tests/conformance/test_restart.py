"""After a kill -9 at any moment every resource is there as before, under the same ids.

One of each is made; now and then the endpoint is killed while it is at it, and what got no answer is asked for again.
Then everything is said about everything, before and after another kill.
"""

import contextlib
import functools
import json
import sqlite3
import threading
import time
from typing import Any

import boto3
import botocore.exceptions
import pytest

from endpoint_process import EndpointProcess
from one_of_each import MAKERS, POLICY, QUEUE, TRUST, Client, Make, described


@pytest.fixture(scope="module")
def aws(endpoint: EndpointProcess) -> Client:
    """Each client made once: there are many, and the port stays."""
    return functools.cache(endpoint.client)


def made(aws: Client, make: Make) -> None:
    """Again, if it was made before the endpoint died."""
    try:
        make(aws)
    except botocore.exceptions.ClientError as e:
        code = e.response["Error"]["Code"]
        assert any(word in code for word in ("Exist", "Conflict", "Duplicate", "InUse", "InvalidRequest")), code


def made_while_it_dies(endpoint: EndpointProcess, aws: Client, make: Make, seconds: float) -> None:
    timer = threading.Timer(seconds, endpoint.kill)
    timer.start()
    with contextlib.suppress(botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        made(aws, make)
    timer.join()
    endpoint.start()
    made(aws, make)


@pytest.fixture(scope="module")
def keys(endpoint: EndpointProcess, aws: Client) -> dict[str, Any]:
    """A user's access key and a session of its own, made before the first kill."""
    iam = aws("iam")
    assert iam.list_users()["Users"] == []  # a call that is not in the journal may be the first
    alice = iam.create_user(UserName="alice")["User"]
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    iam.create_role(RoleName="assumed", AssumeRolePolicyDocument=json.dumps(TRUST))
    role = "arn:aws:iam::000000000000:role/assumed"
    sessions = [aws("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"] for name in ("long", "ended")]
    return {"alice": alice, "key": key, "session": sessions[0], "ended": sessions[1]}


@pytest.fixture(scope="module")
def before(endpoint: EndpointProcess, aws: Client, keys: dict[str, Any]) -> dict[str, Any]:
    dies_at = {4: 0.004, 15: 0.03}
    for number, make in enumerate(MAKERS):
        if number in dies_at:
            made_while_it_dies(endpoint, aws, make, dies_at[number])
        else:
            made(aws, make)
    churn(aws)
    said = described(aws)
    endpoint.kill()
    end_a_session(endpoint, keys["ended"]["AccessKeyId"])
    endpoint.start()
    return said


def churn(aws: Client) -> None:
    """Much that comes and goes."""
    for number in range(12):
        aws("iam").create_role(RoleName=f"churn-{number}", AssumeRolePolicyDocument=json.dumps(TRUST))
        aws("iam").put_role_policy(RoleName=f"churn-{number}", PolicyName="p", PolicyDocument=json.dumps(POLICY))
        aws("iam").delete_role_policy(RoleName=f"churn-{number}", PolicyName="p")
        aws("iam").delete_role(RoleName=f"churn-{number}")
        url = aws("sqs").create_queue(QueueName=f"churn-{number}")["QueueUrl"]
        aws("sqs").send_message(QueueUrl=url, MessageBody="no line of the journal")
        aws("sqs").delete_queue(QueueUrl=url)


def end_a_session(endpoint: EndpointProcess, access_key: str) -> None:
    """The shortest session lasts 15 minutes: this one's end is moved."""
    db = sqlite3.connect(endpoint.data_dir / "state.db")
    row = (time.time() - 1, "sts.session", access_key)
    db.execute("UPDATE documents SET body = json_set(body, '$.expires', ?) WHERE kind = ? AND name = ?", row)
    db.commit()
    db.close()


def test_every_resource_is_there_as_before_under_the_same_ids(before: dict[str, Any], aws: Client) -> None:
    after = described(aws)
    assert {name: (said, after[name]) for name, said in before.items() if said != after[name]} == {}


def test_the_message_is_there_with_its_attributes(before: dict[str, Any], aws: Client) -> None:
    (message,) = aws("sqs").receive_message(QueueUrl=QUEUE, MessageAttributeNames=["All"])["Messages"]
    assert (message["Body"], message["MessageAttributes"]["b"]["BinaryValue"]) == ("kept", b"\x00\xff")


def client_of(endpoint: EndpointProcess, service: str, key: dict[str, str]) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
    )


@pytest.mark.parametrize(("which", "arn"), [("key", "user/alice"), ("session", "assumed-role/assumed/long")])
def test_who_had_a_key_still_has_it(
    before: dict[str, Any], endpoint: EndpointProcess, keys: dict[str, Any], which: str, arn: str
) -> None:
    assert client_of(endpoint, "sts", keys[which]).get_caller_identity()["Arn"].endswith(f":{arn}")


def test_what_was_first_is_itself_after_every_kill(before: dict[str, Any], aws: Client, keys: dict[str, Any]) -> None:
    assert aws("iam").get_user(UserName="alice")["User"] == keys["alice"]


def test_a_session_that_is_over_is_refused(
    before: dict[str, Any], endpoint: EndpointProcess, keys: dict[str, Any]
) -> None:
    for service, call, code in (
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("s3", "list_buckets", "ExpiredToken"),
        ("glue", "get_databases", "ExpiredTokenException"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            getattr(client_of(endpoint, service, keys["ended"]), call)()
        assert refused.value.response["Error"]["Code"] == code


def test_a_key_ends_when_it_is_deactivated_or_deleted(
    before: dict[str, Any], endpoint: EndpointProcess, aws: Client, keys: dict[str, Any]
) -> None:
    user = {"UserName": "alice", "AccessKeyId": keys["key"]["AccessKeyId"]}
    alice = client_of(endpoint, "sts", keys["key"])
    aws("iam").update_access_key(**user, Status="Inactive")
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidClientTokenId"):
        alice.get_caller_identity()
    aws("iam").update_access_key(**user, Status="Active")
    assert alice.get_caller_identity()["Arn"].endswith(":user/alice")
    aws("iam").delete_access_key(**user)
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidClientTokenId"):
        alice.get_caller_identity()


def test_a_user_gets_sessions_and_a_session_gets_none(
    before: dict[str, Any], endpoint: EndpointProcess, aws: Client, keys: dict[str, Any]
) -> None:
    sts = aws("sts")
    for session, arn in (
        (sts.get_session_token(DurationSeconds=900), ":user/laptop"),
        (sts.get_federation_token(Name="bob"), ":federated-user/bob"),
    ):
        its_own = client_of(endpoint, "sts", session["Credentials"])
        assert its_own.get_caller_identity()["Arn"].endswith(arn)
        with pytest.raises(botocore.exceptions.ClientError, match="session credentials"):
            its_own.get_session_token()
    with pytest.raises(botocore.exceptions.ClientError, match="ValidationError"):
        sts.get_session_token(DurationSeconds=129_601)


def test_iam_tells_a_caller_its_own_user(endpoint: EndpointProcess, aws: Client, keys: dict[str, Any]) -> None:
    owner, caller = aws("iam").get_user()["User"], aws("sts").get_caller_identity()
    assert (owner["UserName"], owner["Arn"], owner["UserId"]) == ("laptop", caller["Arn"], caller["UserId"])
    assert aws("iam").get_user()["User"] == owner
    federated = aws("sts").get_federation_token(Name="bob")["Credentials"]
    with pytest.raises(botocore.exceptions.ClientError, match="non-User credentials"):
        client_of(endpoint, "iam", federated).get_user()
    alice = aws("iam").create_user(UserName="own", Path="/of/")["User"]
    made = aws("iam").create_access_key(UserName="own")["AccessKey"]
    session = client_of(endpoint, "sts", made).get_session_token()["Credentials"]
    for own in (made, session):
        assert client_of(endpoint, "iam", own).get_user()["User"] == alice


def test_a_role_that_there_is_not_can_not_be_assumed(before: dict[str, Any], aws: Client) -> None:
    for role, seconds, code in (("nobody", 900, "AccessDenied"), ("assumed", 43200, "ValidationError")):
        arn = f"arn:aws:iam::000000000000:role/{role}"
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            aws("sts").assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=seconds)
        assert refused.value.response["Error"]["Code"] == code


def test_the_journal_is_as_long_as_what_there_is(
    before: dict[str, Any], endpoint: EndpointProcess, aws: Client
) -> None:
    """Terraform's apply and destroy, again and again, and ten thousand messages would be none of it."""
    assert aws("iam").list_users()["Users"], "the journal has been read"
    journal = endpoint.data_dir / "control.journal"
    assert journal.read_bytes().count(b"\n") < 2 * len(MAKERS)
    assert b"churn" not in journal.read_bytes()
