"""Every recorded Messages stream is read as independent answers state.

All 115 are sums of deltas: no recording states anything else in a later event (no row
of `expected.jsonl` has a `final`).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.apis.anthropic.api import API
from harness.cassettes.load import load_cassette
from harness.core.parts import Item, Problem
from tests.anthropic_streams import (
    add_up,
    cassette,
    decode,
    read,
    recorded,
    rows,
    shown,
)
from tests.shared import corpus_files, needs_shared, protocol_folder

each_stream = pytest.mark.parametrize(
    "row", [pytest.param(row, id=str(number)) for number, row in enumerate(rows())]
)


@needs_shared
def test_all_recordings_are_here() -> None:
    """The figure of the recordings' own description."""
    assert len(rows()) == 115


@each_stream
def test_a_recorded_stream_is_read_as_the_independent_answer(
    row: dict[str, Any],
) -> None:
    """Text, reasoning, refusal, calls, stop and server tools; nothing unread."""
    stream = recorded(row).events
    assert len(stream) == row["events"]
    parts = read(stream)
    wanted = [(c[1], c[2], c[3]) for c in row["calls"] if c[0] == "tool_use"]
    found = add_up(parts)
    assert found.text == row["text"]
    assert found.reasoning == row["reasoning"]
    assert found.refusal == row["refusal"]
    assert found.calls == wanted
    assert found.stop == [row["stop"]] * bool(row["stop"])
    if row["stop"]:  # else it breaks off
        assert [p for p in parts if isinstance(p, Problem)] == []
    served = [
        (p.kind, p.value["name"], p.value["id"], p.value["input"])
        for p in parts
        if isinstance(p, Item) and p.is_done and p.kind.endswith("tool_use")
    ]
    assert served == [
        (kind, name, call_id, json.loads(text or "{}"))
        for kind, name, call_id, text in row["calls"]
        if kind != "tool_use"
    ]


@needs_shared
def test_a_recorded_stream_breaks_no_rule() -> None:
    """The rules are those of the provider, so none of its own streams breaks one."""
    for row in rows():
        assert list(API.check(recorded(row).events)) == [], row["file"]


def test_cuts_anywhere_change_nothing() -> None:
    """Byte by byte and cut in two at every place (of one stream with all it needs)."""
    row = min(
        (r for r in rows() if r["calls"] and r["text"]),
        key=lambda r: len(recorded(r).body),
    )
    body = recorded(row).body
    whole = [shown(part) for part in read(decode([body]))]
    single = [body[i : i + 1] for i in range(len(body))]
    assert [shown(part) for part in read(decode(single))] == whole
    for cut in range(0, len(body), 7):
        pieces = [body[:cut], body[cut:]]
        assert [shown(part) for part in read(decode(pieces))] == whole


@needs_shared
def test_recorded_requests_and_whole_answers_are_read() -> None:
    """Each request is this API's, with its turns; whole answers are read alike."""
    whole = 0
    for file in sorted({row["file"] for row in rows()}):
        for exchange in cassette(file).exchanges:
            body = exchange.request.json()
            if body is not None:
                assert API.is_request(exchange.request.uri, body), file
                said = API.request(exchange.request.uri, body)
                assert said.model == body.get("model", "")
                assert len(said.turns) >= len(body.get("messages", [])), file
            if exchange.response.body.startswith(b"{"):
                document = json.loads(exchange.response.body)
                whole += 1
                assert API.is_answer(document)
                parts = API.whole(document)
                text = "".join(b.get("text", "") for b in document["content"])
                assert add_up(parts).text == text
                assert add_up(parts).stop == [document["stop_reason"]]
                assert not any(isinstance(p, Problem) for p in parts)
    assert whole == 3


def test_each_event_is_recognised() -> None:
    """Every recorded event but pings is known for this API's, by its content."""
    for row in rows():
        for event in recorded(row).events:
            is_ping = event.payload["type"] == "ping"
            assert API.is_event(event.name, event.payload) != is_ping
            assert API.is_event("", event.payload) != is_ping


def _others() -> list[str]:
    """Return files of other APIs: some of each source, all of them when slow."""
    files = [path for path in corpus_files() if "anthropic" not in path.parent.name]
    for api in ("responses", "gemini"):
        files += sorted(protocol_folder(api).rglob("*.y*ml"))
    return list(map(str, files))


@pytest.mark.parametrize(
    "step", [pytest.param(40, id="some"), pytest.param(1, marks=pytest.mark.slow)]
)
def test_nothing_of_another_api_is_taken_for_this(step: int) -> None:
    """Requests, answers and events of the recordings of the other APIs."""
    for file in _others()[::step]:
        for exchange in load_cassette(file).exchanges:
            body = exchange.request.json()
            if isinstance(body, dict):
                assert not API.is_request(exchange.request.uri, body), file
            raw = exchange.response.body
            try:
                document = json.loads(raw)
            except ValueError:
                document = None
            assert not API.is_answer(document), file
            if document is None and b"data:" in raw:
                for line in raw.splitlines():
                    if line.startswith(b"data: {"):
                        try:
                            payload = json.loads(line[6:])
                        except ValueError:
                            continue
                        assert not API.is_event("", payload), file
