"""`harness diff`: what differs, first difference first, and what was said apart."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from harness import replay
from harness.debug.difference import compare
from harness.debug.emitted import content_of
from harness.debug.sides import load_stored, side_of
from tests.cli.running import ROOT, harness
from tests.engine.made import call, cassette, exchange, finish, sse, text, user

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.debug.sides import Side

TURNS = "cassettes/stock-vcrpy/two-turns.yaml"


def _side(*payloads: object, interface: str = "streaming", split: str = "") -> Side:
    made = cassette(exchange(sse(*payloads), [user("x")]))
    return side_of(replay(made, interface, split=split or None))


def test_the_same_recording_is_the_same(tmp_path: Path) -> None:
    """Two copies of a file emit the same: exit code 0."""
    copy = tmp_path / "copy.yaml"
    shutil.copy(ROOT / TURNS, copy)
    result = harness("diff", TURNS, str(copy), "--exact")
    assert result.code == 0
    assert "said: the same" in result.out
    assert "emitted: the same, 27 and 27 emissions" in result.out


def test_another_split_differs_in_cuts_and_says_the_same() -> None:
    """Cut otherwise, emissions differ (1) and what was said does not (0)."""
    cut = harness("diff", TURNS, "--split-b", "chars")
    assert cut.code == 1
    assert cut.out.splitlines()[2:4] == [
        "said: the same texts and calls; only the emissions differ",
        (
            "emitted: 27 and 61 emissions; first difference at exchange 0, "
            "chunk 3 of A; exchange 0, chunk 3 of B"
        ),
    ]
    assert harness("diff", TURNS, "--split-b", "chars", "--said").code == 0


def test_both_interfaces_say_the_same() -> None:
    """The queue's whole messages and the stream's fragments say one thing."""
    assert harness("diff", TURNS, "--interface-b", "queuing", "--said").code == 0


@pytest.mark.parametrize("mode", ["steps", "tokens"])
def test_a_dialect_says_the_same(mode: str) -> None:
    """Said as another provider would say it, nothing that was said changes."""
    result = harness("diff", TURNS, "--dialect-b", "azure", "--mode", mode, "--said")
    assert (result.code, result.err) == (0, "")


def test_what_was_cut_off_is_said_to_be_missing() -> None:
    """A caret marks the first character that was not said."""
    result = harness("diff", TURNS, "--fault-b", "cut-chunks:5", "--said")
    lines = result.out.splitlines()
    assert result.code == 1
    place = lines.index("@@ exchange 1, thought, character 12")
    assert lines[place + 1 : place + 4] == [
        "- It's a sunny day in Rome, at 21 degrees.",
        "+ It's a sunny",
        "              ^ from here on",
    ]


def test_a_fault_that_broke_nothing_is_told() -> None:
    """Else "the same" is taken for what a consumer makes of a broken stream."""
    result = harness("diff", TURNS, "--fault-b", "cut-chunks:999")
    assert result.code == 0
    name = f"{TURNS} (streaming --fault cut-chunks:999)"
    assert result.err.splitlines() == [
        f"{name}: exchange {n}: the fault cut-chunks:999 changed no event"
        for n in (0, 1)
    ]


def test_arguments_that_are_no_object_are_compared_as_text() -> None:
    """`{1, 2}` is a value of Python and of nothing else."""
    called = call("{1, 2}", name="f")
    whole = content_of(_side(called, finish("tool_calls")).rows)
    cut = content_of(_side(called, finish("tool_calls"), split="chars").rows)
    assert whole == cut
    assert "{1, 2}" in [one.text for one in whole]


def test_json_is_as_documented() -> None:
    """One object with both names, what was said, the counts and every change."""
    result = harness("diff", TURNS, "--fault-b", "cut-chunks:5", "--json")
    found = json.loads(result.out)
    assert result.code == 1
    assert list(found) == [
        *("a", "b", "same", "said_same", "said", "emissions", "changes")
    ]
    assert found["emissions"] == {"a": 27, "b": 13}
    assert (found["same"], found["said_same"]) == (False, False)
    assert found["said"][0] == {
        "exchange": 0,
        "at": 8,
        "a": {"kind": "call get_weather", "text": '{"city": "Rome"}'},
        "b": {"kind": "call get_weather", "text": '{"city":'},
    }
    first = found["changes"][0]
    assert [row["chunk"] for row in first["a"]] == [5, 6, 7, 8]
    assert first["b"] == []


def test_stored_transcript_is_compared_with_the_replay(tmp_path: Path) -> None:
    """JSON lines of yesterday name the emission that changed today."""
    stored = tmp_path / "stored.jsonl"
    lines = harness("replay", TURNS, "--format", "jsonl").out.splitlines()
    stored.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert harness("diff", str(stored), TURNS, "--exact").code == 0
    row = json.loads(lines[12])
    row["message"]["internal_monologue"] = "?"
    lines[12] = json.dumps(row)
    stored.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = harness("diff", str(stored), TURNS)
    place = f"exchange 1, chunk {row['chunk']} of A; exchange 1, chunk {row['chunk']}"
    assert result.code == 1
    assert f"first difference at {place} of B" in result.out


def test_stored_transcript_keeps_its_interface(tmp_path: Path) -> None:
    """A transcript of the queue is compared with the queue, unasked."""
    stored = tmp_path / "stored.jsonl"
    printed = harness("replay", TURNS, "--interface", "queuing", "--format", "jsonl")
    stored.write_text(printed.out, encoding="utf-8")
    assert harness("diff", str(stored), TURNS).code == 0


def test_snapshots_of_the_extension_are_read(tmp_path: Path) -> None:
    """A snapshot file of a test, stamps put back, equals the replay."""
    pytest.importorskip("syrupy", reason="needs the extra `snapshots`")
    from harness.snapshots import snapshot_text

    transcript = replay(ROOT / TURNS, "streaming")
    path = tmp_path / "test.jsonl"
    path.write_text(snapshot_text(transcript), encoding="utf-8")
    stored = load_stored(str(path))
    assert stored is not None
    assert compare(stored, side_of(transcript), is_exact=True).is_same


def test_stored_transcripts_of_two_replays_are_refused(tmp_path: Path) -> None:
    """What holds two replays is no one side; the error says what to do."""
    stored = tmp_path / "both.jsonl"
    printed = harness("replay", TURNS, "--interface", "both", "--format", "jsonl")
    stored.write_text(printed.out, encoding="utf-8")
    result = harness("diff", str(stored), TURNS)
    assert result.code == 2
    assert "it holds the transcripts of 2 replays; store one a file" in result.err


def test_a_line_that_is_no_emission_is_named(tmp_path: Path) -> None:
    """A damaged transcript is an error with its line, not a difference."""
    stored = tmp_path / "stored.jsonl"
    line = harness("replay", TURNS, "--format", "jsonl").out.splitlines()[0]
    stored.write_text(f"{line}\nnonsense\n", encoding="utf-8")
    result = harness("diff", str(stored), TURNS)
    assert result.code == 2
    assert f"{stored}: line 2: expected an emission" in result.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([TURNS], "there is nothing to compare A with"),
        (["-", "--split-b", "chars"], "-: a pipe can be read only once"),
        (["-", "-"], "-: a pipe can be read only once"),
    ],
    ids=["one file", "a pipe with itself", "a pipe twice"],
)
def test_what_cannot_be_compared_is_wrong_usage(
    arguments: list[str], problem: str
) -> None:
    """Something of B must be other; a pipe is empty when it is read once more."""
    result = harness("diff", *arguments, stdin=b"data: {}\n\n")
    assert result.code == 2
    assert problem in result.err


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1"}, False)],
    ids=["pipe", "forced", "no colour"],
)
def test_colours_follow_the_conventions(
    variables: dict[str, str], coloured: bool
) -> None:
    """Signs on red and green on a terminal or when forced, none in a pipe."""
    result = harness("diff", TURNS, "--split-b", "2", environment=variables)
    assert ("\x1b[38;5;231m\x1b[48;5;160m" in result.out) is coloured


def test_ids_count_only_when_asked() -> None:
    """Two recordings of one answer are the same but for their ids."""
    a, b = _side(text("hi"), finish()), _side(text("hi"), finish(), text(""))
    assert compare(a, b).is_same
    assert not compare(a, b, is_exact=True).is_same


def test_said_joins_interleaved_calls_by_id() -> None:
    """Fragments of two calls that come in turns are two calls, each whole."""
    side = _side(
        call('{"a"', index=0, call_id="c0", name="f"),
        call('{"b"', index=1, call_id="c1", name="g"),
        call(": 1}", index=0),
        call(":2}", index=1),
        finish("tool_calls"),
    )
    calls = [
        (s.kind, s.text) for s in content_of(side.rows) if s.kind.startswith("call")
    ]
    assert calls == [("call f", '{"a": 1}'), ("call g", '{"b": 2}')]


@pytest.mark.parametrize(
    "emitted",
    [
        lambda piece: {"type": "text", "text": piece},
        lambda piece: ("text", piece),
        lambda piece: {"event": "delta", "data": {"delta": piece, "id": 7}},
        lambda piece: {"choices": [{"index": 0, "delta": {"content": piece}}]},
        lambda piece: piece,
    ],
    ids=["typed", "tuple", "nested", "chunk", "bare"],
)
def test_fragments_of_any_message_say_the_same_however_cut(
    emitted: Callable[[str], Any],
) -> None:
    """What diff takes for one answer is what the plugin and fuzz do."""

    class Mine:
        def __init__(self) -> None:
            self._queue: list[Any] = []

        def process_chunk(self, chunk: Any, *_: Any) -> None:
            for choice in chunk.choices:
                if choice.delta.content:
                    self._queue.append(emitted(choice.delta.content))

        def to_list(self) -> list[Any]:
            taken, self._queue = self._queue, []
            return taken

    made = cassette(exchange(sse(text("Once upon"), text(" a"), finish()), [user("x")]))
    a, b = (side_of(replay(made, Mine, split=split)) for split in (None, "chars"))
    assert len(a.rows) < len(b.rows)
    assert compare(a, b).said == []
    cut = cassette(exchange(sse(text("Once upon"), finish()), [user("x")]))
    (change,) = compare(a, side_of(replay(cut, Mine))).said
    assert change.at == len("Once upon")


def test_alignment_finds_an_insertion() -> None:
    """One more emission in the middle is one change, not a shift of all behind it."""
    a = _side(*map(text, "abcdef"), finish())
    b = _side(*map(text, "abcxdef"), finish())
    found = [change for change in compare(a, b).changes if not change.is_same]
    assert [(len(change.a), len(change.b)) for change in found] == [(0, 1)]


def test_long_differences_are_not_aligned_for_minutes() -> None:
    """Five thousand emissions a side that all differ are one change."""
    a = _side(*(text(f"a{n}") for n in range(5000)), finish())
    b = _side(*(text(f"b{n}") for n in range(5000)), finish())
    (change, *_) = (c for c in compare(a, b).changes if not c.is_same)
    assert len(change.a) == 5000
