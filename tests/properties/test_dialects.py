"""One recording says the same in every dialect."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.apis.chat.chunks import DONE, parse_payload
from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.dialects.registry import DIALECTS, encode_stream, parse_dialect
from harness.apis.chat.reader import ResponseAccumulator
from harness.core.splits import parse_split
from harness.core.sse import SSEDecoder
from tests.chunk_streams import SHARES, call_streams, chunk_streams, recordings
from tests.shared import HAS_CORPUS, SHARED, needs_shared

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Chunk

# Shapes that the OpenAI SDK's own accumulator is known to read (streaming-bugs.md
# says where it fails), so that it can judge what these dialects say.
SDK_READS = ("openai", "azure", "deepseek", "groq", "ollama", "vllm", "xai", "gemini")


def value_of(arguments: str) -> Any:
    """Parse arguments as a tool would; the text itself where it is no JSON."""
    try:
        return json.loads(arguments or "{}", strict=False)
    except ValueError:
        return arguments


def said(chunks: list[Chunk], *, rewritten: bool) -> dict[int, Any]:
    """Return what every choice says: texts, finish, names and arguments in order.

    A choice that says nothing is left out: a dialect need not mention it.
    """
    accumulator = ResponseAccumulator()
    for chunk in chunks:
        accumulator.feed(chunk.payload)
    answer = {}
    for choice in accumulator.choices:
        message = accumulator.message(choice=choice)
        calls = [(call.name, call.arguments) for call in message.calls]
        texts = (message.content, message.reasoning, message.refusal)
        if any(texts) or message.finish_reason or calls:
            answer[choice] = (*texts, message.finish_reason, calls)
    return meant(answer) if rewritten else answer


def meant(answer: dict[int, Any]) -> dict[int, Any]:
    """Return an answer with the values of arguments for their texts."""
    return {
        choice: (*texts, [(name, value_of(arguments)) for name, arguments in calls])
        for choice, (*texts, calls) in answer.items()
    }


def is_rewriting(name: str) -> bool:
    """Tell whether a dialect writes arguments in its own way."""
    return "arguments-" in name


def dialect_names() -> st.SearchStrategy[str]:
    """One dialect, or a provider and up to two habits; shrinks to `recorded`."""
    one = st.sampled_from(list(DIALECTS))
    return st.lists(one, min_size=1, max_size=3, unique=True).map("+".join)


@given(st.lists(st.sampled_from(list(DIALECTS)), min_size=1, max_size=4))
def test_a_dialect_parses_back(names: list[str]) -> None:
    """What a dialect prints is the dialect."""
    dialect = parse_dialect("+".join(names))
    assert str(dialect) == "+".join(names)
    assert parse_dialect(str(dialect)) == dialect


@given(chunk_streams(), dialect_names())
def test_any_stream_says_the_same(chunks: list[Chunk], name: str) -> None:
    """Odd streams keep texts, finish, names and arguments in every dialect."""
    before = copy.deepcopy(chunks)
    converted = list(parse_dialect(name).apply(chunks))
    assert chunks == before
    want = said(chunks, rewritten=is_rewriting(name))
    assume(all(call[0] for choice in want.values() for call in choice[4]))
    assert said(converted, rewritten=is_rewriting(name)) == want


@given(call_streams(), dialect_names())
def test_interleaved_calls_stay_apart(chunks: list[Chunk], name: str) -> None:
    """Parallel calls, cut and mixed anyhow, keep their names and arguments."""
    converted = list(parse_dialect(name).apply(chunks))
    rewritten = is_rewriting(name)
    assert said(converted, rewritten=rewritten) == said(chunks, rewritten=rewritten)


@given(
    call_streams(),
    st.sampled_from(list(DIALECTS)),
    st.sampled_from(["whole", "chars", "random:5", "tokens", "2"]),
)
def test_a_split_and_a_dialect_go_in_any_order(
    chunks: list[Chunk], name: str, split: str
) -> None:
    """Cutting before or after a dialect changes nothing of what is said."""
    dialect, cut = parse_dialect(name), parse_split(split)
    want = said(chunks, rewritten=True)
    assert said(list(dialect.apply(cut_chunks(cut, chunks))), rewritten=True) == want
    assert said(list(cut_chunks(cut, dialect.apply(chunks))), rewritten=True) == want


@given(chunk_streams(), dialect_names(), st.sampled_from(["chars", "7", "random:1"]))
def test_framing_reads_back(chunks: list[Chunk], name: str, split: str) -> None:
    """The bytes of a dialect decode to its payloads, however they are cut."""
    dialect = parse_dialect(name)
    wire = b"".join(encode_stream(chunks, dialect))
    decoder = SSEDecoder()
    events = [
        e for piece in parse_split(split).cut_bytes(wire) for e in decoder.feed(piece)
    ]
    assert decoder.close() == []
    data = [event.data for event in events]
    assert (data[-1:] == [DONE]) is dialect.framing.has_done
    payloads = [parse_payload(text) for text in data if text != DONE]
    assert payloads == [chunk.payload for chunk in dialect.apply(chunks)]


@cache
def expectations() -> dict[str, dict[str, Any]]:
    """Return each stream's answer, computed independently; empty without a corpus."""
    if not HAS_CORPUS:
        return {}
    text = (SHARED / "corpus" / "expected.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return {f"{row['file']}#{row['interaction']}": row for row in rows}


@cache
def as_recorded(number: int, *, rewritten: bool) -> dict[int, Any]:
    """Return what a recording says before any dialect."""
    return said(recordings()[number].chunks, rewritten=rewritten)


@pytest.mark.parametrize("every", SHARES)
@pytest.mark.parametrize("name", DIALECTS)
def test_every_recording_says_the_same(name: str, every: int) -> None:
    """All streams of the corpus say in each dialect what `expected.jsonl` tells."""
    dialect, expected = parse_dialect(name), expectations()
    first = list(DIALECTS).index(name) % every
    for number in range(first, len(recordings()), every):
        recording = recordings()[number]
        want = as_recorded(number, rewritten=is_rewriting(name))
        converted = said(list(dialect.apply(recording.chunks)), rewritten=False)
        values = meant(converted)
        assert (values if is_rewriting(name) else converted) == want, recording.name
        if recording.name not in expected:  # made in code, or left out there
            continue
        row = expected[recording.name]
        got = values.get(0, ("", "", "", None, []))
        assert got[0] == (row["content"] or ""), recording.name
        calls = [(c["name"], value_of(c["arguments"])) for c in row["tool_calls"]]
        assert got[4] == calls, recording.name


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("name", SDK_READS)
def test_the_openai_sdk_reads_the_same(name: str) -> None:
    """The OpenAI SDK's accumulator reads each dialect's chunks as expected."""
    from openai.lib.streaming.chat import ChatCompletionStreamState
    from openai.types.chat import ChatCompletionChunk

    dialect, expected = parse_dialect(name), expectations()
    for recording in recordings():
        row = expected[recording.name]
        if len(recording.chunks) > 120 or row["choices"] != 1:
            continue
        state = ChatCompletionStreamState()
        for chunk in dialect.apply(recording.chunks):
            if "error" not in chunk.payload:
                state.handle_chunk(ChatCompletionChunk.construct(**chunk.payload))
        message = state.current_completion_snapshot.choices[0].message
        assert (message.content or "") == (row["content"] or ""), recording.name
        calls = [
            (call.function.name, value_of(call.function.arguments))
            for call in message.tool_calls or []
        ]
        wanted = [(c["name"], value_of(c["arguments"])) for c in row["tool_calls"]]
        assert calls == wanted, recording.name
