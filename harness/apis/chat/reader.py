"""Chat chunks to parts, every choice of them: the seam's view of `core.deltas`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.chunks import payload_error
from harness.core.deltas import DeltaReader, choice_index
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Finish, Head, OtherChoice, Part, Problem, Usage

if TYPE_CHECKING:
    from harness.apis.base import Event

__all__ = ["ChatReader", "usage_of"]


class ChatReader:
    """Reads the chunks of one response; a `harness.apis.base.Reader`."""

    def __init__(self) -> None:
        self._choices: dict[int, DeltaReader] = {}
        self._head: Head | None = None
        self.is_finished = False
        """Whether choice 0 has a finish reason: `[DONE]` is no event."""

    def feed(self, event: Event) -> list[Part]:
        """Read one chunk; see `Reader.feed`."""
        return self.read(event.payload)

    def read(self, payload: dict[str, Any]) -> list[Part]:
        """Read the object of one chunk, or of a whole completion."""
        parts: list[Part] = []
        message = payload_error(payload)
        if message is not None:
            parts.append(Problem(DiagnosticKind.ERROR_EVENT, message))
        head = _head_of(payload)
        if head != self._head and head != Head():
            self._head = head
            parts.append(head)
        choices = payload.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if not isinstance(choice, dict):
                continue
            index = choice_index(choice)
            reader = self._choices.setdefault(index, DeltaReader(choice=index))
            for part in reader.read_choice(choice):
                parts.append(OtherChoice(index, part) if index else part)
                self.is_finished |= index == 0 and isinstance(part, Finish)
        usage = payload.get("usage")
        if usage and isinstance(usage, dict):
            parts.append(usage_of(usage))
        return parts

    def close(self) -> list[Part]:
        """Report a missing finish; see `Reader.close`."""
        if self.is_finished:
            return []
        return [Problem(DiagnosticKind.MISSING_FINISH, "no finish_reason came")]


def usage_of(usage: dict[str, Any]) -> Usage:
    """Return token counts as a part."""
    counts = [
        value if isinstance(value, int) else None
        for value in (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    ]
    return Usage(usage, *counts)


def _head_of(payload: dict[str, Any]) -> Head:
    response_id, model = payload.get("id"), payload.get("model")
    created = payload.get("created")
    is_time = isinstance(created, int | float) and abs(created) < 1e15
    return Head(
        response_id if isinstance(response_id, str) else "",
        model if isinstance(model, str) else "",
        created if is_time and isinstance(created, int | float) else 0,
    )
