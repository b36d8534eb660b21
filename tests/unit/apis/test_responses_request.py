"""Responses requests in the neutral form, and which requests are this API's."""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.base import RequestedCall, ToolOutput
from harness.apis.responses.api import API

_URI = "https://api.openai.com/v1/responses"


def test_conversation() -> None:
    """Roles, texts, calls and outputs of every kind of item are in the turns."""
    found = API.request(
        _URI,
        {
            "model": "m",
            "stream": True,
            "instructions": "be brief",
            "previous_response_id": "resp_1",
            "tools": [
                {"type": "function", "name": "f"},
                {"type": "web_search"},
                {"type": "namespace", "name": "n", "tools": [{"name": "g"}]},
            ],
            "input": [
                {"role": "developer", "content": "d"},
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "a"},
                        {"type": "input_image"},
                        {"type": "input_text", "text": "b"},
                    ],
                },
                {"type": "reasoning", "id": "rs", "summary": []},
                {
                    "type": "message",
                    "role": "assistant",
                    "id": "m1",
                    "content": [
                        {"type": "output_text", "text": "x"},
                        {"type": "refusal", "refusal": "y"},
                    ],
                },
                {
                    "type": "function_call",
                    "id": "fc",
                    "call_id": "c1",
                    "name": "f",
                    "arguments": "{}",
                },
                {
                    "type": "custom_tool_call",
                    "call_id": "c2",
                    "name": "g",
                    "input": "in",
                },
                {"type": "function_call_output", "call_id": "c1", "output": "one"},
                {
                    "type": "custom_tool_call_output",
                    "call_id": "c2",
                    "output": [{"type": "input_text", "text": "two"}],
                },
                {"type": "computer_call_output", "call_id": "c3", "output": {"a": 1}},
            ],
        },
    )
    assert [(turn.role, turn.text) for turn in found.turns] == [
        ("system", "be brief"),
        ("system", "d"),
        ("user", "ab"),
        ("assistant", "xy"),
        ("tool", ""),
        ("tool", ""),
        ("tool", ""),
    ]
    assert found.turns[3].calls == (
        RequestedCall("c1", "f", "{}"),
        RequestedCall("c2", "g", "in"),
    )
    assert [turn.outputs for turn in found.turns[4:]] == [
        (ToolOutput("c1", "one"),),
        (ToolOutput("c2", "two"),),
        (ToolOutput("c3", '{"a": 1}'),),
    ]
    assert (found.model, found.previous_id) == ("m", "resp_1")
    assert found.tools == ("f", "web_search", "g")


def test_text_input_and_conversation_id() -> None:
    """A plain input is one turn; a conversation is what the request continues."""
    found = API.request(_URI, {"input": "hello", "conversation": {"id": "conv_1"}})
    assert [(turn.role, turn.text) for turn in found.turns] == [("user", "hello")]
    assert found.previous_id == "conv_1"


def test_turns_compare_without_the_servers_ids() -> None:
    """The same turn with another id or status is the same; another text is not."""

    def turn(**fields: Any) -> Any:
        item = {"type": "message", "role": "assistant", "content": "x", **fields}
        return API.request(_URI, {"input": [item]}).turns[0]

    assert turn(id="a", status="completed") == turn(id="b")
    said = {"role": "user", "content": "x"}
    forms: list[Any] = ["x", [said], [{"type": "message", **said}]]
    one, *others = (API.request(_URI, {"input": form}).turns for form in forms)
    assert others == [one, one]
    assert turn(content="y") != turn()


@pytest.mark.parametrize(
    ("uri", "body", "expected"),
    [
        (_URI, {"model": "m", "input": "text"}, True),
        ("https://host/openai/responses?api-version=1", {"input": "text"}, True),
        ("https://host/v1/embeddings", {"model": "m", "input": "text"}, False),
        ("https://host/v1/embeddings", {"model": "m", "input": ["a", "b"]}, False),
        (
            "https://host/v1/moderations",
            {"input": [{"type": "text", "text": "x"}]},
            False,
        ),
        ("https://host/x", {"input": [{"role": "user", "content": "x"}]}, True),
        ("https://host/x", {"input": "x", "max_output_tokens": 5}, True),
        (_URI, {"model": "m", "messages": []}, False),
        ("https://host/v1/chat/completions", {"messages": [], "input": "x"}, False),
        ("https://host/v1/completions", {"prompt": "x"}, False),
        (_URI, {"prompt": {"id": "pmpt_1"}, "stream": True}, True),
        (_URI + "/resp_1?stream=true&starting_after=5", {}, True),
        (_URI + "/resp_1", {}, False),
        ("https://host/v1/messages", {"model": "m"}, False),
    ],
)
def test_is_request(uri: str, body: dict[str, Any], *, expected: bool) -> None:
    """The body decides; the path where the body could be for embeddings too."""
    assert API.is_request(uri, body) is expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"type": "response.output_text.delta", "delta": "x"}, True),
        ({"type": "response.whatever.next"}, True),
        ({"type": "error", "code": None, "message": "m", "param": None}, True),
        ({"type": "error", "error": {"message": "m"}, "sequence_number": 2}, True),
        (
            {"type": "error", "error": {"type": "overloaded_error", "message": "m"}},
            False,
        ),
        ({"type": "keepalive", "sequence_number": 4}, True),
        ({"type": "ping"}, False),
        ({"type": "message_start", "message": {}}, False),
        ({"object": "chat.completion.chunk", "choices": []}, False),
        ({"candidates": []}, False),
        (
            {"type": "response.output_text.delta", "event_id": "e", "response_id": "r"},
            False,
        ),
        ({"type": 7}, False),
    ],
)
def test_is_event(payload: dict[str, Any], *, expected: bool) -> None:
    """An event is this API's by its type; an error where it can be no other's."""
    assert API.is_event("", payload) is expected
