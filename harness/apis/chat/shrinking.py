"""Smaller chunk streams: the steps of shrinking that only chat needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.chunks import Chunk, Payload
from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.dialects.parts import CallTracker
from harness.apis.json_values import dict_of
from harness.core.json_paths import value_at
from harness.core.splits import parse_split

if TYPE_CHECKING:
    from collections.abc import Iterator

Stream = tuple[Payload, ...]
Place = tuple[int, tuple[Any, ...]]
"""The number of a chunk, and the path to a text in it."""

_WHOLE = parse_split("whole")
_LONG_SPAN = 4  # chunks; shorter ones are put together two by two
_KEPT = frozenset(("id", "object", "created", "model", "choices", "error"))
_KEPT |= frozenset(("index", "delta", "finish_reason", "type", "function"))
_MAY_LACK_SOME = frozenset(("choices", "delta", "tool_calls"))


def _whole(stream: Stream) -> Stream:
    chunks = (Chunk(number, None, payload) for number, payload in enumerate(stream))
    return tuple(chunk.payload for chunk in cut_chunks(_WHOLE, chunks))


def fused_spans(stream: Stream) -> Iterator[Stream]:
    """Yield a long stream with spans in as few chunks as hold the same."""
    size = len(stream) // 2
    while size >= _LONG_SPAN:
        for start in range(0, len(stream) - size + 1, size):
            span = stream[start : start + size]
            merged = _whole(span)
            if len(merged) < size:
                yield (*stream[:start], *merged, *stream[start + size :])
        size //= 2


def fused(stream: Stream) -> Iterator[Stream]:
    """Yield a stream with two neighbouring chunks in one, for each two that can be."""
    for number in range(len(stream) - 1):
        pair = stream[number : number + 2]
        merged = _whole(pair)
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


def barer(stream: Stream) -> Iterator[Stream]:
    """Yield a stream without a field that no chunk needs, a choice or a call."""
    for number, payload in enumerate(stream):
        before, after = stream[:number], stream[number + 1 :]
        if not payload.keys() <= _KEPT:
            yield (*before, {k: v for k, v in payload.items() if k in _KEPT}, *after)
        for bare in _without_one(payload):
            yield (*before, bare, *after)


def _without_one(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            before, after = value[:number], value[number + 1 :]
            if len(value) > 1:
                yield before + after
            for bare in _without_one(item):
                yield [*before, bare, *after]
    elif isinstance(value, dict):
        for field, inner in value.items():
            if field not in _KEPT:
                yield {k: v for k, v in value.items() if k != field}
            if field in _MAY_LACK_SOME:
                for bare in _without_one(inner):
                    yield {**value, field: bare}


def runs_of(stream: Stream) -> list[list[Place]]:
    """Return the places of each text that comes in pieces: one list a text."""
    runs: dict[Any, list[Place]] = {}
    tracker = CallTracker()
    for number, payload in enumerate(stream):
        for position, choice in enumerate(payload.get("choices") or []):
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if not isinstance(delta, dict):
                continue
            at = ("choices", position, "delta")
            for field, value in delta.items():
                if isinstance(value, str) and value and field != "role":
                    runs.setdefault((position, field), []).append(
                        (number, (*at, field))
                    )
            entries = delta.get("tool_calls")
            for place, entry in enumerate(entries if isinstance(entries, list) else []):
                if not isinstance(entry, dict):
                    continue
                call = tracker.call_of(position, entry)
                function = dict_of(entry.get("function"))
                for field in ("arguments", "name"):
                    value = function.get(field)
                    if isinstance(value, str) and value:
                        path = (*at, "tool_calls", place, "function", field)
                        mark = (position, id(call), field)
                        if field == "name" and _is_resent(stream, runs, mark, value):
                            continue
                        runs.setdefault(mark, []).append((number, path))
    return list(runs.values())


def _is_resent(
    stream: Stream, runs: dict[Any, list[Place]], mark: Any, value: str
) -> bool:
    return any(value_at(stream[n], path) == value for n, path in runs.get(mark, []))
