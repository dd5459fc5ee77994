"""What services do in the name of roles: streams that deliver, functions that log and report. As on AWS they take the
role first, which its trust policy must allow them.

What is refused is not lost: a delivery and a report are tried again until the policies allow them. Only log lines are
dropped, as on AWS, where no function fails for them either.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from localaws.errors import AwsError
from localaws.iam.enforcement import Enforcement
from localaws.iam.guard import Guard
from localaws.wire import Caller, Parameters

log = logging.getLogger("localaws.iam")

_FIREHOSE, _LAMBDA = "firehose.amazonaws.com", "lambda.amazonaws.com"
# The session of a delivery to S3, as the events of its objects tell it: AWS documents no name.
_DELIVERY = "AWSFirehoseToS3"
# What a report of an asynchronous invocation is to its target, by the target's service.
_REPORTS: Mapping[str, tuple[str, Callable[[str], Parameters]]] = {
    "lambda": ("Invoke", lambda arn: {"FunctionName": arn}),
    "sns": ("Publish", lambda arn: {"TopicArn": arn}),
    "sqs": ("SendMessage", lambda arn: {"QueueName": arn.rpartition(":")[2]}),
}


@dataclass(frozen=True, slots=True)
class ServiceRoles:
    """`admit_put(caller, bucket, key)` is S3's; CloudWatch Logs `has_group(name)`; `caller_of` knows whose a function's
    key is. For the operations see `Guard`."""

    enforcement: Enforcement
    admit_put: Callable[[Caller, str, str], None]
    has_group: Callable[[str], bool]
    caller_of: Callable[[str], Caller]
    _logging: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)

    def guard(self) -> Guard:
        return Guard(
            self.enforcement.admit,
            self.enforcement.admit_to_s3,
            self.admit_delivery,
            self.admit_function,
            self.admit_report,
            self.may_log_delivery,
            self.may_log,
        )

    def admit_delivery(self, role: str, bucket: str, key: str) -> None:
        self.admit_put(self.enforcement.assume(role, _FIREHOSE, _DELIVERY), bucket, key)

    def admit_function(self, role: str, function: str) -> None:
        try:
            self.enforcement.assume(role, _LAMBDA, function)
        except AwsError as e:
            text = "The role defined for the function cannot be assumed by Lambda."
            raise AwsError("AccessDeniedException", text, 403) from e

    def admit_report(self, role: str, function: str, arn: str) -> None:
        service = arn.split(":")[2]
        operation, parameters = _REPORTS[service]
        self._check(self.enforcement.assume(role, _LAMBDA, function), service, operation, parameters(arn))

    def may_log_delivery(self, role: str, group: str, stream: str) -> bool:
        def check() -> None:
            caller = self.enforcement.assume(role, _FIREHOSE, _DELIVERY)
            self._check(caller, "logs", "PutLogEvents", _place(group, stream))

        return self._may_log(check, group)

    def may_log(self, access_key: str, group: str, stream: str) -> bool:
        """A function's process has a stream of its own. Lambda makes it, and the group if it isn't there."""

        def check() -> None:
            is_new = access_key not in self._logging
            makes_group = is_new and not self.has_group(group)
            needed = ("CreateLogGroup",) * makes_group + ("CreateLogStream",) * is_new + ("PutLogEvents",)
            for operation in needed:
                self._check(self.caller_of(access_key), "logs", operation, _place(group, stream))
            self._logging.add(access_key)

        return self._may_log(check, group)

    def _check(self, caller: Caller, service: str, operation: str, p: Parameters) -> None:
        refusal = self.enforcement.may(caller, service, operation, p)
        if refusal is not None:
            raise AwsError("AccessDenied", refusal.text(), 403)

    def _may_log(self, check: Callable[[], None], group: str) -> bool:
        try:
            check()
        except AwsError as e:
            if group not in self._told:
                log.warning("log lines of %s are dropped: %s", group, e.message)
            self._told.add(group)
            return False
        return True


def _place(group: str, stream: str) -> Parameters:
    return {"logGroupName": group, "logStreamName": stream}
