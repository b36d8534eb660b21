"""Calls of a Responses stream: whichever event brings what, each is read once."""

from __future__ import annotations

import pytest

from harness.core.parts import CallPart
from tests.responses_payloads import (
    F,
    Payload,
    added,
    answer,
    arguments,
    call,
    done,
    ended,
    event,
)
from tests.responses_streams import (
    answer_of,
    made,
    problems,
    read,
)

_CALLS = {
    "deltas": [added(0, **F, arguments=""), arguments('{"a"', 0), arguments(":1}", 0)],
    "arguments.done only": [
        added(0, **F, arguments=""),
        event("function_call_arguments.done", output_index=0, arguments='{"a":1}'),
    ],
    "item.done only": [done(0, **F, arguments='{"a":1}')],
    "terminal only": [ended(output=[{**F, "arguments": '{"a":1}'}])],
    "delta before the item is added": [
        arguments('{"a":1}', 0),
        done(0, **F, arguments='{"a":1}'),
    ],
    "in the added event, not streamed": [added(0, **F, arguments='{"a":1}')],
    "in the added event and streamed": [
        added(0, **F, arguments='{"a":1}'),
        arguments('{"a":1}', 0),
        done(0, **F, arguments='{"a":1}'),
    ],
    "item_id is the call_id, no index": [
        added(0, **F, arguments=""),
        event("function_call_arguments.delta", item_id="c1", delta='{"a":1}'),
    ],
    "item without id": [
        added(0, type="function_call", call_id="c1", name="f", arguments=""),
        arguments('{"a":1}', 0),
        ended(output=[call("f", '{"a":1}')]),
    ],
    "another item id at the end (vllm)": [
        added(0, **F, arguments=""),
        arguments('{"a":1}', 0),
        ended(output=[call("f", '{"a":1}', id="other")]),
    ],
    "name in arguments.done": [
        arguments('{"a":1}', 0, item_id="fc"),
        event(
            "function_call_arguments.done",
            output_index=0,
            item_id="fc",
            name="f",
            call_id="c1",
            arguments='{"a":1}',
        ),
    ],
}


@pytest.mark.parametrize("payloads", _CALLS.values(), ids=_CALLS)
def test_call_is_read_once(payloads: list[Payload]) -> None:
    """However its events repeat it, the call comes once and whole."""
    parts = read(made(*payloads))
    assert answer_of(parts).calls == [("function", "f", "c1", '{"a":1}')]
    assert {kind for kind, _ in problems(parts)} <= {"missing-finish"}
    joined = "".join(part.arguments for part in parts if isinstance(part, CallPart))
    assert joined == '{"a":1}'


def test_interleaved_calls() -> None:
    """Deltas go to the call at their index, or by id where indices are alike."""
    for second in (1, 0):
        found = answer(
            added(0, type="function_call", id="x", call_id="c1", name="f"),
            added(second, type="function_call", id="y", call_id="c2", name="g"),
            arguments('{"a"', 0, item_id="x"),
            arguments('{"b"', second, item_id="y"),
            arguments(":1}", 0, item_id="x"),
            arguments(":2}", second, item_id="y"),
            ended(
                output=[
                    call("f", '{"a":1}', id="x"),
                    call("g", '{"b":2}', "c2", id="y"),
                ]
            ),
        )
        assert found.calls == [
            ("function", "f", "c1", '{"a":1}'),
            ("function", "g", "c2", '{"b":2}'),
        ]


def test_calls_named_by_call_id() -> None:
    """Deltas whose item_id is a call_id, without an index, find their call."""
    found = answer(
        added(0, type="function_call", id="x", call_id="c1", name="f"),
        added(1, type="function_call", id="y", call_id="c2", name="g"),
        event("function_call_arguments.delta", item_id="c1", delta="1"),
        event("function_call_arguments.delta", item_id="c2", delta="2"),
    )
    assert [call[3] for call in found.calls] == ["1", "2"]


def test_custom_call() -> None:
    """A custom tool's input is text, not JSON."""
    assert answer(
        added(0, type="custom_tool_call", id="x", call_id="c", name="run", input=""),
        event("custom_tool_call_input.delta", output_index=0, delta="print("),
        event("custom_tool_call_input.done", output_index=0, input="print(1)"),
    ).calls == [("custom", "run", "c", "print(1)")]
