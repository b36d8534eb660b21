"""`harness replay` alone points at the chunk that broke a stream."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness import load_cassette, replay
from harness.debug.causes import CAUSES
from harness.debug.explain import explain
from harness.debug.raw_events import raw_events
from harness.engine.transcript import DiagnosticKind
from tests.cli.running import harness
from tests.engine.made import call, cassette, chunk, exchange, finish, sse, text, user
from tests.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from pathlib import Path

    from harness.debug.raw_events import RawEvent

STEPS = "cassettes/llama-server/three-steps.yaml"


@dataclass(frozen=True)
class Case:
    """A broken stream and where it is broken."""

    id: str
    arguments: tuple[str, ...]
    kind: str
    chunk: int
    caret: str
    """What stands before the caret, and what at it, in the excerpt."""


# Chunk 0 of the first exchange has the role, 1 the name with no arguments, 2 to 8 the
# arguments, cut by the tokens: {" city ": ␣" Rome "}; 9 the usage. As `grep` shows it.
CASES = (
    Case("broken JSON", ("broken-json:3",), "unreadable-payload", 3, '"id":"|'),
    Case("error event", ("error-event:4",), "error-event", 4, '{|"error"'),
    Case(
        "arguments cut",
        ("truncated-arguments:9",),
        "malformed-arguments",
        5,
        '{"city": |',
    ),
    Case("bad escape", ("bad-escape",), "malformed-arguments", 2, '{"C:\\u|sers'),
    Case(
        "brace too many",
        ("trailing-arguments",),
        "malformed-arguments",
        8,
        '{"city": "Rome"}|}',
    ),
    Case("cut in an event", ("cut-bytes:1200",), "incomplete-event", 3, "|"),
    Case("cut before a finish", ("cut-chunks:4",), "missing-finish", 3, "|"),
)


def _explained(err: str, kind: str) -> list[str]:
    """Return the lines that follow the one of a kind."""
    lines = err.splitlines()
    start = next(n for n, line in enumerate(lines) if f": {kind}: " in line)
    rest = lines[start + 1 :]
    end = next((n for n, line in enumerate(rest) if line[:1] != " "), len(rest))
    return rest[:end]


def _at_caret(lines: list[str]) -> tuple[str, str]:
    """Return what stands before and after the caret, by its column."""
    where = next(n for n, line in enumerate(lines) if line.lstrip(" |")[:1] == "^")
    column = lines[where].index("^")
    return lines[where - 1][len("    | ") : column], lines[where - 1][column:]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_replay_points_at_the_chunk_that_broke(case: Case) -> None:
    """Kind, exchange, chunk and the character below the caret are the expected."""
    result = harness("replay", STEPS, "--exchange", "0", "--fault", case.arguments[0])
    lines = _explained(result.err, case.kind)
    assert lines[0].startswith(f"  at     exchange 0, chunk {case.chunk}, byte ")
    before, after = _at_caret(lines)
    expected_before, expected_after = case.caret.split("|")
    assert before.endswith(expected_before)
    assert after.startswith(expected_after)
    assert lines[-3].startswith("  cause  ")
    assert lines[-2].startswith("  try    ")
    assert lines[-1] == f"  more   harness docs {case.kind}"


@dataclass(frozen=True)
class BrokenRecording:
    """A recording of the corpus that is broken, and where."""

    file: str
    kind: str
    chunk: int
    """As counted in the file by hand: the events with data, from 0."""
    says: str
    """What the event holds that broke it, or that comes last."""
    caret: str
    """What stands before the caret, and what at it."""


# The first three were told an error inside of the stream; the others stop without a
# finish reason, so that the chunk is their last.
RECORDINGS = (
    BrokenRecording(
        "crmne__ruby_llm/es__chat_streaming_responses_openai_gpt-4_1-nano_supports_"
        "streaming_responses.yml@c3444c51.yaml",
        *("error-event", 9, "The server had an error while processing", '{|"error":{'),
    ),
    BrokenRecording(
        "pydantic__pydantic-ai/tests__models__cassettes__test_groq__test_tool_use_"
        "failed_error_streaming.yaml",
        *("error-event", 94, "Tool call validation failed", '{|"error":{"message"'),
    ),
    BrokenRecording(
        "pydantic__pydantic-ai/tests__models__cassettes__test_openrouter__test_"
        "openrouter_stream_error.yaml",
        *("error-event", 3, "Token limit reached", '"Minimax",|"error":{"code"'),
    ),
    BrokenRecording(
        "simonw__llm/tests__cassettes__test_tools_streaming__test_tools_streaming_"
        "variant_a.yaml",
        *("missing-finish", 4, '"reasoning_tokens":0}}}', '"reasoning_tokens":0}}}|'),
    ),
    BrokenRecording(
        "olimorris__codecompanion.nvim/tests__adapters__http__stubs__mistral_thinking_"
        "streaming.yaml",
        *("missing-finish", 1, ", that works", '"finish_reason":null}]}|'),
    ),
    BrokenRecording(
        "pydantic__pydantic-ai/tests__models__cassettes__test_snowflake__test_"
        "snowflake_model_streaming.yaml",
        *("missing-finish", 2, '"total_tokens":27', '"total_tokens":27}}|'),
    ),
)


@needs_shared
@pytest.mark.parametrize("case", RECORDINGS, ids=lambda case: case.file[-40:])
def test_replay_points_at_the_chunk_that_broke_a_recording(
    case: BrokenRecording,
) -> None:
    """Of real broken streams, `harness replay FILE` alone names the chunk and byte."""
    path = SHARED / "corpus" / case.file
    lines = _explained(harness("replay", str(path)).err, case.kind)
    place = re.match(r"  at     exchange 0, chunk (\d+), byte (\d+)", lines[0])
    assert place is not None
    assert int(place[1]) == case.chunk
    before, after = _at_caret(lines)
    expected_before, expected_after = case.caret.split("|")
    assert before.endswith(expected_before)
    assert after.startswith(expected_after)
    # Another reader's count of the same file: that event, at that byte, says it.
    body = yaml.safe_load(path.read_text("utf-8"))["interactions"][0]["response"]
    data = body["body"]["string"].encode()
    event = re.compile(rb"^(?:event: .*\n)?data: (?!\[DONE\]).*", re.MULTILINE)
    events = list(event.finditer(data))
    assert events[case.chunk].start() == int(place[2])
    assert case.says.encode() in events[case.chunk][0]
    assert case.kind == "error-event" or case.chunk == len(events) - 1


def test_place_in_bytes_is_that_of_the_event(tmp_path: Path) -> None:
    """The byte is where the event starts in the body: `tail -c +N` shows it."""
    body = sse(text("a"), text("b"), "{nope", text("c"), finish())
    path = tmp_path / "broken.sse"
    path.write_text(body, encoding="utf-8")
    lines = _explained(harness("replay", str(path)).err, "unreadable-payload")
    found = re.search(r"chunk (\d+), byte (\d+), character (\d+)", lines[0])
    assert found is not None
    place = int(found[2])
    assert body[place:].startswith("data: {nope\n")
    assert body[place + len("data: ") + int(found[3]) :].startswith("nope")
    assert found[1] == "2"


def test_arguments_name_the_event_that_holds_the_place() -> None:
    """Malformed arguments say the byte of the chunk, though a call spans many."""
    body = sse(
        call('{"a": 1', call_id="c1", name="f"), call(" 2}"), finish("tool_calls")
    )
    made = cassette(exchange(body, [user("x")]))
    transcript = replay(made, "streaming")
    (found,) = (
        d
        for d in transcript.diagnostics
        if d.kind is DiagnosticKind.MALFORMED_ARGUMENTS
    )
    byte = body.index("data: ", 1)
    assert explain(found, made)[0] == (
        f"  at     exchange 0, chunk 1, byte {byte}, argument offset 8"
    )


def test_caret_counts_the_columns_of_wide_characters() -> None:
    """Wide characters take two columns and combining ones none, so the caret fits."""
    body = sse(call('{"日本e\u0301": x}', call_id="c", name="f"), finish("tool_calls"))
    made = cassette(exchange(body, [user("x")]))
    found = replay(made, "streaming").diagnostics[0]
    _, _, line, caret, *_ = explain(found, made)
    assert line == '    | {"日本e\u0301": x}'
    assert caret.index("^") == len("    | ") + len('{"') + 2 * 2 + 1 + len('": ')


def test_escapes_of_a_terminal_are_shown_not_sent() -> None:
    """What a recording holds of control characters stays text in an excerpt."""
    made = cassette(exchange(sse(text("a"), "{\x1b[31m", finish()), [user("x")]))
    lines = explain(replay(made, "streaming").diagnostics[0], made)
    assert "\x1b" not in "".join(lines)
    assert any("\\x1b[31m" in line for line in lines)


def test_other_choice_is_pointed_at() -> None:
    """The first chunk of another choice is found, though it is reported last."""
    body = sse(text("a"), chunk({"content": "b"}, choice=1), finish(), text("c"))
    made = cassette(exchange(body, [user("x")]))
    (found,) = (
        d
        for d in replay(made, "streaming").diagnostics
        if d.kind is DiagnosticKind.OTHER_CHOICES
    )
    lines = explain(found, made)
    assert lines[0].startswith("  at     exchange 0, chunk 1, byte ")
    assert _at_caret(lines)[1].startswith('"index": 1')


def test_unrecorded_result_points_at_the_end_of_its_call() -> None:
    """Of two calls the one without a result is shown, at its last chunk."""
    body = sse(
        call('{"a":1}', index=0, call_id="c0", name="f"),
        call('{"b"', index=1, call_id="c1", name="f"),
        call(":2}", index=1),
        finish("tool_calls"),
    )
    made = cassette(exchange(body, [user("x")]))
    found = [
        d
        for d in replay(made, "streaming").diagnostics
        if d.kind is DiagnosticKind.UNRECORDED_RESULT
    ]
    places = [explain(d, made)[0].split(", byte")[0] for d in found]
    assert places == ["  at     exchange 0, chunk 0", "  at     exchange 0, chunk 2"]


def test_stream_is_read_again_once_for_all_its_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Read for each of 1 500 calls without a result, it took 48 s of processor."""
    calls = [call("{}", index=i, call_id=f"c{i}", name="f") for i in range(20)]
    made = cassette(exchange(sse(*calls, finish("tool_calls")), [user("x")]))
    readings: list[object] = []

    def counted(*given: Any) -> list[RawEvent]:
        readings.append(given)
        return raw_events(*given)

    monkeypatch.setattr("harness.debug.explain.raw_events", counted)
    found = replay(made, "streaming").diagnostics
    chunks = [explain(one, made)[0].split(", ")[1] for one in found]
    assert chunks == [f"chunk {i}" for i in range(20)]
    assert len(readings) == 1


