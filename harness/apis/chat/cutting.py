"""Put a rule of cuts to the deltas of a chunk stream, so that it means the same.

The text of a chunk stream comes in units: the reasoning, the content and the refusal
of a delta, and the arguments of each call in it. Neighbouring units of one choice,
one kind and one call are a run; `harness.core.splits` decides where a run is cut.
Where nothing is cut, neighbouring units are merged, unless that would lose
something: names are never merged, nor fields that contradict each other.

What stays, whatever the cuts (`harness docs call-identity`): the text of every kind,
the calls, their order and that of the kinds. What goes where:

- role, a call's id, type and name, and fields nobody knows: the first piece of
  the delta they came in. An id that the provider sends again and again is kept on
  every piece, because calls that share an index are distinguished by it.
- finish reason, logprobs and other fields of the choice, and usage: the last piece.
- the completion's id, model and date, and fields that are null: every piece.
- several units in one delta, or several choices in one chunk, stay in one chunk as
  long as none of them is cut; else each gets chunks of its own, in reading order.
- merged chunks: lists and logprobs are joined; of the completion's id, model and
  date the first one counts, of other fields the last.

Choices are cut independently of each other. A piece has the number and the time of
the chunk that its end came in; they never run backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.apis.chat.chunks import Chunk, Payload
from harness.apis.chat.deltas import choice_index
from harness.apis.chat.slots import Unit, blend_deltas, continues, put_text, units_of

if TYPE_CHECKING:
    from harness.core.splits import Split

StartRun: TypeAlias = Callable[[int], Callable[[str], list[int]]]

# Every chunk of a completion repeats these; they name which completion it is.
_ENVELOPE = frozenset(
    (
        "id",
        "object",
        "created",
        "model",
        "system_fingerprint",
        "service_tier",
        "provider",
    )
)


def cut_chunks(split: Split, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Cut the text deltas of a chunk stream; what it carries stays the same.

    Args:
        split: Where to cut: each run of text is fed to what `Split.start` returns.
        chunks: The stream; its payloads are never changed, what is yielded shares
            their unchanged parts.

    Yields:
        The stream cut by this split, lazily, in order. One unfinished piece of each
        choice is held back until its end is known. O(total size).
    """
    if split.is_recorded:
        yield from chunks
        return
    recutter = _Recutter(split.start)
    for chunk in chunks:
        yield from recutter.feed(chunk)
    yield from recutter.flush_all()


class _Single(NamedTuple):
    """A payload with at most one unit, and where that unit's text is to be cut."""

    choice: int
    payload: Payload
    unit: Unit | None
    offsets: list[int]


class _Held:
    """A piece whose end is not known yet."""

    def __init__(self, chunk: Chunk, payload: Payload, unit: Unit) -> None:
        self.index, self.at = chunk.index, chunk.at
        self.payload = payload
        self.unit = unit
        self.texts = [unit.text]

    def close(self) -> Payload:
        if len(self.texts) == 1:
            return self.payload
        return put_text(self.payload, self.unit, "".join(self.texts))


class _Choice:
    """What is known of one choice."""

    def __init__(self) -> None:
        self.held: _Held | None = None
        self.run: Unit | None = None
        self.runs = 0
        self.cuts: Callable[[str], list[int]] | None = None
        self.ids: set[str] = set()


