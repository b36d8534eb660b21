"""Whatever the framing and the cuts, what was said is what is read; nothing raises."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from harness.apis.chat.deltas import DeltaReader
from harness.apis.chat.reader import ResponseAccumulator
from harness.core.parts import CallPart, Finish, Part, Reasoning, Refusal, Text
from harness.core.text import TextBuffer
from tests.chunk_streams import recordings
from tests.delta_payloads import check_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.core.accumulate import AccumulatedMessage

_EXAMPLES = settings(max_examples=50, deadline=None)
Payload = dict[str, Any]


# -- What is said, framed as each provider frames it -----------------------------------


class Said(NamedTuple):
    """One thing a model says: text of a kind, or a fragment of a call."""

    kind: str
    """`content`, `reasoning`, `refusal` or `call`."""
    text: str
    call: int = 0


_KINDS = ("content", "reasoning", "refusal", "call")
_TEXTS = st.text(st.sampled_from('aé🙂{}[]":,\\ \n'), max_size=6)


Answer = tuple[str, str, str, list[tuple[str, str, str]]]


def said() -> st.SearchStrategy[list[Said]]:
    """What a model says, calls interleaved; shrinks to fewer and shorter things."""
    one = st.builds(Said, st.sampled_from(_KINDS), _TEXTS, st.integers(0, 2))
    return st.lists(one, max_size=8)


def expected(
    things: Sequence[Said],
) -> Answer:
    """Add up what was said: content, reasoning, refusal, calls as they appeared."""
    texts = dict.fromkeys(_KINDS, "")
    arguments: dict[int, str] = {}
    for thing in things:
        if thing.kind == "call":
            arguments[thing.call] = arguments.get(thing.call, "") + thing.text
        else:
            texts[thing.kind] += thing.text
    made = [(f"call_{n}", f"tool_{n}", text) for n, text in arguments.items()]
    return texts["content"], texts["reasoning"], texts["refusal"], made


def got(
    message: AccumulatedMessage,
) -> Answer:
    """Return a message as `expected` does."""
    made = [(call.id, call.name, call.arguments) for call in message.calls]
    return message.content, message.reasoning, message.refusal, made


Entry = dict[str, Any]


def _by_index(call: int, opens: bool, text: str) -> Entry:
    entry: Entry = {"index": 7 - 3 * call, "function": {"arguments": text}}
    if opens:
        entry |= {"id": f"call_{call}", "type": "function"}
        entry["function"]["name"] = f"tool_{call}"
    return entry


def _by_id(call: int, opens: bool, text: str) -> Entry:
    entry: Entry = {"id": f"call_{call}", "function": {"arguments": text}}
    if opens:
        entry["function"]["name"] = f"tool_{call}"
    return entry


def _by_id_index_null(call: int, opens: bool, text: str) -> Entry:
    entry = {"index": None, **_by_id(call, opens, text)}
    entry["function"].setdefault("name", None)
    return entry


def _resent(call: int, _opens: bool, text: str) -> Entry:
    return _by_index(call, True, text)


def _resent_at_index_0(call: int, _opens: bool, text: str) -> Entry:
    return {**_by_index(call, True, text), "index": 0}


def _at_index_0(call: int, opens: bool, text: str) -> Entry:
    return {**_by_index(call, opens, text), "index": 0}


def _bare(call: int, opens: bool, text: str) -> Entry:
    entry = _by_id(call, opens, text)
    if not opens:
        del entry["id"]
    return entry


Framing = Callable[[int, bool, str], Entry]
_INTERLEAVED: list[Framing] = [
    _by_index,
    _by_id,
    _by_id_index_null,
    _resent,
    _resent_at_index_0,
]
_ONE_AFTER_ANOTHER: list[Framing] = [_at_index_0, _bare]


def frame(things: Sequence[Said], framing: Framing) -> list[Payload]:
    """Write each thing as the delta of a chunk."""
    opened: set[int] = set()
    payloads = []
    for thing in things:
        if thing.kind == "call":
            opens = thing.call not in opened
            opened.add(thing.call)
            delta: Payload = {"tool_calls": [framing(thing.call, opens, thing.text)]}
        else:
            delta = {thing.kind: thing.text}
        payloads.append({"choices": [{"index": 0, "delta": delta}]})
    return payloads


def cut(things: Sequence[Said], places: Sequence[int]) -> list[Said]:
    """Cut the texts where the code points of all things, counted on, say so."""
    pieces: list[Said] = []
    offset = 0
    for thing in things:
        size = len(thing.text)
        inside = [p - offset for p in sorted(places) if offset <= p <= offset + size]
        for start, end in pairwise([0, *inside, size]):
            pieces.append(thing._replace(text=thing.text[start:end]))
        offset += size
    return pieces


def calls_together(things: Sequence[Said]) -> list[Said]:
    """Put the fragments of one call after one another, for framings that need it."""
    texts = [thing for thing in things if thing.kind != "call"]
    calls = [thing for thing in things if thing.kind == "call"]
    order = list(dict.fromkeys(thing.call for thing in calls))
    fragments = sorted(calls, key=lambda thing: order.index(thing.call))
    return texts[::2] + fragments + texts[1::2]


def merged(payloads: list[Payload]) -> list[Payload]:
    """Put neighbouring chunks of calls into one delta with several entries."""
    result: list[Payload] = []
    for payload in payloads:
        delta = payload["choices"][0]["delta"]
        last = result[-1]["choices"][0]["delta"] if result else {}
        if "tool_calls" in delta and "tool_calls" in last:
            last["tool_calls"] += delta["tool_calls"]
        else:
            result.append(copy.deepcopy(payload))
    return result


def run(payloads: Sequence[Payload]) -> tuple[AccumulatedMessage, list[Part]]:
    """Accumulate payloads; return the message and all parts."""
    accumulator = ResponseAccumulator()
    parts = [part for payload in payloads for part in accumulator.feed(payload)]
    return accumulator.message(), parts


def _name(framing: object) -> str:
    return getattr(framing, "__name__", "").strip("_").replace("_", "-")


@pytest.mark.parametrize("framing", _INTERLEAVED + _ONE_AFTER_ANOTHER, ids=_name)
@_EXAMPLES
@given(said(), st.lists(st.integers(0, 30), max_size=6))
def test_every_framing_and_every_cut_says_the_same(
    framing: Framing, things: list[Said], places: list[int]
) -> None:
    """Text of each kind, the calls and their order are what the model said."""
    if framing in _ONE_AFTER_ANOTHER:
        things = calls_together(things)
    answer = expected(things)
    whole = frame(things, framing)
    pieces = frame(cut(things, places), framing)
    for payloads in (whole, pieces, merged(whole), merged(pieces)):
        message, parts = run(payloads)
        assert got(message) == answer
        _check_that_parts_add_up(message, parts)


def _check_that_parts_add_up(message: AccumulatedMessage, parts: list[Part]) -> None:
    for kind, text in (
        (Text, message.content),
        (Reasoning, message.reasoning),
        (Refusal, message.refusal),
    ):
        texts = [part.text for part in parts if isinstance(part, kind)]
        assert "".join(texts) == text
        assert all(texts)
    finishes = [part.reason for part in parts if isinstance(part, Finish)]
    assert finishes[-1:] == ([message.finish_reason] if message.finish_reason else [])
    for part in parts:
        if isinstance(part, CallPart):
            assert part.call in message.calls
    pieces: dict[int, str] = {}
    for part in parts:
        if isinstance(part, CallPart):
            position = part.call.position
            pieces[position] = pieces.get(position, "") + part.arguments
    assert [pieces[call.position] for call in message.calls] == [
        call.arguments for call in message.calls
    ]


_PIECES = st.lists(st.sampled_from(["go", "get_", "it", "é"]), min_size=1, max_size=4)


@_EXAMPLES
@given(_PIECES, _TEXTS)
def test_a_name_in_pieces_adds_up(pieces: list[str], arguments: str) -> None:
    """Without a repeated id or type, even equal pieces add up until the arguments."""
    entries = [{"index": 0, "function": {"name": piece}} for piece in pieces]
    entries[0]["id"] = "a"
    entries.append({"index": 0, "function": {"arguments": arguments}})
    chunks = [{"choices": [{"delta": {"tool_calls": [entry]}}]} for entry in entries]
    message, _ = run(chunks)
    assert got(message)[3] == [("a", "".join(pieces), arguments)]


@pytest.mark.slow
def test_the_strategy_interleaves_calls() -> None:
    """It finds a call that is taken up again after another call: the hard case."""

    def interleaves(things: list[Said]) -> bool:
        order = [thing.call for thing in things if thing.kind == "call" and thing.text]
        turns = [call for call, _ in groupby(order)]
        return len(turns) > len(set(turns))

    things = find(
        said(),
        interleaves,
        settings=settings(max_examples=2000, derandomize=True, database=None),
    )
    assert len(things) == 3


# -- Garbage ---------------------------------------------------------------------------

_KEYS = (
    *("choices", "index", "delta", "message", "content", "text", "thinking", "refusal"),
    *("reasoning", "reasoning_content", "tool_calls", "function_call", "function"),
    *("id", "type", "name", "arguments", "finish_reason", "role", "usage", "created"),
    *("model", "error"),
)


def garbage() -> st.SearchStrategy[Any]:
    """Any JSON, its keys those that mean something; shrinks to less of it."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-1, 2),
        st.sampled_from([1.0, 0.5, float("nan"), float("inf"), 10**400]),
        st.sampled_from(["", "a", "{}", '{"a":1}', "\ud83d", "function"]),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
        ),
        max_leaves=6,
    )


