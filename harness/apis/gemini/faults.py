"""Ways for a generateContent stream to go wrong, done to written events or bytes.

Each is a value that names what shows it: a rule that it breaks, a diagnostic that a
reader reports, or a finish reason. K is after how many events it happens; a K behind
the end does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

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
    source: str
    """Where it was seen."""
    change: Callable[[Iterable[WrittenEvent], int], Iterator[WrittenEvent]] | None = (
        field(default=None, repr=False, compare=False)
    )
    """What it makes of a stream, given its number; None for a fault of bytes."""
    data: Callable[[Iterable[bytes], int], Iterator[bytes]] | None = field(
        default=None, repr=False, compare=False
    )
    """What it makes of the bytes of each event; None for a fault of events."""
    breaks: str = ""
    """The rule that it breaks, without `gemini/`; empty if it breaks none."""
    reported: str = ""
    """The kind of diagnostic that the reader reports; empty if it reports none."""
    finish: str = ""
    """The finish reason that it ends with; empty if it changes none."""
    default: int | None = None
    """The number where none is given; None if it takes no number."""
    ends_early: bool = False
    """Whether nothing comes after it."""
    dialect: str = ""
    """The dialect that it needs; empty where any will do."""

    status: ClassVar[int] = 200
    body: ClassVar[None] = None
    is_silent: ClassVar[bool] = False

    def apply(
        self, events: Iterable[WrittenEvent], number: int | None = None
    ) -> Iterator[WrittenEvent]:
        """Break a stream, lazily.

        Args:
            events: As a writer returned them; payloads are replaced, never changed.
            number: After how many events; None for `default`.

        Returns:
            The broken stream; the same where it is a fault of bytes.
        """
        if self.change is None:
            return iter(events)
        return self.change(events, (self.default or 0) if number is None else number)

    def apply_bytes(
        self, frames: Iterable[bytes], number: int | None = None
    ) -> Iterator[bytes]:
        """Break the bytes of each event; the same where it is a fault of events."""
        if self.data is None:
            return iter(frames)
        return self.data(frames, (self.default or 0) if number is None else number)


_MADE = "made: what a server under test may get wrong"

FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "error",
            "an error after K events, then the end",
            "diegosouzapw/OmniRoute#4177",
            breaking.error,
            reported="error-event",
            default=1,
            ends_early=True,
        ),
        Fault(
            "error-then-more",
            "an error after K events, and the rest",
            _MADE,
            breaking.error_then_more,
            breaks="error-last",
            default=1,
        ),
        Fault(
            "empty",
            "no event at all",
            "gateways that time out",
            breaking.empty,
            reported="missing-finish",
            ends_early=True,
        ),
        Fault(
            "no-finish",
            "no finishReason",
            "google-genai 3.6 passes it in silence",
            breaking.no_finish,
            breaks="finish-present",
        ),
        Fault(
            "two-finishes",
            "the finishReason comes twice",
            "songquanpeng/one-api#1408",
            breaking.two_finishes,
            breaks="finish-once",
        ),
        Fault(
            "late-text",
            "text after the finishReason",
            "songquanpeng/one-api#1408",
            breaking.late_text,
            breaks="finish-last",
        ),
        Fault(
            "new-finish",
            "a finishReason that is not documented",
            "kartsan03/wiretruth",
            breaking.new_finish,
            breaks="finish-known",
        ),
        Fault(
            "recitation",
            "finishReason RECITATION after K events",
            "Gemini API reference, FinishReason",
            breaking.recitation,
            finish="RECITATION",
            default=1,
            ends_early=True,
        ),
        Fault(
            "malformed-call",
            "MALFORMED_FUNCTION_CALL without content after K events",
            "Gemini API reference, FinishReason",
            breaking.malformed,
            finish="MALFORMED_FUNCTION_CALL",
            default=0,
            ends_early=True,
        ),
        Fault(
            "no-content",
            "a candidate without content after K events",
            _MADE,
            breaking.no_content,
            breaks="candidate-empty",
            default=1,
        ),
        Fault(
            "other-response",
            "another responseId after K events",
            "gateways that retry",
            breaking.other_response,
            breaks="same-response",
            default=1,
        ),
        Fault(
            "blocked",
            "the prompt is refused after K events, and the rest",
            _MADE,
            breaking.blocked,
            breaks="blocked-alone",
            default=0,
        ),
        Fault(
            "user", "contents have the role `user`", _MADE, breaking.user, breaks="role"
        ),
        Fault(
            "call-never-closed",
            "streamed calls are not closed",
            "recordings of vercel/ai, missing-terminal-function-call",
            breaking.never_closed,
            breaks="call-closed",
            dialect="partial-args",
        ),
        Fault(
            "call-unnamed",
            "streamed calls lack their beginning",
            "BerriAI/litellm#23815",
            breaking.unnamed,
            breaks="call-named",
            dialect="partial-args",
        ),
        Fault(
            "text-not-ended",
            "texts of streamed calls are not ended",
            "BerriAI/litellm#23815",
            breaking.text_not_ended,
            breaks="partial-args",
            dialect="partial-args",
        ),
        Fault(
            "same-id",
            "every call has the same id",
            "brainlid/langchain#620",
            breaking.same_id,
            breaks="call-id",
        ),
        Fault(
            "args-as-text",
            "`args` is JSON text",
            "gateways that translate from chat completions",
            breaking.args_as_text,
            breaks="call-args",
        ),
        Fault(
            "signature",
            "signatures are no base64",
            "google-genai 3.6 refuses it",
            breaking.signature,
            breaks="signature",
        ),
        Fault(
            "two-kinds",
            "a part is text and image at once",
            _MADE,
            breaking.two_kinds,
            breaks="part-one-kind",
        ),
        Fault(
            "cut",
            "the stream breaks off inside event K",
            "MervinPraison/PraisonAI#1029",
            data=breaking.cut,
            reported="unreadable-payload",
            default=1,
            ends_early=True,
        ),
        Fault(
            "array-not-closed",
            "the array is never closed",
            "avante.nvim#432",
            data=breaking.not_closed,
            dialect="gemini-array",
        ),
    )
}
"""The faults by name."""
