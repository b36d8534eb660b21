"""Changes of written events that break a stream; `harness.apis.responses.faults`.

Each takes a stream and a number. Payloads are replaced, never changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from harness.apis.base import WrittenEvent
from harness.apis.responses.event_types import CALL_EVENTS, DELTAS
from harness.apis.responses.state import CALL_TYPES
from harness.apis.responses.written import response_object

Stream: TypeAlias = Iterator[WrittenEvent]

_LENGTH = {"reason": "max_output_tokens"}


def _event(
    like: WrittenEvent, kind: str, number: object, **fields: Any
) -> WrittenEvent:
    payload: dict[str, Any] = {"type": kind}
    if "sequence_number" in like.payload:
        payload["sequence_number"] = number
    return WrittenEvent(kind if like.name else "", {**payload, **fields})


def changed(event: WrittenEvent, **fields: Any) -> WrittenEvent:
    """Return an event with other fields."""
    return WrittenEvent(event.name, {**event.payload, **fields})


def kind_of(event: WrittenEvent) -> str:
    """Return an event's type; its name may be left out."""
    return str(event.payload.get("type", ""))


def cut(events: Stream, number: int) -> Stream:
    """End the stream after K events."""
    return islice(events, number)


@dataclass(frozen=True, slots=True)
class Ending:
    """Ends a response after K events, the open items as far as they have come."""

    kind: str
    """The type of the event that ends it."""
    fields: tuple[tuple[str, Any], ...]
    """What the event, or the response in it, states besides."""

    def __call__(self, events: Stream, number: int) -> Stream:
        """Break a stream."""
        seen = list(islice(events, number))
        yield from seen
        if next(events, None) is None or not seen:
            return
        last, fields = seen[-1], dict(self.fields)
        count = len(seen)
        if self.kind == "error":
            yield _event(last, "error", count, **fields)
            return
        began = seen[0].payload.get("response", {})
        response = response_object(
            str(began.get("id", "")),
            str(began.get("model", "")),
            began.get("created_at", 0),
            self.kind.removeprefix("response."),
        )
        response["output"] = [
            event.payload["item"]
            for event in seen
            if kind_of(event) == "response.output_item.done"
        ]
        response["output"] += [_cut_item(seen, index) for index in _open_items(seen)]
        yield _event(last, self.kind, count, response={**response, **fields})


def _open_items(seen: list[WrittenEvent]) -> list[int]:
    """Return the indices of the items that were added and not done."""
    found: dict[int, None] = {}
    for event in seen:
        if kind_of(event) == "response.output_item.added":
            found[event.payload["output_index"]] = None
        elif kind_of(event) == "response.output_item.done":
            found.pop(event.payload["output_index"], None)
    return list(found)


def _cut_item(seen: list[WrittenEvent], index: int) -> dict[str, Any]:
    """Return an item as far as it has come."""
    item: dict[str, Any] = {}
    texts: dict[tuple[str, str, int], str] = {}
    arguments = ""
    for event in seen:
        payload, kind = event.payload, kind_of(event)
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


def cut_in_call(events: Stream, _number: int) -> Stream:
    """End the response inside the arguments of its first call."""
    seen: list[WrittenEvent] = []
    for event in events:
        seen.append(event)
        if kind_of(event) == "response.function_call_arguments.delta":
            delta = event.payload["delta"]
            seen[-1] = changed(event, delta=delta[: max(1, len(delta) // 2)])
            ending = Ending(
                "response.incomplete",
                (("incomplete_details", _LENGTH), ("usage", USAGE)),
            )
            yield from ending(iter([*seen, event]), len(seen))
            return
    yield from seen


USAGE = {
    "input_tokens": 31,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 16,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 47,
}


def done_differs(events: Stream, _number: int) -> Stream:
    """State another text or other arguments in every done item."""
    for event in events:
        if kind_of(event) != "response.output_item.done":
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
        yield changed(event, item=item)


def twice(events: Stream, number: int) -> Stream:
    """Send the Kth event twice."""
    for count, event in enumerate(events, 1):
        yield event
        if count == number:
            yield event


def swapped(events: Stream, number: int) -> Stream:
    """Let the Kth event and the next change places."""
    yield from islice(events, max(0, number - 1))
    pair = list(islice(events, 2))
    yield from reversed(pair)
    yield from events


def other_id(events: Stream, number: int) -> Stream:
    """Give the response another id from event K on."""
    for count, event in enumerate(events):
        response = event.payload.get("response")
        if count >= number and type(response) is dict:
            yield changed(event, response={**response, "id": "resp_of_another"})
        else:
            yield event


def added_twice(events: Stream, number: int) -> Stream:
    """Add every item twice."""
    return _counted(_repeated(events, "response.output_item.added"), number)


def _repeated(events: Stream, kind: str) -> Stream:
    for event in events:
        yield event
        if kind_of(event) == kind:
            yield event


def _counted(events: Stream, _number: int) -> Stream:
    """Number the events anew: a server at fault counts all the same."""
    for count, event in enumerate(events):
        if "sequence_number" in event.payload:
            yield changed(event, sequence_number=count)
        else:
            yield event


def never_added(events: Stream, number: int) -> Stream:
    """Add no item."""
    kept = (e for e in events if kind_of(e) != "response.output_item.added")
    return _counted(kept, number)


def never_done(events: Stream, number: int) -> Stream:
    """End no item."""
    kept = (e for e in events if kind_of(e) != "response.output_item.done")
    return _counted(kept, number)


def after_done(events: Stream, number: int) -> Stream:
    """Send an item's last delta when it is done."""
    return _counted(_late_deltas(events), number)


def _late_deltas(events: Stream) -> Stream:
    """Send the last delta of an item behind its done event."""
    held: list[WrittenEvent] = []
    for event in events:
        kind = kind_of(event)
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


def second_start(events: Stream, number: int) -> Stream:
    """Begin the response again after K events, as a gateway that retries."""
    seen = list(islice(events, number))
    rest = list(events)
    if not seen or not rest:
        return iter([*seen, *rest])
    response = {**seen[0].payload.get("response", {}), "id": "resp_of_a_retry"}
    again = [changed(seen[0], response=response), *seen[1:], *rest]
    return _counted(iter([*seen, *again]), 0)


def junk_number(events: Stream, number: int) -> Stream:
    """Send a text for the number of event K."""
    for count, event in enumerate(events):
        if count == number and "sequence_number" in event.payload:
            yield changed(event, sequence_number="7")
        else:
            yield event
