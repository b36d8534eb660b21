"""A recording as it could have arrived otherwise, for a client to play.

Owns the copy of a cassette in which every streamed chat completion is said, cut and
broken as a variation says; everything else stays as recorded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Cassette, Ending, Exchange, WireChunk
from harness.engine.restated import restated_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.varied import Variation

__all__ = ["varied_cassette"]


def varied_cassette(cassette: Cassette, variation: Variation) -> Cassette:
    """Return a copy of a cassette whose streams arrive otherwise.

    Args:
        cassette: What was recorded; it is not changed.
        variation: How its streams arrive, faults of bytes included.

    Returns:
        A cassette of the same exchanges. One event or less is one network read; the
        times are spread evenly between the first and the last recorded one.
    """
    return Cassette(
        cassette.path,
        [
            _varied(exchange, variation)
            if classify(exchange).kind is Kind.STREAM
            else exchange
            for exchange in cassette.exchanges
        ],
    )


def _varied(exchange: Exchange, variation: Variation) -> Exchange:
    response = exchange.response
    api = classify(exchange).api or "chat"
    pieces = [piece for piece in restated_bytes(exchange, variation, api) if piece]
    times = _spread([chunk.seconds for chunk in response.wire or ()], len(pieces))
    ended = response.ended
    if variation.fault is not None and variation.fault.ends_early:
        ended = Ending("complete")  # the server closed, as a lost connection looks
    headers = {
        name: values
        for name, values in response.headers.items()
        if name.lower() not in {"content-length", "content-encoding"}
    }
    return replace(
        exchange,
        response=replace(
            response,
            headers=headers,
            body=b"".join(pieces),
            wire=[
                WireChunk(seconds, len(piece))
                for seconds, piece in zip(times, pieces, strict=True)
            ],
            ended=ended,
        ),
    )


def _spread(recorded: list[float], count: int) -> Iterator[float]:
    first, last = (recorded[0], recorded[-1]) if recorded else (0.0, 0.0)
    for number in range(count):
        yield round(first + (last - first) * number / max(1, count - 1), 6)
