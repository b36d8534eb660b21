"""What each fault does to the events of a stream.

Each function takes the events, a number and a word; most need neither. A fault of what
the stream has not (a call, reasoning) leaves it as it is.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from harness.apis.anthropic.editing import (
    block_of,
    blocks,
    delta_of,
    edited,
    input_of,
    piece,
)
from harness.apis.anthropic.message import error_event
from harness.apis.base import WrittenEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Events = Iterable[WrittenEvent]
    Broken = Iterator[WrittenEvent]

__all__ = [
    "bad_json",
    "cut",
    "cut_after_name",
    "cut_in_input",
    "delta_after_stop",
    "error",
    "max_tokens",
    "max_tokens_unstopped",
    "no_block_start",
    "no_message_delta",
    "no_message_stop",
    "no_signature",
    "no_start",
    "nothing",
    "reason_null",
    "start_twice",
    "trailing_junk",
    "two_message_deltas",
    "two_message_stops",
    "two_signatures",
    "unopened_delta",
    "wrong_delta",
]


# -- Endings ---------------------------------------------------------------------------


def cut(events: Events, number: int) -> Broken:
    """End after a number of events."""
    return islice(events, number)


def nothing(_events: Events, _number: int) -> Broken:
    """Send no event at all."""
    return iter(())


def error(events: Events, number: int, word: str) -> Broken:
    """End with an error of a type after a number of events."""
    yield from islice(events, number)
    yield error_event(f"{word}: {_MESSAGES.get(word, 'Something went wrong')}")


_MESSAGES = {
    "overloaded_error": "Overloaded",
    "api_error": "Internal server error",
    "rate_limit_error": "This request would exceed your rate limit",
    "timeout_error": "Request timed out",
}


def cut_in_input(events: Events, _number: int) -> Broken:
    """End in the middle of the first piece of an input that has one."""
    for event in events:
        text = _input_piece(event)
        if text:
            yield piece(event, text[: (len(text) + 1) // 2])
            return
        yield event


def cut_after_name(events: Events, _number: int) -> Broken:
    """End behind the name of the first call, before any of its input."""
    for event in events:
        yield event
        if block_of(event) == "tool_use":
            return


def max_tokens(events: Events, _number: int) -> Broken:
    """Cut the input of the first call, and the answer, for `max_tokens`."""
    yield from _cut_by_length(events, has_stop=True)


def max_tokens_unstopped(events: Events, _number: int) -> Broken:
    """The same without the call's content_block_stop."""
    yield from _cut_by_length(events, has_stop=False)


def _cut_by_length(events: Events, *, has_stop: bool) -> Broken:
    is_cut = False
    for block in blocks(events):
        if is_cut:
            if block[0].name == "message_delta":
                delta = block[0].payload["delta"] | {"stop_reason": "max_tokens"}
                yield edited(block[0], delta=delta)
            elif block[0].name == "message_stop":
                yield block[0]
            continue
        text = input_of(block) if block_of(block[0]) == "tool_use" else ""
        is_cut = bool(text)
        left = (len(text) + 1) // 2 if is_cut else 0
        for event in block:
            own = _input_piece(event) if is_cut else None
            if own is not None:
                if own[:left] or not own:
                    yield piece(event, own[:left])
                left -= len(own[:left])
            elif has_stop or not is_cut or event.name != "content_block_stop":
                yield event


def no_message_stop(events: Events, _number: int) -> Broken:
    """Leave the last event out."""
    return (event for event in events if event.name != "message_stop")


def no_message_delta(events: Events, _number: int) -> Broken:
    """Leave out message_delta."""
    return (event for event in events if event.name != "message_delta")


def two_message_deltas(events: Events, _number: int) -> Broken:
    """Send message_delta twice."""
    return _twice(events, "message_delta")


def two_message_stops(events: Events, _number: int) -> Broken:
    """Send message_stop twice."""
    return _twice(events, "message_stop")


