"""An object changed: who is told, and what, is settled in the transaction in which it happens.

The configuration of that moment counts, as on AWS: what was announced goes to whom the bucket named then, whatever it
names later. Nobody named, nothing queued.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace

from localaws.s3 import messages as s3_messages
from localaws.s3 import notifications as s3_notifications
from localaws.s3.buckets import Bucket
from localaws.s3.messages import Event, Message
from localaws.s3.origin import ORIGIN
from localaws.s3.rows import Stored
from localaws.s3.versions import NULL

Tell = Callable[[str, str, Message, str], None]
"""(the target's ARN, bucket, message, the request's trace): durable with the transaction that it is called in."""


class Announcements:
    def __init__(self, account: str, clock: Callable[[], float], ids: Callable[[], str], tell: Tell) -> None:
        self._account = account
        self._clock = clock
        self._ids = ids
        self._tell = tell

    def __call__(self, name: str, bucket: Bucket, change: int, stored: Stored) -> None:
        """`name` without "s3:"; `stored` is what is there now, or was removed. Called in the transaction."""
        wanted = list(s3_notifications.deliveries(bucket.notifications, name, stored.key))
        is_bridged = s3_notifications.BRIDGE in bucket.notifications
        if not wanted and not is_bridged:
            return
        event = self._event(name, bucket, change, stored)
        owner = owner_id(event.account)
        for delivery in wanted:
            message = s3_messages.notification(event, owner, delivery.id)
            self._tell(delivery.arn, bucket.name, message, event.origin.trace)
        if is_bridged:
            bus = f"arn:aws:events:{bucket.region}:{event.account}:event-bus/default"
            self._tell(bus, bucket.name, s3_messages.bridged(event, self._ids()), event.origin.trace)

    def _event(self, name: str, bucket: Bucket, change: int, stored: Stored) -> Event:
        """The sequencer is present with PUTs and DELETEs, sizes are those of new objects."""
        is_new = name.startswith("ObjectCreated:")
        origin = ORIGIN.get()
        return Event(
            name=name,
            bucket=bucket.name,
            region=bucket.region,
            account=bucket.owner or self._account,
            at=stored.modified if is_new else self._clock(),
            origin=origin if origin.request_id else replace(origin, request_id=self._ids()),
            key=stored.key,
            etag="" if name == "ObjectRemoved:Delete" else stored.etag,
            size=stored.size if is_new else None,
            version="" if stored.version == NULL else stored.version,
            sequencer=f"{change:018X}" if is_new or name.startswith("ObjectRemoved:") else "",
        )


def owner_id(account: str) -> str:
    """A principal id of a bucket's owner, which AWS has from the account's time as a customer of the shop."""
    return "A" + base64.b32encode(hashlib.sha256(account.encode()).digest())[:13].decode()
