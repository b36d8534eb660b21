"""The short way for like chunks: the same parts and objects as the full way, always."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import load_cassette
from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Exchange, Request, Response
from harness.engine.stream import StreamReader
from tests.shared import HAS_CORPUS, corpus_files

Read = tuple[list[Any], list[str], int]


def read(exchange: Exchange, *, lane: bool) -> Read:
    """Return payloads with parts, the diagnostics, and how many took the short way."""
    found: list[Any] = []
    hits = 0
    reader = StreamReader(exchange, found.append)
    if not lane:
        reader._lane = None
    chunks = []
    for chunk in reader:
        hits += type(chunk).__name__ == "LaneChunk"
        chunks.append((chunk.index, chunk.at, chunk.payload, repr(chunk.parts)))
    reader.finish()
    return chunks, [str(one) for one in found], hits


def stream(*payloads: Any) -> Exchange:
    """Return an exchange of these payloads, compact as most servers send them."""
    lines = [
        p if isinstance(p, str) else json.dumps(p, separators=(",", ":"))
        for p in payloads
    ]
    body = "".join(f"data: {line}\n\n" for line in lines).encode("utf-8", "replace")
    return Exchange(0, Request("POST", ""), Response(200, body=body))


def chunk(delta: Any, **fields: Any) -> dict[str, Any]:
    """Return a chunk with this delta."""
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return {"id": "c", "created": 1, "model": "m", "choices": [choice], **fields}


def arguments(text: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    """Return a bare fragment of a call's arguments."""
    return chunk(
        {"tool_calls": [{"index": index, "function": {"arguments": text}}]} | fields
    )


def opened(index: int) -> Any:
    """Return the first chunk of a call."""
    function = {"name": f"f{index}", "arguments": ""}
    entry = {
        "index": index,
        "id": f"id{index}",
        "type": "function",
        "function": function,
    }
    return chunk({"tool_calls": [entry]})


TEXTS = st.text(st.sampled_from('ab "\\\n\t\u00e9\ud83d\ude00\x7f{}[]<|:,'), max_size=6)
PIECES = st.one_of(
    TEXTS.map(lambda text: chunk({"content": text})),
    TEXTS.map(lambda text: chunk({"reasoning_content": text})),
    TEXTS.map(lambda text: chunk({"content": text}, p="x")),
    st.builds(arguments, TEXTS, st.integers(0, 1)),
    st.integers(0, 1).map(opened),
    st.just(chunk({}) | {"usage": {"prompt_tokens": 1}}),
    st.just("{broken"),
    st.just(
        '{"choices":[{"index":0,"delta":{"content":"a" "b"},"finish_reason":null}]}'
    ),
)


@given(st.lists(PIECES, max_size=12))
def test_short_way_equals_the_full_way(payloads: list[Any]) -> None:
    """Whatever comes in between: texts with escapes, other calls, damaged JSON."""
    made = stream(*payloads)
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]


@given(
    st.binary(max_size=8),
    st.sampled_from([b'"content":"', b'"finish_reason":', b"}]}", b'{"id"']),
    st.booleans(),
)
def test_any_other_byte_takes_the_full_way(
    noise: bytes, place: bytes, is_before: bool
) -> None:
    """Bytes put anywhere into the third of four like chunks change both ways alike."""
    made = stream(*[chunk({"content": text}) for text in "abcd"])
    events = made.response.body.split(b"\n\n")
    at = events[2].index(place) + (0 if is_before else len(place))
    events[2] = events[2][:at] + noise + events[2][at:]
    made.response.body = b"\n\n".join(events)
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]


def test_like_chunks_take_the_short_way() -> None:
    """All but the first of each kind, escapes and other alphabets included."""
    texts = ["a", "b c", "\n", "é", "\U0001f600", '"', "\\"]
    made = stream(
        *[chunk({"content": text}) for text in texts],
        opened(0),
        *[arguments(text) for text in texts],
    )
    # The first text comes with the head, and the second is learned.
    assert read(made, lane=True)[2] == len(texts) - 2 + len(texts) - 1
    assert read(made, lane=False)[2] == 0


def test_fragments_never_reach_another_call() -> None:
    """A call that is opened in between takes the fragments of its index."""
    again = opened(0)
    again["choices"][0]["delta"]["tool_calls"][0]["id"] = "another"
    made = stream(
        opened(0), arguments("a"), arguments("b"), opened(1), arguments("c"),
        arguments("d", 1), arguments("e"), arguments("f", 1),
    )  # fmt: skip
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]
    made = stream(opened(0), arguments("a"), arguments("b"), again, arguments("c"))
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]


def test_another_value_behind_the_text_takes_the_full_way() -> None:
    """Also one that is as long: the event is another, not the text in it."""
    finished = chunk({"content": "c"})
    finished["choices"][0]["finish_reason"] = True  # as long as null
    made = stream(chunk({"content": "a"}), chunk({"content": "b"}), finished)
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]
    assert read(made, lane=True)[0][-1][2] == finished


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_recordings_read_alike_both_ways(every: int) -> None:
    """Every chat stream of the corpus, and most of its chunks take the short way."""
    total = short = 0
    for path in corpus_files()[::every]:
        for exchange in load_cassette(path).exchanges:
            if classify(exchange).kind is Kind.STREAM:
                with_lane = read(exchange, lane=True)
                assert with_lane[:2] == read(exchange, lane=False)[:2]
                total += len(with_lane[0])
                short += with_lane[2]
    assert short > (total / 2 if HAS_CORPUS else total / 3)


@pytest.mark.parametrize("choice", ["text", 1, ["delta"], None])
def test_choice_that_is_no_object_raises_nothing(choice: object) -> None:
    """Found by the garbage campaign: such an event is reported, and teaches nothing."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": "t"}}]}] * 2
    odd = {"choices": [choice], "usage": {"total_tokens": 1}}
    payloads = [*chunks, odd, odd]
    body = "".join(f"data: {json.dumps(payload)}\n\n" for payload in payloads)
    made = Exchange(0, Request("POST", ""), Response(200, body=body.encode()))
    reader = StreamReader(made, [].append)
    texts = list(reader.parts())
    assert texts
