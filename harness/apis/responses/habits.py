"""Servers' habits as changes of written events; `harness.apis.responses.dialects`.

A change takes an event, or None at the end, and what it keeps from event to event; it
returns the events that are sent instead. Payloads are replaced, never changed. Sequence
numbers are written after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.responses.event_types import CALL_EVENTS, DELTAS, DONES, ENDS
from harness.apis.responses.state import CALL_TYPES

if TYPE_CHECKING:
    from harness.apis.base import Payload

Events = list[WrittenEvent]
Kept = dict[str, Any]

_EVERY = 8  # events between two heartbeats


def _event(kind: str, **fields: Any) -> WrittenEvent:
    return WrittenEvent(kind, {"type": kind, **fields})


def _with(event: WrittenEvent, **fields: Any) -> WrittenEvent:
    payload = {**event.payload, **fields}
    return WrittenEvent(str(payload["type"]), payload)


def _without(payload: Payload, *names: str) -> Payload:
    return {key: value for key, value in payload.items() if key not in names}


def _heartbeat(event: WrittenEvent, kept: Kept, kind: str) -> Events:
    """Return an event, behind a heartbeat where one is due."""
    count = kept["count"] = kept.get("count", 0) + 1
    is_due = count == 3 or count % _EVERY == 0  # short streams have one too
    return [_event(kind), event] if is_due and event.name not in ENDS else [event]


def azure(event: WrittenEvent | None, kept: Kept) -> Events:
    """Send heartbeats; send a failure twice."""
    if event is None:
        return []
    events = _heartbeat(event, kept, "keepalive")
    if event.name == "response.failed":
        error = event.payload["response"]["error"]
        events.append(_event("error", error={"type": "server_error", **error}))
    return events


def copilot(event: WrittenEvent | None, kept: Kept) -> Events:
    """Give every id anew with every event; the call's `call_id` stays."""
    if event is None:
        return []

    def fresh() -> str:
        kept["ids"] = kept.get("ids", 0) + 1
        return f"rotated_{kept['ids']:04}"

    payload = dict(event.payload)
    if "item_id" in payload:
        payload["item_id"] = fresh()
    if "item" in payload:
        payload["item"] = {**payload["item"], "id": fresh()}
    if "response" in payload:
        response = dict(payload["response"])
        response["id"] = fresh()
        response["output"] = [{**item, "id": fresh()} for item in response["output"]]
        payload["response"] = response
    if event.name in ENDS:
        payload["copilot_usage"] = {"total_nano_aiu": 0, "token_details": []}
    return [WrittenEvent(event.name, payload)]


def openrouter(event: WrittenEvent | None, kept: Kept) -> Events:
    """Send heartbeats; name the items of reasoning otherwise at the end."""
    if event is None:
        return []
    events = _heartbeat(event, kept, "response.keep_alive")
    if event.name in ENDS:
        response = event.payload["response"]
        output = [
            {**item, "id": f"{item.get('id')}_final"}
            if item.get("type") in ("reasoning", "message")
            else item
            for item in response["output"]
        ]
        events[-1] = _with(event, response={**response, "output": output})
    return events


