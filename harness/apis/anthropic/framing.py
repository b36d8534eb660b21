"""How the events of a Messages stream become bytes."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.apis.chat.dialects.framing import encode_payload
from harness.core.sse import encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import WrittenEvent

__all__ = ["Framing"]


@dataclass(frozen=True, slots=True)
class Framing:
    """How events are framed; by default as Anthropic frames them."""

    has_event_lines: bool = True
    """Whether an ``event:`` line names the type."""
    has_space: bool = True
    """Whether a blank follows ``data:``."""
    has_done: bool = False
    """Whether ``data: [DONE]`` ends the stream."""
    has_ping_data: bool = True
    """Whether a ping has its JSON as data; else its data is empty."""
    is_binary: bool = False
    """Whether events are frames of AWS's event stream, as Bedrock sends them."""

    def encode(self, events: Iterable[WrittenEvent]) -> Iterator[bytes]:
        """Yield the bytes of each event, then those of the end if there is one."""
        for event in events:
            yield self.frame(event)
        if self.has_done:
            yield self._spaced(encode_event("[DONE]"))

    def frame(self, event: WrittenEvent) -> bytes:
        """Return the bytes of one event."""
        if self.is_binary:
            return _aws_frame(encode_payload(event.payload))
        is_bare = event.name == "ping" and not self.has_ping_data
        data = "" if is_bare else encode_payload(event.payload)
        name = event.name if self.has_event_lines else ""
        return self._spaced(encode_event(data, event=name))

    def _spaced(self, encoded: bytes) -> bytes:
        # One data line, because JSON and [DONE] have no line breaks.
        return encoded if self.has_space else encoded.replace(b"data: ", b"data:", 1)


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
