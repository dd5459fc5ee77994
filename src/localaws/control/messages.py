"""SQS's messages: durable in the Store, one row each, and cheap to send, receive and delete however many there are.

moto keeps a queue's messages in a list that it looks through three times for each one that is sent. Its queue is
replaced here, so that all of SQS's protocols and SNS's deliveries stay moto's. The journal has no entry for a message:
queues come out of the journal, what is in them out of the Store.

Imported when moto is first needed, for it imports moto's SQS (see backend.py).
"""

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import moto.sqs.models
from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import ReceiptHandleIsInvalid

from localaws.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sqs_messages (number INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL,
  id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (queue, id));
"""
_HANDLES = 10
"""So many of a message's last receipt handles are good to delete it."""


class Messages:
    """What changed in the queues during a call; `save` makes it durable. There is one, as there is one moto."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed: dict[tuple[str, str], Message | None] = {}
        store.migrate(_SCHEMA)
        _install(self)

    def put(self, queue: str, message: "Message") -> None:
        self._changed[queue, message.id] = message

    def remove(self, queue: str, message: "Message") -> None:
        self._changed[queue, message.id] = None

    def save(self) -> None:
        """Durable on return, all or nothing."""
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        with self._store.write() as db:
            for (queue, number), message in changed.items():
                if message is None:
                    db.execute("DELETE FROM sqs_messages WHERE queue = ? AND id = ?", (queue, number))
                    continue
                row = (queue, number, json.dumps(message.state(), default=_tagged))
                db.execute(
                    "INSERT INTO sqs_messages (queue, id, body) VALUES (?, ?, ?) "
                    "ON CONFLICT (queue, id) DO UPDATE SET body = excluded.body",
                    row,
                )

    def load(self) -> None:
        """Fill the queues, which a replay has made again. What was sent by a journal of before this file is saved
        first; rows of queues that are gone are deleted."""
        self.save()
        queues = {queue.queue_arn: queue for queue in _all_queues()}
        for queue in queues.values():
            queue.box = Box(queue.queue_arn, self)
        rows = self._store.read().execute("SELECT queue, body FROM sqs_messages ORDER BY number")
        orphans = set()
        for arn, body in rows:
            if arn in queues:
                queues[arn].box.restore(Message.of_state(json.loads(body, object_hook=_untagged)))
            else:
                orphans.add(arn)
        if orphans:
            with self._store.write() as db:
                db.executemany("DELETE FROM sqs_messages WHERE queue = ?", [(arn,) for arn in orphans])
        for queue in queues.values():
            queue.forget_pending()


class Box:
    """A queue's messages in their order, with what moto asks of its list."""

    def __init__(self, queue: str, messages: Messages) -> None:
        self._queue = queue
        self._messages = messages
        self._all: dict[str, Message] = {}
        self._by_handle: dict[str, Message] = {}
        self.held: dict[str, Message] = {}
        """Those that were received or delayed, and may be invisible therefore."""
        self.sent = self.sent_bytes = self.received = self.deleted = 0
        """Since it was made, for metrics."""

    def __iter__(self) -> Iterator["Message"]:
        return iter(list(self._all.values()))

    def __len__(self) -> int:
        return len(self._all)

    def append(self, message: "Message") -> None:
        self.restore(message)
        self._messages.put(self._queue, message)
        self.sent += 1
        self.sent_bytes += len(message.body.encode())

    def restore(self, message: "Message") -> None:
        message.box = self
        self._all[message.id] = message
        self._by_handle.update(dict.fromkeys(message.handles(), message))
        if message.visible_at or message.delayed_until:
            self.held[message.id] = message

    def remove(self, message: "Message") -> None:
        del self._all[message.id]
        self.held.pop(message.id, None)
        for handle in message.handles():
            self._by_handle.pop(handle, None)
        self._messages.remove(self._queue, message)

    def changed(self, message: "Message") -> None:
        self.held[message.id] = message
        self._by_handle.update(dict.fromkeys(message.handles(), message))
        self._messages.put(self._queue, message)

    def of_handle(self, handle: str) -> "Message | None":
        return self._by_handle.get(handle)

    def clear(self) -> None:
        for message in self:
            self.remove(message)


