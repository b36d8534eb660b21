"""A diagnostic names the cause that fits: the limit, repeated text, its own call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness import replay
from harness.core.diagnostics import DiagnosticKind
from harness.debug.explain import explain
from tests.engine.made import call, cassette, exchange, finish, sse, user

if TYPE_CHECKING:
    from harness.engine.transcript import Diagnostic

ASK = [user("x")]


def _found(*payloads: Any) -> tuple[list[Diagnostic], list[str]]:
    """Return what is found but for results not recorded, and all of it in full."""
    made = cassette(exchange(sse(*payloads), ASK))
    found = replay(made, "queuing").diagnostics
    shown = [line for one in found for line in explain(one, made)]
    kept = [one for one in found if one.kind is not DiagnosticKind.UNRECORDED_RESULT]
    return kept, shown


def _calls(*fragments: str) -> list[Any]:
    first, *others = fragments
    return [call(first, call_id="c", name="f"), *(call(one) for one in others)]


def test_output_limit_explains_a_cut_call() -> None:
    """The finish is named in the text, and the cause is the limit alone."""
    (found,), shown = _found(*_calls('{"a": ', '"b'), finish("length"))
    assert found.kind is DiagnosticKind.MALFORMED_ARGUMENTS
    assert "the output limit cut the answer (finish 'length')" in found.text
    assert any("cause  the answer reached its output limit" in line for line in shown)
    assert not any("joined" in line for line in shown)


def test_limit_is_no_cause_of_what_was_malformed_before() -> None:
    """Where the text is wrong in the middle, the limit explains nothing."""
    (found,), _ = _found(*_calls('{"a" "b"'), finish("length"))
    assert "limit" not in found.text


def test_limit_of_another_api_is_the_same_cause() -> None:
    """Anthropic states `max_tokens`."""
    from tests.anthropic_streams import arguments, opened, start, stopped
    from tests.anthropic_streams import finish as ended

    events = [
        start(),
        opened(0, "tool_use", id="c", name="f", input={}),
        arguments('{"a": "b'),
        stopped(),
        ended("max_tokens"),
        {"type": "message_stop"},
    ]
    body = "".join(
        f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events
    )
    texts = [one.text for one in replay(cassette(body), "queuing").diagnostics]
    assert any("(finish 'max_tokens')" in text for text in texts)


def test_text_after_the_brace_is_two_calls_in_one() -> None:
    """Only this place has that cause."""
    (found,), shown = _found(*_calls('{"a": 1}', '{"b": 2}'), finish("tool_calls"))
    assert found.kind is DiagnosticKind.MALFORMED_ARGUMENTS
    assert any("fragments of two calls were joined" in line for line in shown)


@pytest.mark.parametrize(
    "fragments",
    [
        ('{"a', '{"a": 1', '{"a": 1}'),
        ('{"a": 1}', '{"a": 1} ', '{"a": 1}  '),
        ('{"city": "Ro', '{"city": "Rome"}'),
    ],
)
def test_arguments_that_repeat_themselves_are_cumulative(
    fragments: tuple[str, ...],
) -> None:
    """One diagnostic, which does not call them two calls."""
    (found,), shown = _found(*_calls(*fragments), finish("tool_calls"))
    assert found.kind is DiagnosticKind.CUMULATIVE
    assert f"each of {len(fragments)} fragments of its arguments" in found.text
    assert not any("two calls" in line for line in shown)


def test_repetition_that_stops_is_malformed_once() -> None:
    """Two fragments alike and a third that goes on: the first error counts."""
    (found,), _ = _found(*_calls('{"a', '{"a": 1', "}", "]"), finish("tool_calls"))
    assert found.kind is DiagnosticKind.MALFORMED_ARGUMENTS
    assert found.chunk == 1


def test_calls_without_ids_show_their_own_places() -> None:
    """Two calls of one name: each diagnostic points into its own arguments."""
    made = cassette(
        exchange(
            sse(
                call('{"x":1}', name="a", index=0),
                call('{"x":2}', name="a", index=1),
                finish("tool_calls"),
            ),
            ASK,
        )
    )
    found = [
        one
        for one in replay(made, "queuing").diagnostics
        if one.kind is DiagnosticKind.UNRECORDED_RESULT
    ]
    shown = ["\n".join(explain(one, made)) for one in found]
    assert ['{"x":1}' in text for text in shown] == [True, False]
    assert ['{"x":2}' in text for text in shown] == [False, True]
    assert "chunk 0" in shown[0]
    assert "chunk 1" in shown[1]
