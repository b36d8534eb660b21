"""A conversation as the request of another API: for recordings that are converted.

Only what the neutral form has is carried: the model, roles, texts, calls and results of
tools, the names of tools. What a server needs beside that (schemas of tools, sampling)
is the recording's own and stays in the file it was converted from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import tool_call
from harness.apis.json_values import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.apis.base import Conversation, Payload

PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/{model}:streamGenerateContent?alt=sse",
}
"""Where each API is asked."""


def request_body(api: str, conversation: Conversation) -> Payload:
    """Return the body that asks the same in an API.

    Args:
        api: A key of `PATHS`.
        conversation: What was asked.
    """
    return _BODIES[api](conversation)


def offered_tools(api: str, names: Iterable[str]) -> Payload:
    """Return the fields of a body that offer tools without arguments.

    Args:
        api: A key of `PATHS`.
        names: Of the tools.
    """
    schema: Payload = {"type": "object", "properties": {}}
    functions = [{"name": name, "parameters": schema} for name in names]
    if api == "anthropic":
        return {
            "tools": [{"name": f["name"], "input_schema": schema} for f in functions]
        }
    if api == "gemini":
        return {"tools": [{"functionDeclarations": functions}]}
    if api == "responses":
        return {"tools": [{"type": "function", **function} for function in functions]}
    return {"tools": [{"type": "function", "function": f} for f in functions]}


def _chat(asked: Conversation) -> Payload:
    messages: list[Payload] = []
    for turn in asked.turns:
        messages += [
            {"role": "tool", "tool_call_id": output.call_id, "content": output.text}
            for output in turn.outputs
        ]
        if turn.outputs and not turn.text:
            continue
        message: Payload = {"role": turn.role, "content": turn.text}
        if turn.calls:
            message["tool_calls"] = [
                tool_call(call.id, call.name, call.arguments) for call in turn.calls
            ]
        messages.append(message)
    return {"model": asked.model, "messages": messages, "stream": True}


def _responses(asked: Conversation) -> Payload:
    items: list[Payload] = []
    for turn in asked.turns:
        items += [
            {
                "type": "function_call_output",
                "call_id": output.call_id,
                "output": output.text,
            }
            for output in turn.outputs
        ]
        if turn.text:
            items.append({"role": turn.role, "content": turn.text})
        items += [
            {
                "type": "function_call",
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments,
            }
            for call in turn.calls
        ]
    return {"model": asked.model, "input": items, "stream": True}


def _anthropic(asked: Conversation) -> Payload:
    system = "\n".join(turn.text for turn in asked.turns if turn.role == "system")
    messages: list[Payload] = []
    for turn in asked.turns:
        if turn.role == "system":
            continue
        blocks: list[Payload] = [
            {
                "type": "tool_result",
                "tool_use_id": output.call_id,
                "content": output.text,
            }
            for output in turn.outputs
        ]
        if turn.text:
            blocks.append({"type": "text", "text": turn.text})
        blocks += [
            {
                "type": "tool_use",
                "id": call.id,
                "name": call.name,
                "input": _object(call.arguments),
            }
            for call in turn.calls
        ]
        role = "assistant" if turn.role == "assistant" else "user"
        if messages and messages[-1]["role"] == role:  # roles alternate here
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    body: Payload = {"model": asked.model, "max_tokens": 4096, "messages": messages}
    return body | ({"system": system} if system else {}) | {"stream": True}


def _gemini(asked: Conversation) -> Payload:
    names = {call.id: call.name for turn in asked.turns for call in turn.calls}
    system = [{"text": turn.text} for turn in asked.turns if turn.role == "system"]
    contents: list[Payload] = []
    for turn in asked.turns:
        if turn.role == "system":
            continue
        parts: list[Payload] = [
            {
                "functionResponse": {
                    "name": output.name or names.get(output.call_id, ""),
                    "response": _object(output.text),
                }
            }
            for output in turn.outputs
        ]
        if turn.text:
            parts.append({"text": turn.text})
        parts += [
            {"functionCall": {"name": call.name, "args": _object(call.arguments)}}
            for call in turn.calls
        ]
        role = "model" if turn.role == "assistant" else "user"
        contents.append({"role": role, "parts": parts})
    body: Payload = {"contents": contents}
    return body | ({"systemInstruction": {"parts": system}} if system else {})


def _object(text: str) -> dict[str, Any]:
    """Return arguments or a result as an object: others are its one field."""
    value = parsed(text or "{}", text, strict=True)
    return value if isinstance(value, dict) else {"output": value}


_BODIES: dict[str, Callable[[Conversation], Payload]] = {
    "chat": _chat,
    "responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}
