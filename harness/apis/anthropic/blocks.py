"""Content blocks to parts: whole ones, and the growing ones of a stream."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.anthropic.known_fields import BLOCKS, NO_BLOCK, UNKNOWN_BLOCK
from harness.apis.base import Like, further_arguments
from harness.apis.json_values import as_json, parsed, same, text_of
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import (
    Block,
    CallPart,
    Item,
    Opaque,
    Problem,
    Reasoning,
    Text,
    ToolCall,
)
from harness.core.text import TextBuffer
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.apis.accounting import UnreadFields
    from harness.apis.base import Payload
    from harness.core.parts import Part


def grows(kind: str) -> bool:
    """Return whether deltas complete a block that is kept whole.

    A server's tools get their input in deltas, and a compaction its summary; all
    others (results, uploads, fallbacks, what is not known yet) come whole.
    """
    return kind == "compaction" or kind.endswith("tool_use")


class GrowingBlock:
    """A content block of a stream, as far as it has come."""

    def __init__(self, kind: str, start: dict[str, Any]) -> None:
        self.kind = kind
        """Its type, as sent."""
        self.start = start
        """The block as its start event has it."""
        self.call: ToolCall | None = None
        """The call that it is, for `tool_use`."""
        self.text = TextBuffer()
        """Input or summary of a block that is kept whole, as far as it has come."""
        self._extra: dict[str, Any] = {}
        self._signature = text_of(start.get("signature"))
        self._has_emitted = False

    def open(
        self, position: int, index: float | None, unread: UnreadFields, event: int
    ) -> list[Part]:
        """Return what the start event carries.

        Args:
            position: Number of the call that it would be.
            index: Number of the block, as sent.
            unread: Where the block's fields are accounted for.
            event: Number of the start event.
        """
        start, kind = self.start, self.kind
        table = BLOCKS.get(kind, UNKNOWN_BLOCK if kind else NO_BLOCK)
        unread.feed(event, {"content_block": start}, table)
        parts: list[Part] = []
        if kind == "text":
            citations = start.get("citations")
            if citations == []:  # of a text that will have some
                parts.append(Item("citation", citations, is_done=False))
            parts.append(Block("text"))
            parts += _citations(citations)
            if text := text_of(start.get("text")):
                parts.append(Text(text))
        elif kind == "thinking":
            parts.append(Block("reasoning"))
            if text := text_of(start.get("thinking")):
                parts.append(Reasoning(text))
        elif kind == "redacted_thinking":
            if text := text_of(start.get("data")):
                parts.append(Opaque("redacted_reasoning", text))
        elif kind == "tool_use":
            self.call = call = ToolCall(position, index, text_of(start.get("id")))
            call.name = text_of(start.get("name"))
            if caller := start.get("caller"):
                parts.append(Item("caller", caller, is_done=False))
            parts.append(CallPart(call, call.name, "", is_new=True, id=call.id))
        else:
            self._has_emitted = not grows(kind)
            parts.append(Item(kind, start, is_done=self._has_emitted))
        return parts

    def sign(self, signature: str) -> None:
        """Note that a delta brought a signature: the start's own, if they are equal."""
        if signature == self._signature:
            self._signature = ""

    def add_input(self, fragment: str) -> list[Part] | None:
        """Add a piece of an input; None if the block can have none."""
        call = self.call
        if call is not None:
            if self._has_emitted:  # the input of its start event
                return None
            if not fragment:
                return []
            call.add_arguments(fragment)
            return [CallPart(call, "", fragment, is_new=False)]
        if self.kind in BLOCKS or self.kind == "compaction":
            return None
        if fragment:
            self._has_emitted = False
            self.text.append(fragment)
        return [self._piece({"type": "input_json_delta", "partial_json": fragment})]

    def add_summary(self, delta: dict[str, Any]) -> list[Part] | None:
        """Add a delta of a compaction; None if the block is none."""
        if self.kind != "compaction":
            return None
        self._has_emitted = False
        if text := text_of(delta.get("content")):
            self.text.append(text)
        if encrypted := text_of(delta.get("encrypted_content")):
            self._extra["encrypted_content"] = encrypted
        return [self._piece(delta)]

    def _piece(self, delta: dict[str, Any]) -> Item:
        """Return a delta of a block that is kept whole, for those who stream it on."""
        return Item(self.kind, {**delta, "id": self.start.get("id")}, is_done=False)

    def settle(self) -> Iterator[Part]:
        """Yield what was held back until the block's end."""
        if self.kind == "thinking" and self._signature:
            signature, self._signature = self._signature, ""
            yield Opaque("signature", signature)
        sent = self.start.get("input")
        if self.call is not None:
            if sent and not self._has_emitted:
                yield from self._settle_call(self.call, sent)
        elif self.kind not in BLOCKS and not self._has_emitted:
            self._has_emitted = True
            value = {**self.start, **self._extra}
            if text := str(self.text):
                if self.kind == "compaction":
                    value["content"] = text
                else:
                    value["input"] = parsed(text, text, strict=True)
            yield Item(self.kind, value)

    def _settle_call(self, call: ToolCall, sent: object) -> Iterator[Part]:
        """Yield the input of a call's start event, unless its deltas have it."""
        text = text_of(sent) or as_json(sent)
        if not text:
            yield Problem(
                DiagnosticKind.UNREAD,
                f"the input of the call to {call.name!r} nests too deeply to be read",
            )
        elif not call.has_arguments:
            self._has_emitted = True
            call.add_arguments(text)
            yield CallPart(call, "", text, is_new=False)
        elif not same(call.arguments, text):
            yield Problem(
                DiagnosticKind.DONE_DIFFERS,
                f"the call to {call.name!r} has the input {shorten(text)} in its start "
                f"event and {shorten(call.arguments)} in its deltas; the deltas count",
            )


