"""Chat-completion mode: a stream that an OpenAI client reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.agents.letta.light_messages import render_sse
from tests.unit.interfaces.streams import (
    Payload,
    chunk,
    content,
    finish,
    fragment,
    openai_chunks,
    stream,
)


def _chunks(payloads: list[Payload], **options: Any) -> list[Any]:
    return stream(payloads, streaming_chat_completion_mode=True, **options)


def _send(arguments: str, index: int = 0, call_id: str = "a") -> Payload:
    return fragment(arguments, name="send_message", index=index, call_id=call_id)


def _other(arguments: str, index: int = 0, call_id: str = "b") -> Payload:
    return fragment(arguments, name="f", index=index, call_id=call_id)


_OTHER = {"id": "b", "name": "f", "arguments": "{}"}


def test_the_assistant_functions_text_is_content() -> None:
    """Thoughts are silent, the text comes as it is decided, the finish is stop."""
    payloads = [
        chunk({"role": "assistant", "content": ""}),
        content("thought"),
        chunk({"reasoning_content": "deep", "content": "thought"}),
        _send(""),
        fragment('{"message": "Hel'),
        fragment("lo"),
        fragment('"}'),
        finish(),
    ]
    head = {key: payloads[0][key] for key in ("id", "object", "created", "model")}

    def expected(delta: Any, reason: str | None = None) -> Any:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**head, "choices": [choice]}

    assert _chunks(payloads) == [
        expected({"role": "assistant"}),
        expected({"content": "Hel"}),
        expected({"content": "lo"}),
        expected({}, "stop"),
    ]


def test_payloads_are_not_changed() -> None:
    """What the caller fed is the caller's."""
    payloads = [_send('{"message": "x"}'), _other("{}", 1), finish()]
    before = json.dumps(payloads)
    _chunks(payloads)
    assert json.dumps(payloads) == before


@pytest.mark.parametrize(
    ("payloads", "expected"),
    [
        ([_send('{"message": "x"}'), finish()], ("x", [], ["stop"])),
        ([_send('{"message": "x"}'), finish("stop")], ("x", [], ["stop"])),
        ([_send('{"message": "x"}'), finish("length")], ("x", [], ["length"])),
        ([_other("{}"), finish()], (None, [_OTHER], ["tool_calls"])),
        ([finish()], (None, [], ["tool_calls"])),
        (
            [_send('{"message": "x"}'), _other("{}", 1), finish()],
            ("x", [_OTHER], ["tool_calls"]),
        ),
        (
            [_other("{}", 5), _send('{"message": "x"}', 7), finish()],
            ("x", [_OTHER], ["tool_calls"]),
        ),
        (
            [_send('{"message": "a"}'), _send('{"message": "b"}', 1, "c"), finish()],
            ("ab", [], ["stop"]),
        ),
        ([_send('{"message": ""}'), finish()], ("", [], ["stop"])),
        (
            [
                chunk({"function_call": {"name": "f", "arguments": "{}"}}),
                finish("function_call"),
            ],
            (None, [{**_OTHER, "id": ""}], ["tool_calls"]),
        ),
    ],
)
def test_what_a_client_adds_up(payloads: list[Payload], expected: Any) -> None:
    """Content, calls with indices from 0, and the finish that fits them."""
    total = openai_chunks(_chunks(payloads))
    assert (total["content"], total["calls"], total["finish"]) == expected


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"message": "Hel', "Hel"),
        ('{"text": "x"}', None),
        ('{"message": 5}', None),
        ('{"message": "a" b', "a"),
        ("", None),
    ],
)
@pytest.mark.parametrize("is_finished", [True, False], ids=["finish", "end"])
def test_a_call_that_cannot_be_shown_is_a_tool_call(
    arguments: str, text: str | None, *, is_finished: bool
) -> None:
    """It is not lost: the raw call is passed on and the finish stays tool_calls."""
    payloads = [_send("")] + [fragment(character) for character in arguments]
    total = openai_chunks(_chunks([*payloads, finish()] if is_finished else payloads))
    assert total["content"] == text
    assert total["calls"] == [
        {"id": "a", "name": "send_message", "arguments": arguments}
    ]
    assert total["finish"] == (["tool_calls"] if is_finished else [])


def test_fragments_after_the_finish_are_passed_on() -> None:
    """More of a call that was passed on whole continues it at its index."""
    total = openai_chunks(_chunks([_send('{"message": "x'), finish(), fragment('y"}')]))
    assert total["calls"][0]["arguments"] == '{"message": "xy"}'