def old_reasoning(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Name the events of reasoning as older servers do."""
    if event is None:
        return []
    if event.name.startswith("response.reasoning_text."):
        return [_with(event, type=event.name.replace("reasoning_text", "reasoning"))]
    return [event]


def undelta_arguments(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Leave out the deltas of calls' arguments."""
    is_delta = event is not None and event.name in CALL_EVENTS
    if event is None or (is_delta and event.name.endswith(".delta")):
        return []
    return [event]


def reasoning_parts(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Name the events of the parts of reasoning otherwise."""
    if event is None:
        return []
    part = event.payload.get("part")
    if type(part) is dict and part.get("type") == "reasoning_text":
        return [_with(event, type=event.name.replace("content_part", "reasoning_part"))]
    return [event]


def vllm(event: WrittenEvent | None, kept: Kept) -> Events:
    """Name parts of reasoning otherwise, end no part, give other ids at the end."""
    if event is None or event.name.endswith("_part.done"):
        return []
    if event.name in ENDS:
        response = event.payload["response"]
        output = [{**i, "id": f"{i.get('id')}_final"} for i in response["output"]]
        return [_with(event, response={**response, "output": output})]
    return reasoning_parts(event, kept)


def unadded_parts(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Leave out that parts are added."""
    if event is None or event.name.endswith("_part.added"):
        return []
    return [event]


def unadded_items(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Leave out that items and parts are added, but for calls, which carry a name."""
    if event is None or event.name.endswith("_part.added"):
        return []
    if event.name == "response.output_item.added":
        is_call = event.payload["item"].get("type") in CALL_TYPES
        return [event] if is_call else []
    return [event]


def empty_output(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Empty the output of the last event."""
    if event is None:
        return []
    if event.name in ENDS:
        return [_with(event, response={**event.payload["response"], "output": []})]
    return [event]


def bare_end(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Leave output and usage out of the last event."""
    if event is None:
        return []
    if event.name in ENDS:
        response = _without(event.payload["response"], "output", "usage")
        return [_with(event, response=response)]
    return [event]


def calls_without_id(event: WrittenEvent | None, kept: Kept) -> Events:
    """Leave the ids out of the items and events of calls."""
    if event is None:
        return []
    payload = event.payload
    item = payload.get("item")
    if type(item) is dict and item.get("type") in CALL_TYPES:
        kept[str(item.get("id"))] = True
        payload = {**payload, "item": _without(item, "id")}
    elif payload.get("item_id") in kept:
        payload = _without(payload, "item_id")
    elif event.name in ENDS:
        response = payload["response"]
        output = [
            _without(i, "id") if i.get("type") in CALL_TYPES else i
            for i in response["output"]
        ]
        payload = {**payload, "response": {**response, "output": output}}
    return [WrittenEvent(event.name, payload)]


def interleaved(event: WrittenEvent | None, kept: Kept) -> Events:
    """Add neighbouring calls, let their fragments take turns, then end them."""
    calls: dict[int, Events] = kept.setdefault("calls", {})
    if event is not None and _is_of_call(event):
        calls.setdefault(event.payload["output_index"], []).append(event)
        return []
    events = _take_turns(list(calls.values()))
    calls.clear()
    return events if event is None else [*events, event]


def _is_of_call(event: WrittenEvent) -> bool:
    item = event.payload.get("item")
    if type(item) is dict:
        return item.get("type") in CALL_TYPES
    return event.name in CALL_EVENTS


def _take_turns(calls: list[Events]) -> Events:
    added = [e for call in calls for e in call if e.name.endswith("item.added")]
    deltas = [[e for e in call if e.name.endswith(".delta")] for call in calls]
    ended = [e for call in calls for e in call if e.name.endswith(".done")]
    turns = max(map(len, deltas), default=0)
    middle = [d[turn] for turn in range(turns) for d in deltas if turn < len(d)]
    return [*added, *middle, *ended]


def index_gap(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Use every other output index."""
    if event is None:
        return []
    if "output_index" in event.payload:
        return [_with(event, output_index=2 * event.payload["output_index"] + 1)]
    return [event]


def no_text_done(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Leave out the done events of texts."""
    return [] if event is None or event.name in DONES else [event]


def done_only(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Leave out the deltas of texts."""
    return [] if event is None or event.name in DELTAS else [event]


def obfuscated(event: WrittenEvent | None, kept: Kept) -> Events:
    """Pad every delta to a length that hides its own."""
    if event is None:
        return []
    delta = event.payload.get("delta")
    if type(delta) is not str:
        return [event]
    count = kept["count"] = kept.get("count", 0) + 1
    length = max(0, 16 - len(delta))
    padding = "".join(_LETTERS[(count * 7 + n * 11) % 62] for n in range(length))
    return [_with(event, obfuscation=padding)]


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def empty_deltas(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Send an empty delta before every delta of text and of arguments."""
    if event is None:
        return []
    is_delta = event.name in DELTAS or event.name in CALL_EVENTS
    if is_delta and event.name.endswith(".delta"):
        return [_with(event, delta=""), event]
    return [event]


def unknown_event(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Send an event that no reference has, once the response has begun."""
    if event is None:
        return []
    if event.name == "response.in_progress":
        limits = [{"name": "requests", "limit": 500, "remaining": 499}]
        return [event, _event("response.rate_limits.updated", rate_limits=limits)]
    return [event]


def completed_anyway(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Name an incomplete response completed; its status states the truth."""
    if event is None:
        return []
    if event.name == "response.incomplete":
        return [_with(event, type="response.completed")]
    return [event]


def queued(event: WrittenEvent | None, _kept: Kept) -> Events:
    """Let the response wait in a queue before it begins."""
    if event is None:
        return []
    if event.name == "response.created":
        response = {**event.payload["response"], "status": "queued"}
        waiting = _event("response.queued", response=response)
        return [_with(event, response=response), waiting]
    return [event]
