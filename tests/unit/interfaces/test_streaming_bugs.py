r"""Inputs that broke real consumers, through both interfaces.

Each case is a row of a collection of public issue threads (pydantic-ai#164,
litellm#35785, ...; named in the ids), reduced to the chunks that trigger it. The
expectation is written by hand. The streaming interface is fed the chunks; the queue
is told what an agent would tell it about the accumulated answer.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.agents.letta.queuing import QueuingInterface
from harness.apis.chat.reader import ResponseAccumulator
from tests.unit.interfaces.streams import (
    Payload,
    chunk,
    content,
    finish,
    fragment,
    joined,
    openai_chunks,
    record,
    spoken,
    stream,
    tool_record,
)

Calls = list[tuple[str, str, str]]
_SAY = '{"message": "%s"}'


def _entries(*entries: Payload) -> Payload:
    return chunk({"tool_calls": list(entries)})


def _entry(call_id: str, name: str, arguments: str, **more: Any) -> Payload:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function, **more}


_USAGE: Payload = {"choices": [], "usage": {"total_tokens": 3}}

_CASES: dict[str, tuple[list[Payload], str, Calls]] = {
    "pydantic-ai#164 azure's first chunk has no choices": (
        [{"id": "", "choices": [], "prompt_filter_results": [{}]}, content("a")],
        "a",
        [],
    ),
    "litellm#35785 last chunk is usage only": ([content("a"), _USAGE], "a", []),
    "choices are null": ([content("a"), {"choices": None}], "a", []),
    "autogen#6465 choice without delta": (
        [
            {"choices": [{"index": 0, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": None}]},
            content("a"),
        ],
        "a",
        [],
    ),
    "openai-python#2806 fragments without index": (
        [
            _entries(_entry("a", "f", "")),
            _entries({"function": {"arguments": '{"x"'}}),
            _entries({"function": {"arguments": ":1}"}}),
        ],
        "",
        [("a", "f", '{"x":1}')],
    ),
    "free-claude-code#633 index is null": (
        [
            _entries(_entry("a", "f", "{", index=None)),
            _entries({"index": None, "function": {"arguments": "}"}}),
            _entries(_entry("b", "g", "{}", index=None)),
        ],
        "",
        [("a", "f", "{}"), ("b", "g", "{}")],
    ),
    "litellm#33678 parallel calls all at index 0": (
        [
            _entries(_entry("a", "f", '{"a":1}', index=0)),
            _entries(_entry("b", "f", '{"a":2}', index=0)),
        ],
        "",
        [("a", "f", '{"a":1}'), ("b", "f", '{"a":2}')],
    ),
    "litellm#7621 each call complete in one delta": (
        [
            _entries(
                _entry("a", "f", "{}", index=0),
                _entry("b", "g", "[]", index=1),
                _entry("c", "f", "{}", index=2),
            )
        ],
        "",
        [("a", "f", "{}"), ("b", "g", "[]"), ("c", "f", "{}")],
    ),
    "langchain#36627 two fragments of one call in one delta": (
        [
            _entries(
                _entry("a", "f", "{", index=0),
                {"index": 0, "function": {"arguments": "}"}},
            )
        ],
        "",
        [("a", "f", "{}")],
    ),
    "litellm#5025 first tool index is 1": (
        [_entries(_entry("a", "f", "{", index=1)), fragment("}", index=1)],
        "",
        [("a", "f", "{}")],
    ),
    "indices with gaps": (
        [_entries(_entry("a", "f", "{}", index=4), _entry("b", "g", "{}", index=2))],
        "",
        [("a", "f", "{}"), ("b", "g", "{}")],
    ),
    "hermes-agent#8259 full name sent in every chunk": (
        [
            _entries(_entry("a", "f", "", index=0)),
            _entries(_entry("a", "f", "{", index=0)),
            _entries(_entry("a", "f", "}", index=0)),
        ],
        "",
        [("a", "f", "{}")],
    ),
    "continue#5849 name in pieces": (
        [
            fragment(name="get_", call_id="a"),
            fragment(name="weather"),
            fragment("{}"),
        ],
        "",
        [("a", "get_weather", "{}")],
    ),
    "pydantic-ai#1654 arguments never sent": (
        [fragment(name="f", call_id="a"), finish()],
        "",
        [("a", "f", "")],
    ),
    "arguments are null": (
        [
            _entries({"index": 0, "id": "a", "function": {"name": "f"}}),
            _entries({"index": 0, "function": {"arguments": None}}),
        ],
        "",
        [("a", "f", "")],
    ),
    "pydantic-ai#8208 content after a call, null id and name": (
        [
            fragment("{", name="f", call_id="a"),
            content("b"),
            _entries(
                {"index": 0, "id": None, "function": {"name": None, "arguments": "}"}}
            ),
        ],
        "b",
        [("a", "f", "{}")],
    ),
    "content and calls in one delta": (
        [chunk({"content": "a", "tool_calls": [_entry("a", "f", "{}", index=0)]})],
        "a",
        [("a", "f", "{}")],
    ),
    "content is a list of parts": (
        [content([{"type": "text", "text": "a"}]), content(None), content("")],
        "a",
        [],
    ),
    "letta#1915 an empty delta": ([chunk({}), content("a"), chunk({})], "a", []),
    "openai-python#2796 an error event in the middle": (
        [content("a"), {"error": {"message": "overloaded"}}],
        "a",
        [],
    ),
    "assistant-ui#5524 prefixes that break partial parsers": (
        [fragment("[-", name="f", call_id="a"), fragment("nul"), finish()],
        "",
        [("a", "f", "[-nul")],
    ),
}

_SPOKEN: dict[str, tuple[list[str], str, bool]] = {
    "llama.cpp#16465 escapes one character at a time": (
        list(_SAY % "a\\u00e9\\ud83d\\ude00\\\\\\n"),
        "aé😀\\\n",
        True,
    ),
    "openclaw#88226 an invalid escape": ([_SAY % r"C:\users"], "C:", False),
    "letta#2495 unterminated string": (['{"message": "'], "", False),
    "assistant-ui#5524 junk after the object": ([_SAY % "a", " junk"], "a", False),
    "assistant-ui#5524 a prefix": (['{"a": nul'], "", False),
    "seed: keys contain the key": (['{"message_type": 1, "message": "a"}'], "a", True),
}

_named = pytest.mark.parametrize(
    ("payloads", "text", "calls"), _CASES.values(), ids=_CASES.keys()
)


@_named
def test_streaming_interface_loses_nothing(
    payloads: list[Payload], text: str, calls: Calls
) -> None:
    """Text and calls come out as they are, with and without assistant messages."""
    plain = stream(payloads)
    assert plain.pop() == "[DONE_GEN]"
    for items in (plain, spoken(payloads)):
        total = joined(items)
        assert total["thoughts"] == text
        assert total["calls"] == {i: [name, args] for i, name, args in calls}
        assert list(total["calls"]) == [i for i, _, _ in calls]


@_named
def test_chat_completion_mode_loses_no_call(
    payloads: list[Payload], text: str, calls: Calls
) -> None:
    """An OpenAI client gets the calls, well framed, and none of the thoughts."""
    total = openai_chunks(stream(payloads, streaming_chat_completion_mode=True))
    assert total["content"] is None
    assert [(c["id"], c["name"], c["arguments"]) for c in total["calls"]] == calls


@_named
def test_queue_loses_nothing(payloads: list[Payload], text: str, calls: Calls) -> None:
    """An agent's report of the same answer holds the same text and calls."""
    answer = ResponseAccumulator()
    for payload in payloads:
        answer.feed(payload)
    message = answer.message()
    queue = QueuingInterface()
    if message.content:
        queue.internal_monologue(message.content, record())
    for call in message.calls:
        queue.function_message(f"Running {call.name}({call.arguments})", record())
        queue.function_message("Success: None", tool_record(call.id))
    queue.step_yield()
    items = queue.to_list("api")
    assert "".join(item.get("internal_monologue", "") for item in items) == text
    shown = [item["function_call"] for item in items if "function_call" in item]
    assert shown == [f"{name}({arguments})" for _, name, arguments in calls]


@pytest.mark.parametrize(
    ("fragments", "text", "is_shown"), _SPOKEN.values(), ids=_SPOKEN.keys()
)
def test_arguments_that_broke_parsers(
    fragments: list[str], text: str, *, is_shown: bool
) -> None:
    """The text is exact; what cannot be shown comes whole as a call besides."""
    payloads = [fragment("", name="send_message", call_id="a")]
    payloads += [fragment(piece) for piece in fragments]
    total = joined(spoken([*payloads, finish()]))
    assert total["texts"] == text
    raw = "".join(fragments)
    assert total["calls"] == ({} if is_shown else {"a": ["send_message", raw]})
