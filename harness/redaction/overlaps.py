"""Finds in one body that overlap: one secret, or two of which one is surer.

Owns what becomes of the same bytes found in several texts. Every byte that any find
has stays found; the surer find names it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


_Where: TypeAlias = "tuple[tuple[int, int], ...]"


class Secret(NamedTuple):
    """One secret of a body."""

    kind: str
    """What it is, as a phrase."""
    value: bytes
    """The secret, put together where a stream brought it in fragments."""
    places: _Where
    """Where it stands: start and end offsets in the body, one pair a fragment."""


def combined(
    secrets: list[Secret],
    joined: list[Secret],
    guesses: list[Secret],
    longer: list[Secret],
) -> list[Secret]:
    """Return the secrets of a body in the order of their beginnings, each once.

    Args:
        secrets: Found in texts that are one for sure.
        joined: Found in texts in which several of one document may meet.
        guesses: Found in what may be several texts: counts where nothing else does.
        longer: Of the guesses those that go on in deltas: one that begins with a
            secret which ends with its text has the rest of that.

    Returns:
        Secrets of which no two share a byte.
    """
    found = _with_joined(_apart(secrets), joined)
    if longer:
        whole = {secret.places for secret in found}
        found = _apart(found + [one for one in longer if one.places[:1] in whole])
    if guesses:
        # Where the end of a secret is known, a guess must not add another text to it.
        covered = _places(found)
        new = [
            guess
            for guess in guesses
            if not any(_touching(guess.places[0][0], guess.places[0][0] + 1, covered))
        ]
        found = _apart(found + new)
    return found


def _with_joined(secrets: list[Secret], joined: list[Secret]) -> list[Secret]:
    """Add what was found in texts of which one document may hold several.

    Where such a find has a piece of a surer one, without the rest, it is two texts that
    were taken for one: it adds the places that no other has.
    """
    if not joined:
        return secrets
    places = _places(secrets)
    agreeing: list[Secret] = []
    crossing: list[Secret] = []
    for secret in joined:
        shared = Counter[int]()
        for start, end in secret.places:
            for first, last, number in _touching(start, end, places):
                shared[number] += min(end, last) - max(start, first)
        is_crossing = any(
            0 < size < min(_size(secret), _size(secrets[number]))
            for number, size in shared.items()
        )
        (crossing if is_crossing else agreeing).append(secret)
    found = _apart(secrets + agreeing)
    covered = _places(found)
    rests = (secret._replace(places=_without(secret, covered)) for secret in crossing)
    return sorted(found + _apart([rest for rest in rests if rest.places]), key=_begin)


def _without(secret: Secret, covered: list[tuple[int, int, int]]) -> _Where:
    """Return the places of a secret that no other has."""
    left = []
    for start, end in secret.places:
        position = start
        for first, last, _ in _touching(start, end, covered):
            if position < first:
                left.append((position, first))
            position = max(position, last)
        if position < end:
            left.append((position, end))
    return tuple(left)


def _apart(secrets: list[Secret]) -> list[Secret]:
    """Make one secret of those that share a byte.

    The largest names it, but not one with spaces or brackets where another has none:
    where two texts were taken for one, what stands in it may be from the other.
    """
    every = _places(secrets)
    if all(one[1] <= other[0] for one, other in pairwise(every)):
        return sorted(secrets, key=_begin)
    owner = list(range(len(secrets)))

    def owning(number: int) -> int:
        while owner[number] != number:
            owner[number] = owner[owner[number]]
            number = owner[number]
        return number

    merged: list[tuple[int, int, int]] = []
    for start, end, number in every:
        if merged and start < merged[-1][1]:
            first, last, other = merged[-1]
            owner[owning(number)] = owning(other)
            merged[-1] = (first, max(last, end), other)
        else:
            merged.append((start, end, number))
    joined: dict[int, list[tuple[int, int]]] = {}
    for start, end, number in merged:
        joined.setdefault(owning(number), []).append((start, end))
    members: dict[int, list[Secret]] = {}
    for number, secret in enumerate(secrets):
        members.setdefault(owning(number), []).append(secret)
    apart = []
    for number, where in joined.items():
        largest = max(members[number], key=_likelihood)
        apart.append(largest._replace(places=tuple(where)))
    return sorted(apart, key=_begin)


_OF_TEXT = re.compile(rb"[ {}\[\]()<>]")


def _likelihood(secret: Secret) -> tuple[bool, int]:
    return _OF_TEXT.search(secret.value) is None, _size(secret)


def _size(secret: Secret) -> int:
    return sum(end - start for start, end in secret.places)


def _begin(secret: Secret) -> _Where:
    return secret.places


def _places(secrets: list[Secret]) -> list[tuple[int, int, int]]:
    """Return the places of secrets in order, each with the number of its secret."""
    return sorted(
        (start, end, number)
        for number, secret in enumerate(secrets)
        for start, end in secret.places
    )


def _touching(
    start: int, end: int, places: list[tuple[int, int, int]]
) -> Iterator[tuple[int, int, int]]:
    """Yield those of places that share a byte with a span; no two of them overlap."""
    at = max(bisect_right(places, (start,)) - 1, 0)
    while at < len(places) and places[at][0] < end:
        if places[at][1] > start:
            yield places[at]
        at += 1
