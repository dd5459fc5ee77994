"""What a producer raises; all of it is a ClicklakeError with a `problem` and a `hint`.

ProducerError
  EventError              track(): it is no event: not JSON, or too large. Nothing was kept of it
  FullError               track(): no room within `max_block` seconds. Nothing was kept of it: it is the caller's still
  SpoolError              the spool's directory or disk can't be written, or a file in it is damaged
  ClosedError             track() after close()
  UndeliveredError        close(): without a spool, what could not be sent in time is lost; `events` says how many
"""

from clicklake.errors import ClicklakeError, UsageError


class ProducerError(ClicklakeError):
    pass


class EventError(ProducerError, UsageError):
    exit_code = 2


class FullError(ProducerError):
    pass


class SpoolError(ProducerError):
    pass


class ClosedError(ProducerError):
    pass


class UndeliveredError(ProducerError):
    def __init__(self, problem: str, hint: str, events: int) -> None:
        super().__init__(problem, hint)
        self.events = events
