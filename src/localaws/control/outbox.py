"""What SNS sends out of the endpoint's own state: to HTTP subscribers and to functions.

moto sends while it answers, inside of the lock that every call waits for. Here it only notes what is to be sent, and
the lock is free when that happens: a function's event is queued, durably, before Publish is answered; an HTTP
subscriber gets one attempt, by one of a few threads, and may be slow.
"""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

import moto.sns.models
import requests
from moto.core.utils import iso_8601_datetime_with_milliseconds

from localaws.control.call import Invoke
from localaws.errors import AwsError

log = logging.getLogger("localaws.control")
_THREADS = 4
_WAITING = 10_000
_SECONDS = 5.0


class Outbox:
    """`invoke` gives an event to a function, by its ARN."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke
        self._noted: list[Callable[[], None]] = []
        self._posts: queue.Queue[Callable[[], None]] = queue.Queue(_WAITING)
        self._threads: list[threading.Thread] = []
        _install(self)

    def note_post(self, url: str, arguments: dict[str, Any]) -> None:
        self._noted.append(lambda: self._post(url, arguments))

    def note_invocation(self, arn: str, event: dict[str, Any]) -> None:
        self._noted.append(lambda: self._call(arn, event))

    def take(self) -> list[Callable[[], None]]:
        """What was noted since the last time, to be called by whoever no longer holds the lock."""
        noted, self._noted = self._noted, []
        return noted

    def _call(self, arn: str, event: dict[str, Any]) -> None:
        try:
            self._invoke(arn, event)
        except AwsError as e:
            log.warning("SNS could not invoke %s: %s", arn, e.code)

    def _post(self, url: str, arguments: dict[str, Any]) -> None:
        while len(self._threads) < _THREADS:
            self._threads.append(threading.Thread(target=self._send, daemon=True))
            self._threads[-1].start()
        try:
            self._posts.put_nowait(lambda: _attempt(url, arguments))
        except queue.Full:
            log.warning("SNS gave up a message to %s: %d others wait", url, _WAITING)

    def _send(self) -> None:
        while True:
            self._posts.get()()


def _attempt(url: str, arguments: dict[str, Any]) -> None:
    try:
        requests.post(url, timeout=_SECONDS, **arguments)
    except requests.RequestException as e:
        log.warning("SNS could not reach %s: %s", url, type(e).__name__)


class _Requests:
    """What moto.sns.models uses of the module requests."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def post(self, url: str, **arguments: Any) -> None:
        self._outbox.note_post(url, arguments)


_publish = moto.sns.models.Subscription.publish


def _install(outbox: Outbox) -> None:
    def publish(subscription: Any, message: str, message_id: str, subject: str | None = None, **more: Any) -> None:
        if subscription.protocol != "lambda":
            _publish(subscription, message, message_id, subject, **more)
        elif _wants(subscription, more.get("message_attributes"), message):
            outbox.note_invocation(subscription.endpoint, _event(subscription, message, message_id, subject, more))

    moto.sns.models.requests = _Requests(outbox)
    moto.sns.models.Subscription.publish = publish


def _wants(subscription: Any, attributes: Any, message: str) -> bool:
    matcher = subscription._filter_policy_matcher  # noqa: SLF001 - moto's publish begins with this, too
    return matcher is None or bool(matcher.matches(attributes, message))


def _event(
    subscription: Any, message: str, message_id: str, subject: str | None, more: dict[str, Any]
) -> dict[str, Any]:
    """docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    notification = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": subscription.topic.arn,
        "Subject": subject,
        "Message": message,
        "Timestamp": iso_8601_datetime_with_milliseconds(),
        "MessageAttributes": more.get("message_attributes") or {},
    }
    source = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription.arn}
    return {"Records": [{**source, "Sns": notification}]}


def forget_what_was_sent() -> None:
    """moto remembers every message and every certificate that it signed one with; nothing of AWS's API tells them."""
    for account in moto.sns.models.sns_backends.values():
        for backend in account.values():
            backend._message_public_keys.clear()  # noqa: SLF001
            for topic in backend.topics.values():
                topic.sent_notifications.clear()
