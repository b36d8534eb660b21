"""Habits of tool calls: how a provider marks whose fragment an entry is.

A habit edits payloads where a provider of `harness.apis.chat.dialects.providers` writes
the whole stream anew, so habits go on top of any stream or provider: what they do
not know about stays. No payload is changed in place.

Each is a function of an entry of `tool_calls` as it came, and returns the entries that
carry the same; several are sent in one delta.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from harness.apis.chat.dialects.editing import Entry, each_delta, function_of
from harness.apis.chat.dialects.parts import CallTracker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.chat.chunks import Chunk
    from harness.core.parts import ToolCall


class Place(NamedTuple):
    """Where an entry stands."""

    call: ToolCall
    """Its call, the entry added."""
    id: Callable[[], str]
    """Returns the call's own id, or one that is made up."""
    opens: bool
    """Whether the entry opened the call."""
    is_other: bool
    """Whether the entry before it in its choice was of another call."""


EntryEdit: TypeAlias = Callable[[Entry, Place], list[Entry]]


def edit_entries(edit: EntryEdit, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """Yield a stream with every entry of `tool_calls` replaced."""
    tracker = CallTracker()
    opened: dict[int, list[ToolCall]] = {}  # the calls of each choice, in order
    touched: dict[int, ToolCall] = {}

    def edited(choice: int, entry: Any) -> list[Any]:
        call = tracker.call_of(choice, entry) if isinstance(entry, dict) else None
        if call is None:
            return [entry]
        known = opened.setdefault(choice, [])
        opens = not any(other is call for other in known)
        if opens:
            known.append(call)
        is_other = call is not touched.get(choice)
        touched[choice] = call
        given = Place(call, lambda: tracker.id_of(choice, call), opens, is_other)
        return edit(entry, given)

    def in_delta(choice: int, delta: dict[str, Any]) -> dict[str, Any]:
        entries = delta.get("tool_calls")
        if not entries or not isinstance(entries, list):
            return delta
        sent = [new for entry in entries for new in edited(choice, entry)]
        return {**delta, "tool_calls": sent}

    return each_delta(in_delta, chunks)


def no_index(entry: Entry, place: Place) -> list[Entry]:
    """No `index`: the id on every entry distinguishes the calls.

    In the wild: GPUStack and older Mistral (whole calls); mistral.rs#1507 and
    openai-python#2806 (fragments).
    """
    bare = {k: v for k, v in entry.items() if k not in {"index", "id"}}
    return [{"id": place.id(), **bare}]


def index_null(entry: Entry, place: Place) -> list[Entry]:
    """``"index": null``: the id on every entry distinguishes the calls.

    Not in the corpus; free-claude-code#633.
    """
    return [{"index": None, **bare} for bare in no_index(entry, place)]


def index_zero(entry: Entry, place: Place) -> list[Entry]:
    """Every call at index 0: a new id with a name shows that another begins.

    Not in the corpus; litellm#33678 and hermes-agent#3468 (older Ollama). A fragment
    of another call than the one before it carries its id, or it would be lost.
    """
    edited = {**entry, "index": 0}
    if place.opens or place.is_other or edited.get("id"):
        edited["id"] = place.id()
    return [edited]


def name_resent(entry: Entry, place: Place) -> list[Entry]:
    """The whole name, id and type again in every fragment; hermes-agent#8259.

    Once the name cannot grow any more.
    """
    call = place.call
    if place.opens or not call.has_arguments or not call.name or call.type == "custom":
        return [entry]  # nobody was seen to send custom tools so
    function = {**function_of(entry), "name": call.name}
    return [{**entry, "id": place.id(), "type": "function", "function": function}]


def name_in_pieces(entry: Entry, place: Place) -> list[Entry]:
    """The name in pieces of three characters; continue#5849.

    The arguments of an opening entry come with the last piece.
    """
    function = function_of(entry)
    name = function.get("name")
    if not place.opens or not isinstance(name, str) or len(name) < 2:
        return [entry]
    pieces = [name[start : start + 3] for start in range(0, len(name), 3)]
    if len(pieces) == 1:
        pieces = [name[:1], name[1:]]
    # A later piece that equals what came before it would pass for the same name
    # sent again, had it an id or a type beside it; it has neither.
    first = {k: v for k, v in function.items() if k != "arguments"}
    edited = [{**entry, "function": {**first, "name": pieces[0]}}]
    at = {"index": entry["index"]} if "index" in entry else {}
    edited += [{**at, "function": {"name": piece}} for piece in pieces[1:]]
    if "arguments" in function:
        edited[-1]["function"]["arguments"] = function["arguments"]
    return edited


def null_continuation(entry: Entry, place: Place) -> list[Entry]:
    """Later fragments with ``id: null``, ``type: null`` and ``name: null``.

    In the wild: Writer, and Kimi on Azure (without the null type); pydantic-ai#8208.
    """
    if place.opens or place.call.type == "custom":
        return [entry]
    function = {"name": None, **function_of(entry)}
    return [{"id": None, "type": None, **entry, "function": function}]
