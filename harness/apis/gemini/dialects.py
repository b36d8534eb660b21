"""How servers and gateways send a generateContent stream: one value a habit.

A dialect changes how a stream is written (`Style`) and how its events are framed, never
what it amounts to, but for what `cannot` lists.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.dialects import read_dialects
from harness.apis.edits import without
from harness.apis.framing import Framing
from harness.apis.gemini.pending import STANDARD, Style
from harness.apis.gemini.values import in_snake_case
from harness.apis.gemini.writer import Writer

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.apis.edits import Events, Stream


def _stop_everywhere(payload: Payload) -> Payload:
    candidates: list[dict[str, Any]] = payload.get("candidates", [])
    stopped = [{"finishReason": "STOP", **entry} for entry in candidates]
    return {**payload, "candidates": stopped} if stopped else payload


def _wrapped(payload: Payload) -> Payload:
    return {"response": payload, "traceId": "0000000000000000"}


def _usage_alone(events: Events) -> Stream:
    """Send token counts in an event of their own, without candidates."""
    for event in events:
        payload = event.payload
        if "candidates" in payload and "usageMetadata" in payload:
            yield WrittenEvent(event.name, without(payload, "usageMetadata"))
            payload = without(payload, "candidates")
        yield WrittenEvent(event.name, payload)


def _finish_alone(payload: Payload) -> Payload:
    """Leave out the content of a finish that has an empty text."""
    empty = [{"text": ""}]
    candidates = [
        without(entry, "content")
        if "finishReason" in entry and entry.get("content", {}).get("parts") == empty
        else entry
        for entry in payload.get("candidates", [])
    ]
    return {**payload, "candidates": candidates} if candidates else payload


_STYLES = {
    "vertex": Style(has_index=False),
    "partial-args": Style(has_index=False, is_partial=True),
    "ids": Style(ids="made"),
    "no-ids": Style(ids="none"),
    "stop-everywhere": Style(edit=_stop_everywhere),
    "finish-alone": Style(edit=_finish_alone),
    "one-call-an-event": Style(calls="one an event"),
    "all-calls-one-event": Style(calls="all in one event"),
    "signature-on-empty-text": Style(signs_empty_text=True),
    "no-thoughts": Style(has_thoughts=False),
    "usage-last-only": Style(counts_every_event=False),
    "usage-alone": Style(counts_every_event=False),
    "no-response-id": Style(has_response_id=False),
    "snake-case": Style(edit=in_snake_case),
    "code-assist": Style(edit=_wrapped),
}
_USUAL = Framing(newline="\r\n", has_done=False)
_FRAMINGS = {
    "gemini-array": Framing(has_done=False, is_array=True),
    "with-done": Framing(has_done=True),
    "lf": Framing(has_done=False),
    "keep-alive": replace(_USUAL, comment="keep-alive", comment_every=1),
}

DIALECTS = read_dialects(
    "gemini",
    lambda name, _cells: {
        "writer": partial(Writer, _STYLES.get(name, STANDARD)),
        "edit": _usage_alone if name == "usage-alone" else None,
        "framing": _FRAMINGS.get(name, _USUAL),
    },
)
"""The dialects by name, the standard one first."""
