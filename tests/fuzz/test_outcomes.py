"""What a consumer said does not depend on how it was told, and loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest

from harness import (
    AssistantMessage,
    FunctionCall,
    FunctionCallDelta,
    FunctionCallMessage,
    InternalMonologue,
)
from harness.agents.letta.light_messages import CallFields, LightMessage
from harness.apis.json_values import canonical
from harness.debug.folding import fold
from harness.debug.outcomes import Call, Outcome

_SAID_A = Outcome({"text.text": "a"})
_DATE = datetime(2024, 1, 1, tzinfo=UTC)
_WHOLE = {"name": "g", "arguments": "{}", "function_call_id": "2"}
_RETURNED = {"status": "success", "function_call_id": "2"}


def _thought(text: str) -> InternalMonologue:
    return InternalMonologue(id="m", date=_DATE, internal_monologue=text)


def _delta(**fields: str) -> FunctionCallMessage:
    return FunctionCallMessage(
        id="m", date=_DATE, function_call=FunctionCallDelta(**fields)
    )


class _Kind(StrEnum):
    SAY = "say"


@dataclass
class _TheirDelta:
    name: str | None = None
    arguments: str | None = None
    function_call_id: str | None = None


@dataclass
class _Theirs:
    """A message of another project with the fields of ours."""

    function_call: _TheirDelta
    id: str = "message-1"


@dataclass
class _Thought:
    internal_monologue: str
    date: datetime = _DATE
    state: _Kind = _Kind.SAY


@dataclass
class _Piece:
    kind: str
    text: str
    id: int


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["Hel", "lo"], Outcome({"text": "Hello"})),
        ([{"type": "delta", "text": "a"}] * 2, Outcome({"delta.text": "aa"})),
        ([("text", "a"), ("text", "b")], Outcome({"text": "ab"})),
        ([_Piece("say", "a", 1), _Piece("say", "b", 2)], Outcome({"say.text": "ab"})),
        ([_thought("a"), _thought("b")], Outcome({"internal_monologue": "ab"})),
        (
            [
                _delta(name="f", function_call_id="1"),
                _delta(arguments="{"),
                _delta(name="g", function_call_id="2", arguments="[]"),
                _delta(arguments="}", function_call_id="1"),
            ],
            Outcome({}, (Call("f", "{}"), Call("g", "[]"))),
        ),
        (
            [
                AssistantMessage(id="m", date=_DATE, assistant_message="x"),
                FunctionCallMessage(
                    id="m",
                    date=_DATE,
                    function_call=FunctionCall(
                        name="f", arguments="", function_call_id="1"
                    ),
                ),
            ],
            Outcome({"assistant_message": "x"}, (Call("f", "{}"),)),
        ),
        (
            [
                {"choices": [{"index": 0, "delta": {"content": text}}]}
                for text in ("a", "b")
            ],
            Outcome({"content": "ab"}),
        ),
        (
            [
                _Theirs(_TheirDelta("f", None, "1")),
                _Theirs(_TheirDelta(None, "{")),
                _Theirs(_TheirDelta("g", "[]", "2")),
                _Theirs(_TheirDelta(None, "}", "1")),
            ],
            Outcome({}, (Call("f", "{}"), Call("g", "[]"))),
        ),
        (
            [{"function_call": {"name": "f", "args": {"a": 1}}}],
            Outcome({}, (Call("f", '{"a": 1}'),)),
        ),
        ([_Thought("a"), _Thought("b")], Outcome({"internal_monologue": "ab"})),
        ([{"state": _Kind.SAY, "text": "a"}], Outcome({"text": "a"})),
        (["\ud83d", "x"], Outcome({"text": "\ufffdx"})),
        (  # pieces by id, whose event has no name of its own for them
            [
                {"type": "TOOL_CALL_START", "toolCallId": "1", "toolCallName": "f"},
                {"type": "TOOL_CALL_START", "toolCallId": "2", "toolCallName": "g"},
                {"type": "TOOL_CALL_ARGS", "toolCallId": "1", "delta": "{}"},
                {"type": "TOOL_CALL_ARGS", "toolCallId": "2", "delta": "[1]"},
            ],
            Outcome({}, (Call("f", "{}"), Call("g", "[1]"))),
        ),
        (  # pieces by place, then all of it with its id
            [
                {"type": "toolcall_start", "contentIndex": 1, "toolName": "f"},
                {"type": "toolcall_delta", "contentIndex": 1, "delta": '{"a": '},
                {"type": "toolcall_delta", "contentIndex": 1, "delta": "1}"},
                {
                    "type": "toolcall_end",
                    "contentIndex": 1,
                    "call": {"id": "1", "name": "f", "arguments": {"a": 1}},
                },
            ],
            Outcome({}, (Call("f", '{"a": 1}'),)),
        ),
        (  # as far as they have come; once more under the same id is no other call
            [
                {"type": "tool", "call_id": "1", "name": "f", "input": value}
                for value in ({}, {"a": "x"}, {"a": "xy"}, {"a": "xy"})
            ],
            Outcome({}, (Call("f", '{"a": "xy"}'),)),
        ),
        (  # not what the pieces were
            [
                {"type": "call", "call_id": "1", "name": "f", "input": "[1]"},
                {"type": "end", "call_id": "1", "name": "f", "input": [2]},
            ],
            Outcome({}, (Call("f", "[1][2]"),)),
        ),
        (
            [
                {
                    "content": "a",
                    "tool_calls": [{"name": "f", "args": {}, "id": "1"}],
                    "tool_call_chunks": [
                        {"name": "f", "args": "{}", "id": "1", "index": 0}
                    ],
                }
            ],
            Outcome({"content": "a"}, (Call("f", "{}"),)),
        ),
        ([{"kind": "text", "text": "a", "name": "", "args": {}}], _SAID_A),
        ([{"kind": "text", "text": "a", "threadId": "1"}], _SAID_A),
        (['event: text\ndata: {"text": "a"}\n\n', "data: [DONE]\n\n"], _SAID_A),
        ([b'{"t": "text", "text": "a"}\n'], _SAID_A),
        ([b'data: {"text": "\xc3', b'\xa4"}\n\n'], Outcome({"text": "\u00e4"})),
        ([b'data: {"text": "\xc3'], Outcome()),
        ([b'data: {"text": "a"}\n\ndata: {"te'], Outcome({"text": "a"})),
        (
            [b'data: {"text": "a"}\r\n\r', b"\ndata: [DONE]\r\n\r\n"],
            Outcome({"text": "a"}),
        ),
        ([b"\xff\n"], Outcome({"bytes": "\ufffd\n"})),
        (["data: a\n"], Outcome({"text": "data: a\n"})),
    ],
)
def test_emitted_messages_fold(items: list[Any], expected: Outcome) -> None:
    """Neighbouring messages of one structure are one text, ids and dates are gone."""
    assert fold(items) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Hello", Outcome({"text": "Hello"})),
        (["Hel", "lo"], Outcome({"text": "Hello"})),
        (7, Outcome({"value": "7 "})),
        (
            [
                {"name": "f", "args": "{}", "index": 0},
                {"name": "g", "args": "{}", "index": 0},
            ],
            Outcome({}, (Call("f", "{}"), Call("g", "{}"))),
        ),
        (
            {"content": "a", "calls": [{"name": "f", "args": {"b": 1, "a": 2}}]},
            Outcome({"content": "a"}, (Call("f", '{"a": 2, "b": 1}'),)),
        ),
        (("a", {"f": "{}"}), Outcome({"[0]": "a", "f": "{}"})),
        (
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "x", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "y", "function": {"name": "f", "arguments": "[1]"}},
                ],
            },
            Outcome({}, (Call("f", "{}"), Call("f", "[1]"))),
        ),
    ],
)
def test_returned_value_folds(value: Any, expected: Outcome) -> None:
    """A value is read as what it is; two calls stay two."""
    assert fold([], value) == expected


def test_halves_that_meet_are_no_character() -> None:
    """A pair shown as two halves differs from the character, as it does on the wire."""
    assert fold(["\ud83d", "\ude00"]) != fold(["\U0001f600"])


def test_canonical_json_is_what_is_compared() -> None:
    """Key order, escapes and blanks make no difference; other text stays."""
    assert canonical('{ "b": "\\u00e9", "a": 1 }') == canonical('{"a":1,"b":"é"}')
    assert canonical('{"a"') == '{"a"'


@pytest.mark.parametrize(
    ("part", "whole", "is_beginning"),
    [
        (Outcome(), Outcome({"text": "a"}), True),
        (Outcome({"text": "a"}), Outcome({"text": "ab"}), True),
        (Outcome({"text": "b"}), Outcome({"text": "ab"}), False),
        (Outcome({"text": "a"}), Outcome({"other": "a"}), False),
        (Outcome({"text": "a\ufffd"}), Outcome({"text": "a😀"}), True),
        (
            Outcome({}, (Call("f", '{"a"'),)),
            Outcome({}, (Call("f", '{"a": 1}'),)),
            True,
        ),
        (
            Outcome({}, (Call("f", '{"a": "x"}'),)),
            Outcome({}, (Call("f", '{"a": "xy", "b": 1}'),)),
            True,
        ),
        (
            Outcome({}, (Call("f", '{"a": "z"}'),)),
            Outcome({}, (Call("f", '{"a": "xy"}'),)),
            False,
        ),
        (Outcome({}, (Call("f", "{}"),)), Outcome({}, (Call("g", "{}"),)), False),
        (Outcome({}, (Call("f", "{}"), Call("g", "{}"))), Outcome({}, ()), False),
    ],
)
def test_beginning_is_told(part: Outcome, whole: Outcome, is_beginning: bool) -> None:
    """A beginning has no more texts and calls, and each is a beginning of its own."""
    assert part.begins(whole) is is_beginning


def test_light_messages_are_their_models() -> None:
    """A message of ours is folded alike, whether its model was made or not."""
    light = [
        LightMessage(kind, "m", _DATE, fields)
        for kind, fields in (
            ("InternalMonologue", {"internal_monologue": "a"}),
            ("FunctionCallMessage", {"function_call": {"name": "f"}}),
            ("FunctionCallMessage", {"function_call": {"arguments": "[1]"}}),
            ("FunctionCallMessage", {"function_call": CallFields(_WHOLE)}),
            ("AssistantMessage", {"assistant_message": "b"}),
            ("FunctionReturn", {"function_return": "c", **_RETURNED}),
        )
    ]
    assert fold(light) == fold([message.to_model() for message in light])
    assert fold(light).calls == (Call("f", "[1]"), Call("g", "{}"))


def test_ending_is_shown_apart() -> None:
    """How an answer ended is no part of what is compared, but it is kept."""
    one = fold([], {"content": "a", "finish_reason": "stop", "complete": True})
    assert one == fold(
        [], {"content": "a", "finish_reason": "length", "complete": True}
    )
    assert one.endings == {"finish_reason": "stop", "complete": "True"}


def test_ending_of_an_answer_is_not_that_of_what_is_in_it() -> None:
    """An item that is complete is in an answer that is not."""
    item = {"status": "completed", "text": "a"}
    one = fold([], {"status": "incomplete", "output": [item]})
    assert one.endings == {"status": "incomplete"}


@pytest.mark.parametrize(
    ("tag", "is_end"),
    [("RUN_FINISHED", True), ("message_stop", True), ("TEXT_DONE", False)],
)
def test_ending_is_told_by_the_kind_of_a_message(tag: str, is_end: bool) -> None:
    """A part that is done is not the end of all."""
    assert bool(fold([{"type": tag}]).endings) is is_end


def test_fragments_of_arguments_are_not_joined_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it costs to add one does not grow with those before it."""
    compared: list[str] = []
    monkeypatch.setattr("harness.debug.growing_calls.canonical", compared.append)
    pieces = ['{"a": [', *["{}", ","] * 50, "{}]}"]
    shown = [{"type": "call_delta", "id": "c", "name": "f"}]
    shown += [{"type": "call_delta", "id": "c", "delta": piece} for piece in pieces]
    assert fold(shown).calls == (Call("f", "".join(pieces)),)
    assert compared == []


def test_id_of_two_calls_is_told() -> None:
    """Stated twice it is one call; with other arguments it is another."""
    calls = [{"id": "1", "name": "f", "args": {"a": n}} for n in (1, 1, 2)]
    outcome = fold([], calls)
    assert len(outcome.calls) == 2
    assert outcome.ids_again == ("1",)
