"""One client's connection: requests in by h11, answers out byte by byte.

Owns the server side of HTTP/1.1. Requests are read by h11, which is strict about
them; one machine a request, because answers are written past it: no HTTP library
sends a wrong length, and none promises that one piece is one write. Each piece of an
answer is one call of the transport's `write`, with `TCP_NODELAY` on (asyncio's
default), inside one HTTP chunk of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING

import h11

from harness.cassettes.model import Request
from harness.errors import shorten
from harness.limits import IDLE, REQUEST, REQUEST_TIME
from harness.record.downstream import ClientGoneError, RefusedError
from harness.record.forwarding import grouped
from harness.serve.answer import BrokenOffError, Ending

if TYPE_CHECKING:
    from harness.serve.answer import Answer

__all__ = ["ClientGoneError", "Connection", "RefusedError"]

_HEAD_BYTES = 1 << 16  # as the recording proxy; h11's own default is a quarter
_LINGER_S = 2.0  # for the rest of a request that was refused
_PIECES_A_TURN = 16  # then everybody else has a turn, however fast the client reads


class Connection:
    """The server's end of a connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""
        self._http_version = b"1.1"
        self._method = b""
        self._is_kept = True
        self._has_ended = False
        self._asked_at = 0.0  # when the latest request had come, by the loop's clock

    @property
    def address(self) -> str:
        """The address that the client has reached."""
        name = self._writer.get_extra_info("sockname")
        return str(name[0]) if isinstance(name, tuple) else ""

    async def request(self) -> Request | None:
        """Read the next request.

        Returns:
            The request, its `uri` the target as it was sent; None where there is no
            other: the client is done, or has been silent for too long.

        Raises:
            RefusedError: It is no HTTP, too large or too slow.
            ClientGoneError: The client closed in the middle of it.
        """
        if not self._is_kept:
            return None
        machine = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        try:
            if not self._rest:
                async with asyncio.timeout(IDLE.seconds):
                    self._rest = await self._reader.read(65536)
        except TimeoutError:
            return None
        if not self._rest:
            return None
        try:
            async with asyncio.timeout(REQUEST_TIME.seconds):
                return await self._read(machine)
        except TimeoutError:
            raise RefusedError(408, REQUEST_TIME.problem) from None
        except h11.RemoteProtocolError as error:
            raise RefusedError(error.error_status_hint, f"no HTTP: {error}") from None

    async def _read(self, machine: h11.Connection) -> Request:
        machine.receive_data(self._rest)
        head = await self._event(machine)
        if isinstance(head, h11.ConnectionClosed):
            raise ClientGoneError
        assert isinstance(head, h11.Request)
        self._http_version, self._method = head.http_version, head.method
        self._is_kept = machine.their_http_version == b"1.1" and not any(
            name == b"connection" and b"close" in value.lower()
            for name, value in head.headers
        )
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in head.headers
        ]
        most = REQUEST.value
        for name, value in headers:
            if name == "content-length" and int(value) > most:
                raise RefusedError(413, REQUEST.problem)
        body: list[bytes] = []
        size = 0
        while isinstance(event := await self._event(machine), h11.Data):
            body.append(bytes(event.data))
            size += len(event.data)
            if size > most:
                raise RefusedError(413, REQUEST.problem)
        if not isinstance(event, h11.EndOfMessage):
            raise ClientGoneError
        self._asked_at = asyncio.get_running_loop().time()
        self._rest = machine.trailing_data[0]
        target = head.target.decode("latin-1")
        if not target.startswith("/"):
            raise RefusedError(
                400, f"expected a path, got {shorten(target)}; this is no proxy"
            )
        method = head.method.decode("latin-1")
        return Request(method, target, grouped(headers), b"".join(body))

    async def _event(self, machine: h11.Connection) -> h11.Event:
        while True:
            event = machine.next_event()
            if isinstance(event, h11.Event):
                return event
            assert event is h11.NEED_DATA
            if machine.they_are_waiting_for_100_continue:
                await self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
                machine.send(h11.InformationalResponse(status_code=100, headers=[]))
            machine.receive_data(await self._reader.read(65536))

    async def send(self, answer: Answer) -> str:
        """Send an answer: each piece when it is due, each in one write.

        Args:
            answer: Its times are seconds since the request had come.

        Returns:
            How it ended: ``complete``, or what broke it off on purpose.

        Raises:
            ClientGoneError: The client closed before the end.
        """
        clock = asyncio.get_running_loop().time
        is_chunked = answer.length is None and self._http_version == b"1.1"
        if answer.length is None and not is_chunked:
            self._is_kept = False  # the end of the body is that of the connection
        head = self._head(answer, is_chunked=is_chunked)
        pieces = iter(answer.pieces)
        if self._method == b"HEAD":
            pieces = iter(())
            is_chunked = False
        try:
            await self._write(head)
            for number, (due, piece) in enumerate(pieces):
                if due is not None and (delay := self._asked_at + due - clock()) > 0:
                    await asyncio.sleep(delay)
                elif number % _PIECES_A_TURN == 0:
                    await asyncio.sleep(0)
                if is_chunked:
                    piece = b"%x\r\n%b\r\n" % (len(piece), piece)  # noqa: PLW2901
                await self._write(piece)
        except BrokenOffError as broken:
            await self._break_off(broken.ending)
            return broken.ending.value
        if is_chunked:
            await self._write(b"0\r\n\r\n")
        return "complete"

    async def refuse(self, answer: Answer) -> None:
        """Answer a request that was not read, and take no more of them."""
        self._is_kept = False
        self._rest = b""
        await self.send(answer)
        with contextlib.suppress(OSError, TimeoutError):
            self._writer.write_eof()
            # Closing with unread bytes would reset the connection and take the
            # answer back.
            async with asyncio.timeout(_LINGER_S):
                while await self._reader.read(65536):
                    pass

    async def close(self) -> None:
        """Close the connection, unless it has been broken off."""
        if not self._has_ended:
            self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def abort(self) -> None:
        """End the connection at once; what was not sent is dropped."""
        self._has_ended = True
        self._writer.transport.abort()

    def _head(self, answer: Answer, *, is_chunked: bool) -> bytes:
        reason = answer.reason or _reason(answer.status)
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if is_chunked:
            lines.append("transfer-encoding: chunked")
        elif answer.length is not None:
            lines.append(f"content-length: {answer.length}")
        if not self._is_kept:
            lines.append("connection: close")
        text = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
        return text.encode("latin-1", "replace") + b"\r\n\r\n"

    async def _write(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (ConnectionError, OSError):
            raise ClientGoneError from None

    async def _break_off(self, ending: Ending) -> None:
        self._is_kept = False
        if ending is Ending.STALLED:
            with contextlib.suppress(OSError):
                while await self._reader.read(65536):
                    pass
            return
        await self._flush()
        if ending is Ending.RESET or self._http_version == b"1.0":
            # A plain close would look like the end to a client of HTTP/1.0.
            raw: socket.socket = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.abort()

    async def _flush(self) -> None:
        """Wait until the client's kernel has everything: a reset drops the rest."""
        self._writer.transport.set_write_buffer_limits(0)
        with contextlib.suppress(OSError):
            await self._writer.drain()
            raw: socket.socket = self._writer.get_extra_info("socket")
            for _ in range(_MOST_WAITS):
                if not _unsent(raw):
                    return
                await asyncio.sleep(_WAIT_S)


_WAIT_S, _MOST_WAITS = 0.002, 1000


def _unsent(raw: socket.socket) -> int:
    """Return how many bytes the kernel has that the client's has not (Linux)."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    held = fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int.from_bytes(held, sys.byteorder)


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
