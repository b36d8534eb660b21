"""Servers' habits as changes of written events; `harness.apis.responses.dialects`.

Sequence numbers are written after them.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.edits import edited, every, left_out, named, without
from harness.apis.responses.event_types import CALL_EVENTS, DELTAS, DONES, ENDS
from harness.apis.responses.state import CALL_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import Payload
    from harness.apis.edits import Change, Events, Stream


_EVERY = 8  # events between two heartbeats


def _event(kind: str, **fields: Any) -> WrittenEvent:
    return WrittenEvent(kind, {"type": kind, **fields})


def _renamed(event: WrittenEvent, kind: str) -> WrittenEvent:
    return WrittenEvent(kind, {**event.payload, "type": kind})


def _heartbeats(events: Events, kind: str) -> Stream:
    """Send heartbeats before some events; short streams have one too."""
    for number, event in enumerate(events, 1):
        is_due = number == 3 or number % _EVERY == 0
        if is_due and event.name not in ENDS:
            yield _event(kind)
        yield event


def _each_end(edit: Callable[[Payload], Payload]) -> Change:
    """Return the change that edits the response of the last event."""
    return every(
        named(*ENDS), lambda e: [edited(e, response=edit(e.payload["response"]))]
    )


def _finally_named(*types: str) -> Change:
    """Return the change that gives items of some types other ids at the end."""

    def edit(response: Payload) -> Payload:
        output = [
            {**item, "id": f"{item.get('id')}_final"}
            if not types or item.get("type") in types
            else item
            for item in response["output"]
        ]
        return {**response, "output": output}

    return _each_end(edit)


def _failed_twice(event: WrittenEvent) -> Events:
    error = event.payload["response"]["error"]
    return [event, _event("error", error={"type": "server_error", **error})]


def _azure(events: Events) -> Stream:
    """Send heartbeats; send a failure twice."""
    change = every(named("response.failed"), _failed_twice)
    return change(_heartbeats(events, "keepalive"))


def _copilot(events: Events) -> Stream:
    """Give every id anew with every event; the call's `call_id` stays."""
    ids = (f"rotated_{number:04}" for number in count(1))
    for event in events:
        payload = dict(event.payload)
        if "item_id" in payload:
            payload["item_id"] = next(ids)
        if "item" in payload:
            payload["item"] = {**payload["item"], "id": next(ids)}
        if "response" in payload:
            response = dict(payload["response"])
            response["id"] = next(ids)
            response["output"] = [{**i, "id": next(ids)} for i in response["output"]]
            payload["response"] = response
        if event.name in ENDS:
            counts = payload["response"].get("usage") or {}
            payload["copilot_usage"] = {
                "total_nano_aiu": 0,
                "token_details": [
                    {
                        "batch_size": 1_000_000,
                        "cost_per_batch": 0,
                        "token_count": counts.get(f"{side}_tokens", 0),
                        "token_type": side,
                    }
                    for side in ("input", "output")
                ],
            }
        yield WrittenEvent(event.name, payload)


def _openrouter(events: Events) -> Stream:
    """Send heartbeats; end reasoning last; name items otherwise at the end."""
    change = _finally_named("reasoning", "message")
    return change(_heartbeats(_named_dones(events), "response.keep_alive"))


def _named_dones(events: Events) -> Stream:
    """Hold the ends of reasoning back; name the call where its arguments are done."""
    held: list[WrittenEvent] = []
    names: dict[object, object] = {}
    for event in events:
        item, place = event.payload.get("item", {}), event.payload.get("output_index")
        if event.name == "response.output_item.added":
            names[place] = item.get("name")
        if event.name in ENDS:
            yield from held
        if event.name.endswith(".done") and (
            _is_reasoning_part(event)
            or "reasoning" in event.name
            or (item.get("type") == "reasoning" and item.get("content"))
        ):
            held.append(event)
        elif event.name == "response.function_call_arguments.done":
            yield edited(event, name=names.get(place))
        else:
            yield event


_undelta_arguments = every(
    lambda event: event.name in CALL_EVENTS and event.name.endswith(".delta"), left_out
)


def _is_reasoning_part(event: WrittenEvent) -> bool:
    part = event.payload.get("part")
    return type(part) is dict and part.get("type") == "reasoning_text"


_reasoning_parts = every(
    _is_reasoning_part,
    lambda e: [_renamed(e, e.name.replace("content_part", "reasoning_part"))],
)


def _bare(*suffixes: str) -> Change:
    """Return the change that leaves log probabilities out of events and their parts."""
    return every(
        lambda event: event.name.endswith(suffixes),
        lambda e: [WrittenEvent(e.name, _unlogged(e.payload))],
    )


def _unlogged(value: Any) -> Any:
    if type(value) is list:
        return [_unlogged(inner) for inner in value]
    if type(value) is dict:
        return {k: _unlogged(v) for k, v in value.items() if k != "logprobs"}
    return value


def _mcp_undone(events: Events) -> Stream:
    """End no list of MCP tools but the one that was added last."""
    last = -1
    for event in _obfuscated(events):
        item = event.payload.get("item", {})
        if item.get("type") == "mcp_list_tools":
            place = event.payload["output_index"]
            if event.name.endswith(".added"):
                last = place
            elif place < last:
                continue
        yield event


def _without(suffix: str) -> Change:
    return every(lambda event: event.name.endswith(suffix), left_out)


