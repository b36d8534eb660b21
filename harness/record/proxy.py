"""The recording proxy: any client, in any language, against a real server.

Owns the server side of it. Each request is sent on over a connection of its own, each
piece of the response goes to the client before the next is read, and the exchange is
recorded as `use_cassette` would. What happens to the stream happens to the client:
a response that breaks off upstream breaks off downstream, never looking complete.

One request a connection, both ways: simple, and endings cannot be mistaken.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h11

from harness.errors import CassetteError, UsageError
from harness.record.forwarding import end_to_end, grouped, request_headers
from harness.record.session import LiveRequest, RecordingSession
from harness.record.upstream import BrokenStreamError, Upstream, open_request
from harness.store.cassette import Request

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from harness.record.exchange import ExchangeRecorder
    from harness.record.upstream import UpstreamResponse
    from harness.store.redaction import Redaction

__all__ = ["ProxyOptions", "serve_proxy"]

_HEAD_BYTES = 1 << 16  # as upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions:
    """What a proxy does.

    Raises:
        UsageError: The upstream, the mode or the address is wrong.
    """

    upstream: str
    """The server's base URL; its path goes before that of each request."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 0
    """The port; 0 for any free one."""
    mode: str = "all"
    """``all`` adds to the file, new recordings replacing those they match;
    ``rewrite`` replaces it as a whole when the proxy is stopped, and keeps
    ``NAME.partial`` until then."""
    allow_remote: bool = False
    """Listen on an address that other machines reach."""
    force: bool = False
    """Record in CI as well."""
    redaction: Redaction | None = None
    """What is removed before anything is written; the built-in rules if None."""

    def __post_init__(self) -> None:
        Upstream.parse(self.upstream)
        if not self.allow_remote and not _is_loopback(self.host):
            raise UsageError(
                f"{self.host!r} can be reached from other machines; listen on "
                "127.0.0.1, or allow it (--allow-remote)"
            )
        if self.mode not in {"all", "rewrite"}:
            raise UsageError(
                f"expected a proxy mode of all, rewrite, got {self.mode!r}"
            )


def _ignore(_: str) -> None:
    pass


async def serve_proxy(
    cassette: str | os.PathLike[str],
    options: ProxyOptions,
    *,
    stop: asyncio.Event,
    started: Callable[[str], object] = _ignore,
    report: Callable[[str], object] = _ignore,
) -> int:
    """Forward requests to a server and record them, until told to stop.

    Args:
        cassette: The file. It is written after every exchange.
        options: Where to listen, where to forward, how to record.
        stop: When set, no more requests are taken, those under way are ended (and
            recorded as closed), and everything is saved.
        started: Called with the proxy's URL when it accepts connections.
        report: Called with one line for each request that has ended.

    Returns:
        How many exchanges were recorded.

    Raises:
        UsageError: The address cannot be listened on.
        RecordingRefusedError: This is CI, and `force` is not set.
        CassetteError: The file cannot be read or written.
    """
    session = RecordingSession(
        cassette,
        mode=options.mode,
        force=options.force,
        redaction=options.redaction,
    )
    proxy = _Proxy(session, Upstream.parse(options.upstream), report)
    has_failed = True
    try:
        server = await _listen(proxy, options)
        bound = server.sockets[0].getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        started(f"http://{shown}:{bound[1]}")
        await stop.wait()
        server.close()
        await proxy.stop()
        has_failed = False
    finally:
        session.close(failed=has_failed)
    return session.recorded_count


async def _listen(proxy: _Proxy, options: ProxyOptions) -> asyncio.Server:
    try:
        return await asyncio.start_server(proxy.handle, options.host, options.port)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {options.host}:{options.port} "
            f"({error.strerror or error}); choose another address"
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _ClientGoneError(Exception):
    """The client closed its connection before the response was over."""


class _Proxy:
    def __init__(
        self,
        session: RecordingSession,
        upstream: Upstream,
        report: Callable[[str], object],
    ) -> None:
        self._session = session
        self._upstream = upstream
        self._report = report
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving = asyncio.Lock()

    async def handle(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection, which is one request."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await _Downstream(reader, writer, self).serve()
        except (ConnectionError, _ClientGoneError, asyncio.CancelledError):
            # Cancelled only by `stop`, which waits for this to end.
            writer.transport.abort()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self._tasks.discard(task)

    async def stop(self) -> None:
        """End what is under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def forward(
        self,
        downstream: _Downstream,
        request: Request,
        target: str,
    ) -> None:
        """Send a request on, pass the response back, record both."""
        live = self._session.answer(request)
        recorder: ExchangeRecorder | None = None
        outcome = "closed by the client"
        try:
            async with open_request(
                self._upstream,
                method=request.method,
                target=target,
                headers=[(n, v) for n, vs in request.headers.items() for v in vs],
                body=request.body or b"",
            ) as response:
                if isinstance(live, LiveRequest):
                    recorder = live.responded(
                        status=response.status,
                        reason=response.reason,
                        headers=grouped(response.headers),
                    )
                await downstream.respond(response, recorder)
                outcome = f"{response.status} complete"
        except BrokenStreamError as error:
            outcome = str(error)
            if recorder is None:
                await downstream.refuse(502, f"{self._upstream.url('')}: {error}")
            else:
                recorder.broke(error.kind, error.message)
                await downstream.break_off(is_reset=error.kind == "ReadError")
        finally:
            if recorder is not None:
                # Counts only if nothing else ended it: the client went away, or the
                # proxy is being stopped.
                recorder.closed()
                await self._save()
            self._report(f"{request.method} {request.uri} {outcome}")

    async def _save(self) -> None:
        async with self._saving:
            try:
                await asyncio.shield(asyncio.to_thread(self._session.save))
            except CassetteError as error:
                self._report(
                    f"not saved yet: {error}"
                )  # stopping saves again, or says so


class _Downstream:
    """The client's connection: one request in, one response out."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: _Proxy
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._proxy = proxy
        self._connection = h11.Connection(
            h11.SERVER, max_incomplete_event_size=_HEAD_BYTES
        )
        self._is_answered = False
        # `drain` then waits until the kernel has everything.
        writer.transport.set_write_buffer_limits(0)

    async def serve(self) -> None:
        try:
            request, target = await self._request()
        except h11.RemoteProtocolError as error:
            await self.refuse(error.error_status_hint, f"no HTTP request: {error}")
            return
        except UsageError as error:
            await self.refuse(400, str(error))
            return
        forward = asyncio.ensure_future(self._proxy.forward(self, request, target))
        gone = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({forward, gone}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            forward.cancel()
            raise
        finally:
            gone.cancel()
            if not self._is_answered:
                forward.cancel()  # else only the saving is left, which takes no client
            await asyncio.gather(forward, gone, return_exceptions=True)
        if not forward.cancelled():
            forward.result()

    async def _gone(self) -> None:
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
                raise _ClientGoneError
            elif isinstance(event, h11.Event):
                return event

    async def _request(self) -> tuple[Request, str]:
        head = await self._event()
        assert isinstance(head, h11.Request)
        body = b""
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
        upstream = self._proxy._upstream  # noqa: SLF001 - the other half of this module
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
        return Request(method, upstream.url(target), grouped(sent), body), target

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
        self._is_answered = True
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

    async def break_off(self, *, is_reset: bool) -> None:
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
