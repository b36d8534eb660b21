"""Recorded streams with one thing changed: a field renamed, an event gone."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness import load_cassette, replay
from harness.apis.chat.chunks import DONE
from harness.apis.detect import api_named
from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Cassette, Exchange
from harness.core.parts import CallPart, Reasoning, Refusal, Text
from harness.engine.stream import StreamReader
from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.apis.base import Event

__all__ = ["Recorded", "answer_of", "found_in", "leaves", "recorded_streams"]

Path_ = tuple[str | int, ...]


class Recorded:
    """The events of one recorded stream, to be written again with a change.

    Attributes:
        name: File and exchange.
        api: Whose events they are.
        events: Their payloads, with the names of their `event:` lines.
        texts: For each event the texts that its parts hold.
    """

    def __init__(self, name: str, exchange: Exchange, api: str) -> None:
        self.name = name
        self.api = api
        self._exchange = exchange
        self._is_done = DONE.encode() in exchange.response.body
        reader = StreamReader(exchange, None, api=api)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.texts: list[set[str]] = []
        parts_reader = api_named(api).reader()
        for event, _ in reader.iter_events():
            self.events.append((event.name, copy.deepcopy(event.payload)))
            self.texts.append(set(_texts_of(parts_reader.feed(event))))

    def cassette(self, events: list[tuple[str, dict[str, Any]]]) -> Cassette:
        """Return a cassette of one exchange whose stream has these events."""
        body = "".join(
            (f"event: {name}\n" if name else "")
            + f"data: {json.dumps(payload, ensure_ascii=False)}\n\n"
            for name, payload in events
        )
        body += "data: [DONE]\n\n" if self._is_done else ""
        response = replace(
            self._exchange.response,
            body=body.encode("utf-8", "surrogatepass"),
            wire=None,
            ended=None,
            source=None,
            headers={"content-type": ["text/event-stream"]},
        )
        return Cassette(self.name, [Exchange(0, self._exchange.request, response)])


def _texts_of(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Text | Reasoning | Refusal):
            yield part.text
        elif isinstance(part, CallPart):
            yield part.arguments
            yield part.name


def recorded_streams(paths: list[Path]) -> Iterator[Recorded]:
    """Yield the first stream of each file, where it has one that holds text."""
    for path in paths:
        try:
            cassette = load_cassette(path)
        except CassetteError:
            continue
        for exchange in cassette.exchanges:
            found = classify(exchange)
            if found.kind is Kind.STREAM:
                one = Recorded(f"{path}#{exchange.index}", exchange, found.api)
                if any(map(any, one.texts)):
                    yield one
                break


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, str]]:
    """Yield the path and text of every string in a payload."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))


def answer_of(cassette: Cassette) -> tuple[list[Any], list[str]]:
    """Return all that the answer holds, and the diagnostics as lines."""
    transcript = replay(cassette, "queuing")
    answers = [
        (
            number,
            choice.content,
            choice.reasoning,
            choice.refusal,
            [(call.name, call.arguments) for call in choice.calls],
        )
        for response in transcript.responses
        for number, choice in response.choices.items()
    ]
    return answers, [f"{one.kind}: {one.text}" for one in transcript.diagnostics]


def found_in(recorded: Recorded, cassette: Cassette) -> list[str]:
    """Return all that is reported of a stream: diagnostics and broken rules."""
    _, found = answer_of(cassette)
    reader = StreamReader(cassette.exchanges[0], None, api=recorded.api)
    events: Iterator[Event] = (event for event, _ in reader.iter_events())
    found += [
        f"{one.rule.name}: {one.event}: {one.got}"
        for one in api_named(recorded.api).check(events)
    ]
    return found
