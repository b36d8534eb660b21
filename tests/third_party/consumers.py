"""Other people's readers of streams, called as their documentation shows.

Nothing is done to what they read: a few lines hand the chunks over and name what came
out. The packages are dependencies of the tests only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anthropic.types import RawMessageStreamEvent
    from openai.types.chat import ChatCompletionChunk


def openai_stream_helper(chunks: Iterator[ChatCompletionChunk]) -> dict[str, Any]:
    """Accumulate with what stands behind the SDK's `client.chat.completions.stream`."""
    from openai.lib.streaming.chat import ChatCompletionStreamState

    state: Any = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(chunk)
    message = state.current_completion_snapshot.choices[0].message
    return {
        "content": message.content or "",
        "calls": [
            {"name": call.function.name, "arguments": call.function.arguments}
            for call in message.tool_calls or []
        ],
    }


def anthropic_stream_helper(events: Iterator[RawMessageStreamEvent]) -> dict[str, Any]:
    """Accumulate with what stands behind the SDK's `client.messages.stream`."""
    from anthropic.lib.streaming._messages import accumulate_event

    message: Any = None
    buffers: Any = {}
    for event in events:
        message = accumulate_event(
            event=event, current_snapshot=message, json_bufs=buffers
        )
    blocks = [] if message is None else message.content
    return {
        "content": "".join(b.text for b in blocks if b.type == "text"),
        "calls": [
            {"name": b.name, "arguments": b.input}
            for b in blocks
            if b.type == "tool_use"
        ],
        "stop_reason": None if message is None else message.stop_reason,
    }


def langchain_merging(chunks: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Add up `AIMessageChunk`s, made as `langchain-openai` makes them of a delta."""
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.tool import tool_call_chunk

    whole: Any = AIMessageChunk(content="")
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            delta = choice.get("delta") or {}
            whole += AIMessageChunk(
                content=delta.get("content") or "",
                tool_call_chunks=[
                    tool_call_chunk(
                        name=entry["function"].get("name"),
                        args=entry["function"].get("arguments"),
                        id=entry.get("id"),
                        index=entry.get("index"),
                    )
                    for entry in delta.get("tool_calls") or []
                ],
            )
    content = whole.content
    if isinstance(content, list):
        content = "".join(
            part if isinstance(part, str) else part.get("text", "") for part in content
        )
    return {
        "content": content,
        "calls": [
            {"name": call["name"], "arguments": call["args"]}
            for call in [*whole.tool_calls, *whole.invalid_tool_calls]
        ],
    }


class PartialJsonParser:
    """Parse what has come with `partial-json-parser`; emit what is new of a string."""

    def __init__(self, json_key: str = "message") -> None:
        self._key = json_key
        self._text = ""
        self._shown = ""

    def process_json_chunk(self, chunk: str) -> str | None:
        from partial_json_parser import loads  # type: ignore[import-untyped]  # no py.typed

        self._text += chunk
        return self._emit(loads(self._text)) if self._text.strip() else None

    def _emit(self, value: Any) -> str | None:
        text = value.get(self._key) if isinstance(value, dict) else None
        if not isinstance(text, str):
            return None
        new, self._shown = text[len(self._shown) :], text
        return new


class JsonRepair(PartialJsonParser):
    """The same with `json_repair`, which its documentation recommends for streams."""

    def process_json_chunk(self, chunk: str) -> str | None:
        from json_repair import loads

        self._text += chunk
        return self._emit(loads(self._text, stream_stable=True))
