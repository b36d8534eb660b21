"""generateContent requests to the neutral conversation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.apis.base import Conversation, RequestedCall, ToolOutput, Turn
from harness.apis.gemini.values import in_camel_case
from harness.apis.json_values import as_json, beside_text, dicts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Payload

_METHOD = re.compile(r"(?:/models/([^/:?]+))?:([a-zA-Z]+)(?:\?|$)")
_METHODS = frozenset({"generateContent", "streamGenerateContent"})


def is_request(uri: str, body: Payload) -> bool:
    """Return whether a request asks generateContent for an answer.

    The method in the path decides where there is one (`countTokens` has the same
    body); without it `contents` made of `parts` does.
    """
    found = _METHOD.search(uri)
    if found is not None and (found[1] or found[2] in _METHODS):
        return found[2] in _METHODS
    contents = dicts_of(_list(_unwrapped(body).get("contents")))
    return any("parts" in content for content in contents)


def request(uri: str, body: Payload) -> Conversation:
    """Read a request body.

    Args:
        uri: Where it was sent: it names the model.
        body: The parsed body, in camel or snake case; also as Code Assist wraps it.

    Returns:
        The turns, the system instruction first. Results of functions stand in a turn
        of role `tool`, apart from what the user wrote beside them.
    """
    found = _METHOD.search(uri)
    inner: Payload = in_camel_case(_unwrapped(body))
    turns: list[Turn] = []
    system = inner.get("systemInstruction")
    if system:
        content = {"parts": system} if isinstance(system, str) else system
        turns.append(Turn("system", _text(_parts(content)), own=content))
    for content in _list(inner.get("contents")):
        turns += _turns(content)
    model = inner.get("model") or body.get("model") or (found[1] if found else "")
    return Conversation(
        turns=tuple(turns),
        model=model.removeprefix("models/") if isinstance(model, str) else "",
        tools=tuple(_tool_names(inner.get("tools"))),
    )


def _unwrapped(body: Payload) -> Payload:
    inner = body.get("request")
    return inner if isinstance(inner, dict) and "contents" not in body else body


def _list(value: Any) -> list[Any]:
    """Return a repeated field: Google's APIs take one value for a list of one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _parts(content: Any) -> list[dict[str, Any]]:
    """Return the parts of a content; a text alone is one (the SDKs take it)."""
    if isinstance(content, str):
        return [{"text": content}]
    parts = _list(content.get("parts")) if isinstance(content, dict) else []
    return [
        {"text": part} if isinstance(part, str) else part
        for part in parts
        if isinstance(part, str | dict)
    ]


def _text(parts: list[dict[str, Any]]) -> str:
    return "".join(
        part["text"]
        for part in parts
        if isinstance(part.get("text"), str) and part.get("thought") is not True
    )


def _turns(content: Any) -> Iterator[Turn]:
    parts = _parts(content)
    role = content.get("role") if isinstance(content, dict) else None
    results: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for part in parts:
        is_result = isinstance(part.get("functionResponse"), dict)
        (results if is_result else others).append(part)
    if results:
        outputs = tuple(_output(part["functionResponse"]) for part in results)
        yield Turn("tool", outputs=outputs, own=results)
    if others or not results:
        calls = tuple(
            _call(part["functionCall"])
            for part in others
            if isinstance(part.get("functionCall"), dict)
        )
        name = "assistant" if role == "model" else "user"
        yield Turn(name, _text(others), calls, own=others)


def _call(call: dict[str, Any]) -> RequestedCall:
    args = call.get("args")
    return RequestedCall(
        id=text_of(call.get("id")),
        name=text_of(call.get("name")),
        arguments=as_json({} if args is None else args),
    )


def _output(sent: dict[str, Any]) -> ToolOutput:
    """Read a function's result.

    `output` and `error` are the API's own keys for it, `result` is what google-genai
    puts a value under that is no object; any other object is the result itself.
    """
    response = sent.get("response")
    value: Any = response
    is_error = None
    if isinstance(response, dict) and len(response) == 1:
        [(key, only)] = response.items()
        if key in {"output", "result", "error"}:
            value = only
            is_error = True if key == "error" else None
    text = value if isinstance(value, str) else as_json(value)
    name = text_of(sent.get("name"))
    beside = beside_text(_list(sent.get("parts")))
    return ToolOutput(text_of(sent.get("id")), text or "", name, is_error, beside)


def _tool_names(tools: Any) -> Iterator[str]:
    for tool in dicts_of(_list(tools)):
        for key, value in tool.items():
            if key != "functionDeclarations":
                yield key  # a server tool, such as googleSearch
                continue
            for declared in dicts_of(_list(value)):
                if isinstance(declared.get("name"), str):
                    yield declared["name"]
