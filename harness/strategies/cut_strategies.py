"""Ways to cut: texts into fragments, bytes into reads, deltas by printable splits."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from harness.core.splits import Split, parse_split
from harness.strategies.validation import check_size, check_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy


_Data = TypeVar("_Data", str, bytes)


def cut_at(data: _Data, positions: Sequence[int]) -> list[_Data]:
    """Cut a text or bytes before positions, in any order.

    Args:
        data: What to cut.
        positions: Counted from 0; a repeated one gives an empty piece, one beyond
            the end an empty piece at the end.

    Returns:
        One piece more than there are positions; joined they are the data.
    """
    edges = [0, *sorted(positions), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def _pieces(
    data: _Data, max_cuts: int, *, allow_empty: bool
) -> SearchStrategy[list[_Data]]:
    check_size("max_cuts", max_cuts)
    if allow_empty:
        places = st.lists(st.integers(0, len(data)), max_size=max_cuts)
    elif len(data) < 2:
        places = st.just([])
    else:
        places = st.lists(st.integers(1, len(data) - 1), max_size=max_cuts, unique=True)
    return places.map(lambda drawn: cut_at(data, drawn))


def fragments(
    text: str, *, max_cuts: int = 12, allow_empty: bool = True
) -> SearchStrategy[list[str]]:
    """Fragments of a text, in order; joined they are the text.

    Cut anywhere, also within escapes. Shrinks to fewer cuts, then to earlier ones.

    Args:
        text: The whole.
        max_cuts: The most cuts.
        allow_empty: Whether fragments may be empty.

    Returns:
        The strategy; each list has at least one fragment.

    Raises:
        InvalidArgument: An argument is of the wrong kind or negative.
    """
    check_text("text", text)
    return _pieces(text, max_cuts, allow_empty=allow_empty)


def byte_pieces(
    data: bytes, *, max_cuts: int = 12, allow_empty: bool = False
) -> SearchStrategy[list[bytes]]:
    """Network reads of some bytes, in order; joined they are the bytes.

    Cut anywhere, also within UTF-8 sequences and line ends. Shrinks to fewer cuts,
    then to earlier ones.

    Args:
        data: The whole.
        max_cuts: The most cuts.
        allow_empty: Whether reads may be empty, which most networks never give.

    Returns:
        The strategy; each list has at least one piece.

    Raises:
        InvalidArgument: An argument is of the wrong kind or negative.
    """
    if not isinstance(data, bytes):
        raise InvalidArgument(f"data={data!r}: expected bytes")
    return _pieces(data, max_cuts, allow_empty=allow_empty)


def splits() -> SearchStrategy[Split]:
    """Splits of deltas, as `harness replay --split` takes them; each prints itself.

    Every kind there is, alone or two joined by ``+``. Shrinks to one kind, to
    ``recorded``, then to ``whole``, then to smaller numbers.

    Returns:
        The strategy.
    """
    kinds = st.one_of(
        st.sampled_from(["recorded", "whole", "chars", "tokens"]),
        st.integers(1, 9).map(str),
        st.integers(0, 2**16).map("random:{}".format),
        st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True).map(
            lambda places: "at:" + ",".join(map(str, sorted(places)))
        ),
    )
    joined = st.lists(kinds, min_size=1, max_size=2, unique=True)
    return joined.map("+".join).map(parse_split)
