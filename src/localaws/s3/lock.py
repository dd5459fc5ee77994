"""Object lock: which versions may not go, and until when. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html.
"""

from collections.abc import Callable

from localaws.errors import AwsError
from localaws.s3.xml import malformed
from localaws.wire import Parameters


def checked_configuration(document: Parameters, _ids: Callable[[], str]) -> Parameters:
    if document.get("ObjectLockEnabled") != "Enabled":
        raise malformed()
    if "Rule" not in document:
        return document
    default = document["Rule"].get("DefaultRetention", {})
    periods = [name for name in ("Days", "Years") if name in default]
    if "Mode" not in default or len(periods) != 1:
        raise malformed()
    if default[periods[0]] <= 0:
        text = "Default retention period must be a positive integer value"
        raise AwsError("InvalidRetentionPeriod", text)
    return document
