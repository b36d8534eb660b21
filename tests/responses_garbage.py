"""Mutated Responses events: whatever comes, nothing raises.

`python -m tests.responses_garbage [EVENTS] [SEED]` runs a campaign.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from harness.apis.base import Event
from harness.apis.responses.answer import whole
from harness.apis.responses.api import API
from harness.apis.responses.reader import Reader
from tests.responses_streams import made, recordings, replaced

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    float("nan"),
    float("inf"),
    10**5000,
    2**70,
    "",
    "x",
    "\ud83d",
    "\x00",
    "response.completed",
    "error",
    [],
    {},
    [[]],
    [None],
    [{}],
    [1, "a", {"type": "message"}],
    {"type": "message"},
    {"text": "t"},
    {"": ""},
    {"type": "function_call", "arguments": {}},
    {"error": {"error": 1}},
    "a" * 5000,
]
"""Values that no field expects somewhere; `_deep` is added to them."""


def _deep(levels: int) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"content": value}
    return value


ODD += [_deep(300), _deep(2000)]  # parsers refuse more than about 1000


def stock() -> list[list[Event]]:
    """Return the streams to mutate: recorded ones, or a small made one without them."""
    if recordings():
        return [found.events for found in recordings() if len(found.events) < 300]
    item = {"type": "message", "id": "m", "content": []}
    return [
        made(
            {"type": "response.created", "response": {"id": "r", "output": []}},
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.output_text.delta", "output_index": 0, "delta": "hello"},
            {"type": "response.completed", "response": {"id": "r", "output": [item]}},
        )
    ]


def mutated(rng: random.Random, event: Event) -> Event:
    """Return an event with one to three values replaced, removed or added."""
    payload: Any = event.payload
    for _ in range(rng.randint(1, 3)):
        place = _place(rng, payload)
        payload = _changed(rng, payload, place)
        if type(payload) is not dict:
            payload = {"type": event.name, "x": payload}
    name = rng.choice([event.name, event.name, "", "error", "x"])
    return Event(event.index, name, payload)


def _place(rng: random.Random, value: Any) -> tuple[str | int, ...]:
    place: list[str | int] = []
    while (
        isinstance(value, dict | list) and value and (not place or rng.random() < 0.7)
    ):
        step = (
            rng.choice(list(value))
            if isinstance(value, dict)
            else (rng.randrange(len(value)))
        )
        place.append(step)
        value = value[step]
    return tuple(place)


def _changed(rng: random.Random, payload: Any, place: tuple[str | int, ...]) -> Any:
    if rng.random() < 0.15 and len(place) == 1:
        changed = {key: value for key, value in payload.items() if key != place[0]}
    else:
        changed = replaced(payload, place, rng.choice(ODD))
    if rng.random() < 0.2 and type(changed) is dict:
        changed = {**changed, rng.choice(_FIELDS): rng.choice(ODD)}
    return changed


_FIELDS = [
    "error",
    "delta",
    "item",
    "item_id",
    "output_index",
    "content_index",
    "part",
    "response",
    "code",
    "message",
    "arguments",
    "annotation",
    "object",
    "type",
    "text",
]


def run(events: int, seed: int) -> int:
    """Feed mutated events to readers and rules; return how many parts came of them."""
    rng = random.Random(seed)
    streams = stock()
    parts = fed = 0
    while fed < events:
        stream = rng.choice(streams)
        reader = Reader()
        altered = []
        for event in stream:
            if rng.random() < 0.15:
                continue
            found = mutated(rng, event) if rng.random() < 0.5 else event
            altered.append(found)
            API.is_event(found.name, found.payload)
            parts += len(reader.feed(found))
            if rng.random() < 0.1:
                parts += len(reader.feed(found))
        parts += len(reader.close()) + sum(1 for _ in API.check(altered))
        fed += len(altered)
        last = rng.choice(altered or [Event(0, "", {})]).payload
        document = last.get("response")
        for odd in (last, document if type(document) is dict else {}):
            parts += len(whole(odd))
            API.request("/v1/responses", {"input": odd.get("output"), **odd})
            API.is_request("/v1/responses", odd)
            API.is_answer(odd)
    return parts


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    print(
        f"{wanted} mutated events, seed {chosen}: {run(wanted, chosen)} parts, no error"
    )
