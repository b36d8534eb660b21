"""The server's end of an HTTP/1.1 connection: requests within limits, and its endings.

What the recording proxy and `harness serve` share. Requests are read by h11, which is
strict about them, and bounded in size and time. What is answered is theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

import h11

from harness.cassettes.model import header_texts
from harness.errors import HarnessError, UsageError
from harness.limits import IDLE, REQUEST, REQUEST_TIME

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


_HEAD_BYTES = 1 << 16  # as upstream; h11's own default is a quarter
_BACKLOG = 2048  # the default of 100 makes hundreds of clients at once wait a second
_LINGER_S = 2.0  # for the rest of a request that was refused


class ClientGoneError(Exception):
    """The client closed its connection before the response was over."""


class RefusedError(HarnessError):
    """The request is not taken: no HTTP, too large or too slow.

    Attributes:
        status: The HTTP status to refuse it with.
    """

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)


class Received(NamedTuple):
    """One request, as it was sent."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes


class Listener:
    """Takes connections at one address until it is stopped, with a task for each.

    Args:
        serve: Serves one connection.
    """

    def __init__(
        self,
        serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> str:
        """Listen, and return the URL, such as ``http://127.0.0.1:40123``.

        Raises:
            UsageError: The address cannot be listened on.
        """
        try:
            self._server = await asyncio.start_server(
                self._handle, host, port, backlog=_BACKLOG
            )
        except (OSError, OverflowError) as error:
            problem = getattr(error, "strerror", None) or error
            raise UsageError(
                f"cannot listen on {host}:{port} ({problem}); choose another address"
            ) from None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Take no more connections and end those under way, at once."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (ClientGoneError, OSError, asyncio.CancelledError):
            # Cancelled only by `stop`, which waits for this to end.
            writer.transport.abort()
        finally:
            writer.close()
            # `stop` may come in this wait, too: Python 3.11 prints a traceback for a
            # connection that ends cancelled (until that is the oldest no more).
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self._tasks.discard(task)


class ServerEnd:
    """The server's end of one connection.

    Attributes:
        machine: h11's, for the request that is read.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.renew()

    def renew(self) -> None:
        """Prepare for a request."""
        self.machine = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)

    async def first_bytes(self) -> bytes:
        """Return the first bytes of a request; nothing where the client is silent."""
        try:
            async with asyncio.timeout(IDLE.seconds):
                return await self._reader.read(65536)
        except TimeoutError:
            return b""

    async def receive(self, first: bytes) -> Received:
        """Read a request that begins with these bytes.

        Raises:
            RefusedError: It is no HTTP, too large or too slow.
            ClientGoneError: The client closed in the middle of it.
        """
        self.machine.receive_data(first)
        try:
            async with asyncio.timeout(REQUEST_TIME.seconds):
                return await self._receive()
        except TimeoutError:
            raise RefusedError(408, REQUEST_TIME.problem) from None
        except h11.RemoteProtocolError as error:
            problem = f"no HTTP request: {error}"
            raise RefusedError(error.error_status_hint, problem) from None

    async def _receive(self) -> Received:
        head = await self._event()
        assert isinstance(head, h11.Request)
        headers = header_texts(head.headers)
        most = REQUEST.value
        for name, value in headers:
            if name == "content-length" and int(value) > most:
                raise RefusedError(413, REQUEST.problem)
        pieces: list[bytes] = []
        size = 0
        while isinstance(event := await self._event(), h11.Data):
            pieces.append(bytes(event.data))
            size += len(event.data)
            if size > most:
                raise RefusedError(413, REQUEST.problem)
        method, target = head.method.decode("latin-1"), head.target.decode("latin-1")
        return Received(method, target, headers, b"".join(pieces))

    async def _event(self) -> h11.Event:
        while True:
            event = self.machine.next_event()
            if isinstance(event, h11.ConnectionClosed):
                raise ClientGoneError
            if isinstance(event, h11.Event):
                return event
            assert event is h11.NEED_DATA
            if self.machine.they_are_waiting_for_100_continue:
                await self.send_event(
                    h11.InformationalResponse(
                        status_code=100, headers=[], reason="Continue"
                    )
                )
            self.machine.receive_data(await self._reader.read(65536))

    async def send_event(self, event: h11.Event) -> None:
        """Write what h11 makes of an event."""
        if data := self.machine.send(event):
            await self.write(data)

    async def write(self, data: bytes) -> None:
        """Write bytes in one call of the transport.

        Raises:
            ClientGoneError: The client has closed.
        """
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError:  # a ConnectionError is one
            raise ClientGoneError from None

    async def drop_rest(self) -> None:
        """Read what the client still sends, until it closes."""
        with contextlib.suppress(OSError):
            while await self._reader.read(65536):
                pass

    async def linger(self) -> None:
        """After a refusal, read what the client still sends, for a moment.

        Closing with unread bytes would reset the connection and take the answer back.
        """
        with contextlib.suppress(OSError, TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(_LINGER_S):
                await self.drop_rest()

    def reset(self) -> None:
        """End the connection so that no client takes it for the end of a response."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