def grown(
    kind: str, value: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a block that grows as a stream has it.

    Args:
        kind: Its type.
        value: The whole block.

    Returns:
        What its start event has, and its deltas: their kind and fields.
    """
    if kind == "compaction":
        brought = {k: v for k, v in value.items() if k != "type"}
        return {"type": kind, "content": None}, [
            {"kind": "compaction_delta", **brought}
        ]
    sent = value.get("input")
    text = (sent if type(sent) is str else as_json(sent)) if sent else ""
    return {**value, "input": {}}, [
        {"kind": "input_json_delta", "partial_json": piece}
        for piece in ([""] if not text else ["", text])
    ]


def whole_block(
    block: object, position: int, unread: UnreadFields, event: int
) -> list[Part]:
    """Read a block that came whole.

    Args:
        block: The block; any shape.
        position: Number of the call that it would be.
        unread: Where its fields are accounted for.
        event: Number of the event that it is in.

    Returns:
        What it carries, in the order in which a stream sends it.
    """
    if type(block) is not dict:
        unread.feed(event, {"content_block": block}, BLOCKS["text"])
        return []
    growing = GrowingBlock(text_of(block.get("type")), block)
    parts = growing.open(position, None, unread, event)
    if growing.call is not None and block.get("input") == {}:
        # In a stream nothing is the empty input; here it is sent.
        growing.call.add_arguments("{}")
        parts.append(CallPart(growing.call, "", "{}", is_new=False))
    kept = [
        p for p in parts if type(p) is not Item or p.is_done or p.kind != growing.kind
    ]
    return [*kept, *growing.settle()]


def piece_of(kind: str, delta: dict[str, Any]) -> list[Part] | None:
    """Read a delta that means the same in any block.

    Args:
        kind: Its type.
        delta: The delta; any shape.

    Returns:
        Its parts, empty for a type that is not known; None if it needs its block.
    """
    if kind in {"input_json_delta", "compaction_delta"}:
        return None
    if kind == "citations_delta":
        citation = delta.get("citation")
        return [Item("citation", citation)] if citation else []
    if kind not in _OF_ANY_BLOCK:
        return []
    field, read = _OF_ANY_BLOCK[kind]
    text = text_of(delta.get(field))
    return [read(text)] if text else []


_OF_ANY_BLOCK: dict[str, tuple[str, Callable[[str], Part]]] = {
    "text_delta": ("text", Text),
    "thinking_delta": ("thinking", Reasoning),
    "signature_delta": ("signature", partial(Opaque, "signature")),
}


def like_of(payload: Payload, part: Part) -> Like | None:
    """Return how to read a delta with another text than this one's."""
    delta = payload.get("delta")
    if type(delta) is not dict or payload.get("type") != "content_block_delta":
        return None
    kind = delta.get("type")
    if type(part) is Text and kind == "text_delta":
        return Like("text", Text)
    if type(part) is Reasoning and kind == "thinking_delta":
        return Like("thinking", Reasoning)
    if type(part) is CallPart and kind == "input_json_delta":
        return Like("partial_json", further_arguments(part.call))
    return None


def _citations(value: object) -> Iterator[Item]:
    if value:
        for citation in value if type(value) is list else [value]:
            yield Item("citation", citation)
