"""What a stream carries, in one order, for writers with ways of their own.

Reading is left to `harness.apis.chat.deltas`; this file only completes it for whoever
writes: a call is passed on once its name is final, every call has an id, and a finish
is passed on last, whatever the provider did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.apis.chat.chunks import Chunk, Payload, payload_error
from harness.apis.chat.deltas import DeltaReader, choice_index
from harness.apis.chat.reader import WHOLE_FIELDS
from harness.apis.json_values import dicts_of
from harness.core.parts import CallPart, Finish, Reasoning, Refusal, Text, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Call(NamedTuple):
    """A call whose name is final."""

    position: int
    """Number among the calls of its choice, from 0."""
    id: str
    """As sent, else ``call_<position>``; unique within its choice."""
    name: str
    """Empty where none came."""
    is_custom: bool = False
    """Whether its arguments are any text (OpenAI's custom tools)."""


class Open(NamedTuple):
    """A call begins."""

    call: Call


class Fragment(NamedTuple):
    """More of a call's arguments."""

    call: Call
    text: str
    """Never empty."""


class Attached(NamedTuple):
    """What a delta carries that is never cut."""

    fields: dict[str, list[Any]]
    """Fields of `WHOLE_FIELDS`."""


class Start(NamedTuple):
    """A choice appears for the first time."""


CarriedPart: TypeAlias = (
    Start | Text | Reasoning | Refusal | Attached | Open | Fragment | Finish
)


class Carried(NamedTuple):
    """One thing that a stream carries, or one payload without anything known."""

    chunk: Chunk
    """The chunk that carried it; for what is passed on late, the last chunk."""
    choice: int
    """Which choice carried it; -1 for usage and errors."""
    part: CarriedPart | None
    """None for usage and errors."""
    usage: dict[str, Any] | None = None
    """Set on the last one, if token counts came."""
    error: Payload | None = None
    """The payload of an error event, without choices: what they carry is passed on."""


def restated(chunk: Chunk, payload: Payload) -> Chunk:
    """Return a chunk with another payload, its number and time kept."""
    return Chunk(chunk.index, chunk.at, payload)


def unique_id(call: ToolCall, taken: set[str], choice: int) -> str:
    """Return an id that no other call of the choice has, and take it.

    Args:
        call: The call; its own id is kept where it can be.
        taken: The ids given so far.
        choice: The choice's index, for calls that came without id.

    Returns:
        The id: the same for the same stream, on every machine.
    """
    scope = f"{choice}_" if choice else ""
    chosen = call.id or f"call_{scope}{call.position}"
    while chosen in taken:
        chosen += f"_{call.position}"
    taken.add(chosen)
    return chosen


class _ChoiceParts:
    """Turns the parts of one choice into what is passed on of it."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.reader = DeltaReader(choice=index)
        self.finish: Finish | None = None
        # With the reader's call beside it: only a living object keeps its id().
        self._opened: dict[int, tuple[ToolCall, Call]] = {}
        self._waiting: list[ToolCall] = []
        self._early: dict[int, str] = {}  # arguments that came before the name
        self._ids: set[str] = set()

    def read(self, choice: dict[str, Any]) -> Iterator[CarriedPart]:
        for part in self.reader.read_choice(choice):
            if isinstance(part, CallPart):
                if part.is_new:
                    self._waiting.append(part.call)
                call, text = part.call, part.arguments
                if self._is_held(call):
                    self._early[id(call)] = self._early.get(id(call), "") + text
                elif text or id(call) in self._early:
                    yield from self._open_until(call)
                    if text:
                        yield Fragment(self._opened[id(call)][1], text)
            elif isinstance(part, Finish):
                self.finish = part
            elif isinstance(part, Text | Reasoning | Refusal):
                yield from self._open_named()
                yield part
        delta = choice.get("delta")
        if type(delta) is dict and not delta.keys().isdisjoint(WHOLE_FIELDS):
            sent = {field: delta.get(field) for field in WHOLE_FIELDS}
            if fields := {k: v for k, v in sent.items() if v and type(v) is list}:
                yield from self._open_named()
                yield Attached(fields)

    def open_all(self) -> Iterator[Open | Fragment]:
        while self._waiting:
            yield from self._open(self._waiting.pop(0))

    def _open_named(self) -> Iterator[Open | Fragment]:
        while self._waiting and self._waiting[0].name:
            yield from self._open(self._waiting.pop(0))

    def _is_held(self, call: ToolCall) -> bool:
        """Return whether a call waits for a name, its own or that of one before it."""
        if id(call) in self._opened:
            return False
        before = self._waiting[: self._waiting.index(call) + 1]
        return not all(waiting.name for waiting in before)

    def _open_until(self, call: ToolCall) -> Iterator[Open | Fragment]:
        while id(call) not in self._opened:
            yield from self._open(self._waiting.pop(0))

    def _open(self, call: ToolCall) -> Iterator[Open | Fragment]:
        call_id = unique_id(call, self._ids, self.index)
        named = Call(call.position, call_id, call.name, call.type == "custom")
        self._opened[id(call)] = (call, named)
        yield Open(named)
        if text := self._early.pop(id(call), ""):
            yield Fragment(named, text)


def carried(chunks: Iterable[Chunk]) -> Iterator[Carried]:
    """Yield what a stream carries.

    Args:
        chunks: Any stream.

    Yields:
        For each choice a `Start`, then its parts in order as they come, `Finish`
        at the end of the stream. Then the last token counts. Errors come where they
        came. Names in pieces, resent names and odd indices are gone.
    """
    by_choice: dict[int, _ChoiceParts] = {}
    usage: dict[str, Any] | None = None
    last: Chunk | None = None
    for chunk in chunks:
        last = chunk
        payload = chunk.payload
        if payload.get("usage") and isinstance(payload["usage"], dict):
            usage = payload["usage"]
        yield from _carried_by_choices(chunk, by_choice)
        error = _error_of(payload)
        if error is not None:
            yield Carried(restated(chunk, error), -1, None, error=error)
    if last is None:
        return
    for parts in by_choice.values():
        for opened in parts.open_all():
            yield Carried(last, parts.index, opened)
        if parts.finish is not None:
            yield Carried(last, parts.index, parts.finish)
    if usage is not None:
        yield Carried(last, -1, None, usage=usage)


def _error_of(payload: Payload) -> Payload | None:
    """Return what a payload holds of an error, if it does.

    Source: OpenRouter sends it beside a last choice, or in that choice.
    """
    beside = {k: v for k, v in payload.items() if k not in {"choices", "usage"}}
    if payload_error(payload) is not None:
        return beside
    for choice in dicts_of(payload.get("choices")):
        if payload_error({"error": choice.get("error")}):
            return {**beside, "error": choice["error"]}
    return None


def _carried_by_choices(
    chunk: Chunk, by_choice: dict[int, _ChoiceParts]
) -> Iterator[Carried]:
    for choice in dicts_of(chunk.payload.get("choices")):
        index = choice_index(choice)
        parts = by_choice.get(index)
        if parts is None:
            parts = by_choice[index] = _ChoiceParts(index)
            yield Carried(chunk, index, Start())
        for part in parts.read(choice):
            yield Carried(chunk, index, part)


class CallTracker:
    """Finds which call an entry of `tool_calls` belongs to, for those who edit it."""

    def __init__(self) -> None:
        self._readers: dict[int, DeltaReader] = {}
        self._ids: dict[int, dict[int, str]] = {}
        self._last: dict[tuple[int, object], ToolCall] = {}

    def call_of(self, choice: int, entry: dict[str, Any]) -> ToolCall | None:
        """Read an entry; each must be read exactly once, in order.

        Args:
            choice: The index of its choice.
            entry: The entry as sent.

        Returns:
            Its call, this entry added; None if that cannot be known.
        """
        reader = self._readers.setdefault(choice, DeltaReader(choice=choice))
        index = entry.get("index")
        # NaN and other odd values are no place to look anything up.
        place = index if type(index) is int else None
        for part in reader.read_choice({"delta": {"tool_calls": [entry]}}):
            if isinstance(part, CallPart):
                self._last[choice, place] = self._last[choice, None] = part.call
                return part.call
        # Nothing new is in it, so only its place shows whose it is.
        return self._last.get((choice, place))

    def id_of(self, choice: int, call: ToolCall) -> str:
        """Return the id of a call: its own, or the one `unique_id` makes."""
        ids = self._ids.setdefault(choice, {})
        if call.position not in ids:
            ids[call.position] = unique_id(call, set(ids.values()), choice)
        return ids[call.position]
