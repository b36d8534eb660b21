"""Every kind of diagnostic, and how much it matters: the one list that all views use.

A reader reports a kind with a text; `harness replay`, `--strict`, `check`, `report` and
the pytest plugin decide by the kind's severity, so that they cannot disagree.
"""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How much a diagnostic matters."""

    ERROR = "error"
    """The answer is not what was meant."""
    WARNING = "warning"
    """A client may break."""
    NOTE = "note"
    """Worth knowing; no client is hurt."""


class DiagnosticKind(StrEnum):
    """What a diagnostic is about."""

    UNREADABLE_PAYLOAD = "unreadable-payload"
    """The data of an event is no JSON object."""
    ERROR_EVENT = "error-event"
    """The provider sent an error inside the stream."""
    INCOMPLETE_EVENT = "incomplete-event"
    """The last event lacks its blank line."""
    AFTER_DONE = "after-done"
    """Chunks came after `[DONE]`."""
    MISSING_FINISH = "missing-finish"
    """No finish reason came for choice 0."""
    MISSING_DONE = "missing-done"
    """The stream ended without `[DONE]`."""
    BROKEN_STREAM = "broken-stream"
    """The recording notes that the connection broke or was closed early."""
    MALFORMED_ARGUMENTS = "malformed-arguments"
    """A call's arguments are not one JSON object."""
    OTHER_CHOICES = "other-choices"
    """Choices besides 0 came; they reach no interface."""
    UNRECORDED_RESULT = "unrecorded-result"
    """A tool was called whose result the cassette does not hold."""
    GUESSED_RESULT = "guessed-result"
    """A tool's result was paired by its position: no id led to it."""
    NOT_REPLAYED = "not-replayed"
    """The exchange is no chat completion."""
    NEVER_ENDED = "never-ended"
    """The interface's generator did not end after `step_yield`."""
    ENDED_EARLY = "ended-early"
    """The interface's generator ended before `step_yield`, while more came."""
    UNREAD = "unread"
    """A field that no part carries and no table names as known."""
    UNREAD_TEXT = "unread-text"
    """Text where the answer stands, or a known field of another type: it is lost."""
    TWO_FINISHES = "two-finishes"
    """A finish reason came twice."""
    AFTER_FINISH = "after-finish"
    """Text or calls came after a finish reason."""
    EMPTY_FINISH = "empty-finish"
    """The finish reason is empty text."""
    DONE_TWICE = "done-twice"
    """The terminator came twice."""
    CHANGED_IDENTITY = "changed-identity"
    """The id or the model changed within a response."""
    CUMULATIVE = "cumulative"
    """Each delta repeats all text before it."""
    REPEATED_ANSWER = "repeated-answer"
    """The whole answer came again after its deltas."""
    TEMPLATE_MARKER = "template-marker"
    """A marker of the model's chat template stands in text or in a name."""
    NOT_CARRIED = "not-carried"
    """The API that a recording was restated in has no place for a part of it."""
    FAULT_UNSEEN = "fault-unseen"
    """The fault that was asked for changed no event."""
    NOT_EMITTED = "not-emitted"
    """Something that no message carries, such as the transcript of audio."""
    STRAY_TEXT = "stray-text"
    """Lines between the events that are no field of the event-stream standard."""
    DONE_DIFFERS = "done-differs"
    """A done or terminal event states something else than its deltas."""
    MISSING_ENCODING = "missing-encoding"
    """The body is compressed, and no header of the response states it."""
    RESTORED = "restored"
    """The recording was read after something about its text was undone or guessed."""
    NOT_READ = "not-read"
    """A part of the recording that cannot be read, such as WebSocket messages."""
    ILLEGAL_EVENT = "illegal-event"
    """An event breaks a rule of its API: order, index, bracket, sequence."""

    @property
    def severity(self) -> Severity:
        """How much it matters; `WARNING` unless the table below names another."""
        return _SEVERITIES.get(self, Severity.WARNING)


_SEVERITIES = {
    DiagnosticKind.UNREADABLE_PAYLOAD: Severity.ERROR,
    DiagnosticKind.ERROR_EVENT: Severity.ERROR,
    DiagnosticKind.BROKEN_STREAM: Severity.ERROR,
    DiagnosticKind.MALFORMED_ARGUMENTS: Severity.ERROR,
    DiagnosticKind.DONE_DIFFERS: Severity.ERROR,
    DiagnosticKind.NOT_REPLAYED: Severity.NOTE,
    DiagnosticKind.UNREAD: Severity.NOTE,
    DiagnosticKind.MISSING_DONE: Severity.NOTE,
    DiagnosticKind.NOT_EMITTED: Severity.NOTE,
    DiagnosticKind.NOT_CARRIED: Severity.NOTE,
    DiagnosticKind.FAULT_UNSEEN: Severity.NOTE,
    DiagnosticKind.GUESSED_RESULT: Severity.NOTE,
    DiagnosticKind.UNRECORDED_RESULT: Severity.NOTE,
    DiagnosticKind.OTHER_CHOICES: Severity.NOTE,
    DiagnosticKind.RESTORED: Severity.NOTE,
    DiagnosticKind.NOT_READ: Severity.NOTE,
}