def garbage_payloads() -> st.SearchStrategy[Payload]:
    """Payloads that go wrong at any depth; shrinks to the shallowest."""
    fields = st.sampled_from(["index", "id", "type", "function"])
    entries = st.lists(st.dictionaries(fields, garbage()), max_size=3)
    delta = st.builds(
        lambda fields, entries: {**fields, "tool_calls": entries},
        st.dictionaries(st.sampled_from(_KEYS), garbage(), max_size=3),
        entries,
    )
    choice = st.fixed_dictionaries(
        {}, optional={"index": garbage(), "delta": delta, "finish_reason": garbage()}
    )
    top = st.dictionaries(st.sampled_from(_KEYS), garbage(), max_size=4)
    return st.one_of(
        top,
        st.builds(lambda t, c: {**t, "choices": c}, top, st.lists(choice, max_size=3)),
    )


def check_any(payloads: Sequence[Payload]) -> None:
    """Whatever came, nothing raises, nothing is changed, and what is told adds up."""
    before = repr(payloads)
    reader = DeltaReader()
    read = [part for payload in payloads for part in reader.read(payload)]
    message, parts = run(payloads)
    assert repr(payloads) == before
    told = [part for part in parts if isinstance(part, _OF_DELTAS)]
    assert [_plain(part) for part in read] == [_plain(part) for part in told]
    for text in (message.content, message.reasoning, message.refusal):
        assert type(text) is str
    assert [call.position for call in message.calls] == list(range(len(message.calls)))
    for call in message.calls:
        for text in (call.id, call.name, call.type, call.arguments):
            assert type(text) is str
    if not any("function_call" in repr(payload) for payload in payloads):
        check_parts(reader, read)
        _check_that_parts_add_up(message, parts)


