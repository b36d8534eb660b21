"""The items of a response that is written: messages, reasoning and calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.responses.items import text_field
from harness.apis.responses.state import CALL_TYPES, TEXT_KINDS
from harness.apis.responses.written import CallItem, ServerItem, TextItem, TextPart

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.core.parts import Block, CallPart, Opaque, ToolCall

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
}


class ItemWriter(ABC):
    """Writes items one after the other; a call may overlap with what comes after it."""

    def __init__(self) -> None:
        self.left_out: dict[str, int] = Counter()
        self.id = ""
        """The response's; ids of items that have none are derived from it."""
        self._events: list[WrittenEvent] = []
        self._number = 0
        self._items: list[TextItem | CallItem | ServerItem] = []
        self._text: TextItem | None = None  # the message or reasoning that is open
        self._part: TextPart | None = None
        self._ids: set[str] = set()
        self._calls: dict[int, CallItem] = {}
        self._waiting: CallItem | None = None  # begun, and not added yet
        self._sent: dict[str, Payload] = {}  # what was announced, by its id

    @abstractmethod
    def begin(self) -> None:
        """Write what begins a response, once."""

    def announced(self, kind: str, value: Payload) -> None:
        """Keep the response or an item as sent, for its further fields."""
        key = value.get("call_id" if kind in CALL_TYPES else "id")
        self._sent["response" if kind == "response" else str(key)] = value

    def _event(self, kind: str, **fields: Any) -> None:
        payload = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._events.append(WrittenEvent(kind, payload))

    def _begin_item(self) -> None:
        """End what cannot go on when another item begins."""
        self.begin()
        self.add_waiting()
        self.close_text("completed")
        self.close_whole_calls()

    def _new_id(self, item_type: str, wanted: str = "") -> str:
        if not wanted or wanted in self._ids:
            stem = self.id.removeprefix("resp_") or "0"
            wanted = f"{_PREFIXES[item_type]}_{stem}_{len(self._items)}"
        self._ids.add(wanted)
        return wanted

    # -- Messages and reasoning --------------------------------------------------------

    def block(self, block: Block) -> None:
        """Begin a content part, in the open item if it has the block's id."""
        self.add_waiting()
        item_type = "reasoning" if block.kind == "reasoning" else "message"
        item = self._text
        if item is None or item.type != item_type or item.source != block.id:
            self._open_text(item_type, block.id)
        else:
            self._close_part()

    def _open_text(self, item_type: str, source: str) -> TextItem:
        self._begin_item()
        item_id = self._new_id(item_type, source)
        item = TextItem(item_type, item_id, len(self._items), source)
        item.sent = self._sent.pop(source, {})
        self._items.append(item)
        self._text = item
        self._event(
            "response.output_item.added", output_index=item.index, item=item.value()
        )
        return item

    def _part_of(self, kind_name: str) -> TextPart:
        kind = TEXT_KINDS[kind_name]
        if self._part is not None and self._part.kind is kind:
            return self._part
        item = self._text
        if item is None or item.type != kind.item:
            item = self._open_text(kind.item, "")
        self._close_part()
        part = self._part = TextPart(kind, item.next_index(kind))
        name = _part_event(part)
        self._event(f"{name}.added", **self._place(item, part), part=part.value())
        item.parts.append(part)
        return part

    def _place(self, item: TextItem, part: TextPart) -> dict[str, Any]:
        return {
            "item_id": item.id,
            "output_index": item.index,
            part.kind.index_field: part.index,
        }

    def add_text(self, kind_name: str, text: str) -> None:
        """Write a fragment of text, reasoning or refusal."""
        self.add_waiting()
        part = self._part_of(kind_name)
        assert self._text is not None
        part.text.append(text)
        more: dict[str, Any] = {"logprobs": []} if kind_name == "output_text" else {}
        place = self._place(self._text, part)
        self._event(f"{_text_event(part)}.delta", **place, delta=text, **more)

    def _close_part(self) -> None:
        part, self._part = self._part, None
        if part is None or self._text is None:
            return
        place = self._place(self._text, part)
        more: dict[str, Any] = {}
        if part.kind.name == "output_text":
            more["logprobs"] = []
        text = {part.kind.field: str(part.text)}
        self._event(f"{_text_event(part)}.done", **place, **text, **more)
        self._event(f"{_part_event(part)}.done", **place, part=part.value())

    def close_text(self, status: str) -> None:
        """End the message or reasoning that is open; a message has a part."""
        item = self._text
        if item is not None and item.type == "message" and not item.parts:
            self._part_of("output_text")
        self._close_part()
        self._text = None
        if item is not None:
            item.status = "incomplete" if status != "completed" else "completed"
            self._event(
                "response.output_item.done", output_index=item.index, item=item.value()
            )

    def seal(self, opaque: Opaque) -> None:
        """Keep encrypted reasoning for the done event of its item."""
        if opaque.kind != "encrypted_reasoning":
            self.left_out[opaque.kind] += 1
            return
        if self._text is None or self._text.type != "reasoning":
            self._open_text("reasoning", "")
        assert self._text is not None
        if self._text.sealed is not None:
            self.left_out[opaque.kind] += 1
            return
        self._text.sealed = opaque.data

    # -- Calls -------------------------------------------------------------------------

    def add_fragment(self, part: CallPart) -> None:
        """Write what is new about a call."""
        call = self._calls.get(part.call.position)
        if call is None:
            self.add_waiting()
            call = self._calls[part.call.position] = _call_item(part.call)
            self._waiting = call
        is_added = call.index >= 0
        if part.id and is_added:
            self.left_out["late id of a call"] += 1
        elif part.id:
            call.call_id = part.id
        if part.name and (call.is_named or call.is_done):
            self.left_out["late name of a call"] += 1
        else:
            call.name += part.name
        if part.arguments:
            self.add_waiting()
            self._add_arguments(call, part.arguments)

    def add_waiting(self) -> None:
        """Add the call that begun last: its name comes in pieces until arguments do."""
        call, self._waiting = self._waiting, None
        if call is not None:
            self._add_call(call)

    def _add_call(self, call: CallItem) -> None:
        self._begin_item()
        call.index = len(self._items)
        call.sent = self._sent.pop(call.call_id, {})
        call.id = self._new_id(call.type, text_field(call.sent, "id"))
        call.call_id = call.call_id or f"call_{call.id}"
        call.is_named = call.name != ""
        self._items.append(call)
        self._event(
            "response.output_item.added", output_index=call.index, item=call.value()
        )

    def _add_arguments(self, call: CallItem, text: str) -> None:
        if call.is_done:
            self.left_out["piece of a call after its end"] += 1
            return
        call.text.append(text)
        self._event(
            f"{_call_event(call)}.delta",
            item_id=call.id,
            output_index=call.index,
            delta=text,
        )

    def close_whole_calls(self) -> None:
        """End the calls whose arguments can only be complete."""
        for call in self._calls.values():
            # A name may still come, for the done event of a call without one.
            if call.index >= 0 and call.name and not call.is_done and call.is_whole():
                self.close_call(call, "completed")

    def close_call(self, call: CallItem, status: str) -> None:
        """End a call."""
        if call.is_done:
            return
        call.is_done = True
        call.name = call.name or "unnamed"
        call.status = "incomplete" if status != "completed" else "completed"
        place = {"item_id": call.id, "output_index": call.index}
        self._event(
            f"{_call_event(call)}.done", **place, **{call.field: str(call.text)}
        )
        self._event(
            "response.output_item.done", output_index=call.index, item=call.value()
        )


def _call_item(call: ToolCall) -> CallItem:
    item_type = "custom_tool_call" if call.type == "custom" else "function_call"
    return CallItem(item_type, "", call.position)


def _text_event(part: TextPart) -> str:
    name = part.kind.name
    return f"response.{'reasoning_summary_text' if name == 'summary_text' else name}"


def _part_event(part: TextPart) -> str:
    is_summary = part.kind.name == "summary_text"
    return f"response.{'reasoning_summary_part' if is_summary else 'content_part'}"


def _call_event(call: CallItem) -> str:
    if call.type == "custom_tool_call":
        return "response.custom_tool_call_input"
    return "response.function_call_arguments"
