"""aiohttp, and what is made of it: google-genai and litellm where they are async.

Owns how its connections are reached: while a cassette is open, a connector returns a
connection whose transport is ours. What the client writes there is kept until the
request is complete. Then the cassette answers, or the connection is made and everything
is sent. aiohttp's own parser reads either, so that whatever it makes of it is the same.

A played piece is given only when the client has taken the one before: aiohttp would
join them in its buffer. A live one is passed on as it arrives.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, Any

from harness.cassettes.model import Exchange
from harness.record.active import current_session, is_passing, passing
from harness.record.played_response import PlayedResponse
from harness.record.wire import RequestReader, ResponseTap

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import ModuleType

    from harness.record.exchange import LiveRequest
    from harness.record.session import RecordingSession


_LOCAL = frozenset({"UnixConnector", "NamedPipeConnector"})


def targets(module: ModuleType) -> Iterator[tuple[type, str, Callable[..., Any]]]:
    """Yield the method to replace in `aiohttp.connector`."""
    yield module.BaseConnector, "connect", functools.partial(_wrapped, module)


def _wrapped(module: ModuleType, original: Callable[..., Any]) -> Callable[..., Any]:
    connection_class, handler_class = _classes(module)

    @functools.wraps(original)
    async def connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        session = current_session()
        if session is None or is_passing() or type(self).__name__ in _LOCAL:
            return await original(self, req, *args, **kwargs)
        loop = asyncio.get_running_loop()
        wire = _Wire(
            session,
            origin=str(req.url.origin()),
            connect=lambda: original(self, req, *args, **kwargs),
            timed_out=_timeout(
                "ConnectionTimeoutError", f"Connection timeout to host {req.url}"
            ),
        )
        wire.handler = handler_class(loop)
        wire.handler.wire = wire
        wire.handler.connection_made(wire)
        return connection_class(self, req.connection_key, wire.handler, loop)

    return connect


def _timeout(name: str, message: str) -> Exception:
    import aiohttp

    kind = getattr(aiohttp, name, aiohttp.ServerTimeoutError)  # 3.9 has only that
    error: Exception = kind(message)
    return error


@functools.cache
def _classes(module: ModuleType) -> tuple[Any, Any]:
    """Return the classes of our connections and of the protocols behind them."""

    class Connection(module.Connection):  # type: ignore[misc,name-defined]  # whichever is installed
        """A connection that belongs to no connector's pool."""

        _protocol: Any

        def close(self) -> None:
            self._notify_release()
            handler, self._protocol = self._protocol, None
            if handler is not None:
                handler.close()
                handler.wire.close()  # a lost connection is not closed by its handler

        release = close

        def __del__(self) -> None:
            """Do nothing: there is no pool to warn about."""

    class Handler(module.ResponseHandler):  # type: ignore[misc,name-defined]  # whichever is installed
        """aiohttp's protocol, which also reports what it parsed and why it stopped."""

        wire: _Wire
        content: Any = None

        def feed_data(self, data: Any, *args: Any) -> None:
            self.content = data[1]
            super().feed_data(data, *args)

        def set_exception(self, exc: BaseException, *args: Any) -> None:
            if isinstance(exc, asyncio.TimeoutError):
                self.wire.timed_out(exc)
            super().set_exception(exc, *args)

    return Connection, Handler


