"""How a provider sends an answer: in pieces, by turns, in frames of its own.

Everything here keeps to `harness docs call-identity`: calls are distinguished by index
or by id, names and ids come with the first fragment, and around the answer stands what
providers send besides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from harness.strategies.cut_strategies import cut_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.apis.chat.chunks import Payload
    from harness.strategies.answers import Answer, SaidCall


_CREATED = 1_700_000_000  # a date that is easily distinguished from a clock's

_INDEX, _INDEX_GAPS, _ID, _ID_INDEX_NULL = range(4)


@dataclass(frozen=True, slots=True)
class _Framing:
    """How one provider would frame the fragments of calls."""

    kind: int
    """Which of the four ways to distinguish calls."""
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


class Piece(NamedTuple):
    """One fragment of a text or of a call's arguments."""

    time: int
    """When it is sent: pieces of several sources go in the order of their times."""
    text: str


@st.composite
def timed_pieces(
    draw: st.DrawFn, text: str, max_cuts: int, max_delay: int
) -> list[Piece]:
    """Draw the pieces of one text.

    A source has its own times, where turns would be drawn for all sources together:
    hypothesis can then leave out a call without changing how the others interleave.
    """
    delays = st.integers(0, max_delay)
    begins = draw(delays)
    cut = st.tuples(st.integers(0, len(text)), delays)
    cuts = sorted(draw(st.lists(cut, max_size=max_cuts)))
    times = accumulate([begins, *(delay for _, delay in cuts)])
    texts = cut_at(text, [place for place, _ in cuts])
    return [Piece(time, piece) for time, piece in zip(times, texts, strict=True)]


class _Sent(NamedTuple):
    source: int
    """Which text or call; calls from 2 on."""
    text: str
    opens: bool


def _in_order(sources: Sequence[list[Piece]]) -> list[_Sent]:
    """Return all pieces as they are sent; at one time, in the order of the sources."""
    timed = [
        (piece.time, _Sent(source, piece.text, not number))
        for source, pieces in enumerate(sources)
        for number, piece in enumerate(pieces)
    ]
    return [sent for _, sent in sorted(timed, key=itemgetter(0))]


def _entries(
    pieces: Sequence[_Sent], calls: Sequence[SaidCall], framing: _Framing
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


@st.composite
def framed(
    draw: st.DrawFn, answer: Answer, sources: Sequence[list[Piece]]
) -> tuple[list[Payload], Answer]:
    """Draw the chunks that carry an answer.

    Args:
        draw: Given by hypothesis.
        answer: What they carry.
        sources: The pieces of its content, its reasoning, and each of its calls.

    Returns:
        The chunks, and the answer with its calls in the order in which they open.
    """
    pieces = _in_order(sources)
    framing = _Framing(
        draw(st.sampled_from([_INDEX, _INDEX_GAPS, _ID, _ID_INDEX_NULL])),
        draw(st.booleans()),
        draw(st.sampled_from([None, ""])),
        draw(st.booleans()),
    )
    deltas = _entries(pieces, answer.calls, framing)
    opened = [piece.source - 2 for piece in pieces if piece.opens and piece.source > 1]
    payloads = draw(_besides([_chunk(delta) for delta in deltas], answer.finish))
    calls = tuple(answer.calls[number] for number in opened)
    return payloads, replace(answer, calls=calls)


@st.composite
def _besides(draw: st.DrawFn, payloads: list[Payload], reason: str) -> list[Payload]:
    """Put around a stream what carries nothing, and its end."""
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
