"""Feed one input cut in every way: the heart of the tests of whatever is fed pieces.

A decoder is tested through a plain function `decode(pieces)` that feeds the pieces
to a new decoder, closes it and returns something comparable, so that the same few
helpers serve bytes and text, and events, chunks and messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from harness.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Data = TypeVar("Data", bytes, str)
Result = TypeVar("Result")


def every_cut(data: Data) -> Iterator[tuple[str, list[Data]]]:
    """Yield ways to cut the data, each with the words that name it in a failure.

    Whole; one unit (byte or code point) at a time; the same with empty pieces
    between; every cut in two. A stream of n units gives n + 2 ways.
    """
    empty = data[:0]
    yield "whole", [data]
    units = [data[i : i + 1] for i in range(len(data))]
    yield "unit by unit", units
    spaced = [empty]
    for unit in units:
        spaced += [unit, empty]
    yield "unit by unit with empty pieces between", spaced
    for cut in range(1, len(data)):
        yield f"cut at {cut}", [data[:cut], data[cut:]]


def same_for_every_cut(
    decode: Callable[[Sequence[Data]], Result], data: Data
) -> Result:
    """Return what the data decodes to, having checked that no cut changes it."""
    whole = decode([data])
    for name, pieces in every_cut(data):
        got = decode(pieces)
        assert got == whole, f"{name}: {got!r} instead of {whole!r}, from {data!r}"
    return whole


def check_prefixes(decode: Callable[[Sequence[Data]], Result], data: Data) -> int:
    """Check that the data truncated anywhere decodes, or fails as it should.

    Truncated input may raise a `ProtocolError` and nothing else, and whether it comes
    whole or unit by unit makes no difference.

    Returns:
        How many prefixes raised a `ProtocolError`.
    """
    refused = 0
    for end in range(len(data) + 1):
        prefix = data[:end]
        units = [prefix[i : i + 1] for i in range(end)]
        outcomes: list[object] = []
        for pieces in ([prefix], units):
            try:
                outcomes.append(decode(pieces))
            except ProtocolError as error:
                outcomes.append((type(error), str(error)))
                refused += len(outcomes) == 1
        assert outcomes[0] == outcomes[1], f"cut short at {end}: {outcomes!r}"
    return refused
