"""Going down from a failing arrival to a smaller one, in bounded tries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzz.arrivals import Arrival

__all__ = ["Tries", "descend", "shorter"]


class Tries:
    """The predicate, counted; keeps nothing but the last arrival that failed."""

    def __init__(
        self,
        fails: Callable[[Arrival], bool],
        is_allowed: Callable[[Arrival], bool],
        tries: int,
    ) -> None:
        self._fails = fails
        self._is_allowed = is_allowed
        self.left = tries
        self._seen: set[str] = set()

    def __call__(self, arrival: Arrival) -> bool:
        """Tell whether an arrival fails, if it may be tried and was not yet."""
        if self.left <= 0 or not arrival or not self._is_allowed(arrival):
            return False
        mark = repr(arrival)
        if mark in self._seen:
            return False
        self._seen.add(mark)
        self.left -= 1
        return self._fails(arrival)


def descend(
    stream: Arrival, candidates: Callable[[Arrival], Iterator[Arrival]], test: Tries
) -> Arrival:
    """Take the first candidate that fails, and start again from it."""
    while True:
        smaller = next((c for c in candidates(stream) if test(c)), None)
        if smaller is None:
            return stream
        stream = smaller


def shorter(stream: Arrival) -> Iterator[Arrival]:
    """Yield the stream with events left out, the largest spans first."""
    size = len(stream) // 2
    while size:
        for start in range(0, len(stream) - size + 1, size):
            yield stream[:start] + stream[start + size :]
        size //= 2
