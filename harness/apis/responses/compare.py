"""Texts, calls and annotations, as later events repeat them, against what was emitted.

What is missing at the end of a text is emitted; any other difference is a problem,
once for each text however many events repeat it. Nothing emitted is taken back.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import joined
from harness.apis.responses.items import TEXT_ITEMS, Items, text_field, type_of
from harness.apis.responses.known_fields import PARTS
from harness.apis.responses.state import (
    CALL_TYPES,
    TEXT_KINDS,
    ItemState,
    TextState,
    as_json,
    differences,
    leaves,
)
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import CallPart, Item, Opaque
from harness.core.text import first_difference
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.apis.responses.state import TextKind

_SHOWN = 60
_MOST_SHOWN = 5


class Comparer(Items):
    """Compares what is stated with what was emitted."""

    def text_done(self, payload: Payload, kind: TextKind, event: str) -> None:
        """Read an event that states the whole text of a part."""
        whole = payload.get(kind.field)
        if type(whole) is str:
            text = self.text_of(payload, kind)
            if not self.is_kept(text.item, payload, event):
                self.state_text(text, whole, event)

    def state_text(
        self, text: TextState, whole: str, kind: str, *, is_partial: bool = False
    ) -> None:
        """Compare a part's whole text with its deltas; emit what is missing.

        Args:
            text: The part.
            whole: The text as an event states it.
            kind: The event's type.
            is_partial: Whether the event only states what there is so far.
        """
        held = joined(str(text.held))
        announced, text.announced = text.announced, ""
        if announced and not is_partial:
            self.state_text(text, whole, kind)
            self.state_text(text, announced, "content_part.added", is_partial=True)
            return
        if whole == held or (is_partial and held.startswith(whole)):
            return
        if whole.startswith(held):
            self.add_text(text, whole[len(held) :])
        else:
            where = f"{text.item}, {text.kind.name} {text.index}"
            self.differs(
                text.item, (text.kind.name, text.index), where, kind, held, whole
            )

    def state_arguments(
        self, state: ItemState, whole: str, kind: str, *, is_partial: bool = False
    ) -> None:
        """Compare a call's whole arguments or input with its deltas."""
        call = state.call or self.open_call(state, {})
        held = joined(call.arguments)
        if is_partial and held.startswith(whole):
            return
        if whole.startswith(held):
            if len(whole) > len(held):
                self.add_arguments(state, whole[len(held) :])
        else:
            where = f"{state}, {CALL_TYPES[state.type][1]}"
            self.differs(state, "arguments", where, kind, held, whole)

    def state_call(self, state: ItemState, item: dict[str, Any], kind: str) -> None:
        """Compare a call's id and name with what is known; emit what is new."""
        call = state.call
        if call is None:
            self.open_call(state, item)
            return
        call_id, name = text_field(item, "call_id"), text_field(item, "name")
        for field, held, stated in (
            ("call_id", call.id, call_id),
            ("name", call.name, name),
        ):
            if held and stated and held != stated:
                self.differs(state, field, f"{state}, {field}", kind, held, stated)
        new_id = call_id if not call.id else ""
        new_name = name if not call.name else ""
        if new_id or new_name:
            call.id, call.name = call.id or new_id, call.name or new_name
            self.block = None
            self.out.append(CallPart(call, new_name, "", is_new=False, id=new_id))

    def differs(
        self,
        state: ItemState,
        key: object,
        where: str,
        kind: str,
        held: str,
        stated: str,
    ) -> None:
        """Report that a text is another than what came before; once for each text."""
        if state.stated.get(key) == stated:
            return  # the events after it repeat it
        state.stated[key] = stated
        at = first_difference(held, stated)
        start = max(0, at - 10)
        self.problem(
            DiagnosticKind.DONE_DIFFERS,
            f"{where}: {kind} differs from what came before at character {at}: "
            f"expected {held[start : start + _SHOWN]!r}, "
            f"got {stated[start : start + _SHOWN]!r}",
        )

    def read_child_part(
        self, payload: Payload, part: dict[str, Any], event: str
    ) -> None:
        """Read the part of a `content_part` or summary part event."""
        kind = TEXT_KINDS.get(type_of(part))
        state = self.item_of(payload, kind.item if kind else "message")
        if self.is_kept(state, payload, event):
            return
        if kind is None:
            self.other_type("part.text", part.get("text"))
            self.keep(state, part, "content_part", defaultdict(int))
            return
        text = self.text_of(payload, kind)
        self.unread.feed(self.event, part, PARTS[kind.name], "part")
        self.annotations(text.item, part, "part", defaultdict(int))
        stated = part.get(kind.field)
        if type(stated) is str:
            if event.endswith(".done"):
                self.state_text(text, stated, event)
            else:
                text.announced = stated

    def annotations(
        self, state: ItemState, part: dict[str, Any], at: str, seen: dict[int, int]
    ) -> None:
        """Emit the annotations of a content part that were not emitted yet."""
        annotations = part.get("annotations")
        if type(annotations) is not list:
            self.other_type(f"{at}.annotations", annotations)
            return
        for annotation in annotations:
            if annotation is not None:
                self.keep(state, annotation, "annotation", seen)

    def keep(
        self, state: ItemState, value: object, kind: str, seen: dict[int, int]
    ) -> None:
        """Emit what is kept whole, unless as many that are the same were emitted."""
        mark = hash(as_json(value))
        seen[mark] += 1
        if seen[mark] > state.kept.get(mark, 0):
            state.kept[mark] = seen[mark]
            self.emit_kept(state, value, kind)

    def emit_kept(self, state: ItemState, value: object, kind: str) -> None:
        """Emit an annotation or a content part that is kept whole."""
        if self.block is None or state is not (getattr(self.block, "item", self.block)):
            self.enter(state, TEXT_ITEMS.get(state.type, "text"), state)
        named = type_of(value) if type(value) is dict else ""
        self.out.append(Item(named or kind, value))

    def seal(self, state: ItemState, sealed: str) -> None:
        """Emit an item's encrypted content.

        The first counts: OpenAI encrypts anew for every event, so that the terminal
        event never repeats it.
        """
        if state.is_sealed:
            return
        state.is_sealed = True
        if self.block is None or state is not getattr(self.block, "item", self.block):
            self.enter(state, TEXT_ITEMS[state.type], state)
        self.out.append(Opaque("encrypted_reasoning", sealed))

    def compare_leaves(self, state: ItemState, item: dict[str, Any], kind: str) -> None:
        """Report in what an item differs from the one that was emitted whole."""
        assert state.leaves is not None
        found = list(differences(state.leaves, item))
        if not found:
            return
        state.leaves = leaves(item)
        shown = [
            f"{path}: expected {shorten(old)}, got {shorten(new)}"
            for path, old, new in found[:_MOST_SHOWN]
        ]
        if len(found) > _MOST_SHOWN:
            shown.append(f"and {len(found) - _MOST_SHOWN} more")
        self.problem(
            DiagnosticKind.DONE_DIFFERS,
            f"{state}: {kind} differs from its done event: {'; '.join(shown)}",
        )
