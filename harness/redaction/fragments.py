"""Secrets in texts that a body brings in fragments, or escaped.

Owns the way from a find in such a text back to the bytes of the body: texts are
searched as a client reads them, with the escapes of JSON resolved, and again with
those of JSON inside JSON (the arguments of a tool call in a log). What a secret looks
like, the caller knows; where the fragments are, `harness.redaction.body_slots`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from harness.redaction.body_slots import Slots
from harness.redaction.documents import is_event_stream
from harness.redaction.escapes import IN_JSON
from harness.redaction.overlaps import Secret, combined
from harness.redaction.replacements import REDACTED, is_mark
from harness.redaction.secret_names import is_strong
from harness.redaction.slot_places import ALIKE, GUESSES, LEAF
from harness.redaction.spans import COMMAND, LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.redaction.body_slots import Slot
    from harness.redaction.spans import Span


_LEVELS = 3  # of escapes, after those of the body itself: JSON in JSON in JSON
_BATCH = 1 << 20  # bytes of text that are searched at once; large ones go alone
_BETWEEN = b'\n"\0"\n'  # no secret goes on over it; a parameter needs more before it

_OF_LINES = frozenset({LINE, COMMAND})
# Their end is the end of the line: where two texts were taken for one by a guess, the
# other would be part of the value.


def body_secrets(body: bytes, find: Callable[[bytes], list[Span]]) -> list[Secret]:
    """Return the secrets of a body, in fragments or whole.

    Args:
        body: The body as bytes.
        find: Returns where the secrets of a text stand.

    Returns:
        Secrets in the order of their beginnings, each once; no two share a byte.
    """
    is_stream = is_event_stream(body)
    secrets = []
    for start, end, kind in find(body):
        places = _places(body, start, end) if is_stream else ((start, end),)
        value = b"".join(body[first:last] for first, last in places)
        secrets.append(Secret(kind, value, places))
    joined: list[Secret] = []
    guesses: list[Secret] = []
    longer: list[Secret] = []
    if b'"' in body or b"data:" in body:
        slots = Slots(body)
        for batch in _batches(slots):
            for slot, secret in _found(batch, slots, find):
                is_guess = slot.rule >= GUESSES
                if is_guess and secret.kind in _OF_LINES:
                    continue
                if not _is_marked(body, secret, is_guess=is_guess):
                    if slot.rule >= LEAF and _goes_on(body, secret):
                        longer.append(secret)
                    by_rule = guesses if is_guess else joined
                    (by_rule if slot.rule >= ALIKE else secrets).append(secret)
    return combined(secrets, joined, guesses, longer)


class _Text:
    """The text of a slot, with the way back to the body."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.pieces = [
            IN_JSON.text(text) if string >= 0 else text
            for _, string, text in slot.fragments
        ]
        self.joined = b"".join(self.pieces)

    @property
    def is_of_documents(self) -> bool:
        """Each is JSON by itself, such as the messages of a web socket in a log."""
        return len(self.pieces) > 1 and all(
            piece[:1] + piece[-1:] in (b"{}", b"[]") and b'"' in piece
            for piece in self.pieces
        )

    def without_ends(self, start: int, end: int) -> tuple[int, int]:
        """Return a span of the pieces as lines, in all of them joined."""
        line = bisect_right(self._line_starts, start) - 1
        return start - line, end - line

    @cached_property
    def _line_starts(self) -> list[int]:
        sizes = [len(piece) + 1 for piece in self.pieces]
        return [0, *accumulate(sizes)]

    def places(
        self, spans: list[tuple[int, int]], slots: Slots
    ) -> list[tuple[tuple[int, int], ...]]:
        """Return for spans of the text the spans of the body, a tuple for each."""
        starts = [0, *accumulate(map(len, self.pieces))]
        wanted: dict[int, list[tuple[int, int, int]]] = {}
        for number, (start, end) in enumerate(spans):
            for at in range(bisect_right(starts, start) - 1, len(self.pieces)):
                begin = starts[at]
                if begin >= end:
                    break
                piece = (
                    max(start - begin, 0),
                    min(end, starts[at + 1]) - begin,
                    number,
                )
                wanted.setdefault(at, []).append(piece)
        found: list[list[tuple[int, int]]] = [[] for _ in spans]
        for at, pieces in sorted(wanted.items()):
            fragment = self.slot.fragments[at]
            written = [(start, end) for start, end, _ in pieces]
            if fragment.string >= 0:
                written = IN_JSON.written(fragment.text, written)
            begin = slots.start(fragment)
            for (start, end), (_, _, number) in zip(written, pieces, strict=True):
                found[number].append((begin + start, begin + end))
        return [tuple(places) for places in found]


