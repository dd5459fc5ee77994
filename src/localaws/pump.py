"""Threads that take from a durable queue and hand each item on, until they are told to stop.

`handle` settles its item (`done` or `retry`). What it raises is a bug or a full disk: the item is put back, and is
tried again after a pause; no thread ends of it.
"""

import logging
import threading
from collections.abc import Callable

from localaws.store import Item, Queue

_log = logging.getLogger(__name__)

_LISTEN_SECONDS = 0.25


class Pump:
    """`width` threads called `name`; `pause` in seconds, `clock` in epoch seconds."""

    def __init__(
        self,
        queue: Queue,
        handle: Callable[[Item], None],
        clock: Callable[[], float],
        *,
        name: str,
        pause: float,
        width: int = 1,
    ) -> None:
        self._queue = queue
        self._handle = handle
        self._clock = clock
        self._name = name
        self._pause = pause
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, name=name, daemon=True) for _ in range(width)]

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """No further item is taken."""
        self._stopping.set()
        self._queue.wake()

    def join(self) -> None:
        """After `ask_to_stop`: returns when the items in hand are done or put back."""
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take()
            except Exception:  # nor may a disk that can't be read
                _log.exception("the queue of %s can't be read", self._name)
                self._stopping.wait(self._pause)

    def _take(self) -> None:
        item = self._queue.take(self._clock())
        if item is None:
            self._queue.wait(_LISTEN_SECONDS)
            return
        try:
            self._handle(item)
        except Exception:
            _log.exception("an item of %s could not be settled", self._name)
            self._stopping.wait(self._pause)
            self._queue.put_back(item, self._clock() + self._pause)