_OF_DELTAS = Text | Reasoning | Refusal | CallPart | Finish


def _plain(part: Part) -> tuple[object, ...]:
    if isinstance(part, CallPart):
        position = part.call.position
        return (position, part.name, part.arguments, part.is_new, part.id)
    return (part,)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(garbage_payloads(), max_size=3))
def test_garbage_never_raises(payloads: list[Payload]) -> None:
    """Any JSON objects are read: reader and accumulator agree, types hold."""
    check_any(payloads)


_REAL: list[Payload] = [
    {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "delta": {
                    "role": "assistant",
                    "content": "Hi",
                    "reasoning": "hm",
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "a",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"a":'},
                        },
                        {
                            "index": 1,
                            "id": "b",
                            "type": "function",
                            "function": {"name": "g", "arguments": "{}"},
                        },
                    ],
                },
                "finish_reason": None,
            }
        ],
    },
    {
        "choices": [
            {
                "index": 0,
                "delta": {
                    "tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"total_tokens": 1},
    },
]


def places(value: Any) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON value."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    return [
        path for key, v in inner for path in ((key,), *((key, *p) for p in places(v)))
    ]


def mutate(payloads: list[Payload], path: tuple[Any, ...], value: Any) -> list[Payload]:
    """Return a copy with another value at the path."""
    changed: Any = copy.deepcopy(payloads)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return [payload for payload in changed if isinstance(payload, dict)]


@_EXAMPLES
@given(st.sampled_from(places(_REAL)), garbage())
def test_a_stream_with_any_one_value_replaced_never_raises(
    path: tuple[Any, ...], value: Any
) -> None:
    """Two ordinary chunks, broken at any one place."""
    check_any(mutate(_REAL, path, value))


@pytest.mark.parametrize("value", [None, "x", 5, [], {}, [None], [[]], True])
def test_every_place_of_a_stream_may_hold_any_type(value: object) -> None:
    """Each place of two ordinary chunks in turn; and the rest is still read."""
    for path in places(_REAL):
        check_any(mutate(_REAL, path, value))
        message, _ = run(mutate(_REAL, path, value))
        if path[:4] == (0, "choices", 0, "delta") and path[4:5] == ("tool_calls",):
            assert message.content == "Hi"
        if path[-1] in {"role", "reasoning", "finish_reason", "usage", "model"}:
            assert message.content == "Hi"
            assert [call.arguments for call in message.calls] == ['{"a":1}', "{}"]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_recorded_streams_broken_at_any_place_never_raise(data: st.DataObject) -> None:
    """The first chunks of a recording, one value anywhere in them replaced."""
    recording = data.draw(st.sampled_from(range(len(recordings()))))
    payloads = [c.payload for c in recordings()[recording].chunks[:6]]
    paths = places(payloads)
    if paths:
        path = data.draw(st.sampled_from(paths))
        check_any(mutate(payloads, path, data.draw(garbage())))


# -- Cost ------------------------------------------------------------------------------


def test_feeding_never_joins_what_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading is the only thing that joins text: feeding stays O(size of the chunk)."""
    joins = 0
    join = TextBuffer.__str__

    def count(self: TextBuffer) -> str:
        nonlocal joins
        joins += 1
        return join(self)

    monkeypatch.setattr(TextBuffer, "__str__", count)
    accumulator = ResponseAccumulator()
    for _ in range(500):
        for payload in _REAL:
            accumulator.feed(payload)
    assert joins == 0
    assert accumulator.message().content == "Hi" * 500
    assert json.loads('"' + accumulator.message().reasoning + '"') == "hm" * 500
