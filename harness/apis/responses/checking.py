"""A Responses stream held against the rules, event by event."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from harness.apis.base import Event, Violation
from harness.apis.responses.errors import error_of
from harness.apis.responses.event_types import (
    CALL_EVENTS,
    DELTAS,
    DONES,
    ENDS,
    ITEM_EVENTS,
    NO_ITEM,
    NO_ITEM_ID,
    PART_EVENTS,
    STANDARD,
    WHOLE_EVENTS,
)
from harness.apis.responses.items import is_index, text_field, type_of
from harness.apis.responses.known_fields import EVENTS, KEPT_EVENTS
from harness.apis.responses.state import CALL_TYPES, TEXT_KINDS, TextKind
from harness.apis.rule_checker import RuleChecker
from harness.apis.tables import read_rules
from harness.core.text import TextBuffer
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.apis.base import Payload


class _Part:
    """A content or summary part."""

    def __init__(self) -> None:
        self.text = TextBuffer()
        self.is_text_done = self.is_done = False


class _Item:
    """An item that was added."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.type = type_of(item)
        self.id = item.get("id")
        self.is_done = self.is_text_done = False
        self.parts: dict[tuple[str, int], _Part] = {}
        self.arguments = TextBuffer()
        self.done: dict[str, Any] | None = None

    def text(self, kind: str) -> str:
        """Return the joined text of its parts of one kind."""
        parts = [(i, p) for (name, i), p in self.parts.items() if name == kind]
        return "".join(str(part.text) for _, part in sorted(parts, key=itemgetter(0)))


