"""clicklake.AsyncProducer: the same for asyncio."""

import asyncio
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from clicklake.producer.producer import Producer
from clicklake.producer.settings import Counters


class AsyncProducer:
    """A Producer whose waiting is awaited. It takes the same arguments; the callbacks are called by the thread that
    sends, not by the event loop.

        async with clicklake.AsyncProducer() as producer:
            await producer.track({"event_type": "page_view"})
    """

    def __init__(self, stream: str | None = None, **options: Any) -> None:
        self._producer = Producer(stream, **options)

    async def track(self, event: Mapping[str, Any]) -> str:
        """As Producer.track. The event loop is held up for as long as it takes to write the event into a file's cache;
        waiting for room, or for the disk with `fsync=0`, is done elsewhere."""
        if self._producer.settings.fsync == 0:
            return await asyncio.to_thread(self._producer.track, event)
        event_id = self._producer.offer(event)
        return await asyncio.to_thread(self._producer.track, event) if event_id is None else event_id

    async def track_many(self, events: Iterable[Mapping[str, Any]]) -> list[str]:
        """As Producer.track_many, elsewhere than on the event loop."""
        return await asyncio.to_thread(self._producer.track_many, list(events))

    @property
    def counters(self) -> Counters:
        return self._producer.counters

    async def flush(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - Producer's
        return await asyncio.to_thread(self._producer.flush, timeout)

    async def close(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - Producer's
        await asyncio.to_thread(self._producer.close, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()