class _Wire(asyncio.Transport):
    """The transport that a client writes one request to."""

    def __init__(
        self,
        session: RecordingSession,
        *,
        origin: str,
        connect: Callable[[], Awaitable[Any]],
        timed_out: Exception,
    ) -> None:
        super().__init__()
        self.handler: Any = None
        self._session = session
        self._connect = connect
        self._timed_out = timed_out
        self._reader = RequestReader(origin)
        self._task: asyncio.Task[None] | None = None
        self._tap: ResponseTap | None = None
        self._connection: Any = None  # the real one, once there is one
        self._live: Any = None  # its transport
        self._is_closed = False
        self._is_continued = False
        self._resumed = asyncio.Event()

    def write(self, data: Any) -> None:
        if self._live is not None:
            self._live.write(data)
            return
        is_complete = self._reader.feed(bytes(data))
        if is_complete and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer())
        elif self._reader.expects_continue and not self._is_continued:
            self._is_continued = True
            asyncio.get_running_loop().call_soon(
                self.handler.data_received, b"HTTP/1.1 100 Continue\r\n\r\n"
            )

    async def _answer(self) -> None:
        request = self._reader.request()
        try:
            found = self._session.answer(request)
            if isinstance(found, Exchange):
                await self._play(PlayedResponse(found, self._session, request.method))
            else:
                await self._go_live(found, request.method)
        except TimeoutError:
            self._fail(self._timed_out)
        except Exception as error:  # noqa: BLE001 - it is the client's to handle
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.handler.set_exception(error)
        if self.handler.content is not None:
            self.handler.content.set_exception(error)

    async def _play(self, played: PlayedResponse) -> None:
        pace = self._session.pace
        started = pace.clock()
        self.handler.data_received(played.head)
        for seconds, piece in played.pieces():
            await self._taken()
            delay = pace.delay(seconds, started)
            if delay:
                await pace.async_sleep(delay)
            if self._is_closed:
                return
            self.handler.data_received(piece)
        await self._taken()
        if played.last and not self._is_closed:
            self.handler.data_received(played.last)
        self._end(played)

    def _end(self, played: PlayedResponse) -> None:
        if self._is_closed:
            return
        content = self.handler.content
        if content is not None and content.is_eof():
            return
        error = played.end()
        if error is None or isinstance(error, OSError):
            if isinstance(error, TimeoutError):
                text = "Timeout on reading data from socket"
                self._fail(_timeout("SocketTimeoutError", text))
            else:
                self.handler.connection_lost(error)
        else:
            self._fail(error)

    async def _taken(self) -> None:
        """Wait until the client has taken what it was given."""
        content = self.handler.content
        while getattr(content, "_buffer", None) and not content.is_eof():
            if self._is_closed:
                return
            self._resumed.clear()
            self.handler.pause_reading()
            await self._resumed.wait()

    async def _go_live(self, live: LiveRequest | None, method: str) -> None:
        with passing():
            self._connection = await self._connect()
        if self._is_closed:
            self._connection.close()
            return
        if live is not None:
            self._tap = ResponseTap(live, method)
        real = self._connection.protocol
        self._live = real.transport
        self._live.set_protocol(_Pipe(self.handler, real, self._tap))
        self._live.write(bytes(self._reader.sent))

    def timed_out(self, error: BaseException) -> None:
        """Note that the client waited too long for the next piece."""
        if self._tap is not None:
            self._tap.broke(error)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._resumed.set()
        if self._tap is not None:
            self._tap.closed()
        if self._connection is not None:
            self._connection.close()
        elif self._live is None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._task.cancel()

    abort = close

    def is_closing(self) -> bool:
        return self._is_closed

    def pause_reading(self) -> None:
        if self._live is not None:
            self._live.pause_reading()

    def resume_reading(self) -> None:
        self._resumed.set()
        if self._live is not None:
            self._live.resume_reading()

    def write_eof(self) -> None:
        """Do nothing: requests have a length."""

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        """Do nothing: requests are kept whole."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if self._live is None:
            return default
        return self._live.get_extra_info(name, default)


class _Pipe(asyncio.Protocol):
    """Passes on what a live connection receives, and shows it to the tap."""

    def __init__(self, handler: Any, real: Any, tap: ResponseTap | None) -> None:
        self._handler = handler
        self._real = real
        self._tap = tap

    def data_received(self, data: bytes) -> None:
        if self._tap is not None:
            self._tap.feed(data)
        self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        if self._tap is not None:
            self._tap.ended()
        result: bool | None = self._handler.eof_received()
        return result

    def connection_lost(self, exc: Exception | None) -> None:
        if self._tap is not None and exc is not None:
            self._tap.broke(exc)
        elif self._tap is not None:
            self._tap.ended()
        self._handler.connection_lost(exc)
        self._real.connection_lost(exc)  # its connector waits for that

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()
