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
    """Without `enforcement` all may do all. `admit_put(caller, bucket, key)` is S3's, `write(group, stream, lines)`
    that of CloudWatch Logs, which `has_group(name)`; `caller_of` knows whose an access key is."""

    enforcement: Enforcement | None
    admit_put: Callable[[Caller, str, str], None]
    write: Callable[[str, str, list[str]], None]
    has_group: Callable[[str], bool]
    caller_of: Callable[[str], Caller]
    _writing: set[str] = field(default_factory=set)
    _told: set[str] = field(default_factory=set)

    def admit_delivery(self, role: str, bucket: str, key: str) -> None:
        """Raises AccessDenied."""
        if self.enforcement is not None:
            self.admit_put(self.enforcement.assume(role, _FIREHOSE, _DELIVERY), bucket, key)

    def admit_function(self, role: str, function: str) -> None:
        """May the function's process have the role? Raises AccessDeniedException."""
        try:
            if self.enforcement is not None:
                self.enforcement.assume(role, _LAMBDA, function)
        except AwsError as e:
            text = "The role defined for the function cannot be assumed by Lambda."
            raise AwsError("AccessDeniedException", text, 403) from e

    def admit_report(self, role: str, function: str, arn: str) -> None:
        """Of an asynchronous invocation, to a destination or a dead-letter queue. Raises AccessDenied."""
        if self.enforcement is not None:
            service = arn.split(":")[2]
            operation, parameters = _REPORTS[service]
            caller = self.enforcement.assume(role, _LAMBDA, function)
            self._check(self.enforcement, caller, service, operation, parameters(arn))

    def write_delivery_log(self, role: str, group: str, stream: str, lines: list[str]) -> None:
        """`lines` of a failed delivery."""

        def check(enforcement: Enforcement) -> None:
            caller = enforcement.assume(role, _FIREHOSE, _DELIVERY)
            self._check(enforcement, caller, "logs", "PutLogEvents", _place(group, stream))

        self._write(check, group, stream, lines)

    def write_function_log(self, access_key: str, group: str, stream: str, lines: list[str]) -> None:
        """`access_key`: that of the function's process, which has a stream of its own. Lambda makes it, and the group
        if it isn't there."""

        def check(enforcement: Enforcement) -> None:
            is_new = access_key not in self._writing
            makes_group = is_new and not self.has_group(group)
            needed = ("CreateLogGroup",) * makes_group + ("CreateLogStream",) * is_new + ("PutLogEvents",)
            for operation in needed:
                self._check(enforcement, self.caller_of(access_key), "logs", operation, _place(group, stream))
            self._writing.add(access_key)

        self._write(check, group, stream, lines)

    def _check(self, enforcement: Enforcement, caller: Caller, service: str, operation: str, p: Parameters) -> None:
        refusal = enforcement.may(caller, service, operation, p)
        if refusal is not None:
            raise AwsError("AccessDenied", refusal.text(), 403)

    def _write(self, check: Callable[[Enforcement], None], group: str, stream: str, lines: list[str]) -> None:
        try:
            if self.enforcement is not None:
                check(self.enforcement)
        except AwsError as e:
            if group not in self._told:
                log.warning("log lines of %s are dropped: %s", group, e.message)
            self._told.add(group)
        else:
            self.write(group, stream, lines)


def _place(group: str, stream: str) -> Parameters:
    return {"logGroupName": group, "logStreamName": stream}
