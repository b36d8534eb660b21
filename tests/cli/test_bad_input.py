"""What a user's mistake gives: one line, exit 2, no traceback."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.cassettes.atomic import write_atomically
from harness.cassettes.load import load_cassette
from harness.errors import CassetteError
from harness.record import use_cassette
from tests.cli.running import ROOT, harness

FORCED = str(ROOT / "cassettes/stock-vcrpy/forced-call.yaml")


@dataclass(frozen=True)
class Case:
    """A file that is no good, and what the one line must say."""

    id: str
    name: str
    content: bytes | None
    says: str


CASES = [
    Case("missing", "missing.yaml", None, "no such file"),
    Case("empty", "empty.yaml", b"", "empty"),
    Case("no yaml", "bad.yaml", b"interactions: [\n  - {request: ]", "line 2"),
    Case("no json", "bad.json", b'{"interactions": [}', "line 1"),
    Case("no interactions", "none.yaml", b"version: 1\n", "interactions"),
    Case("empty list", "zero.yaml", b"interactions: []\nversion: 1\n", "interactions"),
    Case(
        "odd url",
        "url.yaml",
        b"interactions:\n- request: {method: GET, uri: 'http://[oops/'}\n"
        b"  response: {status: {code: 200}, body: {string: hi}}\n",
        "'http://[oops/'; correct it",
    ),
    Case("deep", "deep.json", b"[" * 90_000, "nested too deeply"),
    Case("junk", "junk.yaml", bytes(range(256)) * 4, "binary"),
    Case(
        "nothing to replay",
        "other.yaml",
        b"interactions:\n- request: {method: GET, uri: 'http://x/models',"
        b" body: null, headers: {}}\n  response: {status: {code: 404, message: No},"
        b" headers: {}, body: {string: nope}}\nversion: 1\n",
        "HTTP 404",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("command", ["replay", "show", "ls"])
def test_unusable_file_is_one_line(case: Case, command: str, tmp_path: Path) -> None:
    """Each unusable file gives one line that names it and the problem, exit 2."""
    path = tmp_path / case.name
    if case.content is not None:
        path.write_bytes(case.content)
    result = harness(command, str(path))
    if case.id == "nothing to replay" and command != "replay":
        assert result.code == 0  # it can be looked at all the same
        assert "404" in result.out
        return
    assert result.code == 2
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert line.startswith("harness: ")
    assert str(path) in line
    assert case.says in line


def test_folder_without_cassettes_is_one_line(tmp_path: Path) -> None:
    """A folder where nothing is a cassette is named, with what was looked for."""
    (tmp_path / "package.json").write_text("{}", encoding="utf-8")
    result = harness("replay", str(tmp_path))
    assert result.code == 2
    assert result.err.splitlines() == [
        (
            f"harness: {tmp_path}: no cassettes in this folder; expected *.yaml, "
            "*.yml or *.json with `interactions` (name other files one by one)"
        )
    ]


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """The rest is replayed, and the exit code still tells."""
    bad = tmp_path / "bad.yaml"
    bad.write_text("interactions: [", encoding="utf-8")
    result = harness("replay", str(bad), FORCED, "--format", "jsonl", "--quiet")
    assert result.code == 2
    assert "[DONE_STEP]" in result.out
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--mode", "tokens", "--interface", "queuing"], "--mode is for a streaming"),
        (["--split", "thirds"], "thirds"),
        (["--split", "0"], "0"),
        (["--split", "random:x"], "random:x"),
        (["--interface", "nowhere"], "MODULE:NAME"),
        (["--interface", "no_such_module:X"], "no module 'no_such_module'"),
        (["--interface", "json:Nothing"], "no attribute 'Nothing'"),
        (["--exchange", "7"], "there is no exchange 7"),
        (["--exchange", "-1"], "-1"),
        (["--format", "xml"], "xml"),
        (["--no-such-option"], "--no-such-option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_exits_with_2(arguments: list[str], says: str) -> None:
    """Wrong options say what is wrong, without a traceback, before any output."""
    result = harness("replay", FORCED, *arguments)
    assert result.code == 2
    assert result.out == ""
    assert says in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("command", ["replay", "ls", "show"])
def test_command_without_arguments_shows_its_help(command: str) -> None:
    """A command alone explains itself, with examples, and is wrong usage."""
    result = harness(command)
    assert result.code == 2
    assert "Usage: harness" in result.out + result.err
    assert f"Examples:\n    harness {command} " in result.out + result.err


@pytest.mark.parametrize(
    "stream",
    [
        'event: thread.created\ndata: {"id": "thread_1"}\n\n',
        'data: {"object": "text_completion", "choices": [{"text": "a"}]}\n\n',
        'data: {"answer": 42}\n\n',
    ],
)
def test_streams_of_other_apis_are_named(stream: str) -> None:
    """What harness does not read is called what it is, on one line."""
    result = harness("replay", "-", stdin=stream.encode())
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith(
        "harness: -: nothing to replay, no answer of a known API"
    )
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("command", ["ls", "show", "check", "scan", "replay", "serve"])
@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_no_memory_and_no_stack_are_one_line(
    command: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit or is too deep is an error of ours, wherever it turns up."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("harness.cassettes.load._exchanges", fail)
    result = harness(command, FORCED)
    printed = result.out + result.err
    assert "Traceback" not in printed
    assert result.code == (1 if command == "check" and error is RecursionError else 2)
    assert len([line for line in printed.splitlines() if FORCED in line]) == 1


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_no_memory_after_reading_is_one_line(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same while a recording is shown."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("harness.engine.summary.summarise_exchange", fail)
    result = harness("show", FORCED)
    assert (result.code, len(result.err.splitlines())) == (2, 1)


def test_a_null_byte_in_a_name_is_an_error_of_ours(tmp_path: Path) -> None:
    """Reading, playing and writing: never a ValueError."""
    name = str(tmp_path / "a\0b.yaml")
    with pytest.raises(CassetteError, match=r"a\\x00b"):
        load_cassette(name)
    with pytest.raises(CassetteError, match="null byte"):
        write_atomically(name, b"")
    with use_cassette(name) as cassette:
        assert cassette.play_counts == []


def test_a_name_that_is_no_utf8_is_read_and_shown(tmp_path: Path) -> None:
    """Such a file is a file like any other; its name is shown escaped."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.yaml"))
    path.write_bytes(Path(FORCED).read_bytes())
    result = harness("ls", str(path))
    assert (result.code, result.err) == (0, "")
    assert "\\udcff.yaml" in result.out


