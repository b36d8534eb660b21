"""Terminal escapes in every field of a recording, and the output of every command."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli.console import complain, say, write
from harness.errors import CassetteError, UsageError, printable
from tests.cli.running import ROOT, harness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Sets the clipboard, sets the title, a C1 control, BEL, text turned around, no width,
# a tab, a line end of Unicode's and half a surrogate pair.
PLANT = (
    "\x1b]52;c;aGk=\x07\x1b]0;title\x1b\\\x9b31m\u202eX\u2066\u200b\x00\t\u2028\x7f"
    "\ud83d"
)
# What a file may be called: no NUL, and a byte that is no UTF-8.
NAME = PLANT.replace("\x00", "").replace("\ud83d", "\udcff")

# The judge: what no terminal may get, by number and not by Python's `isprintable`.
RAW = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\ud800-\udfff]"
)
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def _payload(delta: Any, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "system_fingerprint": "fp",
        "choices": [choice],
    }


def _call(name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": "call_1", "function": function}]}


EVENTS = [
    _payload({"role": "assistant", "content": "text", "reasoning_content": "thought"}),
    _payload({"content": "more", "refusal": "no"}),
    _payload(_call("send_message", '{"message": "hi", "more": "x"}')),
    _payload({}, "tool_calls"),
    {"error": {"message": "it broke", "type": "server", "code": "c"}},
]
ASKED = {
    "model": "m",
    "stream": True,
    "messages": [
        {"role": "user", "content": "hi", "name": "who"},
        {"role": "tool", "tool_call_id": "call_1", "content": "result"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "description": "d"}}],
}
DOCUMENT = {
    "version": 1,
    "interactions": [
        {
            "request": {
                "method": "POST",
                "uri": "http://localhost/v1/chat/completions",
                "headers": {"x-asked": ["one"], "authorization": ["Bearer abcdefgh1"]},
                "body": ASKED,
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"x-answered": ["two"], "content-type": ["text/plain"]},
                "body": {"string": EVENTS},
            },
        },
        {
            "request": {"method": "GET", "uri": "http://localhost/v1/models"},
            "response": {
                "status": {"code": 404, "message": "Not Found"},
                "headers": {},
                "body": {"string": '{"error": {"message": "none"}}'},
            },
        },
    ],
}


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every text."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in items:
            yield from _leaves(one, (*path, key))


LEAVES = list(_leaves(DOCUMENT))
KEPT = {"role", "object", "type", "finish_reason"}  # with them nothing would replay


def _planted(*paths: tuple[Any, ...], event: str = "message") -> str:
    """Return the cassette with the escapes at these places."""
    document: Any = copy.deepcopy(DOCUMENT)
    for path in paths:
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        text = holder[path[-1]]
        # Inside, so that texts that are JSON stay so.
        inside = json.dumps(PLANT)[1:-1] if text.startswith("{") else PLANT
        at = text.rfind('"') if text.startswith("{") else len(text)
        holder[path[-1]] = text[:at] + inside + text[at:]
    for one in document["interactions"]:
        stored = one["response"]["body"]
        if isinstance(stored["string"], list):
            stored["string"] = "".join(
                f"event: {event}\ndata: {json.dumps(payload)}\n\n"
                for payload in stored["string"]
            )
    return json.dumps(document)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two recordings that differ, escapes in every field and in their names."""
    paths = [path for path in LEAVES if path[-1] not in KEPT]
    text = _planted(*paths, event=f"x{PLANT.split(chr(0), maxsplit=1)[0]}")
    for number, one in enumerate((text, text.replace("more", "less"))):
        name = os.fsencode(f"{number}{NAME}.yaml")
        (tmp_path / os.fsdecode(name)).write_text(one, encoding="utf-8")
    return tmp_path


def _clean(*arguments: str, has_styles: bool = False) -> str:
    """Run a command; nothing that it prints may reach a terminal raw."""
    environment = {"FORCE_COLOR": "1" if has_styles else "", "NO_COLOR": ""}
    result = harness(*arguments, environment=environment)
    printed = result.out + result.err
    found = RAW.search(STYLES.sub("", printed) if has_styles else printed)
    assert found is None, (arguments, printed[max(0, found.start() - 80) :][:200])
    assert result.code in {0, 1, 2}
    assert "Traceback" not in printed
    return printed


