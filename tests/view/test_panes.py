"""`harness replay --around N` and `--until N`: the state at one chunk."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from harness import load_cassette
from harness.apis.varied import vary
from harness.core.json_arguments import FunctionArgumentsStreamHandler
from harness.debug.panes import panes
from harness.debug.trace import trace
from tests.cli.running import ROOT, harness
from tests.engine.made import call, cassette, chunk, exchange, finish, sse, text, user

if TYPE_CHECKING:
    from pathlib import Path

STEPS = "cassettes/llama-server/three-steps.yaml"
BROKEN = "tests/data/broken-arguments.sse"


def test_around_shows_every_pane_of_the_chunk() -> None:
    """Raw text, meaning, machine, calls, and what was emitted, for three chunks."""
    result = harness("replay", BROKEN, "--around", "1", "--interface", "both")
    lines = result.out.splitlines()
    heads = [line for line in lines if not line.startswith("    ")]
    assert result.code == 0
    assert heads == [
        "  exchange 0, chunk 0 of 0-2: read 0, byte 0",
        "> exchange 0, chunk 1 of 0-2: read 0, byte 303",
        "  exchange 0, chunk 2 of 0-2: read 0, byte 509",
    ]
    wanted = lines[lines.index(heads[1]) + 1 : lines.index(heads[2])]
    raw = (ROOT / BROKEN).read_text("utf-8").split("\n")[2].removeprefix("data: ")
    assert wanted[0] == f"    raw        {raw}"
    assert wanted[1] == "    carries    call 0 arguments ' \"there\"}'"
    assert wanted[2].startswith("    machine    call 0: stopped, depth 0, offset 25")
    assert wanted[3] == '    calls      0: send_message({"message": "Hi" "there"}'
    assert wanted[5] == ('    streaming  function_call {"arguments": " \\"there\\"}"}')
    assert wanted[6] == "    queuing    -"
    assert wanted[7].startswith("    found      exchange 0, chunk 1: malformed-arg")


def test_last_chunk_shows_what_came_after_the_stream() -> None:
    """What the step loop caused stands with the last chunk."""
    result = harness("replay", BROKEN, "--around", "2", "--interface", "queuing")
    assert "(after) function_return" in result.out.splitlines()[-1]


def test_until_lists_every_chunk_before() -> None:
    """A line for each chunk, its number first, then the wanted one in full."""
    result = harness("replay", STEPS, "--until", "5")
    lines = result.out.splitlines()
    assert [int(line[1:8]) for line in lines[:5]] == [0, 1, 2, 3, 4]
    assert lines[5].startswith("> exchange 0, chunk 5 of 0-9: ")
    assert lines[1] == "*      1  call 0 opens, name 'get_weather' arguments '{'"


def test_pieces_of_a_chunk_keep_its_number() -> None:
    """Cut otherwise, `--around N` shows all that chunk N was cut into."""
    result = harness("replay", STEPS, "--around", "6", "--split", "chars")
    heads = [line for line in result.out.splitlines() if line.startswith("> ")]
    assert [re.sub(r" of .*", "", head) for head in heads] == [
        f"> exchange 0, chunk 6 (event {number})" for number in range(11, 15)
    ]


def test_chunk_that_is_not_there_is_an_error() -> None:
    """A number beyond the end names the numbers there are."""
    result = harness("replay", BROKEN, "--around", "3")
    assert result.code == 2
    assert result.err == (
        f"harness: {BROKEN}: exchange 0 has no chunk 3; its chunks are numbered 0 "
        "to 2\n"
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((BROKEN, "--around", "1", "--until", "1"), "exclude each other"),
        ((BROKEN, STEPS, "--around", "1"), "look at one recording"),
        (("-", "--around", "0"), "look at one recording"),
        ((STEPS, "--around", "0", "--exchange", "9"), "no streamed chat completion"),
    ],
    ids=["two ways", "two files", "a pipe", "no exchange"],
)
def test_wrong_usage_is_one_line(arguments: tuple[str, ...], problem: str) -> None:
    """What cannot be shown is refused with exit code 2."""
    result = harness("replay", *arguments)
    assert result.code == 2
    assert problem in result.err


def test_state_of_the_machine_is_that_of_the_text_so_far() -> None:
    """State, depth, offset, held text and matched key after every prefix."""
    handler = FunctionArgumentsStreamHandler()
    seen = []
    for fragment in ("{", '"mess', 'age": "a\\u00', "4", '1", "b": [{', "x"):
        handler.process_json_chunk(fragment)
        seen.append(tuple(handler.inspect()))
    assert seen == [
        ("first key", 1, 1, "", 0),
        ("in key", 1, 6, "", 4),
        ("in message", 1, 18, "\\u00", 0),
        ("in message", 1, 19, "\\u004", 0),
        ("first key", 3, 30, "", 0),
        ("stopped", 0, 31, "", 0),
    ]


def test_inspecting_changes_nothing() -> None:
    """A machine that is looked at after each character returns the same text."""
    source = json.dumps({"a": [1, {"message": 2}], "message": 'q"\n\U0001f600'})
    handler = FunctionArgumentsStreamHandler()
    pieces = []
    for char in source:
        handler.inspect()
        pieces.append(handler.process_json_chunk(char) or "")
    assert "".join(pieces) == json.loads(source)["message"]


def test_trace_shows_lengths_as_they_were() -> None:
    """After each event the text and the arguments are those of that moment."""
    body = sse(
        text("Hel"),
        call('{"a"', call_id="c", name="f"),
        text("lo"),
        "{broken",
        call(": 1}"),
        finish("tool_calls"),
    )
    made = trace(cassette(exchange(body, [user("x")])))
    shown = [panes(made, number) for number in range(len(made.moments))]
    assert [pane["text"] for pane in shown] == [
        *(["Hel"], ["Hel"], ["Hello"], ["Hello"], ["Hello"], ["Hello"])
    ]
    assert [pane["calls"] for pane in shown] == [
        [],
        *[['0: f({"a"']] * 3,
        *[['0: f({"a": 1}']] * 2,
    ]
    assert made.moments[3].event.payload is None
    assert len(made.moments[3].diagnostics) == 1


def test_interface_that_raises_leaves_its_trace() -> None:
    """What it had emitted stays, and the failure is told."""

    class Fragile:
        def process_chunk(self, chunk: object, message_id: str, date: object) -> None:
            raise ValueError("no")

        def to_list(self) -> list[object]:
            return []

    body = sse(text("a"), finish())
    made = trace(cassette(exchange(body, [user("x")])), interfaces=[Fragile()])
    (failure,) = made.failures.values()
    assert "ValueError: no" in str(failure.error)
    (name,) = made.interfaces
    assert "raised: " in panes(made, 0)[name][-1]
    assert panes(made, 1)[name] == ["not fed"]


def test_trace_says_the_same_in_every_split() -> None:
    """Texts and calls of a trace do not depend on the cuts."""
    loaded = load_cassette(ROOT / STEPS)
    whole = trace(loaded)
    for split in ("whole", "chars", "random:3"):
        cut = trace(loaded, variation=vary(split))
        assert cut.message.content == whole.message.content
        assert [c.arguments for c in cut.message.calls] == [
            c.arguments for c in whole.message.calls
        ]


def test_escapes_of_a_terminal_are_shown_not_sent(tmp_path: Path) -> None:
    """Raw text, name and arguments of a recording cannot run escapes."""
    path = tmp_path / "odd.sse"
    body = sse(
        chunk({"content": "\x1b[31m"}),
        call("{\x1b[32m", call_id="c", name="f\x1b[0m"),
        "\x1b]0;owned\x07",
    )
    path.write_text(body, encoding="utf-8")
    assert "\x1b" not in harness("replay", str(path), "--around", "1").out


@pytest.mark.parametrize("way", ["--around", "--until"])
def test_reasoning_is_told_to_the_interface_when_asked(
    tmp_path: Path, way: str
) -> None:
    """With --reasoning the interface emits it at its chunk, without it nothing."""
    body = sse(chunk({"reasoning_content": "Hm."}), text("Hi"), finish())
    path = tmp_path / "thinking.sse"
    path.write_text(body, encoding="utf-8")
    told = '    streaming  internal_monologue "Hm."'
    arguments = ("replay", str(path), way, "0")
    assert told not in harness(*arguments).out.splitlines()
    assert told in harness(*arguments, "--reasoning").out.splitlines()
