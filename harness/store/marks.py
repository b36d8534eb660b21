"""What stands in place of a secret.

Owns the two marks: a word in headers and URLs, and in bodies one of the same length
in bytes, so that the sizes of wire chunks stay true even where a secret lies across
two of them, and content-length stays right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["REDACTED", "is_mark", "mark", "replace"]

REDACTED = "REDACTED"
"""What stands in place of a secret in headers and URLs."""

_MARK = re.compile(rb"REDACTED|(?:\*REDACTED\*|\*)*")


def mark(length: int) -> bytes:
    """Return what stands in a body in place of `length` bytes of secret.

    The asterisks keep the mark from joining its neighbours into another key: no
    shape of key has them. From 10 bytes on it says `REDACTED`.
    """
    return (b"*REDACTED*" if length >= 10 else b"").ljust(length, b"*")


def is_mark(value: bytes) -> bool:
    """Say whether a value is what an earlier redaction left."""
    return _MARK.fullmatch(value) is not None


def replace(
    text: bytes, places: list[tuple[int, int]], replacement: Callable[[int], bytes]
) -> bytes:
    """Return a text with marks in place of its secrets.

    Args:
        text: The text.
        places: Start and end offsets, sorted; they may overlap.
        replacement: Makes a mark of a length in bytes.
    """
    if not places:
        return text
    pieces = []
    position = 0
    for start, end in places:
        if end <= position:
            continue
        begin = max(start, position)
        pieces += [text[position:begin], replacement(end - begin)]
        position = end
    return b"".join([*pieces, text[position:]])
