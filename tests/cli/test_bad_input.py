"""What a user's mistake gives: one line, exit 2, no traceback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.cli.running import ROOT, harness

if TYPE_CHECKING:
    from pathlib import Path

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
