"""Recorded streams of every API, written in every API, and how the two compare."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.base import Event
from harness.apis.chat.chunks import Chunk
from harness.apis.chat.restate import Restater
from harness.apis.detect import api_named
from harness.apis.style import ApiStyle
from harness.apis.tables import not_carried
from harness.apis.varied import vary
from harness.core.framing import decoder_for
from harness.core.parts import (
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
    ToolCall,
    Usage,
)
from tests import anthropic_streams, chunk_streams, gemini_streams, responses_streams

if TYPE_CHECKING:
    from collections.abc import Iterator


APIS = ("chat", "responses", "anthropic", "gemini")
COUNTS = {"chat": 583, "responses": 164, "anthropic": 115, "gemini": 33}
"""How many streams are recorded of each."""

Answer = list[list[Part]]
"""The parts of each event."""


class Written(NamedTuple):
    """An answer as the events of an API."""

    events: list[Event]
    left_out: dict[str, int]


def recorded(api: str, every: int = 1) -> Iterator[tuple[str, list[Event]]]:
    """Yield the name and the events of every nth recorded stream."""
    if api == "chat":
        for one in chunk_streams.recordings()[::every]:
            yield one.name, [Event(c.index, "", c.payload) for c in one.chunks]
    elif api == "responses":
        for found in responses_streams.recordings()[::every]:
            yield found.name, found.events
    elif api == "anthropic":
        for row in anthropic_streams.rows()[::every]:
            name = f"{row['file']}#{row['interaction']}"
            yield name, anthropic_streams.recorded(row).events
    else:
        for stream in gemini_streams.recordings()[::every]:
            payloads = enumerate(stream.payloads)
            yield stream.name, [Event(n, "", payload) for n, payload in payloads]


def read(api: str, events: list[Event]) -> Answer:
    """Return the parts of each event, those of the end last."""
    reader = api_named(api).reader()
    return [*map(reader.feed, events), reader.close()]


def write(
    api: str, answer: Answer, dialect: str = "", fault: str = "", number: Any = None
) -> Written:
    """Write an answer, through JSON."""
    if api == "chat":
        restater = Restater()
        chunks = [c for n, p in enumerate(answer) for c in restater.chunks(n, None, p)]
        restater.close()
        payloads = [("", chunk.payload) for chunk in chunks]
        left_out = restater.left_out
    else:
        style = ApiStyle(api, dialect, fault, number)
        events, left_out = style.write(answer)
        payloads = [*events]
    return Written(
        [Event(n, *json.loads(json.dumps(e))) for n, e in enumerate(payloads)],
        dict(left_out),
    )


def crossed(source: str, events: list[Event], target: str) -> Written:
    """Write a recorded stream in an API; chat as chat is a dialect of its own."""
    if source == target == "chat":
        chunks = [Chunk(e.index, None, e.payload) for e in events]
        made = vary(dialect="openai").apply(chunks)
        return Written([Event(n, "", c.payload) for n, c in enumerate(made)], {})
    return write(target, read(source, events))


def broken(api: str, events: list[Event]) -> set[str]:
    """Return the rules that events break, without the name of the API."""
    found = api_named(api).check(events)
    return {violation.rule.name.partition("/")[2] for violation in found}


def table(api: str) -> set[str]:
    """Return the written table of what an API cannot carry."""
    return set(not_carried(api))


def facts(answer: Answer) -> dict[str, Any]:
    """Return what an answer amounts to, in a form that compares."""
    parts = [part for parts in answer for part in parts]
    own = [part for part in parts if not isinstance(part, OtherChoice)]
    order: list[tuple[Any, ...]] = []
    for part in own:
        if isinstance(part, Text | Reasoning | Refusal):
            kind = type(part).__name__
            if order and order[-1][0] == kind:
                order[-1] = (kind, order[-1][1] + part.text)
            else:
                order.append((kind, part.text))
        elif isinstance(part, CallPart) and part.is_new and not part.call.is_dropped:
            call = part.call
            order.append(("call", call.type, call.name, call.id, _arguments(call)))
    finishes = [part for part in own if isinstance(part, Finish)]
    usage = [part for part in own if isinstance(part, Usage)]
    return {
        "content": order,
        "finish": {
            word for p in finishes[-1:] for word in (p.reason, p.meaning) if word
        },
        "id": {p.id for p in own if isinstance(p, Head) and p.id},
        "model": {p.model for p in own if isinstance(p, Head) and p.model},
        "tokens": [
            next((n for n in reversed(counts) if n), 0)
            for counts in (
                [one.input_tokens for one in usage],
                [one.output_tokens for one in usage],
            )
        ],
        "whole": Counter(
            _whole(part)
            for part in own
            if isinstance(part, Opaque) or (isinstance(part, Item) and part.is_done)
        ),
        "error": [
            p.text.removeprefix("api_error: ")
            for p in own
            if isinstance(p, Problem) and p.kind == "error-event"
        ],
        "others": [p for p in parts if isinstance(p, OtherChoice)] != [],
    }


def _arguments(call: ToolCall) -> Any:
    text = call.arguments
    if call.type != "function":
        return {"input": text}
    try:
        return json.loads(text or "{}", strict=False)
    except ValueError:
        return text


def _whole(part: Opaque | Item) -> tuple[str, str]:
    """Return opaque data or an item; an annotation of chat as Responses has it."""
    if isinstance(part, Opaque):
        owner = part.call.position if part.call else None
        return part.kind, json.dumps([part.data, owner])
    kind, value = part.kind, part.value
    inner = value.get("type") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(value.get(inner), dict):
        kind, value = str(inner), {"type": inner, **value[inner]}
    return kind, json.dumps(value, sort_keys=True)


def arrived(style: ApiStyle, answer: Answer) -> list[Event]:
    """Write an answer and return its events as they come off the wire."""
    events, _ = style.write(answer)
    if style.dialect == "bedrock-invoke":  # AWS's frames are no event stream
        return [Event(n, *event) for n, event in enumerate(events)]
    body = b"".join(style.encode(events))
    decoder = decoder_for(body)
    found: list[Event] = []
    for event in [*decoder.feed(body), *decoder.close()]:
        if event.data and event.data.strip() != "[DONE]":
            try:
                payload = json.loads(event.data)
            except ValueError:
                payload = {"cut": event.data}
            found.append(Event(len(found), event.event, payload))
    return found
