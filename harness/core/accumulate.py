"""Chunks to the whole answer, every choice of it.

`ResponseAccumulator` adds up what `harness.core.deltas` reads. Cost per chunk is
O(size of the chunk); text is joined only when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.deltas import DeltaReader, choice_index, delta_of
from harness.core.parts import (
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
)
from harness.core.text import TextBuffer

if TYPE_CHECKING:
    from harness.core.chunks import Payload

__all__ = ["AccumulatedMessage", "ResponseAccumulator"]


@dataclass(frozen=True, slots=True)
class AccumulatedMessage:
    """What one choice has said so far."""

    content: str = ""
    """Visible text; empty if none came."""
    reasoning: str = ""
    """Text of the reasoning fields; empty if none came."""
    refusal: str = ""
    """Text of a refusal; empty if none came."""
    calls: list[ToolCall] = field(default_factory=list)
    """Tool calls in order of appearance."""
    finish_reason: str | None = None
    """The last one sent; None while none has come."""
    role: str = "assistant"
    """As sent; `assistant` where none was."""
    items: list[Item | Opaque] = field(default_factory=list)
    """What is neither text nor a call to run, in order: server tools, citations,
    signatures of reasoning."""


class _Choice:
    """The growing side of one choice."""

    __slots__ = (
        "calls",
        "content",
        "finish_reason",
        "items",
        "reader",
        "reasoning",
        "refusal",
        "role",
    )

    def __init__(self, index: int) -> None:
        self.reader = DeltaReader(choice=index)
        self.calls: list[ToolCall] = []
        self.content = TextBuffer()
        self.reasoning = TextBuffer()
        self.refusal = TextBuffer()
        self.finish_reason: str | None = None
        self.role = "assistant"
        self.items: list[Item | Opaque] = []

    def add(self, choice: dict[str, Any]) -> list[Part]:
        delta = choice.get("delta")
        if type(delta) is not dict:  # asked here as well: it spares nearly every call
            delta = delta_of(choice)
        parts = self.reader.read_delta(delta, choice.get("finish_reason"))
        self.add_parts(parts)
        role = delta.get("role")
        if role and type(role) is str:
            self.role = role
        return parts

    def add_parts(self, parts: list[Part]) -> None:
        for part in parts:
            if type(part) is Text:
                self.content.append(part.text)
            elif type(part) is CallPart:
                if part.is_new:
                    self.calls.append(part.call)
            elif type(part) is Reasoning:
                self.reasoning.append(part.text)
            elif type(part) is Finish:
                self.finish_reason = part.reason
            elif type(part) is Refusal:
                self.refusal.append(part.text)
            elif isinstance(part, Item | Opaque):
                self.items.append(part)


class ResponseAccumulator:
    """Adds up the chunks of one response, all choices, gaps in their indices allowed.

    Nothing raises on an odd chunk, so there is no error state: what cannot be read
    is left out, as in `harness.core.deltas`.
    """

    __slots__ = ("_choices", "created", "id", "model", "tokens", "usage")

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self.id = ""
        """The completion's id; empty if none came."""
        self.model = ""
        """The model that answered; empty if none was named."""
        self.created = 0
        """Unix seconds: the first that is not zero; 0 if none came."""
        self.usage: dict[str, Any] | None = None
        """The last token counts that came, as sent."""
        self.tokens: tuple[int, int] | None = None
        """Tokens of request and answer; None where none were counted."""

    @property
    def choices(self) -> list[int]:
        """The indices of the choices that have come, ascending."""
        return sorted(self._choices)

    def feed(self, payload: Payload) -> list[Part]:
        """Add one chunk.

        Args:
            payload: The chunk's JSON object; any shape.

        Returns:
            What it says about choice 0, in order; empty if nothing.
        """
        if not self.created or not self.model or not self.id:
            self._read_head(payload)
        usage = payload.get("usage")
        if usage and type(usage) is dict:
            self.usage = usage
            self._count(usage.get("prompt_tokens"), usage.get("completion_tokens"))
        first: list[Part] = []
        choices = payload.get("choices")
        if type(choices) is not list:
            return first
        for choice in choices:
            if type(choice) is not dict:
                continue
            index = choice.get("index")
            if type(index) is not int:  # as above
                index = choice_index(choice)
            held = self._choices.get(index)
            if held is None:
                held = self._choices[index] = _Choice(index)
            parts = held.add(choice)
            if index == 0:
                first = first + parts if first else parts
        return first

    def add(self, parts: list[Part]) -> None:
        """Add parts that were read elsewhere; not to be mixed with `feed`.

        Args:
            parts: What the reader of any API returned, all choices in it.
        """
        for part in parts:
            if isinstance(part, OtherChoice):
                self._choice(part.choice).add_parts([part.part])
            elif isinstance(part, Usage):
                self.usage = {**(self.usage or {}), **part.counts}
                self._count(part.input_tokens, part.output_tokens)
            elif isinstance(part, Head):
                self.id = self.id or part.id
                self.model = self.model or part.model
                self.created = self.created or int(part.created)
            else:
                self._choice(0).add_parts([part])

    def _choice(self, index: int) -> _Choice:
        held = self._choices.get(index)
        if held is None:
            held = self._choices[index] = _Choice(index)
        return held

    def _count(self, request: object, answer: object) -> None:
        known = self.tokens or (0, 0)
        counts = [
            new if isinstance(new, int) else old
            for new, old in zip((request, answer), known, strict=True)
        ]
        self.tokens = counts[0], counts[1]

    def message(self, *, choice: int = 0) -> AccumulatedMessage:
        """Return what one choice has said so far; O(its length).

        Args:
            choice: The choice's index; one that never came gives an empty message.

        Returns:
            The message; its calls are live objects and grow with the next chunk.
        """
        held = self._choices.get(choice)
        if held is None:
            return AccumulatedMessage()
        return AccumulatedMessage(
            content=str(held.content),
            reasoning=str(held.reasoning),
            refusal=str(held.refusal),
            # A reader of deltas drops a legacy call that stands beside the new form.
            calls=held.reader.calls or held.calls,
            finish_reason=held.finish_reason,
            role=held.role,
            items=held.items,
        )

    def _read_head(self, payload: Payload) -> None:
        created = payload.get("created")
        if not self.created and isinstance(created, int | float):
            self.created = int(created) if abs(created) < 1e15 else 0
        model = payload.get("model")
        if not self.model and type(model) is str:
            self.model = model
        response_id = payload.get("id")
        if not self.id and type(response_id) is str:
            self.id = response_id