class Message(moto.sqs.models.Message):  # type: ignore[misc]
    """moto's, which tells its box of every change."""

    box: Box | None = None

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> "Message":
        message = cls(state["id"], state["body"])
        message.__dict__.update(state)
        return message

    def state(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "box"}

    def __deepcopy__(self, memo: dict[int, Any]) -> "Message":
        """moto copies a message to filter its attributes; the queue behind it must not come along."""
        return Message.of_state(copy.deepcopy(self.state(), memo))

    def handles(self) -> list[str]:
        return [handle for handle in self.all_receipt_handles if handle]

    def mark_received(self, visibility_timeout: int | None = None) -> None:
        super().mark_received(visibility_timeout)
        del self._old_receipt_handles[:-_HANDLES]
        if self.box is not None:
            self.box.received += 1
            self.box.changed(self)

    def change_visibility(self, visibility_timeout: int) -> None:
        super().change_visibility(visibility_timeout)
        if self.box is not None:
            self.box.changed(self)


class Queue(moto.sqs.models.Queue):  # type: ignore[misc]
    """moto's, with its messages in a Box."""

    shared: Messages
    box: Box

    @property
    def _messages(self) -> Box:
        return self.box

    @_messages.setter
    def _messages(self, given: list[Message]) -> None:
        """moto assigns an empty list, when it makes a queue and when it purges it."""
        assert not given
        if hasattr(self, "box"):
            self.box.clear()

    def _set_attributes(self, attributes: dict[str, Any], now: float | None = None) -> None:
        """The first time, the queue has just got its ARN. moto would forget the policy when something else is set."""
        if not hasattr(self, "box"):
            self.box = Box(self.queue_arn, self.shared)
        super()._set_attributes({"Policy": getattr(self, "policy", None)} | attributes, now)

    @property
    def messages(self) -> Iterator[Message]:
        """Those that can be received. Whatever is older than the queue keeps it goes meanwhile."""
        now = unix_time_millis()
        oldest = now - 1000 * int(self.message_retention_period)
        for message in self.box:
            if message.sent_timestamp < oldest:
                self.box.remove(message)
            elif message.id not in self.box.held or (now > message.visible_at and now >= message.delayed_until):
                yield message

    @property
    def approximate_number_of_messages(self) -> int:
        now = unix_time_millis()
        out = sum(now <= m.visible_at or now < m.delayed_until for m in self.box.held.values())
        return len(self.box) - int(out)

    @property
    def approximate_number_of_messages_not_visible(self) -> int:
        now = unix_time_millis()
        return sum(now <= message.visible_at for message in self.box.held.values())

    @property
    def approximate_number_of_messages_delayed(self) -> int:
        now = unix_time_millis()
        return sum(now < message.delayed_until for message in self.box.held.values())

    def delete_message(self, receipt_handle: str) -> None:
        """Deleting again succeeds, as in AWS, after a restart too: a handle of the right form was ours."""
        message = self.box.of_handle(receipt_handle)
        if message is not None:
            self.pending_messages.discard(message)
            self.box.remove(message)
            self.box.deleted += 1
        elif not (receipt_handle.isalnum() and len(receipt_handle) == _HANDLE_LENGTH):
            raise ReceiptHandleIsInvalid

    def forget_pending(self) -> None:
        """After a load: moto's own set has messages of before; in flight is what is still invisible."""
        now = unix_time_millis()
        self._pending_messages = {m for m in self.box.held.values() if m.receipt_handle and now <= m.visible_at}


_HANDLE_LENGTH = len(moto.sqs.models.generate_receipt_handle())


def _all_queues() -> Iterator[Queue]:
    for account in moto.sqs.models.sqs_backends.values():
        for backend in account.values():
            yield from backend.queues.values()


def _install(messages: Messages) -> None:
    """Let moto make these queues and messages from now on."""
    Queue.shared = messages
    moto.sqs.models.Queue = Queue
    moto.sqs.models.Message = Message
    moto.sqs.models.SQSBackend.delete_queue = _delete_queue


def _delete_queue(backend: Any, queue_name: str) -> None:
    backend.get_queue(queue_name).box.clear()
    del backend.queues[queue_name]


def _tagged(value: object) -> dict[str, str]:
    """Binary message attributes, which JSON has no form for."""
    if isinstance(value, bytes):
        return {"__bytes__": base64.b64encode(value).decode()}
    raise TypeError(f"not JSON: {type(value).__name__}")


def _untagged(document: dict[str, Any]) -> Any:
    return base64.b64decode(document["__bytes__"]) if document.keys() == {"__bytes__"} else document