def test_exchange_that_is_not_replayed_shows_its_answer() -> None:
    """A failed request shows status, address and the start of the body."""
    made = cassette(
        exchange('{"error": "no such model"}', [user("x")], status=404),
        exchange(sse(text("a"), finish()), [user("x")]),
    )
    lines = explain(replay(made, "streaming").diagnostics[0], made)
    assert "404 OK to POST http://localhost/v1/chat/completions" in lines[1]
    assert lines[2] == '    | {"error": "no such model"}'


def test_a_pipe_is_explained_too() -> None:
    """What flows by once is explained from what was kept of it."""
    body = sse(text("a"), "{nope", finish())
    result = harness("replay", "-", stdin=body.encode())
    lines = _explained(result.err, "unreadable-payload")
    assert lines[0].startswith("  at     exchange 0, chunk 1, byte ")
    assert _at_caret(lines) == ("{", "nope")


@pytest.mark.parametrize("form", ["jsonl", "sse"])
def test_other_formats_keep_to_one_line(form: str) -> None:
    """Only the table explains; a program that reads standard error sees lines."""
    result = harness("replay", STEPS, "--fault", "broken-json:3", "--format", form)
    assert result.err
    assert all(line.startswith(STEPS) for line in result.err.splitlines())


def test_quiet_says_nothing() -> None:
    """`--quiet` leaves explanations out with the diagnostics."""
    assert harness("replay", STEPS, "--fault", "broken-json:3", "--quiet").err == ""


