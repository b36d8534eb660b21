"""Asynchronous servers and clients for code that has no event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from harness.net.client import open_request

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from harness.net.client import Upstream, UpstreamResponse

_T = TypeVar("_T")


class LoopThread:
    """An event loop in a thread of its own, until it is stopped."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=name, daemon=True
        )
        self._thread.start()

    def run(self, task: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in the thread and wait for what it returns."""
        return asyncio.run_coroutine_threadsafe(task, self._loop).result()

    def stop(self) -> None:
        """End the thread; what runs in it must have ended."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class BlockingResponse:
    """A response whose body is read by waiting for it.

    Attributes:
        head: Status, reason and headers.
    """

    def __init__(self, head: UpstreamResponse, runner: asyncio.Runner) -> None:
        self.head = head
        self._runner = runner

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, without its transfer encoding.

        Raises:
            BrokenStreamError: It ended before its end.
        """
        pieces = self.head.pieces()

        async def following() -> bytes | None:
            return await anext(pieces, None)

        while (piece := self._runner.run(following())) is not None:
            yield piece


@contextlib.contextmanager
def blocking_request(upstream: Upstream, **request: Any) -> Iterator[BlockingResponse]:
    """Send a request and wait for the head of its response.

    Args:
        upstream: Where to.
        request: As `harness.net.client.open_request` takes it.

    Yields:
        The response; the connection is closed when the block ends.

    Raises:
        BrokenStreamError: There is no connection, or no response.
    """
    with asyncio.Runner() as runner:
        opened = open_request(upstream, **request)
        head = runner.run(opened.__aenter__())
        try:
            yield BlockingResponse(head, runner)
        finally:
            runner.run(opened.__aexit__(None, None, None))
