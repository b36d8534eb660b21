"""The chunked transfer encoding, where a recorder left it in a body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem
from harness.core.patterns import late

if TYPE_CHECKING:
    from collections.abc import MutableSequence

SIZE = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[^\r\n]*)?\r?\n")
"""The line in front of a chunk."""
# A size, and what an answer begins with.
_BEGINNING = late(rb"[0-9a-fA-F]{1,8}(?:;[^\r\n]*)?\r\n(?:[{\[:]|\w+:|\x1f\x8b)")


def dechunked(body: bytes) -> bytes | None:
    """Undo the chunked transfer encoding; None where a body does not have it.

    The body may be cut: its results last chunk is kept.
    """
    pieces: list[bytes] = []
    position = 0
    while found := SIZE.match(body, position):
        size = int(found[1], 16)
        end = found.end() + size
        if not size:
            return b"".join(pieces)
        pieces.append(body[found.end() : end])
        if end + 2 > len(body):
            return b"".join(pieces) if len(pieces) > 1 else None
        if body[end : end + 2] != b"\r\n":
            return None
        position = end + 2
    return b"".join(pieces) if pieces and position == len(body) else None


def without_sizes(stored: bytes, notes: MutableSequence[Problem]) -> bytes:
    """Return the body of an answer as a client reads it.

    Args:
        stored: As it was recorded.
        notes: Where it is noted that something was undone.
    """
    body = dechunked(stored) if _BEGINNING.match(stored) else None
    if body is None:
        return stored
    text = "the body has the sizes of its chunked transfer encoding in it"
    notes.append(Problem(DiagnosticKind.MISSING_ENCODING, text))
    return body
