"""A recorded response as a server would send it: its head, pieces and end as bytes.

Owns the framing of what is played to a client's own HTTP parser, and which error of the
operating system a recorded ending was.
"""

from __future__ import annotations

import builtins
import errno
import os
import re
from typing import TYPE_CHECKING

from harness.cassettes.model import Exchange, decoded_headers, head_bytes, header_pairs
from harness.record.wire import BODILESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.record.session import RecordingSession


_LINE_ENDS = re.compile(r"[\r\n]+")
_ERRNO = re.compile(r"\[Errno (\d+)\] (.*)", re.DOTALL)


class PlayedResponse:
    """A recorded response as the bytes that a server would send.

    Args:
        exchange: What was recorded.
        session: The cassette, which knows what reading past its end means.
        method: The request's method.
    """

    def __init__(
        self, exchange: Exchange, session: RecordingSession, method: str
    ) -> None:
        self._exchange = exchange
        self._session = session
        self._is_bodiless = method == "HEAD" or exchange.response.status in BODILESS
        ended = exchange.response.ended
        self._is_whole = ended is None or ended.kind == "complete"
        headers = played_headers(exchange)
        named = {name.lower(): value for name, value in headers}
        self._is_chunked = "chunked" in named.get("transfer-encoding", "").lower()
        self._is_framed = self._is_chunked or "content-length" in named
        if self._is_chunked or self._has_wrong_length(named.get("content-length")):
            headers = [(n, v) for n, v in headers if n.lower() != "content-length"]
            if not self._is_chunked:
                length = str(len(exchange.response.body))
                headers.append(("content-length", length))
        self._headers = headers

    def _has_wrong_length(self, length: str | None) -> bool:
        """Return whether a whole body has another length: one that was edited."""
        size = str(len(self._exchange.response.body))
        is_to_fit = self._is_whole and not self._is_bodiless
        return is_to_fit and length not in {None, size}

    @property
    def head(self) -> bytes:
        """The status line and the headers."""
        response = self._exchange.response
        lines = [f"HTTP/1.1 {response.status} {response.reason}".strip()]
        lines += [f"{name}: {value}" for name, value in self._headers]
        text = "\r\n".join(_LINE_ENDS.sub(" ", line) for line in lines)
        return head_bytes(text) + b"\r\n\r\n"

    def pieces(self) -> Iterator[tuple[float | None, bytes]]:
        """Yield each recorded piece, framed, and its time."""
        if self._is_bodiless:
            return
        for seconds, piece in self._exchange.response.iter_wire():
            if piece and self._is_chunked:
                yield seconds, b"%x\r\n%b\r\n" % (len(piece), piece)
            elif piece:
                yield seconds, piece

    @property
    def last(self) -> bytes:
        """What comes after the pieces: the mark of the end, if it has one."""
        is_marked = self._is_chunked and self._is_whole and not self._is_bodiless
        return b"0\r\n\r\n" if is_marked else b""

    def end(self) -> Exception | None:
        """Return what the client's next read fails with; None: the server closed."""
        ended = self._exchange.response.ended
        if ended is None or ended.kind == "complete":
            return None
        if ended.kind == "closed":
            return self._session.read_past_end(self._exchange)
        if ended.error == "RemoteProtocolError" and self._is_framed:
            return None  # cut short, which the client finds out by the framing
        if ended.error.endswith("Timeout"):
            return TimeoutError(ended.message or "timed out")
        kind = getattr(builtins, ended.error, None)
        if not (isinstance(kind, type) and issubclass(kind, OSError)):
            kind = ConnectionResetError
        found = _ERRNO.fullmatch(ended.message)
        if found:
            return kind(int(found[1]), found[2])
        return kind(errno.ECONNRESET, ended.message or os.strerror(errno.ECONNRESET))


def played_headers(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the headers to play: the body is decoded, whatever was recorded."""
    response = exchange.response
    if not response.header("content-encoding"):
        return header_pairs(response.headers)
    return header_pairs(decoded_headers(response.headers, len(response.body)))
