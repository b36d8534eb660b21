"""What was streamed of items, and what no item that is done has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.json_values import text_of
from harness.apis.responses.state import CALL_TYPES, as_json
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem
from harness.core.text import TextBuffer
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Payload
    from harness.apis.responses.state import ItemState

_FRAME = {"type", "item_id", "call_id", "status", "id", "obfuscation", "stream_id"}
_FRAME |= {"agent", "role", "phase"}
_CONTENTS = {str, dict, list}
"""Types of what events give; numbers are places."""


class Unfinished:
    """Keeps the text of events of server tools until the response is over."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str, str], TextBuffer] = {}

    def feed(self, payload: Payload, kind: str) -> None:
        """Keep the text of an event, which a `.done` states whole."""
        if kind.startswith(("response.steer.", "response.inject.")):
            return  # about what the client sent, not about an item
        text = "".join(
            value if type(value) is str else as_json(value)
            for key, value in payload.items()
            if value and type(value) in _CONTENTS and key not in _FRAME
        )
        if text:
            whole = kind.endswith(".done")
            name = kind.removesuffix(".done").removesuffix(".delta")
            index = as_json(payload.get("output_index"))
            place = name, as_json(payload.get("item_id")), index
            held = self._given.get(place)
            if held is None or whole:
                held = self._given[place] = TextBuffer()
            held.append(text)

    def problems(self, items: list[ItemState]) -> Iterator[Problem]:
        """Yield what no item carries, once.

        Args:
            items: Those of the response that is over.
        """
        done = [item for item in items if item.leaves is not None]
        ids = {as_json(item.id) for item in done if item.id}
        indices = {as_json(item.index) for item in done if item.index is not None}
        for (name, item_id, index), text in self._given.items():
            if item_id not in ids and index not in indices:
                yield _not_carried(f"{name} gave {shorten(str(text))}")
        self._given.clear()
        for item in items:
            added, item.added = item.added, None
            if added and item.leaves is None and as_json(item.id) not in ids:
                yield _not_carried(f"{item} was added with {shorten(as_json(added))}")


def _not_carried(what: str) -> Problem:
    text = f"{what}, and no item that is done has it"
    return Problem(DiagnosticKind.NOT_EMITTED, text)


def content_of(item: dict[str, Any]) -> dict[str, Any] | None:
    """Return what an added item of a server's tool holds beside its frame."""
    if text_of(item.get("type")) in CALL_TYPES:
        return None
    return {k: v for k, v in item.items() if v and k not in _FRAME | {"type"}} or None
