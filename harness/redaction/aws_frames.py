"""Secrets in AWS's binary event stream, in which Bedrock answers.

Owns the way from its messages to the JSON they carry, also in base64, and back: what
changes keeps its length, and the checksums fit again, so that a client reads it.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from itertools import accumulate
from struct import pack, unpack_from
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from harness.core.aws_event_stream import is_aws_event_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.redaction.overlaps import Secret

__all__ = ["redact_frames", "secrets_in_frames"]

_PRELUDE, _CHECKSUM = 12, 4  # bytes
_PACKED = re.compile(rb'"bytes"\s*+:\s*+"([A-Za-z0-9+/=]++)"')


class _Part(NamedTuple):
    """A part of a body that is searched as a line of its own."""

    start: int
    end: int
    text: bytes
    is_packed: bool = False
    """It stands in base64 in the body."""


def redact_frames(body: bytes, redact: Callable[[bytes], bytes]) -> bytes:
    """Return any body redacted; a binary event stream by what its messages carry.

    Args:
        body: The body.
        redact: Redacts a text, without changing its length.
    """
    if not is_aws_event_stream(body[:_PRELUDE]):
        return redact(body)
    parts = _parts(body)
    text = b"\n".join(part.text for part in parts)
    redacted = redact(text)
    if redacted == text:
        return body
    changed = bytearray(body)
    offset = 0
    for part in parts:
        new = redacted[offset : offset + len(part.text)]
        offset += len(new) + 1
        if new != part.text:
            packed = binascii.b2a_base64(new, newline=False) if part.is_packed else new
            changed[part.start : part.end] = packed
    for start, end in _messages(body):
        checksum = crc32(changed[start : end - _CHECKSUM])
        if changed[start:end] != body[start:end]:
            changed[end - _CHECKSUM : end] = pack(">I", checksum)
    return bytes(changed)


def secrets_in_frames(
    body: bytes, find: Callable[[bytes], list[Secret]]
) -> list[Secret]:
    """Return the secrets of any body; as `redact_frames`.

    A secret in base64 has the places of all that is in the base64.
    """
    if not is_aws_event_stream(body[:_PRELUDE]):
        return find(body)
    parts = _parts(body)
    starts = [0, *accumulate(len(part.text) + 1 for part in parts)]

    def place(start: int, end: int) -> tuple[int, int]:
        number = bisect_right(starts, start) - 1
        part = parts[number]
        if part.is_packed:
            return part.start, part.end
        return part.start + start - starts[number], part.start + end - starts[number]

    return [
        secret._replace(places=tuple(place(*one) for one in secret.places))
        for secret in find(b"\n".join(part.text for part in parts))
    ]


def _messages(body: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while is_aws_event_stream(body[start : start + _PRELUDE]):
        end = start + unpack_from(">I", body, start)[0]
        if end > len(body):
            return
        yield start, end
        start = end


def _parts(body: bytes) -> list[_Part]:
    """Return the payloads, then all headers, then what is no whole message."""
    payloads, others = [], []
    last = 0
    for start, last in _messages(body):
        first = start + _PRELUDE + unpack_from(">I", body, start + 4)[0]
        payloads.append(_payload(body, first, last - _CHECKSUM))
        others.append(_Part(start + _PRELUDE, first, body[start + _PRELUDE : first]))
    return [*payloads, *others, _Part(last, len(body), body[last:])]


def _payload(body: bytes, start: int, end: int) -> _Part:
    match = _PACKED.search(body, start, end)
    if match is not None:
        try:
            text = binascii.a2b_base64(match[1])
        except binascii.Error:
            text = b""
        if binascii.b2a_base64(text, newline=False) == match[1]:
            return _Part(*match.span(1), text, is_packed=True)
    return _Part(start, end, body[start:end])
