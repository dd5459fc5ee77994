"""How a process ends, and what its producers do then.

- It exits: they are closed, each within its `exit_timeout`.
- SIGTERM, where the process has no handler of its own: the same, and then it dies of the signal, as it would have. A
  handler that is there when the first producer is made, or is set later, is left alone: it exits, most likely, and then
  the first case holds. Another SIGTERM meanwhile kills at once.
- It forks: the child's producers begin anew, and what the parent accepted is the parent's.
- SIGKILL, or a crash: nothing can be done any more, and nothing needs to be: that is what the spool is for.
"""

import _thread
import atexit
import contextlib
import logging
import os
import signal
import threading
from typing import Protocol

from clicklake.errors import ClicklakeError

log = logging.getLogger("clicklake.producer")


class _Closable(Protocol):
    def close(self) -> None: ...
    def after_fork(self) -> None: ...


_alive: set[_Closable] = set()  # held on to until they are closed: nobody else may, and their events are to be sent


def remember(producer: _Closable, *, handle_sigterm: bool) -> None:
    _alive.add(producer)
    ours = handle_sigterm and threading.current_thread() is threading.main_thread()  # no other may set one
    if ours and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def forget(producer: _Closable) -> None:
    _alive.discard(producer)


def _close_all() -> None:
    for producer in list(_alive):
        try:
            producer.close()
        except ClicklakeError as e:
            log.error("%s", e)  # noqa: TRY400 - what went wrong is in the words


def _on_sigterm(number: int, _: object) -> None:
    """The main thread may hold a producer's lock at this moment, so it must go on while another thread closes them. Not
    a threading.Thread, for the main thread may be making one at this moment, and hold the lock of that."""
    signal.signal(number, signal.SIG_DFL)
    _thread.start_new_thread(_close_and_die, (number,))


def _close_and_die(number: int) -> None:
    with contextlib.suppress(Exception):
        _close_all()
    os.kill(os.getpid(), number)


def _after_fork() -> None:
    for producer in list(_alive):
        producer.after_fork()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
