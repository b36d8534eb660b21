"""Ways for a generateContent stream to go wrong, done to written events or bytes.

Each is a value that names what shows it: a rule that it breaks, a diagnostic that a
reader reports, or a finish reason. K is after how many events it happens; a K behind
the end does nothing.
"""

from __future__ import annotations

from harness.apis.faults import Fault
from harness.apis.gemini import breaking

__all__ = ["FAULTS"]


_MADE = "made: what a server under test may get wrong"

FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "error",
            "an error after K events, then the end",
            breaking.error,
            source="diegosouzapw/OmniRoute#4177",
            reported="error-event",
            default=1,
            ends="early",
        ),
        Fault(
            "error-then-more",
            "an error after K events, and the rest",
            breaking.error_then_more,
            source=_MADE,
            breaks=("error-last",),
            default=1,
        ),
        Fault(
            "empty",
            "no event at all",
            breaking.empty,
            source="gateways that time out",
            reported="missing-finish",
            ends="early",
        ),
        Fault(
            "no-finish",
            "no finishReason",
            breaking.no_finish,
            source="google-genai 3.6 passes it in silence",
            breaks=("finish-present",),
        ),
        Fault(
            "two-finishes",
            "the finishReason comes twice",
            breaking.two_finishes,
            source="songquanpeng/one-api#1408",
            breaks=("finish-once",),
        ),
        Fault(
            "late-text",
            "text after the finishReason",
            breaking.late_text,
            source="songquanpeng/one-api#1408",
            breaks=("finish-last",),
        ),
        Fault(
            "new-finish",
            "a finishReason that is not documented",
            breaking.new_finish,
            source="kartsan03/wiretruth",
            breaks=("finish-known",),
        ),
        Fault(
            "recitation",
            "finishReason RECITATION after K events",
            breaking.recitation,
            source="Gemini API reference, FinishReason",
            finish="RECITATION",
            default=1,
            ends="early",
        ),
        Fault(
            "malformed-call",
            "MALFORMED_FUNCTION_CALL without content after K events",
            breaking.malformed,
            source="Gemini API reference, FinishReason",
            finish="MALFORMED_FUNCTION_CALL",
            default=0,
            ends="early",
        ),
        Fault(
            "no-content",
            "a candidate without content after K events",
            breaking.no_content,
            source=_MADE,
            breaks=("candidate-empty",),
            default=1,
        ),
        Fault(
            "other-response",
            "another responseId after K events",
            breaking.other_response,
            source="gateways that retry",
            breaks=("same-response",),
            default=1,
        ),
        Fault(
            "blocked",
            "the prompt is refused after K events, and the rest",
            breaking.blocked,
            source=_MADE,
            breaks=("blocked-alone",),
            default=0,
        ),
        Fault(
            "user",
            "contents have the role `user`",
            breaking.user,
            source=_MADE,
            breaks=("role",),
        ),
        Fault(
            "call-never-closed",
            "streamed calls are not closed",
            breaking.never_closed,
            source="recordings of vercel/ai, missing-terminal-function-call",
            breaks=("call-closed",),
            dialect="partial-args",
        ),
        Fault(
            "call-unnamed",
            "streamed calls lack their beginning",
            breaking.unnamed,
            source="BerriAI/litellm#23815",
            breaks=("call-named",),
            dialect="partial-args",
        ),
        Fault(
            "text-not-ended",
            "texts of streamed calls are not ended",
            breaking.text_not_ended,
            source="BerriAI/litellm#23815",
            breaks=("partial-args",),
            dialect="partial-args",
        ),
        Fault(
            "same-id",
            "every call has the same id",
            breaking.same_id,
            source="brainlid/langchain#620",
            breaks=("call-id",),
        ),
        Fault(
            "args-as-text",
            "`args` is JSON text",
            breaking.args_as_text,
            source="gateways that translate from chat completions",
            breaks=("call-args",),
        ),
        Fault(
            "signature",
            "signatures are no base64",
            breaking.signature,
            source="google-genai 3.6 refuses it",
            breaks=("signature",),
        ),
        Fault(
            "two-kinds",
            "a part is text and image at once",
            breaking.two_kinds,
            source=_MADE,
            breaks=("part-one-kind",),
        ),
        Fault(
            "cut",
            "the stream breaks off inside event K",
            source="MervinPraison/PraisonAI#1029",
            data=breaking.cut,
            reported="unreadable-payload",
            default=1,
            ends="early",
        ),
        Fault(
            "array-not-closed",
            "the array is never closed",
            source="avante.nvim#432",
            data=breaking.not_closed,
            dialect="gemini-array",
        ),
    )
}
"""The faults by name."""
