"""Requests of chat completions in the neutral form."""

from __future__ import annotations

import json
from typing import Any

from harness.apis.base import Conversation, RequestedCall, ToolOutput, Turn
from harness.apis.json_values import beside_text, dict_of, dicts_of, text_of


def conversation_of(body: dict[str, Any]) -> Conversation | None:
    """Read the body of a request.

    Args:
        body: The JSON object; any shape.

    Returns:
        The conversation; None where it has no list of `messages`.

    Source: OpenAI API reference, create chat completion.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        return None
    tools = body.get("tools")
    return Conversation(
        tuple(map(_turn, dicts_of(messages))),
        model=text_of(body.get("model")),
        tools=tuple(_tool_name(t) for t in (tools if isinstance(tools, list) else ())),
    )


def _turn(message: dict[str, Any]) -> Turn:
    role = text_of(message.get("role"))
    text = _content_text(message.get("content"))
    if role in {"tool", "function"}:
        output = ToolOutput(
            text_of(message.get("tool_call_id")),
            text,
            text_of(message.get("name")),
            beside=beside_text(message.get("content")),
        )
        return Turn("tool", outputs=(output,), own=message)
    return Turn(
        "system" if role == "developer" else role, text, _calls(message), own=message
    )


def _calls(message: dict[str, Any]) -> tuple[RequestedCall, ...]:
    entries = message.get("tool_calls")
    if not isinstance(entries, list):
        legacy = message.get("function_call")
        entries = [{"function": legacy}] if isinstance(legacy, dict) else []
    return tuple(map(_call, dicts_of(entries)))


def _call(entry: dict[str, Any]) -> RequestedCall:
    function = entry.get("function")
    custom = entry.get("custom")
    if not isinstance(function, dict) and isinstance(custom, dict):
        function = {"name": custom.get("name"), "arguments": custom.get("input")}
    function = dict_of(function)
    return RequestedCall(
        text_of(entry.get("id")),
        text_of(function.get("name")),
        text_of(function.get("arguments")),
    )


def _tool_name(tool: object) -> str:
    return text_of(dict_of(dict_of(tool).get("function")).get("name"))


def _content_text(content: object) -> str:
    """Return content as text: the texts of a list joined, an object as JSON."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [
            part.get("text") if isinstance(part, dict) else part for part in content
        ]
        return "".join(part for part in parts if isinstance(part, str))
    return "" if content is None else json.dumps(content, ensure_ascii=False)
