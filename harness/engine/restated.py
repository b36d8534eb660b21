"""An exchange as it would have arrived otherwise: in another API, or gone wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cassettes.model import Exchange, WireChunk
from harness.engine.stream import StreamReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.varied import Variation
    from harness.cassettes.model import Response


def restated_bytes(
    exchange: Exchange,
    variation: Variation,
    api: str,
    report: Callable[[dict[str, int]], None] = lambda _left_out: None,
) -> Iterator[bytes]:
    """Write a stream as a variation has it.

    Args:
        exchange: The recorded exchange; its response is a stream.
        variation: With a style or a fault; without, a dialect or split of chat.
        api: Whose events the recording holds.
        report: Called at the end with what the API could not carry, if anything.

    Yields:
        The bytes, an event or less a piece.
    """
    recorded = StreamReader(exchange, None, api=api)
    if variation.style is None:
        yield from variation.encode(recorded)
        if recorded.left_out:
            report(recorded.left_out)
        return
    pieces, left_out = variation.restate(
        (at, parts) for _, at, parts in recorded.parts()
    )
    yield from pieces
    if left_out:
        report(left_out)


def restated_exchange(
    exchange: Exchange, pieces: Callable[[], Iterable[bytes]]
) -> Exchange:
    """Return an exchange with another stream, read when it is asked for.

    Args:
        exchange: The exchange; unchanged.
        pieces: Makes the bytes of the stream.
    """
    response = replace(
        exchange.response, body=b"", wire=None, ended=None, source=pieces
    )
    return Exchange(exchange.index, exchange.request, response)


def spread(pieces: list[bytes], recorded: Response, digits: int) -> list[WireChunk]:
    """Return the reads of a restated stream, evenly over the time of the recorded."""
    wire = recorded.wire
    first, last = (wire[0].seconds, wire[-1].seconds) if wire else (0.0, 0.0)
    step = (last - first) / max(1, len(pieces) - 1)
    return [
        WireChunk(round(first + number * step, digits), len(piece))
        for number, piece in enumerate(pieces)
    ]
