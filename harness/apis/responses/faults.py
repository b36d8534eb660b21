"""Ways for a Responses stream to go wrong, as changes of its written events.

Each names the rule that it breaks or the diagnostic that a reader reports. K is after
how many events it happens; a K behind the end does nothing. Sequence numbers are left
as they are where the network is at fault, and counted on where the server is.
"""

from __future__ import annotations

from typing import Any

from harness.apis.faults import Fault
from harness.apis.responses import breaking

__all__ = ["FAULTS"]


def _ending(kind: str, **fields: Any) -> breaking.Ending:
    """Return a change that ends a response after K events, its open item cut."""
    return breaking.Ending(kind, tuple(fields.items()))


_FAILED = {"code": "server_error", "message": "The server had an error."}
_RATE = {
    "type": "tokens",
    "code": "rate_limit_exceeded",
    "message": "Rate limit reached. Please try again in 2 s.",
    "param": None,
}

_ALL = (
    Fault(
        "cut",
        "the stream ends after K events, without an error",
        breaking.cut,
        ("terminal",),
        "missing-finish",
        4,
        ends="early",
        source="openclaw#109133",
    ),
    Fault(
        "failed",
        "response.failed after K events",
        _ending("response.failed", error=_FAILED),
        (),
        "error-event",
        4,
        source="langchain#39041",
    ),
    Fault(
        "failed-null",
        "response.failed without an error after K events",
        _ending("response.failed", error=None),
        ("reason",),
        "error-event",
        4,
        source="earendil-works/pi#1935",
    ),
    Fault(
        "incomplete",
        "response.incomplete (max_output_tokens) after K events",
        _ending(
            "response.incomplete",
            usage=breaking.USAGE,
            incomplete_details={"reason": "max_output_tokens"},
        ),
        default=6,
        source="openai-python#3538",
    ),
    Fault(
        "filtered",
        "response.incomplete (content_filter) after K events",
        _ending(
            "response.incomplete",
            usage=breaking.USAGE,
            incomplete_details={"reason": "content_filter"},
        ),
        default=6,
        source="openai-python#3538",
    ),
    Fault(
        "cut-in-call",
        "response.incomplete inside the first call's arguments",
        breaking.cut_in_call,
        source="LibreChat-AI/agents#280",
    ),
    Fault(
        "error-flat",
        "an error event as documented after K events",
        _ending("error", **{k: v for k, v in _RATE.items() if k != "type"}),
        (),
        "error-event",
        4,
        source="openai-python#3538",
    ),
    Fault(
        "error-nested",
        "an error event as OpenAI sends it after K events",
        _ending("error", error=_RATE),
        (),
        "error-event",
        4,
        source="goai#88",
    ),
    Fault(
        "done-differs",
        "done items state another text and other arguments",
        breaking.done_differs,
        ("terminal-output",),
        "done-differs",
    ),
    Fault(
        "duplicate", "the Kth event comes twice", breaking.twice, ("sequence",), "", 2
    ),
    Fault(
        "swap",
        "the Kth event and the one after it change places",
        breaking.swapped,
        ("sequence",),
        "",
        4,
    ),
    Fault(
        "id-changes",
        "the response has another id from event K on",
        breaking.other_id,
        ("response-id",),
        "",
        1,
    ),
    Fault(
        "added-twice",
        "every item is added twice",
        breaking.added_twice,
        ("item-once",),
        "",
    ),
    Fault("never-added", "no item is added", breaking.never_added, ("item-added",), ""),
    Fault("never-done", "no item is done", breaking.never_done, ("item-done",), ""),
    Fault(
        "after-done",
        "an item's last delta comes after it is done",
        breaking.after_done,
        ("item-done",),
        "done-differs",
    ),
    Fault(
        "second-start",
        "the response begins again after K events",
        breaking.second_start,
        ("response-id",),
        "illegal-event",
        4,
    ),
    Fault(
        "junk-sequence",
        "the sequence number of event K is a text",
        breaking.junk_number,
        ("sequence",),
        "unread-text",
        3,
    ),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
"""All faults by name."""
