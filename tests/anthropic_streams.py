"""Messages streams for tests: recorded ones, made ones, and how both are read."""

from __future__ import annotations

import json
import pickle
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.anthropic.api import API
from harness.apis.base import Event, WrittenEvent
from harness.apis.examples import example_events
from harness.cassettes.load import load_cassette
from harness.core.parts import (
    CallPart,
    Finish,
    Item,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Text,
)
from harness.core.sse import SSEDecoder
from tests.shared import protocol_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.cassettes.model import Cassette

Payload = dict[str, Any]


# -- Recorded streams ------------------------------------------------------------------


class Recorded(NamedTuple):
    """A recorded stream, with the answer that was computed independently."""

    row: dict[str, Any]
    body: bytes

    @property
    def events(self) -> list[Event]:
        """The events of the body."""
        return decode([self.body])


@cache
def cassette(file: str) -> Cassette:
    """Return a cassette of the recorded streams."""
    return load_cassette(str(protocol_folder("anthropic") / file))


@cache
def rows() -> list[dict[str, Any]]:
    """Return the independent answers."""
    path = protocol_folder("anthropic") / "expected.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def recorded(row: dict[str, Any]) -> Recorded:
    """Return the stream of an independent answer."""
    exchange = cassette(row["file"]).exchanges[row["interaction"]]
    return Recorded(row, exchange.response.body)


def decode(pieces: Iterable[bytes]) -> list[Event]:
    """Return the events of an event stream that arrives in pieces."""
    decoder = SSEDecoder()
    found = [event for piece in pieces for event in decoder.feed(piece)]
    found += decoder.close()
    return [
        Event(number, event.event, json.loads(event.data))
        for number, event in enumerate(
            e for e in found if e.data and e.data != "[DONE]"
        )
    ]


# -- Made streams ----------------------------------------------------------------------


def start(**fields: Any) -> Payload:
    """Return a message_start; fields replace those of its message."""
    message: Payload = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
    return {"type": "message_start", "message": message | fields}


def opened(index: object, kind: str, **fields: Any) -> Payload:
    """Return a content_block_start with the fields that its type has."""
    usual: dict[str, Payload] = {
        "text": {"text": ""},
        "thinking": {"thinking": "", "signature": ""},
        "tool_use": {"id": f"toolu_{index}", "name": "f", "input": {}},
        "server_tool_use": {"id": f"srv_{index}", "name": "web_search", "input": {}},
    }
    block = {"type": kind} | usual.get(kind, {}) | fields
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: object, kind: str, **fields: Any) -> Payload:
    """Return a content_block_delta."""
    return {
        "type": "content_block_delta",
        "index": index,
        "delta": {"type": kind, **fields},
    }


def text(piece: str, index: object = 0) -> Payload:
    """Return a text_delta."""
    return delta(index, "text_delta", text=piece)


def thinking(piece: str, index: object = 0) -> Payload:
    """Return a thinking_delta."""
    return delta(index, "thinking_delta", thinking=piece)


def signature(piece: str, index: object = 0) -> Payload:
    """Return a signature_delta."""
    return delta(index, "signature_delta", signature=piece)


def arguments(piece: str, index: object = 0) -> Payload:
    """Return an input_json_delta."""
    return delta(index, "input_json_delta", partial_json=piece)


def stopped(index: object = 0) -> Payload:
    """Return a content_block_stop."""
    return {"type": "content_block_stop", "index": index}


def finish(reason: object = "end_turn", **fields: Any) -> Payload:
    """Return a message_delta."""
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": {"output_tokens": 9},
    } | fields


STOP: Payload = {"type": "message_stop"}
PING: Payload = {"type": "ping"}


def answer(*middle: Payload, reason: object = "end_turn") -> list[Payload]:
    """Return a whole stream with blocks between its start and its end."""
    return [start(), *middle, finish(reason), STOP]


def events(payloads: Iterable[Payload]) -> list[Event]:
    """Return payloads as events with their `event:` lines."""
    return [
        Event(number, str(payload.get("type", "")), payload)
        for number, payload in enumerate(payloads)
    ]


# -- Reading ---------------------------------------------------------------------------


def example(name: str) -> list[WrittenEvent]:
    """Return an example of the API as a writer would have written it."""
    events: list[WrittenEvent] = pickle.loads(_pickled(name))
    return events


@cache
def _pickled(name: str) -> bytes:
    """Return an example to make fresh copies of: five times as fast as copying it."""
    events = example_events("anthropic", name)
    return pickle.dumps([WrittenEvent(e.name, e.payload) for e in events])


def read(stream: Iterable[Event]) -> list[Part]:
    """Return all parts of a stream, those of its close included."""
    reader = API.reader()
    parts = [part for event in stream for part in reader.feed(event)]
    return parts + reader.close()


class Answer(NamedTuple):
    """What an answer adds up to."""

    text: str
    reasoning: str
    refusal: str
    calls: list[tuple[str, str, str]]
    """Name, id and arguments."""
    stop: list[str]


def add_up(parts: Sequence[Part]) -> Answer:
    """Add up the parts of a whole stream."""
    return Answer(
        "".join(p.text for p in parts if isinstance(p, Text)),
        "".join(p.text for p in parts if isinstance(p, Reasoning)),
        "".join(p.text for p in parts if isinstance(p, Refusal)),
        [
            (p.call.name, p.call.id, p.call.arguments)
            for p in parts
            if isinstance(p, CallPart) and p.is_new
        ],
        [p.reason for p in parts if isinstance(p, Finish)],
    )


def shown(part: Part) -> Any:
    """Return a part as a value that compares: a call part without its call."""
    if isinstance(part, CallPart):
        return ("call", part.call.position, part.name, part.arguments, part.is_new)
    if isinstance(part, Opaque):
        return ("opaque", part.kind, part.data)
    if isinstance(part, Item):
        return ("item", part.kind, part.value, part.is_done)
    return part
