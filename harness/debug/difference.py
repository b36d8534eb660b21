"""The difference of two transcripts: aligned, and the content apart from the cuts.

Cost is linear where they agree at both ends; between, it is difflib's. It does no I/O
and knows no colours: `harness.cli.diff` prints.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from harness.core.text import first_difference
from harness.debug.emitted import ContentItem, content_of

if TYPE_CHECKING:
    from harness.debug.sides import Row, Side

_ALIGNED = 4000
# difflib is quadratic in what differs: 4 000 emissions a side take about a second.
# Longer differences are put beside each other by position.


@dataclass(frozen=True, slots=True)
class Change:
    """Rows that differ, or a run of rows that are the same."""

    is_same: bool
    """Whether both sides are the same here."""
    a: list[Row]
    b: list[Row]

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "a": [row.to_dict() for row in self.a],
            "b": [row.to_dict() for row in self.b],
        }


@dataclass(frozen=True, slots=True)
class ContentChange:
    """One thing that the two sides do not both have."""

    a: ContentItem | None
    b: ContentItem | None
    at: int
    """The first code point that differs, where both have something of this kind."""

    @property
    def one(self) -> ContentItem:
        """The one that is there, of both that of A."""
        one = self.a or self.b
        assert one is not None
        return one

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "exchange": self.one.exchange,
            "at": self.at,
            "a": None if self.a is None else {"kind": self.a.kind, "text": self.a.text},
            "b": None if self.b is None else {"kind": self.b.kind, "text": self.b.text},
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """What comparing two sides found."""

    a: Side
    b: Side
    changes: list[Change]
    """All rows of both sides in order; runs that agree and runs that do not."""
    said: list[ContentChange]
    """The content that differs; empty where only the cuts differ."""

    @property
    def is_same(self) -> bool:
        """Whether all emissions agree."""
        return all(change.is_same for change in self.changes)

    @property
    def first(self) -> Change | None:
        """The first rows that differ."""
        return next((change for change in self.changes if not change.is_same), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON form."""
        return {
            "a": self.a.name,
            "b": self.b.name,
            "same": self.is_same,
            "said_same": not self.said,
            "said": [change.to_dict() for change in self.said],
            "emissions": {"a": len(self.a.rows), "b": len(self.b.rows)},
            "changes": [c.to_dict() for c in self.changes if not c.is_same],
        }


def compare(a: Side, b: Side, *, is_exact: bool = False) -> Difference:
    """Compare two sides.

    Args:
        a: The one that counts as right.
        b: The other.
        is_exact: Also compare ids, dates, chunk numbers and times, which differ
            between two recordings of one answer.

    Returns:
        The difference.
    """
    keys_a = [row.key(is_exact=is_exact) for row in a.rows]
    keys_b = [row.key(is_exact=is_exact) for row in b.rows]
    changes = [
        Change(is_same, a.rows[i:i_end], b.rows[j:j_end])
        for is_same, i, i_end, j, j_end in _aligned(keys_a, keys_b)
    ]
    return Difference(
        a, b, changes, _compare_content(content_of(a.rows), content_of(b.rows))
    )


def _aligned(a: list[str], b: list[str]) -> list[tuple[bool, int, int, int, int]]:
    """Return runs of equal and of different rows, ends cut off first."""
    pairs = list(zip(a, b, strict=False))
    start = next((n for n, (x, y) in enumerate(pairs) if x != y), len(pairs))
    tail = 0
    while tail < len(pairs) - start and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    end_a, end_b = len(a) - tail, len(b) - tail
    runs = [(True, 0, start, 0, start)] if start else []
    if max(end_a, end_b) - start > _ALIGNED:
        runs.append((False, start, end_a, start, end_b))
    else:
        matcher = difflib.SequenceMatcher(
            None, a[start:end_a], b[start:end_b], autojunk=False
        )
        runs += [
            (tag == "equal", start + i, start + i_end, start + j, start + j_end)
            for tag, i, i_end, j, j_end in matcher.get_opcodes()
        ]
    if tail:
        runs.append((True, end_a, len(a), end_b, len(b)))
    return runs


def _compare_content(a: list[ContentItem], b: list[ContentItem]) -> list[ContentChange]:
    """Pair the content by exchange and kind; order counts within a kind."""
    found = []
    for key in dict.fromkeys((one.exchange, one.kind) for one in [*a, *b]):
        ours = [one for one in a if (one.exchange, one.kind) == key]
        theirs = [one for one in b if (one.exchange, one.kind) == key]
        for x, y in zip_longest(ours, theirs):
            if x != y:
                at = 0 if x is None or y is None else first_difference(x.text, y.text)
                found.append(ContentChange(x, y, at))
    return sorted(found, key=lambda change: change.one.exchange)
