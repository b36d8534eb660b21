"""Feed the argument machine and see all that it says, for tests that cut texts."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, NamedTuple

from harness.core.json_arguments import FunctionArgumentsStreamHandler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Outcome", "cut_at", "every_cut", "feed"]


class Outcome(NamedTuple):
    """What the machine said of a whole text; the same for every way to cut it."""

    text: str
    error: tuple[int, str, str] | None
    """Offset, expected, got."""
    has_value: bool
    value_type: str | None
    duplicates: int
    is_complete: bool


def feed(fragments: Iterable[str | None], key: str = "message") -> Outcome:
    """Feed fragments, then the end; check what must hold after every single one."""
    handler = FunctionArgumentsStreamHandler(key)
    texts: list[str] = []
    for fragment in fragments:
        had_error = handler.error is not None
        text = handler.process_json_chunk(fragment)
        assert text is None or (text and fragment and not had_error)
        if text is not None:
            text.encode()
            texts.append(text)
        assert not texts or handler.has_value
    error = handler.close()
    assert error is handler.error
    return Outcome(
        "".join(texts),
        None if error is None else (error.char_offset, error.expected, error.got),
        handler.has_value,
        handler.value_type,
        handler.duplicates,
        handler.is_complete,
    )


def cut_at(text: str, positions: Iterable[int]) -> list[str]:
    """Cut a text at positions, which may repeat (that gives empty fragments)."""
    edges = [0, *sorted(positions), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def every_cut(text: str, *, cuts: int) -> Iterator[list[str]]:
    """Yield every way to cut a text at `cuts` different inner positions."""
    for positions in combinations(range(1, len(text)), cuts):
        yield cut_at(text, positions)
