"""`harness ls` and `harness show`."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.running import harness

TURNS = "cassettes/stock-vcrpy/two-turns.yaml"


def test_ls_is_one_line_a_cassette() -> None:
    """Every cassette is one line under one head, its columns as counted by hand."""
    result = harness("ls", "cassettes/stock-vcrpy")
    head, *lines = result.out.splitlines()
    assert result.code == 0
    assert head.split() == [
        "cassette", "model", "exchanges", "chunks",
        "tools", "tokens", "ended", "seconds",
    ]  # fmt: skip
    rows = [re.split(r"\s{2,}", line) for line in lines]
    assert rows == [
        ["cassettes/stock-vcrpy/forced-call.yaml", "smollm2-135m-instruct",
         "1", "13", "send_message", "-", "tool_calls", "-"],
        ["cassettes/stock-vcrpy/text.yaml", "smollm2-135m-instruct",
         "1", "66", "-", "-", "stop", "-"],
        ["cassettes/stock-vcrpy/two-turns.yaml", "smollm2-135m-instruct",
         "2", "26", "get_weather", "-", "tool_calls,stop", "-"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "first"),
    [
        (69, "cassette      model  exchanges  chunks  tools  tokens  ended  seconds"),
        (68, "cassettes/llama-server/usage.yaml"),
        (50, "cassettes/llama-server/usage.yaml"),
    ],
)
def test_ls_is_as_narrow_as_the_terminal(
    columns: int, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells are cut; where even that is too wide, a recording is a paragraph."""
    monkeypatch.setattr("harness.cli.ls._columns", lambda: columns)
    result = harness("ls", "cassettes/llama-server/usage.yaml")
    lines = result.out.splitlines()
    assert lines[0] == first
    assert max(map(len, lines)) <= columns
    if len(lines[0]) < columns:
        assert " ".join(map(str.strip, lines[1:])) == (
            "model smollm2-135m-instruct, exchanges 1, chunks 25, tokens 23+23, "
            "ended stop, seconds 8.77"
        )


def test_show_tells_request_answer_and_end() -> None:
    """The request's turns, the answer's text and calls and its end are all there."""
    result = harness("show", TURNS)
    lines = [line.strip() for line in result.out.splitlines()]
    assert result.code == 0
    assert "exchange 1: POST http://127.0.0.1:8101/v1/chat/completions" in lines
    assert 'user: "What is the weather in Rome?"' in lines
    assert 'content: "It\'s a sunny day in Rome, at 21 degrees."' in lines
    assert any(line.startswith('call: get_weather({"city": "Rome"})') for line in lines)
    assert "chunks: 16" in lines
    assert lines[-1] == "ended: stop"


def test_show_one_exchange() -> None:
    """`--exchange` shows that one alone; one that is not there is wrong usage."""
    result = harness("show", TURNS, "--exchange", "0")
    assert "exchange 1" not in result.out
    assert harness("show", TURNS, "--exchange", "2").code == 2


def test_show_reports_what_is_wrong() -> None:
    """A stream without an end is shown with notes on what is missing."""
    delta = json.dumps(
        {"model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    )
    result = harness("show", "-", stdin=f"data: {delta}\n\n".encode())
    assert "note: exchange 0: missing-finish" in result.out
    assert "note: exchange 0: missing-done" in result.out
    assert "ended: no finish" in result.out
