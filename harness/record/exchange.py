"""One exchange while it is being recorded: its pieces as they come, and its end.

Owns how a stream's ending is recognised, and that no more is kept of a body than
`harness.limits.BODY` allows: what is beyond is passed on and not recorded, and the
recording ends there with an error that names the limit. Nothing here waits, sleeps or
touches the network; whoever moves the bytes (`harness.record.transports`,
`harness.record.proxy`) calls `piece` for each read and one of `complete`, `closed` and
`broke` at the end.
"""

from __future__ import annotations

import dataclasses
import re
import threading
from typing import TYPE_CHECKING

from harness.cassettes.bodies import BodyError, BodyTooLargeError, Decoded, decode
from harness.cassettes.model import (
    Ending,
    Request,
    Response,
    WireChunk,
    decoded_headers,
)
from harness.limits import BODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.record.session import RecordingSession


# What ends an OpenAI stream. Clients stop reading there and close the response
# without asking for the end of the body, which the server has sent or is sending:
# that stream is complete (OpenAI SDK 3.54, `Stream.__stream__`).
_DONE = re.compile(rb"(?:\A|[\r\n])data:[ ]?\[DONE\][ \t]*[\r\n]\s*\Z")
_DONE_BYTES = 64  # enough of the end of a body to hold that


class ExchangeRecorder:
    """Collects one response.

    The first ending counts; later ones, and pieces after it, change nothing. Safe to
    end from another thread than the one that reads.

    Args:
        response: Its head, as received.
        elapsed: Returns the seconds since the request was sent.
        finished: Called once, with the response, when it has ended.
        whole: Called with the response when its body seems to be all there, before
            the piece that completes it is passed on: the client may take that for the
            end. Not called again, even if more pieces come.
    """

    def __init__(
        self,
        response: Response,
        *,
        elapsed: Callable[[], float],
        finished: Callable[[Response], None],
        whole: Callable[[Response], None] = lambda _: None,
    ) -> None:
        self._response = response
        self._elapsed = elapsed
        self._notice_whole = whole
        self._finished = finished
        self._whole: Response | None = None
        self._body = b""
        self._more = bytearray()  # goes on after it; many small pieces fill the heap
        self._sizes: list[int] = []
        self._size = 0
        length = self._response.header("content-length")
        is_known = length.isascii() and length.isdigit() and len(length) < 20
        self._length = int(length) if is_known else None
        self._encodings = self._response.header("content-encoding")
        self._seconds: list[float] = []
        self._lock = threading.Lock()
        self._has_ended = False
        self._left = BODY.value

    def piece(self, data: bytes) -> None:
        """Keep one read, and write the exchange down if that made the body whole."""
        if self.keep(data):
            self.note_whole()

    def keep(self, data: bytes) -> bool:
        """Keep one read; empty ones are dropped, and those beyond the limit.

        Returns:
            Whether the body seems whole now: `note_whole` is to be called before the
            piece is passed on.
        """
        if data and not self._has_ended and self._left >= 0:
            self._left -= len(data)
            if self._left < 0:
                return False
            self._more += data
            self._sizes.append(len(data))
            # Milliseconds: finer than any network, short enough to read.
            self._seconds.append(round(self._elapsed(), 3))
            self._size += len(data)
            if self._whole is not None:
                self._whole = None  # it was not: the end writes it down again
            else:
                return self._looks_whole()
        return False

    def note_whole(self) -> None:
        """Write down what seems to be all: its redaction takes milliseconds."""
        if not self._has_ended:
            self._whole = self._built(Ending("complete"))
            self._notice_whole(self._whole)

    def complete(self) -> None:
        """Note that the body was read to its end."""
        self._end(Ending("complete"))

    def closed(self) -> None:
        """Note that the client stopped reading.

        A client that stops after ``data: [DONE]``, or after as many bytes as the
        content-length named, has read it all: that is recorded as complete.
        """
        self._end(Ending("complete" if self._is_whole() else "closed"))

    def broke(self, kind: str, message: str) -> None:
        """Note that the stream broke.

        Args:
            kind: The name of the httpx exception that names how.
            message: What the transport reported.
        """
        self._end(Ending("error", kind, message))

    def _looks_whole(self) -> bool:
        """Return after a piece whether it was the last, as far as that is cheap."""
        if self._length is not None:
            return self._size == self._length
        if self._encodings:
            return False  # each look would decode all of it; its end mark is to come
        last = bytes(self._more[-_DONE_BYTES:]).rstrip()
        return last[-1:] in {b"]", b""} and _DONE.search(self._tail()) is not None

    def _is_whole(self) -> bool:
        if self._length is not None:
            return self._size == self._length
        tail = self._decoded_tail() if self._encodings else self._tail()
        return _DONE.search(tail) is not None

    def _tail(self) -> bytes:
        return (self._body[-_DONE_BYTES:] + self._more[-_DONE_BYTES:])[-_DONE_BYTES:]

    def _decoded_tail(self) -> bytes:
        try:
            return decode(self._joined(), self._encodings).body[-_DONE_BYTES:]
        except BodyError:
            return b""

    def _end(self, ended: Ending) -> None:
        with self._lock:
            if self._has_ended:
                return
            self._has_ended = True
        whole, self._whole = self._whole, None
        if whole is None or ended.kind != "complete":
            whole = self._built(ended)
        self._body = b""  # not held twice while it is redacted
        self._finished(whole)

    def _joined(self) -> bytes:
        self._body += self._more
        self._more = bytearray()
        return self._body

    def _built(self, ended: Ending) -> Response:
        response = dataclasses.replace(
            self._response,
            body=self._joined(),
            ended=ended if self._left >= 0 else _too_large(),
        )
        sizes = self._sizes
        if self._encodings:
            sizes = self._decode(response, sizes)
        response.wire = [
            WireChunk(seconds, size)
            for seconds, size in zip(self._seconds, sizes, strict=True)
        ]
        return response

    def _decode(self, response: Response, sizes: list[int]) -> list[int]:
        """Store the decoded body: readable, and open to redaction.

        What cannot be decoded is stored as it came, with its header, so that the
        client that plays it fails on it as the recording one did.
        """
        try:
            decoded = decode(response.body, self._encodings, sizes)
        except BodyTooLargeError:
            # Stored as it came, no cassette with it could be read.
            decoded = Decoded(b"", [0] * len(sizes))
            response.ended = _too_large()
        except BodyError:
            return sizes
        if len(decoded.sizes) != len(sizes):
            return sizes
        response.body = decoded.body
        response.headers = decoded_headers(response.headers, len(decoded.body))
        return decoded.sizes


def _too_large() -> Ending:
    return Ending("error", "RecordingTooLarge", BODY.problem)


@dataclasses.dataclass(frozen=True, slots=True)
class LiveRequest:
    """A request that no recording answers and that may be sent and recorded."""

    session: RecordingSession
    request: Request
    order: int
    """Its place among the requests of the session."""
    started: float
    """When it was sent, by the session's clock."""

    def responded(self, response: Response) -> ExchangeRecorder:
        """Begin to record a response.

        Args:
            response: Its head, as received.

        Returns:
            What the pieces go to.
        """
        recorder = ExchangeRecorder(
            response,
            elapsed=lambda: self.session.clock() - self.started,
            whole=lambda came: self.session.whole(self.request, came, self.order),
            finished=lambda came: self.session.finished(
                self.request, came, self.order, recorder
            ),
        )
        self.session.began(recorder)
        return recorder
