"""Inputs as recordings: the minimal cassette of a finding."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import tool_call
from harness.apis.examples import numbered_events
from harness.apis.framing import Framing, encode_payload
from harness.apis.requests import PATHS
from harness.cassettes.model import (
    Cassette,
    Ending,
    Exchange,
    Request,
    Response,
    WireChunk,
)
from harness.core.sse import encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HOST = "https://localhost"  # never asked: a recording is its answer
_STEP_S = 0.001


def event_bytes(fed: Iterable[dict[str, Any]], api: str = "chat") -> list[bytes]:
    """Return the events of a stream as bytes, framed as its API does."""
    if api == "chat":
        events = [encode_event(encode_payload(payload)) for payload in fed]
        return [*events, Framing().frame("[DONE]", len(events))]
    return [
        encode_event(encode_payload(event.payload), event=event.name)
        for event in numbered_events(api, fed)
    ]


def chunks_of_fragments(fragments: Sequence[str], key: str) -> list[dict[str, Any]]:
    """Return a stream of one call whose arguments come in these fragments."""
    chunks = []
    for number, fragment in enumerate(fragments):
        entry: dict[str, Any] = {"index": 0, "function": {"arguments": fragment}}
        if number == 0:
            entry = {"index": 0, **tool_call("call_1", f"say_{key}", fragment)}
        chunks.append(chunk({"tool_calls": [entry]}))
    chunks.append(chunk({}, "tool_calls"))
    return chunks


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """Return a chunk of choice 0."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "model",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def cassette_of(
    fed: Sequence[Any], *, key: str = "message", api: str = "chat"
) -> Cassette:
    """Return a recording of one response that arrived like this.

    Args:
        fed: Payloads, an event each; pieces of bytes; or fragments of arguments.
        key: For fragments: names the function that is called.
        api: Whose events they are.

    Returns:
        A cassette with one exchange, its wire chunks the pieces.
    """
    if fed and isinstance(fed[0], str):
        fed = chunks_of_fragments(fed, key)
    is_bytes = bool(fed) and isinstance(fed[0], bytes)
    pieces = list(fed) if is_bytes else event_bytes(fed, api)
    body = json.dumps(
        {
            "model": "model",
            "messages": [{"role": "user", "content": "Found by harness fuzz."}],
            "stream": True,
        }
    )
    request = Request(
        "POST",
        _HOST + PATHS[api].format(model="model"),
        {"content-type": ["application/json"]},
        body.encode(),
    )
    response = Response(
        200,
        "OK",
        {"content-type": ["text/event-stream"]},
        b"".join(pieces),
        [
            WireChunk(round(_STEP_S * number, 3), len(piece))
            for number, piece in enumerate(pieces, 1)
            if piece
        ],
        Ending("complete"),
    )
    return Cassette("fuzz", [Exchange(0, request, response)])
