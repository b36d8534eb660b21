"""Streams of every feature and oddity that documentation and reports name.

`tests/data/odd-streams.jsonl` has one a line: the events, made up after the types of
the vendors' SDKs and public threads, and what they come to. What is not there is empty:

| field | meaning |
|---|---|
| `text`, `reasoning`, `refusal` | the answer of choice 0 |
| `calls` | name and arguments of each call that an agent must run |
| `items` | kinds of what is carried whole: server tools, citations, signatures |
| `finish` | as sent |
| `kinds` | what is reported, but for what no recording of one exchange has |
| `lost` | what the stream's own API cannot carry when it is written again |

`test_sdk_judges.py` holds each against its vendor's SDK, where that reads it at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import replay
from harness.apis.base import Event
from harness.apis.detect import api_named
from harness.apis.json_values import joined
from harness.apis.style import RESTATED
from harness.cassettes.model import Cassette, Exchange, Request, Response, WireChunk
from harness.core.accumulate import AccumulatedMessage, Accumulator
from harness.core.parts import Part, Problem

LINES = Path(__file__).parent.parent / "data" / "odd-streams.jsonl"
APIS = ("chat", "responses", "anthropic", "gemini", "ollama")
UNRECORDED = {"unrecorded-result", "guessed-result", "missing-done"}
each_api = pytest.mark.parametrize("api", APIS)


def streams(api: str) -> list[dict[str, Any]]:
    """Return the streams of an API."""
    rows = map(json.loads, LINES.read_text("utf-8").splitlines())
    return [row for row in rows if row["api"] == api]


def name_of(api: str, event: Any) -> str:
    """Return the `event:` field of an event; empty where the API has none."""
    return str(event.get("type", "")) if api in {"responses", "anthropic"} else ""


def come_to(message: AccumulatedMessage) -> dict[str, Any]:
    """Return what a message amounts to, as a line has it."""
    found = {
        "text": joined(message.content),  # as the line has a pair of surrogates
        "reasoning": message.reasoning,
        "refusal": message.refusal,
        "calls": [[call.name, call.arguments] for call in message.calls],
        "items": [i.kind for i in message.items if getattr(i, "is_done", True)],
        "finish": message.finish_reason,
    }
    return {key: value for key, value in found.items() if value}


def expected(row: dict[str, Any], *more: str) -> dict[str, Any]:
    """Return what a line states of the answer, and of what `more` names."""
    known = {"text", "reasoning", "refusal", "calls", "items", "finish", *more}
    return {key: value for key, value in row.items() if key in known}


@each_api
def test_reader_comes_to_the_answer(api: str) -> None:
    """Added up from the parts of its reader alone, which reports nothing else."""
    wrong: dict[str, Any] = {}
    for row in streams(api):
        reader, added, parts = api_named(api).reader(), Accumulator(), list[Part]()
        for number, event in enumerate(row["events"]):
            if isinstance(event, dict):
                parts += reader.feed(Event(number, name_of(api, event), event))
        parts += reader.close()
        added.add(parts)
        found = come_to(added.message())
        kinds = {str(part.kind) for part in parts if isinstance(part, Problem)}
        more = kinds - UNRECORDED - {*row.get("kinds", ())}
        if more or found != expected(row):
            wrong[row["name"]] = more, found, expected(row)
    assert wrong == {}


def recorded(api: str, events: list[Any], size: int) -> Cassette:
    """Return a recording of events that arrived in pieces of a size."""
    lines = []
    for event in events:
        name = name_of(api, event)
        data = json.dumps(event)
        framed = f"event: {name}\n" * bool(name) + f"data: {data}\n\n"
        lines.append(f"{data}\n" if api == "ollama" else framed)
    body = ("".join(lines) + "data: [DONE]\n\n" * (api == "chat")).encode()
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    wire = [WireChunk(0.0, len(piece)) for piece in pieces]
    response = Response(200, body=body, wire=wire)
    return Cassette("made", [Exchange(0, Request("POST", ""), response)])


@each_api
@pytest.mark.parametrize(("interface", "size"), [("queuing", 7), ("streaming", 4096)])
@pytest.mark.slow
def test_replay_comes_to_the_answer_and_reports_the_rest(
    api: str, interface: str, size: int
) -> None:
    """Through either interface, however the bytes arrived."""
    wrong = {}
    for row in streams(api):
        made = replay(recorded(api, row["events"], size), interface)
        found = come_to(made.responses[0].choices.get(0) or AccumulatedMessage())
        kinds = sorted({str(one.kind) for one in made.diagnostics} - UNRECORDED)
        found |= {"kinds": kinds} if kinds else {}
        if found != expected(row, "kinds"):
            wrong[row["name"]] = found, expected(row, "kinds")
    assert wrong == {}


@each_api
@pytest.mark.slow
def test_restated_in_each_api_the_answer_is_the_same_or_its_loss_is_told(
    api: str,
) -> None:
    """Its texts and the names of its calls; a name that never came is made up."""
    wrong: dict[tuple[str, str], Any] = {}
    for row in streams(api):
        cassette = recorded(api, row["events"], 4096)
        for to in RESTATED:
            made = replay(cassette, "queuing", api=to)
            found = come_to(made.responses[0].choices.get(0) or AccumulatedMessage())
            left = [one.text for one in made.diagnostics if one.kind == "not-carried"]
            lost = "".join(left).partition(": ")[2]
            if to == api and lost != row.get("lost", ""):
                wrong[row["name"], to] = lost
            if left and "late name of a call" not in left[0]:
                continue
            names = [name or "unnamed" for name, _ in row.get("calls", ())]
            texts = [row.get("text"), row.get("reasoning"), names]
            calls = [name or "unnamed" for name, _ in found.get("calls", ())]
            if [found.get("text"), found.get("reasoning"), calls] != texts:
                wrong[row["name"], to] = found
    assert wrong == {}
