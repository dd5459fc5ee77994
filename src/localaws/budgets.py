"""AWS Budgets: what may be spent, and who is told. docs.aws.amazon.com/aws-cost-management/latest/APIReference.

Done: budgets with their notifications, subscribers and tags. They are kept and answered; nothing costs anything here,
so what was spent is always 0 and nobody is ever told. Not done: budget actions and performance history (`otherwise`).
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from localaws.errors import AwsError
from localaws.store import Documents, Store
from localaws.wire import Handler, Operation, Parameters, json_service

Document = dict[str, Any]

_FOR_EVER = 3706473600.0
""" "If you didn't specify an end date, AWS set your end date to 06/15/87 00:00 UTC" (API_budgets_TimePeriod.html)."""
# API_budgets_CostTypes.html
_COST_TYPES = {
    **dict.fromkeys(("IncludeTax", "IncludeSubscription", "IncludeRefund", "IncludeCredit", "IncludeUpfront"), True),
    **dict.fromkeys(("IncludeRecurring", "IncludeOtherSubscription", "IncludeSupport", "IncludeDiscount"), True),
    **dict.fromkeys(("UseBlended", "UseAmortized"), False),
}
_MOST_NOTIFICATIONS = 10
_MOST_SUBSCRIBERS = 11
_PAGE = 100


class Budgets:
    """A budget's document: `budget` as Describe answers it, `tags`, and `notices`: each a Notification and its
    Subscribers."""

    def __init__(self, store: Store, clock: Callable[[], float], account: str, otherwise: Handler) -> None:
        self._store = store
        self._documents = Documents(store, "budgets.budget")
        self._clock = clock
        self._account = account
        self._arn = f"arn:aws:budgets::{account}:budget/"
        operations: dict[str, Callable[[Parameters], Parameters]] = {
            "CreateBudget": self._create,
            "DescribeBudget": lambda p: {"Budget": self._get(p["BudgetName"])["budget"]},
            "DescribeBudgets": self._describe_all,
            "UpdateBudget": self._update,
            "DeleteBudget": self._delete,
            "CreateNotification": self._create_notification,
            "UpdateNotification": self._update_notification,
            "DeleteNotification": self._delete_notification,
            "DescribeNotificationsForBudget": self._describe_notifications,
            "CreateSubscriber": self._create_subscriber,
            "UpdateSubscriber": self._update_subscriber,
            "DeleteSubscriber": self._delete_subscriber,
            "DescribeSubscribersForNotification": self._describe_subscribers,
        }
        tagging: dict[str, Operation] = {
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": lambda p: {"ResourceTags": _listed(self._get(self._named(p))["tags"])},
        }
        own = {name: self._of_this_account(operation) for name, operation in operations.items()}
        self.handler = json_service("budgets", own | tagging, otherwise)

    def _of_this_account(self, operation: Callable[[Parameters], Parameters]) -> Operation:
        def run(p: Parameters) -> Parameters:
            if p["AccountId"] != self._account:
                raise AwsError("AccessDeniedException", f"Account {p['AccountId']} is not the caller's")
            return operation(p)

        return run

    def _get(self, name: str) -> Document:
        found = self._documents.get(name)
        if found is None:
            raise _not_found(f"Unable to get budget: {name} - the budget doesn't exist.")
        return found

    def _change(self, name: str, change: Callable[[Document], None]) -> Parameters:
        with self._store.write():  # nobody else changes it in between
            document = self._get(name)
            change(document)
            self._documents.put(name, document)
        return {}

    # Budgets

    def _create(self, p: Parameters) -> Parameters:
        name = p["Budget"]["BudgetName"]
        notices: list[Document] = []
        for given in p.get("NotificationsWithSubscribers", ()):
            _add_notice(notices, given["Notification"], given["Subscribers"])
        document = {
            "budget": self._described(p["Budget"], {}),
            "notices": notices,
            "tags": {tag["Key"]: tag["Value"] for tag in p.get("ResourceTags", ())},
        }
        with self._store.write():
            if self._documents.get(name) is not None:
                raise _duplicate(f"Error creating budget: {name} - the budget already exists.")
            self._documents.put(name, document)
        return {}

    def _described(self, given: Parameters, before: Parameters) -> Parameters:
        if not {"BudgetLimit", "PlannedBudgetLimits", "AutoAdjustData"} & given.keys():
            raise _invalid("Unable to create/update budget - please provide one of the followings: Budget Limit")
        unit = given.get("BudgetLimit", {}).get("Unit", "USD")
        nothing = {"Amount": "0", "Unit": unit}
        defaults = {
            "TimePeriod": before.get("TimePeriod", {}),
            "CostFilters": {},
            **({"CostTypes": _COST_TYPES} if given["BudgetType"] == "COST" else {}),
        }
        described = defaults | given
        now = self._clock()
        return described | {
            "TimePeriod": {"Start": _first_of_month(now), "End": _FOR_EVER} | described["TimePeriod"],
            "CalculatedSpend": {"ActualSpend": nothing, "ForecastedSpend": nothing},
            "LastUpdatedTime": now,
        }

    def _update(self, p: Parameters) -> Parameters:
        def change(document: Document) -> None:
            document["budget"] = self._described(p["NewBudget"], document["budget"])

        return self._change(p["NewBudget"]["BudgetName"], change)

    def _delete(self, p: Parameters) -> Parameters:
        name = p["BudgetName"]
        if not self._documents.delete(name):
            raise _not_found(f"Unable to delete budget: {name} - the budget doesn't exist. Try creating it first.")
        return {}

    def _describe_all(self, p: Parameters) -> Parameters:
        after, most = p.get("NextToken") or "", p.get("MaxResults", _PAGE)
        found = [(name, document["budget"]) for name, document in self._documents.items() if name > after]
        more = {"NextToken": found[most - 1][0]} if len(found) > most else {}
        return {"Budgets": [budget for _, budget in found[:most]], **more}

    # Notifications and their subscribers: a budget has at most ten, and they eleven, so a page holds them all

    def _describe_notifications(self, p: Parameters) -> Parameters:
        return {"Notifications": [notice["Notification"] for notice in self._get(p["BudgetName"])["notices"]]}

    def _create_notification(self, p: Parameters) -> Parameters:
        return self._change(
            p["BudgetName"], lambda document: _add_notice(document["notices"], p["Notification"], p["Subscribers"])
        )

    def _update_notification(self, p: Parameters) -> Parameters:
        def change(document: Document) -> None:
            notices = document["notices"]
            kept = _notice(notices, p["OldNotification"])
            notices.remove(kept)
            _add_notice(notices, p["NewNotification"], kept["Subscribers"])

        return self._change(p["BudgetName"], change)

    def _delete_notification(self, p: Parameters) -> Parameters:
        def change(document: Document) -> None:
            document["notices"].remove(_notice(document["notices"], p["Notification"]))

        return self._change(p["BudgetName"], change)

    def _describe_subscribers(self, p: Parameters) -> Parameters:
        return {"Subscribers": _notice(self._get(p["BudgetName"])["notices"], p["Notification"])["Subscribers"]}

    def _create_subscriber(self, p: Parameters) -> Parameters:
        return self._change_subscribers(p, lambda there: [*there, p["Subscriber"]])

    def _update_subscriber(self, p: Parameters) -> Parameters:
        return self._change_subscribers(p, lambda there: [*_without(there, p["OldSubscriber"]), p["NewSubscriber"]])

    def _delete_subscriber(self, p: Parameters) -> Parameters:
        return self._change_subscribers(p, lambda there: _without(there, p["Subscriber"]))

    def _change_subscribers(self, p: Parameters, change: Callable[[list[Document]], list[Document]]) -> Parameters:
        def changed(document: Document) -> None:
            notice = _notice(document["notices"], p["Notification"])
            notice["Subscribers"] = _subscribers(change(notice["Subscribers"]))

        return self._change(p["BudgetName"], changed)

    # Tags

    def _named(self, p: Parameters) -> str:
        arn: str = p["ResourceARN"]
        if not arn.startswith(self._arn):
            raise _not_found(f"Unable to find the resource: {arn}")
        return arn.removeprefix(self._arn)

    def _tag(self, p: Parameters) -> Parameters:
        given = {tag["Key"]: tag["Value"] for tag in p["ResourceTags"]}
        return self._change(self._named(p), lambda document: document["tags"].update(given))

    def _untag(self, p: Parameters) -> Parameters:
        def change(document: Document) -> None:
            document["tags"] = {k: v for k, v in document["tags"].items() if k not in p["ResourceTagKeys"]}

        return self._change(self._named(p), change)


def _first_of_month(now: float) -> float:
    first = datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.timestamp()


def _same(one: Parameters) -> tuple[object, ...]:
    """What a notification is known by."""
    return (
        one["NotificationType"],
        one["ComparisonOperator"],
        float(one["Threshold"]),
        one.get("ThresholdType", "PERCENTAGE"),
    )


def _notice(notices: Iterable[Document], asked: Parameters) -> Document:
    for notice in notices:
        if _same(notice["Notification"]) == _same(asked):
            return notice
    raise _not_found("Unable to find the notification - it doesn't exist.")


def _add_notice(notices: list[Document], given: Parameters, subscribers: list[Document]) -> None:
    if any(_same(notice["Notification"]) == _same(given) for notice in notices):
        raise _duplicate("Unable to create notification - the notification already exists.")
    if len(notices) >= _MOST_NOTIFICATIONS:
        raise AwsError("CreationLimitExceededException", f"A budget has at most {_MOST_NOTIFICATIONS} notifications")
    notification = {"ThresholdType": "PERCENTAGE", **given, "NotificationState": "OK"}
    notices.append({"Notification": notification, "Subscribers": _subscribers(subscribers)})


def _subscribers(wanted: list[Document]) -> list[Document]:
    if not wanted:
        raise _invalid("A notification has at least one subscriber")
    if len({(one["SubscriptionType"], one["Address"]) for one in wanted}) < len(wanted):
        raise _duplicate("Unable to create subscriber - the subscriber already exists.")
    if len(wanted) > _MOST_SUBSCRIBERS:
        raise AwsError("CreationLimitExceededException", f"A notification has at most {_MOST_SUBSCRIBERS} subscribers")
    return wanted


def _without(there: list[Document], gone: Document) -> list[Document]:
    if gone not in there:
        raise _not_found("Unable to find the subscriber - it doesn't exist.")
    return [one for one in there if one != gone]


def _listed(tags: dict[str, str]) -> list[Document]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _not_found(text: str) -> AwsError:
    return AwsError("NotFoundException", text)


def _duplicate(text: str) -> AwsError:
    return AwsError("DuplicateRecordException", text)


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidParameterException", text)
