"""Gemini requests as conversations, and which documents are Gemini's at all."""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.base import RequestedCall, ToolOutput
from harness.apis.gemini.api import API

_BASE = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
_STREAM = f"{_BASE}:streamGenerateContent?alt=sse"
_CALL = {"functionCall": {"id": "1", "name": "f", "args": {"a": "é"}}}
_RESULT = {"functionResponse": {"id": "1", "name": "f", "response": {"output": "ok"}}}
_BODY: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "!"}]},
        {
            "role": "model",
            "parts": [
                {"text": "thinking", "thought": True},
                {"text": "I call.", "thoughtSignature": "QQ=="},
                _CALL,
            ],
        },
        {"role": "user", "parts": [_RESULT, {"text": "Go on."}]},
    ],
    "tools": [
        {"functionDeclarations": [{"name": "f"}, {"name": "g"}]},
        {"googleSearch": {}},
    ],
}


def test_a_request_is_a_conversation() -> None:
    """System first; a result is a turn of its own, before what the user wrote."""
    found = API.request(_STREAM, _BODY)
    assert [(turn.role, turn.text) for turn in found.turns] == [
        ("system", "Be brief."),
        ("user", "Hi!"),
        ("assistant", "I call."),
        ("tool", ""),
        ("user", "Go on."),
    ]
    assert found.turns[2].calls == (RequestedCall("1", "f", '{"a": "é"}'),)
    assert found.turns[3].outputs == (ToolOutput("1", "ok", "f"),)
    assert found.turns[3].own == [_RESULT]
    assert found.tools == ("f", "g", "googleSearch")
    assert (found.model, found.previous_id) == ("gemini-2.5-flash", "")


def test_snake_case_and_code_assist_are_the_same_request() -> None:
    """Also `parts` that are one part and not a list, as Google's examples have them."""
    plain = API.request(_STREAM, _BODY)
    snake = {
        "system_instruction": {"parts": {"text": "Be brief."}},
        "contents": [
            _BODY["contents"][0],
            {
                "role": "model",
                "parts": [
                    {"text": "thinking", "thought": True},
                    {"text": "I call.", "thought_signature": "QQ=="},
                    {"function_call": _CALL["functionCall"]},
                ],
            },
            {
                "parts": [
                    {"function_response": _RESULT["functionResponse"]},
                    {"text": "Go on."},
                ]
            },
        ],
        "tools": [{"function_declarations": [{"name": "f"}, {"name": "g"}]}],
    }
    found = API.request(_STREAM, snake)
    assert found.turns[1:] == plain.turns[1:]
    assert found.turns[0].text == plain.turns[0].text
    uri = "https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent"
    wrapped = API.request(uri, {"model": "gemini-x", "project": "p", "request": _BODY})
    assert (wrapped.turns, wrapped.model) == (plain.turns, "gemini-x")


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "a"}, "a", None),
        ({"result": "a"}, "a", None),
        ({"error": "a"}, "a", True),
        ({"output": {"b": 1}}, '{"b": 1}', None),
        ({"output": "a", "more": 1}, '{"output": "a", "more": 1}', None),
        ({"weather": "a"}, '{"weather": "a"}', None),
        ("text", "text", None),
        (None, "null", None),
    ],
)
def test_the_result_of_a_function(
    response: Any, text: str, is_error: bool | None
) -> None:
    """`output` and `error` are the API's keys, `result` is google-genai's."""
    part = {"functionResponse": {"name": "f", "response": response}}
    [turn] = API.request(
        "", {"contents": [{"role": "function", "parts": [part]}]}
    ).turns
    assert turn.outputs == (ToolOutput("", text, "f", is_error),)


@pytest.mark.parametrize(
    ("uri", "body", "is_ours"),
    [
        (_STREAM, _BODY, True),
        (_STREAM, {}, True),
        (f"{_BASE}:generateContent", {}, True),
        (f"{_BASE}:countTokens", _BODY, False),
        (f"{_BASE}:embedContent", {"content": {"parts": []}}, False),
        ("http://proxy:8080/anything", _BODY, True),
        ("http://proxy:8080/anything", {"request": _BODY}, True),
        ("http://proxy:8080/v1/chat/completions", {"messages": []}, False),
        ("http://proxy:8080/v1/responses", {"input": "x"}, False),
        ("", {"contents": "text"}, False),
        ("", {}, False),
    ],
)
def test_which_requests_are_geminis(
    uri: str, body: dict[str, Any], *, is_ours: bool
) -> None:
    """The method decides where the path has one, else the body."""
    assert API.is_request(uri, body) is is_ours


@pytest.mark.parametrize(
    ("document", "is_event", "is_answer"),
    [
        ({"candidates": [{"content": {"parts": []}}]}, True, True),
        ({"candidates": [{"finish_reason": "STOP"}]}, True, True),
        ({"response": {"candidates": [{"content": {}}]}}, True, True),
        ({"promptFeedback": {"blockReason": "OTHER"}}, True, True),
        ({"usageMetadata": {"totalTokenCount": 1}}, True, True),
        ({"usage_metadata": {"total_token_count": 1}}, True, True),
        ({"modelVersion": "m", "responseId": "r"}, True, True),
        ({"error": {"code": 400, "message": "m", "status": "S"}}, False, True),
        ([{"error": {"code": 400, "message": "m", "status": "S"}}], False, True),
        (
            [{"candidates": [{"content": {}}]}, {"usageMetadata": {"x": 1}}],
            False,
            False,
        ),
        ({"error": {"code": "invalid", "message": "m", "type": "t"}}, False, False),
        ({"candidates": ["a"]}, False, False),
        ({"choices": [], "candidates": [{"content": {}}]}, False, False),
        ({"serverContent": {}, "usageMetadata": {"totalTokenCount": 1}}, False, False),
        ({"event_type": "interaction.created"}, False, False),
        ({"type": "message", "usageMetadata": {"totalTokenCount": 1}}, False, False),
        ([], False, False),
        ("text", False, False),
    ],
)
def test_which_documents_are_geminis(
    document: Any, *, is_event: bool, is_answer: bool
) -> None:
    """Events by their own fields; errors only as whole answers."""
    assert API.is_answer(document) is is_answer
    if isinstance(document, dict):
        assert API.is_event("", document) is is_event


@pytest.mark.parametrize(
    "body",
    [
        {"contents": None, "tools": 5, "systemInstruction": 7},
        {"contents": [None, 5, "text", {"parts": [None, 3, {"text": 1}]}]},
        {"contents": [{"parts": [{"functionCall": {"name": 1, "args": None}}]}]},
        {"contents": [{"parts": [{"functionResponse": {"response": [1]}}]}]},
        {"tools": [None, {"functionDeclarations": [None, {"name": 2}]}], "model": 3},
    ],
)
def test_odd_requests_are_read_as_far_as_they_go(body: dict[str, Any]) -> None:
    """No shape raises."""
    found = API.request(_STREAM, body)
    assert all(isinstance(turn.text, str) for turn in found.turns)
