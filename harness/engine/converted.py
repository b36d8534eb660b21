"""A cassette in another API: its streams restated, its requests asked again."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from harness.apis.detect import api_named
from harness.apis.requests import PATHS, request_body
from harness.apis.style import ApiStyle
from harness.apis.varied import vary
from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Cassette, Ending, Exchange, WireChunk
from harness.engine.conversation import conversation_of
from harness.engine.restated import restated_bytes, spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.apis.base import WritingApi
    from harness.cassettes.model import Request


def converted(
    cassette: Cassette,
    api: str,
    *,
    dialect: str | None = None,
    report: Callable[[int, str], None] = lambda _exchange, _text: None,
) -> Cassette:
    """Return a cassette whose answers are restated in another API.

    Args:
        cassette: The recording; unchanged.
        api: The API to restate it in.
        dialect: A dialect of that API; None for the standard one.
        report: Called with the number of an exchange and one line: what the API cannot
            carry, or why the exchange stays as it is.

    Returns:
        The cassette: one event is one network read, with the time of the read that the
        source event came in, as near as one read an event can show.
    """
    found = []
    for exchange in cassette.exchanges:
        kind, reason, own = classify(exchange)
        if kind is Kind.WHOLE and api not in {own, "chat"}:
            found.append(_converted_whole(exchange, own, api, report))
            continue
        if kind is not Kind.STREAM:
            why = reason or "an answer that was not streamed"
            report(exchange.index, f"left as it is: {why}")
            found.append(exchange)
            continue
        found.append(_converted(exchange, own, api, dialect, report))
    return Cassette(cassette.path, found)


def _listed(left_out: dict[str, int]) -> str:
    return ", ".join(f"{what} ({count})" for what, count in left_out.items())


def _converted_whole(
    exchange: Exchange, own: str, api: str, report: Callable[[int, str], None]
) -> Exchange:
    """Return an exchange whose answer was not streamed, in an API that has a writer."""
    target = cast("WritingApi", api_named(api))
    parts = api_named(own).whole(json.loads(exchange.response.body))
    events, left_out = ApiStyle(api).write([parts])
    deque(events, 0)
    if left_out:
        report(exchange.index, f"{api} cannot carry: {_listed(left_out)}")
    body = json.dumps(target.body(parts), ensure_ascii=False).encode()
    wire = exchange.response.wire
    response = replace(
        exchange.response,
        headers={"content-type": ["application/json"]},
        body=body,
        wire=wire and [WireChunk(wire[-1].seconds, len(body))],
        source=None,
    )
    request = _asked(exchange, own, api, report, is_streamed=False)
    return Exchange(exchange.index, request, response)


def _converted(
    exchange: Exchange,
    own: str,
    api: str,
    dialect: str | None,
    report: Callable[[int, str], None],
) -> Exchange:
    def left(left_out: dict[str, int]) -> None:
        report(exchange.index, f"{api} cannot carry: {_listed(left_out)}")

    variation = vary(dialect=dialect, api=api)
    if variation.style is None and variation.dialect is None:
        variation = vary(dialect="openai")
    pieces = [p for p in restated_bytes(exchange, variation, own, left) if p]
    kind = variation.style.content_type if variation.style else "text/event-stream"
    recorded = exchange.response
    response = replace(
        recorded,
        headers={"content-type": [kind]},
        body=b"".join(pieces),
        wire=spread(pieces, recorded, 3) if recorded.wire else None,
        ended=recorded.ended or Ending("complete"),
        source=None,
    )
    request = _asked(exchange, own, api, report, is_streamed=True)
    if api == "gemini" and kind == "application/json":
        request = replace(request, uri=request.uri.removesuffix("?alt=sse"))
    return Exchange(exchange.index, request, response)


def _asked(
    exchange: Exchange,
    own: str,
    api: str,
    report: Callable[[int, str], None],
    *,
    is_streamed: bool,
) -> Request:
    """Return the request that asks the same in another API."""
    request, asked = exchange.request, conversation_of(exchange.request, own)
    if asked is None:
        report(exchange.index, "the request stays as it is: it was not recorded")
        return request
    parts = urlsplit(request.uri)
    path = PATHS[api].format(model=asked.model or "model")
    body = request_body(api, asked)
    if not is_streamed:
        path = path.replace("streamGenerateContent?alt=sse", "generateContent")
        body.pop("stream", None)
    return replace(
        request,
        uri=f"{parts.scheme}://{parts.netloc}{path}",
        body=json.dumps(body, ensure_ascii=False).encode(),
    )