def _vllm(events: Events) -> Stream:
    """Name parts of reasoning otherwise, end no part, give other ids at the end."""
    return _reasoning_parts(_finally_named()(_without("_part.done")(events)))


def _unadded_items(events: Events) -> Stream:
    """Leave out that items and parts are added, but for calls, which carry a name."""
    for event in _without("_part.added")(events):
        is_added = event.name == "response.output_item.added"
        if not is_added or event.payload["item"].get("type") in CALL_TYPES:
            yield event


def _calls_without_id(events: Events) -> Stream:
    """Leave the ids out of the items and events of calls."""
    ids: set[str] = set()
    for event in events:
        payload = event.payload
        item = payload.get("item")
        if type(item) is dict and item.get("type") in CALL_TYPES:
            ids.add(str(item.get("id")))
            payload = {**payload, "item": without(item, "id")}
        elif payload.get("item_id") in ids:
            payload = without(payload, "item_id")
        elif event.name in ENDS:
            response = payload["response"]
            output = [
                without(i, "id") if i.get("type") in CALL_TYPES else i
                for i in response["output"]
            ]
            payload = {**payload, "response": {**response, "output": output}}
        yield WrittenEvent(event.name, payload)


def _interleaved(events: Events) -> Stream:
    """Add neighbouring calls, let fragments take turns, then end the last first."""
    calls: dict[int, list[WrittenEvent]] = {}
    for event in events:
        if _is_of_call(event):
            calls.setdefault(event.payload["output_index"], []).append(event)
            continue
        yield from _take_turns(list(calls.values()))
        calls.clear()
        yield event
    yield from _take_turns(list(calls.values()))


def _is_of_call(event: WrittenEvent) -> bool:
    item = event.payload.get("item")
    if type(item) is dict:
        return item.get("type") in CALL_TYPES
    return event.name in CALL_EVENTS


def _take_turns(calls: list[list[WrittenEvent]]) -> Events:
    added = [e for call in calls for e in call if e.name.endswith("item.added")]
    deltas = [[e for e in call if e.name.endswith(".delta")] for call in calls]
    # The last first, as a server's parallel searches end in any order.
    ended = [e for call in calls[::-1] for e in call if e.name.endswith(".done")]
    turns = max(map(len, deltas), default=0)
    middle = [d[turn] for turn in range(turns) for d in deltas if turn < len(d)]
    return [*added, *middle, *ended]


def _obfuscated(events: Events) -> Stream:
    """Pad every delta to a length that hides its own."""
    number = 0
    for event in events:
        delta = event.payload.get("delta")
        if type(delta) is not str:
            yield event
            continue
        number += 1
        length = max(0, 16 - len(delta))
        padding = "".join(_LETTERS[(number * 7 + n * 11) % 62] for n in range(length))
        yield edited(event, obfuscation=padding)


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _is_delta(event: WrittenEvent) -> bool:
    is_of_text_or_call = event.name in DELTAS or event.name in CALL_EVENTS
    return is_of_text_or_call and event.name.endswith(".delta")


def _with_limits(event: WrittenEvent) -> Events:
    limits = [{"name": "requests", "limit": 500, "remaining": 499}]
    return [event, _event("response.rate_limits.updated", rate_limits=limits)]


def _queued(event: WrittenEvent) -> Events:
    """Let the response wait in a queue before it begins."""
    response = {**event.payload["response"], "status": "queued"}
    return [
        edited(event, response=response),
        _event("response.queued", response=response),
    ]


EDITS: dict[str, Change] = {
    "azure": _azure,
    "copilot": _copilot,
    "openrouter": _openrouter,
    "openrouter-reasoning": every(
        lambda event: event.name.startswith("response.reasoning_text."),
        lambda e: [_renamed(e, e.name.replace("reasoning_text", "reasoning"))],
    ),
    "lmstudio": _undelta_arguments,
    "codex-spark": _undelta_arguments,
    "bedrock": lambda events: _bare("part.done", "item.done", *ENDS)(
        _reasoning_parts(events)
    ),
    "vllm": _vllm,
    "litellm": _without("_part.added"),
    "litellm-old": _unadded_items,
    "chatgpt-codex": _each_end(lambda response: {**response, "output": []}),
    "9router": _each_end(lambda response: without(response, "output", "usage")),
    "item-without-id": _calls_without_id,
    "interleaved-calls": _interleaved,
    "index-gap": every(
        lambda event: "output_index" in event.payload,
        lambda e: [edited(e, output_index=2 * e.payload["output_index"] + 1)],
    ),
    "no-text-done": every(named(*DONES), left_out),
    "no-sequence": _bare(""),
    "no-logprobs": _bare(""),
    "xai": _bare("output_text.done"),
    "mcp-undone": _mcp_undone,
    "data-only": _obfuscated,
    "item-only": every(named(*CALL_EVENTS), left_out),
    "done-only": every(named(*DELTAS), left_out),
    "obfuscated": _obfuscated,
    "empty-deltas": every(_is_delta, lambda event: [edited(event, delta=""), event]),
    "unknown-event": every(named("response.in_progress"), _with_limits),
    "completed-but-incomplete": every(
        named("response.incomplete"), lambda e: [_renamed(e, "response.completed")]
    ),
    "no-created": every(named("response.created", "response.in_progress"), left_out),
    "background": every(named("response.created"), _queued),
}
"""By dialect."""