COMMANDS = {
    "ls": ["ls", "A", "B"],
    "show": ["show", "A"],
    "check": ["check", "A", "B"],
    "scan": ["scan", "A"],
    "replay": ["replay", "A", "--interface", "both", "--reasoning"],
    "replay queuing": ["replay", "A", "--interface", "queuing", "--split", "chars"],
    "replay --assistant-message": ["replay", "A", "--assistant-message"],
    "replay jsonl": ["replay", "A", "--format", "jsonl", "--interface", "both"],
    "replay sse": ["replay", "A", "--format", "sse"],
    "replay --around": ["replay", "A", "--around", "2", "--interface", "both"],
    "replay --until": ["replay", "A", "--until", "4"],
    "replay of nothing": ["replay", "A", "--exchange", "1"],
    "diff": ["diff", "A", "B", "--interface", "streaming"],
    "diff --said": ["diff", "A", "B", "--said"],
    "diff --json": ["diff", "A", "B", "--json"],
    "drift": ["drift", "A", "--no-sdk", "--store", "STORE", "--update"],
    "drift --json": ["drift", "B", "--no-sdk", "--store", "STORE", "--json"],
    "report": ["report", "A", "B", "-o", "OUT"],
    "serve": ["serve", "A", "--fault", "B"],
    "record": ["record", "A", "--base-url", "http://127.0.0.1:1"],
    "fuzz": ["fuzz", "streaming", "A", "--max-examples", "1", "--relations", "B"],
    "missing": ["ls", "AB"],
    "no option": ["ls", "--B"],
    "no command": ["B"],
}


COLOURED = ["replay", "replay --around", "diff", "drift"]


@pytest.mark.parametrize(
    ("name", "has_styles"),
    [*((name, False) for name in COMMANDS), *((name, True) for name in COLOURED)],
)
def test_no_command_prints_an_escape_raw(
    folder: Path, name: str, *, has_styles: bool
) -> None:
    """Every field of a recording holds escapes, and so do the names of the files."""
    a, b = sorted(map(str, folder.glob("*.yaml")))
    words = {
        "A": a,
        "B": b,
        "AB": f"{a}{NAME}",
        "--B": f"--{NAME}",
        "OUT": str(folder / f"out{NAME}.html"),
        "STORE": str(folder / f"store{NAME}"),
    }
    arguments = [words.get(word, word) for word in COMMANDS[name]]
    assert _clean(*arguments, has_styles=has_styles)


def test_drift_shows_what_changed_without_escapes(folder: Path) -> None:
    """What was stored is read again and printed beside what is there now."""
    a, b = sorted(folder.glob("*.yaml"))
    store = str(folder / "store")
    _clean("drift", str(a), "--no-sdk", "--store", store, "--update")
    a.write_bytes(b.read_bytes())
    assert "changed" in _clean("drift", str(a), "--no-sdk", "--store", store)


@pytest.mark.slow
@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_each_field_alone_is_printed_without_escapes(
    tmp_path: Path, path: tuple[Any, ...]
) -> None:
    """Escapes in one field, the others good: what all of them together would hide."""
    file = tmp_path / "one.yaml"
    file.write_text(_planted(path), encoding="utf-8")
    for command in ("ls", "show", "check", "scan", "replay"):
        _clean(command, str(file))
    _clean("replay", str(file), "--around", "0", "--interface", "both")
    _clean("diff", str(file), "--interface-b", "queuing")


def test_lines_of_the_console_and_errors_are_printable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is said, complained of, written and raised shows escapes as text."""
    say(PLANT)
    complain(PLANT)
    write(PLANT, bold=True)
    said = capsys.readouterr()
    assert not RAW.search(said.out + said.err)
    for error in (UsageError(PLANT), CassetteError(PLANT, PLANT, place=PLANT)):
        assert not RAW.search(str(error))
    assert printable("plain é 🙂 \\") == "plain é 🙂 \\"


@pytest.mark.parametrize(("kind", "has_styles"), [("xterm", True), ("dumb", False)])
def test_a_terminal_without_escapes_gets_none(kind: str, has_styles: bool) -> None:
    """`TERM=dumb`, as in the shell of Emacs: neither colours nor moved lines."""
    pty = pytest.importorskip("pty", reason="needs a Unix")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "replay", "tests/data/broken-arguments.sse"],
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env={**os.environ, "TERM": kind, "NO_COLOR": "", "FORCE_COLOR": ""},
    )
    os.close(theirs)
    written = b""
    with suppress(OSError):  # how Linux says that the other side has closed
        while piece := os.read(ours, 65536):
            written += piece
    os.close(ours)
    assert process.wait() == 0
    assert b"malformed-arguments" in written
    assert (b"\x1b" in written) is has_styles
