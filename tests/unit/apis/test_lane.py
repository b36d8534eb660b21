"""The short way for like chunks: the same parts and objects as the full way, always."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import load_cassette
from harness.apis.lane import LaneEvent
from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Exchange, Request, Response
from harness.engine.stream import StreamReader
from tests.benchmarks.workloads import api_stream, fragments, prose
from tests.shared import HAS_CORPUS, SHARED, corpus_files, needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterator

Read = tuple[list[Any], list[str], int]


def read(exchange: Exchange, *, lane: bool) -> Read:
    """Return payloads with parts, the diagnostics, and how many took the short way."""
    found: list[Any] = []
    hits = 0
    reader = StreamReader(exchange, found.append)
    if not lane:
        reader._lane.learn = lambda *_: None  # type: ignore[method-assign]  # see above
    events = []
    for event, at, parts in reader.parts():
        hits += type(event) is LaneEvent
        payload = repr(event.payload)  # NaN is not equal to itself
        events.append((event.index, at, payload, repr(parts)))
    reader.finish()
    return events, [str(one) for one in found], hits


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
    assert read(made, lane=True)[2] == 2 * (len(texts) - 1)
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
    assert read(made, lane=True)[0][-1][2] == repr(finished)


def streams(paths: list[Path]) -> Iterator[tuple[str, Exchange]]:
    """Yield the API and the exchange of every recorded stream."""
    for path in paths:
        for exchange in load_cassette(path).exchanges:
            found = classify(exchange)
            if found.kind is Kind.STREAM:
                yield found.api, exchange


def shares(paths: list[Path]) -> dict[str, float]:
    """Read every stream both ways, which agree; return who took the short way."""
    events: Counter[str] = Counter()
    short: Counter[str] = Counter()
    for api, exchange in streams(paths):
        with_lane = read(exchange, lane=True)
        assert with_lane[:2] == read(exchange, lane=False)[:2]
        events[api] += len(with_lane[0])
        short[api] += with_lane[2]
    return {api: short[api] / count for api, count in events.items()}


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_our_recordings_read_alike_both_ways(every: int) -> None:
    """Every stream of the repository, of all APIs; most events take the short way."""
    paths = sorted((Path(__file__).parents[3] / "cassettes").rglob("*.yaml"))
    paths = [path for path in paths if ".scenario" not in path.suffixes]
    found = shares(paths[::every])
    assert found.keys() >= {"chat", "responses", "anthropic"}
    assert all(share > 0.5 for share in found.values()), found


@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.slow)])
def test_corpus_reads_alike_both_ways(every: int) -> None:
    """Every chat stream of the corpus; made ones have few chunks, each of its kind."""
    found = shares(corpus_files()[::every])
    assert found["chat"] > (0.7 if HAS_CORPUS else 1 / 3), found


@needs_shared
@pytest.mark.parametrize(
    ("api", "least"), [("responses", 0.75), ("anthropic", 0.45), ("gemini", 0.1)]
)
@pytest.mark.parametrize("every", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_recordings_of_other_apis_read_alike_both_ways(
    api: str, least: float, every: int
) -> None:
    """As many take the short way as can.

    The input of a server's tool is no part, and most events of Gemini have new counts.
    """
    paths = sorted((SHARED / "protocols" / api).rglob("*.yaml"))
    found = shares(paths[::every])
    assert every > 1 or found[api] > least, found


@pytest.mark.parametrize("api", ["chat", "responses", "anthropic", "gemini"])
def test_every_cut_takes_the_same_way(api: str) -> None:
    """However the bytes arrive: the same parts and objects, and as many short."""
    body = api_stream(api, 12)
    whole = read(Exchange(0, Request("POST", ""), Response(200, body=body)), lane=True)
    assert whole[2] >= 10
    for size, sent in [
        *((size, body) for size in (1, 7, 64)),
        *((size, body.replace(b"\n", b"\r\n")) for size in (7, 1024)),
    ]:
        cut = Response(200)
        cut.source = partial(_pieces, sent, size)
        cut.beginning = sent[:4096]
        assert read(Exchange(0, Request("POST", ""), cut), lane=True) == whole


def _pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


@pytest.mark.parametrize("api", ["chat", "responses", "anthropic", "gemini"])
@pytest.mark.parametrize("every", [23, pytest.param(2, marks=pytest.mark.slow)])
def test_no_damage_leads_astray(api: str, every: int) -> None:
    """A byte of the fourth of five like events left out, doubled or replaced."""
    body = api_stream(api, 5)
    text = body.index(json.dumps(fragments(prose(25))[3]).encode())
    for at in range(body.rindex(b"data:", 0, text), body.index(b"\n\n", text), every):
        for damaged in (
            body[:at] + body[at + 1 :],
            body[:at] + body[at : at + 1] + body[at:],
            body[:at] + b'"' + body[at + 1 :],
            body[:at] + b"\\" + body[at + 1 :],
            body[:at] + b"\xff" + body[at + 1 :],
        ):
            made = Exchange(0, Request("POST", ""), Response(200, body=damaged))
            assert read(made, lane=True)[:2] == read(made, lane=False)[:2], at


@pytest.mark.parametrize(
    "like",
    [
        '{"choices":[{"index":0,"delta":{"content":"%s","cont\\u0065nt":"a"}}]}',
        '{"choices":[{"index":0,"delta":{"content":"%s","content" :"a"}}]}',
        '{"created":NaN,"id":"c","choices":[{"index":0,"delta":{"content":"%s"}}]}',
        'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}',
        '{"unknown":1,"choices":[{"index":0,"delta":{"content":"%s"}}]}',
        '{"obfuscation":"%s","choices":[{"index":0,"delta":{"content":"a"}}]}',
        '{"type":"content_block_delta","delta":{"type":"text_delta","text":"%s","n":1}}',
        '{"type":"response.output_text.delta","item_id":"%s","delta":"a"}',
        '{"candidates":[{"content":{"parts":[{"text":"%s"}]}}],"new":1}',
        '{"candidates":[{"content":{"parts":[{"thought":true,"text":"%s"}]}}]}',
    ],
)
def test_what_each_event_means_anew_takes_the_full_way(like: str) -> None:
    """A key or a frame twice, a time that is none, fields counted each time."""
    made = stream(*[like % text for text in "aabcde"])
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]


@pytest.mark.parametrize("between", ["[DONE]", "[DONE]\n\nstray", "{}\n\nstray\n"])
def test_what_comes_between_like_events_is_seen(between: str) -> None:
    """Whatever comes after the end, or after a line that is none, is told as such."""
    a, b, c, d = (chunk({"content": text}) for text in "abcd")
    made = stream(a, b, between, c, d)
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]
    assert read(made, lane=True)[1]


@pytest.mark.parametrize("choice", ["text", 1, ["delta"], None])
def test_choice_that_is_no_object_raises_nothing(choice: object) -> None:
    """Found by the garbage campaign: such an event is reported, and teaches nothing."""
    chunks = [{"choices": [{"index": 0, "delta": {"content": "t"}}]}] * 2
    odd = {"choices": [choice], "usage": {"total_tokens": 1}}
    payloads = [*chunks, odd, odd]
    body = "".join(f"data: {json.dumps(payload)}\n\n" for payload in payloads)
    made = Exchange(0, Request("POST", ""), Response(200, body=body.encode()))
    assert read(made, lane=True)[:2] == read(made, lane=False)[:2]
