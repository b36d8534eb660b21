"""Two chunks of chat as one that holds the same: a step of shrinking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.cutting import cut_chunks
from harness.core.splits import parse_split
from harness.fuzz.arrivals import chunks_of, payloads_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.fuzz.arrivals import Arrival

_WHOLE = parse_split("whole")
_LONG_SPAN = 4  # chunks; shorter ones are put together two by two


def fused_spans(stream: Arrival) -> Iterator[Arrival]:
    """Yield a long stream with spans in as few chunks as hold the same."""
    size = len(stream) // 2
    while size >= _LONG_SPAN:
        for start in range(0, len(stream) - size + 1, size):
            span = stream[start : start + size]
            merged = payloads_of(cut_chunks(_WHOLE, chunks_of(span)))
            if len(merged) < size:
                yield (*stream[:start], *merged, *stream[start + size :])
        size //= 2


def fused(stream: Arrival) -> Iterator[Arrival]:
    """Yield a stream with two neighbouring chunks in one, for each two that can be."""
    for number in range(len(stream) - 1):
        pair = stream[number : number + 2]
        merged = payloads_of(cut_chunks(_WHOLE, chunks_of(pair)))
        if len(merged) == 1:
            yield (*stream[:number], *merged, *stream[number + 2 :])
        for joined in (_finished(*pair), _absorbed(*pair)):
            if joined is not None:
                yield (*stream[:number], joined, *stream[number + 2 :])


def _finished(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """Put the finish of a chunk that holds nothing else beside the one before it."""
    try:
        (one,), (two,) = first["choices"], second["choices"]
        reason = two["finish_reason"]
    except (KeyError, TypeError, ValueError):
        return None
    if not reason or one.get("finish_reason") or any((two.get("delta") or {}).values()):
        return None
    return {**first, "choices": [{**one, "finish_reason": reason}]}


def _absorbed(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """Put the one fragment of a chunk to its call in the one before it."""
    try:
        (one,), (two,) = first["choices"], second["choices"]
        (entry,) = two["delta"]["tool_calls"]
        index, fragment = entry["index"], entry["function"]["arguments"]
        entries = [dict(entry) for entry in one["delta"]["tool_calls"]]
        (call,) = (entry for entry in entries if entry["index"] == index)
        held = call["function"]
        call["function"] = {**held, "arguments": held["arguments"] + fragment}
    except (KeyError, TypeError, ValueError):
        return None
    delta = {**one["delta"], "tool_calls": entries}
    choice = {**two, **one, "delta": delta, "finish_reason": two["finish_reason"]}
    return {**first, "choices": [choice]}
