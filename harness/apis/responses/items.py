"""Which item of a response an event belongs to, and what its deltas add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from harness.apis.accounting import UnreadFields, parse_fields
from harness.apis.json_values import text_of
from harness.apis.responses.known_fields import ITEMS
from harness.apis.responses.state import CALL_TYPES, ItemState, TextKind, TextState
from harness.apis.responses.unfinished import Unfinished, content_of
from harness.core.parts import Block, CallPart, Item, Part, Problem, ToolCall

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.core.diagnostics import DiagnosticKind

_NOTHING_KNOWN = parse_fields("", ("",))
_MOST = 2**63
_CONTENT = ("content", "summary", "arguments", "input")
TEXT_ITEMS = {"message": "text", "reasoning": "reasoning"}
"""Items made of text, and the block that an empty one begins."""


class Items:
    """The items of the response being read."""

    def __init__(self, unread: UnreadFields) -> None:
        self.unread = unread
        self.event = 0
        self.out: list[Part] = []
        """The parts of the event being read."""
        self.calls = 0
        self.forget()

    def forget(self) -> None:
        """Begin a response: what came before is of another."""
        self.id = self.model = ""
        self.created: float = 0
        self.tools: list[dict[str, Any]] = []
        """Those that the response states it was offered."""
        self.items: list[ItemState] = []
        self.unfinished = Unfinished()
        self._by_index: dict[int, ItemState] = {}
        self._by_id: dict[str, ItemState] = {}
        self.block: TextState | ItemState | None = None
        """Where text that is emitted now belongs; None where another block begins."""
        self.last: TextState | None = None
        """The part that the last text went to, and where that text stood (`place`)."""
        self.place: tuple[object, ...] = ()

    def problem(self, kind: DiagnosticKind, text: str) -> None:
        """Report something odd about the event being read."""
        self.out.append(Problem(kind, text))

    def other_type(self, path: str, value: object) -> None:
        """Report what stands where an object or a list belongs; null may."""
        if value is not None:
            self.unread.feed(self.event, {path: value}, _NOTHING_KNOWN)

    # -- Which item --------------------------------------------------------------------

    def item_of(self, payload: Payload, item_type: str) -> ItemState:
        """Return the item that a child event belongs to; opened if it never was."""
        index = payload.get("output_index")
        item_id = payload.get("item_id")
        if not is_index(index):
            index = None
        if type(item_id) is not str:
            item_id = ""
        item = self._by_index.get(index) if index is not None else None
        if item is None or item.id != item_id:
            item = self._by_id.get(item_id, item)
            if item is not None and item_id and not item.id:
                item.id, self._by_id[item_id] = item_id, item  # added without it: vLLM
        if item is None and not item_id and str(payload.get("type")).endswith(".done"):
            item = self._before(index, item_type)
        if item is None and index is None:
            item = next((i for i in reversed(self.items) if i.type == item_type), None)
        if item is None or not _may_be(item.type, item_type):
            item = self.open(item_type, index, item_id)
            self.is_text(item, payload)
        return item

    def _before(self, index: object, item_type: str) -> ItemState | None:
        """Return the item that vLLM ends a place behind the one where it was added."""
        item = self._by_index.get(index - 1) if is_index(index) else None
        is_it = item and item.is_added and not item.is_done and item.type == item_type
        return item if is_it else None

    def open(self, item_type: str, index: object, item_id: object) -> ItemState:
        """Begin to keep what is known of an item."""
        self.place = ()
        state = ItemState(
            item_type,
            index if is_index(index) else None,
            item_id if type(item_id) is str else "",
        )
        self.items.append(state)
        if state.index is not None:
            self._by_index[state.index] = state
        if state.id:
            self._by_id[state.id] = state
        return state

    def add_item(self, item: dict[str, Any], index: object) -> None:
        """Read an item that is added."""
        item_type = type_of(item)
        state = self.open(item_type, index, item.get("id"))
        state.is_added = True
        self.out.append(Item(item_type, item, is_done=False))
        if self.is_call(state, item):
            self.open_call(state, item)
        elif not self.is_text(state, item):
            self.block = None
            state.has_begun = True
            state.added = content_of(item)
            return
        if any(item.get(field) for field in _CONTENT):
            state.announced = item
        self.account(item, "item")

    def is_call(self, state: ItemState, item: dict[str, Any]) -> bool:
        """Return whether an item is a call that the agent must run."""
        if state.type == "custom_tool_call" and state.call is None:
            offered = [tool.get("type") for tool in self.tools]
            state.is_served = is_served(item) or (
                "x_search" in offered and not {"custom", "namespace"} & {*offered}
            )
        return state.type in CALL_TYPES and not state.is_served

    def is_text(self, state: ItemState, item: dict[str, Any]) -> bool:
        """Return whether an item is text of the answer, by itself or its first event.

        A subagent's is not: OpenAI's guide to multi-agent takes the root's messages.
        """
        if state.type in TEXT_ITEMS and not state.has_begun:
            state.is_served = state.is_served or of_subagent(item)
        return state.type in TEXT_ITEMS and not state.is_served

    def item_done(self, item: dict[str, Any], index: object) -> ItemState:
        """Return the item that an `output_item.done` is about."""
        item_type, item_id = type_of(item), item.get("id")
        state = self._by_index.get(index) if is_index(index) else None
        if state is None or state.type != item_type or state.id != item_id:
            known = self._by_id.get(item_id) if type(item_id) is str else None
            if known is not None and known.type == item_type:
                state = known
        if state is None and not item_id:
            state = self._before(index, item_type)
        if state is None or state.type != item_type:
            open_ones = (i for i in self.items if i.type == item_type and not i.is_done)
            unplaced = not is_index(index)
            state = next((i for i in open_ones if unplaced or i.index is None), None)
        if state is None:
            state = self.open(item_type, index, item_id)
        return state

    # -- What is streamed --------------------------------------------------------------

    def text_of(self, payload: Payload, kind: TextKind) -> TextState:
        """Return the content or summary part that a child event belongs to."""
        item = self.item_of(payload, kind.item)
        index = payload.get(kind.index_field)
        if not is_index(index):
            index = 0
        text = item.texts.get((kind.name, index))
        if text is None:
            text = item.texts[kind.name, index] = TextState(item, kind, index)
        return text

    def text_delta(self, payload: Payload, kind: TextKind, event: str) -> None:
        """Read a non-empty fragment that is of another part than the one before."""
        text = self.text_of(payload, kind)
        if self.is_kept(text.item, payload, event):
            self.last = None
        else:
            self.last = text
            self.add_text(text, payload["delta"])

    def add_text(self, text: TextState, delta: str) -> None:
        """Emit a non-empty fragment of a part."""
        if self.block is not text:
            self.enter(text, text.kind.block, text.item)
        text.held.append(delta)
        self.out.append(text.kind.part(delta))

    def add_arguments(self, state: ItemState, delta: str) -> None:
        """Emit a non-empty fragment of a call's arguments or input."""
        call = state.call or self.open_call(state, {})
        call.add_arguments(delta)
        self.block = None
        self.out.append(CallPart(call, "", delta, is_new=False))

    def enter(self, place: TextState | ItemState, block: str, item: ItemState) -> None:
        """Emit that the parts after it belong to a block."""
        self.block = place
        item.has_begun = True
        self.out.append(Block(block, item.id))

    def open_call(self, state: ItemState, item: dict[str, Any]) -> ToolCall:
        """Emit a call that begins."""
        call_id, name = text_field(item, "call_id"), text_field(item, "name")
        call = ToolCall(self.calls, state.index, call_id)
        self.calls += 1
        call.type = CALL_TYPES[state.type][0]
        call.name = name
        state.call = call
        state.has_begun = True
        self.block = None
        if call_id:
            self._by_id.setdefault(call_id, state)  # some children are named by it
        self.out.append(CallPart(call, name, "", is_new=True, id=call_id))
        return call

    def keep_event(self, payload: Payload, kind: str) -> None:
        """Emit an event of a server's tool, whose item comes whole when it is done."""
        self.out.append(Item(kind, payload, is_done=False))
        self.unfinished.feed(payload, kind)

    def is_kept(self, state: ItemState, payload: Payload, kind: str) -> bool:
        """Return whether an item's server runs it; then keep an event of it."""
        if state.is_served:
            self.keep_event(payload, kind)
        return state.is_served

    def account(self, item: dict[str, Any], at: str) -> None:
        """Account for the fields of an item that is not kept whole."""
        self.unread.feed(self.event, item, ITEMS[type_of(item)], at)


