"""Right consumers that share nothing with the others: objects, blocks, callbacks.

They read attributes of the vendors' objects, add up blocks, or call back for each call.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

_Object = dict[str, Any]
_CALLS = {"function_call", "custom_tool_call"}


class _Items:
    """The items of a Responses answer, by their places."""

    def __init__(self) -> None:
        self.texts: dict[tuple[int, int], str] = {}
        self.calls: dict[int, _Object] = {}

    def take(self, place: int, item: Any) -> None:
        if item.type in _CALLS:
            call = self.calls.setdefault(place, {"name": "", "arguments": ""})
            call["name"] = call["name"] or item.name or ""
            whole = getattr(item, "arguments", None) or getattr(item, "input", None)
            call["arguments"] = call["arguments"] or whole or ""
        elif item.type == "message":
            for number, part in enumerate(item.content or []):
                if part.type == "output_text":
                    self.texts.setdefault((place, number), part.text or "")


def responses_by_attribute(events: Iterable[Any]) -> _Object:
    """Reads the attributes of the events of the OpenAI SDK."""
    items, status = _Items(), None
    for event in events:
        place = getattr(event, "output_index", 0) or 0
        at = (place, getattr(event, "content_index", 0) or 0)
        name, _, kind = event.type.rpartition(".")
        if event.type == "response.output_text.delta":
            items.texts[at] = items.texts.get(at, "") + event.delta
        elif event.type == "response.output_text.done":
            items.texts.setdefault(at, event.text or "")
        elif name == "response.output_item":
            items.take(place, event.item)
        elif name.endswith(("call_arguments", "call_input")) and place in items.calls:
            call = items.calls[place]
            if kind == "delta":
                call["arguments"] += event.delta
            else:
                whole = getattr(event, "arguments", None) or getattr(event, "input", "")
                call["arguments"] = call["arguments"] or whole
        elif event.type in {"response.completed", "response.incomplete"}:
            status = event.response.status or kind
            if not items.texts and not items.calls:
                for number, item in enumerate(event.response.output or []):
                    items.take(number, item)
        elif event.type in {"response.failed", "error"}:
            status = "failed"
    text = "".join(text for _, text in sorted(items.texts.items()))
    return {
        "output_text": text,
        "status": status,
        "tool_calls": [
            {**call, "arguments": call["arguments"] or "{}"}
            for _, call in sorted(items.calls.items())
        ],
    }


_GROWS = {"text": "text", "thinking": "thinking", "signature": "signature"}


async def anthropic_blocks(events: AsyncIterator[_Object]) -> _Object:
    """Adds up the blocks of a message, as Anthropic's SDK has it."""
    blocks: dict[object, _Object] = {}
    content: list[_Object] = []
    reason, is_complete = None, False
    async for event in events:
        index, kind = event.get("index"), event.get("type")
        if kind == "content_block_start":
            blocks[index] = {"json": "", **event["content_block"]}
            content.append(blocks[index])
        elif kind == "content_block_delta" and index in blocks:
            delta, block = event["delta"], blocks[index]
            block["json"] += delta.get("partial_json") or ""
            for name in _GROWS.keys() & delta.keys():
                block[name] = (block.get(name) or "") + delta[name]
        elif kind == "message_delta":
            reason = event["delta"].get("stop_reason") or reason
        is_complete |= kind == "message_stop"

    def of(*kinds: str) -> list[_Object]:
        return [block for block in content if block.get("type") in kinds]

    return {
        "text": "".join(block["text"] for block in of("text")),
        "tool_calls": [
            {
                "name": b["name"],
                "arguments": b["json"] or json.dumps(b.get("input") or {}),
            }
            for b in of("tool_use")
        ],
        "thinking": [
            {name: block[name] for name in (*_GROWS, "data") if name in block}
            for block in of("thinking", "redacted_thinking")
        ],
        "stop_reason": reason if is_complete else None,
    }


_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\['([^']*)'\]")


def _put(held: Any, path: list[str | int], value: Any) -> Any:
    """Set what a path names; a text grows."""
    if not path:
        grows = isinstance(held, str) and isinstance(value, str)
        return held + value if grows else value
    step, *rest = path
    if isinstance(step, int):
        items = [*(held or [])]
        items += [None] * (step + 1 - len(items))
        items[step] = _put(items[step], rest, value)
        return items
    held = held or {}
    return {**held, step: _put(held.get(step), rest, value)}


class GeminiCallbacks:
    """Calls back with each text, and with each call when it is whole."""

    def __init__(self) -> None:
        self.out: list[_Object] = []
        self.call: _Object | None = None
        self.reason: str | None = None

    def feed(self, event: _Object) -> list[_Object]:
        self.out = []
        event = event.get("response") or event
        for candidate in (event.get("candidates") or [])[:1]:
            if candidate.get("index"):
                continue
            found = candidate.get("finishReason") or candidate.get("finish_reason")
            self.reason = found or self.reason
            for part in (candidate.get("content") or {}).get("parts") or []:
                self.on_part(part)
        return self.out

    def on_part(self, part: _Object) -> None:
        if part.get("text") and not part.get("thought"):
            self.out.append({"text": part["text"]})
        call = part.get("functionCall") or part.get("function_call")
        if call is None:
            return
        if call.get("name"):
            self.on_whole()
            self.call = {"name": call["name"], "args": call.get("args") or {}}
        for piece in call.get("partialArgs") or call.get("partial_args") or []:
            assert self.call is not None
            path = piece.get("jsonPath") or piece["json_path"]
            steps = [int(b) if b else a or c for a, b, c in _STEP.findall(path)]
            (value,) = (v for k, v in piece.items() if k.lower().endswith("value"))
            value = None if value == "NULL_VALUE" else value
            self.call["args"] = _put(self.call["args"], steps, value)
        if not (call.get("willContinue") or call.get("will_continue")):
            self.on_whole()

    def on_whole(self) -> None:
        if self.call is not None:
            self.out.append({"function_call": self.call})
        self.call = None

    def close(self) -> list[_Object]:
        self.out = []
        self.on_whole()
        return [*self.out, {"finish_reason": self.reason}]


STYLES = (
    (responses_by_attribute, "chunks", "sdk", ("responses",)),
    (anthropic_blocks, "chunks", None, ("anthropic",)),
    (GeminiCallbacks, "chunks", None, ("gemini",)),
)
"""As those of `tests.planted.right_styles`."""
