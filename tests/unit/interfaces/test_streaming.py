"""`StreamingServerInterface`: modes, marks, steps; tokens without assistant text."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from harness.agents.letta.agent_interface import (
    AgentChunkStreamingInterface,
    AgentInterface,
)
from harness.agents.letta.messages import FunctionReturn, LegacyFunctionCallMessage
from harness.agents.letta.streaming import StreamingServerInterface
from harness.apis.chat.chunks import Chunk
from harness.apis.chat.models import to_model
from harness.errors import StreamInactiveError
from tests.unit.interfaces.streams import (
    DATE,
    ID,
    chunk,
    content,
    finish,
    fragment,
    record,
    short,
    stream,
    tool_record,
)

_SEND = ("call_1", "send_message", '{"message": "Hello"}')


def _drained(interface: StreamingServerInterface) -> list[Any]:
    return [short(item) for item in interface.drain()]


def _openai(payload: Any) -> Any:
    openai = pytest.importorskip("openai.types.chat")
    return openai.ChatCompletionChunk.model_validate(payload)


def test_it_is_a_chunk_streaming_interface() -> None:
    """It is what both protocols describe."""
    assert isinstance(StreamingServerInterface(), AgentChunkStreamingInterface)
    assert isinstance(StreamingServerInterface(), AgentInterface)


def test_protocols_are_structural() -> None:
    """Somebody's class with the methods counts, without inheriting."""

    class Theirs:
        def _take(self, *args: Any) -> None: ...

        user_message = internal_monologue = assistant_message = _take
        function_message = step_complete = step_yield = _take

    assert isinstance(Theirs(), AgentInterface)
    assert not isinstance(Theirs(), AgentChunkStreamingInterface)


def test_inheriting_without_the_calls_is_refused() -> None:
    """A subclass that lacks a call cannot be made."""

    class Incomplete(AgentInterface):
        pass

    with pytest.raises(TypeError, match="user_message"):
        Incomplete()  # type: ignore[abstract] # the point of the test


@pytest.mark.parametrize(
    "as_given",
    [
        lambda payload: payload,
        to_model,
        lambda payload: Chunk(0, None, payload),
        _openai,
    ],
    ids=["dict", "our model", "our chunk", "openai"],
)
def test_process_chunk_takes_every_form_of_a_chunk(as_given: Any) -> None:
    """A dict, our model and the OpenAI SDK's object lead to the same messages."""
    interface = StreamingServerInterface()
    for payload in [
        chunk({"role": "assistant", "content": "hm"}),
        fragment('{"a":', name="f", call_id="c"),
        fragment("1}"),
        finish(),
    ]:
        interface.process_chunk(as_given(payload), ID, DATE)
    assert _drained(interface) == [
        ("thought", "hm"),
        ("delta", {"name": "f", "arguments": '{"a":', "function_call_id": "c"}),
        ("delta", {"arguments": "1}"}),
    ]


def test_process_chunk_refuses_what_is_no_chunk() -> None:
    """A wrong type is the caller's mistake and changes nothing."""
    interface = StreamingServerInterface()
    with pytest.raises(TypeError, match="a chunk is a dict or a pydantic model"):
        interface.process_chunk("data: {}", ID, DATE)
    assert interface.drain() == []


def test_messages_carry_the_id_and_date_of_their_chunk() -> None:
    """Each message belongs to the chunk that led to it."""
    interface = StreamingServerInterface()
    interface.process_payload(content("a"), "message-1", DATE)
    later = DATE.replace(year=2025)
    interface.process_payload(content("b"), "message-2", later)
    first, second = interface.drain()
    assert [getattr(first, "id", 0), getattr(first, "date", 0)] == ["message-1", DATE]
    assert [getattr(second, "id", 0), getattr(second, "date", 0)] == [
        "message-2",
        later,
    ]


def test_drain_empties_and_loses_nothing() -> None:
    """What is drained after each chunk is what one drain at the end gives."""
    payloads = [content("a"), fragment("{}", name="f", call_id="c"), finish()]
    interface = StreamingServerInterface()
    items = []
    for payload in payloads:
        interface.process_payload(payload, ID, DATE)
        items += _drained(interface)
    interface.stream_end()
    assert items + _drained(interface) == stream(payloads)
    assert interface.drain() == []


