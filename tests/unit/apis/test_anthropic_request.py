"""Requests of the Messages API, read into the neutral conversation."""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.anthropic.api import API
from harness.apis.base import RequestedCall, ToolOutput, Turn

URI = "https://api.anthropic.com/v1/messages"


def turns(**body: Any) -> tuple[Turn, ...]:
    """Return the turns of a body."""
    return API.request(URI, body).turns


def test_an_agent_loop_is_read_turn_by_turn() -> None:
    """System, user, assistant with calls, and each result a turn of its own."""
    body = {
        "model": "claude",
        "max_tokens": 10,
        "stream": True,
        "system": [
            {"type": "text", "text": "Be", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": " brief."},
        ],
        "tools": [{"name": "f", "input_schema": {}}, {"type": "bash_20250124"}],
        "messages": [
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "text", "text": "Well"},
                    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "é"}},
                    {"type": "tool_use", "id": "u", "name": "g", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": "1"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "u",
                        "is_error": True,
                        "content": [
                            {"type": "text", "text": "no"},
                            {"type": "image", "source": {}},
                            {"type": "text", "text": "pe"},
                        ],
                    },
                    {"type": "text", "text": "Go on"},
                ],
            },
        ],
    }
    found = API.request(URI, body)
    assert found.model == "claude"
    assert found.tools == ("f",)
    assert [(t.role, t.text, t.calls, t.outputs) for t in found.turns] == [
        ("system", "Be brief.", (), ()),
        ("user", "Hi", (), ()),
        (
            "assistant",
            "Well",
            (RequestedCall("t", "f", '{"a": "é"}'), RequestedCall("u", "g", "{}")),
            (),
        ),
        ("tool", "", (), (ToolOutput("t", "1", is_error=False),)),
        ("tool", "", (), (ToolOutput("u", "nope", is_error=True, beside=("image",)),)),
        ("user", "Go on", (), ()),
    ]


def test_a_text_and_its_block_are_the_same_turn() -> None:
    """Clients send either, and move cache markers from turn to turn."""
    plain = turns(messages=[{"role": "user", "content": "Hi"}])
    block: dict[str, Any] = {"type": "text", "text": "Hi"}
    assert turns(messages=[{"role": "user", "content": [block]}]) == plain
    marked = block | {"cache_control": {"type": "ephemeral"}}
    assert turns(messages=[{"role": "user", "content": [marked]}]) == plain
    other = turns(messages=[{"role": "user", "content": "Ho"}])
    assert other != plain


def test_a_marker_inside_a_result_is_left_out_too() -> None:
    """A result holds blocks of its own."""
    inner = {"type": "text", "text": "1", "cache_control": {}}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [inner]}
    (turn,) = turns(messages=[{"role": "user", "content": [result]}])
    assert turn.own["content"] == [{"type": "text", "text": "1"}]
    assert inner == {"type": "text", "text": "1", "cache_control": {}}  # untouched


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": None},
        {"messages": [None, 5, {"role": 5, "content": 5}]},
        {"messages": [{"content": [None, [], {"type": "tool_result"}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use"}]}]},
        {"system": 5, "tools": [None, {"name": 5}], "stream": "x", "model": []},
    ],
)
def test_requests_of_any_shape_raise_nothing(body: dict[str, Any]) -> None:
    """What cannot be read is left out."""
    API.request(URI, body)


@pytest.mark.parametrize(
    ("uri", "body", "is_ours"),
    [
        (URI, {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}, True),
        (f"{URI}?beta=true", {"messages": []}, True),
        ("http://x/anthropic/v1/messages", {"messages": []}, True),
        (
            "https://x/v1/projects/p/models/claude:streamRawPredict",
            {"messages": [], "anthropic_version": "vertex-2023-10-16"},
            True,
        ),
        ("https://x/model/anthropic.claude/invoke", {"messages": []}, True),
        ("http://x/", {"messages": [], "tools": [{"input_schema": {}}]}, True),
        (
            "http://x/",
            {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
            True,
        ),
        ("http://x/", {"messages": [{"role": "user", "content": "Hi"}]}, False),
        (f"{URI}/count_tokens", {"messages": []}, False),
        (f"{URI}/batches", {"requests": []}, False),
        ("http://x/v1/chat/completions", {"messages": []}, False),
        (URI, {"messages": [{"role": "assistant", "tool_calls": []}]}, False),
        (URI, {"messages": [], "tools": [{"type": "function", "function": {}}]}, False),
        ("http://x/v1/threads/t/messages", {"role": "user", "content": "Hi"}, False),
        ("http://x/v1/responses", {"input": "Hi"}, False),
        (URI, {}, True),
    ],
)
def test_a_request_is_told_by_its_body_first(
    uri: str, body: dict[str, Any], *, is_ours: bool
) -> None:
    """The path decides only where the body could be chat's too."""
    assert API.is_request(uri, body) is is_ours


@pytest.mark.parametrize(
    ("document", "is_ours"),
    [
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [],
                "stop_reason": None,
            },
            True,
        ),
        ({"type": "error", "error": {"type": "api_error", "message": "x"}}, True),
        ({"type": "message", "role": "assistant", "content": []}, False),
        ({"type": "error", "message": "x", "code": None}, False),
        ({"error": {"message": "x", "type": "invalid_request_error"}}, False),
        ({"object": "chat.completion", "choices": []}, False),
        ({"input_tokens": 14}, False),
        ([], False),
        (None, False),
    ],
)
def test_an_answer_is_told_by_its_content(document: Any, *, is_ours: bool) -> None:
    """Errors of the same shape as chat's are not this API's alone."""
    assert API.is_answer(document) is is_ours
