"""Parts to the whole answer, every choice of it.

Cost per part is O(its size); text is joined only when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.core.fielded import FrozenFielded
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
    Usage,
)
from harness.core.text import TextBuffer

if TYPE_CHECKING:
    from harness.core.parts import ToolCall

_BESIDE = {OtherChoice, Usage, Head}  # parts that are no part of choice 0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AccumulatedMessage(FrozenFielded):
    """One choice of an answer, as far as it has come."""

    content: str = ""
    """Visible text; empty if none came."""
    reasoning: str = ""
    """Text of the reasoning; empty if none came."""
    refusal: str = ""
    """Text of a refusal; empty if none came."""
    calls: list[ToolCall] = field(default_factory=list)
    """Tool calls in order of appearance."""
    finish_reason: str | None = None
    """The last one sent, in the API's own words; None while none has come."""
    role: str = "assistant"
    """As sent; `assistant` where none was."""
    items: list[Item | Opaque] = field(default_factory=list)
    """What is neither text nor a call to run, in order: server tools, citations,
    signatures of reasoning."""


class _Choice:
    """The growing side of one choice."""

    def __init__(self) -> None:
        self.calls: list[ToolCall] = []
        self.content = TextBuffer()
        self.reasoning = TextBuffer()
        self.refusal = TextBuffer()
        self.finish_reason: str | None = None
        self.role = "assistant"
        self.items: list[Item | Opaque] = []

    def add(self, part: Part) -> None:
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
        elif type(part) is Item or type(part) is Opaque:
            self.items.append(part)
        elif type(part) is Head and part.role:
            self.role = part.role


class Accumulator:
    """Adds up the parts of one response, all choices, gaps in their indices allowed."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self._first: _Choice | None = None  # choice 0, spared a look-up for each part
        self.id = ""
        """The response's id; empty if none came."""
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

    def add(self, parts: list[Part]) -> None:
        """Add parts.

        Args:
            parts: What the reader of an API returned, all choices among them.
        """
        for part in parts:
            if type(part) is Text and self._first is not None:
                self._first.content.append(part.text)  # nearly all: spared a call
            elif type(part) not in _BESIDE or (type(part) is Head and part.role):
                if self._first is None:
                    self._first = self._choice(0)
                self._first.add(part)
            elif type(part) is OtherChoice:
                self._choice(part.choice).add(part.part)
            elif type(part) is Usage:
                self.usage = {**(self.usage or {}), **part.counts}
                self._count(part.input_tokens, part.output_tokens)
            elif type(part) is Head:
                self.id = self.id or part.id
                self.model = self.model or part.model
                self.created = self.created or int(part.created)

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of choice 0: live objects that grow with the next part."""
        first = self._choices.get(0)
        return [call for call in first.calls if not call.is_dropped] if first else []

    def _choice(self, index: int) -> _Choice:
        held = self._choices.get(index)
        if held is None:
            held = self._choices[index] = _Choice()
        return held

    def _count(self, request: int | None, answer: int | None) -> None:
        known = self.tokens or (0, 0)
        self.tokens = (
            known[0] if request is None else request,
            known[1] if answer is None else answer,
        )

    def message(self, *, choice: int = 0) -> AccumulatedMessage:
        """Return one choice as far as it has come; O(its length).

        Args:
            choice: The choice's index; one that never came gives an empty message.

        Returns:
            The message; its calls are live objects and grow with the next part.
        """
        held = self._choices.get(choice)
        if held is None:
            return AccumulatedMessage()
        return AccumulatedMessage(
            content=str(held.content),
            reasoning=str(held.reasoning),
            refusal=str(held.refusal),
            # A call in the legacy form that stood beside the new one is dropped.
            calls=[call for call in held.calls if not call.is_dropped],
            finish_reason=held.finish_reason,
            role=held.role,
            items=held.items,
        )
