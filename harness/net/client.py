"""One request to a real server, read as its bytes arrive.

Owns a client connection at the level of the wire: a fresh one for each request, HTTP
by h11, every read passed on before the next, and the exact way a body ended. It keeps
what arrived before a reset, which asyncio's own `StreamReader` throws away.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import ssl
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import h11

from harness.cassettes.model import header_texts, wire_headers
from harness.errors import ProtocolError, UsageError
from harness.net.tunnel import tunnel_to
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from harness.net.tunnel import Tunnel

_READ_AHEAD_BYTES = 1 << 20  # held while the reader is slower than the network
_HEAD_BYTES = 1 << 16  # as much as common servers allow; h11's own limit is 16 KiB
_CONNECT_TIMEOUT_S = 30.0  # long for a connection, short for a person who waits
READ_TIMEOUT_S = 600.0  # a small machine may think for minutes before its first token


class BrokenStreamError(ProtocolError):
    """The connection to the server failed or broke.

    Attributes:
        kind: The name httpx has for it: ``ConnectError``, ``ConnectTimeout``,
            ``ReadError`` (reset), ``ReadTimeout`` or ``RemoteProtocolError`` (ended
            too early, or no HTTP).
        message: What the transport reported.
        is_of_proxy: Whether it is about the proxy of `HTTPS_PROXY`, not the server.
    """

    def __init__(self, kind: str, message: str, *, is_of_proxy: bool = False) -> None:
        self.kind = kind
        self.message = message
        self.is_of_proxy = is_of_proxy
        super().__init__(f"{kind}: {message}")


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where requests go."""

    is_tls: bool
    host: str
    port: int
    path: str
    """What goes before the path of each request; such as empty or ``/v1``."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a base URL such as ``https://api.openai.com``.

        Raises:
            UsageError: It is no http or https URL with a host, or has a query.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UsageError(
                f"upstream {redacted_url(url)!r} is no URL ({error})"
            ) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise UsageError(
                f"expected an upstream such as https://api.openai.com, got "
                f"{redacted_url(url)!r}"
            )
        is_tls = parts.scheme == "https"
        return cls(
            is_tls,
            parts.hostname,
            port or (443 if is_tls else 80),
            parts.path.rstrip("/"),
        )

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.is_tls else 80
        return host if self.port == usual else f"{host}:{self.port}"

    def url(self, target: str) -> str:
        """Return the URL of a request's path and query."""
        scheme = "https" if self.is_tls else "http"
        return f"{scheme}://{self.authority}{self.path}{target}"


class _Wire(asyncio.Protocol):
    """Received bytes in order, then how the connection ended."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._received: collections.deque[bytes] = collections.deque()
        self._held = 0
        self._is_paused = False
        self._has_ended = False
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received.append(data)
        self._held += len(data)
        self._news.set()
        if self._held > _READ_AHEAD_BYTES and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self._has_ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_ended = True
        self._error = exc
        self._news.set()

    async def read(self) -> bytes:
        """Return the next read, or nothing at the end.

        Raises:
            BrokenStreamError: The connection was reset, or is silent for too long.
        """
        while not self._received:
            if self._error is not None:
                raise BrokenStreamError("ReadError", str(self._error))
            if self._has_ended:
                return b""
            self._news.clear()
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._news.wait()
            except TimeoutError:
                raise BrokenStreamError(
                    "ReadTimeout", f"nothing came for {self._timeout_s:g} s"
                ) from None
        data = self._received.popleft()
        self._held -= len(data)
        if self._is_paused and not self._held and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return data


class UpstreamResponse:
    """A response whose body is still to come.

    Attributes:
        status: The status code.
        reason: The reason phrase; may be empty.
        headers: Names (lower case) and values as received, in order.
    """

    def __init__(
        self, wire: _Wire, connection: h11.Connection, head: h11.Response
    ) -> None:
        self._wire = wire
        self._connection = connection
        self.status: int = head.status_code
        self.reason = head.reason.decode("latin-1")
        self.headers = header_texts(head.headers)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, without its transfer encoding.

        Raises:
            BrokenStreamError: It ended before its end.
        """
        while True:
            event = await _next(self._wire, self._connection)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return


async def _next(wire: _Wire, connection: h11.Connection) -> h11.Event:
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise BrokenStreamError("RemoteProtocolError", str(error)) from None
        if event is h11.NEED_DATA:
            data = await wire.read()
            if not data and connection.their_state is h11.SEND_RESPONSE:
                # What h11 would report here is about its states, not about the server.
                raise BrokenStreamError(
                    "RemoteProtocolError",
                    "the server closed without sending a response",
                )
            connection.receive_data(data)
        elif isinstance(event, h11.Event):
            return event


