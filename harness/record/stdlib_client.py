"""`http.client`, and what is made of it: urllib, urllib3, requests, botocore.

Owns how its connections are reached: while a cassette is open, what one sends is kept
until its response is asked for. Then the cassette answers, or the connection is made
and everything is sent. The client's own parser reads either from a buffered reader over
ours, and never sees more than one recorded piece a read. Patching the standard class
covers all at once, so that requests over urllib3 is not intercepted twice.

A connection that is no network (a Unix socket) is left alone, and so is one whose
request an outer client has dealt with.
"""

from __future__ import annotations

import contextlib
import functools
import io
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from harness.cassettes.model import Exchange
from harness.record.active import current_session, is_passing, passing
from harness.record.played_response import PlayedResponse
from harness.record.wire import RequestReader, ResponseTap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from harness.record.body_streams import Pace
    from harness.record.exchange import LiveRequest
    from harness.record.session import RecordingSession


_CALL = "_harness_call"  # of a connection: the request that is being sent
_LIVE = "_harness_live"  # of a connection: it is being connected for real
_LOCAL = getattr(socket, "AF_UNIX", None)


def targets(module: ModuleType) -> Iterator[tuple[type, str, Callable[..., Any]]]:
    """Yield the methods to replace in `http.client`, or in `urllib3.connection`."""
    for name in ("HTTPConnection", "HTTPSConnection"):
        connection = getattr(module, name, None)
        if isinstance(connection, type) and "connect" in vars(connection):
            yield connection, "connect", _connect
    if module.__name__ == "http.client":
        yield module.HTTPConnection, "send", _send
        yield module.HTTPConnection, "getresponse", _getresponse
        yield module.HTTPConnection, "close", _close


class _Call:
    """One request of a connection."""

    def __init__(self, session: RecordingSession, origin: str) -> None:
        self.session = session
        self.reader = RequestReader(origin)
        self.found: Exchange | LiveRequest | None = None
        self.is_complete = False
        self.is_decided = False

    def sendall(self, data: Any) -> None:
        self.is_complete = self.reader.feed(bytes(memoryview(data)))

    def decide(self, connection: Any) -> None:
        """Ask the cassette; connect and send everything if it has no answer."""
        if self.is_decided:
            return
        self.is_decided = True
        self.found = self.session.answer(self.reader.request())
        if isinstance(self.found, Exchange):
            return
        with passing(), _live(connection):
            if isinstance(connection.sock, _IdleSocket):
                connection.sock = None
                connection.connect()
            connection.sock.sendall(self.reader.sent)


def _connect(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def connect(self: Any) -> Any:
        if current_session() is None or is_passing() or vars(self).get(_LIVE):
            return original(self)
        self.sock = _IdleSocket(self)
        if hasattr(self, "is_verified"):
            self.is_verified = True  # urllib3 warns of those that are not
        return None

    return connect


def _send(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def send(self: Any, data: Any) -> Any:
        call = _call_of(self)
        if call is None:
            return original(self, data)
        sock, self.sock = self.sock, call
        try:
            original(self, data)
        finally:
            self.sock = sock
        if call.is_complete:
            call.decide(self)
        return None

    return send


def _call_of(connection: Any) -> _Call | None:
    """Return the request that is being sent; None if it is left alone."""
    state = vars(connection)
    if is_passing() or state.get(_LIVE):
        return None
    call: _Call | None = state.get(_CALL)
    if call is not None:
        return call
    session = current_session()
    if session is None:
        return None
    if connection.sock is None and connection.auto_open:
        connection.connect()
    if connection.sock is None or getattr(connection.sock, "family", None) == _LOCAL:
        return None
    call = state[_CALL] = _Call(session, _origin(connection))
    return call


def _origin(connection: Any) -> str:
    is_secure = connection.default_port == 443
    host = connection._tunnel_host or connection.host  # noqa: SLF001 - it has no public name
    port = connection._tunnel_port if connection._tunnel_host else connection.port  # noqa: SLF001
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    place = host if port in {None, connection.default_port} else f"{host}:{port}"
    return f"{'https' if is_secure else 'http'}://{place}"


def _close(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def close(self: Any) -> Any:
        vars(self).pop(_CALL, None)
        return original(self)

    return close


def _getresponse(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def getresponse(self: Any) -> Any:
        call: _Call | None = vars(self).pop(_CALL, None)
        if call is None:
            return original(self)
        call.decide(self)
        method, found = call.reader.request().method, call.found
        if isinstance(found, Exchange):
            played = PlayedResponse(found, call.session, method)
            reader = _PlayedReader(_reads(played, call.session.pace))
            return _respond(self, original, reader)
        if found is None:
            return original(self)
        tap = ResponseTap(found, method)
        watched = _WatchedReader(self.sock.makefile("rb", buffering=0), tap)
        return _respond(self, original, watched)

    return getresponse


@contextlib.contextmanager
def _live(connection: Any) -> Iterator[None]:
    """Connect for real, within the block."""
    vars(connection)[_LIVE] = True
    try:
        yield
    finally:
        del vars(connection)[_LIVE]


def _respond(connection: Any, original: Callable[..., Any], raw: io.RawIOBase) -> Any:
    """Let the client parse a response that comes from one of our readers."""
    # A socket as far as a response needs one; the connection closes what is behind it.
    source = SimpleNamespace(
        makefile=lambda *_, **__: io.BufferedReader(raw), close=lambda: None
    )
    sock, connection.sock = connection.sock, source
    try:
        return original(connection)
    finally:
        if connection.sock is source:
            connection.sock = sock
        elif sock is not None:  # closed, since no other response can follow
            sock.close()


def _reads(played: PlayedResponse, pace: Pace) -> Iterator[bytes]:
    pieces = pace.timed(played.pieces())
    yield played.head
    for delay, piece in pieces:
        if delay:
            pace.sleep(delay)
        yield piece
    if played.last:
        yield played.last
    error = played.end()
    if error is not None:
        raise error


class _PlayedReader(io.RawIOBase):
    """Gives one recorded piece a read."""

    def __init__(self, reads: Iterator[bytes]) -> None:
        self._reads = reads
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._reads, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class _WatchedReader(io.RawIOBase):
    """Reads from a live socket and shows the tap what came."""

    def __init__(self, raw: Any, tap: ResponseTap) -> None:
        self._raw = raw
        self._tap = tap

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        number: int = self._raw.fileno()
        return number

    def readinto(self, buffer: Any) -> int | None:
        try:
            size: int | None = self._raw.readinto(buffer)
        except BaseException as error:
            self._tap.broke(error)
            raise
        if size:
            self._tap.feed(bytes(buffer[:size]))
        elif size == 0:
            self._tap.ended()
        return size

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
            self._tap.closed()
        super().close()


class _IdleSocket:
    """Stands for a connection that is not made until it is needed."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._pair: tuple[socket.socket, socket.socket] | None = None

    def sendall(self, data: Any) -> None:
        """Connect for what was sent past us; the guard sees it."""
        connection = self._connection
        with _live(connection):
            connection.sock = None
            connection.connect()
        connection.sock.sendall(data)

    def fileno(self) -> int:
        """Return a socket's number at which nothing ever arrives."""
        if self._pair is None:
            self._pair = socket.socketpair()
        return self._pair[0].fileno()

    def close(self) -> None:
        for end in self._pair or ():
            end.close()
        self._pair = None

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name in {"settimeout", "setsockopt", "setblocking", "shutdown"}:
            return lambda *_: None
        raise AttributeError(name)
