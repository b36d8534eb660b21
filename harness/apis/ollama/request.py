"""Requests of Ollama's own API in the neutral form."""

from __future__ import annotations

from typing import Any

from harness.apis.base import Conversation, RequestedCall, ToolOutput, Turn
from harness.apis.ollama.reader import arguments_text

__all__ = ["conversation_of"]


def conversation_of(body: dict[str, Any]) -> Conversation:
    """Read the body of a request to `/api/chat` or `/api/generate`."""
    messages = body.get("messages")
    turns = [
        _turn(message)
        for message in (messages if isinstance(messages, list) else ())
        if isinstance(message, dict)
    ]
    if not turns:
        turns = [
            Turn(role, text, own={role: text})
            for role, text in (
                ("system", _text(body.get("system"))),
                ("user", _text(body.get("prompt"))),
            )
            if text
        ]
    tools = body.get("tools")
    names = (
        [_function(tool).get("name") for tool in tools if isinstance(tool, dict)]
        if isinstance(tools, list)
        else []
    )
    return Conversation(
        tuple(turns),
        model=_text(body.get("model")),
        is_streamed=body.get("stream") is not False,
        tools=tuple(name for name in names if isinstance(name, str)),
    )


def _turn(message: dict[str, Any]) -> Turn:
    role, text = _text(message.get("role")), _text(message.get("content"))
    if role == "tool":
        name = _text(message.get("tool_name")) or _text(message.get("name"))
        output = ToolOutput(_text(message.get("tool_call_id")), text, name)
        return Turn("tool", outputs=(output,), own=message)
    calls = message.get("tool_calls")
    return Turn(
        role,
        text,
        tuple(
            RequestedCall(
                _text(call.get("id")),
                _text(_function(call).get("name")),
                arguments_text(_function(call).get("arguments")),
            )
            for call in (calls if isinstance(calls, list) else ())
            if isinstance(call, dict)
        ),
        own=message,
    )


def _function(entry: dict[str, Any]) -> dict[str, Any]:
    function = entry.get("function")
    return function if isinstance(function, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
