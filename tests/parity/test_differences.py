"""One test, or a few, for each row of `tests/parity/README.md`.

Each docstring begins with the number of its row; `test_every_row_has_a_test` checks
that none is without.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from harness.agents.letta import agent_interface as base
from harness.agents.letta import queuing, streaming
from harness.agents.letta.messages import AssistantMessage, LegacyFunctionCallMessage
from harness.agents.letta.queuing import QueuingInterface
from harness.agents.letta.streaming import StreamingServerInterface
from harness.errors import StateError, StreamInactiveError, StreamTimeoutError
from tests.unit.interfaces.streams import (
    DATE,
    ID,
    chunk,
    content,
    finish,
    fragment,
    joined,
    openai_chunks,
    record,
    short,
    spoken,
    stream,
    tool_record,
)


def test_every_row_has_a_test() -> None:
    """The table and the tests name the same rows."""
    table = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    rows = {int(n) for n in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    tree = ast.parse(Path(__file__).read_text(encoding="utf-8"))
    tested = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            numbered = re.match(r"Row (\d+):", ast.get_docstring(node) or "")
            if numbered:
                tested.add(int(numbered[1]))
    assert tested == rows
    assert rows == set(range(1, max(rows) + 1))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_arguments_of_any_cut_and_content(size: int) -> None:
    """Row 1: escapes are decoded, `messages` is not `message`, any cut is right."""
    arguments = (
        '{ "messages" : ["message", {"message": 1}],"message":"q\\"\\u00e9\\n}" }'
    )
    pieces = [arguments[n : n + size] for n in range(0, len(arguments), size)]
    payloads = [fragment("", name="send_message", call_id="a"), *map(fragment, pieces)]
    assert joined(spoken(payloads))["texts"] == 'q"é\n}'


def test_chunks_without_choices() -> None:
    """Row 2: an empty list of choices is no error, and its usage is kept."""
    usage = {"choices": [], "usage": {"total_tokens": 1}}
    assert stream([usage, content("a")]) == [("thought", "a"), "[DONE_GEN]"]
    assert stream([usage], streaming_chat_completion_mode=True) == [usage]


def test_role_only_chunk() -> None:
    """Row 3: a chunk that only names the role says nothing."""
    payloads = [
        chunk({"role": "assistant"}),
        chunk({"role": "assistant", "content": None}),
    ]
    assert stream(payloads) == ["[DONE_GEN]"]


def test_content_and_call_in_one_delta() -> None:
    """Row 4: both are shown, the text first."""
    entry = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    assert stream([chunk({"content": "t", "tool_calls": [entry]})])[:-1] == [
        ("thought", "t"),
        ("delta", {"name": "f", "arguments": "{}", "function_call_id": "a"}),
    ]


def test_parallel_calls() -> None:
    """Row 5: each call has its own name and arguments, in one delta or several."""
    entries = [
        {"index": n, "id": i, "function": {"name": f"f{n}", "arguments": "{"}}
        for n, i in enumerate("ab")
    ]
    payloads = [chunk({"tool_calls": entries}), fragment("}"), fragment(" }", index=1)]
    assert joined(stream(payloads)[:-1])["calls"] == {
        "a": ["f0", "{}"],
        "b": ["f1", "{ }"],
    }


def test_name_with_arguments_and_name_in_pieces() -> None:
    """Row 6: a name is recognised with arguments beside it, and in pieces."""
    whole = [fragment('{"message": "x"}', name="send_message", call_id="a")]
    pieces = [
        fragment(name="send", call_id="a"),
        fragment(name="_message"),
        fragment('{"message": "x"}'),
    ]
    assert spoken(whole) == spoken(pieces) == [("text", "x")]


@pytest.mark.parametrize(
    ("prefix", "key"),
    [
        ("Running ", "function_call"),
        ("Success: ", "function_return"),
        ("Error: ", "function_return"),
        ("Ran ", "function_call"),
    ],
)
def test_prefix_only(prefix: str, key: str) -> None:
    """Row 7: the words of the prefix stay where they stand inside the text."""
    queue = QueuingInterface()
    queue.function_message(f"{prefix}x {prefix}y", record(), include_ran_messages=True)
    (item,) = queue.to_list("api")
    assert item[key].removeprefix("Function call returned: ") == f"x {prefix}y"


def test_assistant_text_after_one_entry() -> None:
    """Row 8: one entry before is enough, read or not; after STOP a clear error."""
    queue = QueuingInterface()
    queue.function_message("Running send_message({})", record())
    queue.assistant_message("x")
    assert queue.to_list("api")[1]["id"] == ID
    queue.step_yield()
    with pytest.raises(StateError, match="'STOP' was; pass msg_obj"):
        queue.assistant_message("x")


def test_named_errors() -> None:
    """Row 9: a stream that is over and one that is idle are told by name."""
    interface = StreamingServerInterface()
    interface.timeout = 0.01

    async def read() -> None:
        async for _ in interface.get_generator():
            pass

    with pytest.raises(StreamTimeoutError, match=r"nothing was pushed for 0\.01 s"):
        asyncio.run(read())
    interface.step_yield()
    with pytest.raises(StreamInactiveError, match="the stream is over"):
        interface.get_generator()


def test_wake_up_from_another_thread() -> None:
    """Row 10: a sleeping reader is woken by a thread; polling and events are gone."""
    interface, queue = StreamingServerInterface(), QueuingInterface()

    async def main() -> Any:
        first = asyncio.create_task(anext(interface.get_generator()))
        second = asyncio.create_task(anext(queue.message_generator("api")))
        await asyncio.sleep(0.01)
        for target in (interface, queue):
            push = target.internal_monologue
            threading.Thread(target=push, args=("hm", record())).start()
        return await asyncio.wait_for(asyncio.gather(first, second), 30)

    streamed, queued = asyncio.run(main())
    assert short(streamed) == ("thought", "hm")
    assert queued["internal_monologue"] == "hm"
    for module in (base, queuing, streaming):
        assert not re.search(r"import (asyncio|threading)", inspect.getsource(module))


def test_end_announced_once() -> None:
    """Row 11: a second stream_end, or one after the end, adds nothing."""
    interface = StreamingServerInterface()
    interface.stream_start()
    interface.process_payload(content("a"), ID, DATE)
    interface.stream_end()
    interface.stream_end()
    interface.step_yield()
    interface.stream_end()
    assert [short(item) for item in interface.drain()] == [
        ("thought", "a"),
        "[DONE_GEN]",
    ]


def test_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """Row 12: nothing is printed, by default and with debug."""
    for queue in (QueuingInterface(), QueuingInterface(debug=True)):
        queue.user_message("hi", record())
        queue.function_message("Running f({})", record())
        queue.assistant_message("x")
    assert QueuingInterface().debug is False
    interface = StreamingServerInterface(use_assistant_message=True)
    interface.function_message("Running x", record(("c", "send_message", "{")))
    assert capfd.readouterr() == ("", "")


def test_empty_content() -> None:
    """Row 13: empty content is nothing said."""
    payloads = [chunk({"role": "assistant", "content": ""}), content(""), chunk({})]
    assert stream(payloads) == ["[DONE_GEN]"]


def test_configured_names() -> None:
    """Row 14: the assistant function's own name counts, and no other."""
    names: dict[str, Any] = {
        "assistant_message_function_name": "say",
        "assistant_message_function_kwarg": "words",
    }
    payloads = [
        fragment('{"words": "x"}', name="say", call_id="a"),
        fragment('{"message": "y"}', name="send_message", call_id="b", index=1),
    ]
    total = openai_chunks(
        stream(payloads, streaming_chat_completion_mode=True, **names)
    )
    assert total["content"] == "x"
    assert [call["name"] for call in total["calls"]] == ["send_message"]
    interface = StreamingServerInterface(**names)
    interface.nonstreaming_legacy_mode = True
    for name, key in (("say", "words"), ("send_message", "message")):
        call = ("a", name, json.dumps({key: "x"}))
        interface.function_message("Running x", record(call))
    assert [type(item) for item in interface.drain()] == [
        LegacyFunctionCallMessage,
        AssistantMessage,
        LegacyFunctionCallMessage,
    ]