def test_reasoning_and_refusals_are_not_inner_thoughts() -> None:
    """They stay in the accumulated response; only content is streamed."""
    payloads = [
        chunk({"reasoning_content": "r"}),
        content("c"),
        chunk({"refusal": "n"}),
    ]
    assert stream(payloads) == [("thought", "c"), "[DONE_GEN]"]


def test_interleaved_calls_name_themselves_at_every_change() -> None:
    """A delta of another call than the one before it carries its id, others do not."""
    items = stream(
        [
            fragment("", name="f", call_id="a", index=0),
            fragment("", name="g", call_id="b", index=1),
            fragment("{", index=0),
            fragment("}", index=0),
            content("thought between"),
            fragment("{}", index=1),
        ]
    )
    assert [item[1] for item in items if item[0] == "delta"] == [
        {"name": "f", "function_call_id": "a"},
        {"name": "g", "function_call_id": "b"},
        {"arguments": "{", "function_call_id": "a"},
        {"arguments": "}"},
        {"arguments": "{}", "function_call_id": "b"},
    ]


def test_a_late_id_is_told() -> None:
    """An id that comes after the name is on the delta that brought it."""
    items = stream([fragment("{", name="f"), fragment("}", call_id="late")])
    assert items[:-1] == [
        ("delta", {"name": "f", "arguments": "{"}),
        ("delta", {"arguments": "}", "function_call_id": "late"}),
    ]


def test_calls_without_id_can_be_named() -> None:
    """With a prefix such calls are told apart by their position."""
    payloads = [
        fragment("{}", name="f", index=3),
        fragment("{}", name="g", index=7),
        fragment("{}", name="h", index=8, call_id="c"),
    ]
    items = stream(payloads, call_id_prefix="call_0")
    ids = [item[1]["function_call_id"] for item in items[:-1]]
    assert ids == ["call_0_0", "call_0_1", "c"]
    assert "function_call_id" not in stream(payloads)[0][1]


@pytest.mark.parametrize("cut", range(1, 6))
def test_halves_of_a_character_are_joined_across_chunks(cut: int) -> None:
    """A text cut between UTF-16 units comes out whole, in content and arguments."""
    text = "a\ud83d\ude00\ud83d\ude00b"
    items = stream([content(text[:cut]), content(text[cut:])])
    assert "".join(item[1] for item in items if item[0] == "thought") == "a😀😀b"
    items = stream(
        [fragment(text[:cut], name="f", call_id="c"), fragment(text[cut:])],
    )
    arguments = [item[1].get("arguments", "") for item in items[:-1]]
    assert "".join(arguments) == "a😀😀b"


def test_halves_of_two_calls_do_not_mix() -> None:
    """Each call waits for its own low half; one that never comes is U+FFFD."""
    items = stream(
        [
            fragment("x\ud83d", name="f", call_id="a", index=0),
            fragment("y\ud83d", name="g", call_id="b", index=1),
            content("t\ud83d"),
            fragment("\ude00", index=0),
            finish(),
        ]
    )
    assert [item[1] for item in items[:-1]] == [
        {"name": "f", "arguments": "x", "function_call_id": "a"},
        {"name": "g", "arguments": "y", "function_call_id": "b"},
        "t",
        {"arguments": "😀", "function_call_id": "a"},
        {"arguments": "\ufffd", "function_call_id": "b"},
        "\ufffd",
    ]


def test_only_choice_zero_is_shown() -> None:
    """Other choices never reach the stream, wherever they stand."""
    both = chunk({"content": "zero"})
    both["choices"].insert(0, {"index": 1, "delta": {"content": "one"}})
    other = {"choices": [{"index": 1, "delta": {"content": "one"}}]}
    assert stream([both, other]) == [("thought", "zero"), "[DONE_GEN]"]


@pytest.mark.parametrize("mode", ["nonstreaming_legacy_mode", None])
def test_marks_once_each(mode: str | None) -> None:
    """[DONE_GEN] once a response, [DONE_STEP] once a step, none in legacy mode."""
    interface = StreamingServerInterface()
    if mode:
        setattr(interface, mode, True)
    for _ in range(2):
        interface.stream_start()
        interface.process_payload(content("a"), ID, DATE)
        interface.stream_end()
        interface.stream_end()
        interface.step_complete()
    expected = [("thought", "a")] if mode else [("thought", "a"), "[DONE_GEN]"]
    assert _drained(interface) == (expected + ([] if mode else ["[DONE_STEP]"])) * 2


