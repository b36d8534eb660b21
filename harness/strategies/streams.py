"""Chunk streams whose truth is known: what was said is drawn first, then framed.

A stream is valid by design.md, section 5: calls are told apart by index or by id,
names and ids come with the first fragment, calls may take turns and share a delta,
and around them stands what providers send besides. `ChunkStream.answer` is what any
right consumer must have understood at the end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from harness.core.sse import encode_comment, encode_event
from harness.strategies.arguments import argument_texts
from harness.strategies.cuts import cut_at
from harness.strategies.validation import check_size, check_strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

    from harness.core.chunks import Payload

__all__ = [
    "Answer",
    "ChunkStream",
    "EventStream",
    "SaidCall",
    "answers",
    "chunk_streams",
    "event_streams",
    "framed_streams",
]

_CREATED = 1_700_000_000  # a date that is easily told from a clock's


class SaidCall(NamedTuple):
    """One tool call of an answer."""

    id: str
    name: str
    arguments: str
    """JSON text of one object; empty for a call without arguments."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says in one response."""

    content: str = ""
    reasoning: str = ""
    calls: tuple[SaidCall, ...] = ()
    """In order of appearance."""

    @property
    def finish(self) -> str:
        """The finish reason that goes with it."""
        return "tool_calls" if self.calls else "stop"


class ChunkStream(NamedTuple):
    """One stream and its truth."""

    payloads: list[Payload]
    """The chunks, as parsed JSON objects."""
    answer: Answer


class EventStream(NamedTuple):
    """One stream as a server sends it, and its truth."""

    data: bytes
    payloads: list[Payload]
    answer: Answer


_TEXTS = st.text(st.sampled_from('aé🙂日{}[]":,\\ \n\u2028'), max_size=8)
_NAMES = st.sampled_from(["send_message", "f", "get_weather", "send", "send_message2"])


def answers(
    *,
    max_calls: int = 3,
    arguments: SearchStrategy[str] | None = None,
    names: SearchStrategy[str] | None = None,
) -> SearchStrategy[Answer]:
    """Answers of a model: text, reasoning, and calls with different ids.

    Shrinks to an empty answer, then to fewer and shorter calls and texts.

    Args:
        max_calls: The most tool calls.
        arguments: Makes arguments texts; None takes `argument_texts()` and empty
            ones.
        names: Makes function names; None takes ``send_message`` and others, one of
            which its name begins with.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: `max_calls` is negative or no integer.
    """
    check_size("max_calls", max_calls)
    check_strategy("arguments", arguments)
    check_strategy("names", names)
    texts = st.just("") | argument_texts() if arguments is None else arguments
    return _answers(max_calls, texts, _NAMES if names is None else names)


@st.composite
def _answers(
    draw: st.DrawFn,
    max_calls: int,
    arguments: SearchStrategy[str],
    names: SearchStrategy[str],
) -> Answer:
    pairs = draw(st.lists(st.tuples(names, arguments), max_size=max_calls))
    calls = tuple(
        SaidCall(f"call_{number}", name, text)
        for number, (name, text) in enumerate(pairs)
    )
    return Answer(draw(_TEXTS), draw(_TEXTS), calls)


_INDEX, _INDEX_GAPS, _ID, _ID_INDEX_NULL = range(4)


@dataclass(frozen=True, slots=True)
class _Framing:
    """How one provider would frame the fragments of calls."""

    kind: int
    """Which of the four ways to tell calls apart."""
    has_name_alone: bool
    """Whether the name comes in a chunk before the arguments."""
    has_content_beside: str | None
    """`content` in deltas of calls; None for none."""
    shares_deltas: bool
    """Whether neighbouring fragments of different calls share a delta."""

    def entry(self, number: int, call: SaidCall, text: str, *, opens: bool) -> Any:
        function: dict[str, Any] = {"arguments": text}
        entry: dict[str, Any] = {"function": function}
        if self.kind in {_INDEX, _INDEX_GAPS}:
            entry["index"] = number if self.kind == _INDEX else 1 + 3 * number
        else:
            if self.kind == _ID_INDEX_NULL:
                entry["index"] = None
            entry["id"] = call.id
        if opens:
            entry |= {"id": call.id, "type": "function"}
            function["name"] = call.name
        return entry


