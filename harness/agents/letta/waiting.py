"""The waiting room: the only place of the interfaces that knows asyncio and threads.

An `Outbox` holds what has been emitted until it is read: at once with
`drain`, or by an async generator that sleeps while there is nothing. Nobody polls.

Why no wake-up is lost. A reader that finds nothing first enrols as waiting and
then looks again before it sleeps; a writer first adds its item and then wakes
everyone enrolled. Whichever comes first, one of the two sees the other: either the
reader finds the item at its second look, or the writer finds the reader enrolled.
The steps are single operations on a `deque` and a `dict`, which CPython makes
atomic (with the GIL and without), so a push takes no lock: it is the hot path.

A sleeping reader waits on a future of its own event loop, set through
`call_soon_threadsafe`: pushes may come from any thread, and one outbox may be read
from several loops in turn, since nothing is bound to a loop but the future.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from harness.errors import StreamInactiveError, StreamTimeoutError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence


_T = TypeVar("_T")


class Outbox(Generic[_T]):
    """A queue from any thread to readers of any event loop; unbounded.

    Several readers may wait at once; each item goes to one of them.
    """

    def __init__(self) -> None:
        self._items: deque[_T] = deque()
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        self.is_closed = False
        """Whether the end was announced; items may still wait to be read."""

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[_T]:
        return iter(tuple(self._items))

    def put(self, item: _T) -> None:
        """Add an item and wake whoever waits; callable from any thread.

        Args:
            item: What to deliver.

        Raises:
            StreamInactiveError: The outbox is closed; the item was not added.
        """
        if self.is_closed:
            raise StreamInactiveError(
                "the stream is over, nothing can be added; "
                "call stream_start() to begin another"
            )
        self._items.append(item)
        if self._waiting:
            self._wake()

    def put_all(self, items: Sequence[_T]) -> None:
        """Add items in order; otherwise as `put`, and nothing for an empty list.

        Args:
            items: What to deliver, none of it if the outbox is closed.

        Raises:
            StreamInactiveError: See `put`.
        """
        if items and not self.is_closed:
            self._items.extend(items)  # one operation, as atomic as `append`
            if self._waiting:
                self._wake()
        elif items:
            self.put(items[0])  # which raises

    def close(self) -> None:
        """Announce the end: readers get what is left and end. Once is enough."""
        self.is_closed = True
        self._wake()

    def clear(self) -> None:
        """Throw away what was not read."""
        self._items.clear()

    def drain(self) -> list[_T]:
        """Take everything that was not read, oldest first; callable at any time."""
        items: list[_T] = []
        queue = self._items
        if not queue:
            return items
        try:
            while queue:
                items.append(queue.popleft())
        except IndexError:  # another reader took the last one
            pass
        return items

    async def read(
        self, timeout_s: Callable[[], float | None]
    ) -> AsyncGenerator[_T, None]:
        """Yield items as they come, until the outbox is closed and empty.

        Args:
            timeout_s: Asked before each wait: how many seconds to wait for the
                next item; None waits without limit.

        Yields:
            The items, oldest first.

        Raises:
            StreamTimeoutError: Nothing came in time. Nothing is lost: another
                reader gets what comes later.
        """
        while True:
            try:
                item = self._items.popleft()
            except IndexError:
                if self.is_closed:
                    if self._items:  # added between the two looks
                        continue
                    return
                await self._sleep(timeout_s())
            else:
                yield item

    async def _sleep(self, timeout_s: float | None) -> None:
        """Return when there may be something to read; raise when it took too long."""
        import asyncio  # costs 30 ms, which a replay without a loop need not pay

        loop = asyncio.get_running_loop()
        awake = loop.create_future()
        self._waiting[awake] = loop
        try:
            if self._items or self.is_closed:
                return
            async with asyncio.timeout(timeout_s):
                await awake
        except TimeoutError:
            if not (self._items or self.is_closed):  # it came at the last moment
                raise StreamTimeoutError(timeout_s=timeout_s or 0.0) from None
        finally:
            self._waiting.pop(awake, None)

    def _wake(self) -> None:
        while self._waiting:
            try:
                awake, loop = self._waiting.popitem()
            except KeyError:  # another thread woke the last one
                return
            try:
                loop.call_soon_threadsafe(_set, awake)
            except RuntimeError:
                continue  # its loop was closed while it slept: nobody is there


def _set(awake: asyncio.Future[None]) -> None:
    if not awake.done():
        awake.set_result(None)
