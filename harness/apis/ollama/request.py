"""Requests of Ollama's own API in the neutral form."""

from __future__ import annotations

from typing import Any

from harness.apis.base import Conversation, RequestedCall, ToolOutput, Turn
from harness.apis.json_values import dict_of, dicts_of, text_of
from harness.apis.ollama.reader import arguments_text


def conversation_of(body: dict[str, Any]) -> Conversation:
    """Read the body of a request to `/api/chat` or `/api/generate`."""
    turns = [_turn(message) for message in dicts_of(body.get("messages"))]
    if not turns:
        turns = [
            Turn(role, text, own={role: text})
            for role, text in (
                ("system", text_of(body.get("system"))),
                ("user", text_of(body.get("prompt"))),
            )
            if text
        ]
    names = [_function(tool).get("name") for tool in dicts_of(body.get("tools"))]
    return Conversation(
        tuple(turns),
        model=text_of(body.get("model")),
        tools=tuple(name for name in names if isinstance(name, str)),
    )


def _turn(message: dict[str, Any]) -> Turn:
    role, text = text_of(message.get("role")), text_of(message.get("content"))
    if role == "tool":
        name = text_of(message.get("tool_name")) or text_of(message.get("name"))
        images = message.get("images")
        beside = ("image",) * len(images) if isinstance(images, list) else ()
        call_id = text_of(message.get("tool_call_id"))
        output = ToolOutput(call_id, text, name, beside=beside)
        return Turn("tool", outputs=(output,), own=message)
    return Turn(
        role,
        text,
        tuple(
            RequestedCall(
                text_of(call.get("id")),
                text_of(_function(call).get("name")),
                arguments_text(_function(call).get("arguments")),
            )
            for call in dicts_of(message.get("tool_calls"))
        ),
        own=message,
    )


def _function(entry: dict[str, Any]) -> dict[str, Any]:
    return dict_of(entry.get("function"))
