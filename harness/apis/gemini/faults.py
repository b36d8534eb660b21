"""Ways for a generateContent stream to go wrong, done to written events or bytes.

Each is a value that names what shows it: a rule that it breaks, a diagnostic of the
reader, or a finish reason. A position beyond the end of the stream does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.apis.gemini import breaking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.base import WrittenEvent

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong."""

    name: str
    summary: str
    """One line for a help text; K is the number."""
    shows: str
    """`gemini/RULE`, the kind of a diagnostic, `finish REASON`, or `array open`
    (`JSONStreamDecoder.is_array_open`)."""
    source: str
    """Where it was seen."""
    events: Callable[[Iterable[WrittenEvent], int], Iterator[WrittenEvent]] | None = (
        None
    )
    """What it does to events, given its number; None for a fault of bytes."""
    data: Callable[[Iterable[bytes], int], Iterator[bytes]] | None = None
    """What it does to the bytes of each event; None for a fault of events."""
    default: int | None = None
    """The number where none is given; None if the fault takes no number."""
    dialect: str = ""
    """The dialect that it needs; empty where any will do."""


_MADE = "made: what a server under test may get wrong"
_ROUTE = "diegosouzapw/OmniRoute#4177"

FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "error",
            "an error after K events, then the end",
            "error-event",
            _ROUTE,
            breaking.error,
            default=1,
        ),
        Fault(
            "error-then-more",
            "an error after K events, and the rest",
            "gemini/error-last",
            _MADE,
            breaking.error_then_more,
            default=1,
        ),
        Fault(
            "empty",
            "no event at all",
            "missing-finish",
            "gateways that time out",
            breaking.empty,
        ),
        Fault(
            "no-finish",
            "no finishReason",
            "gemini/finish-present",
            "google-genai 3.6 passes it in silence",
            breaking.no_finish,
        ),
        Fault(
            "two-finishes",
            "the finishReason comes twice",
            "gemini/finish-once",
            "songquanpeng/one-api#1408",
            breaking.two_finishes,
        ),
        Fault(
            "late-text",
            "text after the finishReason",
            "gemini/finish-last",
            "songquanpeng/one-api#1408",
            breaking.late_text,
        ),
        Fault(
            "new-finish",
            "a finishReason that is not documented",
            "gemini/finish-known",
            "kartsan03/wiretruth",
            breaking.new_finish,
        ),
        Fault(
            "recitation",
            "finishReason RECITATION after K events",
            "finish RECITATION",
            "Gemini API reference, FinishReason",
            breaking.recitation,
            default=1,
        ),
        Fault(
            "malformed-call",
            "MALFORMED_FUNCTION_CALL without content after K events",
            "finish MALFORMED_FUNCTION_CALL",
            "Gemini API reference, FinishReason",
            breaking.malformed,
            default=0,
        ),
        Fault(
            "no-content",
            "a candidate without content after K events",
            "gemini/candidate-empty",
            _MADE,
            breaking.no_content,
            default=1,
        ),
        Fault(
            "other-response",
            "another responseId after K events",
            "gemini/same-response",
            "gateways that retry",
            breaking.other_response,
            default=1,
        ),
        Fault(
            "blocked",
            "the prompt is refused after K events, and the rest",
            "gemini/blocked-alone",
            _MADE,
            breaking.blocked,
            default=0,
        ),
        Fault(
            "user", "contents have the role `user`", "gemini/role", _MADE, breaking.user
        ),
        Fault(
            "call-never-closed",
            "streamed calls are not closed",
            "gemini/call-closed",
            "recordings of vercel/ai, missing-terminal-function-call",
            breaking.never_closed,
            dialect="partial-args",
        ),
        Fault(
            "call-unnamed",
            "streamed calls lack their beginning",
            "gemini/call-named",
            "BerriAI/litellm#23815",
            breaking.unnamed,
            dialect="partial-args",
        ),
        Fault(
            "text-not-ended",
            "texts of streamed calls are not ended",
            "gemini/partial-args",
            "BerriAI/litellm#23815",
            breaking.text_not_ended,
            dialect="partial-args",
        ),
        Fault(
            "same-id",
            "every call has the same id",
            "gemini/call-id",
            "brainlid/langchain#620",
            breaking.same_id,
        ),
        Fault(
            "args-as-text",
            "`args` is JSON text",
            "gemini/call-args",
            "gateways that translate from chat completions",
            breaking.args_as_text,
        ),
        Fault(
            "signature",
            "signatures are no base64",
            "gemini/signature",
            "google-genai 3.6 refuses it",
            breaking.signature,
        ),
        Fault(
            "two-kinds",
            "a part is text and image at once",
            "gemini/part-one-kind",
            _MADE,
            breaking.two_kinds,
        ),
        Fault(
            "cut",
            "the stream breaks off inside event K",
            "unreadable-payload",
            "MervinPraison/PraisonAI#1029",
            data=breaking.cut,
            default=1,
        ),
        Fault(
            "array-not-closed",
            "the array is never closed",
            "array open",
            "avante.nvim#432",
            data=breaking.not_closed,
            dialect="gemini-array",
        ),
    )
}
"""The faults by name."""