class _Recutter:
    """The state between two chunks."""

    def __init__(self, start_run: StartRun) -> None:
        self._start_run = start_run
        self._choices: dict[int, _Choice] = {}
        self._index = 0
        self._at: float | None = None

    def feed(self, chunk: Chunk) -> Iterator[Chunk]:
        """Take the next chunk; yield what is finished by it."""
        choices = chunk.payload.get("choices")
        readable = isinstance(choices, list) and all(
            isinstance(choice, dict) for choice in choices
        )
        if not readable or not choices or chunk.payload.get("error"):
            yield from self.flush_all()
            yield self._stamp(chunk.index, chunk.at, chunk.payload)
            return
        singles = list(self._singles(chunk.payload, choices))
        is_bundle = len(singles) > 1
        if is_bundle and not any(any(single.offsets) for single in singles):
            yield from self.flush_all()
            yield self._stamp(chunk.index, chunk.at, chunk.payload)
            return
        if is_bundle:
            singles = _apart(chunk.payload, singles)
        for single in singles:
            yield from self._feed_single(chunk, single)

    def flush_all(self) -> Iterator[Chunk]:
        """Yield every held piece, oldest first."""
        holding = [choice for choice in self._choices.values() if choice.held]
        holding.sort(key=lambda choice: choice.held.index if choice.held else 0)
        for choice in holding:
            yield from self._flush(choice)

    def _singles(
        self, payload: Payload, choices: list[dict[str, Any]]
    ) -> Iterator[_Single]:
        for choice in choices:
            index = choice_index(choice)
            state = self._choices.setdefault(index, _Choice())
            units = units_of(choice, state.ids)
            if not units:
                yield _Single(index, payload, None, [])
            for unit in units:
                yield _Single(index, payload, unit, self._cut(state, unit))

    def _cut(self, state: _Choice, unit: Unit) -> list[int]:
        """Move the choice's run on by one unit; return where to cut its text."""
        if state.run is None or not continues(state.run, unit):
            state.cuts = None
            state.run = unit
        elif unit.call_id:
            state.run = unit
        if unit.is_opaque or not unit.text:
            return []
        if state.cuts is None:
            state.cuts = self._start_run(state.runs)
            state.runs += 1
        offsets = state.cuts(unit.text)
        if unit.name and not unit.call_id and offsets:
            # Without an id it is the start of an object beside the name that shows
            # another call (see `harness.apis.chat.deltas`), so that start stays there.
            blanks = len(unit.text) - len(unit.text.lstrip())
            offsets = [offset for offset in offsets if not 0 < offset <= blanks]
        return offsets

    def _feed_single(self, chunk: Chunk, single: _Single) -> Iterator[Chunk]:
        state = self._choices[single.choice]
        unit = single.unit
        if unit is None or unit.is_opaque:
            yield from self._flush(state)
            yield self._stamp(chunk.index, chunk.at, single.payload)
            return
        if not unit.text or (single.offsets and single.offsets[0] == 0):
            yield from self._flush(state)
        pieces = _cut_payload(single.payload, unit, single.offsets)
        for number, (payload, piece) in enumerate(pieces):
            held = state.held
            if number or (held and not _merge(held, chunk, payload, piece)):
                yield from self._flush(state)
            if state.held is None:
                state.held = _Held(chunk, payload, piece)
        if state.held and _is_last(state.held.payload, unit):
            yield from self._flush(state)

    def _flush(self, choice: _Choice) -> Iterator[Chunk]:
        held = choice.held
        if held is not None:
            choice.held = None
            yield self._stamp(held.index, held.at, held.close())

    def _stamp(self, index: int, at: float | None, payload: Payload) -> Chunk:
        self._index = max(self._index, index)
        if at is not None and (self._at is None or at > self._at):
            self._at = at
        return Chunk(self._index, None if at is None else self._at, payload)


def _is_last(payload: Payload, unit: Unit) -> bool:
    """Return whether nothing may be merged behind this piece."""
    return bool(payload["choices"][0].get("finish_reason")) or not unit.may_wait


