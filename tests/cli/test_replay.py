"""`harness replay`: what it prints, where, and the exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, harness

if TYPE_CHECKING:
    from pathlib import Path

FORCED = "cassettes/stock-vcrpy/forced-call.yaml"
TURNS = "cassettes/stock-vcrpy/two-turns.yaml"
BROKEN = "tests/data/broken-arguments.sse"


def _messages(out: str) -> list[object]:
    return [json.loads(line)["message"] for line in out.splitlines()]


def _text(out: str) -> str:
    return "".join(
        m.get("assistant_message", "") for m in _messages(out) if isinstance(m, dict)
    )


def test_jsonl_is_as_documented() -> None:
    """Each line has the documented keys in the documented order."""
    result = harness("replay", FORCED, "--format", "jsonl")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 0
    assert {tuple(row) for row in rows} == {
        ("cassette", "interface", "exchange", "chunk", "at", "message")
    }
    assert rows[0] == {
        "cassette": FORCED,
        "interface": "streaming",
        "exchange": 0,
        "chunk": 1,
        "at": None,
        "message": {
            "id": rows[0]["message"]["id"],
            "date": rows[0]["message"]["date"],
            "message_type": "function_call",
            "function_call": {
                "name": "send_message",
                "arguments": "{",
                "function_call_id": "ycQvjmJrXM2Yn7chuIixahRdCFf5j7u0",
            },
        },
    }
    assert [row["message"] for row in rows if isinstance(row["message"], str)] == [
        "[DONE_GEN]",
        "[DONE_STEP]",
    ]


@pytest.mark.parametrize("split", ["recorded", "whole", "chars", "3", "random:5"])
def test_every_split_says_the_same(split: str) -> None:
    """The assistant's text does not depend on how it was cut."""
    result = harness(
        "replay", FORCED, "--assistant-message", "--format", "jsonl", "--split", split
    )
    assert _text(result.out) == "Awesome morning!"
    pieces = [m for m in _messages(result.out) if isinstance(m, dict)]
    if split == "chars":
        assert sum("assistant_message" in m for m in pieces) == len("Awesome morning!")


def test_modes_differ_as_documented() -> None:
    """Tokens stream deltas, steps whole calls, legacy a line, chat OpenAI chunks."""
    kinds = {}
    for mode in ("tokens", "steps", "legacy", "chat-completion"):
        result = harness("replay", FORCED, "--mode", mode, "--format", "jsonl")
        assert result.code == 0
        kinds[mode] = _messages(result.out)
    (call,) = (
        m for m in kinds["steps"] if isinstance(m, dict) and "function_call" in m
    )
    assert call["function_call"]["arguments"] == '{"message": "Awesome morning!"}'
    legacy = [m for m in kinds["legacy"] if isinstance(m, dict)]
    assert legacy[0]["function_call"] == "send_message({'message': 'Awesome morning!'})"
    chunks = [m for m in kinds["chat-completion"] if isinstance(m, dict)]
    content = "".join(
        choice["delta"].get("content") or ""
        for chunk in chunks
        for choice in chunk["choices"]
    )
    assert content == "Awesome morning!"


def test_own_assistant_function_and_argument() -> None:
    """Another function's argument can be the agent's answer."""
    result = harness(
        "replay",
        TURNS,
        "--assistant-message",
        "--assistant-function=get_weather",
        "--assistant-argument=city",
        "--format=jsonl",
    )
    assert _text(result.out) == "Rome"


def test_single_step_and_exchange_choose() -> None:
    """`--single-step` stops after the first step, `--exchange` picks one."""
    first = harness("replay", TURNS, "--single-step", "--format", "jsonl")
    second = harness("replay", TURNS, "--exchange", "1", "--format", "jsonl")
    assert {json.loads(line)["exchange"] for line in first.out.splitlines()} == {0}
    assert {json.loads(line)["exchange"] for line in second.out.splitlines()} == {1}


def test_interface_both_replays_twice() -> None:
    """Both interfaces come after each other, each under its name."""
    result = harness("replay", TURNS, "--interface", "both", "--format", "jsonl")
    names = [json.loads(line)["interface"] for line in result.out.splitlines()]
    assert names == sorted(names, reverse=True)
    assert set(names) == {"streaming", "queuing"}


def test_standard_input_equals_the_file() -> None:
    """Event stream text says the same from a pipe as from a file."""
    text = (ROOT / BROKEN).read_bytes()
    piped = harness(
        "replay", "-", "--interface", "both", "--format", "jsonl", stdin=text
    )
    named = harness("replay", BROKEN, "--interface", "both", "--format", "jsonl")
    assert piped.out == named.out.replace(BROKEN, "-")


def test_sse_format_is_what_a_server_sends() -> None:
    """Every event is `data: ...` and a blank line, `[DONE]` last and unquoted."""
    result = harness("replay", FORCED, "--format", "sse")
    *events, end = result.out.split("\n\n")
    assert end == ""
    assert all(event.startswith("data: ") for event in events)
    assert events[-1] == "data: [DONE]"
    assert "data: [DONE_GEN]" in events


