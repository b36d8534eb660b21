"""The two bodies a client reads from: one being recorded, one being played.

Owns the passing on of pieces. Recording never holds a piece back: it goes to the
client before the next one is asked for. Playing gives the recorded pieces, at once or
in recorded time, and ends as the recording did. Both serve sync and async clients of
`httpx` and `httpx2`, whose stream base classes `stream_class` adds.
"""

from __future__ import annotations

import builtins
import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
    from types import ModuleType

    from harness.cassettes.model import Exchange
    from harness.record.exchange import ExchangeRecorder
    from harness.record.session import RecordingSession


async def _async_sleep(seconds: float) -> None:
    try:
        import anyio  # httpx and httpx2 depend on it; it knows asyncio and trio
    except ImportError:
        import asyncio

        await asyncio.sleep(seconds)
    else:
        await anyio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast recorded pieces are given back.

    Raises:
        UsageError: The speed is no number from 0.
    """

    speed: float = 0.0
    """0: all at once; 1: as recorded; 2: twice as fast."""
    clock: Callable[[], float] = time.perf_counter
    """Monotonic seconds."""
    sleep: Callable[[float], object] = time.sleep
    """Waits that many seconds; for sync clients."""
    async_sleep: Callable[[float], Awaitable[object]] = _async_sleep
    """The same for async clients."""

    def __post_init__(self) -> None:
        speed: Any = self.speed
        if not (isinstance(speed, int | float) and speed >= 0):
            raise UsageError(
                f"expected a speed of 0 (at once) or more, got {self.speed!r}"
            )

    def delay(self, seconds: float | None, started: float) -> float:
        """Return how long to wait for a piece.

        Args:
            seconds: When it came, since the request; None if unknown.
            started: The clock when playing began.
        """
        if not self.speed or seconds is None:
            return 0.0
        return max(0.0, started + seconds / self.speed - self.clock())

    def timed(
        self, pieces: Iterable[tuple[float | None, bytes]]
    ) -> Iterator[tuple[float, bytes]]:
        """Return how long to wait for each piece, and the piece; playing begins now."""
        started = self.clock()
        return ((self.delay(seconds, started), piece) for seconds, piece in pieces)


@functools.cache
def stream_class(module: ModuleType, body: type[Any]) -> Callable[..., Any]:
    """Return a body class that the clients of `module` accept, sync and async."""
    return type(
        body.__name__, (body, module.AsyncByteStream, module.SyncByteStream), {}
    )


class RecordedBody:
    """Passes the pieces of a live body on and keeps them.

    Anything that ends the reading counts: the end of the body (complete), an error of
    the transport (error), closing, cancelling and interrupting (closed).
    """

    def __init__(self, stream: Any, recorder: ExchangeRecorder) -> None:
        self._stream = stream
        self._recorder = recorder

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._stream:
                self._recorder.piece(piece)
                yield piece
        except BaseException as error:
            self._stopped(error)
            raise
        self._recorder.complete()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._stream:
                self._recorder.piece(piece)
                yield piece
        except BaseException as error:
            self._stopped(error)
            raise
        self._recorder.complete()

    def close(self) -> None:
        """Close the live body; what has not been read by now never will be."""
        try:
            self._stream.close()
        finally:
            self._recorder.closed()

    async def aclose(self) -> None:
        """Do what `close` does, for async clients."""
        try:
            await self._stream.aclose()
        finally:
            self._recorder.closed()

    def _stopped(self, error: BaseException) -> None:
        # Cancellation, KeyboardInterrupt and GeneratorExit are no `Exception`: the
        # reader went away, the stream did not break.
        if isinstance(error, Exception):
            self._recorder.broke(type(error).__name__, str(error))
        else:
            self._recorder.closed()


class PlayedBody:
    """Gives a recorded body back, piece by piece, with its ending."""

    def __init__(
        self, exchange: Exchange, session: RecordingSession, module: ModuleType
    ) -> None:
        self._exchange = exchange
        self._session = session
        self._module = module

    def __iter__(self) -> Iterator[bytes]:
        pace = self._session.pace
        for delay, piece in pace.timed(self._exchange.response.iter_wire()):
            if delay:
                pace.sleep(delay)
            if piece:
                yield piece
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pace = self._session.pace
        for delay, piece in pace.timed(self._exchange.response.iter_wire()):
            if delay:
                await pace.async_sleep(delay)
            if piece:
                yield piece
        self._end()

    def _end(self) -> None:
        ended = self._exchange.response.ended
        if ended is None or ended.kind == "complete":
            return
        if ended.kind == "closed":
            raise self._session.read_past_end(self._exchange)
        raise _error(self._module, ended.error, ended.message)


def _error(module: ModuleType, kind: str, message: str) -> Exception:
    """Build the recorded exception: httpx's own, or the operating system's."""
    error: Exception
    for home, base in ((module, module.RequestError), (builtins, OSError)):
        found = getattr(home, kind, None)
        if isinstance(found, type) and issubclass(found, base):
            error = found(message)
            return error
    error = module.RemoteProtocolError(f"{message} (recorded as {kind or 'an error'})")
    return error
