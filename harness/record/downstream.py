"""The proxy's client: one request in, one response out, at the level of the wire.

Owns the server side of HTTP, by h11, and how a response is broken off so that no
client takes it for complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from typing import TYPE_CHECKING

import h11

from harness.cassettes.model import Request
from harness.errors import HarnessError, UsageError
from harness.limits import IDLE, REQUEST, REQUEST_TIME
from harness.record.forwarding import end_to_end, grouped, request_headers

if TYPE_CHECKING:
    from harness.record.exchange import ExchangeRecorder
    from harness.record.upstream import Upstream, UpstreamResponse

__all__ = ["ClientGoneError", "Downstream", "RefusedError"]

_HEAD_BYTES = 1 << 16  # as upstream
_LINGER_S = 2.0  # for the rest of a request that was refused


class ClientGoneError(Exception):
    """The client closed its connection before the response was over."""


class RefusedError(HarnessError):
    """The request is not taken: too large or too slow.

    Attributes:
        status: The HTTP status to refuse it with.
    """

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)


class Downstream:
    """The client's connection: one request in, one response out.

    Attributes:
        is_answered: The whole response has been read and is on its way.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: Upstream,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._upstream = upstream
        self._connection = h11.Connection(
            h11.SERVER, max_incomplete_event_size=_HEAD_BYTES
        )
        self.is_answered = False
        # `drain` then waits until the kernel has everything.
        writer.transport.set_write_buffer_limits(0)

    async def gone(self) -> None:
        """Return when the client has closed; what it still sends is dropped."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(65536):
                pass

    async def _event(self) -> h11.Event:
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                if self._connection.they_are_waiting_for_100_continue:
                    await self._send(
                        h11.InformationalResponse(status_code=100, headers=[])
                    )
                self._connection.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.ConnectionClosed):
                raise ClientGoneError
            elif isinstance(event, h11.Event):
                return event

    async def request(self) -> tuple[Request, str]:
        """Read the request.

        Returns:
            The request as it is to be sent on and recorded, and its path and query.

        Raises:
            h11.RemoteProtocolError: It is no HTTP.
            UsageError: It is meant for an HTTP proxy, which this is not.
            RefusedError: It is too large, or did not end in time.
            ClientGoneError: The client closed before it was complete, or has been
                silent for too long.
        """
        try:
            async with asyncio.timeout(IDLE.seconds):
                first = await self._reader.read(65536)
        except TimeoutError:
            raise ClientGoneError from None
        self._connection.receive_data(first)
        try:
            async with asyncio.timeout(REQUEST_TIME.seconds):
                return await self._request()
        except TimeoutError:
            raise RefusedError(408, REQUEST_TIME.problem) from None

    async def _request(self) -> tuple[Request, str]:
        head = await self._event()
        assert isinstance(head, h11.Request)
        most = REQUEST.value
        for name, value in head.headers:
            if name == b"content-length" and int(value) > most:
                raise RefusedError(413, REQUEST.problem)
        pieces: list[bytes] = []
        size = 0
        while isinstance(event := await self._event(), h11.Data):
            pieces.append(bytes(event.data))
            size += len(event.data)
            if size > most:
                raise RefusedError(413, REQUEST.problem)
        body = b"".join(pieces)
        target = head.target.decode("latin-1")
        if not target.startswith("/"):
            raise UsageError(
                f"this proxy is used as a base URL, not as an HTTP proxy: expected a "
                f"path, got {target!r}; point the client's base URL at it"
            )
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in head.headers
        ]
        method = head.method.decode("latin-1")
        sent = request_headers(headers, len(body) if body or method != "GET" else None)
        return Request(method, self._upstream.url(target), grouped(sent), body), target

    async def respond(
        self, response: UpstreamResponse, recorder: ExchangeRecorder | None
    ) -> None:
        """Pass a response on, piece by piece; its end only if it has one."""
        headers = [*end_to_end(response.headers), ("connection", "close")]
        head = h11.Response(
            status_code=response.status, headers=headers, reason=response.reason
        )
        await self._send(head)
        async for piece in response.pieces():
            if recorder is not None:
                recorder.piece(piece)
            await self._send(h11.Data(data=piece))
        if recorder is not None:
            recorder.complete()  # whether or not the client waits for the end mark
        self.is_answered = True
        await self._send(h11.EndOfMessage())

    async def refuse(self, status: int, problem: str) -> None:
        """Answer with an error of the proxy's own, in the shape OpenAI's SDKs show."""
        error = {
            "error": {"message": f"harness proxy: {problem}", "type": "proxy_error"}
        }
        body = json.dumps(error).encode()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        await self._send(h11.Response(status_code=status, headers=headers))
        await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def linger(self) -> None:
        """After a refusal, read what the client still sends, for a moment.

        Closing with unread bytes would reset the connection and take the answer back.
        """
        with contextlib.suppress(OSError, TimeoutError):
            self._writer.write_eof()
            async with asyncio.timeout(_LINGER_S):
                while await self._reader.read(65536):
                    pass

    def break_off(self, *, is_reset: bool) -> None:
        """End the connection without ending the response."""
        if is_reset or self._ends_by_closing():
            raw: socket.socket = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._writer.transport.abort()
        else:
            self._writer.close()  # a body short of its length, or without last chunk

    def _ends_by_closing(self) -> bool:
        """Tell whether a plain close would look like the end of this response."""
        return self._connection.their_http_version == b"1.0"

    async def _send(self, event: h11.Event) -> None:
        data = self._connection.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()
