"""One exchange as it arrives: every event with its raw text, place and time.

Owns reading a stream for looking at it. A stream that is written, cut or broken
otherwise is first written as the bytes that would have arrived; its events are then
numbered as they come, and keep the number that a replay calls their source by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.apis.base import Event
from harness.apis.chat.chunks import DONE, Chunk, Payload, parse_payload
from harness.apis.detect import api_named
from harness.apis.framing import Framing
from harness.cassettes.classify import classify
from harness.cassettes.model import Exchange
from harness.core.framing import decoder_for
from harness.engine.restated import restated_bytes
from harness.engine.stream import StreamReader
from harness.errors import ChunkError, SSEError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.varied import Variation
    from harness.core.parts import Part
    from harness.core.sse import SSEEvent


@dataclass(slots=True)
class RawEvent:
    """One event of a stream."""

    number: int
    """Position among the events that are meant as chunks, from 0 as they come."""
    chunk: int
    """What a replay calls it: the number of the recorded chunk it was cut from."""
    at: float | None
    """Seconds from the request; None without recorded timing."""
    piece: int
    """Number of the network read that completed it, from 0."""
    byte_offset: int
    """Where it starts in the body."""
    raw: str
    """Its data as text."""
    payload: Payload | None
    """The parsed object; None where it cannot be parsed."""
    parts: list[Part] | None = None
    """What another API's reader made of it; None for a chunk, read when accumulated."""


def is_rereadable(exchange: Exchange) -> bool:
    """Return whether a stream can be read once more: it is held, or a file."""
    return exchange.response.source is None


def as_arrived(
    exchange: Exchange, variation: Variation
) -> tuple[Exchange, list[Chunk]]:
    """Write a varied stream as the bytes that would have arrived.

    Args:
        exchange: The recorded exchange; its response is an event stream.
        variation: How it is written, cut and broken.

    Returns:
        An exchange with these bytes as body (the same object for the recorded
        stream), and for each event the chunk that it is in a replay; empty where
        events are numbered as they come, as a replay does with a fault.
    """
    if variation.is_recorded:
        return exchange, []
    recorded: Iterator[Chunk] = iter(StreamReader(exchange, None))
    sources: list[Chunk] = []
    if variation.style is not None:
        api = classify(exchange).api or "chat"
        body = b"".join(restated_bytes(exchange, variation, api))
    elif variation.fault is None:
        sources = list(variation.apply(recorded))
        dialect = variation.dialect
        framing = Framing() if dialect is None else dialect.framing
        body = b"".join(framing.encode(sources))
    else:
        body = b"".join(variation.encode(recorded))
    response = replace(exchange.response, body=body, wire=None, ended=None, source=None)
    return Exchange(exchange.index, exchange.request, response), sources


def raw_events(
    exchange: Exchange, sources: list[Chunk] | None = None
) -> list[RawEvent]:
    """Read the events of a stream that are meant as chunks.

    Args:
        exchange: The exchange, as `as_arrived` returns it.
        sources: What `as_arrived` returned with it.

    Returns:
        All of them in order, those that cannot be parsed too. An event that is too
        long to be one ends the list.
    """
    decoder = decoder_for(exchange.response.peek(4096))
    found: list[RawEvent] = []
    api = classify(exchange).api or "chat"
    reader = None if api == "chat" else api_named(api).reader()

    def take(events: list[SSEEvent], piece: int, at: float | None) -> None:
        for event in events:
            if event.raw and event.raw.strip() != DONE.encode():
                source = sources[len(found)] if sources else None
                one = _raw_event(event, len(found), source, piece, at)
                if reader is not None:
                    one.parts = reader.feed(
                        Event(one.number, event.event, one.payload or {})
                    )
                found.append(one)

    piece, at = 0, None
    try:
        for piece, (at, data) in enumerate(exchange.response.iter_wire()):
            take(decoder.feed(data), piece, at)
        take(decoder.close(), piece, at)
    except SSEError:
        return found
    return found


def _raw_event(
    event: SSEEvent, number: int, source: Chunk | None, piece: int, at: float | None
) -> RawEvent:
    try:
        payload = parse_payload(event.raw)
    except ChunkError:
        payload = None
    chunk = number if source is None else source.index
    at = at if source is None else source.at
    return RawEvent(number, chunk, at, piece, event.byte_offset, event.data, payload)
