"""Responses events written from parts: read back, held against the rules, broken."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.apis.base import Event, WrittenEvent
from harness.apis.responses.api import API
from harness.apis.responses.dialects import DIALECTS
from harness.apis.responses.examples import EXAMPLES, example_events, example_parts
from harness.apis.responses.faults import FAULTS
from harness.apis.responses.reader import whole
from harness.apis.responses.writer import Writer, body
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from tests.chunk_streams import SHARES
from tests.responses_streams import (
    answer_of,
    events_of,
    merged,
    problems,
    read,
    recording,
    recordings,
)
from tests.shared import needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable


def numbered(written: Iterable[WrittenEvent]) -> list[Event]:
    """Number written events as a reader is fed them."""
    return [Event(n, event.name, event.payload) for n, event in enumerate(written)]


def written(parts: list[Part]) -> tuple[list[Event], dict[str, int]]:
    """Write parts, one at a time; return the events and what was left out."""
    writer = Writer()
    events = [event for part in parts for event in writer.feed([part])]
    return numbered(events + writer.close()), dict(writer.left_out)


def broken(events: list[Event]) -> set[str]:
    """Return the rules that events break."""
    return {v.rule.name.removeprefix("responses/") for v in API.check(events)}


# -- Round trip ------------------------------------------------------------------------

_NOT_CARRIED = {
    # GitHub Copilot: a response has one id. What has no head gets an id.
    "github-copilot-id-rotation.1.chunks": {"changed id or model": 2},
    "parallel-tool-call-wrapper.1.chunks": {},
}
"""Recordings whose parts are not all read back, and what the writer counts."""


@needs_shared
@pytest.mark.parametrize("share", SHARES)
def test_recorded_streams_are_read_back(share: int) -> None:
    """Parts of every recorded stream are the same when written and read again."""
    for found in recordings()[::share]:
        source = read(found.events)
        events, left_out = written(source)
        name = next((n for n in _NOT_CARRIED if f"__{n}.yaml" in found.file), None)
        before, after = merged(source), merged(read(events))
        if name is None:
            assert after == before, found.name
            assert left_out == {}
        else:
            assert left_out == _NOT_CARRIED[name]
            assert [p for p in after if p[0] not in {"Head", "Block"}] == [
                p for p in before if p[0] not in {"Head", "Block"}
            ]
        is_whole = any(isinstance(part, Finish) for part in source)
        assert broken(events) == (set() if is_whole else {"terminal"}), found.name


_TEXTS = st.text(st.sampled_from('aé🙂{}":\\ \n\ud83d'), min_size=1, max_size=5)
_IDS = st.integers(0, 10**6).map(str)


def _call(position: int, kind: str, name: str) -> tuple[ToolCall, list[Part]]:
    call = ToolCall(position, None, f"call_{position}")
    call.type, call.name = kind, name
    return call, [CallPart(call, name, "", is_new=True, id=call.id)]


_BY_SHAPE = {"text": Text, "reasoning": Reasoning, "refusal": Refusal}


@st.composite
def answers(draw: st.DrawFn) -> list[Part]:
    """Make the parts of an answer, calls parallel and interleaved."""
    parts: list[Part] = [Head("resp_1", "m", 5)]
    position = 0
    for number in range(draw(st.integers(0, 4))):
        shape = draw(st.sampled_from(["text", "reasoning", "refusal", "calls", "item"]))
        if shape == "calls":
            opened = []
            for _ in range(draw(st.integers(1, 3))):
                kind = draw(st.sampled_from(["function", "custom"]))
                call, begun = _call(position, kind, f"f{position}")
                opened.append(call)
                parts += begun
                position += 1
            for call in draw(st.lists(st.sampled_from(opened), max_size=6)):
                # No fragment ends an object, so that each call can go on.
                piece = draw(_TEXTS).replace("}", "]")
                call.add_arguments(piece)
                parts.append(CallPart(call, "", piece, is_new=False))
        elif shape == "item":
            value = {"type": "web_search_call", "id": f"ws_{number}", "x": draw(_TEXTS)}
            parts.append(Item("web_search_call", value))
        else:
            part: Any = _BY_SHAPE[shape]
            parts.append(Block(shape, f"{shape}_{number}"))
            least = 1 if shape == "refusal" else 0  # an empty one is an empty text
            for piece in draw(st.lists(_TEXTS, min_size=least, max_size=3)):
                parts.append(part(piece))
            if shape == "reasoning" and draw(st.booleans()):
                parts.append(Opaque("encrypted_reasoning", draw(_IDS)))
            if shape == "text" and draw(st.booleans()):
                parts.append(Item("url_citation", {"type": "url_citation", "url": "u"}))
    meaning = "tool_calls" if position else "stop"
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    return [*parts, Usage(usage, 1, 2), Finish("completed", meaning)]


@given(answers())
@settings(max_examples=40, deadline=None)
def test_made_answers_are_read_back(parts: list[Part]) -> None:
    """Whatever the parts, they are read back, no rule is broken, nothing left out."""
    events, left_out = written(parts)
    assert merged(read(events)) == merged(parts)
    assert broken(events) == set()
    assert left_out == {}
    at_once = Writer()
    assert numbered(at_once.feed(parts) + at_once.close()) == events


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_read_back(name: str) -> None:
    """Made answers of every shape are read back, whole ones too, and break no rule."""
    events = example_events(name)
    assert merged(read(events)) == merged(example_parts(name))
    assert broken(events) == set()
    document = body(example_parts(name))
    assert API.is_answer(document)
    source = example_parts(name)
    if name != "failed":
        assert answer_of(whole(document)) == answer_of(source)


_LEFT_OUT: list[tuple[Part, str]] = [
    (Opaque("signature", "s"), "signature"),
    (Opaque("redacted_reasoning", "s"), "redacted_reasoning"),
    (Item("server_tool_use", {"type": "server_tool_use"}), "server_tool_use"),
    (Item("inline_data", "abc"), "inline_data"),
    (OtherChoice(1, Text("x")), "other choice"),
]


@pytest.mark.parametrize(("part", "name"), _LEFT_OUT)
def test_what_the_api_cannot_carry_is_counted(part: Part, name: str) -> None:
    """Nothing is left out in silence."""
    events, left_out = written([Head("r"), part, Finish("completed")])
    assert left_out == {name: 1}
    assert broken(events) == set()


def test_foreign_parts() -> None:
    """Parts of a flat API (no blocks, ids, names in pieces) become a legal stream."""
    call = ToolCall(0, 0, "")
    call.name = "get_weather"
    parts: list[Part] = [
        Head("chatcmpl-1", "m"),
        Reasoning("think"),
        Text("a"),
        Text("b"),
        CallPart(call, "get_", "", is_new=True),
        CallPart(call, "weather", "", is_new=False),
        Finish("length"),
        Usage({"prompt_tokens": 3}, 3, 4),
    ]
    events, left_out = written(parts)
    assert broken(events) == set()
    assert left_out == {}
    found = read(events)
    assert answer_of(found)[:2] == ("ab", "think")
    assert [(c[1], bool(c[2])) for c in answer_of(found).calls] == [
        ("get_weather", True)
    ]
    assert Finish("incomplete", "length") in found
    counts = next(p for p in found if isinstance(p, Usage))
    assert (counts.input_tokens, counts.output_tokens) == (3, 4)


def test_error_without_finish() -> None:
    """An error that ended the source ends what is written, with code and message."""
    parts: list[Part] = [Text("a"), Problem(DiagnosticKind.ERROR_EVENT, "c_1: m: n")]
    events, _ = written(parts)
    assert events[-1].payload["code"] == "c_1"
    assert ("error-event", "c_1: m: n") in problems(read(events))


def test_cut_source_stays_cut() -> None:
    """Without a finish no event ends the response, and nothing is done."""
    events, _ = written([Head("r"), Text("a")])
    assert broken(events) == {"terminal"}
    assert not any(event.name.endswith(".done") for event in events)


# -- Dialects --------------------------------------------------------------------------


def in_dialect(name: str, parts: list[Part]) -> list[Event]:
    """Write parts in a dialect, through bytes."""
    dialect = DIALECTS[name]
    writer = dialect.writer()
    sent = [event for part in parts for event in writer.feed([part])] + writer.close()
    return events_of(b"".join(dialect.encode(sent)))


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_breaks_exactly_its_rules(name: str) -> None:
    """Over all made answers: the declared rules, no other; the same answer is read."""
    rules = set()
    for example in EXAMPLES:
        events = in_dialect(name, example_parts(example))
        rules |= broken(events)
        assert answer_of(read(events)) == answer_of(example_parts(example))
        kinds = {kind for kind, _ in problems(read(events))} - {"error-event"}
        assert kinds <= {"illegal-event", "unread"}, example
    assert rules == DIALECTS[name].breaks


def test_dialects_are_values() -> None:
    """They pickle, compare, and have a summary and a source."""
    assert len(DIALECTS) >= 20
    for name, dialect in DIALECTS.items():
        assert pickle.loads(pickle.dumps(dialect)) == dialect
        assert dialect.name == name
        assert dialect.summary
        assert dialect.source
    assert len(set(DIALECTS.values())) == len(DIALECTS)


_RECORDED = {
    "copilot": "github-copilot-id-rotation",
    "lmstudio": "lmstudio-tool-call.1",
    "openrouter": "raw_cot_stream_openrouter",
    "bedrock": "providers_bedrock_mantle_responses_chat_streams",
    "openai": "openai_gpt-5_4_streams_thinking",
}


def _keys(events: Iterable[Event]) -> dict[str, set[frozenset[str]]]:
    """Return the sets of keys of each type of event."""
    found: dict[str, set[frozenset[str]]] = {}
    for event in events:
        kind = event.payload["type"]
        keys = frozenset(event.payload) - {"obfuscation", "copilot_usage"}
        found.setdefault(kind, set()).add(frozenset(keys))
    found.pop("response.keep_alive", None)  # not in every recording of OpenRouter
    return found


@needs_shared
@pytest.mark.parametrize("name", _RECORDED)
def test_dialect_has_the_keys_of_its_recording(name: str) -> None:
    """A recording of a habit, written again in its dialect, has the same key sets."""
    found = recording(_RECORDED[name])
    events = in_dialect(name, read(found.events))
    assert _keys(events) == _keys(found.events)
    lines = {bool(event.name) for event in found.events}
    assert {bool(event.name) for event in events} == lines


def test_framing_of_dialects() -> None:
    """Event lines, comments and the terminator are part of a dialect."""
    dialect = DIALECTS["openrouter"]
    writer = dialect.writer()
    sent = writer.feed(example_parts("text")) + writer.close()
    data = b"".join(dialect.encode(sent))
    assert data.startswith(b": PROCESSING")
    assert data.endswith(b"data: [DONE]\n\n")
    assert b"event:" not in data


# -- Faults ----------------------------------------------------------------------------


def _faulty(name: str, example: str, number: int | None = None) -> list[Event]:
    sent = [WrittenEvent(e.name, e.payload) for e in example_events(example)]
    return numbered(FAULTS[name].apply(sent, number))


@pytest.mark.parametrize("name", FAULTS)
def test_fault_breaks_what_it_names(name: str) -> None:
    """The named rule is broken and the named diagnostic reported; else none is."""
    fault = FAULTS[name]
    for example in ("text", "call", "parallel-calls", "reasoning"):
        events = _faulty(name, example)
        rules = broken(events)
        kinds = {kind for kind, _ in problems(read(events))}
        if fault.breaks:
            assert fault.breaks in rules
        else:
            assert rules == set()
        assert kinds == ({fault.reported} if fault.reported else set())
        assert pickle.loads(pickle.dumps(fault)) == fault


@pytest.mark.parametrize("name", FAULTS)
def test_fault_behind_the_end_does_nothing(name: str) -> None:
    """A number beyond the stream leaves it whole."""
    if FAULTS[name].default is not None:
        assert _faulty(name, "call", 1000) == example_events("call")


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_every_shape(name: str) -> None:
    """No fault fails on any shape of answer, wherever it happens."""
    for example in EXAMPLES:
        for number in range(0, 14, 3):
            events = _faulty(name, example, number)
            read(events)
            broken(events)


def test_cut_in_call_leaves_a_beginning() -> None:
    """The arguments that came are no JSON, and the response states why."""
    found = read(_faulty("cut-in-call", "call"))
    (call,) = answer_of(found).calls
    assert '{"city": "Paris"}'.startswith(call[3])
    assert call[3] != '{"city": "Paris"}'
    assert Finish("incomplete", "length") in found


def test_duplicate_is_the_same_event() -> None:
    """The network sends an event twice: number and all."""
    events: list[Any] = _faulty("duplicate", "text", 5)
    assert events[4].payload == events[5].payload