def _apart(payload: Payload, singles: list[_Single]) -> list[_Single]:
    """Give each unit of a chunk a payload of its own, in reading order."""
    apart: list[_Single] = []
    last = len(singles) - 1
    position = 0
    for choice in payload["choices"]:
        count = max(1, len(units_of(choice, set())))
        for number in range(count):
            _, _, unit, offsets = singles[position]
            alone = _outer_part(
                payload, is_first=position == 0, is_last=position == last
            )
            part = choice
            if unit is not None and count > 1:
                part = _choice_part(choice, is_last=number == count - 1)
                delta = choice["delta"]
                texts = {field for field in delta if field in unit.text_fields}
                part["delta"] = {
                    field: value
                    for field, value in delta.items()
                    if field == unit.field
                    or field in unit.mirrors
                    or (number == 0 and field not in texts)
                }
                if unit.field == "tool_calls":
                    part["delta"]["tool_calls"] = [delta["tool_calls"][unit.position]]
                    unit = unit._replace(position=0)
            alone["choices"] = [part]
            apart.append(_Single(choice_index(choice), alone, unit, offsets))
            position += 1
    return apart


def _outer_part(payload: Payload, *, is_first: bool, is_last: bool) -> Payload:
    """Copy the fields of a payload that one of its pieces carries."""
    if is_first and is_last:
        return dict(payload)
    return {
        field: value
        for field, value in payload.items()
        if field in _ENVELOPE
        or field == "choices"
        or value is None
        or (is_last if field == "usage" else is_first)
    }


def _choice_part(choice: dict[str, Any], *, is_last: bool) -> dict[str, Any]:
    """Copy the fields of a choice that one of its pieces carries."""
    if is_last:
        return dict(choice)
    part = {k: v for k, v in choice.items() if k in {"index", "delta"} or v is None}
    for field in ("finish_reason", "logprobs"):
        if field in choice:
            part[field] = None
    return part


def _cut_payload(
    payload: Payload, unit: Unit, offsets: list[int]
) -> list[tuple[Payload, Unit]]:
    """Cut a payload with one unit; without cuts it is returned as it is."""
    bounds = [0, *(offset for offset in offsets if offset), len(unit.text)]
    if len(bounds) == 2:
        return [(payload, unit)]
    choice = payload["choices"][0]
    pieces = []
    last = len(bounds) - 2
    for number in range(last + 1):
        text = unit.text[bounds[number] : bounds[number + 1]]
        piece = _outer_part(payload, is_first=number == 0, is_last=number == last)
        part = _choice_part(choice, is_last=number == last)
        piece["choices"] = [part]
        if number == 0:
            pieces.append((put_text(piece, unit, text), unit._replace(text=text)))
        else:
            part["delta"], rest = unit.continuation(choice["delta"], text)
            pieces.append((piece, rest))
    return pieces


def _merge(held: _Held, chunk: Chunk, payload: Payload, unit: Unit) -> bool:
    """Merge a payload into the held piece; False, and nothing done, if it cannot be."""
    if not continues(held.unit, unit) or not held.unit.is_like(unit):
        return False
    old_choice, new_choice = held.payload["choices"][0], payload["choices"][0]
    delta = blend_deltas(old_choice["delta"], new_choice["delta"], unit)
    if delta is None:
        return False
    choice = _update(old_choice, new_choice)
    choice["delta"] = delta
    choice_logprobs = _join_logprobs(
        old_choice.get("logprobs"), new_choice.get("logprobs")
    )
    if choice_logprobs is not None:
        choice["logprobs"] = choice_logprobs
    merged = _update(held.payload, payload)
    for field in _ENVELOPE & held.payload.keys():
        merged[field] = held.payload[field] or merged[field]
    merged["choices"] = [choice]
    held.payload = merged
    held.texts.append(unit.text)
    held.index, held.at = chunk.index, chunk.at
    return True


def _update(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    updated = {**old, **new}
    for field, value in new.items():
        if value is None and old.get(field) is not None:
            updated[field] = old[field]
    return updated


def _join_logprobs(old: object, new: object) -> dict[str, Any] | None:
    """Join the lists of two logprobs objects; None if there is nothing to join."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return None
    joined = _update(old, new)
    for field, value in new.items():
        known = old.get(field)
        if isinstance(known, list) and isinstance(value, list):
            joined[field] = known + value
    return joined
