"""Requests of the Messages API to the neutral conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import Conversation, RequestedCall, ToolOutput, Turn
from harness.apis.json_values import as_json, beside_text, dicts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Payload

_MOVED = ("cache_control",)
"""Fields that clients move from turn to turn without meaning anything by it."""


def request(uri: str, body: Payload) -> Conversation:  # noqa: ARG001 - body
    """Read a request body.

    A `tool_result` becomes a turn of its own, of the role `tool`, before the rest of
    the user's message that has it: results come first there, and other APIs send each
    as a message.

    Args:
        uri: Where it was sent; the body has it all.
        body: The JSON object; any shape.

    Returns:
        The conversation; what cannot be read is in no turn but in `own`.
    """
    turns: list[Turn] = []
    if body.get("system"):
        turns.append(_turn("system", body["system"]))
    for message in dicts_of(body.get("messages")):
        turns += _turns(text_of(message.get("role")), message.get("content"))
    return Conversation(
        tuple(turns),
        model=text_of(body.get("model")),
        tools=tuple(
            text_of(tool.get("name"))
            for tool in dicts_of(body.get("tools"))
            if tool.get("name")
        ),
    )


def _turns(role: str, content: object) -> Iterator[Turn]:
    """Yield the turns that one message is."""
    blocks = _blocks(content)
    results = [b for b in blocks if b.get("type") == "tool_result"]
    for block in results:
        content = block.get("content")
        text = _text(content)
        output = ToolOutput(
            text_of(block.get("tool_use_id")),
            # A result of documents, searches or images alone has no text of its own.
            text or (as_json(content) if content else ""),
            is_error=block.get("is_error") is True,
            beside=beside_text(content) if text else (),
        )
        yield Turn("tool", outputs=(output,), own=_without_moved(block))
    rest = [b for b in blocks if b.get("type") != "tool_result"]
    if rest or not results:
        yield _turn(role, rest)


def _turn(role: str, content: object) -> Turn:
    blocks = _blocks(content)
    calls = tuple(
        RequestedCall(
            text_of(block.get("id")),
            text_of(block.get("name")),
            text_of(block.get("input")) or as_json(block.get("input")),
        )
        for block in blocks
        if block.get("type") == "tool_use"
    )
    own = [_without_moved(block) for block in blocks]
    return Turn(role, _text(content), calls, own=own)


def _blocks(content: object) -> list[dict[str, Any]]:
    """Return content as blocks: a text is one block, and empty text is none."""
    if type(content) is str:
        return [{"type": "text", "text": content}] if content else []
    return dicts_of(content if type(content) is list else [content])


def _text(content: object) -> str:
    """Return the text of content; JSON where it is neither text nor blocks."""
    if type(content) is str:
        return content
    if type(content) is list:
        return "".join(
            text_of(b.get("text")) if type(b) is dict else text_of(b) for b in content
        )
    return "" if content is None else as_json(content)


def _without_moved(block: dict[str, Any]) -> dict[str, Any]:
    """Copy a block without cache markers, those of a result's blocks included."""
    copy = {key: value for key, value in block.items() if key not in _MOVED}
    inner = copy.get("content")
    if type(inner) is list:
        copy["content"] = [
            {k: v for k, v in item.items() if k not in _MOVED}
            if type(item) is dict
            else item
            for item in inner
        ]
    return copy
