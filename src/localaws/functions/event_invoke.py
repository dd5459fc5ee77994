"""How a function's asynchronous invocations are treated: retries, age, destinations, dead letters.

The event-invoke configuration belongs to one qualifier, and a version that has none is treated by AWS's defaults
(docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html). DeadLetterConfig is part of the function's own
configuration. Refused by name: destinations that nothing here delivers to (EventBridge, S3, Kafka), FIFO queues.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.errors import AwsError
from localaws.functions.config import Reference, invalid, not_found, reference
from localaws.functions.paging import page
from localaws.functions.registry import Document, Registry
from localaws.wire import Operation, Parameters

# docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: six hours and two more attempts.
_MAXIMUM_AGE = 6 * 3600
_RETRIES = 2

_SET = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
_DELIVERED = frozenset({"sqs", "sns", "lambda"})
_NOT_DONE = {
    "events": "localaws delivers the reports of asynchronous invocations to SQS, SNS and Lambda, not to EventBridge",
    "s3": "localaws delivers the reports of asynchronous invocations to SQS, SNS and Lambda, not to S3",
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often an asynchronous invocation that failed runs again, and for how long (seconds) it is kept."""

    retries: int = _RETRIES
    age: float = _MAXIMUM_AGE


@dataclass(frozen=True, slots=True)
class Targets:
    """ARNs, or empty: where the asynchronous invocations of a function, or of one of its versions, report."""

    on_success: str = ""
    on_failure: str = ""
    dead_letter: str = ""

    @property
    def of_failures(self) -> bool:
        return bool(self.on_failure or self.dead_letter)


class EventInvoke:
    def __init__(self, registry: Registry, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._clock = clock
        self.operations: Mapping[str, Operation] = {
            "PutFunctionEventInvokeConfig": self._put,
            "UpdateFunctionEventInvokeConfig": self._update,
            "GetFunctionEventInvokeConfig": self._get,
            "ListFunctionEventInvokeConfigs": self._list,
            "DeleteFunctionEventInvokeConfig": self._delete,
        }

    def retry_policy(self, name: str, qualifier: str) -> RetryPolicy:
        """ResourceNotFoundException if the function is gone."""
        config = self._registry.find(name)["EventInvoke"].get(qualifier, {})
        return RetryPolicy(
            config.get("MaximumRetryAttempts", _RETRIES), config.get("MaximumEventAgeInSeconds", _MAXIMUM_AGE)
        )

    def targets(self, name: str, qualifier: str) -> Targets:
        """Nowhere, if the function or its version is gone."""
        try:
            configuration = self._registry.configuration(Reference(name, qualifier))
            config = self._registry.find(name)["EventInvoke"].get(qualifier, {}).get("DestinationConfig", {})
        except AwsError:
            return Targets()
        return Targets(
            config.get("OnSuccess", {}).get("Destination", ""),
            config.get("OnFailure", {}).get("Destination", ""),
            configuration.get("DeadLetterConfig", {}).get("TargetArn", ""),
        )

    def _put(self, parameters: Parameters) -> Parameters:
        return self._set(parameters, {"DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}})

    def _update(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        return self._set(parameters, self._configured(self._existing(named), named))

    def _set(self, parameters: Parameters, before: Parameters) -> Parameters:
        if not any(name in parameters for name in _SET):
            raise invalid("You must specify at least one of error handling or destination setting.")
        named = _named(parameters)
        self._existing(named)
        self._check_destinations(parameters.get("DestinationConfig", {}), named)
        with self._registry.change(named.name) as document:
            document["EventInvoke"][named.qualifier] = {
                **before,
                **{name: parameters[name] for name in _SET if name in parameters},
                **_both_directions(parameters),
                "FunctionArn": f"{document['Configuration']['FunctionArn']}:{named.qualifier}",
                "LastModified": self._clock(),
            }
            answer: Parameters = document["EventInvoke"][named.qualifier]
            return answer

    def _existing(self, named: Reference) -> Document:
        try:
            self._registry.configuration(named)
            return self._registry.find(named.name)
        except AwsError as e:
            raise not_found("The function doesn't exist.") from e

    def _check_destinations(self, config: Mapping[str, Any], named: Reference) -> None:
        for direction in ("OnSuccess", "OnFailure"):
            arn = config.get(direction, {}).get("Destination", "")
            if arn:
                self._check_destination(arn, direction, named)

    def _check_destination(self, arn: str, direction: str, named: Reference) -> None:
        service = (arn.split(":") + [""] * 3)[2]
        if service in _NOT_DONE:
            raise invalid(_NOT_DONE[service])
        if service not in _DELIVERED or arn.endswith(".fifo"):
            given = f"{direction}(destination={arn})"
            fields = {name: given if name == direction else "null" for name in ("OnSuccess", "OnFailure")}
            text = ", ".join(f"{name[0].lower()}{name[1:]}={value}" for name, value in fields.items())
            raise invalid(f"The provided destination config DestinationConfig({text}) is invalid.")
        if service == "lambda":
            self._check_function(arn, named)

    def _check_function(self, arn: str, named: Reference) -> None:
        target = reference(arn)
        if target.name == named.name:
            raise invalid("You can't specify the function as a destination for itself.")
        try:
            self._registry.configuration(target)
        except AwsError as e:
            raise invalid(f"The destination ARN {arn} is invalid.") from e

    def _get(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        try:
            return self._configured(self._registry.find(named.name), named)
        except AwsError as e:
            raise self._none(named) from e

    def _configured(self, document: Document, named: Reference) -> Parameters:
        config: Parameters | None = document["EventInvoke"].get(named.qualifier)
        if config is None:
            raise self._none(named)
        return config

    def _list(self, parameters: Parameters) -> Parameters:
        document = self._existing(Reference(_named(parameters).name, "$LATEST"))
        return page("FunctionEventInvokeConfigs", list(document["EventInvoke"].values()), parameters)

    def _delete(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        self._get(parameters)
        with self._registry.change(named.name) as document:
            document["EventInvoke"].pop(named.qualifier, None)
        return {}

    def _none(self, named: Reference) -> AwsError:
        arn = self._registry.arn(Reference(named.name, "$LATEST"))
        return not_found(f"The function {arn}:{named.qualifier} doesn't have an EventInvokeConfig")


def _both_directions(parameters: Parameters) -> Parameters:
    given = parameters.get("DestinationConfig")
    return {} if given is None else {"DestinationConfig": {"OnSuccess": {}, "OnFailure": {}, **given}}


def _named(parameters: Parameters) -> Reference:
    return reference(parameters["FunctionName"], parameters.get("Qualifier"))
