"""The README and the pages are run: every command, every block of Python."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import click
import pytest
import yaml

from harness import load_cassette
from harness.cli import cli
from tests.docs import DOCUMENTS, README, ROOT
from tests.docs.blocks import blocks_of, matches, run, steps_of, tutorials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docs.blocks import Block, Step

BLOCKS = [block for page in DOCUMENTS for block in blocks_of(page)]
PAGES_AT_ROOT = [page for page in DOCUMENTS if page not in tutorials()]


def _blocks(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


def _lines(*, recording: bool) -> list[str]:
    """Return the lines of all `sh` blocks that record, or those that do not."""
    lines = [line for block in _blocks("sh") for line in block.text.splitlines()]
    return [one for one in lines if one.startswith("harness record ") == recording]


def test_every_language_has_a_test() -> None:
    """A block in a language of which nothing here knows what to do is a mistake."""
    known = {"python", "py", "console", "sh", "bash", "yaml", "text"}
    assert [str(one) for one in BLOCKS if one.language not in known] == []


@pytest.mark.parametrize("block", _blocks("python"), ids=str)
def test_python_block_runs(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of Python runs from the root of a checkout; a titled one parses."""
    code = compile(block.text, str(block), "exec", dont_inherit=True)
    if not block.title:
        monkeypatch.chdir(ROOT)
        exec(code, {"__name__": "block"})


@pytest.mark.parametrize(
    "block", [one for one in _blocks("py") if "reference/" not in one.page], ids=str
)
def test_fragment_parses(block: Block) -> None:
    """What is part of a program is Python; signatures are made from the code."""
    ast.parse(block.text)


@pytest.mark.parametrize("block", _blocks("yaml"), ids=str)
def test_yaml_block_parses(block: Block) -> None:
    """What is shown of a file of YAML is YAML."""
    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("line", sorted(set(_lines(recording=False))))
def test_shell_line_is_a_command_that_exists(line: str) -> None:
    """Extras, commands, options and files that a page names are there."""
    program, *arguments = shlex.split(line.partition(" && ")[0])
    if program == "pip":
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        extras = re.findall(r"\[([\w,-]+)\]", arguments[-1])
        named = [name for one in extras for name in one.split(",")]
        assert set(named) <= settings["project"]["optional-dependencies"].keys()
    elif program == "harness":
        root = click.Context(cli, info_name="harness", **cli.context_settings)
        command = cli.get_command(root, arguments[0])
        assert command is not None
        command.make_context(arguments[0], arguments[1:], parent=root)
    elif program == "export":  # of a program that a page starts
        assert re.fullmatch(r"[A-Z_]+=\w+", arguments[0])
    else:
        assert program in {"python", "python3", "pytest"}


ANSWER = b"".join(
    f"data: {data}\n\n".encode()
    for data in (
        json.dumps(
            {
                "object": "chat.completion.chunk",
                "choices": [
                    {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
                ],
            }
        ),
        "[DONE]",
    )
)


class _Answering(BaseHTTPRequestHandler):
    """Answers every request alike."""

    def do_POST(self) -> None:
        """Answer with one short stream."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *arguments: object) -> None:
        """Write no log."""


@contextmanager
def answering() -> Iterator[str]:
    """Serve on a free port of this machine; yields the base URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        # The end of the block waits for the next poll, half a second else.
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


SCENARIO = """\
model: any
messages: [{role: user, content: Hello}]
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", _lines(recording=True))
def test_recording_command_records(command: str, tmp_path: Path) -> None:
    """Each command that records does so, against a server of this machine."""
    (tmp_path / "hello.scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    program = Path(sys.executable).parent / "harness"
    assert command.startswith("harness record ")
    with answering() as base_url:
        process = subprocess.Popen(
            ["sh", "-c", f"exec {program} {command.removeprefix('harness ')}"],
            cwd=tmp_path,
            env={**os.environ, "BASE_URL": base_url, "CI": ""},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        if "--proxy" in command:
            address = re.search(r"base URL (\S+);", process.stderr.readline())
            assert address is not None
            body = json.dumps({"stream": True, "messages": []}).encode()
            with urlopen(f"{address[1]}/chat/completions", body) as answer:
                answer.read()
            process.send_signal(signal.SIGINT)
        assert process.wait() == 0, process.stderr.read()
        process.stderr.close()
    (recorded,) = set(tmp_path.glob("*.yaml")) - {tmp_path / "hello.scenario.yaml"}
    assert load_cassette(recorded).exchanges[0].response.body == ANSWER


def _steps() -> list[Step]:
    """Return the commands of all console blocks that run at the root, each once."""
    pages = (block for page in PAGES_AT_ROOT for block in blocks_of(page))
    blocks = (block for block in pages if block.language == "console")
    steps = (step for block in blocks for step in steps_of(block))
    return list(dict.fromkeys(steps))


@pytest.mark.parametrize("step", _steps(), ids=lambda step: str(step.command))
def test_console_block_shows_what_is_printed(step: Step) -> None:
    """Each command in a console block prints exactly what the page shows."""
    got = run(step.command, ROOT)
    assert matches(step.output, got), f"{got}\nrun `python -m tests.docs`"


@pytest.mark.slow
@pytest.mark.parametrize("page", tutorials(), ids=lambda page: str(page.stem))
def test_tutorial_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    """Typed as it stands in an empty folder, each command prints what is shown."""
    for block in blocks_of(page):
        if block.title:
            (tmp_path / block.title).parent.mkdir(exist_ok=True)
            (tmp_path / block.title).write_text(block.text, "utf-8")
        if block.language == "console":
            for step in steps_of(block):
                got = run(step.command, tmp_path)
                assert matches(step.output, got), f"$ {step.command}\n{got}"


def test_ci_runs_both_commands_of_the_readme() -> None:
    """The two commands of the README are lines of the script that CI runs."""
    script = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    commands = [line for line in _lines(recording=False) if "venv" in line]
    assert len(commands) == 2
    assert [command for command in commands if command not in script] == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.stem))
def test_page_names_files_that_exist(page: Path) -> None:
    """Every file of the repository that a page names is in it."""
    named = re.findall(
        r"(?<![\w/.-])(?:cassettes|tests|harness|docs)/(?:[\w-]+/)*[\w.-]+\.\w+",
        page.read_text("utf-8"),
    )
    theirs = {"tests/test_agent.py", "tests/cassettes", "tests/test_reader.py"}
    theirs |= {"tests/test_harness_example.py", "tests/cassettes/harness-example.yaml"}
    missing = [name for name in named if not (ROOT / name).exists()]
    assert sorted(set(missing) - theirs) == []


def test_readme_is_short() -> None:
    """The shop window is read by strangers: at most 200 lines."""
    assert len(README.read_text("utf-8").splitlines()) <= 200
