"""Long runs of base64, such as images: most of a large body, and nothing in them.

Owns where they are, and the text without their middles, with the way back to the
bytes: a search then reads kilobytes instead of megabytes. What of a run can be left
out, the caller knows.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

from harness.redaction.escapes import past_escape
from harness.redaction.spans import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
KEPT = 1 << 13
"""What stays of each end, at least: more than any detector counts, or looks back."""
_FEWEST = 4  # blocks of which a run is worth it


class Shortened:
    """A text without the middles of some of its long runs.

    Attributes:
        text: What is left of it.
    """

    def __init__(self, raw: bytes, middles: Iterable[tuple[int, int]]) -> None:
        self._places = array("q")
        self._lengths = array("q", [0])  # what is left out so far
        pieces = []
        position = 0
        for start, end in middles:
            pieces.append(raw[position:start])
            self._places.append(start - self._lengths[-1])
            self._lengths.append(self._lengths[-1] + end - start)
            position = end
        self.text = b"".join([*pieces, raw[position:]])

    def raw(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span of `text` stands in the raw text, middles and all."""
        first = self._lengths[bisect_left(self._places, start + 1)]
        return start + first, end + self._lengths[bisect_left(self._places, end)]


def shortened(text: bytes, is_harmless: Callable[[bytes], bool]) -> Shortened | None:
    """Return a text without the middles of its long runs; None where it has none.

    Args:
        text: Any text.
        is_harmless: Whether nothing begins within a run that is to be found. It gets
            all of the run.
    """
    middles = []
    whole, is_left_out = (0, 0), False
    for first, last in _long_runs(text):
        if first >= whole[1]:
            whole = _whole(text, first, last)
            is_left_out = is_harmless(text[slice(*whole)])
        if is_left_out:
            middles.append((first + KEPT, last - KEPT))
    return Shortened(text, middles) if middles else None


def search_shortened(
    text: bytes,
    find: Callable[[bytes], Iterable[Span]],
    is_harmless: Callable[[bytes], bool],
) -> list[Span]:
    """Search a text, without what can be left out of it; as `shortened`."""
    short = shortened(text, is_harmless)
    if short is None:
        return list(find(text))
    return [Span(*short.raw(start, end), kind) for start, end, kind in find(short.text)]


def _long_runs(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield blocks in a row that have no more characters than the first of them.

    What is left of such a run has all the characters that it had.
    """
    start, characters = 0, b""
    for at in range(0, len(text) + 1, KEPT) if len(text) > _FEWEST * KEPT else ():
        block = text[at : at + KEPT]
        is_full = len(block) == KEPT
        if characters and is_full and not block.translate(None, characters):
            continue
        if characters and at - start >= _FEWEST * KEPT:
            yield start, at
        is_begun = is_full and not block.translate(None, _BASE64)
        start, characters = at, bytes(set(block)) if is_begun else b""


def _whole(text: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where all of the run is that some blocks are in."""
    while start and text[start - 1] in _BASE64:
        start -= len(before := text[max(0, start - KEPT) : start])
        start += len(before.rstrip(_BASE64))
    while end < len(text) and text[end] in _BASE64:
        after = text[end : end + KEPT]
        end += len(after) - len(after.lstrip(_BASE64))
    return past_escape(text, start), end