REQUESTS = {
    "OpenAI Responses": ("/v1/responses", {"model": "m", "input": "Hi"}),
    "Anthropic Messages": (
        "/v1/messages",
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
    ),
    "Gemini generateContent": (
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    ),
}
"""A request of each API, by the name that a message gives it."""
ANSWERS = {
    "refused": (400, '{"error": {"message": "no such model"}}', "no such model"),
    "a proxy's page": (200, "<html>Sign in</html>", "HTML"),
    "empty": (200, "", "empty body"),
    "another format": (200, 'data: {"tokens": ["a"]}\n\n', "keys: tokens"),
    "cut at once": (200, '{"candidates": [{"content"', "no answer of a known API"),
}
"""Status and body of what is no answer, and what the line says of it."""


@pytest.mark.parametrize("api", REQUESTS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_bad_answer_names_the_api_that_was_asked(
    api: str, answer: str, tmp_path: Path
) -> None:
    """One line: the file, the exchange, what came, and which API was asked."""
    path = tmp_path / "bad.json"
    where, request = REQUESTS[api]
    status, body, says = ANSWERS[answer]
    interaction = {
        "request": {
            "method": "POST",
            "uri": f"https://example.test{where}",
            "headers": {},
            "body": json.dumps(request),
        },
        "response": {
            "status": {"code": status, "message": "x"},
            "headers": {},
            "body": {"string": body},
        },
    }
    path.write_text(json.dumps({"interactions": [interaction], "version": 1}), "utf-8")
    result = harness("replay", str(path))
    assert (result.code, result.out) == (2, "")
    (line,) = result.err.splitlines()
    assert line.startswith(f"harness: {path}: ")
    assert says in line
    assert f"it was asked of {api}" in line
