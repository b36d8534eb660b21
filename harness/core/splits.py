"""Ways to cut the same text: values that print, compare and parse back.

A split is a rule that decides, for every position of a run, whether there is a cut
before it. A run is the text of neighbouring deltas of one kind and one call, or
the bytes of one stream, counted from 0 in code points or bytes. How a rule is put
to the deltas of a chunk stream is the business of `harness.apis.chat.cutting`.

Every rule but `recorded` forgets the recorded cuts and makes its own, so that a
stream can also arrive coarser than it did: ``5`` gives fragments of exactly five
code points (the last of a run may be shorter), ``at:3`` gives exactly two. Rules
joined by ``+`` cut wherever any of them cuts: ``recorded+chars``, and
``recorded+random:7`` only cuts within recorded deltas, never joins them.

Nothing here is random: the cuts of `random:SEED` are a pure function of the seed,
the number of the run and the position.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TypeAlias

from harness.core.stable_random import mask_of_block
from harness.errors import UsageError, did_you_mean, shorten

SPLITS = {
    "recorded": "as it was recorded",
    "whole": "in one piece",
    "chars": "a code point a fragment",
    "random:0": "random cuts of that seed",
    "tokens": "as tokens would be",
}
"""Splits to choose from, with what they do."""
SPLIT_FORMS = "recorded, whole, chars, N (from 1), random:SEED, at:3,7,12, tokens"
"""What `parse_split` reads, as an error message or a help text lists it."""

Cuts: TypeAlias = Callable[[str | bytes], list[int]]
"""Fed a run piece by piece; answers offsets in the piece, ascending, to cut before.

