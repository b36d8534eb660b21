"""What an API may add one day, or sends now and then, in the middle of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_Object = dict[str, Any]


def with_unknown_events(payloads: Iterable[_Object]) -> Iterator[_Object]:
    """Yield payloads, and between them what carries nothing.

    Anthropic asks clients to go on at events that they do not know; its new kinds of
    deltas (signatures, citations) broke those that did not. Gateways to it know the
    counts at the end only. Gemini has events of counts alone.
    """
    for payload in payloads:
        if payload.get("type") == "message_start":
            none = {"input_tokens": 0, "output_tokens": 0}
            yield {**payload, "message": {**payload["message"], "usage": none}}
            continue
        yield payload
        if payload.get("type") == "content_block_delta":
            yield {**payload, "delta": {"type": "later_delta"}}
            yield {"type": "later_event", "index": payload["index"]}
        elif "candidates" in payload:
            yield {key: v for key, v in payload.items() if key != "candidates"}
