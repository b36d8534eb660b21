"""Ways for a Responses stream to go wrong, as changes of its written events.

Each takes a stream and a number. Payloads are replaced, never changed. Sequence
numbers are left as they are where the network is at fault, and counted on where the
server is (`harness.apis.faults`).
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.edits import at_number, cut, edited, every, left_out, twice
from harness.apis.faults import read_faults
from harness.apis.responses.event_types import CALL_EVENTS, DELTAS
from harness.apis.responses.state import CALL_TYPES
from harness.apis.responses.written import response_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.edits import Change, Events, Stream


def _event(
    like: WrittenEvent, kind: str, number: object, **fields: Any
) -> WrittenEvent:
    payload: dict[str, Any] = {"type": kind}
    if "sequence_number" in like.payload:
        payload["sequence_number"] = number
    return WrittenEvent(kind if like.name else "", {**payload, **fields})


def _kind_of(event: WrittenEvent) -> str:
    """Return an event's type; its name may be left out."""
    return str(event.payload.get("type", ""))


def _ended(events: Stream, number: int, kind: str, **fields: Any) -> Stream:
    """End a response after K events, the open items as far as they have come."""
    seen = list(islice(events, number))
    yield from seen
    if next(events, None) is None or not seen:
        return
    last = seen[-1]
    count = len(seen)
    if kind == "error":
        yield _event(last, "error", count, **fields)
        return
    began = seen[0].payload.get("response", {})
    response = response_object(
        str(began.get("id", "")),
        str(began.get("model", "")),
        began.get("created_at", 0),
        kind.removeprefix("response."),
    )
    response["output"] = [
        event.payload["item"]
        for event in seen
        if _kind_of(event) == "response.output_item.done"
    ]
    response["output"] += [_cut_item(seen, index) for index in _open_items(seen)]
    yield _event(last, kind, count, response={**response, **fields})


def _open_items(seen: list[WrittenEvent]) -> list[int]:
    """Return the indices of the items that were added and not done."""
    found: dict[int, None] = {}
    for event in seen:
        if _kind_of(event) == "response.output_item.added":
            found[event.payload["output_index"]] = None
        elif _kind_of(event) == "response.output_item.done":
            found.pop(event.payload["output_index"], None)
    return list(found)


def _cut_item(seen: list[WrittenEvent], index: int) -> dict[str, Any]:
    """Return an item as far as it has come."""
    item: dict[str, Any] = {}
    texts: dict[tuple[str, str, int], str] = {}
    arguments = ""
    for event in seen:
        payload, kind = event.payload, _kind_of(event)
        if payload.get("output_index") != index:
            continue
        if kind == "response.output_item.added":
            item = {**payload["item"], "status": "incomplete"}
        elif kind in DELTAS:
            text = DELTAS[kind]
            place = text.name, text.field, payload[text.index_field]
            texts[place] = texts.get(place, "") + payload["delta"]
        elif kind in CALL_EVENTS and kind.endswith(".delta"):
            arguments += payload["delta"]
    if item.get("type") in CALL_TYPES:
        item[CALL_TYPES[item["type"]][1]] = arguments
    for (name, field, _), held in texts.items():
        parts = "summary" if name == "summary_text" else "content"
        part = {"type": name, field: held}
        item[parts] = [*item.get(parts, []), part]
    return item


def _incomplete(reason: str) -> Change:
    return partial(
        _ended,
        kind="response.incomplete",
        usage=_USAGE,
        incomplete_details={"reason": reason},
    )