def is_served(item: dict[str, Any]) -> bool:
    """Return whether the id of a custom call is one of xAI's, which runs it itself.

    Its searches come as custom calls of tools that nobody offered (vercel/ai#10523).
    """
    return text_field(item, "call_id").startswith("xs_")


def of_subagent(value: dict[str, Any]) -> bool:
    """Return whether an item or event is of an agent that the root agent started."""
    agent = value.get("agent")
    return type(agent) is dict and text_field(agent, "agent_name").startswith("/root/")


def is_index(value: object) -> TypeGuard[int]:
    """Return whether a value can be a place in a list; an int of any size cannot."""
    return type(value) is int and -_MOST <= value <= _MOST


def type_of(value: dict[str, Any]) -> str:
    """Return the `type` of an item or part; empty where it is no text."""
    return text_field(value, "type")


def text_field(value: dict[str, Any], name: str) -> str:
    """Return a field's text; empty where it is missing or no text."""
    return text_of(value.get(name))


def _may_be(item_type: str, wanted: str) -> bool:
    """Return whether an event for one type of item can belong to an item of another.

    Reasoning text in a message and the other way round is what vLLM sends
    (vllm#35184); gateways stream one kind of call with the other's events.
    """
    return item_type == wanted or any(
        item_type in alike and wanted in alike for alike in (TEXT_ITEMS, CALL_TYPES)
    )
