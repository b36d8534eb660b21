"""Gemini streams for tests: those of the recordings, and made ones."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from harness import load_cassette
from harness.apis.base import Event
from harness.apis.gemini.reader import Reader
from harness.core.parts import (
    CallPart,
    Finish,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from harness.core.sse import SSEDecoder
from tests.shared import protocol_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Recording(NamedTuple):
    """One recorded stream and what `expected.jsonl` says about it."""

    name: str
    body: bytes
    expected: dict[str, Any]
    uri: str
    request: dict[str, Any]

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """Its events, parsed anew."""
        return [json.loads(event.data) for event in _events(self.body)]


def _events(body: bytes) -> list[Any]:
    decoder = SSEDecoder()
    return decoder.feed(body) + decoder.close()


@cache
def recordings() -> tuple[Recording, ...]:
    """Return every recorded stream."""
    root = protocol_folder("gemini")
    path = root / "expected.jsonl"
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        exchange = load_cassette(root / row["file"]).exchanges[row["interaction"]]
        found.append(
            Recording(
                f"{row['file']}#{row['interaction']}",
                exchange.response.body,
                row,
                exchange.request.uri,
                json.loads(exchange.request.body or b"{}"),
            )
        )
    return tuple(found)


def read_each(payloads: Iterable[dict[str, Any]]) -> list[list[Part]]:
    """Return the parts of each event, those of the end last."""
    reader = Reader()
    found = [
        copy.deepcopy(reader.feed(Event(index, "", payload)))
        for index, payload in enumerate(payloads)
    ]
    return [*found, reader.close()]


def read(*payloads: dict[str, Any]) -> list[Part]:
    """Return the parts of a stream."""
    reader = Reader()
    parts = [
        part
        for index, payload in enumerate(payloads)
        for part in reader.feed(Event(index, "", payload))
    ]
    return parts + reader.close()


def event(*parts: Any, finish: str = "", **more: Any) -> dict[str, Any]:
    """Return an event with one candidate."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **more}


def call(
    name: str | None = None, *pieces: Any, goes_on: bool = False, **more: Any
) -> dict[str, Any]:
    """Return a part with a `functionCall`."""
    sent: dict[str, Any] = {} if name is None else {"name": name}
    if pieces:
        sent["partialArgs"] = [{"jsonPath": path, **value} for path, value in pieces]
    if goes_on:
        sent["willContinue"] = True
    return {"functionCall": {**sent, **more}}


class Answer(NamedTuple):
    """What a stream amounts to."""

    text: str
    reasoning: str
    calls: list[tuple[str, str, str]]
    stop: str | None


def answer(parts: Sequence[Part]) -> Answer:
    """Return what the parts of candidate 0 amount to."""
    calls = [p.call for p in parts if type(p) is CallPart and p.is_new]
    stops = [p.reason for p in parts if type(p) is Finish]
    return Answer(
        "".join(p.text for p in parts if type(p) is Text),
        "".join(p.text for p in parts if type(p) is Reasoning),
        [(call.name, call.id, call.arguments) for call in calls],
        stops[-1] if stops else None,
    )


def problems(parts: Sequence[Part]) -> list[tuple[str, str]]:
    """Return the problems as (kind, text), those of other candidates too."""
    bare = [p.part if type(p) is OtherChoice else p for p in parts]
    return [(p.kind.value, p.text) for p in bare if type(p) is Problem]


def merged(parts: Sequence[Part]) -> list[Any]:
    """Return parts in a form that compares: fragments joined, calls as text.

    A call stands where it began, with its whole arguments as JSON; candidates come one
    after another; of usage the last counts are left, at the end.
    """
    found: list[Any] = []
    usage: dict[str, Any] = {}
    for part in parts:
        number, inner = (0, part)
        if type(part) is OtherChoice:
            number, inner = part.choice, part.part
        if type(inner) is Usage:
            usage |= inner.counts
        elif type(inner) is CallPart:
            if inner.is_new:
                found.append((number, "call", *call_value(inner.call)))
        elif type(inner) is Opaque:
            owner = None if inner.call is None else inner.call.position
            found.append((number, "opaque", inner.kind, inner.data, owner))
        elif type(inner) in {Text, Reasoning} and found:
            last = found[-1]
            if last[:2] == (number, type(inner)):
                found[-1] = (number, type(inner), last[2] + inner.text)  # type: ignore[union-attr]
            else:
                found.append((number, type(inner), inner.text))  # type: ignore[union-attr]
        elif type(inner) in {Text, Reasoning}:
            found.append((number, type(inner), inner.text))  # type: ignore[union-attr]
        else:
            found.append((number, inner))
    return [*sorted(found, key=lambda entry: entry[0]), usage]


def call_value(call: ToolCall) -> tuple[Any, ...]:
    """Return a call in a form that compares: arguments as the JSON they are."""
    try:
        arguments: Any = json.loads(call.arguments)
    except ValueError:
        arguments = call.arguments
    return call.position, call.type, call.name, call.id, repr(arguments)