def test_cause_is_said_once_a_kind() -> None:
    """The second diagnostic of a kind shows its place without the cause again."""
    result = harness("replay", STEPS, "--fault", "bad-escape")
    err = result.err
    assert err.count(": malformed-arguments: ") > 1
    assert err.count("  cause  fragments of two calls") == 1


def test_every_kind_has_its_cause() -> None:
    """The table of causes is complete, and each says what to do."""
    assert set(CAUSES) == set(DiagnosticKind)
    assert all(cause.usually and cause.remedy for cause in CAUSES.values())


@needs_shared
def test_threads_named_as_sources_are_those_that_were_read() -> None:
    """Every public thread that a cause names stands in the list of real bugs."""
    lists = [SHARED / "streaming-bugs.md", SHARED / "odd-inputs" / "README.md"]
    lists += sorted((SHARED / "protocols").glob("*.md"))
    known = "".join(path.read_text("utf-8") for path in lists)
    named = {thread for cause in CAUSES.values() for thread in cause.seen_in}
    missing = {
        thread
        for thread in named
        if thread.split("#")[0] not in known or thread.split("#")[1] not in known
    }
    assert named
    assert missing == set()


@needs_shared
def test_every_diagnostic_of_the_corpus_can_be_explained() -> None:
    """Whatever the corpus holds, the excerpt's text stands in the recording."""
    manifest = (SHARED / "corpus" / "expected.jsonl").read_text("utf-8").splitlines()
    seen = 0
    for line in manifest[::40]:
        path = SHARED / "corpus" / json.loads(line)["file"]
        made = load_cassette(path)
        for found in replay(made, "streaming").diagnostics:
            lines = explain(found, made)
            assert lines[0].startswith(f"  at     exchange {found.exchange}")
            seen += 1
    assert seen
