"""Responses events written from parts: read back, held against the rules, broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.apis.base import Event, WrittenEvent
from harness.apis.responses.answer import whole
from harness.apis.responses.api import API
from harness.apis.responses.writer import Writer, body
from harness.apis.tables import not_carried
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
    EXAMPLES,
    answer_of,
    example_events,
    example_parts,
    merged,
    problems,
    read,
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
    "github-copilot-id-rotation.1.chunks": {"another id or model": 2},
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
    source = example_parts(name)
    events, left_out = written(source)
    assert merged(read(events)) == merged(source)
    assert broken(example_events(name)) == broken(events) == set()
    assert left_out == {}
    document = body(source)
    assert API.is_answer(document)
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
    assert name in not_carried("responses") or isinstance(part, Item)
    assert broken(events) == set()


@pytest.mark.parametrize(
    ("late", "name"),
    [
        (("", "", "late"), "late id of a call"),
        (("late", "", ""), "late name of a call"),
        (("", " ", ""), "piece of a call after its end"),
    ],
)
def test_what_comes_too_late_is_counted(late: tuple[str, str, str], name: str) -> None:
    """What a call brings when it is added, or ended, already is counted."""
    call, parts = _call(0, "function", "f")
    parts.append(CallPart(call, "", "{}", is_new=False))
    parts.append(Text("ends the call"))
    parts.append(CallPart(call, *late[:2], is_new=False, id=late[2]))
    _, left_out = written([*parts, Finish("completed")])
    assert left_out == {name: 1}
    assert name in not_carried("responses")


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


def test_what_the_source_states_of_its_objects_is_written() -> None:
    """Fields of the response and of items, and how far a server's tool is."""
    sent = {"id": "resp_1", "model": "m", "usage": None, "service_tier": "flex"}
    message = {"type": "message", "id": "m", "role": "assistant", "phase": "commentary"}
    call_item = {"type": "function_call", "id": "fc_9", "call_id": "c0", "async": True}
    search = {"type": "web_search_call", "id": "ws"}
    call, fragments = _call(0, "function", "f")
    call.id = fragments[0].id = "c0"  # type: ignore[union-attr]
    events, left_out = written(
        [
            Item("response", sent, is_done=False),
            Head("resp_1", "m"),
            Item("web_search_call", search, is_done=False),
            Item("response.web_search_call.searching", {"item_id": "x"}, is_done=False),
            Item("web_search_call", search),
            Item("message", message, is_done=False),
            Block("text", "m"),
            Item("function_call", call_item, is_done=False),
            *fragments,
            Finish("completed"),
        ]
    )
    assert left_out == {}
    kinds = [event.name.removeprefix("response.") for event in events]
    assert kinds[:5] == [
        *("created", "in_progress", "output_item.added"),
        *("web_search_call.searching", "output_item.done"),
    ]
    assert events[3].payload["item_id"] == "ws"
    # A message without text has a part all the same.
    assert kinds[5:10] == [
        *("output_item.added", "content_part.added", "output_text.done"),
        *("content_part.done", "output_item.done"),
    ]
    for event in (events[0], events[-1]):
        assert event.payload["response"].keys() == {
            *sent,
            *("created_at", "status", "output"),
        }
    items = events[-1].payload["response"]["output"]
    assert [item.get("phase") for item in items] == [None, "commentary", None]
    assert (items[2]["id"], items[2]["async"], "status" in items[2]) == (
        "fc_9",
        True,
        False,
    )


def test_an_error_before_the_failure_stays_an_event_of_its_own() -> None:
    """As OpenAI sends the two; where they come in one event there is one."""
    parts: list[Part] = [
        Head("r", "m"),
        Problem(DiagnosticKind.ERROR_EVENT, "over: no"),
    ]
    events, _ = written([*parts, Finish("failed")])
    assert [e.name for e in events[-2:]] == ["error", "response.failed"]
    assert broken(events) == set()
    assert problems(read(events)) == [("error-event", "over: no")]
    writer = Writer()
    made = writer.feed([*parts, Finish("failed")]) + writer.close()
    assert "error" not in [event.name for event in made]


def test_cut_source_stays_cut() -> None:
    """Without a finish no event ends the response, and nothing is done."""
    events, _ = written([Head("r"), Text("a")])
    assert broken(events) == {"terminal"}
    assert not any(event.name.endswith(".done") for event in events)


def test_whole_calls_end_before_the_next_item() -> None:
    """A call whose arguments are one object ends first, as OpenAI sends it."""
    kinds = [event.name for event in example_events("parallel-calls")]
    added = [n for n, kind in enumerate(kinds) if kind.endswith("item.added")]
    ended = [n for n, kind in enumerate(kinds) if kind.endswith("item.done")]
    assert all(end < begin for end, begin in zip(ended, added[1:], strict=False))


def test_item_that_is_returned_to_has_an_id_of_its_own() -> None:
    """No two items have the same id, though the source returns to a block."""
    parts: list[Part] = [
        Head("resp_9"),
        Block("text", "m"),
        Text("a"),
        Block("reasoning", "r"),
        Reasoning("b"),
        Block("text", "m"),
        Text("c"),
        Finish("completed", "stop"),
    ]
    events, _ = written(parts)
    output = events[-1].payload["response"]["output"]
    assert [item["id"] for item in output] == ["m", "r", "msg_9_2"]


def test_whole_call_of_a_cut_answer_is_whole() -> None:
    """An answer cut after a call: only what was open then is incomplete."""
    parts = [*example_parts("call")[:-1], Text("And"), Finish("incomplete", "length")]
    events, _ = written(parts)
    output = events[-1].payload["response"]["output"]
    assert [item.get("status") for item in output[1:]] == ["completed", "incomplete"]
    call_only = [*example_parts("call")[:-1], Finish("incomplete", "length")]
    events, _ = written(call_only)
    assert events[-1].payload["response"]["output"][1]["status"] == "completed"


def test_other_reason_of_an_incomplete_answer() -> None:
    """A reason that chat has no word for is read back without one."""
    events, _ = written([Head("r"), Finish("incomplete", "")])
    assert Finish("incomplete", "") in read(events)


def test_counts_of_another_api_are_restated() -> None:
    """Token counts without a total get one, for the API always has it."""
    usage = Usage({"input_tokens": 3, "output_tokens": 4}, 3, 4)
    events, _ = written([Head("r"), usage, Finish("completed")])
    counts = events[-1].payload["response"]["usage"]
    assert (counts["input_tokens"], counts["total_tokens"]) == (3, 7)
