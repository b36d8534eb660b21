"""Bytes to the events of AWS's binary event stream.

Bedrock answers in it (`application/vnd.amazon.eventstream`). A message is a prelude
(its length, the length of its headers, a CRC-32 of both), headers, a payload and a
CRC-32 of all. What `InvokeModel` streams are events of the model's own API, in base64
within `{"bytes": ...}`; they come out as themselves, so that whoever reads that API
reads them.

Source: AWS SDK, "Event stream encoding"; Bedrock, InvokeModelWithResponseStream.
"""

from __future__ import annotations

import base64
import binascii
import json
from struct import unpack_from
from typing import Any
from zlib import crc32

from harness.core.sse import SSEEvent
from harness.errors import SSEError, StateError

_PRELUDE = 12  # bytes: two lengths and their checksum
_LEAST = _PRELUDE + 4  # and the checksum of the message
_MOST = 24 * 1024 * 1024  # AWS allows 16 MiB of payload
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # of a header's value


def is_aws_event_stream(head: bytes) -> bool:
    """Return whether bytes begin with the prelude of a message."""
    return _length(head) is not None


def _length(head: bytes) -> int | None:
    if len(head) < _PRELUDE:
        return None
    length, headers, checksum = unpack_from(">III", head)
    if crc32(head[:8]) != checksum or headers > length - _LEAST:
        return None
    return int(length)


class AWSEventStreamDecoder:
    """Decodes a binary event stream that arrives in pieces.

    The interface of `harness.core.sse.SSEDecoder`.
    """

    def __init__(self) -> None:
        self.stray: list[tuple[int, bytes]] = []
        """Where damage begins, with its first bytes; nothing after it is read."""
        self._held = b""
        self._consumed = 0
        self._is_lost = False
        self._is_closed = False

    def feed(self, data: bytes) -> list[SSEEvent]:
        """Decode the next piece of the stream.

        Raises:
            SSEError: A message is longer than any can be.
            StateError: The decoder was closed before.
        """
        if self._is_closed:
            raise StateError("the decoder is closed; make a new one for a new stream")
        events: list[SSEEvent] = []
        held = self._held + data
        position = 0
        while not self._is_lost and len(held) - position >= _PRELUDE:
            length = _length(held[position : position + _PRELUDE])
            if length is None:
                self._held = held[position:]
                self._lose()
                return events
            if length > _MOST:
                raise SSEError(
                    f"a message of {length} bytes; is this an AWS event stream?",
                    byte_offset=self._consumed,
                )
            if len(held) - position < length:
                break
            message = held[position : position + length]
            position += length
            if crc32(message[:-4]) != unpack_from(">I", message, length - 4)[0]:
                self.stray.append((self._consumed, message[:64]))
            events.append(_event(message, self._consumed))
            self._consumed += length
        self._held = b"" if self._is_lost else held[position:]
        return events

    def close(self) -> list[SSEEvent]:
        """End the stream; a message that was cut is stray bytes."""
        if self._held and not self._is_closed:
            self._lose()
        self._is_closed = True
        return []

    def _lose(self) -> None:
        """Nothing shows where the next message begins: what is left is no message."""
        if not self._is_lost:
            self.stray.append((self._consumed, self._held[:64]))
        self._is_lost = True
        self._held = b""


def _event(message: bytes, offset: int) -> SSEEvent:
    headers_end = _PRELUDE + int(unpack_from(">I", message, 4)[0])
    headers = _headers(message[_PRELUDE:headers_end])
    payload = message[headers_end:-4]
    kind = headers.get(":event-type", "")
    failure = headers.get(":exception-type") or headers.get(":error-code")
    if failure or headers.get(":message-type") in {"exception", "error"}:
        text = headers.get(":error-message") or _message(payload)
        error = {"type": failure or "exception", "message": text}
        return SSEEvent(json.dumps({"error": error}).encode(), offset, "error")
    if kind == "chunk":
        inner = _inner(payload)
        if inner is not None:
            return SSEEvent(inner, offset)
    return SSEEvent(payload, offset, kind)


def _message(payload: bytes) -> str:
    document = _object(payload)
    text = document.get("message") or document.get("Message")
    return text if isinstance(text, str) else payload.decode("utf-8", "replace")


def _inner(payload: bytes) -> bytes | None:
    packed = _object(payload).get("bytes")
    try:
        return base64.b64decode(packed) if isinstance(packed, str) else None
    except (binascii.Error, ValueError):
        return None


def _object(payload: bytes) -> dict[str, Any]:
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _headers(data: bytes) -> dict[str, str]:
    """Read the headers that hold text; those of other types are passed over."""
    headers: dict[str, str] = {}
    position = 0
    while position + 2 <= len(data):
        start = position + 1
        end = start + data[position]
        name, kind = data[start:end].decode("utf-8", "replace"), data[end : end + 1]
        position = end + 1
        if kind in {b"\x06", b"\x07"} and position + 2 <= len(data):
            size = int(unpack_from(">H", data, position)[0])
            position += 2
            if kind == b"\x07":
                value = data[position : position + size]
                headers[name] = value.decode("utf-8", "replace")
            position += size
        elif kind and kind[0] in _SIZES:
            position += _SIZES[kind[0]]
        else:
            break
    return headers
