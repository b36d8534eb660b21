"""The wire side of a dialect: how payloads become the bytes of an event stream.

Everything here is allowed by the event-stream format (WHATWG HTML, section 9.2.6);
a decoder that follows it reads the same events from all of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.apis.chat.chunks import DONE
from harness.core.sse import encode_comment, encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.chat.chunks import Chunk, Payload

__all__ = ["Framing", "encode_payload"]


@dataclass(frozen=True, slots=True)
class Framing:
    """How the events of a stream are written."""

    newline: str = "\n"
    """The line end: LF, CR or CRLF."""
    has_space: bool = True
    """Whether a blank follows ``data:``."""
    comment: str = ""
    """A comment before the first event and before every 16th; none if empty."""
    retry_ms: int = 0
    """A ``retry:`` line before the first event; none if 0."""
    has_done: bool = True
    """Whether ``data: [DONE]`` ends the stream."""

    def frame(self, data: str, number: int) -> bytes:
        """Return the bytes of one event, with what comes before it.

        Args:
            data: The event's data.
            number: Its number in the stream, from 0.

        Returns:
            The event with its blank line, after comments and a retry line.
        """
        before = b""
        if number == 0 and self.retry_ms:
            before = f"retry: {self.retry_ms}{self.newline * 2}".encode()
        if self.comment and number % 16 == 0:
            before += encode_comment(self.comment, newline=self.newline)
        event = encode_event(data, newline=self.newline)
        if not self.has_space:
            # One line, because JSON and [DONE] have no line breaks.
            event = event.replace(b"data: ", b"data:", 1)
        return before + event

    def encode(self, chunks: Iterable[Chunk]) -> Iterator[bytes]:
        """Yield the bytes of each event of a stream, `[DONE]` last if it has one."""
        number = 0
        for chunk in chunks:
            yield self.frame(encode_payload(chunk.payload), number)
            number += 1
        if self.has_done:
            yield self.frame(DONE, number)


def encode_payload(payload: Payload) -> str:
    """Return a payload as compact JSON, non-ASCII text as it is.

    Args:
        payload: The payload. Where it has a lone surrogate, which UTF-8 cannot
            carry, all its non-ASCII text is escaped instead.

    Returns:
        JSON text in one line.
    """
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return json.dumps(payload, separators=(",", ":"))
    return text
