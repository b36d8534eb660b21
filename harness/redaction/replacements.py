"""What stands in place of a secret.

Owns the two marks: a word in headers and URLs, and in bodies one of the same length
in bytes, so that the sizes of wire chunks stay true even where a secret lies across
two of them, and content-length stays right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.redaction.escapes import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


REDACTED = "REDACTED"
"""What stands in place of a secret in headers and URLs."""

# A mark may be cut anywhere, as the secret was.
_BEGUN = "R(?:E(?:D(?:A(?:C(?:T(?:ED?)?)?)?)?)?)?"
_ENDED = "(?:(?:(?:(?:(?:(?:R?E)?D)?A)?C)?T)?E)?D"
_MARK = re.compile(rf"REDACTED|(?:{_ENDED})?(?:\*REDACTED\*|\*)+(?:{_BEGUN})?".encode())
# Fewer than four asterisks are emphasis.
_PLACE = re.compile(
    rf"(?:\b(?:{_ENDED}))?\*+(?:REDACTED\*+)+(?:{_BEGUN}\b)?|\b(?:{_ENDED})\*+"
    rf"|\*+{_BEGUN}\b|\*{{4,}}"
)

_NEIGHBOURS = re.compile(r"\**\0[\0*]*")


def mark(length: int) -> bytes:
    """Return what stands in a body in place of `length` bytes of secret.

    The asterisks keep the mark from joining its neighbours into another key: no
    shape of key has them. From 10 bytes on it reads `REDACTED`.
    """
    return (b"*REDACTED*" if length >= 10 else b"").ljust(length, b"*")


def is_mark(value: bytes) -> bool:
    """Return whether a value is what an earlier redaction left, or a piece of it."""
    return _MARK.fullmatch(value) is not None


def is_same_text(one: str, other: str) -> bool:
    """Return whether two texts are the same, apart from marks.

    A client that was recorded repeated a secret; the one that is played to repeats the
    mark. It may have another length where the secret was written with escapes; and a
    secret that is none in other surroundings stayed there when it was recorded.
    """
    if one == other:
        return True
    if "*" not in one and "*" not in other:  # no mark is without
        return False
    if _shortened(one) == _shortened(other):
        return True
    if len(one) != len(other):
        return False
    places = [m.span() for text in (one, other) for m in _PLACE.finditer(text)]
    return bool(places) and _without(one, places) == _without(other, places)


def _shortened(text: str) -> str:
    """Return a text in which all marks are alike, and neighbouring ones are one."""
    return _NEIGHBOURS.sub("\0", _PLACE.sub("\0", text))


def _without(text: str, places: list[tuple[int, int]]) -> str:
    characters = list(text)
    for start, end in places:
        characters[start:end] = "*" * (end - start)
    return "".join(characters)


def marked(text: bytes, secrets: Iterable[tuple[tuple[int, int], ...]]) -> bytes:
    """Return a text with marks in place of its secrets, of the same length.

    Args:
        text: The text.
        secrets: The places of each; no two overlap. One in several places gets one
            mark, a piece in each, so that a client that joins them has the mark of
            the whole.
    """
    pieces = []
    for found in secrets:
        places = [seen for start, end in found for seen in _seen(text, start, end)]
        whole = mark(sum(end - start for start, end in places))
        offset = 0
        for start, end in places:
            pieces.append((start, end, whole[offset : offset + end - start]))
            offset += end - start
    joined = []
    position = 0
    for start, end, piece in sorted(pieces):
        joined += [text[position:start], piece]
        position = end
    return b"".join([*joined, text[position:]]) if pieces else text


def _seen(text: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a place without its characters that have no width.

    They stay, so that what is played has as many characters as what was recorded.
    """
    for unseen in UNSEEN.finditer(text, start, end):
        if start < unseen.start():
            yield start, unseen.start()
        start = unseen.end()
    if start < end:
        yield start, end


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
