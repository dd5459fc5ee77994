"""What moto alone answers otherwise than AWS, each found by Terraform's provider: src/localaws/control/corrections.py."""

import json
from typing import Any

import pytest

from endpoint_process import EndpointProcess

ALARM = {
    "AlarmName": "late",
    "Namespace": "AWS/Firehose",
    "MetricName": "DeliveryToS3.DataFreshness",
    "Statistic": "Maximum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 600.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def test_a_log_group_made_anew_has_no_tags_of_the_one_before(endpoint: EndpointProcess) -> None:
    logs = endpoint.client("logs")
    logs.create_log_group(logGroupName="/anew", tags={"stage": "old"})
    logs.delete_log_group(logGroupName="/anew")
    logs.create_log_group(logGroupName="/anew")
    group = logs.describe_log_groups(logGroupNamePrefix="/anew")["logGroups"][0]
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {}


def test_an_alarm_made_anew_has_no_tags_of_the_one_before(endpoint: EndpointProcess) -> None:
    cloudwatch = endpoint.client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM, Tags=[{"Key": "stage", "Value": "old"}])
    cloudwatch.delete_alarms(AlarmNames=["late"])
    cloudwatch.put_metric_alarm(**ALARM)
    arn = cloudwatch.describe_alarms(AlarmNames=["late"])["MetricAlarms"][0]["AlarmArn"]
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_a_log_groups_key_can_be_given_and_taken_away(endpoint: EndpointProcess) -> None:
    logs, key = endpoint.client("logs"), endpoint.client("kms").create_key()["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="/sealed")

    def sealed_with() -> Any:
        return logs.describe_log_groups(logGroupNamePrefix="/sealed")["logGroups"][0].get("kmsKeyId")

    logs.associate_kms_key(logGroupName="/sealed", kmsKeyId=key)
    assert sealed_with() == key
    endpoint.kill()
    endpoint.start()
    assert sealed_with() == key
    logs.disassociate_kms_key(logGroupName="/sealed")
    assert sealed_with() is None
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.associate_kms_key(logGroupName="/none", kmsKeyId=key)


def test_a_queue_keeps_its_policy_when_something_else_is_set(endpoint: EndpointProcess) -> None:
    sqs = endpoint.client("sqs")
    statement = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = {"QueueUrl": sqs.create_queue(QueueName="kept", Attributes={"Policy": policy})["QueueUrl"]}

    def said() -> str | None:
        found: str | None = sqs.get_queue_attributes(**url, AttributeNames=["All"])["Attributes"].get("Policy")
        return found

    sqs.set_queue_attributes(**url, Attributes={"VisibilityTimeout": "60"})
    assert said() == policy
    sqs.set_queue_attributes(**url, Attributes={"Policy": ""})
    assert not said()