def _batches(slots: Slots) -> Iterator[list[_Text]]:
    batch: list[_Text] = []
    size = 0
    for slot in slots:
        text = _Text(slot)
        batch.append(text)
        size += len(text.joined)
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _found(
    batch: list[_Text], slots: Slots, find: Callable[[bytes], list[Span]]
) -> Iterator[tuple[Slot, Secret]]:
    levels: list[tuple[_Text, tuple[bytes, ...]]]
    levels = [(text, (text.joined,)) for text in batch]
    for _ in range(_LEVELS):
        found = _searched([raws[-1] for _, raws in levels], find)
        for number, spans in found.items():
            places = [span[:2] for span in spans]
            for raw in levels[number][1][-2::-1]:
                places = IN_JSON.written(raw, places)
            found[number] = [
                span._replace(start=start, end=end)
                for span, (start, end) in zip(spans, places, strict=True)
            ]
        yield from _secrets([text for text, _ in levels], found, slots)
        levels = [
            (text, (*raws, IN_JSON.text(raws[-1])))
            for text, raws in levels
            if b"\\" in raws[-1]
        ]
    for text in batch:
        if text.slot.rule <= ALIKE and text.is_of_documents:
            for secret in body_secrets(b"\n".join(text.pieces), find):
                inside = [text.without_ends(*place) for place in secret.places]
                where = [place for one in text.places(inside, slots) for place in one]
                yield text.slot, secret._replace(places=tuple(where))


def _searched(
    texts: list[bytes], find: Callable[[bytes], list[Span]]
) -> dict[int, list[Span]]:
    """Search texts all at once; return what is found by the number of its text."""
    starts = []
    offset = len(_BETWEEN)
    for text in texts:
        starts.append(offset)
        offset += len(text) + len(_BETWEEN)
    found: dict[int, list[Span]] = {}
    if texts:
        for span in find(_BETWEEN.join([b"", *texts, b""])):
            number = bisect_right(starts, span.start) - 1
            start = span.start - starts[number]
            end = min(span.end - starts[number], len(texts[number]))
            if number >= 0 and start < end:
                found.setdefault(number, []).append(span._replace(start=start, end=end))
    return found


def _secrets(
    texts: list[_Text], found: dict[int, list[Span]], slots: Slots
) -> Iterator[tuple[Slot, Secret]]:
    for number, spans in found.items():
        text = texts[number]
        places = text.places([(start, end) for start, end, _ in spans], slots)
        for (start, end, kind), where in zip(spans, places, strict=True):
            yield text.slot, Secret(kind, text.joined[start:end], where)


_IN_DELTA = re.compile(rb'"delta"\s{0,20}:\s{0,20}(?:"|\{[^{}]{0,200})\Z')


def _goes_on(body: bytes, secret: Secret) -> bool:
    """Return whether all but the first piece of a text are in deltas, or drawn."""
    ends = [0, *(end for _, end in secret.places)]
    rest = secret.value[ends[1] - secret.places[0][0] :]
    if is_strong(rest.decode("utf-8", "replace"), least=6):
        return True  # and no word of another text
    return len(secret.places) > 1 and all(
        _IN_DELTA.search(body, max(end, start - 300), start)
        for end, (start, _) in list(zip(ends, secret.places, strict=False))[1:]
    )


_FRAMING = re.compile(rb"[\r\n]++(?:(?:data|event|id)(?::[ ]?+|\Z))?")


def _places(body: bytes, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Return a span without the line ends and field names of an event stream."""
    edges = [start]
    for match in _FRAMING.finditer(body, start, end):
        edges += match.span()
    edges.append(end)
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((first, last) for first, last in pairs if first < last)


def _is_marked(body: bytes, secret: Secret, *, is_guess: bool) -> bool:
    """Return whether a find is made of what an earlier redaction left."""
    parts = [body[start:end] for start, end in secret.places]
    are_marks = [is_mark(part) for part in parts]
    if is_guess or not any(are_marks):
        return any(are_marks)
    return all(
        is_one or part in REDACTED.encode()
        for part, is_one in zip(parts, are_marks, strict=True)
    )
