"""What the decoders of text streams share: a BOM, a limit, and an error that waits."""

from __future__ import annotations

from harness.errors import SSEError, StateError
from harness.limits import EVENT

_BOM = b"\xef\xbb\xbf"


class ByteDecoder:
    """The base of `SSEDecoder` and `JSONStreamDecoder`.

    Args:
        max_event_bytes: The most bytes that an event may hold; None is what
            `harness.limits.EVENT` allows.
    """

    def __init__(self, max_event_bytes: int | None) -> None:
        self.stray: list[tuple[int, bytes]] = []
        """Lines that are no field of the standard: where each starts in the stream and
        its first bytes. Whoever reads them empties the list; it holds a hundred."""
        self._max_event_bytes = (
            EVENT.value if max_event_bytes is None else max_event_bytes
        )
        self._head: bytes | None = b""  # the first bytes, while they may be a BOM
        self._consumed = 0  # bytes that have been read
        self._start = 0  # where the unfinished event starts
        self._failure: SSEError | None = None  # waits until its events are out
        self._is_closed = False

    def _check_open(self) -> None:
        if self._is_closed:
            self._raise_failure()
            raise StateError("the decoder is closed; make a new one for a new stream")

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _fail(self, what: str, stream: str) -> None:
        """Close, with an error that waits until the events before it are out."""
        self._is_closed = True
        self._failure = SSEError(
            f"{what} of more than {self._max_event_bytes} bytes; is this {stream}? To "
            f"allow it, set {EVENT.variable} higher",
            byte_offset=self._start,
        )

    def _strip_bom(self, data: bytes) -> bytes:
        """Return data without a BOM at the stream's start; nothing while it may be."""
        head = (self._head or b"") + data
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        if head.startswith(_BOM):
            self._consumed = self._start = len(_BOM)
            return head[len(_BOM) :]
        return head
