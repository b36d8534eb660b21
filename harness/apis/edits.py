"""Changes of written events that habits of servers and faults of streams are made of.

A change takes the events of a stream, and the number of a fault where it is one. It is
lazy, and replaces payloads instead of changing them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.apis.base import WrittenEvent

if TYPE_CHECKING:
    from harness.apis.base import Payload

Events: TypeAlias = Iterable[WrittenEvent]
Stream: TypeAlias = Iterator[WrittenEvent]
Change: TypeAlias = Callable[..., Stream]


def edited(event: WrittenEvent, **fields: Any) -> WrittenEvent:
    """Return an event with other fields; its payload is copied."""
    return WrittenEvent(event.name, event.payload | fields)


def without(value: Payload, *keys: str) -> Payload:
    """Return an object without some of its fields."""
    return {key: inner for key, inner in value.items() if key not in keys}


def named(*names: str) -> Callable[[WrittenEvent], bool]:
    """Return what recognises events by their names."""
    return lambda event: event.name in names


def left_out(_event: WrittenEvent) -> Events:
    """Return what leaves an event out."""
    return []


def twice(event: Any) -> list[Any]:
    """Return an event and itself again."""
    return [event, event]


def every(
    is_it: Callable[[WrittenEvent], bool], replace: Callable[[WrittenEvent], Events]
) -> Change:
    """Return the change that replaces every event of a kind by others."""

    def change(events: Events, _number: int = 0) -> Stream:
        for event in events:
            if is_it(event):
                yield from replace(event)
            else:
                yield event

    return change


def first(
    is_it: Callable[[WrittenEvent], bool], replace: Callable[[WrittenEvent], Events]
) -> Change:
    """Return the change that replaces the first event of a kind by others."""

    def change(events: Events, _number: int = 0) -> Stream:
        stream = iter(events)
        for event in stream:
            if is_it(event):
                yield from replace(event)
                break
            yield event
        yield from stream

    return change


def at_number(replace: Callable[[Any], Iterable[Any]]) -> Change:
    """Return the change that replaces the event behind a number of others."""

    def change(events: Iterable[Any], number: int) -> Iterator[Any]:
        for count, event in enumerate(events):
            if count == number:
                yield from replace(event)
            else:
                yield event

    return change


def inserted(event: WrittenEvent) -> Change:
    """Return the change that sends an event behind a number of others."""

    def change(events: Events, number: int) -> Stream:
        stream = iter(events)
        yield from islice(stream, number)
        yield event
        yield from stream

    return change


def cut(events: Events, number: int) -> Stream:
    """End after a number of events."""
    return islice(events, number)


def ended(event: WrittenEvent) -> Change:
    """Return the change that ends with an event after a number of others."""

    def change(events: Events, number: int) -> Stream:
        yield from islice(events, number)
        yield event

    return change
