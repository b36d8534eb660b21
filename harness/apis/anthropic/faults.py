"""Ways for a Messages stream to go wrong.

A fault is a value: it pickles and compares. It names the rules that it breaks and what
the reader, or who reads the calls' arguments, reports of it. A position beyond the end
of the stream does nothing, and so does a fault of what the stream has not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from harness.apis.anthropic import breaking
from harness.apis.anthropic.message import ERROR_TYPES
from harness.core.diagnostics import DiagnosticKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from harness.apis.base import Payload, WrittenEvent

    Break: TypeAlias = Callable[
        [Iterable[WrittenEvent], int, str], Iterator[WrittenEvent]
    ]

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for a stream to go wrong."""

    name: str
    """As an option takes it, without its number."""
    summary: str
    """One line for a help text; K is the number."""
    edit: Break = field(repr=False)
    """What it does to events, given its number and its word."""
    breaks: tuple[str, ...] = ()
    """The rules that it breaks, if the stream has what the fault is about."""
    reports: DiagnosticKind | None = None
    """What is reported of it by those who read the stream."""
    number: int | None = None
    """K: after how many events; None if it takes no number."""
    word: str = ""
    """The type of an error; empty for other faults."""
    ends: Literal["as usual", "early", "never"] = "as usual"
    """Whether the connection closes before the end, or stays open without a byte."""
    status: int = 200
    """The status of the response; another than 200 comes before any event."""

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}:{self.number}"

    def at(self, number: int) -> Fault:
        """Return the same fault at another position.

        Args:
            number: K, from 0; ignored by a fault that takes none.
        """
        return self if self.number is None else replace(self, number=number)

    def apply(self, events: Iterable[WrittenEvent]) -> Iterator[WrittenEvent]:
        """Break a stream, lazily; payloads are not changed, but replaced."""
        return self.edit(events, self.number or 0, self.word)

    @property
    def is_silent(self) -> bool:
        """Whether nothing more comes, and nothing closes."""
        return self.ends == "never"

    @property
    def body(self) -> Payload | None:
        """The body of the response where it is no stream."""
        if self.status == 200:
            return None
        error = {"type": self.word, "message": "Overloaded"}
        return {"type": "error", "error": error, "request_id": "req_0"}


_MISSING_DONE = DiagnosticKind.MISSING_DONE
_MALFORMED = DiagnosticKind.MALFORMED_ARGUMENTS

_ALL = (
    *(
        Fault(
            kind.replace("_", "-"),
            f"an error event of the type {kind} after K events, then the end",
            breaking.error,
            reports=DiagnosticKind.ERROR_EVENT,
            number=3,
            word=kind,
            ends="early",
        )
        for kind in ERROR_TYPES
    ),
    Fault(
        "overloaded-before",
        "status 529 and an error instead of a stream",
        breaking.nothing,
        reports=DiagnosticKind.ERROR_EVENT,
        word="overloaded_error",
        status=529,
    ),
    Fault(
        "cut-events",
        "the stream ends after K events",
        breaking.cut,
        ("stop-last", "delta-once"),
        _MISSING_DONE,
        number=3,
        ends="early",
    ),
    Fault(
        "silence",
        "nothing more comes after K events, not even pings, and nothing closes",
        breaking.cut,
        ("stop-last", "delta-once"),
        _MISSING_DONE,
        number=3,
        ends="never",
    ),
    Fault(
        "no-message-stop",
        "the stream ends without message_stop",
        breaking.no_message_stop,
        ("stop-last",),
        _MISSING_DONE,
        ends="early",
    ),
    Fault(
        "no-message-delta",
        "no message_delta, so no stop_reason",
        breaking.no_message_delta,
        ("delta-once",),
        DiagnosticKind.MISSING_FINISH,
    ),
    Fault(
        "cut-in-input",
        "the stream ends inside the JSON of the first call",
        breaking.cut_in_input,
        ("stop-last", "delta-once", "block-stopped"),
        _MISSING_DONE,
        ends="early",
    ),
    Fault(
        "cut-after-name",
        "the stream ends behind the name of the first call",
        breaking.cut_after_name,
        ("stop-last", "delta-once", "block-stopped"),
        _MISSING_DONE,
        ends="early",
    ),
    Fault(
        "max-tokens",
        "max_tokens inside the JSON of the first call",
        breaking.max_tokens,
        reports=_MALFORMED,
    ),
    Fault(
        "max-tokens-unstopped",
        "the same without the content_block_stop of the call",
        breaking.max_tokens_unstopped,
        ("block-stopped",),
        _MALFORMED,
    ),
    Fault("no-start", "no message_start", breaking.no_start, ("start-first",)),
    Fault(
        "no-block-start",
        "the first block has no content_block_start",
        breaking.no_block_start,
        ("block-open", "block-index"),
        DiagnosticKind.ILLEGAL_EVENT,
    ),
    Fault(
        "start-twice",
        "the first block starts twice",
        breaking.start_twice,
        ("block-bracket", "block-index"),
    ),
    Fault(
        "unopened-delta",
        "after K events text for a block that never began",
        breaking.unopened_delta,
        ("block-open",),
        DiagnosticKind.ILLEGAL_EVENT,
        number=1,
    ),
    Fault(
        "delta-after-stop",
        "text for the first block after it has stopped",
        breaking.delta_after_stop,
        ("block-open",),
        DiagnosticKind.ILLEGAL_EVENT,
    ),
    Fault(
        "wrong-delta",
        "the first piece of text comes as reasoning, or the other way round",
        breaking.wrong_delta,
        ("delta-type",),
    ),
    Fault(
        "no-signature",
        "reasoning without its signature",
        breaking.no_signature,
        ("thinking-signed",),
    ),
    Fault(
        "two-signatures",
        "the first signature comes twice",
        breaking.two_signatures,
        ("thinking-signed",),
    ),
    Fault(
        "bad-json",
        "the input of the first call is no JSON",
        breaking.bad_json,
        ("input-object",),
        _MALFORMED,
    ),
    Fault(
        "trailing-junk",
        "a brace too many behind the input of the first call",
        breaking.trailing_junk,
        ("input-object",),
        _MALFORMED,
    ),
    Fault(
        "reason-null",
        "stop_reason null in message_delta",
        breaking.reason_null,
        ("delta-reason",),
        DiagnosticKind.MISSING_FINISH,
    ),
    Fault(
        "two-message-deltas",
        "message_delta comes twice",
        breaking.two_message_deltas,
        ("delta-once",),
    ),
    Fault(
        "two-message-stops",
        "message_stop comes twice",
        breaking.two_message_stops,
        ("stop-last",),
        DiagnosticKind.AFTER_DONE,
    ),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
"""Every fault, in the order of a help text."""
