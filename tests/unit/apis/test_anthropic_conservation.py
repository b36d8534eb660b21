"""Nothing that a Messages stream carries is lost in silence, and nothing raises."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.anthropic import known_fields as known
from harness.apis.anthropic.api import API
from harness.apis.base import Event
from harness.core.parts import CallPart, OtherChoice, Part, Problem
from harness.errors import shorten
from tests.anthropic_streams import (
    PING,
    STOP,
    Payload,
    answer,
    arguments,
    delta,
    events,
    finish,
    opened,
    recorded,
    rows,
    signature,
    stopped,
    text,
    thinking,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


TOKEN = "planted-4f1c"
Path = tuple[str | int, ...]

EVERYTHING = [
    *answer(
        opened(0, "thinking"),
        thinking("hm"),
        signature("sig=="),
        stopped(0),
        opened(1, "redacted_thinking", data="xyz"),
        stopped(1),
        opened(2, "text", citations=[{"type": "page_location", "cited_text": "c"}]),
        delta(2, "citations_delta", citation={"type": "char_location", "title": "t"}),
        text("Hi", 2),
        stopped(2),
        opened(3, "server_tool_use", input={"deep": [{"er": "text"}]}),
        stopped(3),
        opened(4, "web_search_tool_result", tool_use_id="srv_3", content=[{"a": "b"}]),
        stopped(4),
        opened(5, "compaction", content=None),
        delta(5, "compaction_delta", content="sum", encrypted_content="e"),
        stopped(5),
        opened(6, "of_tomorrow", text="t", more={"x": "y"}),
        delta(6, "of_tomorrow_delta", text="t", more={"x": ["y"]}),
        stopped(6),
        opened(7, "tool_use", caller={"type": "direct", "tool_id": "x"}),
        arguments('{"a": 1}', 7),
        stopped(7),
        {"type": "of_tomorrow", "title": "t", "delta": {"body": "u"}},
        PING | {"ping": "t"},
        reason="tool_use",
    )[:-2],
    finish("tool_use", context_management={"applied_edits": [{"type": "x"}]}),
    {"type": "error", "error": {"type": "api_error", "message": "m", "details": "d"}},
    STOP,
]


# -- Conservation ----------------------------------------------------------------------


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of the texts in a value."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))


def planted(payload: Payload, path: Path, value: object) -> Payload:
    """Return a copy of an event with another value at a path."""
    altered = copy.deepcopy(payload)
    holder: Any = altered
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return altered


def carries(part: Part, wanted: str) -> bool:
    """Tell whether a part has a text in any of its fields."""
    if isinstance(part, OtherChoice):
        return carries(part.part, wanted)
    if isinstance(part, CallPart):
        return wanted in f"{part.id} {part.name} {part.arguments}"
    return wanted in repr(part)


def meaning_of(payload: Payload, path: str) -> str:
    """Return what the table that is for an event has of a path; empty if nothing."""
    kind, unknown = payload.get("type"), known.UNKNOWN_EVENT
    if kind == "content_block_delta":
        return known.DELTAS.get(payload["delta"].get("type"), unknown).meaning(path)
    if kind == "content_block_start" and path.startswith("content_block."):
        block = payload["content_block"].get("type")
        return known.BLOCKS.get(block, known.UNKNOWN_BLOCK).meaning(path)
    if kind == "message":
        return known.WHOLE.meaning(path)
    return known.EVENTS.get(str(kind), unknown).meaning(path)


def is_known(payload: Payload, path: Path) -> bool:
    """Tell whether the field of a path is in the table that is for its event."""
    named = "".join("[]" if type(s) is int else f".{s}" for s in path).lstrip(".")
    return bool(meaning_of(payload, named))


def lost(stream: list[Event], each: Callable[[], bool]) -> Iterator[str]:
    """Yield the places whose text comes out nowhere.

    Args:
        stream: The events; each is altered in turn and fed to a copy of the reader.
        each: Whether the next place is to be tried.
    """
    reader = API.reader()
    for event in stream:
        for path in leaves(event.payload):
            if not each():
                continue
            altered = planted(event.payload, path, TOKEN)
            trial = copy.deepcopy(reader)
            parts = trial.feed(Event(event.index, event.name, altered))
            parts += trial.close()
            if not any(carries(part, TOKEN) for part in parts) and not is_known(
                event.payload, path
            ):
                yield f"event {event.index}: {path}"
        reader.feed(event)


def test_a_text_planted_in_any_leaf_comes_out() -> None:
    """In a part, in a problem, or its path is a known field: one of everything."""
    assert list(lost(events(EVERYTHING), lambda: True)) == []


@pytest.mark.parametrize(
    "share",
    [
        0.01,
        pytest.param(0.2, marks=pytest.mark.slow),
        pytest.param(1.0, marks=pytest.mark.campaign, id="all"),  # half a minute
    ],
)
def test_a_text_planted_in_any_leaf_of_a_recording_comes_out(share: float) -> None:
    """A sample of all recorded events in each run, all of them in a campaign."""
    chance = random.Random(5)
    for row in rows():
        stream = recorded(row).events
        assert list(lost(stream, lambda: chance.random() < share)) == [], row["file"]


@pytest.mark.parametrize("event", events(EVERYTHING))
def test_all_texts_of_an_unknown_event_are_reported(event: Event) -> None:
    """Another type: each field with text is named with it, below what is unknown."""
    payload = event.payload | {"type": "of_the_day_after"}
    reader = API.reader()
    assert reader.feed(Event(0, "of_the_day_after", payload)) == []
    found = (
        p.text.partition(" is no known field, or of another type: ")
        for p in reader.close()
        if isinstance(p, Problem)
    )
    reported = [(root, f", {held}") for root, _, held in found]
    for path in leaves(payload):
        value: Any = payload
        for step in path:
            value = value[step]
        if value and path not in {("type",), ("delta", "type")}:
            named = "".join("[]" if type(s) is int else f".{s}" for s in path)[1:]
            assert any(
                named.startswith(root)
                and f", {named[len(root) :].lstrip('.')} {shorten(value)}".replace(
                    "  ", " "
                )
                in held
                for root, held in reported
            ), named


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        (text(5), "delta.text"),  # type: ignore[arg-type]
        (thinking(True), "delta.thinking"),  # type: ignore[arg-type]
        (arguments(["x"]), "delta.partial_json[]"),  # type: ignore[arg-type]
        (signature({"a": "b"}), "delta.signature.a"),  # type: ignore[arg-type]
        (opened(0, "text", text=7), "content_block.text"),
        (opened(0, "tool_use", id=7), "content_block.id"),
        (opened("zero", "text"), "index"),
        (opened(0, "text") | {"content_block": "x"}, "content_block"),
        (finish(5), "delta.stop_reason"),
        (finish(usage="many"), "usage"),
        (finish() | {"delta": "x"}, "delta"),
        ({"type": "message_start", "message": "x"}, "message"),
    ],
)
def test_a_field_of_another_type_is_unread(payload: Payload, path: str) -> None:
    """A part carries only what it can take."""
    reader = API.reader()
    reader.feed(events([payload])[0])
    found = [p.text for p in reader.close() if isinstance(p, Problem)]
    assert any(text.startswith(f"{path} is no known field") for text in found)


# -- Garbage ---------------------------------------------------------------------------

_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**400,
    float("nan"),
    float("inf"),
    "",
    "x",
    "\ud83d",
    "type",
    [],
    {},
    [None],
    {"": None},
    {"type": "text"},
)


def _deep(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = [value] if levels % 2 else {"input": value}
    return value


def mutated(payload: Payload, chance: random.Random) -> Payload:
    """Return an event with something wrong in it."""
    payload = copy.deepcopy(payload)
    for _ in range(chance.randint(1, 3)):
        holders: list[Any] = [payload]
        for holder in holders:
            inner = holder.values() if isinstance(holder, dict) else holder
            holders += [v for v in inner if isinstance(v, dict | list) and v]
        holder = chance.choice(holders)
        if not holder:
            continue
        key = chance.choice(list(holder if isinstance(holder, dict) else [0]))
        action = chance.randrange(30)
        if action == 0 or action > 26:
            del holder[key]
        elif action == 1:
            holder[key] = _deep(chance.choice((3, 700, 901)))
        elif action < 4 and isinstance(holder, dict):
            new = chance.choice(("index", "delta", "type", "new"))
            holder[new] = copy.copy(holder[key])
        else:
            holder[key] = copy.copy(chance.choice(_VALUES))
    return payload


@pytest.mark.parametrize(
    "count", [1000, pytest.param(100_000, marks=pytest.mark.campaign, id="all")]
)
def test_no_garbage_raises(count: int) -> None:
    """Mutated events in any order are read, checked and recognised all the same."""
    chance = random.Random(11)
    pool = [event.payload for event in events(EVERYTHING)]
    for row in rows()[::10]:
        pool += [event.payload for event in recorded(row).events[:40]]
    done = 0
    while done < count:
        size = chance.randint(1, 30)
        done += size
        stream = [
            Event(number, chance.choice(("", "error", "message_start", "x")), payload)
            for number, payload in enumerate(
                mutated(chance.choice(pool), chance)
                if chance.random() < 0.7
                else chance.choice(pool)
                for _ in range(size)
            )
        ]
        reader = API.reader()
        for event in stream:
            reader.feed(event)
            API.is_event(event.name, event.payload)
            API.is_answer(event.payload)
            API.is_request("http://x/v1/messages", event.payload)
        reader.close()
        list(API.check(stream))
        message = stream[0].payload.get("message")
        API.whole(message if type(message) is dict else stream[0].payload)
        API.request("", {"messages": [e.payload.get("content_block") for e in stream]})
