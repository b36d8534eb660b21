"""The README is run: every command, every block of Python, every table."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from harness import load_cassette
from tests.readme_tables import README, with_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = README.parent
TEXT = README.read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def _environment_of(executable: str) -> Path:
    return Path(executable).parent


@pytest.mark.parametrize("code", _blocks("python"))
def test_readme_python_block_runs(code: str) -> None:
    """Each block of Python in the README runs from the root of a checkout."""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


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
    """Says the same to every request."""

    def do_POST(self) -> None:
        """Answer with one short stream."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


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


@pytest.mark.parametrize("command", [block.strip() for block in _blocks("sh")[2:]])
def test_readme_recording_command_records(command: str, tmp_path: Path) -> None:
    """Each command that records does so, against a server of this machine."""
    (tmp_path / "hello.scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    program = _environment_of(sys.executable) / "harness"
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


def _console() -> list[tuple[str, str]]:
    found = []
    for block in _blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.mark.parametrize(("command", "output"), _console())
def test_readme_console_block_shows_what_is_printed(command: str, output: str) -> None:
    """Each command in a console block prints exactly what the README shows."""
    program, *arguments = shlex.split(command)
    result = subprocess.run(
        [str(_environment_of(sys.executable) / program), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout + result.stderr == output


def test_readme_tables_are_generated() -> None:
    """Options, defaults and public names in the README are those of the code."""
    assert with_tables(TEXT) == TEXT, "run `python -m tests.readme_tables`"


def test_ci_runs_both_commands_of_the_readme() -> None:
    """The two commands of the README are lines of the script that CI runs."""
    script = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    commands = [block.strip() for block in _blocks("sh")[:2]]
    assert len(commands) == 2
    assert [command for command in commands if command not in script] == []


def test_readme_commands_name_files_that_exist() -> None:
    """Every cassette and data file that the README names is in the repository."""
    named = set(re.findall(r"\b(?:cassettes|tests/data)/[\w./-]+\.\w+", TEXT))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
