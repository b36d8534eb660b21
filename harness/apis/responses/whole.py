"""Whole items, as done and terminal events state them, against what was emitted."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import joined, same
from harness.apis.responses.compare import Comparer
from harness.apis.responses.items import TEXT_ITEMS, of_subagent, text_field, type_of
from harness.apis.responses.known_fields import PARTS
from harness.apis.responses.state import (
    CALL_TYPES,
    TEXT_KINDS,
    ItemState,
    TextState,
    as_json,
    leaves,
)
from harness.apis.responses.unfinished import content_of
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Item
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator


class WholeReader(Comparer):
    """Reads whole items and outputs."""

    def read_output(
        self, output: object, at: str, kind: str, *, is_final: bool
    ) -> None:
        """Read the `output` of a response.

        Args:
            output: The items; any shape.
            at: Where it is in the event.
            kind: The event's type.
            is_final: Whether the response has ended, so that the items are whole.
        """
        if type(output) is not list:
            self.other_type(at, output)
            return
        items = [item for item in output if type(item) is dict]
        for item in output:
            if type(item) is not dict:
                self.other_type(f"{at}[]", item)
        streamed = sum(state.has_begun for state in self.items)
        if not items and is_final and streamed and kind != "response.failed":
            self.problem(
                DiagnosticKind.ILLEGAL_EVENT,
                f"{kind} states an empty output after {streamed} streamed item(s): "
                "clients that take it for the answer lose all of it",
            )
        skips = self._agreed(items) if items else frozenset()
        for item, state in self._matched(items):
            self.read_item(
                item, state, f"{at}[]", kind, is_partial=not is_final, skips=skips
            )

    def read_item(
        self,
        item: dict[str, Any],
        state: ItemState,
        at: str,
        kind: str,
        *,
        is_partial: bool = False,
        skips: frozenset[str] = frozenset(),
    ) -> None:
        """Read a whole item.

        Args:
            item: The object.
            state: What is known of it.
            at: Where it is in the event.
            kind: The event's type.
            is_partial: Whether the event only states what there is so far.
            skips: Kinds of text that were found to be the same already.
        """
        announced, state.announced = state.announced, None
        if self.is_text(state, item):
            self.account(item, at)
            self._read_texts(item, state, at, kind, is_partial=is_partial, skips=skips)
            sealed = text_field(item, "encrypted_content")
            if sealed and not is_partial:
                self.seal(state, sealed)
            if not (state.has_begun or is_partial or skips):
                self.enter(state, TEXT_ITEMS[state.type], state)
        elif self.is_call(state, item):
            self.account(item, at)
            self.state_call(state, item, kind)
            text = item.get(CALL_TYPES[state.type][1])
            if type(text) is dict:
                held = state.call.arguments if state.call else ""
                text = held if same(held, as_json(text)) else as_json(text)
            if type(text) is str:
                self.state_arguments(state, text, kind, is_partial=is_partial)
        elif state.leaves is not None:
            self.compare_leaves(state, item, kind)
        else:
            if not state.type:
                self.other_type(at, item)
            self.block = None
            state.has_begun = True
            self.out.append(Item(state.type, item, is_done=not is_partial))
            if is_partial:
                state.added = content_of(item)
            else:
                state.leaves = leaves(item)
        if announced is not None and not is_partial:
            self.read_item(
                announced, state, "item", "output_item.added", is_partial=True
            )

    def emit_announced(self) -> None:
        """Emit what added events held of items that no other event completed."""
        for state in self.items:
            if state.announced is not None:
                self.read_item(
                    state.announced, state, "item", "output_item.added", is_partial=True
                )
            for text in list(state.texts.values()):
                if text.announced:
                    self.state_text(
                        text, text.announced, "content_part.added", is_partial=True
                    )
        self.out += self.unfinished.problems(self.items)

    def read_output_text(self, stated: object) -> None:
        """Compare the text that a response states beside its output."""
        texts = (text for item in self.items for text in item.texts_of("output_text"))
        held = joined("".join(str(text.held) for text in texts))
        if type(stated) is str and stated not in held:
            problem = f"`output_text` holds {shorten(stated)}, which no item does"
            self.problem(DiagnosticKind.DONE_DIFFERS, problem)

    # -- Which item of an output is which ----------------------------------------------

    def _matched(
        self, items: list[dict[str, Any]]
    ) -> Iterator[tuple[dict[str, Any], ItemState]]:
        """Yield each item of an output with what is known of it.

        By id or call id; else, for servers whose ids change (vllm, GitHub Copilot),
        the first of its type that is not taken.
        """
        by_id = {state.id: state for state in self.items if state.id}
        by_call = {s.call.id: s for s in self.items if s.call and s.call.id}
        found: list[ItemState | None] = []
        for item in items:
            state, call_id = by_id.get(text_field(item, "id")), item.get("call_id")
            if state is None or (state.call and state.call.id != call_id):
                state = by_call.get(text_field(item, "call_id"), state)
            found.append(state if state and state.type == type_of(item) else None)
        taken = {id(state) for state in found if state is not None}
        free: dict[str, deque[ItemState]] = defaultdict(deque)
        for state in self.items:
            if id(state) not in taken:
                free[state.type].append(state)
        for item, state in zip(items, found, strict=True):
            if state is None:
                waiting = free[type_of(item)]
                if waiting and _may_be_same(waiting[0], item):
                    yield item, waiting.popleft()
                else:
                    yield item, self.open(type_of(item), None, item.get("id"))
            else:
                yield item, state

    def _agreed(self, items: list[dict[str, Any]]) -> frozenset[str]:
        """Return the kinds of text that are the same in sum.

        Servers divide what they streamed as one item into several and the other way
        round: where the sums agree there is nothing to report and nothing to emit.
        """
        stated: dict[str, list[str]] = {name: [] for name in TEXT_KINDS}
        for item in items:
            if type_of(item) in TEXT_ITEMS and not of_subagent(item):
                for _, kind, part in _text_parts(item):
                    stated[kind].append(text_field(part, TEXT_KINDS[kind].field))
        return frozenset(
            kind
            for kind, texts in stated.items()
            if texts
            and "".join(texts)
            == joined(
                "".join(str(t.held) for s in self.items for t in s.texts_of(kind))
            )
        )

    # -- The texts of one item ---------------------------------------------------------

    def _read_texts(
        self,
        item: dict[str, Any],
        state: ItemState,
        at: str,
        kind: str,
        *,
        is_partial: bool,
        skips: frozenset[str],
    ) -> None:
        stated: dict[str, dict[int, str]] = {name: {} for name in TEXT_KINDS}
        seen: dict[int, int] = defaultdict(int)
        before = dict(state.kept)
        for field in ("summary", "content"):
            parts = item.get(field)
            if type(parts) is not list:
                self.other_type(f"{at}.{field}", parts)
                continue
            for index, part in enumerate(parts):
                text = TEXT_KINDS.get(type_of(part)) if type(part) is dict else None
                if type(part) is not dict:
                    self.other_type(f"{at}.{field}[]", part)
                elif text is None:
                    self.other_type(f"{at}.{field}[].text", part.get("text"))
                    self.keep(state, part, "content_part", seen)
                else:
                    self.unread.feed(
                        self.event, part, PARTS[text.name], f"{at}.{field}[]"
                    )
                    if type(part.get(text.field)) is str:
                        stated[text.name][index] = part[text.field]
        for name, texts in stated.items():
            if name not in skips:
                self._compare(state, name, texts, kind, is_partial=is_partial)
        for field, _, part in _text_parts(item):
            self.annotations(state, part, f"{at}.{field}[]", seen)
        is_new = len(state.kept) > len(before)
        if is_new and any(seen[mark] < count for mark, count in before.items()):
            self.problem(
                DiagnosticKind.DONE_DIFFERS,
                f"{state}: {kind} states other annotations than those streamed",
            )

    def _compare(
        self,
        state: ItemState,
        name: str,
        stated: dict[int, str],
        kind: str,
        *,
        is_partial: bool,
    ) -> None:
        """Compare the whole texts of one kind, by their index, with those emitted."""
        streamed = state.texts_of(name)
        if not (streamed or stated):
            return
        held = joined("".join(str(text.held) for text in streamed))
        whole = "".join(stated.values())
        if held == whole or (not stated and TEXT_KINDS[name].item != state.type):
            return  # reasoning that came in a message (vllm#35184) is not restated
        if len(streamed) == len(stated):
            pairs = list(zip(streamed, stated.values(), strict=True))
        elif {text.index for text in streamed} <= stated.keys():
            pairs = [
                (
                    state.texts.get((name, index))
                    or self._new_text(state, name, index),
                    t,
                )
                for index, t in stated.items()
            ]
        else:
            if not (is_partial and held.startswith(whole)):
                self.differs(state, name, f"{state}, {name}", kind, held, whole)
            return
        for text, part in pairs:
            self.state_text(text, part, kind, is_partial=is_partial)

    def _new_text(self, state: ItemState, name: str, index: int) -> TextState:
        text = TextState(state, TEXT_KINDS[name], index)
        state.texts[name, index] = text
        return text


def _text_parts(item: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield field, kind and object of the parts of an item that hold text."""
    for field in ("summary", "content"):
        parts = item.get(field)
        if type(parts) is list:
            for part in parts:
                if type(part) is dict and type_of(part) in TEXT_KINDS:
                    yield field, type_of(part), part


def _may_be_same(state: ItemState, item: dict[str, Any]) -> bool:
    """Return whether an item of another id may be the one that was streamed."""
    name = text_field(item, "name")
    return state.call is None or not name or state.call.name in {"", name}