def test_strict_turns_diagnostics_into_findings() -> None:
    """Diagnostics go to standard error; with --strict they make the exit code 1."""
    plain = harness("replay", BROKEN)
    strict = harness("replay", BROKEN, "--strict")
    quiet = harness("replay", BROKEN, "--strict", "--quiet")
    assert (plain.code, strict.code, quiet.code) == (0, 1, 1)
    assert "exchange 0, chunk 1: malformed-arguments" in plain.err
    assert "at character 17: expected ',' or '}', got '\"'" in plain.err
    assert quiet.err == ""
    assert quiet.out == plain.out


def test_folder_gives_a_summary_and_no_bar_off_a_terminal() -> None:
    """Several cassettes end with one line of counts on standard error."""
    result = harness("replay", "cassettes/stock-vcrpy", "--format", "jsonl")
    assert result.code == 0
    assert result.err.splitlines()[-1].startswith("3 cassettes, ")
    assert "\x1b" not in result.err + result.out


def test_own_interface_from_the_current_folder(tmp_path: Path) -> None:
    """`MODULE:NAME` is imported from where the command runs, and used unmodified."""
    (tmp_path / "mine.py").write_text(
        "class Lengths:\n"
        "    def __init__(self): self.out = []\n"
        "    def process_chunk(self, chunk, message_id, message_date):\n"
        "        self.out.append({'n': len(chunk.choices), 'model': chunk.model})\n"
        "    def to_list(self): out, self.out = self.out, []; return out\n",
        encoding="utf-8",
    )
    result = harness(
        "replay",
        str(ROOT / FORCED),
        "--interface=mine:Lengths",
        "--format=jsonl",
        cwd=tmp_path,
    )
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 0
    assert {row["interface"] for row in rows} == {"mine:Lengths"}
    assert rows[0]["message"] == {"n": 1, "model": "smollm2-135m-instruct"}


def test_interface_that_raises_is_a_finding_with_its_place(tmp_path: Path) -> None:
    """An exception of the user's code is one line with exchange and chunk, exit 1."""
    (tmp_path / "mine.py").write_text(
        "class Fragile:\n"
        "    def process_chunk(self, chunk, message_id, message_date):\n"
        "        chunk.choices[0].delta.tool_calls[0]\n"
        "    def to_list(self): return []\n",
        encoding="utf-8",
    )
    result = harness(
        "replay", str(ROOT / FORCED), "--interface=mine:Fragile", cwd=tmp_path
    )
    assert result.code == 1
    assert result.err.splitlines() == [
        (
            f"harness: {ROOT / FORCED}: exchange 0, chunk 0: "
            "mine:Fragile.process_chunk() raised "
            "TypeError: 'NoneType' object is not subscriptable "
            "(mine.py, line 3, in process_chunk)"
        )
    ]


def test_closed_pipe_is_quiet() -> None:
    """`| head` ends the command without a word."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "replay", "cassettes/stock-vcrpy"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() in {0, 141}  # 0 where all fitted into the pipe
    assert "Traceback" not in err
    assert "BrokenPipe" not in err


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
    ids=["pipe", "forced", "no colour"],
)
def test_colours_follow_the_conventions(
    variables: dict[str, str], coloured: bool
) -> None:
    """No escapes in a pipe, FORCE_COLOR turns them on, NO_COLOR wins."""
    result = harness("replay", FORCED, environment=variables)
    assert ("\x1b[" in result.out) is coloured


def test_terminal_escapes_in_a_recording_are_shown_not_run(tmp_path: Path) -> None:
    """A recorded escape sequence reaches the terminal as text."""
    delta = json.dumps({"choices": [{"index": 0, "delta": {"content": "\x1b[31mred"}}]})
    result = harness("replay", "-", stdin=f"data: {delta}\n\n".encode())
    assert "\x1b" not in result.out
    assert "red" in result.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([str(ROOT / FORCED), "--exchange", "7"], "there is no exchange 7"),
        (
            [str(ROOT / FORCED), "--interface", "absent:Interface"],
            "there is no module 'absent'",
        ),
        (["error.sse"], "nothing to replay"),
    ],
)
def test_nothing_is_shown_of_what_cannot_be_replayed(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    """The title comes first of all, but not where nothing can follow it."""
    (tmp_path / "error.sse").write_text("event: ping\ndata: {}\n\n", encoding="utf-8")
    result = harness("replay", *arguments, cwd=tmp_path)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_replay_without_a_message_shows_its_title(tmp_path: Path) -> None:
    """Whoever reads a table sees that it is empty; a program gets nothing to read."""
    path = tmp_path / "silent.sse"
    path.write_text(
        'data: {"choices": [{"index": 0, "delta": {"role": "assistant"}, '
        '"finish_reason": "stop"}]}\n\ndata: [DONE]\n\n',
        encoding="utf-8",
    )
    shown = {
        form: harness("replay", str(path), "--interface=queuing", "--format", form)
        for form in ("table", "jsonl", "sse")
    }
    title, columns = shown["table"].out.splitlines()
    assert title == f"{path} (queuing)"
    assert columns.split() == ["exch", "chunk", "at", "message", "content"]
    assert (shown["jsonl"].out, shown["sse"].out) == ("", "")
