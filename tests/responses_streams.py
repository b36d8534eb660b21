"""Responses streams for tests: the recorded ones, and what reads them."""

from __future__ import annotations

import copy
import json
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import harness
from harness.apis import examples
from harness.apis.base import Event
from harness.apis.responses.known_fields import ANY_EVENT
from harness.apis.responses.reader import Reader
from harness.core.parts import (
    Block,
    CallPart,
    Finish,
    Head,
    Item,
    Opaque,
    OtherChoice,
    Part,
    Problem,
    Reasoning,
    Refusal,
    Text,
    Usage,
)
from harness.core.sse import SSEDecoder
from tests.shared import protocol_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cassettes.model import Exchange

EXAMPLES = examples.example_names("responses")
example_events = partial(examples.example_events, "responses")
example_parts = partial(examples.example_parts, "responses")


class Recording(NamedTuple):
    """One recorded stream and the answer that was computed from it elsewhere."""

    file: str
    interaction: int
    row: dict[str, Any]

    @property
    def name(self) -> str:
        """File and number, as a failure should show it."""
        return f"{self.file}#{self.interaction}"

    @property
    def body(self) -> bytes:
        """The recorded bytes."""
        response = exchanges(self.file)[self.interaction].response
        assert response is not None
        return response.body

    @property
    def events(self) -> list[Event]:
        """Its events; not to be changed."""
        return _events(self.file, self.interaction)


@cache
def recordings() -> tuple[Recording, ...]:
    """Return the recorded streams in the order of `expected.jsonl`."""
    path = protocol_folder("responses") / "expected.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(Recording(row["file"], row["interaction"], row) for row in rows)


def recording(part_of_name: str, interaction: int = 0) -> Recording:
    """Return the recording whose file name has a text in it."""
    return next(
        found
        for found in recordings()
        if part_of_name in found.file and found.interaction == interaction
    )


@cache
def exchanges(file: str) -> list[Exchange]:
    """Return the exchanges of a recorded file."""
    return list(harness.load_cassette(protocol_folder("responses") / file).exchanges)


@cache
def _events(file: str, interaction: int) -> list[Event]:
    response = exchanges(file)[interaction].response
    assert response is not None
    return events_of(response.body)


def events_of(body: bytes, pieces: Iterable[bytes] = ()) -> list[Event]:
    """Decode a body, in the given pieces or at once."""
    decoder = SSEDecoder()
    decoded = [event for piece in pieces or [body] for event in decoder.feed(piece)]
    decoded += decoder.close()
    events: list[Event] = []
    for found in decoded:
        if found.raw.strip() != b"[DONE]":
            events.append(Event(len(events), found.event, json.loads(found.raw)))
    return events


def made(*payloads: dict[str, Any]) -> list[Event]:
    """Number payloads as events with the line that a server sends."""
    return [Event(n, str(p.get("type", "")), p) for n, p in enumerate(payloads)]


def read(events: Iterable[Event]) -> list[Part]:
    """Return everything that a reader emits of a stream."""
    reader = Reader()
    parts = [part for event in events for part in reader.feed(event)]
    return parts + reader.close()


def copy_of(reader: Reader) -> Reader:
    """Return a copy of a reader's state; the table of fields is shared."""
    return copy.deepcopy(reader, {id(ANY_EVENT): ANY_EVENT})


class Answer(NamedTuple):
    """What the parts of a stream add up to, as `expected.jsonl` writes it."""

    text: str
    reasoning: str
    refusal: str
    calls: list[tuple[str, str, str, str]]
    """Type, name, id and arguments or input."""
    stop: str | None


def answer_of(parts: Iterable[Part]) -> Answer:
    """Add up parts."""
    texts = {Text: "", Reasoning: "", Refusal: ""}
    calls = []
    stop = None
    for part in parts:
        if isinstance(part, Text | Reasoning | Refusal):
            texts[type(part)] += part.text
        elif isinstance(part, CallPart) and part.is_new:
            calls.append(part.call)
        elif isinstance(part, Finish):
            stop = part.reason
    return Answer(
        texts[Text],
        texts[Reasoning],
        texts[Refusal],
        [(call.type, call.name, call.id, call.arguments) for call in calls],
        stop,
    )


