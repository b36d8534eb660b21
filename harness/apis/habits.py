"""Habits of providers that break clients, seen in the parts of any API.

One row a habit, found while a stream is read: cost per part is O(its size), and nothing
here changes what is emitted.

| kind | how it is seen | who does it |
|---|---|---|
| two-finishes | a second finish of the same choice | ChatMock#114 |
| after-finish | text or a call after a finish | OpenCursor#88 |
| changed-identity | another id, model or role than the first | gateways that retry |
| cumulative | every text begins with all text before it | qwen-code#3896 |
| illegal-event | a call that never gets a name | function-call parsers that fail |
| template-marker | a marker of a chat template in text or a name | Kimi, vLLM |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import CallPart, Finish, Head, Part, Problem, Text
from harness.core.patterns import late
from harness.errors import shorten

if TYPE_CHECKING:
    from harness.core.parts import ToolCall

_MARKER = late(  # \uff5c and \u2581: DeepSeek's
    r"<[|\uff5c][\w\u2581 -]{1,40}[|\uff5c]>|</?tool_calls?>|<function=[\w.-]{1,64}>"
    r"|\[TOOL_CALLS\]|\[/?INST\]|<start_of_turn>|<end_of_turn>|<minimax:tool_call>"
)

_WINDOW = 80  # characters: no marker is longer, so none is missed at a cut
_ENOUGH = 3  # texts that each begin with all before them are no chance


class Habits:
    """Watches the parts of one response, choice 0."""

    def __init__(self) -> None:
        self._finish: str | None = None
        self._after = False
        self._head = Head()
        self._changed: set[str] = set()  # fields whose change was reported
        self._previous = ""  # the last text, while all are cumulative
        self._cumulative = 0  # how many were; -1 once one was not
        self._tail = ""
        self._marked = False
        self._calls: list[ToolCall] = []

    def feed(self, parts: list[Part]) -> list[Problem]:
        """Watch the parts of one event.

        Args:
            parts: As the reader returned them.

        Returns:
            What is odd about them, for the event at hand.
        """
        found: list[Problem] = []
        for part in parts:
            if type(part) is Text:
                text = part.text
                if self._finish is not None:
                    self._is_after(shorten(text, limit=40), found)
                if self._cumulative >= 0:
                    self._repeats(text)
                if not self._marked and ("<" in text or "[" in text or self._tail):
                    self._mark(text, found)
            elif type(part) is CallPart:
                if part.is_new:
                    self._calls.append(part.call)
                self._is_after("a call", found)
            elif type(part) is Finish:
                self._finished(part, found)
            elif type(part) is Head:
                self._identity(part, found)
        return found

    def close(self) -> list[Problem]:
        """Return what shows only in the whole stream."""
        found = []
        if self._cumulative >= _ENOUGH:
            found.append(
                Problem(
                    DiagnosticKind.CUMULATIVE,
                    f"each of {self._cumulative + 1} texts repeats all text before it; "
                    "expected only what is new",
                )
            )
        for call in self._calls:
            if not call.name and not call.is_dropped:
                text = f"call {call.position} never got a name: no client can run it"
                found.append(Problem(DiagnosticKind.ILLEGAL_EVENT, text))
            marker = not call.name.isidentifier() and _MARKER.search(call.name)
            if marker:
                text = f"the name of call {call.position} holds {marker[0]!r}"
                found.append(Problem(DiagnosticKind.TEMPLATE_MARKER, text))
        return found

    def _repeats(self, text: str) -> None:
        previous = self._previous
        if not previous or (len(text) > len(previous) and text.startswith(previous)):
            self._cumulative += bool(previous)
            self._previous = text
        else:
            self._cumulative = -1
            self._previous = ""

    def _mark(self, text: str, found: list[Problem]) -> None:
        window = self._tail + text
        start = max(window.rfind("<"), window.rfind("["))  # each begins with one
        marker = _MARKER.search(window) if start >= 0 else None
        if marker:
            self._marked = True  # once a stream: the rest is of the same making
            problem = f"the text holds {marker[0]!r}, a marker of the model's template"
            found.append(Problem(DiagnosticKind.TEMPLATE_MARKER, problem))
        self._tail = (
            window[start:] if start >= 0 and len(window) - start < _WINDOW else ""
        )

    def _is_after(self, what: str, found: list[Problem]) -> None:
        if self._finish is not None and not self._after:
            self._after = True
            text = f"{what} came after finish {self._finish!r}; most clients stop there"
            found.append(Problem(DiagnosticKind.AFTER_FINISH, text))

    def _finished(self, part: Finish, found: list[Problem]) -> None:
        if self._finish is not None:
            text = f"finish {part.reason!r} came after finish {self._finish!r}"
            found.append(Problem(DiagnosticKind.TWO_FINISHES, text))
        self._finish = part.reason

    def _identity(self, head: Head, found: list[Problem]) -> None:
        for field in ("id", "model", "role"):
            known, new = getattr(self._head, field), getattr(head, field)
            if known and new and known != new and field not in self._changed:
                self._changed.add(field)
                text = f"the {field} changed from {shorten(known)} to {shorten(new)}"
                found.append(Problem(DiagnosticKind.CHANGED_IDENTITY, text))
        known = self._head
        self._head = Head(
            head.id or known.id, head.model or known.model, role=head.role or known.role
        )