@contextlib.asynccontextmanager
async def open_request(
    upstream: Upstream,
    *,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    timeout_s: float = READ_TIMEOUT_S,
) -> AsyncIterator[UpstreamResponse]:
    """Send a request over a fresh connection and wait for the head of its response.

    Args:
        upstream: Where to.
        method: The method.
        target: Path and query, beginning with ``/``.
        headers: End-to-end headers; host, length and connection are added.
        body: The whole body; may be empty.
        timeout_s: How long nothing may come.

    Yields:
        The response; the connection is closed when the block ends.

    Raises:
        BrokenStreamError: There is no connection, or no response.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
    target = f"{upstream.path}{target}"
    sent = [("host", upstream.authority), *headers, ("connection", "close")]
    head = h11.Request(method=method, target=target, headers=wire_headers(sent))
    wire, transport = await _connect(upstream, timeout_s)
    try:
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            transport.write(connection.send(event) or b"")
        while True:
            received = await _next(wire, connection)
            if isinstance(received, h11.Response):
                break  # whatever came before was informational (1xx)
        yield UpstreamResponse(wire, connection, received)
    finally:
        transport.abort()


async def _connect(
    upstream: Upstream, timeout_s: float
) -> tuple[_Wire, asyncio.Transport]:
    loop = asyncio.get_running_loop()
    context = _tls() if upstream.is_tls else None
    try:
        tunnel = tunnel_to(upstream.host) if upstream.is_tls else None
    except UsageError as error:
        raise BrokenStreamError("ConnectError", str(error), is_of_proxy=True) from None
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            transport, wire = await loop.create_connection(
                lambda: _Wire(timeout_s),
                tunnel.host if tunnel else upstream.host,
                tunnel.port if tunnel else upstream.port,
                ssl=None if tunnel else context,
            )
            if tunnel is not None and context is not None:
                try:
                    await _ask_tunnel(wire, transport, upstream, tunnel.headers)
                    tunnel = None  # what goes wrong now is the server's
                    transport = await _encrypted(wire, transport, context, upstream)
                except BaseException:
                    transport.abort()
                    raise
    except TimeoutError:
        message = f"no connection within {_CONNECT_TIMEOUT_S:g} s"
        raise _unconnected("ConnectTimeout", message, tunnel) from None
    except BrokenStreamError as error:
        raise _unconnected(error.kind, error.message, tunnel) from None
    except OSError as error:  # also DNS and certificate errors
        raise _unconnected("ConnectError", str(error), tunnel) from None
    return wire, transport


def _unconnected(kind: str, message: str, tunnel: Tunnel | None) -> BrokenStreamError:
    if tunnel is None:
        return BrokenStreamError(kind, message)
    where = f"the proxy of HTTPS_PROXY, {tunnel.host}:{tunnel.port}"
    return BrokenStreamError(kind, f"{where}: {message}", is_of_proxy=True)


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    with contextlib.suppress(ImportError):  # a Python that knows no system certificates
        context.load_verify_locations(import_module("certifi").where())
    return context


async def _ask_tunnel(
    wire: _Wire,
    transport: asyncio.Transport,
    upstream: Upstream,
    headers: list[tuple[str, str]],
) -> None:
    """Have a proxy connect to a server (RFC 9110, section 9.3.6)."""
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    target = f"{host}:{upstream.port}"
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
    head = h11.Request(
        method="CONNECT", target=target, headers=[("host", target), *headers]
    )
    for event in (head, h11.EndOfMessage()):
        transport.write(connection.send(event) or b"")
    received = await _next(wire, connection)
    if not isinstance(received, h11.Response) or received.status_code // 100 != 2:
        status = getattr(received, "status_code", "no answer")
        message = f"it does not connect to {target} ({status})"
        raise BrokenStreamError("ConnectError", message)


async def _encrypted(
    wire: _Wire,
    transport: asyncio.Transport,
    context: ssl.SSLContext,
    upstream: Upstream,
) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    encrypted = await loop.start_tls(
        transport, wire, context, server_hostname=upstream.host
    )
    if encrypted is None:  # closed meanwhile
        raise BrokenStreamError("ConnectError", "the proxy closed the connection")
    wire.connection_made(encrypted)
    return encrypted
