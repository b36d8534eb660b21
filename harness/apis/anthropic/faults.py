"""Ways for a Messages stream to go wrong (`harness.apis.faults`)."""

from __future__ import annotations

from harness.apis.anthropic.breaking import CHANGES
from harness.apis.anthropic.message import ERROR_TYPES
from harness.apis.faults import read_faults

__all__ = ["FAULTS"]

_ERRORS = "\n".join(
    f"{kind.replace('_', '-')} | an error event of the type {kind} after K events, "
    "then the end | reported error-event | default 3 | ends early"
    for kind in ERROR_TYPES
)
_BODIES = {
    "overloaded-before": {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_0",
    }
}

FAULTS = read_faults(
    "anthropic",
    f"""
{_ERRORS}
overloaded-before | status 529 and an error instead of a stream | reported error-event
    | status 529
cut-events | the stream ends after K events | breaks stop-last delta-once
    | reported missing-done | default 3 | ends early
silence | nothing more comes after K events, not even pings, and nothing closes
    | breaks stop-last delta-once | reported missing-done | default 3 | ends never
no-message-stop | the stream ends without message_stop | breaks stop-last
    | reported missing-done | ends early
no-message-delta | no message_delta, so no stop_reason | breaks delta-once
    | reported missing-finish
cut-in-input | the stream ends inside the JSON of the first call
    | breaks stop-last delta-once block-stopped | reported missing-done | ends early
cut-after-name | the stream ends behind the name of the first call
    | breaks stop-last delta-once block-stopped | reported missing-done | ends early
max-tokens | max_tokens inside the JSON of the first call | reported malformed-arguments
max-tokens-unstopped | the same without the content_block_stop of the call
    | breaks block-stopped | reported malformed-arguments
no-start | no message_start | breaks start-first
no-block-start | the first block has no content_block_start
    | breaks block-open block-index | reported illegal-event
no-block-stop | no block has a content_block_stop
    | breaks block-bracket block-stopped
start-twice | the first block starts twice | breaks block-bracket block-index
unopened-delta | after K events text for a block that never began | breaks block-open
    | reported illegal-event | default 1
delta-after-stop | text for the first block after it has stopped | breaks block-open
    | reported illegal-event
wrong-delta | the first piece of text comes as reasoning, or the other way round
    | breaks delta-type
no-signature | reasoning without its signature | breaks thinking-signed
two-signatures | the first signature comes twice | breaks thinking-signed
bad-json | the input of the first call is no JSON | breaks input-object
    | reported malformed-arguments
trailing-junk | a brace too many behind the input of the first call
    | breaks input-object | reported malformed-arguments
reason-null | stop_reason null in message_delta | breaks delta-reason
    | reported missing-finish
two-message-deltas | message_delta comes twice | breaks delta-once
two-message-stops | message_stop comes twice | breaks stop-last | reported after-done
""",
    lambda name: {"change": CHANGES[name], "body": _BODIES.get(name)},
)
"""Every fault, in the order of a help text."""