def test_stream_end_after_the_stream_is_over_does_nothing() -> None:
    """Cleaning up after an error that ended the stream raises no second one."""
    interface = StreamingServerInterface()
    interface.stream_start()
    interface.step_yield()
    interface.stream_end()
    assert interface.drain() == []
    assert not interface.is_active


def test_single_step_ends_after_the_first_step() -> None:
    """No [DONE_STEP]; the stream is over and a later push is an error."""
    interface = StreamingServerInterface(multi_step=False)
    interface.stream_start()
    interface.process_payload(content("a"), ID, DATE)
    interface.stream_end()
    interface.step_complete()
    interface.step_complete()
    assert not interface.is_active
    with pytest.raises(StreamInactiveError):
        interface.internal_monologue("late", record())
    with pytest.raises(StreamInactiveError):
        interface.process_payload(content("late"), ID, DATE)
    assert _drained(interface) == [("thought", "a"), "[DONE_GEN]"]


def test_the_object_can_be_used_again_after_step_yield() -> None:
    """stream_start makes it active again; what was not read is gone."""
    interface = StreamingServerInterface()
    states = []
    for _ in range(3):
        interface.stream_start()
        states.append(interface.is_active)
        interface.process_payload(content("a"), ID, DATE)
        interface.stream_end()
        interface.step_yield()
        states.append(interface.is_active)
        with pytest.raises(StreamInactiveError):
            interface.internal_monologue("late", record())
    assert states == [True, False] * 3
    assert _drained(interface) == [("thought", "a"), "[DONE_GEN]"]


def test_a_push_into_an_ended_stream_leaves_nothing_for_the_next() -> None:
    """A chunk that was refused is not part of the response that follows."""
    interface = StreamingServerInterface(use_assistant_message=True)
    interface.stream_start()
    interface.step_yield()
    interface.process_payload(fragment("", name="send", call_id="c"), ID, DATE)  # held
    interface.stream_start()
    interface.stream_end()
    assert _drained(interface) == ["[DONE_GEN]"]


def test_step_complete_after_the_end_is_an_error() -> None:
    """A step that ends after the stream is a push like any other."""
    interface = StreamingServerInterface()
    interface.step_yield()
    with pytest.raises(StreamInactiveError):
        interface.step_complete()


def test_silent_calls() -> None:
    """user_message, assistant_message, clear and Ran emit nothing."""
    interface = StreamingServerInterface()
    interface.user_message("hi")
    interface.assistant_message("hello")
    interface.clear()
    interface.function_message("Ran f({})", tool_record())
    assert interface.drain() == []


@pytest.mark.parametrize("mode", ["streaming_mode", "streaming_chat_completion_mode"])
def test_streamed_modes_do_not_repeat_what_the_fragments_showed(mode: str) -> None:
    """Whole messages are silent; returns are shown except to OpenAI clients."""
    interface = StreamingServerInterface()
    setattr(interface, mode, True)
    interface.internal_monologue("hm", record())
    interface.internal_monologue("hm")
    interface.function_message("Running f({})", record(("call_1", "f", "{}")))
    interface.function_message("Success: 3", tool_record())
    items = interface.drain()
    if mode == "streaming_mode":
        assert [type(item) for item in items] == [FunctionReturn]
    else:
        assert items == []


@pytest.mark.parametrize(
    "mode", ["streaming_chat_completion_mode", "streaming_mode", ""]
)
def test_wrong_function_messages_are_value_errors_in_every_mode(mode: str) -> None:
    """Unknown prefix, missing record, missing call id: clear, and nothing emitted."""
    interface = StreamingServerInterface()
    if mode:
        setattr(interface, mode, True)
    for msg, msg_obj, problem in [
        ("Done f", tool_record(), "'Error: '; got 'Done f'"),
        ("Running f({})", None, "function_message needs msg_obj"),
        ("Success: 3", None, "function_message needs msg_obj"),
        ("Success: 3", tool_record(None), "needs the tool_call_id"),
        ("Error: 3", tool_record(None), "needs the tool_call_id"),
    ]:
        with pytest.raises(ValueError, match=re.escape(problem)):
            interface.function_message(msg, msg_obj)
    if not mode:
        with pytest.raises(ValueError, match="needs the call as tool_calls"):
            interface.function_message("Running f({})", record())
        with pytest.raises(ValueError, match="internal_monologue needs msg_obj"):
            interface.internal_monologue("hm")
    assert interface.drain() == []


