"""From what failed to the smallest input that still fails in the same way.

Fragments lose cuts and characters; streams lose events, fields, calls and text, and
neighbours are merged. A smaller input must stay as well-formed as the one that was
found: what was a JSON object stays one, what was finished stays finished. Everything
is tried in a fixed order and the number of tries is bounded, so the result is the
same on every machine. What only one API has to lose is in its `shrinking` module.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.chat.dialects.registry import parse_dialect
from harness.apis.chat.shrinking import barer, fused, fused_spans, runs_of
from harness.apis.json_values import is_json
from harness.apis.responses.shrinking import stated_once
from harness.apis.varied import dialects_of
from harness.core.json_paths import value_at, with_value
from harness.fuzz.api_inputs import api_payloads, smaller_answers
from harness.fuzz.cuts import cut_at
from harness.fuzz.finding_cassettes import event_bytes
from harness.fuzz.fuzz_inputs import FuzzInput, chunks_of, payloads_of_bytes, truth_of
from harness.fuzz.shrink_search import (
    LONG_TEXT,
    MANY,
    Tries,
    descend,
    failing_cut,
    fewer_of_many,
    fewer_pieces,
    shorter,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.apis.framing import Framing

    Step = Callable[[FuzzInput], Iterator[FuzzInput]]

_TRIES = 3000  # of the consumer; a stream of ten chunks takes a few hundred
_EVERY_SPAN_UP_TO = 40  # code points; longer texts lose halves, quarters, ... of them
_ESCAPED_LETTER = re.compile(r"\\u(00[4-7][0-9a-fA-F])")
_EVENT_ENDS = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)|(?<=\r\r)")


def shrink(
    fed: FuzzInput,
    fails: Callable[[FuzzInput], bool],
    key: str,
    *,
    tries: int = _TRIES,
    api: str = "chat",
) -> FuzzInput:
    """Return a small input that still fails.

    Args:
        fed: One that fails.
        fails: Returns whether an input fails in the same way.
        key: The key that fragments are about.
        tries: How many inputs are tried at most.
        api: Whose events it has.

    Returns:
        The smallest that was found; the given one if none is smaller.
    """
    if not fed:
        return fed
    if isinstance(fed[0], bytes):
        return _shrink_bytes(fed, fails, key, api, tries)
    test = Tries(fails, _as_sound_as(fed, key, api), tries)
    if isinstance(fed[0], str):
        return _shrink_fragments(fed, test)
    return _shrink_stream(fed, test, api)


def _as_sound_as(fed: FuzzInput, key: str, api: str) -> Callable[[FuzzInput], bool]:
    """Return what decides whether another input is as sound: as a server sends it."""
    truth = truth_of(fed, key, api)
    twice = _begun_twice(fed)
    is_named = all(call.name for call in truth.calls)
    has_json = api != "chat" and all(is_json(call.arguments) for call in truth.calls)

    def is_as_sound(other: FuzzInput) -> bool:
        found = truth_of(other, key, api)
        return (
            found.is_ended >= truth.is_ended
            and found.has_text >= truth.has_text
            and (api != "chat" or found.is_sound >= truth.is_sound)
            and all(call.name or not is_named for call in found.calls)
            and all(is_json(call.arguments) or not has_json for call in found.calls)
            and _begun_twice(other) <= twice
        )

    return is_as_sound


def _begun_twice(fed: FuzzInput) -> int:
    """Count the blocks that begin under a number that another one has."""
    numbers = [
        _place(payload)
        for payload in api_payloads(fed)
        if isinstance(payload, dict)
        and payload.get("type") in {"content_block_start", "response.output_item.added"}
    ]
    return len(numbers) - len(set(numbers))


def _place(payload: dict[str, Any]) -> tuple[Any, Any]:
    return payload.get("index"), payload.get("output_index")


def _steps_of(api: str) -> tuple[Step, ...]:
    if api == "chat":
        return (fused_spans, shorter, fused, barer, _with_less_text)
    # What comes twice goes first: else it would stand in for what is left out.
    return (partial(smaller_answers, api), stated_once, _fewer_events)


def _fewer_events(stream: FuzzInput) -> Iterator[FuzzInput]:
    yield from shorter(stream)
    places = [*map(_place, stream)]
    for place in sorted({*places} - {(None, None)}, key=str):  # the whole of a block
        yield tuple(stream[n] for n, other in enumerate(places) if other != place)
    yield from _joined_events(stream)


def _spans(length: int) -> Iterator[tuple[int, int]]:
    """Yield what to take out of a text, the largest spans first."""
    if length <= _EVERY_SPAN_UP_TO:
        for size in range(length, 0, -1):
            for start in range(length - size + 1):
                yield start, start + size
        return
    is_long = length > LONG_TEXT
    size = length
    while size > (length // 64 if is_long else 0):
        for start in range(0, length, max(1, length // 4 if is_long else size // 2)):
            yield start, min(length, start + size)
        size //= 2


def _shrink_fragments(fed: FuzzInput, test: Tries) -> FuzzInput:
    text = "".join(fed)
    places: list[int] = []
    for fragment in fed[:-1]:
        places.append((places[-1] if places else 0) + len(fragment))
    places = _fewer_places(text, places, test)
    before = None
    while before != (text, places):
        before = (text, list(places))
        for start, end in _spans(len(text)):
            if end > len(text):
                continue
            shorter = text[:start] + text[end:]
            moved = [_moved(place, start, end) for place in places]
            if test(cut_at(shorter, moved)):
                text, places = shorter, moved
        places = _fewer_places(text, places, test)
        text, places = _unescaped(text, places, test)
        for number, character in enumerate(text):
            if character.isalnum() and character not in "a1u":
                simpler = text[:number] + "a" + text[number + 1 :]
                if test(cut_at(simpler, places)):
                    text = simpler
    return cut_at(text, places)


def _unescaped(text: str, places: list[int], test: Tries) -> tuple[str, list[int]]:
    """Write escaped letters as they are, one by one, where it still fails."""
    for match in reversed([*_ESCAPED_LETTER.finditer(text)]):
        start, end = match.span()
        letter = chr(int(match[1], 16))
        plainer = text[:start] + letter + text[end:]
        moved = [_moved(place, start + 1, end) for place in places]
        if test(cut_at(plainer, moved)):
            text, places = plainer, moved
    return text, places


def _moved(place: int, start: int, end: int) -> int:
    return place if place <= start else max(start, place - (end - start))


def _fewer_places(text: str, places: list[int], test: Tries) -> list[int]:
    size = len(places)
    while size:
        start = 0
        while start < len(places):
            fewer = places[:start] + places[start + size :]
            if test(cut_at(text, fewer)):
                places = fewer
            else:
                start += size
        size //= 2
    return places


def _shrink_stream(stream: FuzzInput, test: Tries, api: str) -> FuzzInput:
    stream = fewer_of_many(stream, test)
    steps = _steps_of(api)
    before = None
    while before != stream and len(stream) <= MANY:
        before = stream
        for candidates in steps:
            stream = descend(stream, candidates, test)
        if api != "chat":  # a second round takes many tries for a few characters
            break
    return stream


def _with_less_text(stream: FuzzInput) -> Iterator[FuzzInput]:
    for places in runs_of(stream):
        pieces = [value_at(stream[number], path) for number, path in places]
        text = "".join(pieces)
        for start, end in _spans(len(text)):
            changed = list(stream)
            base = 0
            for (number, path), piece in zip(places, pieces, strict=True):
                low, high = max(start - base, 0), max(end - base, 0)
                left = piece[:low] + piece[high:]
                if not left and path[-1] == "name":
                    break  # nobody sends an empty name
                changed[number] = with_value(changed[number], path, left)
                base += len(piece)
            else:
                yield tuple(changed)


def _joined_events(stream: FuzzInput) -> Iterator[FuzzInput]:
    """Join two events that differ in one text, as fragments of one thing do."""
    for second in range(1, len(stream)):
        for first in range(second):
            joined = _joined(stream[first], stream[second])
            if joined is not None:
                rest = (*stream[first + 1 : second], joined, *stream[second + 1 :])
                yield (*stream[:first], *rest)


def _joined(one: Any, two: Any) -> Any:
    """Join two JSON values that differ in one text; None if they differ otherwise."""
    if isinstance(one, str) and isinstance(two, str):
        return one + two
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        other = [k for k in one if one[k] != two[k] and k != "sequence_number"]
        if len(other) == 1:
            inner = _joined(one[other[0]], two[other[0]])
            return None if inner is None else {**two, other[0]: inner}
    return None


def _shrink_bytes(
    pieces: FuzzInput,
    fails: Callable[[FuzzInput], bool],
    key: str,
    api: str,
    tries: int,
) -> FuzzInput:
    """Shrink what the bytes hold, as we write it if that fails; then how it is cut.

    Else events are left out of them as they came.
    """

    def smaller(
        stream: FuzzInput,
        write: Callable[[FuzzInput], FuzzInput],
        is_allowed: Callable[[FuzzInput], bool],
        shrink_stream: Callable[[FuzzInput, Tries], FuzzInput],
    ) -> FuzzInput | None:
        cut = failing_cut(write(stream), fails)
        if cut is None:
            return None
        test = Tries(lambda other: fails(cut(write(other))), is_allowed, tries // 2)
        small = shrink_stream(stream, test)
        return fewer_pieces(cut(write(small)), fails, test.left)

    payloads = payloads_of_bytes(pieces)
    for write in _writers(api) if payloads else ():
        is_allowed = _as_sound_as(payloads, key, api)
        shrink_stream = partial(_shrink_stream, api=api)
        small = smaller(payloads, write, is_allowed, shrink_stream)
        if small is not None:
            return small
    events = tuple(event for event in _EVENT_ENDS.split(b"".join(pieces)) if event)
    is_allowed = bool if api == "chat" else _as_sound_as(pieces, key, api)
    small = smaller(events, tuple, is_allowed, lambda s, t: descend(s, shorter, t))
    return fewer_pieces(pieces, fails, tries) if small is None else small


def _writers(api: str) -> list[Callable[[FuzzInput], FuzzInput]]:
    """Return the ways to write a stream as bytes, an event a piece."""
    if api != "chat":
        return [lambda stream: tuple(event_bytes(stream, api))]
    names = (p.name for p in dialects_of("chat").values() if p.framing)
    return [partial(_framed, parse_dialect(n).framing) for n in ("recorded", *names)]


def _framed(framing: Framing, stream: FuzzInput) -> FuzzInput:
    return tuple(framing.encode(chunks_of(stream)))
