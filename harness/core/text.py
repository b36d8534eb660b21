"""Text that grows by fragments and is read rarely.

Adding is O(1) and reading is O(length). What is held is the text and little more: a
list of its fragments would take fifteen times as much.
"""

from __future__ import annotations

from io import StringIO


class TextBuffer(StringIO):
    """Concatenation of fragments."""

    append = StringIO.write
    """Add a fragment at the end; O(1) amortised."""

    def __str__(self) -> str:
        return self.getvalue()

    def __bool__(self) -> bool:
        return self.tell() > 0

    def __repr__(self) -> str:
        return f"TextBuffer({str(self)!r})"
