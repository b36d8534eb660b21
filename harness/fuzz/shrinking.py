"""From what failed to the smallest arrival that still fails in the same way.

Fragments lose cuts and characters; streams lose chunks, fields, calls and text, and
neighbours are merged. A smaller arrival must stay as well-formed as the one that was
found: what was a JSON object stays one, what was finished stays finished. Everything
is tried in a fixed order and the number of tries is bounded, so the result is the
same on every machine.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.chat.dialects import parse_dialect
from harness.apis.chat.dialects.parts import CallTracker
from harness.apis.varied import dialects_of
from harness.core.json_paths import value_at, with_value
from harness.fuzz.api_shrinking import shrink_events
from harness.fuzz.arrivals import (
    Arrival,
    chunks_of,
    payloads_of_bytes,
    truth_of,
)
from harness.fuzz.cuts import cut_at
from harness.fuzz.descending import (
    LONG_TEXT,
    MANY,
    Tries,
    descend,
    failing_cut,
    fewer_of_many,
    fewer_pieces,
    shorter,
    shrink_pieces,
)
from harness.fuzz.fused_chunks import fused, fused_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.apis.chat.dialects import Framing
    from harness.fuzz.arrivals import Truth

_TRIES = 3000  # of the consumer; a stream of ten chunks takes a few hundred
_KEPT = frozenset(("id", "object", "created", "model", "choices", "error"))
_KEPT_OF_CHOICE = frozenset(("index", "delta", "finish_reason"))
_EVERY_SPAN_UP_TO = 40  # code points; longer texts lose halves, quarters, ... of them
_ESCAPED_LETTER = re.compile(r"\\u(00[4-7][0-9a-fA-F])")


def shrink(
    arrival: Arrival,
    fails: Callable[[Arrival], bool],
    key: str,
    *,
    tries: int = _TRIES,
    api: str = "chat",
) -> Arrival:
    """Return a small arrival that still fails.

    Args:
        arrival: One that fails.
        fails: Returns whether an arrival fails in the same way.
        key: The key that fragments are about.
        tries: How many arrivals are tried at most.
        api: Whose events it has.

    Returns:
        The smallest that was found; the given one if none is smaller.
    """
    if not arrival:
        return arrival
    if api != "chat":
        return shrink_events(arrival, fails, api, tries)
    truth = truth_of(arrival, key)
    test = Tries(fails, lambda other: _is_as_sound(truth, other, key), tries)
    if isinstance(arrival[0], str):
        return _shrink_fragments(arrival, test)
    if isinstance(arrival[0], bytes):
        return _shrink_bytes(arrival, fails, test, key)
    return _shrink_stream(arrival, test)


def _is_as_sound(truth: Truth, other: Arrival, key: str) -> bool:
    if not truth.is_sound and not truth.has_text:
        return True
    said = truth_of(other, key)
    has_names = not all(c.name for c in truth.calls) or all(c.name for c in said.calls)
    return (
        has_names
        and said.is_sound >= truth.is_sound
        and said.has_text >= truth.has_text
        and said.is_ended >= truth.is_ended
    )


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


def _shrink_fragments(arrival: Arrival, test: Tries) -> Arrival:
    text = "".join(arrival)
    places: list[int] = []
    for fragment in arrival[:-1]:
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


def _shrink_stream(stream: Arrival, test: Tries) -> Arrival:
    stream = fewer_of_many(stream, test)
    before = None
    while before != stream and len(stream) <= MANY:
        before = stream
        for candidates in (fused_spans, shorter, fused, _barer, _with_less_text):
            stream = descend(stream, candidates, test)
    return stream


def _barer(stream: Arrival) -> Iterator[Arrival]:
    for number, payload in enumerate(stream):
        for bare in _barer_payloads(payload):
            yield (*stream[:number], bare, *stream[number + 1 :])


def _barer_payloads(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    extra = [field for field in payload if field not in _KEPT]
    if extra:
        yield {field: v for field, v in payload.items() if field in _KEPT}
        for field in extra:
            yield {k: v for k, v in payload.items() if k != field}
    choices = payload.get("choices")
    if not isinstance(choices, list):
        return
    for number, choice in enumerate(choices):
        if len(choices) > 1:
            rest = choices[:number] + choices[number + 1 :]
            yield {**payload, "choices": rest}
        if isinstance(choice, dict):
            for bare in _barer_choices(choice):
                changed = [*choices[:number], bare, *choices[number + 1 :]]
                yield {**payload, "choices": changed}


def _barer_choices(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for field in choice:
        if field not in _KEPT_OF_CHOICE:
            yield {k: v for k, v in choice.items() if k != field}
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return
    for field, value in delta.items():
        yield {**choice, "delta": {k: v for k, v in delta.items() if k != field}}
        if field == "tool_calls" and isinstance(value, list) and len(value) > 1:
            for number in range(len(value)):
                rest = value[:number] + value[number + 1 :]
                yield {**choice, "delta": {**delta, field: rest}}


_Place = tuple[int, tuple[Any, ...]]


def _with_less_text(stream: Arrival) -> Iterator[Arrival]:
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


def runs_of(stream: Arrival) -> list[list[_Place]]:
    """Return the places of each text that comes in pieces: one list a text."""
    runs: dict[Any, list[_Place]] = {}
    tracker = CallTracker()
    for number, payload in enumerate(stream):
        for position, choice in enumerate(payload.get("choices") or []):
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if not isinstance(delta, dict):
                continue
            at = ("choices", position, "delta")
            for field, value in delta.items():
                if isinstance(value, str) and value and field != "role":
                    runs.setdefault((position, field), []).append(
                        (number, (*at, field))
                    )
            entries = delta.get("tool_calls")
            for place, entry in enumerate(entries if isinstance(entries, list) else []):
                if not isinstance(entry, dict):
                    continue
                call = tracker.call_of(position, entry)
                function = entry.get("function")
                function = function if isinstance(function, dict) else {}
                for field in ("arguments", "name"):
                    value = function.get(field)
                    if isinstance(value, str) and value:
                        path = (*at, "tool_calls", place, "function", field)
                        mark = (position, id(call), field)
                        if field == "name" and _is_resent(stream, runs, mark, value):
                            continue
                        runs.setdefault(mark, []).append((number, path))
    return list(runs.values())


def _is_resent(
    stream: Arrival, runs: dict[Any, list[_Place]], mark: Any, value: str
) -> bool:
    return any(value_at(stream[n], path) == value for n, path in runs.get(mark, []))


def _shrink_bytes(
    pieces: Arrival, fails: Callable[[Arrival], bool], test: Tries, key: str
) -> Arrival:
    """Shrink what the bytes hold, written with a framing that still fails."""
    payloads = payloads_of_bytes(pieces)
    for name in (
        "recorded",
        *(p.name for p in dialects_of("chat").values() if p.framing),
    ):
        framing = parse_dialect(name).framing
        cut = failing_cut(_framed(payloads, framing), fails) if payloads else None
        if cut is not None:
            write = partial(_written, framing, cut)
            return _shrink_written(payloads, write, fails, key, test.left // 2)
    return shrink_pieces(pieces, fails, bool, (shorter,), test.left)


def _shrink_written(
    payloads: Arrival,
    write: Callable[[Arrival], Arrival],
    fails: Callable[[Arrival], bool],
    key: str,
    tries: int,
) -> Arrival:
    truth = truth_of(payloads, key)
    test = Tries(
        lambda stream: fails(write(stream)),
        lambda other: _is_as_sound(truth, other, key),
        tries,
    )
    return fewer_pieces(write(_shrink_stream(payloads, test)), fails, test.left)


def _written(
    framing: Framing, cut: Callable[[Arrival], Arrival], stream: Arrival
) -> Arrival:
    return cut(_framed(stream, framing))


def _framed(stream: Arrival, framing: Framing) -> Arrival:
    return tuple(framing.encode(chunks_of(stream)))
