"""How dialects and faults of Messages look at written events, and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.edits import edited, every, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.apis.base import Payload, WrittenEvent
    from harness.apis.edits import Change, Events


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


def blocks(events: Events) -> Iterator[list[WrittenEvent]]:
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


def each_start(edit: Callable[[Payload], Payload]) -> Change:
    """Return the change that edits what the starts of blocks have."""
    return every(
        named("content_block_start"),
        lambda event: [
            edited(event, content_block=edit(event.payload["content_block"]))
        ],
    )


def each_message(edit: Callable[[Payload], Payload]) -> Change:
    """Return the change that edits the message of message_start."""
    return every(
        named("message_start"),
        lambda event: [edited(event, message=edit(event.payload["message"]))],
    )


def reindexed(move: Callable[[int], int]) -> Change:
    """Return the change that gives blocks other numbers."""
    return every(
        lambda event: "index" in event.payload,
        lambda event: [edited(event, index=move(event.payload["index"]))],
    )


def input_of(events: Sequence[WrittenEvent]) -> str:
    """Return the input that the deltas of a block add up to."""
    return "".join(
        event.payload["delta"]["partial_json"]
        for event in events
        if delta_of(event) == "input_json_delta"
    )
