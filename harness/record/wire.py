"""HTTP/1.1 as bytes: a request read, a response watched.

Owns what the clients need that are reached below their own HTTP parser
(`harness.record.stdlib_client`, `harness.record.aiohttp_client`): those parse a played
response (`harness.record.played_response`) as they parse a live one, so that whatever
they make of it is the same. Nothing here waits or touches a socket.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.cassettes.model import Headers, Request, Response, header_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.record.exchange import ExchangeRecorder, LiveRequest


_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]+")  # `int` takes `-1`, `+1` and `1_0` as well
BODILESS = frozenset({204, 304})
"""Statuses of responses that have no body, whatever their headers have."""


class _FramingError(Exception):
    """A body that is not framed as HTTP/1.1 demands."""


class _Body:
    """Takes the framing off a body, piece by piece as it comes.

    Attributes:
        is_over: The end of the body has been seen.
        is_until_close: It ends where the connection does.
        expected: Its length, where one was given.
        received: How much of it has come.
    """

    def __init__(self, headers: Headers, *, default: int | None) -> None:
        length = header_of(headers, "content-length").strip()
        self._is_chunked = "chunked" in header_of(headers, "transfer-encoding").lower()
        self.expected = default
        if self._is_chunked:
            self.expected = None
        elif length.isascii() and length.isdigit():
            self.expected = int(length)
        self.received = 0
        self.is_until_close = not self._is_chunked and self.expected is None
        self.is_over = self.expected == 0
        self._left = 0  # of the chunk that is coming
        self._line = bytearray()
        self._state = "size"

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what is body of one read: one piece, or one for each chunk."""
        if self._is_chunked:
            yield from self._chunks(memoryview(data))
            return
        if self.expected is not None:
            data = data[: self.expected - self.received]
        self.received += len(data)
        if self.expected is not None and self.received == self.expected:
            self.is_over = True
        if data:
            yield data

    def _chunks(self, data: memoryview) -> Iterator[bytes]:
        while data and not self.is_over:
            if self._state == "data":
                piece = bytes(data[: self._left])
                data = data[len(piece) :]
                self._left -= len(piece)
                self.received += len(piece)
                if not self._left:
                    self._state = "end"
                yield piece
                continue
            end = bytes(data[:65536]).find(b"\n")
            self._line += data[: end + 1] if end >= 0 else data
            data = data[end + 1 :] if end >= 0 else data[len(data) :]
            if end >= 0:
                self._take_line(bytes(self._line).strip())
                self._line.clear()

    def _take_line(self, line: bytes) -> None:
        if self._state == "trailer":
            self.is_over = not line
        elif self._state == "end":
            self._state = "size"
        else:
            size = line.partition(b";")[0].strip()
            if not _CHUNK_SIZE.fullmatch(size):
                raise _FramingError(f"illegal chunk header: {line!r}")
            self._left = int(size, 16)
            self._state = "data" if self._left else "trailer"


class RequestReader:
    """Reads the bytes that a client sends as one request.

    Args:
        origin: Scheme and authority that the client connects to.
    """

    def __init__(self, origin: str) -> None:
        self.sent = bytearray()
        """All bytes so far, to be sent on."""
        self._origin = origin
        self._request: Request | None = None
        self._body: _Body | None = None
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; return whether the request is complete."""
        self.sent += data
        if self._body is None:
            end = _HEAD_END.search(self.sent)
            if end is None:
                return False
            line, headers = _head(bytes(self.sent[: end.start()]))
            method, _, rest = line.partition(" ")
            target = rest.rpartition(" ")[0]
            uri = f"{self._origin}{target}" if target.startswith("/") else target
            self._request = Request(method, uri, headers)
            self._body = _Body(headers, default=0)
            data = bytes(self.sent[end.end() :])
        self._pieces += self._body.feed(data)
        return self._body.is_over

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for ``100 Continue`` before it sends the body."""
        request = self._request
        if request is None or self._pieces:
            return False
        return header_of(request.headers, "expect").lower() == "100-continue"

    def request(self) -> Request:
        """Return the request, as far as it has been sent."""
        assert self._request is not None
        self._request.body = b"".join(self._pieces) or None
        return self._request


class ResponseTap:
    """Watches the bytes of a live response and records what they are.

    Args:
        live: The request that is answered.
        method: Its method.
    """

    def __init__(self, live: LiveRequest, method: str) -> None:
        self._live = live
        self._method = method
        self._head = bytearray()
        self._recorder: ExchangeRecorder | None = None
        self._body: _Body | None = None
        self._is_done = False

    def feed(self, data: bytes) -> None:
        """Take what one read returned."""
        body = self._body
        while body is None and not self._is_done:
            self._head += data
            data = b""
            end = _HEAD_END.search(self._head)
            if end is None:
                return
            head, rest = bytes(self._head[: end.start()]), self._head[end.end() :]
            self._head = rest
            body = self._begin(head)
        if body is None or self._is_done:
            return
        data = bytes(self._head) + data
        self._head.clear()
        recorder = self._recorder
        assert recorder is not None
        try:
            for piece in body.feed(data):
                recorder.piece(piece)
        except _FramingError as error:
            recorder.broke("RemoteProtocolError", str(error))
            self._is_done = True
            return
        if body.is_over:
            recorder.complete()

    def _begin(self, head: bytes) -> _Body | None:
        line, headers = _head(head)
        _, _, rest = line.partition(" ")
        code, _, reason = rest.partition(" ")
        status = int(code) if code.isascii() and code.isdigit() else 0
        if status == 101 or not status:
            self._is_done = True  # upgraded, or no HTTP: nothing that could be played
        elif status >= 200:
            self._recorder = self._live.responded(
                Response(status, reason.strip(), headers)
            )
            if self._method == "HEAD" or status in BODILESS:
                self._body = _Body({}, default=0)
            else:
                self._body = _Body(headers, default=None)
        return self._body

    def ended(self) -> None:
        """Note that the server closed the connection."""
        body, recorder = self._body, self._recorder
        if recorder is None or body is None or self._is_done:
            return
        if body.is_over or body.is_until_close:
            recorder.complete()
            return
        lengths = f"received {body.received} bytes, expected {body.expected}"
        problem = "incomplete chunked read" if body.expected is None else lengths
        recorder.broke(  # as httpx words it
            "RemoteProtocolError",
            f"peer closed connection without sending complete message body ({problem})",
        )

    def broke(self, error: BaseException) -> None:
        """Note that a read failed; other than by an error, the client went away."""
        if self._recorder is None:
            return
        if isinstance(error, TimeoutError):
            self._recorder.broke("ReadTimeout", str(error))
        elif isinstance(error, Exception):
            self._recorder.broke("ReadError", str(error))
        else:
            self._recorder.closed()

    def closed(self) -> None:
        """Note that the client stopped reading."""
        if self._recorder is not None:
            self._recorder.closed()


def _head(data: bytes) -> tuple[str, Headers]:
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")
    headers: Headers = {}
    last: list[str] = []
    for line in lines[1:]:
        if line[:1] in {" ", "\t"} and last:
            last[-1] = f"{last[-1]} {line.strip()}"  # a folded value
            continue
        name, _, value = line.partition(":")
        last = headers.setdefault(name.strip(), [])
        last.append(value.strip())
    return lines[0], headers