def _cut_in_call(events: Stream, _number: int) -> Stream:
    """End the response inside the arguments of its first call."""
    seen: list[WrittenEvent] = []
    for event in events:
        seen.append(event)
        if _kind_of(event) == "response.function_call_arguments.delta":
            delta = event.payload["delta"]
            seen[-1] = edited(event, delta=delta[: max(1, len(delta) // 2)])
            stream = iter([*seen, event])
            yield from _incomplete("max_output_tokens")(stream, len(seen))
            return
    yield from seen


_USAGE = {
    "input_tokens": 31,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 16,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 47,
}


def _done_differs(events: Stream, _number: int) -> Stream:
    """State another text or other arguments in every done item."""
    for event in events:
        if _kind_of(event) != "response.output_item.done":
            yield event
            continue
        item = event.payload["item"]
        field = CALL_TYPES.get(item.get("type"), ("", ""))[1]
        if field:
            item = {**item, field: '{"other": true}'}
        for parts in ("content", "summary"):
            if item.get(parts):
                first = item[parts][0]
                text = "refusal" if "refusal" in first else "text"
                item = {**item, parts: [{**first, text: "Another text."}]}
        yield edited(event, item=item)


def _swapped(events: Stream, number: int) -> Stream:
    """Let the Kth event and the next change places."""
    yield from islice(events, max(0, number - 1))
    pair = list(islice(events, 2))
    yield from reversed(pair)
    yield from events


def _other_id(events: Stream, number: int) -> Stream:
    """Give the response another id from event K on."""
    for count, event in enumerate(events):
        response = event.payload.get("response")
        if count >= number and type(response) is dict:
            yield edited(event, response={**response, "id": "resp_of_another"})
        else:
            yield event


def _counted(events: Stream) -> Stream:
    """Number the events anew: a server at fault counts all the same."""
    for count, event in enumerate(events):
        if "sequence_number" in event.payload:
            yield edited(event, sequence_number=count)
        else:
            yield event


def _late_deltas(events: Stream, _number: int) -> Stream:
    """Send the last delta of an item behind its done event."""
    held: list[WrittenEvent] = []
    for event in events:
        kind = _kind_of(event)
        if kind in DELTAS or (kind in CALL_EVENTS and kind.endswith(".delta")):
            yield from held
            held = [event]
            continue
        yield event
        is_done = kind == "response.output_item.done" and held
        if is_done and _same_item(held[0], event):
            yield from held
            held = []
    yield from held


def _same_item(one: WrittenEvent, other: WrittenEvent) -> bool:
    return one.payload.get("output_index") == other.payload.get("output_index")


def _second_start(events: Stream, number: int) -> Stream:
    """Begin the response again after K events, as a gateway that retries."""
    seen = list(islice(events, number))
    rest = list(events)
    if not seen or not rest:
        return iter([*seen, *rest])
    response = {**seen[0].payload.get("response", {}), "id": "resp_of_a_retry"}
    again = [edited(seen[0], response=response), *seen[1:], *rest]
    return _counted(iter([*seen, *again]))


def _numbered_by_text(event: WrittenEvent) -> Events:
    is_it = "sequence_number" in event.payload
    return [edited(event, sequence_number="7") if is_it else event]


def _recounting(change: Change) -> Change:
    return lambda events, number: _counted(change(events, number))


def _each(kind: str, replace: Callable[[WrittenEvent], Events]) -> Change:
    return _recounting(every(lambda event: _kind_of(event) == kind, replace))


_FAILED = {"code": "server_error", "message": "The server had an error."}
_RATE: dict[str, Any] = {
    "code": "rate_limit_exceeded",
    "message": "Rate limit reached. Please try again in 2 s.",
    "param": None,
}

CHANGES: dict[str, Change] = {
    "cut": cut,
    "failed": partial(_ended, kind="response.failed", error=_FAILED),
    "failed-null": partial(_ended, kind="response.failed", error=None),
    "incomplete": _incomplete("max_output_tokens"),
    "filtered": _incomplete("content_filter"),
    "cut-in-call": _cut_in_call,
    "error-flat": partial(_ended, kind="error", **_RATE),
    "error-nested": partial(_ended, kind="error", error={"type": "tokens", **_RATE}),
    "done-differs": _done_differs,
    "duplicate": lambda events, number: at_number(twice)(events, number - 1),
    "swap": _swapped,
    "id-changes": _other_id,
    "added-twice": _each("response.output_item.added", twice),
    "never-added": _each("response.output_item.added", left_out),
    "never-done": _each("response.output_item.done", left_out),
    "after-done": _recounting(_late_deltas),
    "second-start": _second_start,
    "junk-sequence": at_number(_numbered_by_text),
}
"""By fault."""

FAULTS = read_faults("responses", lambda name: {"change": CHANGES[name]})
"""All faults by name."""
