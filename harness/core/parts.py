"""The neutral form of a streamed answer: what an event carries, whatever its API.

Readers of `harness.apis` return parts, writers take them, and everything else (the
agent loop, accumulators, interfaces) knows parts and no event. Parts are classes with
slots, not named tuples: one is made for every chunk, and the generated `__new__` of a
named tuple takes twice as long (0.35 us against 0.17).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.fielded import Fielded
from harness.core.text import TextBuffer

if TYPE_CHECKING:
    from harness.core.diagnostics import DiagnosticKind


class ToolCall:
    """One tool call of a response, as far as it has come."""

    __slots__ = (
        "_arguments",
        "has_arguments",
        "id",
        "index",
        "is_dropped",
        "name",
        "position",
        "type",
    )

    def __init__(self, position: int, index: float | None, call_id: str) -> None:
        self.position = position
        """Number among the calls of this choice, from 0, in order of appearance."""
        self.index = index
        """As the provider sent it; None where it sent none."""
        self.id = call_id
        """Empty until one comes; some providers never send one."""
        self.type = "function"
        """As sent; `function` where none was."""
        self.name = ""
        """The pieces so far; final once arguments have begun."""
        self.is_dropped = False
        """Whether it turned out to be another call in the legacy form."""
        self.has_arguments = False
        """Whether a non-empty fragment of the arguments has come."""
        self._arguments = TextBuffer()

    @property
    def arguments(self) -> str:
        """The fragments so far, joined; O(length)."""
        return str(self._arguments)

    def add_arguments(self, fragment: str) -> None:
        """Add a non-empty fragment; O(1) amortised."""
        self.has_arguments = True
        self._arguments.append(fragment)

    def __repr__(self) -> str:
        return (
            f"ToolCall({self.position}, {self.id!r}, {self.name!r}, {self.arguments!r})"
        )


@dataclass(slots=True, eq=False, repr=False)
class _TextPart(Fielded):
    """One kind of text; `dataclass` takes long to make up a docstring."""

    text: str
    """Never empty."""


class Text(_TextPart):
    """Visible text of the answer."""

    __slots__ = ()


class Reasoning(_TextPart):
    """Text of the model's reasoning, where the provider sends it apart."""

    __slots__ = ()


class Refusal(_TextPart):
    """Text of a refusal."""

    __slots__ = ()


@dataclass(slots=True, eq=False, repr=False)
class CallPart(Fielded):
    """Something new about one tool call."""

    call: ToolCall
    """The call, this part already added."""
    name: str
    """The newly learnt piece of its name; empty if none."""
    arguments: str
    """The new fragment; empty if none."""
    is_new: bool
    """Whether this part opened the call."""
    id: str = ""
    """The call's id where this part brought it; empty otherwise."""


@dataclass(slots=True, eq=False, repr=False)
class Finish(Fielded):
    """The provider marks the choice as finished; more may follow all the same."""

    reason: str
    """As sent: `stop`, `end_turn`, `completed`, `STOP`, ..."""
    meaning: str = ""
    """The same in chat's words (`stop`, `tool_calls`, `length`, `content_filter`), for
    those who restate it; empty where `reason` is one of them or has no counterpart."""


@dataclass(slots=True, eq=False, repr=False)
class Head(Fielded):
    """What identifies the response; fields that an event does not carry are empty."""

    id: str = ""
    model: str = ""
    created: float = 0
    """Unix seconds; 0 where none came."""
    role: str = ""
    """Of the choice: then the other fields are empty."""


@dataclass(slots=True, eq=False, repr=False)
class Block(Fielded):
    """A content block begins; the parts that follow belong to it.

    Only APIs that divide an answer into blocks send it (Responses' items and content
    parts, Anthropic's content blocks). Readers of a flat stream may ignore it.
    """

    kind: str
    """`text`, `reasoning` or `refusal`; calls and items begin by themselves."""
    id: str = ""
    """The block's own id, if it has one."""


@dataclass(slots=True, eq=False, repr=False)
class Opaque(Fielded):
    """Data that only its provider can read and that a client must return unchanged.

    Never cut, never merged.
    """

    kind: str
    """`signature` (of the reasoning before it, or of `call`), `redacted_reasoning` or
    `encrypted_reasoning`."""
    data: str
    call: ToolCall | None = None
    """The call that it belongs to; None where it belongs to text or reasoning."""


@dataclass(slots=True, eq=False, repr=False)
class Item(Fielded):
    """Something whole that is neither text nor a call the agent must run.

    Server tools and their results, citations, images, audio: kept as sent.
    """

    kind: str
    """The API's own name, such as `web_search_call` or `citation`."""
    value: Any
    """The JSON value as sent."""
    is_done: bool = True
    """False where it only announces: the whole item follows, in pieces of its kind if
    it is streamed, or the next block has it."""


@dataclass(slots=True, eq=False, repr=False)
class Usage(Fielded):
    """Token counts; a later one replaces the fields that it has."""

    counts: dict[str, Any]
    """As sent."""
    input_tokens: int | None = None
    """Tokens of the request, cached ones included; None where none were counted."""
    output_tokens: int | None = None
    """Tokens of the answer, reasoning included; None where none were counted."""
    cached_tokens: int | None = None
    """Those of the request that came from a cache."""
    reasoning_tokens: int | None = None
    """Those of the answer that are reasoning."""


@dataclass(slots=True, eq=False, repr=False)
class Problem(Fielded):
    """Something odd that a reader found: a diagnostic without its place."""

    kind: DiagnosticKind
    text: str
    """One line: what happened, expected, got."""
    event: int | None = None
    """Number of the event where it is not the one being read."""


@dataclass(slots=True, eq=False, repr=False)
class OtherChoice(Fielded):
    """A part of another choice than 0; interfaces are given choice 0 alone."""

    choice: int
    part: Part


Part = (
    Text
    | Reasoning
    | Refusal
    | CallPart
    | Finish
    | Head
    | Block
    | Opaque
    | Item
    | Usage
    | Problem
    | OtherChoice
)
