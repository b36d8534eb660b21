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
import sys
from http.client import responses
from typing import TYPE_CHECKING

from harness.cassettes.model import Request, grouped, head_bytes
from harness.errors import shorten
from harness.net.listening import RefusedError, ServerEnd
from harness.record.wire import BODILESS
from harness.serve.answer import Answer, BrokenOffError, Ending

if TYPE_CHECKING:
    import socket


_PIECES_A_TURN = 16  # then everybody else has a turn, however fast the client reads


class Connection(ServerEnd):
    """The server's end of a connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        super().__init__(reader, writer)
        self._rest = b""
        self._http_version = b"1.1"
        self._method = ""
        self._is_kept = True
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
        self.renew()
        first = self._rest or await self.first_bytes()
        if not first:
            return None
        self._method = ""  # what is refused before it is known gets a body
        method, target, headers, body = await self.receive(first)
        self._asked_at = asyncio.get_running_loop().time()
        self._method = method
        self._rest = self.machine.trailing_data[0]
        self._http_version = self.machine.their_http_version or b"1.1"
        self._is_kept = self._http_version == b"1.1" and not any(
            name == "connection" and "close" in value.lower() for name, value in headers
        )
        if not target.startswith("/"):
            raise RefusedError(
                400, f"expected a path, got {shorten(target)}; this is no proxy"
            )
        return Request(method, target, grouped(headers), body)

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
        if self._method == "HEAD":
            pieces = iter(())
            is_chunked = False
        try:
            await self.write(head)
            for number, (due, piece) in enumerate(pieces):
                if due is not None and (delay := self._asked_at + due - clock()) > 0:
                    await asyncio.sleep(delay)
                elif number % _PIECES_A_TURN == 0:
                    await asyncio.sleep(0)
                if is_chunked:
                    piece = b"%x\r\n%b\r\n" % (len(piece), piece)  # noqa: PLW2901
                await self.write(piece)
        except BrokenOffError as broken:
            await self._break_off(broken.ending)
            return broken.ending.value
        if is_chunked:
            await self.write(b"0\r\n\r\n")
        return "complete"

    async def refuse(self, answer: Answer) -> None:
        """Answer a request that was not read, and take no more of them."""
        self._is_kept = False
        self._rest = b""
        await self.send(answer)
        await self.linger()

    def _head(self, answer: Answer, *, is_chunked: bool) -> bytes:
        reason = answer.reason or responses.get(answer.status, "")
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if is_chunked:
            lines.append("transfer-encoding: chunked")
        elif answer.length is not None and answer.status not in BODILESS:
            lines.append(f"content-length: {answer.length}")
        if not self._is_kept:
            lines.append("connection: close")
        text = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
        return head_bytes(text) + b"\r\n\r\n"

    async def _break_off(self, ending: Ending) -> None:
        self._is_kept = False
        if ending is Ending.STALLED:
            await self.drop_rest()
            return
        await self._flush()
        if ending is Ending.RESET or self._http_version == b"1.0":
            # A plain close would look like the end to a client of HTTP/1.0.
            self.reset()

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
