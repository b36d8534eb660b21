"""Chunks and records to feed interfaces with, and what came out in few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harness.agents.letta.light_messages import MessageStreamStatus
from harness.agents.letta.messages import (
    AssistantMessage,
    FunctionCallMessage,
    InternalMonologue,
    Message,
    ToolCall,
    ToolCallFunction,
)
from harness.agents.letta.streaming import StreamingServerInterface

if TYPE_CHECKING:
    from collections.abc import Iterable

Payload = dict[str, Any]

DATE = datetime(2024, 10, 19, 21, 47, 48, 123456, tzinfo=UTC)
ID = "message-aaaaaaaa-0000-4000-8000-000000000001"
TOOL_ID = "message-aaaaaaaa-0000-4000-8000-000000000002"


def chunk(delta: object = None, finish: str | None = None, **outer: Any) -> Payload:
    """Build a chunk of one choice."""
    choice = {"index": 0, "delta": delta if delta is not None else {}}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1729374468,
        "model": "m",
        "choices": [{**choice, "finish_reason": finish}],
        **outer,
    }


def content(text: object) -> Payload:
    """Build a chunk of text."""
    return chunk({"content": text})


def fragment(
    arguments: str | None = None,
    *,
    name: str | None = None,
    index: int | None = 0,
    call_id: str | None = None,
) -> Payload:
    """Build a chunk with one entry of `tool_calls`; None leaves a field out."""
    entry: Payload = {}
    function: Payload = {}
    if index is not None:
        entry["index"] = index
    if call_id is not None:
        entry |= {"id": call_id, "type": "function"}
    if name is not None:
        function["name"] = name
    if arguments is not None:
        function["arguments"] = arguments
    return chunk({"tool_calls": [{**entry, "function": function}]})


def finish(reason: str = "tool_calls") -> Payload:
    """Build the chunk that finishes the choice."""
    return chunk({}, reason)


def record(
    *calls: tuple[str, str, str], text: str | None = None, record_id: str = ID
) -> Message:
    """Build an assistant's record; each call is id, name and arguments."""
    return Message(
        id=record_id,
        role="assistant",
        text=text,
        tool_calls=[
            ToolCall(id=i, function=ToolCallFunction(name=n, arguments=a))
            for i, n, a in calls
        ]
        or None,
        created_at=DATE,
    )


def tool_record(call_id: str | None = "call_1") -> Message:
    """Build a tool's record."""
    return Message(
        id=TOOL_ID, role="tool", text="x", tool_call_id=call_id, created_at=DATE
    )


def short(item: Any) -> Any:
    """Tell an emitted item in few words: kind and content, without id and date."""
    if isinstance(item, MessageStreamStatus):
        return str(item)
    if isinstance(item, InternalMonologue):
        return ("thought", item.internal_monologue)
    if isinstance(item, AssistantMessage):
        return ("text", item.assistant_message)
    if isinstance(item, FunctionCallMessage):
        kind = (
            "call" if type(item.function_call).__name__ == "FunctionCall" else "delta"
        )
        return (kind, item.function_call.model_dump())
    return item


def stream(
    payloads: Iterable[Payload], *, is_ended: bool = True, **options: Any
) -> list[Any]:
    """Feed one response to a fresh interface; options are its attributes."""
    interface = StreamingServerInterface()
    interface.streaming_mode = True
    for name, value in options.items():
        assert hasattr(interface, name)
        setattr(interface, name, value)
    interface.stream_start()
    for payload in payloads:
        interface.process_payload(payload, ID, DATE)
    if is_ended:
        interface.stream_end()
    return [short(item) for item in interface.drain()]


def spoken(payloads: Iterable[Payload], **options: Any) -> list[Any]:
    """Feed one response in `use_assistant_message` mode; leave out the last mark."""
    items = stream(payloads, use_assistant_message=True, **options)
    assert items.pop() == "[DONE_GEN]"
    return items


def joined(items: Iterable[Any]) -> dict[str, Any]:
    """Add up what a client sees: the texts, and the calls in their order.

    The order of calls is that of their first appearance; deltas belong to the call
    of the last id they named.
    """
    thoughts, texts = "", ""
    calls: dict[str, list[str]] = {}
    current: list[str] = []
    order: list[str] = []
    for item in items:
        if item[0] == "thought":
            thoughts += item[1]
        elif item[0] == "text":
            texts += item[1]
            order.append("text")
        elif item[0] in {"delta", "call"}:
            fields = item[1]
            if "function_call_id" in fields:
                current = calls.setdefault(fields["function_call_id"], ["", ""])
                order.append(fields["function_call_id"])
            current[0] += fields.get("name", "")
            current[1] += fields.get("arguments", "")
    runs = [o for n, o in enumerate(order) if n == 0 or order[n - 1] != o]
    return {"thoughts": thoughts, "texts": texts, "calls": calls, "order": runs}


def openai_chunks(items: Iterable[Any]) -> dict[str, Any]:
    """Add up OpenAI chunks as a client does: content, calls by index, finish."""
    result: dict[str, Any] = {"content": None, "calls": [], "finish": [], "role": []}
    for item in items:
        for choice in item["choices"]:
            delta = choice["delta"]
            if "content" in delta:
                result["content"] = (result["content"] or "") + delta["content"]
            if "role" in delta:
                result["role"].append(delta["role"])
            for entry in delta.get("tool_calls", []):
                if entry["index"] == len(result["calls"]):
                    result["calls"].append({"id": "", "name": "", "arguments": ""})
                call = result["calls"][entry["index"]]
                call["id"] += entry.get("id", "")
                call["name"] += entry["function"].get("name", "")
                call["arguments"] += entry["function"].get("arguments", "")
            if choice["finish_reason"]:
                result["finish"].append(choice["finish_reason"])
    return result
