"""Payloads for tests, written short: a delta, entries of `tool_calls`, a reader."""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.apis.chat.deltas import DeltaReader
from harness.core.parts import CallPart, Part

Payload = dict[str, Any]


def chunk(delta: object, **choice: object) -> Payload:
    """Return a payload with one choice."""
    return {"choices": [{"delta": delta, **choice}]}


def calls(*entries: object, **delta: object) -> Payload:
    """Return a payload whose delta carries entries of `tool_calls`."""
    return chunk({**delta, "tool_calls": list(entries)})


ABSENT = object()


def entry(
    index: object = ABSENT,
    call_id: object = ABSENT,
    name: object = ABSENT,
    arguments: object = ABSENT,
    kind: object = ABSENT,
) -> dict[str, Any]:
    """Return an entry of `tool_calls` with just the fields that are given."""
    function = {"name": name, "arguments": arguments}
    function = {k: v for k, v in function.items() if v is not ABSENT}
    made = {"index": index, "id": call_id, "type": kind}
    made = {k: v for k, v in made.items() if v is not ABSENT}
    return {**made, "function": function} if function else made


def read(payloads: list[Payload]) -> tuple[DeltaReader, list[list[Part]]]:
    """Read payloads with a new reader."""
    reader = DeltaReader()
    return reader, [reader.read(payload) for payload in payloads]


def named(parts: list[Part]) -> list[tuple[str, Part]]:
    """Put each part's kind beside it, so that a failure shows it first."""
    return [(type(part).__name__, part) for part in parts]


def summary(reader: DeltaReader) -> list[tuple[str, str, str]]:
    """Return id, name and arguments of each call."""
    return [(call.id, call.name, call.arguments) for call in reader.calls]


class Case(NamedTuple):
    """Chunks and the calls they make, as (id, name, arguments)."""

    id: str
    payloads: list[Payload]
    calls: list[tuple[str, str, str]]


def check_parts(reader: DeltaReader, parts: list[Part]) -> None:
    """The parts alone, added up, give the calls: nothing is only in the end result."""
    seen: dict[int, list[str]] = {}
    for part in parts:
        if isinstance(part, CallPart):
            assert part.is_new == (part.call.position not in seen)
            assert part.is_new or part.name or part.arguments or part.id
            held = seen.setdefault(part.call.position, ["", "", ""])
            for place, piece in enumerate((part.id, part.name, part.arguments)):
                held[place] += piece
    assert list(seen) == list(range(len(reader.calls)))
    assert [tuple(held) for held in seen.values()] == summary(reader)