def problems(parts: Iterable[Part]) -> list[tuple[str, str]]:
    """Return kind and text of the problems among parts."""
    return [(str(p.kind), p.text) for p in parts if isinstance(p, Problem)]


def plain(parts: Iterable[Part]) -> list[tuple[Any, ...]]:
    """Return parts as values that compare; a call is named by its position."""
    return [_plain(part) for part in parts]


def _plain(part: Part) -> tuple[Any, ...]:
    match part:
        case Text() | Reasoning() | Refusal():
            return (type(part).__name__, part.text)
        case CallPart():
            call = part.call
            return (
                "call",
                call.position,
                call.type,
                part.name,
                part.arguments,
                part.is_new,
                part.id,
            )
        case Opaque():
            return ("opaque", part.kind, part.data)
        case Block() | Finish() | Head() | Item() | Usage() | Problem():
            return (type(part).__name__, repr(part))
        case _:
            raise AssertionError(part)


def strings(part: Part) -> Iterator[str]:
    """Yield every text that a part carries."""
    match part:
        case Text() | Reasoning() | Refusal() | Problem():
            yield part.text
        case CallPart():
            yield from (part.name, part.arguments, part.id)
        case Opaque():
            yield part.data
        case Block():
            yield part.id
        case Head():
            yield from (part.id, part.model)
        case Finish():
            yield part.reason
        case Item():
            yield from (text for _, text in texts_in(part.value))
            yield part.kind
        case Usage():
            yield from (text for _, text in texts_in(part.counts))
        case OtherChoice():
            yield from strings(part.part)


def texts_in(value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the place and text of every string in a JSON value; keys are none."""
    waiting: list[tuple[tuple[str | int, ...], object]] = [((), value)]
    while waiting:
        place, inner = waiting.pop()
        if isinstance(inner, str):
            yield place, inner
        elif isinstance(inner, dict):
            waiting += [((*place, key), below) for key, below in inner.items()]
        elif isinstance(inner, list):
            waiting += [((*place, n), below) for n, below in enumerate(inner)]


def replaced(value: Any, place: tuple[str | int, ...], text: object) -> Any:
    """Return a JSON value with another value at one place; the rest is shared."""
    if not place:
        return text
    if isinstance(value, dict):
        return {**value, place[0]: replaced(value[place[0]], place[1:], text)}
    items = list(value)
    items[int(place[0])] = replaced(items[int(place[0])], place[1:], text)
    return items


def path_of(place: tuple[str | int, ...]) -> str:
    """Write a place as the tables of known fields do."""
    path = ""
    for step in place:
        path += "[]" if isinstance(step, int) else f".{step}" if path else step
    return path


def merged(parts: Iterable[Part]) -> list[tuple[Any, ...]]:
    """Return parts as values that two streams of one answer have in common.

    Neighbouring fragments are joined, a call stands where it begins; announcements,
    what server tools stream, and problems but the provider's error are left out.
    """
    found: list[tuple[Any, ...]] = []
    for part in parts:
        name = type(part).__name__
        match part:
            case Text() | Reasoning() | Refusal():
                if found and found[-1][0] == name:
                    found[-1] = (name, found[-1][1] + part.text)
                else:
                    found.append((name, part.text))
            case CallPart():
                call = part.call
                if part.is_new:
                    known = (call.type, call.id, call.name, call.arguments)
                    found.append(("call", *known))
            case Opaque():
                found.append((name, part.kind, part.data))
            case Item():
                if part.is_done:
                    found.append((name, part.kind, part.value))
            case Block():
                found.append((name, part.kind, part.id))
            case Head():
                found.append((name, part.id, part.model, part.created))
            case Finish():
                found.append((name, part.reason, part.meaning))
            case Usage():
                found.append((name, part.counts))
            case Problem():
                if part.kind == "error-event":
                    found.append((name, part.text))
            case OtherChoice():
                raise AssertionError(part)
    return found
