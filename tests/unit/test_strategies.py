"""Strategies keep what they promise; judged by `json`, the accumulator and replays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx_sse
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from harness import FunctionArgumentsStreamHandler, replay
from harness import strategies as made
from harness.apis.chat.reader import ResponseAccumulator
from harness.core.splits import parse_split
from tests.json_reference import parse_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.core.splits import Split

_FEWER = settings(max_examples=25)


@given(made.argument_texts())
def test_argument_texts_are_json_objects(text: str) -> None:
    """`json.loads` reads every text as an object; raw controls are the one liberty."""
    assert isinstance(json.loads(text, strict=False), dict)


@_FEWER
@given(
    made.argument_texts(
        "key",
        allow_lone_surrogates=False,
        allow_controls=False,
        allow_duplicates=False,
    )
)
def test_argument_texts_can_be_held_to_the_rules(text: str) -> None:
    """Without the liberties: strict JSON, encodable, no top-level key twice."""
    json.loads(text)
    pairs = parse_pairs(text)
    assert len(dict(pairs)) == len(pairs)
    json.dumps(json.loads(text), ensure_ascii=False).encode()


@_FEWER
@given(made.argument_objects(max_members=2), made.value_texts(max_leaves=2))
def test_objects_and_values_are_what_they_say(
    arguments: dict[str, Any], text: str
) -> None:
    """Objects can be dumped, encoded and read back; every value text is JSON."""
    assert json.loads(json.dumps(arguments, ensure_ascii=False).encode()) == arguments
    assert len(arguments) <= 2
    json.loads(text, strict=False)


@_FEWER
@given(st.data(), st.text())
def test_spellings_spell_the_text(data: st.DataObject, text: str) -> None:
    """Whatever is escaped, the string reads as the text."""
    assert json.loads(data.draw(made.spellings(text)), strict=False) == text


@_FEWER
@given(st.data(), st.text(), st.integers(0, 5), st.booleans())
def test_fragments_join_to_the_text(
    data: st.DataObject, text: str, cuts: int, empty: bool
) -> None:
    """Nothing is lost or doubled, and the limits hold."""
    pieces = data.draw(made.fragments(text, max_cuts=cuts, allow_empty=empty))
    assert "".join(pieces) == text
    assert 1 <= len(pieces) <= cuts + 1
    assert empty or len(pieces) == 1 or all(pieces)


@_FEWER
@given(st.data(), st.binary())
def test_byte_pieces_join_to_the_bytes(data: st.DataObject, whole: bytes) -> None:
    """The same for bytes, of which no piece is empty unless asked for."""
    pieces = data.draw(made.byte_pieces(whole))
    assert b"".join(pieces) == whole
    assert len(pieces) == 1 or all(pieces)


@_FEWER
@given(made.splits(), st.text(max_size=30))
def test_splits_print_and_cut(split: Split, text: str) -> None:
    """Each parses back from what it prints, and cuts without loss."""
    assert parse_split(str(split)) == split
    assert "".join(split.cut_text(text)) == text


def understood(payloads: list[dict[str, Any]]) -> tuple[Any, ...]:
    """Return what our accumulator makes of chunks."""
    accumulator = ResponseAccumulator()
    for payload in payloads:
        accumulator.feed(payload)
    message = accumulator.message()
    calls = tuple((call.id, call.name, call.arguments) for call in message.calls)
    return message.content, message.reasoning, calls, message.finish_reason


def truth(answer: made.Answer) -> tuple[Any, ...]:
    """Return an answer as `understood` does."""
    return answer.content, answer.reasoning, answer.calls, answer.finish


@given(made.chunk_streams())
def test_chunk_streams_say_their_answer(stream: made.ChunkStream) -> None:
    """The accumulator understands what was meant, however it was framed."""
    assert understood(stream.payloads) == truth(stream.answer)
    json.dumps(stream.payloads)


@_FEWER
@given(made.chunk_streams(allow_interleaving=False, max_calls=2, max_cuts=0))
def test_chunk_streams_without_turns_keep_their_order(stream: made.ChunkStream) -> None:
    """Calls come in their order, one fragment each (and its name before, perhaps)."""
    assert [call.id for call in stream.answer.calls] == ["call_0", "call_1"][
        : len(stream.answer.calls)
    ]
    entries = [
        entry
        for payload in stream.payloads
        for choice in payload["choices"]
        for entry in choice["delta"].get("tool_calls", [])
    ]
    fragments = [e for e in entries if e["function"]["arguments"]]
    assert len(fragments) <= len(stream.answer.calls)


@_FEWER
@given(made.event_streams())
def test_event_streams_carry_their_payloads(stream: made.EventStream) -> None:
    """httpx-sse, a judge of its own, reads the chunks back."""
    decoder = httpx_sse._decoders.SSEDecoder()
    events = [decoder.decode(line) for line in _lines(stream.data.decode())]
    data = [event.data for event in events if event is not None]
    if data[-1:] == ["[DONE]"]:
        data.pop()
    assert [json.loads(text) for text in data] == stream.payloads
    assert understood(stream.payloads) == truth(stream.answer)


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@_FEWER
@given(made.conversations())
def test_conversations_replay(conversation: made.Conversation) -> None:
    """Every answer comes out of a replay, and every result that was recorded."""
    transcript = replay(conversation.cassette, "streaming", mode="steps")
    assert [
        (one.choices[0].content, one.choices[0].reasoning)
        for one in transcript.responses
    ] == [(answer.content, answer.reasoning) for answer in conversation.answers]
    assert [
        [(call.id, call.name, call.arguments) for call in one.choices[0].calls]
        for one in transcript.responses
    ] == [list(answer.calls) for answer in conversation.answers]
    returned = {
        message.function_call_id: message.function_return
        for message in transcript.messages
        if getattr(message, "message_type", "") == "function_return"
    }
    for call_id, result in conversation.results.items():
        assert returned[call_id] == result


@given(made.broken_argument_texts() | made.garbage_texts())
def test_garbage_texts_never_raise(text: str) -> None:
    """Our machine has an error for each of them that `json` refuses."""
    handler = FunctionArgumentsStreamHandler()
    handler.process_json_chunk(text)
    error = handler.close()
    try:
        parse_pairs(text)
    except ValueError:
        assert error is not None
    else:
        assert error is None


@given(st.lists(made.garbage_payloads(), max_size=3) | made.disordered_payloads())
def test_garbage_payloads_never_raise(payloads: list[dict[str, Any]]) -> None:
    """Our accumulator reads every odd chunk in silence."""
    understood(payloads)


@_FEWER
@given(made.garbage_bytes())
def test_garbage_bytes_are_bytes(data: bytes) -> None:
    """Of a size that a test can feed byte by byte."""
    assert isinstance(data, bytes)
    assert len(data) < 100_000


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: made.argument_texts(3), "key=3: expected a text"),  # type: ignore[arg-type]
        (
            lambda: made.argument_texts(max_members=-1),
            "max_members=-1: expected an int",
        ),
        (lambda: made.value_texts(max_leaves=0), "an integer of at least 1"),
        (
            lambda: made.string_texts(max_pieces=True),
            "max_pieces=True: expected an int",
        ),
        (lambda: made.spellings(b"x"), "expected a text"),  # type: ignore[arg-type]
        (lambda: made.fragments("x", max_cuts=-1), "max_cuts=-1"),
        (lambda: made.byte_pieces("x"), "expected bytes"),  # type: ignore[arg-type]
        (lambda: made.answers(max_calls=1.5), "max_calls=1.5"),  # type: ignore[arg-type]
        (lambda: made.chunk_streams(arguments="{}"), "expected a strategy or None"),  # type: ignore[arg-type]
        (lambda: made.chunk_streams(max_cuts=-1), "max_cuts=-1"),
        (lambda: made.framed_streams({}), "expected an Answer"),  # type: ignore[arg-type]
        (lambda: made.event_streams(max_calls=-1), "max_calls=-1"),
        (lambda: made.conversations(max_steps=0), "an integer of at least 1"),
        (lambda: made.garbage_texts(None), "key=None: expected a text"),  # type: ignore[arg-type]
        (lambda: made.broken_argument_texts(1), "key=1: expected a text"),  # type: ignore[arg-type]
    ],
)
def test_wrong_arguments_are_refused_at_once(
    make: Callable[[], object], message: str
) -> None:
    """The mistake is told where it was made, not at the first example."""
    with pytest.raises(InvalidArgument, match=message):
        make()


def test_every_public_strategy_says_how_it_shrinks() -> None:
    """A user who reads a shrunk example knows what "small" means."""
    strategies = [
        getattr(made, name)
        for name in made.__all__
        if name.islower() and name != "cut_at"
    ]
    assert [
        each.__name__ for each in strategies if "hrinks to" not in (each.__doc__ or "")
    ] == []
