"""How dialects and faults of Messages look at written events, and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.apis.base import Payload

__all__ = [
    "block_of",
    "blocks",
    "delta_of",
    "each_message",
    "each_start",
    "edited",
    "input_of",
    "piece",
    "reindexed",
    "without",
]


def edited(event: WrittenEvent, **fields: Any) -> WrittenEvent:
    """Return an event with other fields; its payload is copied."""
    return WrittenEvent(event.name, event.payload | fields)


def piece(event: WrittenEvent, text: str) -> WrittenEvent:
    """Return an `input_json_delta` with another text."""
    return edited(event, delta=event.payload["delta"] | {"partial_json": text})


def block_of(event: WrittenEvent) -> str:
    """Return the type of the block that an event starts; empty if it starts none."""
    if event.name != "content_block_start":
        return ""
    return str(event.payload["content_block"]["type"])


def delta_of(event: WrittenEvent) -> str:
    """Return the type of a delta of a block; empty for other events."""
    if event.name != "content_block_delta":
        return ""
    return str(event.payload["delta"]["type"])


def blocks(events: Iterable[WrittenEvent]) -> Iterator[list[WrittenEvent]]:
    """Yield the events of each block as one list; others, and pings, alone."""
    block: list[WrittenEvent] = []
    for event in events:
        if event.name == "content_block_start" or block:
            block.append(event)
            if event.name == "content_block_stop":
                yield block
                block = []
        else:
            yield [event]
    if block:
        yield block


def each_start(
    events: Iterable[WrittenEvent], edit: Callable[[Payload], Payload]
) -> Iterator[WrittenEvent]:
    """Edit what the starts of blocks have."""
    for event in events:
        if event.name == "content_block_start":
            yield edited(event, content_block=edit(event.payload["content_block"]))
        else:
            yield event


def each_message(
    events: Iterable[WrittenEvent], edit: Callable[[Payload], Payload]
) -> Iterator[WrittenEvent]:
    """Edit the message of message_start."""
    for event in events:
        if event.name == "message_start":
            yield edited(event, message=edit(event.payload["message"]))
        else:
            yield event


def reindexed(
    events: Iterable[WrittenEvent], move: Callable[[int], int]
) -> Iterator[WrittenEvent]:
    """Give blocks other numbers."""
    for event in events:
        if "index" in event.payload:
            yield edited(event, index=move(event.payload["index"]))
        else:
            yield event


def without(value: Payload, *keys: str) -> Payload:
    """Return an object without some of its fields."""
    return {key: inner for key, inner in value.items() if key not in keys}


def input_of(events: Sequence[WrittenEvent]) -> str:
    """Return the input that the deltas of a block add up to."""
    return "".join(
        event.payload["delta"]["partial_json"]
        for event in events
        if delta_of(event) == "input_json_delta"
    )
