"""Habits of tool calls: how a provider marks whose fragment an entry is.

A habit edits payloads where a provider of `harness.apis.chat.dialects.providers` writes
the whole stream anew, so habits go on top of any stream or provider: what they do
not know about stays. No payload is changed in place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from harness.apis.chat.dialects.editing import Entry, edit_delta, function_of
from harness.apis.chat.dialects.parts import CallTracker, restated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.chat.chunks import Chunk
    from harness.core.parts import ToolCall


class EntryHabit(ABC):
    """A habit of the entries of `tool_calls`; made for each stream anew."""

    def __init__(self) -> None:
        self.tracker = CallTracker()
        self.opened: dict[int, list[ToolCall]] = {}
        """The calls of each choice in the order they opened."""

    @abstractmethod
    def entries(
        self, choice: int, entry: Entry, call: ToolCall, *, opens: bool
    ) -> list[Entry]:
        """Return what is sent instead of an entry.

        Args:
            choice: The index of its choice.
            entry: The entry as it came; not to be changed.
            call: Its call, the entry added.
            opens: Whether the entry opened it.

        Returns:
            Entries that carry the same; several are sent in one delta.
        """

    def apply(self, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
        """Yield the stream with every entry replaced."""
        for chunk in chunks:
            yield restated(chunk, edit_delta(chunk.payload, self._edit))

    def _edit(self, choice: int, delta: dict[str, Any]) -> dict[str, Any]:
        entries = delta.get("tool_calls")
        if not entries or not isinstance(entries, list):
            return delta
        edited: list[Any] = []
        opened = self.opened.setdefault(choice, [])
        for entry in entries:
            call = (
                self.tracker.call_of(choice, entry) if isinstance(entry, dict) else None
            )
            if call is None:
                edited.append(entry)
                continue
            opens = not any(known is call for known in opened)
            if opens:
                opened.append(call)
            edited += self.entries(choice, entry, call, opens=opens)
        return {**delta, "tool_calls": edited}


class NoIndex(EntryHabit):
    """No `index`: the id on every entry distinguishes the calls.

    In the wild: GPUStack and older Mistral (whole calls); mistral.rs#1507 and
    openai-python#2806 (fragments).
    """

    _index: ClassVar[dict[str, None]] = {}

    def entries(
        self,
        choice: int,
        entry: Entry,
        call: ToolCall,
        *,
        opens: bool,  # noqa: ARG002 - every entry alike
    ) -> list[Entry]:
        """Take the index out and put the id in."""
        bare = {k: v for k, v in entry.items() if k not in {"index", "id"}}
        return [{**self._index, "id": self.tracker.id_of(choice, call), **bare}]


class IndexNull(NoIndex):
    """``"index": null``: the id on every entry distinguishes the calls.

    Not in the corpus; free-claude-code#633.
    """

    _index: ClassVar[dict[str, None]] = {"index": None}


class IndexZero(EntryHabit):
    """Every call at index 0: a new id with a name shows that another begins.

    Not in the corpus; litellm#33678 and hermes-agent#3468 (older Ollama). A fragment
    of another call than the one before it carries its id, or it would be lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self._touched: dict[int, ToolCall] = {}

    def entries(
        self, choice: int, entry: Entry, call: ToolCall, *, opens: bool
    ) -> list[Entry]:
        """Set the index, and the id where it is needed."""
        edited = {**entry, "index": 0}
        if opens or call is not self._touched.get(choice) or edited.get("id"):
            edited["id"] = self.tracker.id_of(choice, call)
        self._touched[choice] = call
        return [edited]


class NameResent(EntryHabit):
    """The whole name, id and type again in every fragment; hermes-agent#8259."""

    def entries(
        self, choice: int, entry: Entry, call: ToolCall, *, opens: bool
    ) -> list[Entry]:
        """Put them into every entry once the name cannot grow any more."""
        if opens or not call.has_arguments or not call.name or call.type == "custom":
            return [entry]  # nobody was seen to send custom tools so
        function = {**function_of(entry), "name": call.name}
        call_id = self.tracker.id_of(choice, call)
        return [{**entry, "id": call_id, "type": "function", "function": function}]


class NameInPieces(EntryHabit):
    """The name in pieces of three characters; continue#5849."""

    def entries(
        self,
        choice: int,  # noqa: ARG002 - the entry is enough
        entry: Entry,
        call: ToolCall,  # noqa: ARG002
        *,
        opens: bool,
    ) -> list[Entry]:
        """Cut the name of an opening entry; its arguments come with the last piece."""
        function = function_of(entry)
        name = function.get("name")
        if not opens or not isinstance(name, str) or len(name) < 2:
            return [entry]
        pieces = [name[start : start + 3] for start in range(0, len(name), 3)]
        if len(pieces) == 1:
            pieces = [name[:1], name[1:]]
        # A later piece that equals what came before it would pass for the same name
        # sent again, had it an id or a type beside it; it has neither.
        first = {k: v for k, v in function.items() if k != "arguments"}
        edited = [{**entry, "function": {**first, "name": pieces[0]}}]
        place = {"index": entry["index"]} if "index" in entry else {}
        edited += [{**place, "function": {"name": piece}} for piece in pieces[1:]]
        if "arguments" in function:
            edited[-1]["function"]["arguments"] = function["arguments"]
        return edited


class NullContinuation(EntryHabit):
    """Later fragments with ``id: null``, ``type: null`` and ``name: null``.

    In the wild: Writer, and Kimi on Azure (without the null type); pydantic-ai#8208.
    """

    def entries(
        self,
        choice: int,  # noqa: ARG002 - the entry is enough
        entry: Entry,
        call: ToolCall,
        *,
        opens: bool,
    ) -> list[Entry]:
        """Add the nulls where nothing stands."""
        if opens or call.type == "custom":
            return [entry]
        function = {"name": None, **function_of(entry)}
        return [{"id": None, "type": None, **entry, "function": function}]
