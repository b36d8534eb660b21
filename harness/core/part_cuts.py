"""Put a rule of cuts to the parts of an answer, whatever its API.

The counterpart of `harness.apis.chat.cutting`, which keeps every field of a chat
chunk: here the text of neighbouring parts of one kind and one call is a run, and a
split sets where it is cut. Signatures, ids, items and whole objects are never cut, and
nothing is moved over them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.parts import (
    CallPart,
    Head,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.core.splits import Split

    Timed = tuple[float | None, list[Part]]


def recut_parts(events: Iterable[Timed], split: Split) -> Iterator[Timed]:
    """Cut the texts of an answer anew.

    Args:
        events: The time and the parts of each event, in order.
        split: Where to cut.

    Yields:
        The same answer: lists of parts, each with the time of the event that its end
        came in. One unfinished piece of each choice is held back. O(total size).
    """
    choices: dict[int, _Choice] = {}
    for at, parts in events:
        for part in parts:
            number, inner = (
                (part.choice, part.part) if isinstance(part, OtherChoice) else (0, part)
            )
            choice = choices.get(number)
            if choice is None:
                choice = choices[number] = _Choice(number, split)
            yield from choice.feed(inner, at)
    for choice in choices.values():
        yield from choice.flush()


class _Choice:
    """The run that is being cut in one choice."""

    def __init__(self, number: int, split: Split) -> None:
        self._number = number
        self._split = split
        self._runs = 0
        self._key: tuple[object, ...] = ()
        self._cuts: Callable[[str], list[int]] | None = None
        self._held: Part | None = None
        self._at: float | None = None

    def feed(self, part: Part, at: float | None) -> Iterator[Timed]:
        text = _text_of(part)
        if not text:
            if not isinstance(part, Head | Usage | Problem):
                yield from self.flush()
                self._key = ()
            yield at, [self._own(part)]
            return
        key = (type(part), id(part.call) if isinstance(part, CallPart) else 0)
        if key != self._key:
            yield from self.flush()
            self._key = key
            self._cuts = self._split.start(self._runs)
            self._runs += 1
        assert self._cuts is not None
        start = 0
        for offset in [*self._cuts(text), len(text)]:
            piece = text[start:offset]
            if offset == 0 and isinstance(part, CallPart) and _announces(part):
                yield from self.flush()
                yield at, [self._own(_with(part, ""))]
                part = CallPart(part.call, "", part.arguments, is_new=False)
            elif piece:
                self._hold(_with(part, piece), at)
                if isinstance(part, CallPart):
                    part = CallPart(part.call, "", part.arguments, is_new=False)
            if offset < len(text):
                yield from self.flush()
            start = offset

    def flush(self) -> Iterator[Timed]:
        if self._held is not None:
            held, self._held = self._held, None
            yield self._at, [self._own(held)]

    def _hold(self, part: Part, at: float | None) -> None:
        self._at = at
        if self._held is not None:
            part = _with(self._held, _text_of(self._held) + _text_of(part))
        self._held = part

    def _own(self, part: Part) -> Part:
        return OtherChoice(self._number, part) if self._number else part


def _announces(part: CallPart) -> bool:
    return bool(part.is_new or part.name or part.id)


def _text_of(part: Part) -> str:
    if isinstance(part, Text | Reasoning | Refusal):
        return part.text
    return part.arguments if isinstance(part, CallPart) else ""


def _with(part: Part, text: str) -> Part:
    """Return a part of the same kind with another text."""
    if isinstance(part, CallPart):
        return CallPart(part.call, part.name, text, part.is_new, part.id)
    assert isinstance(part, Text | Reasoning | Refusal)
    return type(part)(text)
