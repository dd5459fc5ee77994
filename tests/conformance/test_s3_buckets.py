"""S3 buckets through boto3: made, listed, configured, removed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:q"
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def s3(aws: Client) -> Any:
    return aws("s3")


@pytest.fixture(scope="module")
def bucket(s3: Any) -> str:
    s3.create_bucket(Bucket="configured")
    return "configured"


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response: Any = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_bucket_lives_from_its_creation_to_its_deletion(s3: Any) -> None:
    assert s3.create_bucket(Bucket="short-lived")["Location"] == "/short-lived"
    assert s3.head_bucket(Bucket="short-lived")["BucketRegion"] == "us-east-1"
    assert "short-lived" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert s3.delete_bucket(Bucket="short-lived")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(s3.head_bucket, Bucket="short-lived") == ("404", 404)
    assert refusal(s3.delete_bucket, Bucket="short-lived") == ("NoSuchBucket", 404)
    assert refusal(s3.list_objects_v2, Bucket="short-lived") == ("NoSuchBucket", 404)


def test_making_a_bucket_again_succeeds_in_us_east_1_alone(s3: Any) -> None:
    eu = {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    for _ in range(2):
        s3.create_bucket(Bucket="once-more")
    s3.create_bucket(Bucket="european", **eu)
    assert refusal(s3.create_bucket, Bucket="european", **eu) == ("BucketAlreadyOwnedByYou", 409)
    assert s3.get_bucket_location(Bucket="once-more")["LocationConstraint"] is None
    assert s3.get_bucket_location(Bucket="european")["LocationConstraint"] == "eu-central-1"
    nowhere = {"CreateBucketConfiguration": {"LocationConstraint": "nowhere"}}
    assert refusal(s3.create_bucket, Bucket="lost", **nowhere) == ("InvalidLocationConstraint", 400)


@pytest.mark.parametrize("name", ["Upper", "with_underscore", "a..b", "192.168.1.1", "xn--a", "name-s3alias", "-a-b"])
def test_names_that_s3_does_not_have_are_refused(s3: Any, name: str) -> None:
    assert refusal(s3.create_bucket, Bucket=name) == ("InvalidBucketName", 400)


def test_buckets_are_listed_in_pages(s3: Any) -> None:
    for n in range(3):
        s3.create_bucket(Bucket=f"paged-{n}")
    pages = s3.get_paginator("list_buckets").paginate(Prefix="paged-", PaginationConfig={"PageSize": 2})
    assert [[bucket["Name"] for bucket in page["Buckets"]] for page in pages] == [["paged-0", "paged-1"], ["paged-2"]]


def test_a_bucket_with_objects_stays(s3: Any) -> None:
    s3.create_bucket(Bucket="full")
    s3.put_object(Bucket="full", Key="a", Body=b"")
    assert refusal(s3.delete_bucket, Bucket="full") == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket="full", Key="a")
    s3.delete_bucket(Bucket="full")


def test_configuration_is_kept_with_the_bucket(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    blocked = {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == blocked
    delete = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": delete})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "raw/"}, "Expiration": {"Days": 90}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["Expiration"] == {"Days": 90}


def test_of_some_configurations_a_bucket_has_many(s3: Any, bucket: str) -> None:
    for id_ in ("b", "a"):
        metrics = {"Id": id_, "Filter": {"Prefix": "raw/"}}
        s3.put_bucket_metrics_configuration(Bucket=bucket, Id=id_, MetricsConfiguration=metrics)
    listed = s3.list_bucket_metrics_configurations(Bucket=bucket)["MetricsConfigurationList"]
    assert [one["Id"] for one in listed] == ["a", "b"]
    s3.delete_bucket_metrics_configuration(Bucket=bucket, Id="b")
    assert refusal(s3.get_bucket_metrics_configuration, Bucket=bucket, Id="b") == ("NoSuchConfiguration", 404)
    assert s3.get_bucket_metrics_configuration(Bucket=bucket, Id="a")["MetricsConfiguration"]["Id"] == "a"
    assert "InventoryConfigurationList" not in s3.list_bucket_inventory_configurations(Bucket=bucket)


def test_what_is_not_configured_is_named(s3: Any) -> None:
    s3.create_bucket(Bucket="plain")
    assert refusal(s3.get_bucket_policy, Bucket="plain")[0] == "NoSuchBucketPolicy"
    assert refusal(s3.get_bucket_lifecycle_configuration, Bucket="plain")[0] == "NoSuchLifecycleConfiguration"
    assert "Status" not in s3.get_bucket_versioning(Bucket="plain")
    assert refusal(s3.get_bucket_policy, Bucket="no-such-bucket")[0] == "NoSuchBucket"


def test_a_new_bucket_has_nothing_of_a_deleted_one(s3: Any) -> None:
    s3.create_bucket(Bucket="reborn")
    s3.put_bucket_tagging(Bucket="reborn", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_bucket_notification_configuration(
        Bucket="reborn", NotificationConfiguration=to(FUNCTION), SkipDestinationValidation=True
    )
    s3.delete_bucket(Bucket="reborn")
    s3.create_bucket(Bucket="reborn")
    assert refusal(s3.get_bucket_tagging, Bucket="reborn")[0] == "NoSuchTagSet"
    assert "LambdaFunctionConfigurations" not in s3.get_bucket_notification_configuration(Bucket="reborn")


def test_wishes_at_creation_are_kept(s3: Any) -> None:
    s3.create_bucket(
        Bucket="wishes",
        ObjectOwnership="BucketOwnerEnforced",
        CreateBucketConfiguration={"Tags": [{"Key": "team", "Value": "data"}]},
    )
    rules = s3.get_bucket_ownership_controls(Bucket="wishes")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_tagging(Bucket="wishes")["TagSet"] == [{"Key": "team", "Value": "data"}]


def to(arn: str, prefix: str = "", events: tuple[str, ...] = ("s3:ObjectCreated:*",), **more: Any) -> dict[str, Any]:
    """A notification configuration with one target."""
    kind, target = {
        "lambda": ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
        "sqs": ("QueueConfigurations", "QueueArn"),
    }[arn.split(":")[2]]
    rules = [{"Name": "prefix", "Value": prefix}] if prefix else []
    return {kind: [{target: arn, "Events": list(events), "Filter": {"Key": {"FilterRules": rules}}, **more}]}


def test_notifications_are_kept_and_every_one_has_an_id(s3: Any, bucket: str) -> None:
    configuration = to(FUNCTION, "raw/", Id="trigger") | to(QUEUE, "other/")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration, SkipDestinationValidation=True
    )
    kept = s3.get_bucket_notification_configuration(Bucket=bucket)
    (function,) = kept["LambdaFunctionConfigurations"]
    assert function == {
        "Id": "trigger",
        "LambdaFunctionArn": FUNCTION,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "raw/"}]}},
    }
    assert kept["QueueConfigurations"][0]["Id"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        (to("arn:aws:lambda:::nothing"), "InvalidArgument"),
        (to(FUNCTION, events=("s3:ObjectEaten:*",)), "MalformedXML"),
        (to(FUNCTION, "raw/") | to(QUEUE, "raw/2025"), "InvalidArgument"),
        (to(FUNCTION, "a/", Id="same") | to(QUEUE, "b/", Id="same"), "InvalidArgument"),
        (to(FUNCTION) | to(QUEUE, events=("s3:ObjectCreated:Put",)), "InvalidArgument"),
    ],
)
def test_notifications_that_s3_refuses(s3: Any, bucket: str, configuration: dict[str, Any], code: str) -> None:
    put = s3.put_bucket_notification_configuration
    assert refusal(put, Bucket=bucket, NotificationConfiguration=configuration) == (code, 400)


def test_prefixes_that_do_not_overlap_may_have_two_targets(s3: Any, bucket: str) -> None:
    configuration = to(FUNCTION, "a/") | to(QUEUE, "b/")
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration, SkipDestinationValidation=True
    )
