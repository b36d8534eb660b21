"""Cuts from a fast seeded generator: exhaustive where that is possible.

Text is cut by code points, on purpose inside escapes, pairs and names too. A stream is
cut by taking the pieces of single chunks from a store and splicing them in, which is
ten times as fast as cutting the whole stream anew. Everything is a pure function of
what is cut and of the seed.
"""

from __future__ import annotations

import random
import re
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any, AnyStr

from harness.apis.chat.chunks import Chunk
from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.slots import Unit, units_of
from harness.core.splits import parse_split
from harness.core.stable_random import mix
from harness.fuzz.fuzz_inputs import FuzzInput, payloads_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TWO_CUTS_UP_TO = 64  # code points; 2 016 pairs
_TOKENS = parse_split("tokens")
_DELICATE = re.compile(r'\\u[0-9a-fA-F]{0,4}|\\.|[\ud800-\udfff]|[^\x00-\x7f]|[":]')


def seeded(*numbers: int) -> random.Random:
    """Return a source of random numbers that only these numbers decide."""
    return random.Random(mix(*numbers))  # noqa: S311 - no secrets here


def cut_at(text: AnyStr, positions: Sequence[int]) -> tuple[AnyStr, ...]:
    """Cut a text or bytes before these positions, ascending."""
    pieces: list[AnyStr] = []
    start = 0
    for end in positions:
        pieces.append(text[start:end])
        start = end
    pieces.append(text[start:])
    return tuple(pieces)


def drawn_places(generator: random.Random, places: Sequence[int]) -> list[int]:
    """Draw one or more of some places, each as likely; return them in order.

    Most bugs need few cuts, some need many: the count is drawn on a log scale. What
    comes twice is drawn anew, and for more than half of the places those that are left
    out are drawn: two thirds of the time of `sample`.
    """
    most = len(places)
    count = min(most, int(most ** generator.random()))
    fewer = min(count, most - count)
    found: set[int] = set()
    while len(found) < fewer:
        found.update(generator.choices(places, k=fewer - len(found)))
    return sorted(found if fewer == count else {*places} - found)


def text_cuts(text: str, *, seed: int, examples: int) -> Iterator[tuple[str, ...]]:
    """Yield fragmentations of a text: every one-cut and two-cut, then random ones.

    Args:
        text: The text.
        seed: Decides the random ones.
        examples: How many random ones.

    Yields:
        Whole, by code points, by tokens, with empty fragments between; every one-cut;
        every two-cut of a text of up to 64 code points; then random cuts of every
        density, and random cuts at escapes and names only.
    """
    length = len(text)
    yield (text,)
    if length < 2:
        return
    yield tuple(text)
    yield tuple(_TOKENS.cut_text(text))
    yield tuple(piece for character in text for piece in ("", character))
    for count in (1, 2) if length <= _TWO_CUTS_UP_TO else (1,):
        for positions in combinations(range(1, length), count):
            yield cut_at(text, positions)
    yield from random_cuts(text, seed=seed, examples=examples)


def random_cuts(text: str, *, seed: int, examples: int) -> Iterator[tuple[str, ...]]:
    """Yield random fragmentations of a text of at least two code points."""
    length = len(text)
    generator = seeded(seed, length)
    inner = [*range(1, length)]  # `choices` takes half as long again of a range
    around = (range(m.start(), m.end() + 1) for m in _DELICATE.finditer(text))
    delicate = sorted({*inner}.intersection(chain(*around)))
    for number in range(examples):
        places = delicate if delicate and number % 3 == 0 else inner
        yield cut_at(text, drawn_places(generator, places))


def byte_cuts(data: bytes, *, seed: int, examples: int) -> Iterator[tuple[bytes, ...]]:
    """Yield ways in which bytes can be read from a network.

    Args:
        data: The whole stream.
        seed: Decides the random ones.
        examples: How many random ones.

    Yields:
        Byte by byte; every cut inside a UTF-8 sequence or at a line end; random cuts.
    """
    yield tuple(data[place : place + 1] for place in range(len(data)))
    for place in range(1, len(data)):
        if data[place] & 0xC0 == 0x80 or data[place - 1] in b"\r\n":
            yield (data[:place], data[place:])
    generator = seeded(seed, len(data))
    inner = [*range(1, len(data))]
    for _ in range(examples):
        yield cut_at(data, drawn_places(generator, inner))


NAMED_CUTS = ("whole", "chars", "tokens", "recorded+random:1")
"""The splits that every stream is cut by in every dialect."""


def spread(total: int, most: int) -> list[int]:
    """Return some of the numbers from 1 up to a total, evenly."""
    if total <= most:
        return list(range(1, total))
    return sorted({1 + step * (total - 1) // most for step in range(most)})


class StreamCuts:
    """Cuts one stream in many ways, its pieces kept.

    Args:
        payloads: The stream.
    """

    def __init__(self, payloads: FuzzInput) -> None:
        self._payloads = payloads
        self._pieces: dict[tuple[int, int], FuzzInput] = {}
        self._merged: dict[int, FuzzInput] = {}
        self._whole = parse_split("whole")
        ids: set[str] = set()
        units = [_units(payload, ids) for payload in payloads]
        self._lengths = [max([0, *(len(u.text) for u in row)]) for row in units]
        self.is_spliceable = not any(unit.keeps_id for row in units for unit in row)
        """Whether its chunks can be cut one by one.

        Not where ids are sent again: which piece has one depends on what came before.
        """

    def every_one_cut(self) -> Iterator[FuzzInput]:
        """Yield every way to cut one text of one chunk in two."""
        for number, length in enumerate(self._lengths):
            before, after = self._payloads[:number], self._payloads[number + 1 :]
            for place in range(1, length):
                yield (*before, *self._cut(number, place), *after)

    def every_merge(self) -> Iterator[FuzzInput]:
        """Yield every way to merge two neighbouring chunks of one text."""
        for number in range(len(self._payloads) - 1):
            merged = self._merge(number)
            if len(merged) == 1:
                yield (*self._payloads[:number], *merged, *self._payloads[number + 2 :])

    def random(self, *, seed: int, examples: int) -> Iterator[FuzzInput]:
        """Yield random cuts and merges of random density."""
        generator = seeded(seed, len(self._payloads))
        draw = generator.random
        for _ in range(examples):
            density = draw() ** 2
            out: list[Any] = []
            number = 0
            while number < len(self._payloads):
                length = self._lengths[number]
                if length > 1 and draw() < density:
                    out += self._cut(number, 1 + int(draw() * (length - 1)))
                elif draw() < density and len(merged := self._merge(number)) == 1:
                    out += merged
                    number += 1
                else:
                    out.append(self._payloads[number])
                number += 1
            yield tuple(out)

    def _cut(self, number: int, place: int) -> FuzzInput:
        if (number, place) not in self._pieces:
            chunk = Chunk(number, None, self._payloads[number])
            pieces = cut_chunks(parse_split(f"at:{place}"), [chunk])
            self._pieces[number, place] = payloads_of(pieces)
        return self._pieces[number, place]

    def _merge(self, number: int) -> FuzzInput:
        if number not in self._merged:
            pair = self._payloads[number : number + 2]
            merged = cut_chunks(self._whole, (Chunk(0, None, p) for p in pair))
            self._merged[number] = payloads_of(merged) if len(pair) == 2 else pair * 2
        return self._merged[number]


def _units(payload: Any, ids: set[str]) -> list[Unit]:
    """Return what can be cut in a payload, given the ids that came before it."""
    choices = [c for c in payload.get("choices") or [] if isinstance(c, dict)]
    return [unit for choice in choices for unit in units_of(choice, ids)]