Offset 0 of a later piece is the place between it and the piece before; offset 0 of
the first is the place between what announces the run (a call's id and name) and
its text.
"""

_SEED_LIMIT = 1 << 64  # the generator's state is 64 bits; a larger seed would alias
_NUMBER = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class _Rule:
    """One way to place cuts."""

    name: str
    """The shortest text that gives it: rules of one name cut alike."""
    start: Callable[[int], Cuts] = field(compare=False, repr=False)
    """Return the cuts of the run with a number (counted per choice)."""


def _recorded(_run: int) -> Cuts:
    return lambda text: [0] if text else []


def _whole(_run: int) -> Cuts:
    return lambda _text: []


def _every(size: int, _run: int) -> Cuts:
    base = 0

    def cuts(text: str | bytes) -> list[int]:
        nonlocal base
        offsets = list(range(-base % size, len(text), size))
        base += len(text)
        return offsets

    return cuts


def _at(positions: list[int], _run: int) -> Cuts:
    base = 0

    def cuts(text: str | bytes) -> list[int]:
        nonlocal base
        end = base + len(text)
        low, high = bisect_left(positions, base), bisect_left(positions, end)
        offsets = [position - base for position in positions[low:high]]
        base = end
        return offsets

    return cuts


def _random(seed: int, run: int) -> Cuts:
    base = 0

    def cuts(text: str | bytes) -> list[int]:
        nonlocal base
        end = base + len(text)
        offsets: list[int] = []
        for block in range(base >> 6, (end + 63) >> 6):
            mask = mask_of_block(seed, run, block)
            while mask:
                lowest = mask & -mask
                position = (block << 6) + lowest.bit_length() - 1
                if base <= position < end:
                    offsets.append(position - base)
                mask ^= lowest
        base = end
        return offsets

    return cuts


# Each alternative is one character class; a token is a run of one class, with the
# blanks before it, cut again after as many characters as real vocabularies hold.
_CLASSES = (
    ("letter", re.compile(r"[A-Za-z\u00c0-\u024f]")),
    ("digit", re.compile(r"[0-9]")),
    ("blank", re.compile(r"[ \t]")),
    ("newline", re.compile(r"[\r\n]")),
    ("mark", re.compile(r"[!-/:-@\[-`{-~]")),
)
_LONGEST = {"letter": 6, "digit": 3, "blank": 16, "newline": 2, "mark": 3, "other": 1}


def _class_of(character: str) -> str:
    for name, pattern in _CLASSES:
        if pattern.match(character):
            return name
    return "other"


def _tokens(_run: int) -> Cuts:
    before, length = "", 0

    def cuts(text: str | bytes) -> list[int]:
        nonlocal before, length
        if isinstance(text, bytes):
            text = text.decode("latin-1")  # a class for every byte, position kept
        offsets: list[int] = []
        for offset, character in enumerate(text):
            now = _class_of(character)
            joins_blanks = before == "blank" and now in {"letter", "digit", "mark"}
            if now == before and length < _LONGEST[now]:
                length += 1
            elif joins_blanks:
                length = 1
            else:
                offsets.append(offset)
                length = 1
            before = now
        return offsets

    return cuts


@dataclass(frozen=True, slots=True)
class Split:
    """One way to cut text, deltas or bytes; `str()` of it parses back.

    Equal when they cut everything alike as far as the rules show: ``1`` is
    ``chars``, and the positions of ``at:`` are sorted. Made by `parse_split`.
    """

    rules: tuple[_Rule, ...]
    """What was joined by ``+``, in that order; at least one."""

    def __str__(self) -> str:
        return "+".join(rule.name for rule in self.rules)

    @property
    def is_recorded(self) -> bool:
        """Whether it leaves a stream exactly as it was recorded."""
        return all(rule.name == "recorded" for rule in self.rules)

    def start(self, run: int) -> Cuts:
        """Return the cuts of one run, for feeding it piece by piece.

        Args:
            run: The number of the run among those of its choice, from 0; only
                `random:SEED` looks at it, so that not all runs are cut alike.

        Returns:
            A function to call with each piece in order. Its answer is explained
            at `Cuts`.
        """
        starts = [rule.start(run) for rule in self.rules]
        if len(starts) == 1:
            return starts[0]
        return lambda text: sorted({offset for cuts in starts for offset in cuts(text)})

    def cut_text(self, text: str) -> list[str]:
        """Cut a text.

        Args:
            text: Any text, also with lone surrogates; a cut is between two code
                points as Python counts them.

        Returns:
            The pieces in order, none of them empty; ``[""]`` for the empty text.
            `recorded` has no recorded cuts here and gives one piece.
        """
        bounds = [0, *(o for o in self.start(0)(text) if o), len(text)]
        return [text[a:b] for a, b in pairwise(bounds)]

    def cut_bytes(self, data: bytes) -> list[bytes]:
        """Cut bytes, also inside a UTF-8 sequence, a CRLF or an escape.

        Args:
            data: Any bytes; `N` and positions count bytes here.

        Returns:
            The pieces in order, none of them empty; ``[b""]`` for no bytes.
        """
        bounds = [0, *(o for o in self.start(0)(data) if o), len(data)]
        return [data[a:b] for a, b in pairwise(bounds)]

    def recut_bytes(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Cut a stream of bytes that comes in pieces, as one run.

        Args:
            pieces: The bytes as they come; empty pieces are dropped.

        Yields:
            The same bytes cut by this split; `recorded` keeps the pieces. Holds
            back the bytes of one unfinished piece: all of them for `whole`.
        """
        cuts = self.start(0)
        held: list[bytes] = []
        for piece in pieces:
            start = 0
            for offset in cuts(piece):
                held.append(piece[start:offset])
                if whole := b"".join(held):
                    yield whole
                held.clear()
                start = offset
            held.append(piece[start:])
        if rest := b"".join(held):
            yield rest


def parse_split(text: str) -> Split:
    """Read a split as the command line and `replay(split=...)` take it.

    Args:
        text: ``recorded``, ``whole``, ``chars``, ``N`` (code points a fragment, from
            1), ``random:SEED`` (0 to 2**64-1), ``at:3,7,12`` (positions in each run;
            0 is the place before its first text) or ``tokens``; or several of them
            joined by ``+``. Blanks around it are ignored.

    Returns:
        The split; `str()` of it is the shortest text that gives it.

    Raises:
        UsageError: It is none of these; the message lists them.
    """
    rules = tuple(_parse_rule(part, text) for part in text.strip().split("+"))
    return Split(tuple(dict.fromkeys(rules)))


_FIXED = {
    "recorded": _Rule("recorded", _recorded),
    "whole": _Rule("whole", _whole),
    "chars": _Rule("chars", partial(_every, 1)),
    "tokens": _Rule("tokens", _tokens),
}


def _parse_rule(part: str, text: str) -> _Rule:
    if part in _FIXED:
        return _FIXED[part]
    head, colon, tail = part.partition(":")
    if not colon and _NUMBER.fullmatch(part) and int(part) > 0:
        size = int(part)
        return _Rule("chars" if size == 1 else str(size), partial(_every, size))
    if head == "random" and _NUMBER.fullmatch(tail) and int(tail) < _SEED_LIMIT:
        return _Rule(f"random:{int(tail)}", partial(_random, int(tail)))
    if head == "at" and all(map(_NUMBER.fullmatch, tail.split(","))):
        positions = sorted({int(position) for position in tail.split(",")})
        return _Rule(f"at:{','.join(map(str, positions))}", partial(_at, positions))
    hint = did_you_mean(part, SPLITS)
    raise UsageError(
        f"split {shorten(text)}: {hint and f'{hint} '}expected one of {SPLIT_FORMS}, "
        f"or several joined by +; got {shorten(part)}"
    )
