"""Consumers of Responses, Anthropic and Gemini events that read them as they should.

Each is written from the API's documents, not with our readers; the planted bugs of
`tests.planted.api_bugs` are its hooks.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_Event = dict[str, Any]
_Call = dict[str, Any]


class EventReader:
    """Adds up text and calls; `read` is the API's."""

    def __init__(self) -> None:
        self.text = ""
        self.calls: list[_Call] = []

    def __call__(self, events: Iterable[_Event]) -> dict[str, Any]:
        for event in events:
            self.read(event)
        return self.result()

    def read(self, event: _Event) -> None:
        raise AssertionError("a reader of one API reads events")

    def result(self) -> dict[str, Any]:
        return {
            "content": self.text,
            "calls": [
                {"name": call["name"], "arguments": call["arguments"] or "{}"}
                for call in self.calls
            ],
        }

    def open(self, key: object, name: str, arguments: str = "") -> _Call:
        call = {"key": key, "name": name, "arguments": arguments}
        self.calls.append(call)
        return call

    def find(self, key: object) -> _Call | None:
        return next((c for c in reversed(self.calls) if c["key"] == key), None)


class ResponsesReader(EventReader):
    """Reads the events of OpenAI Responses by the places of their items."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[int, _Event] = {}
        self.texts: dict[tuple[int, int], str] = {}

    def read(self, event: _Event) -> None:
        kind = event.get("type", "")
        handle = getattr(self, "on_" + kind.replace(".", "_"), None)
        if handle is not None:
            handle(event)

    def place(self, event: _Event) -> tuple[int, int]:
        return event.get("output_index") or 0, event.get("content_index") or 0

    def on_response_output_text_delta(self, event: _Event) -> None:
        place = self.place(event)
        self.texts[place] = self.texts.get(place, "") + event["delta"]

    def on_response_output_text_done(self, event: _Event) -> None:
        self.texts.setdefault(self.place(event), event.get("text") or "")

    def on_response_output_item_added(self, event: _Event) -> None:
        self.take_item(event.get("output_index") or 0, event["item"])

    def take_item(self, place: int, item: _Event) -> None:
        if item.get("type") in {"function_call", "custom_tool_call"}:
            call = self.find(place) or self.open(place, item.get("name") or "")
            call["name"] = call["name"] or item.get("name") or ""
            whole = item.get("arguments") or item.get("input") or ""
            call["arguments"] = self.joined(call["arguments"], whole)
        elif item.get("type") == "message":
            for number, part in enumerate(item.get("content") or []):
                if part.get("type") == "output_text":
                    self.texts.setdefault((place, number), part.get("text") or "")

    @staticmethod
    def joined(held: str, whole: str) -> str:
        return held or whole

    def on_response_function_call_arguments_delta(self, event: _Event) -> None:
        call = self.find(event.get("output_index") or 0)
        if call is not None:
            call["arguments"] += event["delta"]

    on_response_custom_tool_call_input_delta = on_response_function_call_arguments_delta

    def on_response_function_call_arguments_done(self, event: _Event) -> None:
        call = self.find(event.get("output_index") or 0)
        if call is not None:
            call["arguments"] = self.joined(
                call["arguments"], event.get("arguments") or event.get("input") or ""
            )

    on_response_custom_tool_call_input_done = on_response_function_call_arguments_done

    def on_response_output_item_done(self, event: _Event) -> None:
        self.take_item(event.get("output_index") or 0, event["item"])

    def on_response_completed(self, event: _Event) -> None:
        self.end((event.get("response") or {}).get("output") or [])

    def on_response_incomplete(self, event: _Event) -> None:
        self.end((event.get("response") or {}).get("output") or [])

    def end(self, output: list[_Event]) -> None:
        if not self.calls and not self.texts:
            for place, item in enumerate(output):
                self.take_item(place, item)

    def result(self) -> dict[str, Any]:
        self.text = "".join(text for _, text in sorted(self.texts.items()))
        return super().result()


class AnthropicReader(EventReader):
    """Reads the events of Anthropic Messages by the indexes of their blocks."""

    def read(self, event: _Event) -> None:
        kind = event.get("type")
        if kind == "content_block_start":
            self.on_start(event.get("index"), event.get("content_block") or {})
        elif kind == "content_block_delta":
            self.on_delta(event.get("index"), event.get("delta") or {})
        elif kind == "message_delta":
            self.on_end(event)
        elif kind == "message_start":
            self.on_message(event.get("message") or {})

    def on_message(self, message: _Event) -> None:
        for number, block in enumerate(message.get("content") or []):
            self.on_start(number, block)

    def on_start(self, index: object, block: _Event) -> None:
        if block.get("type") == "tool_use":
            call = self.open(index, block["name"])
            call["input"] = block.get("input") or {}
        elif block.get("type") == "text":
            self.text += block.get("text") or ""

    def on_delta(self, index: object, delta: _Event) -> None:
        if delta.get("type") == "text_delta":
            self.text += delta.get("text") or ""
        elif delta.get("type") == "input_json_delta":
            call = self.find(index)
            if call is not None:
                call["arguments"] += delta.get("partial_json") or ""

    def on_end(self, event: _Event) -> None:
        pass

    def result(self) -> dict[str, Any]:
        for call in self.calls:
            call["arguments"] = self.arguments(call)
        return super().result()

    def arguments(self, call: _Call) -> str:
        held: str = call["arguments"]
        return held or json.dumps(call["input"])


class GeminiReader(EventReader):
    """Reads the responses of Gemini: whole calls, and texts that are no thoughts."""

    def read(self, event: _Event) -> None:
        event = event.get("response") or event
        for candidate in (event.get("candidates") or [])[:1]:
            if candidate.get("index"):
                continue
            for part in (candidate.get("content") or {}).get("parts") or []:
                self.on_part(part)

    def on_part(self, part: _Event) -> None:
        if part.get("text") and not part.get("thought"):
            self.on_text(part["text"])
        call = part.get("functionCall") or part.get("function_call")
        if call is not None and call.get("name"):
            self.on_call(call)
        for piece in self.pieces(call):
            self.add(self.calls[-1], piece)

    def pieces(self, call: _Event | None) -> list[_Event]:
        call = call or {}
        pieces: list[_Event] = call.get("partialArgs") or call.get("partial_args") or []
        return pieces

    def on_text(self, text: str) -> None:
        self.text += text

    def on_call(self, call: _Event) -> None:
        opened = self.open(None, call["name"])
        opened["args"] = call.get("args") or {}

    def add(self, call: _Call, piece: _Event) -> None:
        """Put a piece of streamed arguments to its place."""
        path = re.findall(r"\w+|'[^']*'", piece.get("jsonPath") or piece["json_path"])
        steps: list[Any] = [int(s) if s.isdigit() else s.strip("'") for s in path]
        values = [v for k, v in piece.items() if k.lower().endswith("value")]
        value = values[0] if values and values[0] != "NULL_VALUE" else None
        call["args"] = self.placed(call["args"], steps, value)

    def placed(self, held: Any, steps: list[Any], value: Any) -> Any:
        if not steps:
            is_more = isinstance(held, str) and isinstance(value, str)
            return held + value if is_more else value
        step, *rest = steps
        if isinstance(step, int):
            items = list(held or [])
            items += [None] * (step + 1 - len(items))
            items[step] = self.placed(items[step], rest, value)
            return items
        return {**(held or {}), step: self.placed((held or {}).get(step), rest, value)}

    def result(self) -> dict[str, Any]:
        for call in self.calls:
            call["arguments"] = json.dumps(call["args"])
        return super().result()
