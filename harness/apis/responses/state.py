"""What a reader keeps of the items of one response: texts, calls, marks; no events."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis import json_values
from harness.core.parts import Reasoning, Refusal, Text
from harness.core.text import TextBuffer
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.parts import ToolCall

_LONGEST_LEAF = 200
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_ENCRYPTED = {"encrypted_content", "fingerprint"}
"""What OpenAI encrypts anew for every event: never the same twice, so not compared."""


class TextKind(NamedTuple):
    """One kind of content or summary part."""

    name: str
    """Its `type`."""
    field: str
    """Where the part's object holds the text."""
    part: type[Text | Reasoning | Refusal]
    block: str
    """The kind of `harness.core.parts.Block`."""
    item: str
    """The type of the items that have it."""
    index_field: str
    """Which field of a child event holds its place in the item."""


TEXT_KINDS = {
    kind.name: kind
    for kind in (
        TextKind("output_text", "text", Text, "text", "message", "content_index"),
        TextKind("refusal", "refusal", Refusal, "refusal", "message", "content_index"),
        TextKind(
            "summary_text", "text", Reasoning, "reasoning", "reasoning", "summary_index"
        ),
        TextKind(
            "reasoning_text",
            "text",
            Reasoning,
            "reasoning",
            "reasoning",
            "content_index",
        ),
    )
}

CALL_TYPES = {
    "function_call": ("function", "arguments"),
    "custom_tool_call": ("custom", "input"),
}
"""Items that an agent must run: the type of the `ToolCall`, the field of the text."""


class TextState:
    """One content or summary part that is streamed."""

    def __init__(self, item: ItemState, kind: TextKind, index: int) -> None:
        self.item = item
        self.kind = kind
        self.index = index
        self.held = TextBuffer()
        """What was emitted."""
        self.announced = ""
        """What the part held when it was added: emitted if nothing else comes."""

    def more(self, delta: str) -> Text | Reasoning | Refusal:
        """Add a non-empty fragment."""
        self.held.append(delta)
        return self.kind.part(delta)


class ItemState:
    """One item of the output."""

    def __init__(self, item_type: str, index: int | None, item_id: str) -> None:
        self.type = item_type
        self.index = index
        self.id = item_id
        self.texts: dict[tuple[str, int], TextState] = {}
        self.call: ToolCall | None = None
        self.has_begun = False
        """Whether a part of it was emitted."""
        self.is_added = self.is_done = False
        self.announced: dict[str, Any] | None = None
        """The item as added, where it already had content: read if it is never done."""
        self.added: dict[str, Any] | None = None
        """What an item of a server's tool held when it was added."""
        self.is_sealed = False
        """Whether its encrypted content was emitted."""
        self.is_served = False
        """Whether it is kept whole: a custom call that the server itself runs, a text
        of a subagent."""
        self.kept: dict[int, int] = {}
        """How often each annotation or part kept whole was emitted, by its hash."""
        self.leaves: dict[str, object] | None = None
        """Of an item kept whole: what it held when it was done."""
        self.stated: dict[object, str] = {}
        """Differences that were reported, so that each is reported once."""

    def __str__(self) -> str:
        place = "?" if self.index is None else self.index
        return f"output {place} ({self.type})"

    def texts_of(self, kind: str) -> list[TextState]:
        """Return its parts of one kind, in their order."""
        found = [text for text in self.texts.values() if text.kind.name == kind]
        return sorted(found, key=lambda text: text.index)


def as_json(value: object) -> str:
    """Return a value as JSON; what cannot be written is named."""
    return json_values.as_json(value) or shorten(value)


def leaves(value: object) -> dict[str, object]:
    """Return the leaves of a JSON value by path, long texts as length and hash."""
    found: dict[str, object] = {}
    for path, leaf in _walk(value):
        if type(leaf) is str and len(leaf) > _LONGEST_LEAF:
            found[path] = (len(leaf), hash(leaf))
        else:
            found[path] = leaf
    return found


def differences(
    before: dict[str, object], now: object
) -> Iterator[tuple[str, object, object]]:
    """Yield path, former and present value of the leaves that are not the same.

    Args:
        before: What `leaves` returned of the former value.
        now: The present value.

    Yields:
        Values as they are; a long former text by its length.
    """
    after = leaves(now)
    shown = dict(_walk(now))
    for path in dict.fromkeys([*before, *after]):
        if path == "id":
            continue  # servers that name items anew at the end do so for all of them
        old, new = before.get(path), after.get(path)
        if old in _EMPTY and new in _EMPTY:
            continue  # null at one time, an empty list at another
        if old != new and not (_is_nan(old) and _is_nan(new)):
            if type(old) is tuple:
                old = f"a text of {old[0]} characters"
            yield path, old, shown.get(path)


def _is_nan(value: object) -> bool:
    return type(value) is float and isnan(value)


def _walk(value: object) -> Iterator[tuple[str, object]]:
    waiting = [("", value)]  # a stack, for a value can be nested at will
    while waiting:
        path, inner = waiting.pop()
        if type(inner) is dict and inner:
            waiting += [
                (f"{path}.{key}" if path else key, below)
                for key, below in inner.items()
                if key not in _ENCRYPTED
            ]
        elif type(inner) is list and inner:
            waiting += [(f"{path}[{i}]", v) for i, v in enumerate(inner)]
        else:
            yield path, inner
