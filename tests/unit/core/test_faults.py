"""Faults: what each breaks, where, and what a consumer may make of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.apis.chat import breaking
from harness.apis.chat.chunks import DONE, Chunk, parse_payload
from harness.apis.chat.dialects.registry import encode_stream, parse_dialect
from harness.apis.chat.faults import FAULTS, parse_fault
from harness.apis.chat.reader import ResponseAccumulator
from harness.apis.varied import Variation, vary
from harness.core.sse import SSEDecoder
from harness.errors import ChunkError, UsageError
from tests.chunk_streams import call_streams, to_chunks

if TYPE_CHECKING:
    from harness.core.accumulate import AccumulatedMessage

RECORDED = parse_dialect("recorded")


def entry(arguments: str, **rest: Any) -> dict[str, Any]:
    """Return an entry of `tool_calls` of the first call."""
    return {"index": 0, **rest, "function": {"arguments": arguments}}


def stream() -> list[Chunk]:
    """Return four chunks: text, a call in two, and the finish."""
    deltas: list[dict[str, Any]] = [
        {"content": "é"},
        {"tool_calls": [entry('{"a"', id="x")]},
        {"tool_calls": [entry(':"b"}')]},
        {},
    ]
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
    ]
    choices[-1]["finish_reason"] = "tool_calls"
    return to_chunks([{"choices": [choice]} for choice in choices])


def contents(fault: str) -> list[str]:
    """Return the arguments of the first call after a fault, a fragment each."""
    deltas = [
        chunk.payload["choices"][0]["delta"]
        for chunk in parse_fault(fault).apply(stream())
    ]
    sent = [found for delta in deltas for found in delta.get("tool_calls", [])]
    return [found["function"]["arguments"] for found in sent]


def wire(fault: str, dialect: str = "recorded") -> bytes:
    """Return the bytes of the stream after a fault."""
    return b"".join(
        Variation(dialect=parse_dialect(dialect), fault=parse_fault(fault)).encode(
            stream()
        )
    )


def read(data: bytes) -> AccumulatedMessage:
    """Read bytes as a lenient consumer does: unreadable events are left out."""
    decoder, accumulator = SSEDecoder(), ResponseAccumulator()
    for event in [*decoder.feed(data), *decoder.close()]:
        if event.data != DONE:
            try:
                accumulator.feed(parse_payload(event.data))
            except ChunkError:
                continue
    return accumulator.message()


def test_cut_chunks_leaves_the_first_ones_and_no_end() -> None:
    """The source is read no further, and no `[DONE]` follows."""
    source = iter(stream())
    cut = list(parse_fault("cut-chunks:2").apply(source))
    assert [chunk.index for chunk in cut] == [0, 1]
    assert next(source).index == 2
    assert wire("cut-chunks:0") == b""
    assert wire("cut-chunks:3").count(b"data: ") == 3
    assert DONE.encode() not in wire("cut-chunks:3")


def test_cut_bytes_leaves_the_first_bytes() -> None:
    """Also in the middle of a character; what is whole is the same."""
    whole = b"".join(encode_stream(stream(), RECORDED))
    for count in (0, 1, whole.index(b"\xc3") + 1, len(whole) - 14):
        assert wire(f"cut-bytes:{count}") == whole[:count]


def test_no_finish_makes_every_reason_null() -> None:
    """All else is untouched."""
    chunks = stream()
    broken = list(parse_fault("no-finish").apply(chunks))
    assert [c.payload for c in broken[:3]] == [c.payload for c in chunks[:3]]
    assert broken[3].payload["choices"][0]["finish_reason"] is None


@pytest.mark.parametrize("dialect", ["recorded", "crlf", "cr", "no-space", "comments"])
def test_no_done_leaves_out_only_the_end(dialect: str) -> None:
    """In every framing, and never text that only looks like it."""
    whole = b"".join(encode_stream(stream(), parse_dialect(dialect)))
    assert whole.startswith(wire("no-done", dialect))
    assert DONE.encode() not in wire("no-done", dialect)
    chunks = to_chunks([{"choices": [{"delta": {"content": "data: [DONE]"}}]}])
    kept = b"".join(
        Variation(dialect=RECORDED, fault=parse_fault("no-done")).encode(chunks)
    )
    assert kept.count(b"[DONE]") == 1


def test_error_event_comes_and_ends_the_stream() -> None:
    """After as many chunks as asked, with the place of the one it replaces."""
    broken = list(parse_fault("error-event:2").apply(stream()))
    assert [chunk.index for chunk in broken] == [0, 1, 2]
    assert broken[2].payload["error"]["type"] == "server_error"
    assert DONE.encode() not in wire("error-event:2")


def test_broken_json_is_one_event_that_no_parser_reads() -> None:
    """The events around it are whole; the end is never broken."""
    lines = [line[6:] for line in wire("broken-json:1").split(b"\n\n") if line]
    for number, line in enumerate(lines[:-1]):
        if number == 1:
            with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
                json.loads(line)
        else:
            json.loads(line)
    assert lines[-1] == DONE.encode()
    assert wire("broken-json:4") == b"".join(encode_stream(stream(), RECORDED))
    empty = b"".join(
        Variation(fault=parse_fault("broken-json:0")).encode(to_chunks([{}]))
    )
    assert empty == b"data: {\n\ndata: [DONE]\n\n"


def test_chunks_come_twice_or_in_another_order() -> None:
    """A swapped chunk takes the place of the other in time."""
    twice = parse_fault("duplicate-chunk:1").apply(stream())
    assert [chunk.index for chunk in twice] == [0, 1, 1, 2, 3]
    chunks = stream()
    swapped = list(parse_fault("reordered-chunks:1").apply(chunks))
    assert [chunk.index for chunk in swapped] == [0, 1, 2, 3]
    payloads = [chunk.payload for chunk in chunks]
    assert [c.payload for c in swapped] == [payloads[n] for n in (0, 2, 1, 3)]
    last = list(parse_fault("reordered-chunks:3").apply(chunks))
    assert [c.payload for c in last] == payloads


@pytest.mark.parametrize(
    ("fault", "arguments"),
    [
        ("truncated-arguments:0", ["", ""]),
        ("truncated-arguments:2", ['{"', ""]),
        ("truncated-arguments:6", ['{"a"', ':"']),
        ("trailing-arguments", ['{"a"', ':"b"}}']),
        ("bad-escape", ['{"C:\\usersa"', ':"b"}']),
    ],
)
def test_arguments_are_malformed(fault: str, arguments: list[str]) -> None:
    """What is left is no JSON object, or nothing at all."""
    assert contents(fault) == arguments
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid|Extra"):
        json.loads("".join(arguments))


def test_legacy_calls_are_malformed_too() -> None:
    """A `function_call` has arguments like any other."""
    deltas = [{"function_call": {"name": "f", "arguments": t}} for t in ("{", "}")]
    chunks = to_chunks([{"choices": [{"delta": delta}]} for delta in deltas])
    broken = list(parse_fault("truncated-arguments:1").apply(chunks))
    assert [
        c.payload["choices"][0]["delta"]["function_call"]["arguments"] for c in broken
    ] == ["{", ""]


def test_stray_bytes_come_after_the_end() -> None:
    """The answer before them is untouched."""
    whole = b"".join(encode_stream(stream(), RECORDED))
    assert wire("stray-bytes").startswith(whole)
    assert len(wire("stray-bytes")) > len(whole)


def test_invalid_utf8_stands_in_a_text() -> None:
    """The byte is in the first text from its event on, so the event stays readable."""
    assert '"content":"\ufffdé"' in wire("invalid-utf8").decode("utf-8", "replace")
    later = wire("invalid-utf8:1")
    assert later.count(b"\xff") == 1
    assert b'"arguments":"\xff{' in later
    assert read(later).calls[0].arguments == '\ufffd{"a":"b"}'


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "é"},
        {"content": [{"type": "text", "text": "é"}]},
        {"content": [{"type": "thinking", "thinking": [{"text": "é"}]}]},
        {"refusal": "é"},
        {"reasoning": "é"},
        {"reasoning_content": "é"},
        {"reasoning_text": "é"},
        {"function_call": {"arguments": "é"}},
        {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "é"}}]},
        {"tool_calls": [{"index": 0, "custom": {"name": "f", "input": "é"}}]},
        {"audio": {"transcript": "é"}},
    ],
    ids=str,
)
def test_invalid_utf8_is_for_every_text(delta: dict[str, Any]) -> None:
    """Whatever field a fragment of the answer stands in."""
    event = json.dumps({"choices": [{"index": 0, "delta": delta}]}, ensure_ascii=False)
    (broken,) = breaking.invalid_utf8([f"data: {event}\n\n".encode()], 0)
    assert b'"\xff\xc3\xa9"' in broken


@given(call_streams(), st.sampled_from(sorted(FAULTS)), st.integers(0, 400))
def test_a_fault_leaves_what_it_says(
    chunks: list[Chunk], name: str, number: int
) -> None:
    """The same answer, a beginning of it, or at least one that can be read."""
    takes = FAULTS[name].default is not None
    fault = parse_fault(f"{name}:{number}" if takes else name)
    want = read(b"".join(encode_stream(chunks, RECORDED)))
    got = read(b"".join(Variation(dialect=RECORDED, fault=fault).encode(chunks)))
    if fault.leaves == "same":
        assert [(c.name, c.arguments) for c in got.calls] == [
            (c.name, c.arguments) for c in want.calls
        ]
    elif fault.leaves == "prefix":
        assert want.content.startswith(got.content)
        for had, has in zip(want.calls, got.calls, strict=False):
            assert had.arguments.startswith(has.arguments)
        assert len(got.calls) <= len(want.calls)


@given(
    call_streams(), st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=3)
)
def test_faults_compose_and_parse_back(chunks: list[Chunk], names: list[str]) -> None:
    """What a fault prints is the fault; several break one stream together."""
    fault = parse_fault("+".join(names))
    assert parse_fault(str(fault)) == fault
    before = [json.dumps(chunk.payload) for chunk in chunks]
    read(b"".join(Variation(dialect=RECORDED, fault=fault).encode(chunks)))
    assert [json.dumps(chunk.payload) for chunk in chunks] == before


def test_a_fault_tells_what_it_is() -> None:
    """What it leaves and what it allows, of one and of several."""
    assert str(parse_fault("cut-bytes")) == "cut-bytes:100"
    both = parse_fault("no-finish+cut-chunks:1")
    assert (both.leaves, both.ends_early) == ("prefix", True)
    assert parse_fault("no-done+duplicate-chunk:1").leaves == "anything"
    assert both.allows.count("It keeps what came") == 2
    assert {FAULTS[n].level for n in ("cut-bytes", "cut-chunks")} == {"bytes", "chunks"}


@pytest.mark.parametrize(
    "text", ["", "x", "no-done:1", "cut-bytes:", "cut-bytes:-1", "cut-bytes:x", "+"]
)
def test_parse_refuses_what_is_no_fault(text: str) -> None:
    """The message lists what there is, in one line."""
    with pytest.raises(UsageError, match="expected one of cut-chunks:K, ") as caught:
        parse_fault(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "owner"),
    [
        ({"fault": "no-block-stop"}, "no-block-stop belongs to anthropic"),
        ({"fault": "no-done+no-block-stop:3"}, "no-block-stop belongs to anthropic"),
        ({"dialect": "crlf", "api": "gemini"}, "crlf belongs to chat"),
        ({"dialect": "azurr"}, "did you mean 'azure'?"),
    ],
)
def test_a_name_of_another_api_is_found_there(
    asked: dict[str, str], owner: str
) -> None:
    """Who forgot to name the API reads which."""
    with pytest.raises(UsageError, match=owner.replace("?", r"\?")) as caught:
        vary(**asked)
    assert ("name that API" in str(caught.value)) == ("belongs" in owner)