def test_more_than_one_call() -> None:
    """Row 15: every call of a response is emitted, in order."""
    calls = [fragment("{}", name=f"f{n}", call_id=f"c{n}", index=n) for n in range(3)]
    assert list(joined(stream([*calls, finish()])[:-1])["calls"]) == ["c0", "c1", "c2"]


def test_chat_completion_mode_works() -> None:
    """Row 16: the assistant function becomes content, thoughts are silent."""
    payloads = [
        content("thought"),
        fragment('{"message": "x"}', name="send_message", call_id="a"),
        finish(),
    ]
    total = openai_chunks(stream(payloads, streaming_chat_completion_mode=True))
    assert (total["content"], total["finish"]) == ("x", ["stop"])


@pytest.mark.parametrize("arguments", ['{"text": "x"}', '{"message": "', "{", ""])
def test_no_call_vanishes(arguments: str) -> None:
    """Row 17: a call that cannot be text is shown as a call."""
    call = fragment(arguments, name="send_message", call_id="a")
    assert joined(spoken([call]))["calls"] == {"a": ["send_message", arguments]}


def test_everything_is_delivered() -> None:
    """Row 18: what waits at the end is delivered, also to a late generator."""
    interface = StreamingServerInterface()
    early = interface.get_generator()
    interface.internal_monologue("a", record())
    interface.internal_monologue("b", record())
    interface.step_yield()

    async def read() -> list[Any]:
        first = [short(await anext(early))]
        return first + [short(item) async for item in interface.get_generator()]

    assert asyncio.run(read()) == [("thought", "a"), ("thought", "b")]


def test_ids_tell_calls_apart() -> None:
    """Row 19: an id repeated in every chunk is shown once; a change of calls tells."""
    payloads = [
        fragment("{", name="f", call_id="a"),
        fragment(" ", name="f", call_id="a"),
        fragment("{}", name="g", call_id="b", index=1),
        fragment("}", index=0),
    ]
    ids = [item[1].get("function_call_id") for item in stream(payloads)[:-1]]
    assert ids == ["a", None, "b", "a"]


def test_wrong_use_is_told_without_assert() -> None:
    """Row 20: no check of ours is an assert statement, so -O removes none."""
    for module in (
        queuing,
        streaming,
        sys.modules["harness.agents.letta.step_messages"],
    ):
        tree = ast.parse(inspect.getsource(module))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    with pytest.raises(ValueError, match="needs msg_obj"):
        QueuingInterface().user_message("hi")


def test_text_that_is_no_string() -> None:
    """Row 21: in step mode, too, such a call is shown as a call."""
    interface = StreamingServerInterface(use_assistant_message=True)
    call = ("a", "send_message", '{"message": 5}')
    interface.function_message("Running x", record(call))
    assert short(interface.drain()[0])[0] == "call"


def test_half_characters() -> None:
    """Row 22: halves in two chunks are one character, a lone one U+FFFD."""
    items = stream([content("\ud83d"), content("\ude00"), content("\ude00")])
    assert items == [("thought", "😀"), ("thought", "\ufffd"), "[DONE_GEN]"]
    interface = StreamingServerInterface()
    interface.function_message("Success: \ud83d", tool_record())
    assert len(interface.drain()) == 1
