"""Whom a bucket tells of its events: put, answered, and, as S3 does it, tried first.

A target that isn't there, or whose policy does not let S3 in, is refused, so that nothing works here that AWS refuses
(docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html). SkipDestinationValidation
puts up with both. A queue and a topic get an s3:TestEvent.
"""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.errors import AwsError
from localaws.iam.policies import Ask, verdict
from localaws.s3 import messages as s3_messages
from localaws.s3 import notifications as s3_notifications
from localaws.s3.announcements import Tell
from localaws.s3.buckets import Bucket, Buckets
from localaws.s3.origin import ORIGIN
from localaws.s3.xml import malformed
from localaws.wire import Parameters

PolicyOf = Callable[[str], Mapping[str, Any] | None]
"""ARN -> the target's resource policy, {} for none; None if there is no such target."""

_S3 = "s3.amazonaws.com"
_ACTIONS = {"lambda": "lambda:InvokeFunction", "sqs": "sqs:SendMessage", "sns": "sns:Publish"}
_NOUNS = {"sqs": "queue", "sns": "topic"}


class Destinations:
    """`policies` by the ARN's service ("lambda", "sqs", "sns")."""

    def __init__(
        self,
        buckets: Buckets,
        account: str,
        clock: Callable[[], float],
        ids: Callable[[], str],
        policies: Mapping[str, PolicyOf],
        tell: Tell,
    ) -> None:
        self._buckets = buckets
        self._account = account
        self._clock = clock
        self._ids = ids
        self._policies = policies
        self._tell = tell

    def get(self, p: Parameters) -> Parameters:
        return dict(self._buckets.get(p["Bucket"]).notifications)

    def put(self, p: Parameters) -> Parameters:
        """Durable on return."""
        bucket = self._buckets.get(p["Bucket"])
        if "NotificationConfiguration" not in p:
            raise malformed()
        checked = s3_notifications.checked(p["NotificationConfiguration"], self._ids)
        targets = list(s3_notifications.targets(checked))
        if not p.get("SkipDestinationValidation"):
            self._try(bucket, targets)
        self._buckets.set_notifications(bucket.name, checked)
        if not p.get("SkipDestinationValidation"):
            self._tell_of_it(bucket.name, targets)
        return {}

    def tells(self, bucket: str, arn: str) -> bool:
        """Whether the bucket names the target for anything at all."""
        found = self._buckets.find(bucket)
        return found is not None and s3_notifications.names(found.notifications, arn)

    def check_admitted(self, bucket: str, arn: str) -> None:
        """Raises AccessDenied."""
        service = arn.split(":")[2]
        found, policy = self._buckets.get(bucket), self._policies[service](arn)
        if not policy or not self._allows(policy, _ACTIONS[service], found, arn):
            text = f"because no resource-based policy allows the {_ACTIONS[service]} action"
            raise AwsError("AccessDenied", f"{_S3} is not authorized to tell {arn} of {bucket} {text}", 403)

    def _try(self, bucket: Bucket, targets: list[str]) -> None:
        """Raises InvalidArgument with all that is wrong, numbered."""
        wrong = [found for arn in targets if (found := self._problem(bucket, arn))]
        if wrong:
            details = {f"ArgumentName{n}": name for n, (name, _) in enumerate(wrong, 1)}
            details |= {f"ArgumentValue{n}": value for n, (_, value) in enumerate(wrong, 1)}
            text = "Unable to validate the following destination configurations"
            raise AwsError("InvalidArgument", text, 400, **details)

    def _problem(self, bucket: Bucket, arn: str) -> tuple[str, str] | None:
        """What S3 names, and what it says of it."""
        service = arn.split(":")[2]
        if arn.endswith(".fifo"):
            return arn, f"FIFO {_NOUNS[service]}s are not supported as destinations"
        policy = self._policies[service](arn)
        if policy and self._allows(policy, _ACTIONS[service], bucket, arn):
            return None
        if service == "lambda":
            return f"{arn}, null", f"Not authorized to invoke function [{arn}]"
        noun = _NOUNS[service]
        if policy is None:
            return arn, f"The destination {noun} does not exist"
        return arn, f"Permissions on the destination {noun} do not allow S3 to publish notifications from this bucket"

    def _allows(self, policy: Mapping[str, Any], action: str, bucket: Bucket, arn: str) -> bool:
        account = bucket.owner or self._account
        context = {"aws:sourcearn": [f"arn:aws:s3:::{bucket.name}"], "aws:sourceaccount": [account]}
        return verdict(policy, Ask(action, arn, context, {"Service": frozenset({_S3})})) == "Allow"

    def _tell_of_it(self, bucket: str, targets: list[str]) -> None:
        message = s3_messages.trial(bucket, ORIGIN.get().request_id, self._clock())
        for arn in dict.fromkeys(targets):
            if arn.split(":")[2] in _NOUNS:
                self._tell(arn, bucket, message, "")