class Checker(RuleChecker):
    """Holds one stream against the rules."""

    rules = read_rules("responses")

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[object, _Item] = {}
        self._has_begun = False
        self._sequence: int | None = None
        self._response_id: object = None
        self._end = ""

    def feed(self, event: Event) -> None:
        """Report the rules that an event breaks."""
        payload = event.payload
        kind = payload.get("type")
        if type(kind) is not str:
            kind = event.name
        if not self._has_begun and kind not in {"response.created", "response.queued"}:
            self.broken("first-event", "response.created", kind)
        self._has_begun = True
        if kind not in STANDARD:
            self.broken("event-type", "a type of the reference", kind)
        if event.name != kind:
            self.broken("event-line", kind, event.name)
        self._after_end(kind)
        self._in_sequence(payload)
        if kind in WHOLE_EVENTS:
            self._response(payload, kind)
        elif kind in ITEM_EVENTS:
            self._item(payload, kind)
        elif kind == "error" or (kind not in EVENTS and error_of(kind, "", payload)):
            self._end = "error"
        elif (kind in EVENTS or kind in KEPT_EVENTS) and kind not in NO_ITEM:
            self._child(payload, kind)

    def close(self) -> None:
        """Report the rules that the stream as a whole breaks."""
        if not self._end:
            expected = "an event that ends the response"
            self.found.append(Violation(self.rules["terminal"], None, expected, "none"))

    # -- The stream and the response ---------------------------------------------------

    def _after_end(self, kind: str) -> None:
        if self._end and {self._end, kind} != {"error", "response.failed"}:
            self.broken("terminal-last", f"nothing after {self._end}", kind)

    def _in_sequence(self, payload: Payload) -> None:
        number = payload.get("sequence_number")
        if not is_index(number):
            self.broken("sequence", "a whole number", number)
            return
        if self._sequence is not None and number != self._sequence + 1:
            self.broken("sequence", self._sequence + 1, number)
        self._sequence = number

    def _response(self, payload: Payload, kind: str) -> None:
        response = payload.get("response")
        if type(response) is not dict:
            self.broken("fields", "response: an object", response)
            response = {}
        response_id, usage = response.get("id"), response.get("usage")
        if self._response_id is None:
            self._response_id = response_id
        elif response_id != self._response_id:
            self.broken("response-id", self._response_id, response_id)
        stated = kind.removeprefix("response.")
        allowed = {"queued", "in_progress"} if stated == "created" else {stated}
        status = response.get("status")
        if not _plain(status) or status not in allowed:
            self.broken("status", stated, status)
        if kind not in ENDS:
            if usage is not None:
                self.broken("usage", "none before the end", usage)
            return
        if not usage and kind in {"response.completed", "response.incomplete"}:
            self.broken("usage", "token counts", usage)
        self._end = kind
        self._reason(response, kind)
        if kind == "response.completed":
            for index, item in self._items.items():
                if not item.is_done:
                    self.broken("item-done", f"output {index} done", "still open")
        self._output(response.get("output"), kind)

    def _reason(self, response: dict[str, Any], kind: str) -> None:
        if kind == "response.incomplete":
            details = response.get("incomplete_details")
            reason = details.get("reason") if type(details) is dict else None
            if type(reason) is not str or not reason:
                self.broken("reason", "incomplete_details.reason", details)
        elif kind == "response.failed":
            error = response.get("error")
            if type(error) is not dict or not error.get("message"):
                self.broken("reason", "error.message", error)

    def _output(self, output: object, kind: str) -> None:
        if type(output) is not list:
            self.broken("terminal-output", "a list of items", output)
            return
        if kind != "response.completed":
            return  # what was cut may be left out
        indices = sorted(index for index in self._items if type(index) is int)
        done = [self._items[index] for index in indices]
        if len(done) != len(output):
            expected = f"{len(done)} item(s)"
            self.broken("terminal-output", expected, f"{len(output)} item(s)")
            return
        for item, stated in zip(done, output, strict=True):
            held = _summary(item.done or {})
            if type(stated) is not dict or _summary(stated) != held:
                got = _summary(stated) if type(stated) is dict else stated
                self.broken("terminal-output", held, got)

    # -- Items -------------------------------------------------------------------------

    def _item(self, payload: Payload, kind: str) -> None:
        item, index = payload.get("item"), payload.get("output_index")
        if not is_index(index):
            self.broken("fields", "output_index: a whole number", index)
        if type(item) is not dict or not _plain(index):
            self.broken("fields", "item: an object", item)
        elif kind == "response.output_item.added":
            self._item_added(item, index)
        else:
            self._item_done(item, index)

    def _item_added(self, item: dict[str, Any], index: object) -> None:
        if index in self._items:
            self.broken("item-once", f"another index than {index}", index)
        elif index != len(self._items):
            self.broken("index-contiguous", len(self._items), index)
        self._items[index] = state = _Item(item)
        full = [f for f in ("content", "summary") if item.get(f)]
        if state.type in CALL_TYPES:
            field = CALL_TYPES[state.type][1]
            full += [field] if item.get(field) else []
            for name in ("call_id", "name"):
                if not text_field(item, name):
                    self.broken("call-named", f"{name}: text", item.get(name))
        for field in full:
            self.broken("added-empty", f"no {field}", item[field])

    def _item_done(self, item: dict[str, Any], index: object) -> None:
        state = self._items.get(index)
        if state is None:
            self.broken("item-added", f"output {index} added before", "done")
            self._items[index] = state = _Item(item)
            state.is_done, state.done = True, item
            return
        if state.is_done:
            self.broken("item-once", f"output {index} done once", "done again")
            return
        if item.get("id") != state.id:
            self.broken("item-id", state.id, item.get("id"))
        state.is_done, state.done = True, item
        for (name, part_index), part in state.parts.items():
            if not part.is_done:
                expected = f"{name} {part_index} of output {index} done before"
                self.broken("part-done", expected, "the item is done")
        if state.type in CALL_TYPES:
            text = item.get(CALL_TYPES[state.type][1])
            if text != str(state.arguments):
                self.broken("arguments-sum", str(state.arguments)[:80], text)
            if state.type == "function_call" and not state.is_text_done:
                expected = f"arguments of output {index} done before"
                self.broken("arguments-done", expected, "the call is done")
        for kind in TEXT_KINDS.values():
            stated = _texts(item, kind)
            if stated != state.text(kind.name):
                self.broken("text-sum", state.text(kind.name)[:80], stated)

    # -- What belongs to an item -------------------------------------------------------

    def _child(self, payload: Payload, kind: str) -> None:
        index, item_id = payload.get("output_index"), payload.get("item_id")
        if not is_index(index):
            self.broken("fields", "output_index: a whole number", index)
        if kind not in NO_ITEM_ID and type(item_id) is not str:
            self.broken("fields", "item_id: text", item_id)
        state = self._items.get(index) if _plain(index) else None
        if state is None:
            self.broken("item-added", f"output {shorten(index)} added", kind)
            return
        if state.is_done:
            self.broken("item-done", f"nothing for output {index}", kind)
        if type(item_id) is str and type(state.id) is str and item_id != state.id:
            self.broken("item-id", state.id, item_id)
        if kind in PART_EVENTS:
            self._part(payload, state, kind, PART_EVENTS[kind])
        elif kind in DELTAS or kind in DONES:
            self._text(payload, state, kind)
        elif kind in CALL_EVENTS:
            self._arguments(payload, state, kind)

    def _part(self, payload: Payload, state: _Item, kind: str, field: str) -> None:
        part, index = payload.get("part"), payload.get(field)
        if type(part) is not dict or not is_index(index):
            self.broken("fields", f"part and {field}", part)
            return
        text_kind = TEXT_KINDS.get(type_of(part))
        if text_kind is None:
            return
        place = text_kind.name, index
        if kind.endswith(".added"):
            state.parts[place] = _Part()
            if part.get(text_kind.field):
                self.broken("added-empty", "no text", part[text_kind.field])
            return
        known = state.parts.get(place)
        if known is None:
            self.broken("part-added", f"{text_kind.name} {index} added", kind)
            return
        known.is_done = True
        if not known.is_text_done:
            self.broken("part-done", f"text of part {index} done before", kind)
        if part.get(text_kind.field) != str(known.text):
            self.broken("text-sum", str(known.text)[:80], part.get(text_kind.field))

    def _text(self, payload: Payload, state: _Item, kind: str) -> None:
        is_delta = kind in DELTAS
        text_kind = DELTAS[kind] if is_delta else DONES[kind]
        index = payload.get(text_kind.index_field)
        text = payload.get("delta" if is_delta else text_kind.field)
        if not is_index(index) or type(text) is not str:
            self.broken("fields", f"{text_kind.index_field} and text", text)
            return
        part = state.parts.get((text_kind.name, index))
        if part is None:
            self.broken("part-added", f"{text_kind.name} {index} added", kind)
            part = state.parts[text_kind.name, index] = _Part()
        if is_delta:
            part.text.append(text)
            return
        part.is_text_done = True
        if text != str(part.text):
            self.broken("text-sum", str(part.text)[:80], text)

    def _arguments(self, payload: Payload, state: _Item, kind: str) -> None:
        is_delta = kind.endswith(".delta")
        field = "delta" if is_delta else CALL_TYPES[CALL_EVENTS[kind]][1]
        text = payload.get(field)
        if type(text) is not str:
            self.broken("fields", f"{field}: text", text)
        elif is_delta:
            state.arguments.append(text)
        else:
            state.is_text_done = True
            if text != str(state.arguments):
                self.broken("arguments-sum", str(state.arguments)[:80], text)


def _plain(value: object) -> bool:
    return type(value) in {str, type(None)} or is_index(value)


def _texts(item: dict[str, Any], kind: TextKind) -> str:
    field = "summary" if kind.index_field == "summary_index" else "content"
    parts = item.get(field)
    return "".join(
        text_field(part, kind.field)
        for part in (parts if type(parts) is list else [])
        if type(part) is dict and type_of(part) == kind.name
    )


def _summary(item: dict[str, Any]) -> str:
    """Return what an item must be the same in: type, id and texts."""
    kind = type_of(item)
    text = "".join(_texts(item, k) for k in TEXT_KINDS.values())
    if kind in CALL_TYPES:
        fields = ("call_id", "name", CALL_TYPES[kind][1])
        text = " ".join(text_field(item, name) for name in fields)
    return f"{kind} {text_field(item, 'id')} {text}".strip()
