"""The hard shapes are really found, and what is found shrinks to something small.

A weak strategy lets every test pass. Each shape below is one that broke a consumer;
hypothesis must come across it in a few hundred examples.
"""

from __future__ import annotations

import json
import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from harness import strategies as made
from tests.json_reference import parse_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import SearchStrategy

_T = TypeVar("_T")
_SEARCH = settings(max_examples=1000, derandomize=True, database=None)
_SAMPLE = settings(
    _SEARCH, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def sample(make: Callable[[], SearchStrategy[_T]], count: int) -> list[_T]:
    """Return examples of a strategy, the same in every run."""
    found: list[_T] = []

    @settings(_SAMPLE, max_examples=count)
    @given(make())
    def collect(value: _T) -> None:
        found.append(value)

    collect()
    return found


def find_any(strategy: SearchStrategy[_T], shape: Callable[[_T], bool]) -> _T:
    """Return the first example of a shape, not shrunk."""
    return find(strategy, shape, settings=settings(_SEARCH, phases=[Phase.generate]))


def minimal(strategy: SearchStrategy[_T], shape: Callable[[_T], bool]) -> _T:
    """Return the smallest example of a shape."""
    return find(strategy, shape, settings=_SEARCH)


def parsed(text: str) -> Any:
    """Parse a text as the consumers of arguments do."""
    return json.loads(text, strict=False)


def depth(value: Any) -> int:
    """Count how deep containers are nested."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)
    return 0


def strings(value: Any) -> list[str]:
    """Return all string values, keys left out."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [text for each in inner for text in strings(each)]
    return []


def has_nested_key(text: str) -> bool:
    """Tell whether the key stands in an object inside."""
    return any(
        isinstance(value, dict) and "message" in value
        for value in parsed(text).values()
    )


def keys(text: str) -> list[str]:
    """Return the top-level keys, repeated ones too."""
    return [key for key, _ in parse_pairs(text)]


ARGUMENTS: dict[str, Callable[[str], bool]] = {
    "empty": lambda text: text.strip() == "{}",
    "the key with text": lambda text: bool(
        isinstance(parsed(text).get("message"), str) and parsed(text)["message"]
    ),
    "the key with an empty string": lambda text: parsed(text).get("message") == "",
    "the key with an object": lambda text: isinstance(
        parsed(text).get("message"), dict
    ),
    "no key": lambda text: bool(parsed(text)) and "message" not in parsed(text),
    "nested three deep": lambda text: depth(parsed(text)) >= 3,
    "the key deeper down": has_nested_key,
    "the key deeper down and then itself": lambda text: (
        has_nested_key(text) and isinstance(parsed(text).get("message"), str)
    ),
    "the key quoted in a string": lambda text: any(
        '"message":"' in value for value in strings(parsed(text))
    ),
    "the key with a unicode escape": lambda text: (
        "message" in parsed(text) and '"message"' not in text
    ),
    "a key that begins like it": lambda text: "messages" in parsed(text),
    "a key that is its beginning": lambda text: "messag" in parsed(text),
    "the key twice": lambda text: keys(text).count("message") == 2,
    "the key after another": lambda text: keys(text)[1:2] == ["message"],
    "a raw control character": lambda text: (
        bool(re.search(r"[\x00-\x1f]", text))
        and any(
            re.search(r"[\x00-\x1f]", value) and value in text
            for value in strings(parsed(text))
        )
    ),
    "an escaped surrogate pair": lambda text: bool(
        re.search(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..", text)
    ),
    "a lone surrogate": lambda text: any(
        re.search("[\ud800-\udfff]", value) for value in strings(parsed(text))
    ),
    "an escaped backslash before a quote": lambda text: '\\\\"' in text,
    "an escaped quote": lambda text: '\\"' in text,
    "every short escape": lambda text: len(set(re.findall(r"\\[bfnrt/]", text))) >= 3,
    "whitespace everywhere": lambda text: bool(
        re.match(r'\s+\{\s+"[^"]*"\s+:\s+\S', text)
    ),
    "whitespace after the object": lambda text: text != text.rstrip(),
    "a number with an exponent": lambda text: bool(
        re.search(r"[:,\[]\s*-?\d+(\.\d+)?[eE]", text)
    ),
}


def not_found(
    shapes: dict[str, Callable[[_T], bool]], among: Sequence[_T]
) -> list[str]:
    """Return the names of shapes that none of the examples has."""
    return [name for name, shape in shapes.items() if not any(map(shape, among))]


@pytest.mark.slow
def test_the_search_finds_arguments() -> None:
    """Every shape occurs among the texts of arguments."""
    assert not_found(ARGUMENTS, sample(made.argument_texts, 400)) == []


def fragmented() -> SearchStrategy[list[str]]:
    """Fragments of arguments."""
    return made.argument_texts().flatmap(made.fragments)


def cut_inside(pattern: str) -> Callable[[list[str]], bool]:
    """Tell whether there is a cut within what a pattern matches."""

    def is_cut(pieces: list[str]) -> bool:
        whole = "".join(pieces)
        places, offset = set(), 0
        for piece in pieces:
            offset += len(piece)
            places.add(offset)
        return any(
            place in places
            for match in re.finditer(pattern, whole)
            for place in range(match.start() + 1, match.end())
        )

    return is_cut


FRAGMENTS: dict[str, Callable[[list[str]], bool]] = {
    "a cut short escape": cut_inside(r'(?<!\\)\\[n"\\]'),
    "a cut unicode escape": cut_inside(r"(?<!\\)\\u[0-9a-f]{4}"),
    "a cut surrogate pair": cut_inside(r"\\u[dD][89ab]..\\u[dD][c-f].."),
    "a pair cut between its halves": lambda pieces: any(
        re.search(r"\\ud[89ab]..$", left) and re.match(r"\\u[dD][c-fC-F]", right)
        for left, right in pairwise(pieces)
    ),
    "a cut key": cut_inside(r'"message"'),
    "a cut literal": cut_inside(r"true|null"),
    "a cut number": cut_inside(r"(?<=:)-?\d\d+"),
    "an empty fragment": lambda pieces: "" in pieces,
    "fragments of one character": lambda pieces: (
        [len(piece) for piece in pieces].count(1) >= 3
    ),
}


@pytest.mark.slow
def test_the_search_finds_fragments() -> None:
    """Every cut occurs among the fragments of arguments."""
    assert not_found(FRAGMENTS, sample(fragmented, 1500)) == []


def deltas(stream: made.ChunkStream) -> list[dict[str, Any]]:
    """Return the deltas that say something."""
    return [choice["delta"] for chunk in stream.payloads for choice in chunk["choices"]]


def order(stream: made.ChunkStream) -> list[Any]:
    """Return which call each fragment belongs to, by index or id."""
    return [
        entry["id"] if entry.get("index") is None else entry["index"]
        for delta in deltas(stream)
        for entry in delta.get("tool_calls", [])
    ]


def takes_turns(stream: made.ChunkStream) -> bool:
    """Tell whether a call is taken up again after another."""
    runs = [call for call, _ in groupby(order(stream))]
    return len(runs) > len(set(runs))


def fields(stream: made.ChunkStream) -> list[str]:
    """Return what the deltas carry, neighbours that are alike once."""
    names = [
        next((name for name in delta if delta[name]), "") for delta in deltas(stream)
    ]
    return [name for name, _ in groupby(names)]


STREAMS: dict[str, Callable[[made.ChunkStream], bool]] = {
    "nothing said": lambda stream: stream.answer == made.Answer(),
    "interleaved calls": takes_turns,
    "interleaved calls by index": lambda stream: (
        takes_turns(stream) and all(isinstance(key, int) for key in order(stream))
    ),
    "interleaved calls by id": lambda stream: (
        takes_turns(stream) and all(isinstance(key, str) for key in order(stream))
    ),
    "three calls": lambda stream: len(stream.answer.calls) == 3,
    "two calls of one function": lambda stream: (
        len(stream.answer.calls) > len({call.name for call in stream.answer.calls})
    ),
    "a first index that is not 0": lambda stream: order(stream)[:1] == [1],
    "a call without arguments": lambda stream: any(
        not call.arguments for call in stream.answer.calls
    ),
    "calls that share a delta": lambda stream: any(
        len(delta.get("tool_calls", [])) > 1 for delta in deltas(stream)
    ),
    "a name without arguments first": lambda stream: any(
        entry["function"].get("name") and not entry["function"]["arguments"]
        for delta in deltas(stream)
        for entry in delta.get("tool_calls", [])
    ),
    "a name and arguments at once": lambda stream: any(
        entry["function"].get("name") and entry["function"]["arguments"]
        for delta in deltas(stream)
        for entry in delta.get("tool_calls", [])
    ),
    "text after a call": lambda stream: (
        "content" in fields(stream)[fields(stream).index("tool_calls") :]
        if "tool_calls" in fields(stream)
        else False
    ),
    "text before and after a call": lambda stream: (
        re.search("content tool_calls content", " ".join(fields(stream))) is not None
    ),
    "no choices at first": lambda stream: not stream.payloads[0]["choices"],
    "usage at last": lambda stream: "usage" in stream.payloads[-1],
    "content beside calls": lambda stream: any(
        delta.get("tool_calls") and "content" in delta for delta in deltas(stream)
    ),
    "a finish beside a fragment": lambda stream: any(
        choice["finish_reason"] and choice["delta"].get("tool_calls")
        for chunk in stream.payloads
        for choice in chunk["choices"]
    ),
    "arguments cut in an escape": lambda stream: any(
        re.search(r"(?<!\\)\\$", entry["function"]["arguments"])
        for delta in deltas(stream)
        for entry in delta.get("tool_calls", [])
    ),
}


@pytest.mark.slow
def test_the_search_finds_streams() -> None:
    """Every shape occurs among the chunk streams."""
    assert not_found(STREAMS, sample(made.chunk_streams, 250)) == []


CONVERSATIONS: dict[str, Callable[[made.Conversation], bool]] = {
    "three steps": lambda made: len(made.answers) == 3,
    "two results of one answer": lambda made: len(made.results) >= 2,
    "a failed tool": lambda made: any("Failed" in r for r in made.results.values()),
    "recorded reads": lambda made: any(
        exchange.response.wire and len(exchange.response.wire) > 1
        for exchange in made.cassette.exchanges
    ),
    "an answer without calls in the middle": lambda made: (
        len(made.answers) == 3 and not made.answers[1].calls
    ),
}


@pytest.mark.slow
def test_the_search_finds_conversations() -> None:
    """Every shape occurs among the conversations."""
    assert not_found(CONVERSATIONS, sample(made.conversations, 300)) == []


def broken() -> SearchStrategy[str]:
    """Texts that are mostly no arguments."""
    return made.broken_argument_texts() | made.garbage_texts()


GARBAGE: dict[str, Callable[[str], bool]] = {
    "cut short in the key's text": lambda text: bool(
        re.fullmatch(r'\{"message":"[^"\\]+', text)
    ),
    "a wrong escape": lambda text: bool(re.search(r'"[^"\\]*\\[^"\\/bfnrtu]', text)),
    "text after the object": lambda text: bool(re.match(r"\{\}\s*\S", text)),
    "a comma too many": lambda text: ",}" in text or ",," in text,
    "NaN": lambda text: "Na" in text or "I" in text,
}


@pytest.mark.slow
def test_the_search_finds_garbage() -> None:
    """Every shape occurs among broken arguments and garbage."""
    assert not_found(GARBAGE, sample(broken, 1500)) == []


@pytest.mark.slow
@pytest.mark.parametrize("split", ["recorded", "whole", "chars", "tokens"])
def test_the_search_finds_every_fixed_split(split: str) -> None:
    """Each kind occurs alone, and random ones and joined ones too."""
    assert str(find_any(made.splits(), lambda found: str(found) == split)) == split
    assert "random" in str(find_any(made.splits(), lambda one: "random" in str(one)))
    assert "+" in str(find_any(made.splits(), lambda one: "+" in str(one)))


@pytest.mark.slow
def test_odd_chunks_reach_every_level() -> None:
    """Odd values stand in choices, deltas, entries and functions."""
    texts = [json.dumps(payload) for payload in sample(made.garbage_payloads, 1500)]
    for odd in ('"choices": null', '"delta": null', '"index": null', '"name": null'):
        assert any(odd in text for text in texts), odd


@pytest.mark.campaign
def test_the_simplest_examples_are_empty() -> None:
    """What any predicate accepts shrinks to the simplest of its kind."""
    assert minimal(made.argument_texts(), lambda _: True) == "{}"
    assert minimal(made.string_texts(), lambda _: True) == '""'
    assert minimal(made.value_texts(), lambda _: True) == "null"
    assert minimal(made.spellings("a\n"), lambda _: True) == '"a\n"'
    assert minimal(made.fragments("abc"), lambda _: True) == ["abc"]
    assert minimal(made.byte_pieces(b"abc"), lambda _: True) == [b"abc"]
    assert str(minimal(made.splits(), lambda _: True)) == "recorded"
    assert minimal(made.answers(), lambda _: True) == made.Answer()
    assert len(minimal(made.chunk_streams(), lambda _: True).payloads) == 1
    assert len(minimal(made.conversations(), lambda _: True).cassette.exchanges) == 1
    assert minimal(made.garbage_texts(), lambda _: True) == ""
    assert minimal(made.garbage_bytes(), lambda _: True) == b""
    assert minimal(made.garbage_payloads(), lambda _: True) == {}
    assert minimal(made.disordered_payloads(), lambda _: True) == []


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("shape", "longest"),
    [
        ("nested three deep", 22),
        ("the key deeper down", 26),
        ("the key with a unicode escape", 26),
        ("the key quoted in a string", 40),
        ("the key twice", 40),
        ("an escaped surrogate pair", 26),
    ],
)
def test_arguments_shrink_well(shape: str, longest: int) -> None:
    """What is left of a text is little more than the shape itself (half a minute)."""
    text = minimal(made.argument_texts(), ARGUMENTS[shape])
    assert len(text) <= longest, text


@pytest.mark.campaign
def test_fragments_shrink_to_one_cut() -> None:
    """A bug that needs one cut is shown with one."""
    pieces = minimal(fragmented(), FRAGMENTS["a cut unicode escape"])
    assert len(pieces) == 2
    assert len("".join(pieces)) <= 18


@pytest.mark.campaign
def test_streams_shrink_to_few_chunks() -> None:
    """Interleaving is shown with two calls and nothing besides."""
    stream = minimal(made.chunk_streams(), takes_turns)
    assert len(stream.answer.calls) == 2
    assert len(stream.payloads) <= 4
    assert stream.answer.content == stream.answer.reasoning == ""
