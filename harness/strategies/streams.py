"""Chunk streams whose truth is known: the answer is drawn first, then framed.

A stream is valid by `harness docs call-identity`: calls are distinguished by index or
by id, names and ids come with the first fragment, calls may take turns and share a
delta, and around them stands what providers send besides. `ChunkStream.answer` is what
any right consumer must have understood at the end.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from harness.core.sse import encode_comment, encode_event
from harness.strategies.answers import TEXTS, Answer, call_parts, numbered
from harness.strategies.arguments import argument_texts
from harness.strategies.framed_streams import Piece, framed, timed_pieces
from harness.strategies.validation import check_size

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from harness.apis.chat.chunks import Payload


_LONGEST_DELAY = 3  # how many pieces of another source may overtake one


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


def framed_streams(
    answer: Answer, *, max_cuts: int = 4, allow_interleaving: bool = True
) -> SearchStrategy[ChunkStream]:
    """Streams that carry one answer, cut, interleaved and framed in any valid way.

    Shrinks to OpenAI's framing, uncut, one thing after another, and nothing besides.

    Args:
        answer: What they carry; calls change their order where they are interleaved,
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
    return _framed_streams(answer, max_cuts, _LONGEST_DELAY * allow_interleaving)


@st.composite
def _framed_streams(
    draw: st.DrawFn, answer: Answer, max_cuts: int, max_delay: int
) -> ChunkStream:
    texts = [answer.content, answer.reasoning]
    sources = [
        draw(timed_pieces(text, max_cuts, max_delay)) if text else [] for text in texts
    ]
    sources += [
        draw(timed_pieces(call.arguments, max_cuts, max_delay)) for call in answer.calls
    ]
    return ChunkStream(*draw(framed(answer, sources)))


def chunk_streams(
    *,
    max_calls: int = 3,
    max_cuts: int = 4,
    allow_interleaving: bool = True,
    arguments: SearchStrategy[str] | None = None,
    names: SearchStrategy[str] | None = None,
) -> SearchStrategy[ChunkStream]:
    """Whole chunk streams with a known truth: text, reasoning, parallel calls.

    Calls may take turns, share deltas, have no arguments, be distinguished by index
    (gaps too) or by id. Shrinks to the finish chunk alone, then as `answers` and
    `framed_streams`.

    Args:
        max_calls: See `answers`.
        max_cuts: See `framed_streams`.
        allow_interleaving: Whether fragments of several calls may take turns.
        arguments: See `answers`.
        names: See `answers`.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: An argument is negative or no integer.
    """
    check_size("max_cuts", max_cuts)
    parts = call_parts(max_calls, arguments, names)
    max_delay = _LONGEST_DELAY * allow_interleaving
    return _chunk_streams(max_calls, parts, max_cuts, max_delay)


@st.composite
def _cut_texts(
    draw: st.DrawFn, texts: SearchStrategy[str], max_cuts: int, max_delay: int
) -> tuple[str, list[Piece]]:
    """A text and its cuts, drawn together: both can be left out in one go."""
    text = draw(texts)
    return text, draw(timed_pieces(text, max_cuts, max_delay))


@st.composite
def _chunk_streams(
    draw: st.DrawFn,
    max_calls: int,
    parts: tuple[SearchStrategy[str], SearchStrategy[str]],
    max_cuts: int,
    max_delay: int,
) -> ChunkStream:
    names, arguments = parts
    cut_arguments = _cut_texts(arguments, max_cuts, max_delay)
    calls = draw(st.lists(st.tuples(names, cut_arguments), max_size=max_calls))
    texts_besides = _cut_texts(TEXTS, max_cuts, max_delay)
    content, reasoning = draw(texts_besides), draw(texts_besides)
    calls_made = numbered((name, text) for name, (text, _) in calls)
    sources = [pieces if text else [] for text, pieces in (content, reasoning)]
    sources += [pieces for _, (_, pieces) in calls]
    answer = Answer(content[0], reasoning[0], calls_made)
    return ChunkStream(*draw(framed(answer, sources)))


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
    draw: st.DrawFn, streams: SearchStrategy[ChunkStream]
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
