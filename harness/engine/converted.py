"""A cassette in another API: its streams restated, its requests asked again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.apis.requests import PATHS, request_body
from harness.apis.varied import vary
from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Cassette, Ending, Exchange, WireChunk
from harness.engine.conversation import conversation_of
from harness.engine.restated import restated_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["converted"]


def converted(
    cassette: Cassette,
    api: str,
    *,
    dialect: str | None = None,
    report: Callable[[int, str], None] = lambda _exchange, _text: None,
) -> Cassette:
    """Return a cassette whose streams are restated in another API.

    Args:
        cassette: The recording; unchanged.
        api: The API to restate it in.
        dialect: A dialect of that API; None for the standard one.
        report: Called with the number of an exchange and one line: what the API cannot
            carry, or why the exchange stays as it is.

    Returns:
        The cassette: one event is one network read, with the time of the read that the
        source event came in, as near as one read an event can tell.
    """
    found = []
    for exchange in cassette.exchanges:
        kind, reason, own = classify(exchange)
        if kind is not Kind.STREAM:
            why = reason or "an answer that was not streamed"
            report(exchange.index, f"left as it is: {why}")
            found.append(exchange)
            continue
        found.append(_converted(exchange, own, api, dialect, report))
    return Cassette(cassette.path, found)


def _converted(
    exchange: Exchange,
    own: str,
    api: str,
    dialect: str | None,
    report: Callable[[int, str], None],
) -> Exchange:
    def left(left_out: dict[str, int]) -> None:
        listed = ", ".join(f"{what} ({count})" for what, count in left_out.items())
        report(exchange.index, f"{api} cannot carry: {listed}")

    variation = vary(dialect=dialect, api=api)
    if variation.style is None and variation.dialect is None:
        variation = vary(dialect="openai")
    pieces = [p for p in restated_bytes(exchange, variation, own, left) if p]
    wire = exchange.response.wire
    last = wire[-1].seconds if wire else 0.0
    first = wire[0].seconds if wire else 0.0
    step = (last - first) / max(1, len(pieces) - 1)
    response = replace(
        exchange.response,
        headers={"content-type": ["text/event-stream"]},
        body=b"".join(pieces),
        wire=[
            WireChunk(round(first + n * step, 3), len(piece))
            for n, piece in enumerate(pieces)
        ]
        if wire
        else None,
        ended=exchange.response.ended or Ending("complete"),
        source=None,
    )
    request = exchange.request
    asked = conversation_of(exchange, own)
    if asked is None:
        report(exchange.index, "the request stays as it is: it was not recorded")
    else:
        parts = urlsplit(request.uri)
        path = PATHS[api].format(model=asked.model or "model")
        body = json.dumps(request_body(api, asked), ensure_ascii=False)
        request = replace(
            request, uri=f"{parts.scheme}://{parts.netloc}{path}", body=body.encode()
        )
    return Exchange(exchange.index, request, response)
