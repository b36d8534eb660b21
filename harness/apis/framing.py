"""How the events of a stream become bytes, for every API.

All that is event stream text is allowed by the format (WHATWG HTML, section 9.2.6); a
decoder that follows it reads the same events from all of it.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.apis.base import WrittenEvent
from harness.apis.chat.chunks import DONE
from harness.core.sse import encode_comment, encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import Payload
    from harness.apis.chat.chunks import Chunk


@dataclass(frozen=True, slots=True)
class Framing:
    """How the events of a stream are written; by default as OpenAI writes chunks."""

    newline: str = "\n"
    """The line end: LF, CR or CRLF."""
    has_space: bool = True
    """Whether a blank follows ``data:``."""
    is_compact: bool = True
    """Whether JSON has no blanks between its tokens."""
    has_event_lines: bool = True
    """Whether an ``event:`` line has the name of an event that has one."""
    has_ping_data: bool = True
    """Whether a ping has its JSON as data; else its data is empty."""
    opening: str = ""
    """A comment before everything; none if empty."""
    comment: str = ""
    """A comment before the first event, and others; none if empty."""
    comment_every: int = 16
    """Before every how many events the comment comes."""
    retry_ms: int = 0
    """A ``retry:`` line before the first event; none if 0."""
    has_done: bool = True
    """Whether ``data: [DONE]`` ends the stream."""
    is_array: bool = False
    """Whether it is one JSON array, indented, an event a piece, and no event stream."""
    is_binary: bool = False
    """Whether events are frames of AWS's event stream, as Bedrock sends them."""

    @property
    def content_type(self) -> str:
        """The `content-type` of a body that is framed so."""
        if self.is_binary:
            return "application/vnd.amazon.eventstream"
        return "application/json" if self.is_array else "text/event-stream"

    def encode(self, events: Iterable[WrittenEvent | Chunk]) -> Iterator[bytes]:
        """Yield the bytes of each event, then those of the end if there is one."""
        if self.is_array:
            yield from _array(events)
            return
        if self.opening:
            yield encode_comment(self.opening)
        number = 0
        for number, event in enumerate(events, 1):
            yield self._event(event, number - 1)
        if self.has_done:
            yield self.frame(DONE, number)

    def frame(self, data: str, number: int, name: str = "") -> bytes:
        """Return the bytes of one event, with what comes before it.

        Args:
            data: The event's data.
            number: Its number in the stream, from 0.
            name: Of its ``event:`` line; empty for none.

        Returns:
            The event with its blank line, after comments and a retry line.
        """
        before = b""
        if number == 0 and self.retry_ms:
            before = f"retry: {self.retry_ms}{self.newline * 2}".encode()
        if self.comment and number % self.comment_every == 0:
            before += encode_comment(self.comment, newline=self.newline)
        event = encode_event(data, event=name, newline=self.newline)
        if not self.has_space:
            # One line, because JSON and [DONE] have no line breaks.
            event = event.replace(b"data: ", b"data:", 1)
        return before + event

    def _event(self, event: WrittenEvent | Chunk, number: int) -> bytes:
        name = event.name if isinstance(event, WrittenEvent) else ""
        if self.is_binary:
            return _aws_frame(encode_payload(event.payload))
        if name == "ping" and not self.has_ping_data:
            data = ""
        else:
            data = encode_payload(event.payload, is_compact=self.is_compact)
        return self.frame(data, number, name if self.has_event_lines else "")


def encode_payload(
    payload: Payload, *, is_compact: bool = True, indent: int | None = None
) -> str:
    """Return a payload as JSON, non-ASCII text as it is.

    Args:
        payload: The payload. Where it has a lone surrogate, which UTF-8 cannot
            carry, all its non-ASCII text is escaped instead.
        is_compact: Whether no blanks are written between its tokens.
        indent: As `json.dumps` takes it; it needs blanks.

    Returns:
        JSON text, in one line unless it is indented.
    """
    marks = (",", ":") if is_compact else None
    text = json.dumps(payload, ensure_ascii=False, separators=marks, indent=indent)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return json.dumps(payload, separators=marks, indent=indent)
    return text


def _array(events: Iterable[WrittenEvent | Chunk]) -> Iterator[bytes]:
    before = b"["
    for event in events:
        yield (
            before + encode_payload(event.payload, is_compact=False, indent=2).encode()
        )
        before = b",\r\n"
    yield b"[]\n" if before == b"[" else b"\n]\n"


def _aws_frame(data: str) -> bytes:
    """Return a message of `application/vnd.amazon.eventstream`.

    Source: Amazon Transcribe's guide, "Event stream encoding": lengths and their
    checksum, headers (name, type 7, text), payload, checksum of it all.
    """
    encoded = base64.b64encode(data.encode("utf-8", "replace")).decode("ascii")
    payload = json.dumps({"bytes": encoded}).encode()
    headers = b"".join(
        struct.pack(
            f"!B{len(name)}sBH{len(value)}s", len(name), name, 7, len(value), value
        )
        for name, value in (
            (b":event-type", b"chunk"),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))
