"""Recorded streams of Responses, Anthropic and Gemini, through both interfaces.

`expected.jsonl` beside the recordings was computed independently. Answers are the sums
of the deltas; where a stream's own last word differs (`final`), either is right.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from harness import load_cassette, replay
from tests.shared import protocol_folder

APIS = ("responses", "anthropic", "gemini")
RUN = {"function_call", "custom_tool_call", "tool_use", "functionCall"}
"""The kinds of call that an agent must run; server tools are none."""


def rows(api: str, every: int) -> dict[str, list[dict[str, Any]]]:
    """Return the expected answers of every nth recording, by file."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    lines = protocol_folder(api).joinpath("expected.jsonl").read_text("utf-8")
    for line in lines.splitlines():
        row = json.loads(line)
        found[row["file"]].append(row)
    return dict(list(found.items())[::every])


def canonical(arguments: str) -> Any:
    """Return arguments as JSON, a custom tool's input as text."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def wanted(row: dict[str, Any], field: str) -> list[Any]:
    """Return what is right: by the deltas, or by the stream's last word."""
    return [
        row[field],
        *([row["final"][field]] if field in row.get("final", {}) else []),
    ]


def calls_of(row: dict[str, Any], *, with_ids: bool) -> list[Any]:
    """Return the calls to run, as name, id and arguments."""
    return [
        [
            [name, call_id if with_ids else "", canonical(text)]
            for kind, name, call_id, text in calls
            if kind in RUN
        ]
        for calls in wanted(row, "calls")
    ]


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("split", [None, "chars", "random:11"])
@pytest.mark.parametrize("every", [18, pytest.param(1, marks=pytest.mark.slow)])
def test_accumulated_answer_is_the_expected_one(
    api: str, split: str | None, every: int
) -> None:
    """Text and calls however cut; reasoning, refusal and stop as recorded."""
    for name, expected in rows(api, every).items():
        made = replay(
            load_cassette(protocol_folder(api) / name), "queuing", split=split
        )
        responses = {one.exchange: one for one in made.responses}
        for row in expected:
            message = responses[row["interaction"]].choices.get(0)
            assert message is not None or not (row["text"] or row["calls"])
            if message is None:
                continue
            assert message.content in wanted(row, "text"), name
            calls = [[c.name, c.id, canonical(c.arguments)] for c in message.calls]
            assert calls in calls_of(row, with_ids=True), name
            if split is None:
                assert message.reasoning in wanted(row, "reasoning"), name
                assert message.refusal in wanted(row, "refusal"), name
                assert message.finish_reason in wanted(row, "stop"), name


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("split", [None, "chars", "random:11"])
@pytest.mark.parametrize("every", [18, pytest.param(1, marks=pytest.mark.slow)])
def test_streaming_interface_emits_the_expected_text_and_calls(
    api: str, split: str | None, every: int
) -> None:
    """Token for token: what the emitted messages add up to."""
    for name, expected in rows(api, every).items():
        cassette = load_cassette(protocol_folder(api) / name)
        made = replay(cassette, "streaming", split=split)
        for row in expected:
            messages = [
                one.message
                for one in made.emissions
                if one.exchange == row["interaction"] and one.chunk is not None
            ]
            text = "".join(getattr(m, "internal_monologue", "") for m in messages)
            assert text in wanted(row, "text"), name
            calls: dict[str, list[str]] = {}
            last = ""
            for message in messages:
                delta = getattr(message, "function_call", None)
                if delta is not None:
                    last = delta.function_call_id or last
                    held = calls.setdefault(last, ["", ""])
                    held[0] += delta.name or ""
                    held[1] += delta.arguments or ""
            found = [[name, "", canonical(text)] for name, text in calls.values()]
            assert found in calls_of(row, with_ids=False), name
