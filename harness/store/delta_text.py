"""Text that a stream brings in fragments, joined, with the way back to its bytes.

A model that repeats a key sends it some four characters an event: no search of the
raw bytes finds it. Here the fragments of one text are joined, and offsets in the
joined text are mapped back to the bytes they came from. Fragments stay as they are
written in JSON, escapes and all: nothing here decodes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["JoinedText", "joined_texts"]

_FRAGMENT = re.compile(
    rb'"(content|arguments|reasoning_content|reasoning|refusal|text|partial_json|thinking'
    # Possessive: a group that is repeated keeps 168 bytes for each byte it may undo.
    rb'|delta)"\s*:\s*"((?:[^"\\]++|\\.)++)"'
)
_LINE = re.compile(rb"^data:.*$", re.MULTILINE)
_INDEX = re.compile(rb'"index"\s*:\s*(\d+)')


class JoinedText:
    """The fragments of one text.

    Attributes:
        joined: All fragments, one after another, as written.
    """

    def __init__(self, places: list[tuple[int, int]], body: bytes) -> None:
        self.joined = b"".join(body[start:end] for start, end in places)
        self._places = places
        self._offsets: list[int] = []
        offset = 0
        for start, end in places:
            self._offsets.append(offset)
            offset += end - start

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the spans of the body that a span of the joined text came from.

        Args:
            start: Offset in `joined`.
            end: Offset after the last byte.

        Yields:
            Spans of the body in order; their lengths add up to `end - start`.
        """
        number = bisect_right(self._offsets, start) - 1
        while start < end:
            offset = self._offsets[number]
            place, place_end = self._places[number]
            length = min(end - start, place_end - place - (start - offset))
            yield place + start - offset, place + start - offset + length
            start += length
            number += 1


def joined_texts(body: bytes) -> list[JoinedText]:
    """Return the texts of a stream that come in more than one fragment.

    Args:
        body: Event stream text.

    Returns:
        One for each field name and set of `index` numbers (choice, tool call) that
        stands with it in an event.
    """
    texts: dict[tuple[bytes, ...], list[tuple[int, int]]] = {}
    for line in _LINE.finditer(body):
        indices = tuple(_INDEX.findall(line[0]))
        for fragment in _FRAGMENT.finditer(body, *line.span()):
            key = (fragment[1], *indices)
            texts.setdefault(key, []).append(fragment.span(2))
    return [JoinedText(places, body) for places in texts.values() if len(places) > 1]
