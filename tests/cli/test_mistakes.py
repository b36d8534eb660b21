"""What the command line answers to a slip: the next step is in the message."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import harness as package
from harness.cli import _COMMANDS, cli
from tests.cli.running import harness

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "cassettes/llama-server/plain-text.yaml"

MISTAKES = {
    "a dialect": (("replay", PLAIN, "--dialect", "opanai"), "did you mean 'openai'?"),
    "a fault": (("replay", PLAIN, "--fault", "no-dune"), "did you mean 'no-done'?"),
    "a split": (("replay", PLAIN, "--split", "chrs"), "did you mean 'chars'?"),
    "a dialect of an API": (
        ("replay", PLAIN, "--api", "anthropic", "--fault", "cut-event"),
        "of anthropic: did you mean",
    ),
    "a target": (("fuzz", "mymod.Foo"), "did you mean 'mymod:Foo'?"),
    "a command": (("repaly", PLAIN), "Did you mean 'replay'?"),
    "a file": (
        ("replay", PLAIN.replace("text", "texts")),
        "did you mean 'plain-text.yaml'?",
    ),
    "a dot": (
        ("replay", PLAIN, "--interface", "mymod.Foo"),
        "did you mean 'mymod:Foo'",
    ),
    "a name of ours": (
        ("replay", PLAIN, "--interface", "streeming"),
        "did you mean 'streaming'?",
    ),
    "an attribute": (
        ("replay", PLAIN, "--interface", "tests.engine.made:usr"),
        "did you mean 'user'?",
    ),
    "a URL": (("replay", "https://example.com/v1"), "curl -N URL | harness replay -"),
    "two interfaces": (
        ("replay", PLAIN, "harness:QueuingInterface", "--interface", "queuing"),
        "expected recordings and one interface, got harness:QueuingInterface",
    ),
    "an interface alone": (
        ("replay", "harness:QueuingInterface"),
        "expected recordings and one interface",
    ),
    "a relation of no name": (("fuzz", "streaming", "--relations", ""), "got ''"),
    "an API of no name": (("fuzz", "streaming", "--api", ","), "got ''"),
    "a time that never ends": (("fuzz", "streaming", "--time", "nan"), "no finite"),
    "a size in other digits": (
        ("sweep", "cassettes", "--output", "r.jsonl", "--memory", "²G"),
        "expected a number of bytes",
    ),
    "a port that is no number": (
        ("serve", PLAIN, "--port", "x"),
        "not a valid integer",
    ),
    "a gateway of no name": (("fuzz", "--gateway", " "), "expected a command"),
    "a gateway in a half quote": (("fuzz", "--gateway", "a 'b"), "expected a command"),
    "a gateway of three APIs": (
        ("fuzz", "--gateway", "x", "--api", "chat,gemini,responses"),
        "asked in one API",
    ),
    "what a gateway has no use for": (
        ("fuzz", "--gateway", "x", "--as", "bytes", "--jobs", "2"),
        "--as, --jobs: ",
    ),
    "a format of a view": (
        ("replay", PLAIN, "--around", "1", "--format", "jsonl", "--strict"),
        "--format, --strict: ",
    ),
    "rows of JSON lines": (
        ("replay", PLAIN, "--format", "jsonl", "--rows", "run"),
        "--rows is for --format table",
    ),
    "rules of a recording": (("check", "--rules", PLAIN), "leave PATH or --rules out"),
    "a proxy's options": (
        ("record", "x.scenario.yaml", "--base-url", "http://x", "--rewrite"),
        "--rewrite: only for --proxy",
    ),
    "no name": (("check", ""), "'': is no name"),
    "an origin with a path": (
        ("serve", PLAIN, "--allow-origin", "http://localhost/page"),
        "without a path",
    ),
    "an origin that is a name": (
        ("serve", PLAIN, "--allow-origin", "localhost"),
        "without a path",
    ),
    "a host that is none": (("serve", PLAIN, "--allow-host", "a b"), "--allow-host: "),
    "--debug": (("replay", "--debug"), "Missing argument 'PATH...'"),
    "a folder with --step": (("replay", "cassettes", "--step"), "name a file in it"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_with_what_to_do(name: str) -> None:
    """Usage errors, each with the name that was meant or the way that works."""
    arguments, wanted = MISTAKES[name]
    result = harness(*arguments)
    assert result.code == 2
    assert wanted in result.err


def test_a_wrong_signature_is_answered_with_the_right_one(tmp_path: Path) -> None:
    """An interface that cannot be called as an agent calls it is shown how it is."""
    source = (
        "class Mine:\n"
        "    def stream_start(self): pass\n"
        "    def process_chunk(self, chunk): pass\n"
        "    def step_complete(self): pass\n"
        "    def step_yield(self): pass\n"
        "    def stream_end(self): pass\n"
        "    async def get_generator(self): yield 1\n"
    )
    (tmp_path / "wrongly_signed.py").write_text(source, encoding="utf-8")
    path = (package.__file__ or "").replace("harness/__init__.py", PLAIN)
    result = harness("replay", path, "--interface", "wrongly_signed:Mine", cwd=tmp_path)
    assert result.code == 1
    expected = "expected process_chunk(chunk, message_id, message_date)"
    assert expected in result.err
    assert "got process_chunk(chunk)" in result.err


def test_a_type_error_inside_is_not_taken_for_a_wrong_signature(tmp_path: Path) -> None:
    """What the interface's own code raises stays what it is."""
    source = (
        "class Mine:\n"
        "    def stream_start(self): pass\n"
        "    def process_chunk(self, chunk, message_id, date): len(1)\n"
        "    def stream_end(self): pass\n"
        "    def step_complete(self): pass\n"
        "    def step_yield(self): pass\n"
        "    async def get_generator(self): yield 1\n"
    )
    (tmp_path / "inwardly_wrong.py").write_text(source, encoding="utf-8")
    path = (package.__file__ or "").replace("harness/__init__.py", PLAIN)
    result = harness("replay", path, "--interface", "inwardly_wrong:Mine", cwd=tmp_path)
    assert "raised TypeError" in result.err


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [
        ("harness.strategies", "hypothesis", "hypothesis"),
        ("harness.snapshots", "syrupy", "snapshots"),
    ],
)
def test_a_missing_extra_is_answered_with_the_pip_line(
    module: str, library: str, extra: str
) -> None:
    """Imported without its library, a module names the extra to install."""
    code = f"import sys; sys.modules[{library!r}] = None; import {module}"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    last = result.stderr.strip().splitlines()[-1]
    assert f"pip install 'agent-stream-harness[{extra}]'" in last


def test_summaries_fit_eighty_columns_in_the_order_of_work() -> None:
    """No summary of `harness --help` is cut, and recording comes before reading."""
    result = harness("--help", environment={"COLUMNS": "80"})
    lines = result.out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in lines] == list(_COMMANDS)
    assert not [line for line in lines if line.endswith("...") or len(line) > 80]
    assert cli.list_commands(None)[:2] == ["init", "record"]  # type: ignore[arg-type]  # unused there
