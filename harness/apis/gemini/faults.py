"""Ways for a generateContent stream to go wrong, done to written events or bytes.

Each is a value that names what shows it: a rule that it breaks, a diagnostic that a
reader reports, or a finish reason (`harness.apis.faults`).
"""

from __future__ import annotations

from harness.apis.faults import read_faults
from harness.apis.gemini.breaking import BYTE_CHANGES, CHANGES

__all__ = ["FAULTS"]

_MADE = "made: what a server under test may get wrong"

FAULTS = read_faults(
    "gemini",
    f"""
error | an error after K events, then the end | reported error-event | default 1
    | ends early | source diegosouzapw/OmniRoute#4177
error-then-more | an error after K events, and the rest | breaks error-last | default 1
    | source {_MADE}
empty | no event at all | reported missing-finish | ends early
    | source gateways that time out
no-finish | no finishReason | breaks finish-present
    | source google-genai 3.6 passes it in silence
two-finishes | the finishReason comes twice | breaks finish-once
    | source songquanpeng/one-api#1408
late-text | text after the finishReason | breaks finish-last
    | source songquanpeng/one-api#1408
new-finish | a finishReason that is not documented | breaks finish-known
    | source kartsan03/wiretruth
recitation | finishReason RECITATION after K events | default 1 | ends early
    | finish RECITATION | source Gemini API reference, FinishReason
malformed-call | MALFORMED_FUNCTION_CALL without content after K events | default 0
    | ends early | finish MALFORMED_FUNCTION_CALL
    | source Gemini API reference, FinishReason
no-content | a candidate without content after K events | breaks candidate-empty
    | default 1 | source {_MADE}
other-response | another responseId after K events | breaks same-response | default 1
    | source gateways that retry
blocked | the prompt is refused after K events, and the rest | breaks blocked-alone
    | default 0 | source {_MADE}
user | contents have the role `user` | breaks role | source {_MADE}
call-never-closed | streamed calls are not closed | breaks call-closed
    | dialect partial-args
    | source recordings of vercel/ai, missing-terminal-function-call
call-unnamed | streamed calls lack their beginning | breaks call-named
    | dialect partial-args | source BerriAI/litellm#23815
text-not-ended | texts of streamed calls are not ended | breaks partial-args
    | dialect partial-args | source BerriAI/litellm#23815
same-id | every call has the same id | breaks call-id | source brainlid/langchain#620
args-as-text | `args` is JSON text | breaks call-args
    | source gateways that translate from chat completions
signature | signatures are no base64 | breaks signature
    | source google-genai 3.6 refuses it
two-kinds | a part is text and image at once | breaks part-one-kind | source {_MADE}
cut | the stream breaks off inside event K | reported unreadable-payload | default 1
    | ends early | source MervinPraison/PraisonAI#1029
array-not-closed | the array is never closed | dialect gemini-array
    | source avante.nvim#432
""",
    lambda name: {"change": CHANGES.get(name), "data": BYTE_CHANGES.get(name)},
)
"""The faults by name."""