def _chunk(delta: Payload | None, finish: str | None = None) -> Payload:
    choices = []
    if delta is not None:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-made",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": "made",
        "choices": choices,
    }


class _Piece(NamedTuple):
    source: int
    """Which text or call; calls from 2 on."""
    text: str
    opens: bool


def _pieces(source: int, text: str, places: Sequence[int]) -> list[_Piece]:
    inner = [place for place in places if place <= len(text)]
    return [_Piece(source, cut, not n) for n, cut in enumerate(cut_at(text, inner))]


def _in_turns(queues: list[list[_Piece]], turns: Sequence[int]) -> list[_Piece]:
    """Take from the queues by turns; what is left then goes in order."""
    left = [list(queue) for queue in queues]
    taken = []
    for turn in turns:
        waiting = [queue for queue in left if queue]
        if waiting:
            taken.append(waiting[turn % len(waiting)].pop(0))
    return taken + [piece for queue in left for piece in queue]


def _entries(
    pieces: Sequence[_Piece], calls: Sequence[SaidCall], framing: _Framing
) -> list[Payload]:
    """Write the pieces as deltas; calls are numbered as they appear."""
    numbers: dict[int, int] = {}
    deltas: list[Payload] = []
    before = -1
    for piece in pieces:
        if piece.source < 2:
            field = ("content", "reasoning_content")[piece.source]
            deltas.append({field: piece.text})
            before = piece.source
            continue
        number = numbers.setdefault(piece.source, len(numbers))
        call = calls[piece.source - 2]
        entries = [framing.entry(number, call, piece.text, opens=piece.opens)]
        if piece.opens and framing.has_name_alone:
            entries = [
                framing.entry(number, call, "", opens=True),
                framing.entry(number, call, piece.text, opens=False),
            ]
        is_shared = framing.shares_deltas and before >= 2 and before != piece.source
        for entry in entries:
            if is_shared:
                deltas[-1]["tool_calls"].append(entry)
                is_shared = False
            else:
                beside = framing.has_content_beside
                delta: Payload = {} if beside is None else {"content": beside}
                deltas.append(delta | {"tool_calls": [entry]})
        before = piece.source
    return deltas


def framed_streams(
    answer: Answer,
    *,
    max_cuts: int = 4,
    allow_interleaving: bool = True,
) -> SearchStrategy[ChunkStream]:
    """Streams that say one answer, cut, interleaved and framed in any valid way.

    Shrinks to OpenAI's framing, uncut, one thing after another, and nothing besides.

    Args:
        answer: What they say; calls change their order where they are interleaved,
            see the stream's own `answer`.
        max_cuts: The most cuts of one text.
        allow_interleaving: Whether calls and texts may take turns.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: `max_cuts` is negative or no integer.
    """
    if not isinstance(answer, Answer):
        raise InvalidArgument(f"answer={answer!r}: expected an Answer")
    check_size("max_cuts", max_cuts)
    return _framed_streams(answer, max_cuts, 12 if allow_interleaving else 0)


@st.composite
def _framed_streams(
    draw: st.DrawFn,
    answer: Answer,
    max_cuts: int,
    max_turns: int,
) -> ChunkStream:
    sources = [answer.content, answer.reasoning]
    sources += [call.arguments for call in answer.calls]
    queues = []
    for source, text in enumerate(sources):
        if text or source >= 2:
            places = draw(st.lists(st.integers(0, len(text)), max_size=max_cuts))
            queues.append(_pieces(source, text, places))
    turns: list[int] = []
    if len(queues) > 1:
        turns = draw(st.lists(st.integers(0, len(queues) - 1), max_size=max_turns))
    pieces = _in_turns(queues, turns)
    framing = _Framing(
        draw(st.sampled_from([_INDEX, _INDEX_GAPS, _ID, _ID_INDEX_NULL])),
        draw(st.booleans()),
        draw(st.sampled_from([None, ""])),
        draw(st.booleans()),
    )
    deltas = _entries(pieces, answer.calls, framing)
    opened = [piece.source - 2 for piece in pieces if piece.opens and piece.source > 1]
    said = tuple(answer.calls[number] for number in opened)
    payloads = draw(_besides([_chunk(delta) for delta in deltas], answer.finish))
    return ChunkStream(payloads, Answer(answer.content, answer.reasoning, said))


