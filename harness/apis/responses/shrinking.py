"""Smaller Responses streams: the steps of shrinking that only this API needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Payload


def stated_once(stream: tuple[Payload, ...]) -> Iterator[tuple[Payload, ...]]:
    """Yield a stream without what is repeated when something is over."""
    rest = tuple(payload for payload in stream if not _is_over(payload))
    if len(rest) < len(stream):
        yield rest
    for number, payload in enumerate(stream):
        before, after = stream[:number], stream[number + 1 :]
        response = payload.get("response")
        if isinstance(response, dict) and response.get("output"):
            yield (*before, {**payload, "response": {**response, "output": []}}, *after)
        if _is_over(payload):
            yield (*before, *after)


def _is_over(payload: Payload) -> bool:
    return str(payload.get("type")).endswith(".done")
