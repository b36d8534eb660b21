"""Text that grows by fragments and is read rarely, and where two texts part.

Adding is O(1) and reading is O(length): fragments wait in a list and are joined
on read. Every few thousand fragments the list is joined into a block, so that a
stream of many tiny fragments holds little more than its text.
"""

from __future__ import annotations

_FRAGMENTS_PER_BLOCK = 4096
# A 4-character str takes 53 bytes and its place in a list 8, its text in a block
# 4: without blocks a 100 MB stream of tokens would be held 15 times over.


class TextBuffer:
    """Concatenation of fragments, joined when it is read."""

    __slots__ = ("_blocks", "_fragments")

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._fragments: list[str] = []

    def append(self, fragment: str) -> None:
        """Add a fragment at the end; O(1) amortised."""
        fragments = self._fragments
        fragments.append(fragment)
        if len(fragments) >= _FRAGMENTS_PER_BLOCK:
            self._blocks.append("".join(fragments))
            fragments.clear()

    def __bool__(self) -> bool:
        return any(self._fragments) or any(self._blocks)

    def __str__(self) -> str:
        if self._blocks:
            text = "".join(self._blocks) + "".join(self._fragments)
        else:
            text = "".join(self._fragments)
        if len(self._fragments) > 1 or len(self._blocks) > 1:
            self._blocks = [text]
            self._fragments.clear()
        return text

    def __repr__(self) -> str:
        return f"TextBuffer({str(self)!r})"


def first_difference(one: str, other: str) -> int:
    """Return the position from which two texts differ; the end of the shorter one."""
    same, most = 0, min(len(one), len(other))
    while same < most:  # halves, not characters: texts may have millions
        middle = (same + most + 1) // 2
        if one[same:middle] == other[same:middle]:
            same = middle
        else:
            most = middle - 1
    return same