@pytest.mark.parametrize("prefix", ["Success", "Error"])
def test_returns_are_verbatim(prefix: str) -> None:
    """Only the prefix is taken off, lone surrogates become U+FFFD."""
    interface = StreamingServerInterface()
    interface.function_message(f"{prefix}: Success: Error: x\ud83d", tool_record())
    (item,) = interface.drain()
    assert isinstance(item, FunctionReturn)
    assert item.function_return == "Success: Error: x\ufffd"
    assert item.status == prefix.lower()
    assert item.function_call_id == "call_1"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (_SEND, ("text", "Hello")),
        (("c", "send_message", '{"message": ""}'), ("text", "")),
        (("c", "send_message", '{"message": "\\ud83d"}'), ("text", "\ufffd")),
        (("c", "send_message", '{"message": 5}'), "call"),
        (("c", "send_message", '{"text": "x"}'), "call"),
        (("c", "send_message", '["message"]'), "call"),
        (("c", "send_message", '"message"'), "call"),
        (("c", "send_message", '{"message": "Hel'), "call"),
        (("c", "send_message", ""), "call"),
        (("c", "send_messages", '{"message": "x"}'), "call"),
    ],
)
def test_step_mode_shows_the_assistant_function_as_text(
    call: tuple[str, str, str], expected: Any
) -> None:
    """Where the text is there it is a message, else the call is, as it came."""
    interface = StreamingServerInterface(use_assistant_message=True)
    interface.function_message("Running x", record(call))
    if expected == "call":
        fields = {"name": call[1], "arguments": call[2], "function_call_id": call[0]}
        expected = ("call", fields)
    assert _drained(interface) == [expected]


@pytest.mark.parametrize(
    ("call", "line", "text"),
    [
        (_SEND, "send_message({'message': 'Hello'})", None),
        (
            ("c", "say", '{"words": "Running x"}'),
            "say({'words': 'Running x'})",
            "Running x",
        ),
        (("c", "say", '{"words": 5}'), "say({'words': 5})", None),
        (("c", "say", '{"words": "a'), 'say({"words": "a)', None),
        (("c", "say", ""), "say({})", None),
        (("c", "f", "[1, null]"), "f([1, None])", None),
    ],
)
def test_legacy_mode_uses_the_configured_names(
    call: tuple[str, str, str], line: str, text: str | None
) -> None:
    """A line for each call; the assistant function's text besides, by its name."""
    interface = StreamingServerInterface(
        assistant_message_function_name="say", assistant_message_function_kwarg="words"
    )
    interface.nonstreaming_legacy_mode = True
    interface.function_message("Running x", record(call))
    items = interface.drain()
    assert isinstance(items[0], LegacyFunctionCallMessage)
    assert items[0].function_call == line
    rest = [short(item) for item in items[1:]]
    assert rest == ([] if text is None else [("text", text)])


def test_it_is_quiet(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Trouble with arguments is logged below warning and never printed."""
    caplog.set_level(logging.DEBUG)
    interface = StreamingServerInterface(use_assistant_message=True)
    interface.function_message("Running x", record(("c", "send_message", "{")))
    assert [r.levelno for r in caplog.records] == [logging.INFO]
    assert capsys.readouterr() == ("", "")


def test_arguments_nested_too_deeply_stay_text() -> None:
    """What the JSON parser cannot recurse into is shown raw, not raised."""
    arguments = "[" * 100_000
    interface = StreamingServerInterface()
    interface.nonstreaming_legacy_mode = True
    interface.function_message("Running x", record(("c", "f", arguments)))
    (item,) = interface.drain()
    assert isinstance(item, LegacyFunctionCallMessage)
    assert item.function_call == f"f({arguments})"
