"""Ways for a Messages stream to go wrong.

A fault is a value: it pickles and compares. It names the rules that it breaks and what
the reader, or who reads the calls' arguments, reports of it. A position beyond the end
of the stream does nothing, and so does a fault of what the stream has not.
"""

from __future__ import annotations

from functools import partial

from harness.apis.anthropic import breaking
from harness.apis.anthropic.message import ERROR_TYPES
from harness.apis.faults import Fault
from harness.core.diagnostics import DiagnosticKind

__all__ = ["FAULTS"]

_MISSING_DONE = DiagnosticKind.MISSING_DONE
_MALFORMED = DiagnosticKind.MALFORMED_ARGUMENTS

_ALL = (
    *(
        Fault(
            kind.replace("_", "-"),
            f"an error event of the type {kind} after K events, then the end",
            partial(breaking.error, word=kind),
            reported=DiagnosticKind.ERROR_EVENT,
            default=3,
            ends="early",
        )
        for kind in ERROR_TYPES
    ),
    Fault(
        "overloaded-before",
        "status 529 and an error instead of a stream",
        breaking.nothing,
        reported=DiagnosticKind.ERROR_EVENT,
        status=529,
        body={
            "type": "error",
            "error": {"type": "overloaded_error", "message": "Overloaded"},
            "request_id": "req_0",
        },
    ),
    Fault(
        "cut-events",
        "the stream ends after K events",
        breaking.cut,
        ("stop-last", "delta-once"),
        _MISSING_DONE,
        default=3,
        ends="early",
    ),
    Fault(
        "silence",
        "nothing more comes after K events, not even pings, and nothing closes",
        breaking.cut,
        ("stop-last", "delta-once"),
        _MISSING_DONE,
        default=3,
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
        reported=_MALFORMED,
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
        default=1,
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
