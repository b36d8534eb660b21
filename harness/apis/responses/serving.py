"""What servers fill by themselves in a response that is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.responses.items import of_subagent
from harness.apis.responses.state import CALL_TYPES
from harness.apis.responses.writing import ItemWriter
from harness.apis.responses.written import (
    ANNOTATIONS,
    SERVER_ITEMS,
    ServerItem,
    flat_annotation,
)

if TYPE_CHECKING:
    from harness.core.parts import Item

_FRAME = {"type", "sequence_number"}
_ANNOUNCED = {"response", "message", "reasoning", *CALL_TYPES}


class ServerWriter(ItemWriter):
    """Writes the items of server tools, annotations, and what was announced."""

    def item(self, item: Item) -> None:
        """Write a server tool's item, one of its events or an annotation."""
        value = item.value
        is_named = item.kind in _ANNOUNCED and not item.is_done and type(value) is dict
        if is_named and not of_subagent(value):
            self.announced(item.kind, value)
            return
        self.add_waiting()
        if item.kind == "annotation" and type(value) is dict:
            value = flat_annotation(value)
        if item.kind in ANNOTATIONS:
            part = self._part_of("output_text")
            assert self._text is not None
            self._event(
                "response.output_text.annotation.added",
                **self._place(self._text, part),
                annotation_index=len(part.annotations),
                annotation=value,
            )
            part.annotations.append(value)
        elif type(value) is not dict:
            self._leave_out(item)
        elif item.kind.startswith("response."):  # an event that was kept
            self._kept(item.kind, value)
        elif item.kind == "compaction" and "encrypted_content" not in value:
            self._leave_out(item)  # Anthropic's own
        elif item.kind in SERVER_ITEMS:
            known = self._server(value) if item.is_done or value.get("id") else None
            if known is None:
                known = self._add_server(value, item)
            if item.is_done:
                self.finish_server(known, value)
        else:
            self._leave_out(item)

    def _leave_out(self, item: Item) -> None:
        if item.is_done:
            self.left_out[item.kind] += 1

    def open_ones(self) -> list[ServerItem]:
        """Return the items of server tools that are not done."""
        return [i for i in self._items if isinstance(i, ServerItem) and not i.is_done]

    def _server(self, value: dict[str, Any]) -> ServerItem | None:
        """Return the item that was announced and is not done."""
        named = value.get("type"), value.get("id")
        return next((i for i in self.open_ones() if (i.type, i.id) == named), None)

    def _add_server(self, value: dict[str, Any], part: Item) -> ServerItem:
        self._begin_item()
        item = ServerItem(value, len(self._items), was_announced=not part.is_done)
        self._items.append(item)
        added = {**value, "status": "in_progress"} if "status" in value else value
        self._event("response.output_item.added", output_index=item.index, item=added)
        self._states(item, part.kind, 0)
        return item

    def finish_server(self, item: ServerItem, value: dict[str, Any]) -> None:
        """End a server tool's item."""
        item.is_done = True
        item.sent = value
        self._states(item, str(item.type), 1)
        self._event("response.output_item.done", output_index=item.index, item=value)

    def _states(self, item: ServerItem, kind: str, when: int) -> None:
        for state in () if item.was_announced else SERVER_ITEMS[kind][when]:
            self._event(
                f"response.{kind}.{state}", item_id=item.id, output_index=item.index
            )

    def _kept(self, kind: str, payload: dict[str, Any]) -> None:
        """Write what a server tool streams at the place that its item has here."""
        wanted = payload.get("item_id")
        open_ones = self.open_ones()
        item = next((i for i in open_ones if i.id == wanted), None)
        if item is None:  # some servers name items anew in every event
            same = (i for i in reversed(open_ones) if f".{i.type}" in kind)
            item = next(same, None)
        if item is None and "item_id" not in payload and open_ones:
            item = open_ones[-1]
        if item is None and "output_index" in payload:
            self.left_out[kind] += 1
            return
        self.begin()
        fields = {k: v for k, v in payload.items() if k not in _FRAME}
        if item is not None:
            fields["output_index"] = item.index
            fields |= {"item_id": item.id} if "item_id" in fields else {}
        self._event(kind, **fields)
