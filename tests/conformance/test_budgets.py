"""AWS Budgets, as boto3 and Terraform's provider use it."""

from typing import Any

import pytest

from endpoint_process import EndpointProcess

ACCOUNT = {"AccountId": "000000000000"}
NAMED = {**ACCOUNT, "BudgetName": "lake"}
LAKE = {
    "BudgetName": "lake",
    "BudgetType": "COST",
    "TimeUnit": "MONTHLY",
    "BudgetLimit": {"Amount": "50.0", "Unit": "USD"},
}
ACTUAL = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
FORECAST = {**ACTUAL, "NotificationType": "FORECASTED", "Threshold": 100.0, "ThresholdType": "PERCENTAGE"}
TOPIC = {"SubscriptionType": "SNS", "Address": "arn:aws:sns:us-east-1:000000000000:alarms"}
MAIL = {"SubscriptionType": "EMAIL", "Address": "ops@example.com"}


@pytest.fixture
def budgets(endpoint: EndpointProcess) -> Any:
    """A client, with one budget there."""
    client = endpoint.client("budgets")
    client.create_budget(
        **ACCOUNT,
        Budget=LAKE,
        NotificationsWithSubscribers=[{"Notification": ACTUAL, "Subscribers": [TOPIC]}],
        ResourceTags=[{"Key": "team", "Value": "data"}],
    )
    yield client
    client.delete_budget(**NAMED)


def test_a_budget_is_described_with_awss_defaults(budgets: Any) -> None:
    found = budgets.describe_budget(**NAMED)["Budget"]
    assert {key: found[key] for key in LAKE} == LAKE
    assert found["CostTypes"]["IncludeTax"] is True
    assert found["CostTypes"]["UseBlended"] is False
    assert (found["TimePeriod"]["Start"].day, found["TimePeriod"]["End"].year) == (1, 2087)
    assert found["CalculatedSpend"]["ActualSpend"] == {"Amount": "0", "Unit": "USD"}
    assert [budget["BudgetName"] for budget in budgets.describe_budgets(**ACCOUNT)["Budgets"]] == ["lake"]


def test_an_update_replaces_the_budget_and_keeps_its_notifications(budgets: Any) -> None:
    before = budgets.describe_budget(**NAMED)["Budget"]
    budgets.update_budget(**ACCOUNT, NewBudget={**LAKE, "BudgetLimit": {"Amount": "75", "Unit": "USD"}})
    after = budgets.describe_budget(**NAMED)["Budget"]
    assert after["BudgetLimit"]["Amount"] == "75"
    assert after["TimePeriod"] == before["TimePeriod"]
    assert len(budgets.describe_notifications_for_budget(**NAMED)["Notifications"]) == 1


def test_a_notification_is_known_by_what_it_says(budgets: Any) -> None:
    assert budgets.describe_notifications_for_budget(**NAMED)["Notifications"] == [
        {**ACTUAL, "ThresholdType": "PERCENTAGE", "NotificationState": "OK"}
    ]
    with pytest.raises(budgets.exceptions.DuplicateRecordException):
        budgets.create_notification(**NAMED, Notification=ACTUAL, Subscribers=[MAIL])
    budgets.update_notification(**NAMED, OldNotification=ACTUAL, NewNotification=FORECAST)
    assert budgets.describe_subscribers_for_notification(**NAMED, Notification=FORECAST)["Subscribers"] == [TOPIC]
    budgets.delete_notification(**NAMED, Notification=FORECAST)
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.describe_subscribers_for_notification(**NAMED, Notification=FORECAST)


def test_a_notification_has_one_subscriber_or_more(budgets: Any) -> None:
    about = {**NAMED, "Notification": ACTUAL}
    budgets.create_subscriber(**about, Subscriber=MAIL)
    with pytest.raises(budgets.exceptions.DuplicateRecordException):
        budgets.create_subscriber(**about, Subscriber=MAIL)
    other = {**MAIL, "Address": "cost@example.com"}
    budgets.update_subscriber(**about, OldSubscriber=MAIL, NewSubscriber=other)
    assert budgets.describe_subscribers_for_notification(**about)["Subscribers"] == [TOPIC, other]
    budgets.delete_subscriber(**about, Subscriber=TOPIC)
    with pytest.raises(budgets.exceptions.InvalidParameterException):
        budgets.delete_subscriber(**about, Subscriber=other)


def test_a_budget_has_tags(budgets: Any) -> None:
    arn = {"ResourceARN": "arn:aws:budgets::000000000000:budget/lake"}
    budgets.tag_resource(**arn, ResourceTags=[{"Key": "stage", "Value": "dev"}])
    budgets.untag_resource(**arn, ResourceTagKeys=["team"])
    assert budgets.list_tags_for_resource(**arn)["ResourceTags"] == [{"Key": "stage", "Value": "dev"}]


def test_what_is_not_there_or_not_the_callers_is_refused(budgets: Any) -> None:
    with pytest.raises(budgets.exceptions.DuplicateRecordException):
        budgets.create_budget(**ACCOUNT, Budget=LAKE)
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.describe_budget(**ACCOUNT, BudgetName="other")
    with pytest.raises(budgets.exceptions.AccessDeniedException):
        budgets.describe_budgets(AccountId="111111111111")
    unlimited = {key: value for key, value in LAKE.items() if key != "BudgetLimit"}
    with pytest.raises(budgets.exceptions.InvalidParameterException):
        budgets.create_budget(**ACCOUNT, Budget={**unlimited, "BudgetName": "unlimited"})
