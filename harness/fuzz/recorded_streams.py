"""The streams of a recording, as what a campaign begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cassettes.classify import Kind, classify
from harness.engine.stream import StreamReader
from harness.fuzz.arrivals import Arrival, recorded_payloads

if TYPE_CHECKING:
    from harness.cassettes.model import Cassette


def recorded_streams(cassette: Cassette) -> dict[str, Arrival]:
    """Return each stream that holds something, by the cassette and its number."""
    return {
        f"{cassette.path}#{exchange.index}": payloads
        for exchange in cassette.exchanges
        if classify(exchange).kind is Kind.STREAM
        and (payloads := recorded_payloads(StreamReader(exchange, None)))
    }
