"""The objects that a writer puts into events: the response, its items and parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.json_values import is_object
from harness.apis.responses.state import CALL_TYPES, TEXT_KINDS, TextKind
from harness.apis.tables import rows_of, tables_of
from harness.core.text import TextBuffer

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.core.parts import Usage

_TABLES = tables_of("responses")
ANNOTATIONS = {*_TABLES["annotations"].split()}
"""Kinds of `Item` that stand in a text rather than in the output."""

SERVER_ITEMS = {
    name: tuple(tuple(part.split()) for part in (*states, "", "")[:2])
    for name, *states in rows_of("responses", "server items")
}
"""The items that a server fills, and what is sent after they are added and before they
are done."""


def response_object(
    response_id: str, model: str, created: float, status: str
) -> Payload:
    """Return a response without output; the request's own fields as if left out."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }


def is_own_usage(counts: dict[str, Any]) -> bool:
    """Return whether token counts are as this API writes them."""
    return "input_tokens" in counts and "total_tokens" in counts


def usage_object(usage: Usage) -> dict[str, Any]:
    """Return token counts as this API writes them.

    Args:
        usage: Of any API; taken as sent where it is this one's.

    Returns:
        The counts; zeros where none came, for the API always has them.
    """
    if is_own_usage(usage.counts):
        return usage.counts
    asked, answered = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": asked + answered,
    }


def flat_annotation(value: dict[str, Any]) -> dict[str, Any]:
    """Return an annotation whose fields stand beside its type; chat nests them."""
    kind = value.get("type")
    nested = value.get(kind) if type(kind) is str else None
    return {"type": kind, **nested} if type(nested) is dict else value


def _like(sent: Payload, own: dict[str, Any]) -> dict[str, Any]:
    """Return an item with the further fields that the source sent, and no others."""
    item = {**sent, **own}
    if sent and "status" not in sent:
        item.pop("status", None)
    return item


class TextPart:
    """A content or summary part that is being written."""

    def __init__(self, kind: TextKind, index: int) -> None:
        self.kind = kind
        self.index = index
        self.text = TextBuffer()
        self.annotations: list[Any] = []

    def value(self) -> dict[str, Any]:
        """Return the part's object as it is now."""
        text = str(self.text)
        if self.kind.name == "output_text":
            return {
                "type": "output_text",
                "annotations": list(self.annotations),
                "logprobs": [],
                "text": text,
            }
        return {"type": self.kind.name, self.kind.field: text}


class TextItem:
    """A message or reasoning item that is being written."""

    def __init__(self, item_type: str, item_id: str, index: int, source: str) -> None:
        self.type = item_type
        self.id = item_id
        self.index = index
        self.source = source
        """The id of the block that began it; empty if it had none."""
        self.parts: list[TextPart] = []
        self.sealed: str | None = None
        self.status = "in_progress"
        self.sent: Payload = {}
        """The item as it was added, where the source has it."""

    def value(self) -> dict[str, Any]:
        """Return the item as it is now."""
        if self.type == "message":
            own = {
                "id": self.id,
                "type": "message",
                "status": self.status,
                "content": [part.value() for part in self.parts],
                "role": "assistant",
            }
            return _like(self.sent, own)
        summary = [p.value() for p in self.parts if p.kind.name == "summary_text"]
        content = [p.value() for p in self.parts if p.kind.name == "reasoning_text"]
        item: dict[str, Any] = {"id": self.id, "type": "reasoning", "summary": summary}
        if content or "content" in self.sent:
            item["content"] = content
        if "status" in self.sent:
            item["status"] = self.status
        if self.sealed is not None or self.status != "in_progress":
            item["encrypted_content"] = self.sealed
        if self.sealed is None and "encrypted_content" not in self.sent:
            item.pop("encrypted_content", None)
        return _like(self.sent, item)

    def next_index(self, kind: TextKind) -> int:
        """Return the place of a part of a kind that is added now."""
        field = TEXT_KINDS[kind.name].index_field
        return sum(part.kind.index_field == field for part in self.parts)


class CallItem:
    """A function or custom call that is being written."""

    def __init__(self, item_type: str, call_id: str, position: int) -> None:
        self.type = item_type
        self.call_id = call_id
        self.position = position
        self.name = ""
        self.is_named = False
        """Whether it was added with a name, which is all of it."""
        self.id = ""
        self.index = -1
        """Its place in the output; -1 while it is not added yet."""
        self.text = TextBuffer()
        self.is_done = False
        self.status = "in_progress"
        self.sent: Payload = {}
        """The item as it was added, where the source has it."""

    @property
    def field(self) -> str:
        """What its text is called."""
        return CALL_TYPES[self.type][1]

    def is_whole(self) -> bool:
        """Return whether its text can only be complete: one JSON object."""
        text = str(self.text)
        may_be = self.type == "function_call" and text.rstrip().endswith("}")
        return may_be and is_object(text)

    def value(self) -> dict[str, Any]:
        """Return the item as it is now."""
        own = {
            "id": self.id,
            "type": self.type,
            "status": self.status,
            self.field: str(self.text),
            "call_id": self.call_id,
            "name": self.name,
        }
        return _like(self.sent, own)


class ServerItem:
    """An item of a server tool, as it was sent."""

    def __init__(
        self, value: dict[str, Any], index: int, *, was_announced: bool
    ) -> None:
        self.sent = value
        self.was_announced = was_announced
        """Whether it came in a stream, so that how far it is comes, too."""
        self.id = value.get("id")
        self.type = value.get("type")
        self.index = index
        self.is_done = False

    def value(self) -> dict[str, Any]:
        """Return the item."""
        return self.sent