@st.composite
def _besides(draw: st.DrawFn, payloads: list[Payload], reason: str) -> list[Payload]:
    """Put around a stream what says nothing, and its end."""
    if draw(st.booleans()):
        role = {"role": "assistant", "content": draw(st.sampled_from([None, ""]))}
        payloads = [_chunk(role), *payloads]
    if draw(st.booleans()):  # Azure's first chunk
        azure = {"id": "", "model": "", "created": 0, "prompt_filter_results": []}
        payloads = [_chunk(None) | azure, *payloads]
    if draw(st.booleans()) and payloads and payloads[-1]["choices"]:
        payloads[-1]["choices"][0]["finish_reason"] = reason
    else:
        payloads.append(_chunk({}, reason))
    if draw(st.booleans()):
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        payloads.append(_chunk(None) | {"usage": usage})
    return payloads


def chunk_streams(
    *,
    max_calls: int = 3,
    max_cuts: int = 4,
    allow_interleaving: bool = True,
    arguments: SearchStrategy[str] | None = None,
    names: SearchStrategy[str] | None = None,
) -> SearchStrategy[ChunkStream]:
    """Whole chunk streams with a known truth: text, reasoning, parallel calls.

    Calls may take turns, share deltas, have no arguments, be told apart by index
    (gaps too) or by id. Shrinks to the finish chunk alone, then as `answers` and
    `framed_streams`.

    Args:
        max_calls: See `answers`.
        max_cuts: See `framed_streams`.
        allow_interleaving: See there.
        arguments: See `answers`.
        names: See `answers`.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: An argument is negative or no integer.
    """
    check_size("max_cuts", max_cuts)
    said = answers(max_calls=max_calls, arguments=arguments, names=names)
    return said.flatmap(
        lambda answer: framed_streams(
            answer, max_cuts=max_cuts, allow_interleaving=allow_interleaving
        )
    )


def event_streams(
    *, max_calls: int = 3, max_cuts: int = 4
) -> SearchStrategy[EventStream]:
    """Event streams as a server sends them: every line end, comments between.

    Ends in ``[DONE]`` mostly. Non-ASCII text stands raw or escaped. Shrinks to line
    feeds and no comments, then as `chunk_streams`.

    Args:
        max_calls: See `answers`.
        max_cuts: See `framed_streams`.

    Returns:
        The strategy of the bytes, the chunks in them and their truth.

    Raises:
        InvalidArgument: An argument is negative or no integer.
    """
    # A raw half of a pair cannot be sent; the escaped halves in a text can.
    texts = st.just("") | argument_texts(allow_lone_surrogates=False)
    streams = chunk_streams(max_calls=max_calls, max_cuts=max_cuts, arguments=texts)
    return _event_streams(streams)


@st.composite
def _event_streams(
    draw: st.DrawFn,
    streams: SearchStrategy[ChunkStream],
) -> EventStream:
    stream = draw(streams)
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    is_ascii = draw(st.booleans())
    comments = draw(st.sets(st.integers(0, len(stream.payloads)), max_size=2))
    data = bytearray()
    for number, payload in enumerate(stream.payloads):
        if number in comments:
            data += encode_comment("PROCESSING", newline=newline)
        text = json.dumps(payload, ensure_ascii=is_ascii)
        data += encode_event(text, newline=newline)
    if draw(st.sampled_from([True, False])):
        data += encode_event("[DONE]", newline=newline)
    return EventStream(bytes(data), stream.payloads, stream.answer)
