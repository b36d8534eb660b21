"""The proxy's client: one request in, one response out, at the level of the wire.

Owns what a proxy changes of a request and of a response, and how a response is broken
off so that no client takes it for complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import h11

from harness.cassettes.model import Request, grouped, head_bytes, wire_headers
from harness.errors import UsageError
from harness.net.listening import ClientGoneError, ServerEnd
from harness.record.forwarding import end_to_end, request_headers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.net.client import Upstream, UpstreamResponse
    from harness.record.exchange import ExchangeRecorder


class Downstream(ServerEnd):
    """The client's connection: one request in, one response out.

    Args:
        reader: Of the connection.
        writer: Of the connection.
        upstream: Where requests go.
        ends: Held by the response that is being written down; all connections share it.

    Attributes:
        is_answered: The whole response has been read and is on its way.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: Upstream,
        ends: asyncio.Lock,
    ) -> None:
        super().__init__(reader, writer)
        self._upstream = upstream
        self._ends = ends
        self.is_answered = False
        # `drain` then waits until the kernel has everything.
        writer.transport.set_write_buffer_limits(0)

    async def request(self) -> tuple[Request, str]:
        """Read the request.

        Returns:
            The request as it is to be sent on and recorded, and its path and query.

        Raises:
            UsageError: It is meant for an HTTP proxy, which this is not.
            RefusedError: It is no HTTP, too large, or did not end in time.
            ClientGoneError: The client closed before it was complete, or has been
                silent for too long.
        """
        first = await self.first_bytes()
        if not first:
            raise ClientGoneError
        method, target, headers, body = await self.receive(first)
        if not target.startswith("/"):
            raise UsageError(
                f"this proxy is used as a base URL, not as an HTTP proxy: expected a "
                f"path, got {target!r}; point the client's base URL at it"
            )
        sent = request_headers(headers, len(body) if body or method != "GET" else None)
        return Request(method, self._upstream.url(target), grouped(sent), body), target

    async def respond(
        self, response: UpstreamResponse, recorder: ExchangeRecorder | None
    ) -> None:
        """Pass a response on, piece by piece; its end only if it has one."""
        head = h11.Response(
            status_code=response.status,
            headers=wire_headers(
                [*end_to_end(response.headers), ("connection", "close")]
            ),
            reason=head_bytes(response.reason),
        )
        await self.send_event(head)
        async for piece in response.pieces():
            if recorder is not None and recorder.keep(piece):
                async with self._turn():
                    recorder.note_whole()
            await self.send_event(h11.Data(data=piece))
        self.is_answered = True
        if recorder is not None:
            async with self._turn():
                recorder.complete()  # whether or not the client waits for the end mark
        await self.send_event(h11.EndOfMessage())

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait until nothing else is being written down, and pieces were passed on.

        What ends costs milliseconds of redaction. With 200 streams that end within a
        second, the pieces of all others waited for all of it: 200 ms.
        """
        async with self._ends:
            await asyncio.sleep(0)
            yield

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
        await self.send_event(h11.Response(status_code=status, headers=headers))
        await self.send_event(h11.Data(data=body))
        await self.send_event(h11.EndOfMessage())

    def break_off(self, *, is_reset: bool) -> None:
        """End the connection without ending the response."""
        # A plain close would look like the end of a response of HTTP/1.0.
        if is_reset or self.machine.their_http_version == b"1.0":
            self.reset()
        else:
            self._writer.close()  # a body short of its length, or without last chunk