def _twice(events: Events, name: str) -> Broken:
    for event in events:
        yield event
        if event.name == name:
            yield event


def reason_null(events: Events, _number: int) -> Broken:
    """Send `stop_reason` null in message_delta."""
    for event in events:
        if event.name == "message_delta":
            yield edited(event, delta=event.payload["delta"] | {"stop_reason": None})
        else:
            yield event


# -- Blocks ----------------------------------------------------------------------------


def no_start(events: Events, _number: int) -> Broken:
    """Leave message_start out."""
    return (event for event in events if event.name != "message_start")


def no_block_start(events: Events, _number: int) -> Broken:
    """Leave out the start of the first block."""
    return _first(events, lambda event: bool(block_of(event)), lambda _event: [])


def start_twice(events: Events, _number: int) -> Broken:
    """Send the start of the first block twice."""
    return _first(events, lambda e: bool(block_of(e)), lambda event: [event, event])


def unopened_delta(events: Events, number: int) -> Broken:
    """After a number of events, send text for a block that never began."""
    stream = iter(events)
    yield from islice(stream, number)
    yield _text(9)
    yield from stream


def delta_after_stop(events: Events, _number: int) -> Broken:
    """Send text for the first block after it has stopped."""
    return _first(
        events,
        lambda event: event.name == "content_block_stop",
        lambda event: [event, _text(event.payload["index"])],
    )


def _text(index: int) -> WrittenEvent:
    delta = {"type": "text_delta", "text": " (late)"}
    payload = {"type": "content_block_delta", "index": index, "delta": delta}
    return WrittenEvent("content_block_delta", payload)


def wrong_delta(events: Events, _number: int) -> Broken:
    """Send the first piece of text as one of reasoning, or the other way round."""
    other = {"text_delta": "thinking", "thinking_delta": "text"}

    def swap(event: WrittenEvent) -> list[WrittenEvent]:
        kind = other[delta_of(event)]
        own = "text" if kind == "thinking" else "thinking"
        delta = {"type": f"{kind}_delta", kind: event.payload["delta"][own]}
        return [edited(event, delta=delta)]

    return _first(events, lambda event: delta_of(event) in other, swap)


def no_signature(events: Events, _number: int) -> Broken:
    """Leave signatures out."""
    return (event for event in events if delta_of(event) != "signature_delta")


def two_signatures(events: Events, _number: int) -> Broken:
    """Send the first signature twice."""
    return _first(
        events,
        lambda event: delta_of(event) == "signature_delta",
        lambda event: [event, event],
    )


# -- Inputs ----------------------------------------------------------------------------


def bad_json(events: Events, _number: int) -> Broken:
    """Send an input that is no JSON, as models write it when nobody validates."""
    return _first_input(events, lambda _text: '{"k": Dave}')


def trailing_junk(events: Events, _number: int) -> Broken:
    """Send a brace too many behind an input."""
    return _first_input(events, lambda text: f"{text}}}")


def _first_input(events: Events, edit: Callable[[str], str]) -> Broken:
    """Replace the input of the first call that has one, in one piece."""
    is_done = False
    for block in blocks(events):
        text = input_of(block) if block_of(block[0]) == "tool_use" else ""
        if is_done or not text:
            yield from block
            continue
        for event in block:
            own = _input_piece(event)
            if own is None or not own:
                yield event
            elif not is_done:
                is_done = True
                yield piece(event, edit(text))


def _input_piece(event: WrittenEvent) -> str | None:
    """Return the piece of an input that an event has; None if it has none."""
    if delta_of(event) != "input_json_delta":
        return None
    return str(event.payload["delta"]["partial_json"])


def _first(
    events: Events,
    is_it: Callable[[WrittenEvent], bool],
    replace: Callable[[WrittenEvent], list[WrittenEvent]],
) -> Broken:
    """Replace the first event of a kind by others."""
    stream = iter(events)
    for event in stream:
        if is_it(event):
            yield from replace(event)
            break
        yield event
    yield from stream