def test_usage_passes_through() -> None:
    """A usage chunk has no choices; usage beside silent text is not lost either."""
    usage = {"prompt_tokens": 1}
    last = {"id": "x", "choices": [], "usage": usage}
    beside = chunk({"content": "thought"}, usage=usage)
    finishing = chunk({}, "stop", usage=usage)
    azure = {"id": "", "choices": [], "prompt_filter_results": []}
    items = _chunks([azure, beside, finishing, last, {"choices": None}])
    assert [item.get("usage") for item in items] == [usage] * 3
    assert [len(item["choices"]) for item in items] == [0, 1, 0]
    assert items[2] == last


def test_inner_thoughts_leave_no_trace() -> None:
    """Nothing of them: no log probabilities, no reasoning, no other choices."""
    payload = chunk({"role": "assistant", "content": "secret", "x_thoughts": "secret"})
    payload["choices"][0]["logprobs"] = {"content": [{"token": "secret"}]}
    payload["choices"].append({"index": 1, "delta": {"content": "secret"}})
    items = _chunks([payload, chunk({"reasoning": "secret"}, usage={})])
    assert "secret" not in json.dumps(items)
    assert len(items) == 2


def test_role_and_refusal_pass_through() -> None:
    """The role once, however often a provider repeats it; a refusal as it comes."""
    items = _chunks(
        [
            chunk({"role": "assistant", "content": "a"}),
            chunk({"role": "assistant", "content": "b"}),
            chunk({"role": "assistant", "refusal": "I can\ud83d"}),
            chunk({"refusal": "\ude00't"}),
            finish("stop"),
        ]
    )
    deltas = [item["choices"][0]["delta"] for item in items]
    assert deltas == [
        {"role": "assistant"},
        {"refusal": "I can"},
        {"refusal": "😀't"},
        {},
    ]


def test_names_in_pieces_late_ids_and_halves() -> None:
    """Ids come once (clients concatenate them), names and text add up."""
    total = openai_chunks(
        _chunks(
            [
                fragment(name="get_", index=0),
                fragment(name="x", index=0),
                fragment("\ud83d", index=0, call_id="late"),
                fragment("\ude00", index=0, call_id="late"),
                fragment("{", name="send_m", index=1, call_id="c"),
                fragment("}\ud83d", index=0),
                finish(),
            ]
        )
    )
    assert total["calls"] == [
        {"id": "late", "name": "get_x", "arguments": "😀}\ufffd"},
        {"id": "c", "name": "send_m", "arguments": "{"},
    ]


def test_calls_without_id_can_be_named() -> None:
    """OpenAI clients need an id; with a prefix every call has one."""
    payloads = [fragment("{}", name="f"), finish()]
    assert openai_chunks(_chunks(payloads))["calls"][0]["id"] == ""
    named = openai_chunks(_chunks(payloads, call_id_prefix="call_0"))
    assert named["calls"][0]["id"] == "call_0_0"


def test_the_last_chunk_at_the_end_of_a_cut_stream() -> None:
    """What is settled after the stream has the stream's outer fields, not its usage."""
    beside = {**_send("{"), "usage": {"total_tokens": 1}}
    payloads = [beside, {"id": "u", "choices": [], "usage": {}}]
    *_, last = _chunks(payloads)
    assert last["id"] == "chatcmpl-1"
    assert "usage" not in last


def test_the_openai_sdk_reads_it() -> None:
    """The SDK validates every chunk and its accumulator gives the same answer."""
    pytest.importorskip("openai")
    from openai.lib.streaming.chat import ChatCompletionStreamState
    from openai.types.chat import ChatCompletionChunk

    state = ChatCompletionStreamState()
    payloads = [
        chunk({"role": "assistant", "content": "thought"}),
        _send('{"message": "Hel', 1),
        _other("{", 3),
        fragment('lo"}', index=1),
        fragment("}", index=3),
        finish(),
        chunk({}, usage=None),
    ]
    for item in _chunks(payloads):
        text = render_sse(item).removeprefix("data: ")
        state.handle_chunk(ChatCompletionChunk.model_validate_json(text))
    message = state.get_final_completion().choices[0].message
    assert message.content == "Hello"
    assert message.tool_calls is not None
    assert [
        (c.id, c.function.name, c.function.arguments) for c in message.tool_calls
    ] == [("b", "f", "{}")]


@pytest.mark.parametrize("marks", ["stream_end", "step_complete", "step_yield"])
def test_no_marks(marks: str) -> None:
    """An OpenAI client knows neither [DONE_GEN] nor [DONE_STEP]."""
    from harness.agents.letta.streaming import StreamingServerInterface

    interface = StreamingServerInterface()
    interface.streaming_chat_completion_mode = True
    interface.stream_start()
    getattr(interface, marks)()
    assert interface.drain() == []
