"""Going down from a failing input to a smaller one, in bounded tries."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzz.fuzz_inputs import FuzzInput


class Tries:
    """The predicate, counted; keeps nothing but the last input that failed."""

    def __init__(
        self,
        fails: Callable[[FuzzInput], bool],
        is_allowed: Callable[[FuzzInput], bool],
        tries: int,
    ) -> None:
        self._fails = fails
        self._is_allowed = is_allowed
        self.left = tries
        self._seen: set[int] = set()

    def __call__(self, fed: FuzzInput) -> bool:
        """Return whether an input fails, if it may be tried and was not yet."""
        if self.left <= 0 or not fed:
            return False
        mark = hash(repr(fed))  # the texts of all would be many times a large one
        if mark in self._seen:
            return False
        self._seen.add(mark)  # first: most come again, and reading one takes longer
        if not self._is_allowed(fed):
            return False
        self.left -= 1
        return self._fails(fed)


def descend(
    stream: FuzzInput,
    candidates: Callable[[FuzzInput], Iterator[FuzzInput]],
    test: Tries,
) -> FuzzInput:
    """Take each candidate that fails, until no candidate of what is left does.

    After one that fails it goes on where it was: the spans before it, which are larger,
    did not fail with more around them, and a slow consumer is asked little.
    """
    start = 0
    while True:
        left = islice(enumerate(candidates(stream)), start, None)
        found = next(((number, c) for number, c in left if test(c)), None)
        if found is not None:
            start, stream = found
        elif start:
            start = 0
        else:
            return stream


def failing_cut(
    events: FuzzInput, fails: Callable[[FuzzInput], bool]
) -> Callable[[FuzzInput], FuzzInput] | None:
    """Return in which form some events fail: an event a read, or a byte a read."""
    return next((cut for cut in (tuple, single_bytes) if fails(cut(events))), None)


def single_bytes(events: FuzzInput) -> FuzzInput:
    """Return events as single bytes."""
    data = b"".join(events)
    return tuple(data[n : n + 1] for n in range(len(data)))


def fewer_pieces(
    pieces: FuzzInput, fails: Callable[[FuzzInput], bool], tries: int
) -> FuzzInput:
    """Return the same bytes in one read or two, if they fail so.

    Args:
        pieces: Bytes that fail.
        fails: Whether some do.
        tries: How many cuts are tried at most; of a long stream, pieces are joined.
    """
    data = b"".join(pieces)
    if fails((data,)):
        return (data,)
    for place in range(1, len(data)) if len(data) <= tries else ():
        if fails((data[:place], data[place:])):
            return (data[:place], data[place:])
    size = len(pieces) // 2
    while size and tries > 0:
        start = 0
        while start < len(pieces) - 1 and tries > 0:
            tries -= 1
            joined = b"".join(pieces[start : start + size + 1])
            fewer = (*pieces[:start], joined, *pieces[start + size + 1 :])
            if fails(fewer):
                pieces = fewer
            else:
                start += size
        size //= 2
    return pieces


MANY = 300
"""Events; of more a few are left out, for each costs in every try."""


def fewer_of_many(stream: FuzzInput, test: Tries) -> FuzzInput:
    """Leave events out of the middle of a long stream, ever fewer at once."""
    size = len(stream) // 2
    while size >= MANY // 16:
        middle = (len(stream) - size) // 2
        smaller = stream[:middle] + stream[middle + size :]
        if len(stream) > MANY and test(smaller):
            stream, size = smaller, min(size, len(smaller) // 2)
        else:
            size //= 2
    return stream


LONG_TEXT = 4096
"""Code points; of longer texts only large pieces are left out."""


def smaller_texts(text: str) -> Iterator[str]:
    """Yield the halves of a text; of a long one, beginnings that lack ever less."""
    if len(text) <= LONG_TEXT:
        half = len(text) // 2
        yield from (text[:half], text[half:], text[1:])
    else:
        yield from (text[: -(len(text) >> shift)] for shift in range(1, 7))


def shorter(stream: FuzzInput) -> Iterator[FuzzInput]:
    """Yield the stream with events left out, the largest spans first."""
    size = len(stream) // 2
    while size:
        for start in range(0, len(stream) - size + 1, size):
            yield stream[:start] + stream[start + size :]
        size //= 2
