"""A small project to run the plugin in, and a model server of this machine."""

from __future__ import annotations

import json
import os
import shutil
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import openai.resources.chat.completions  # noqa: F401 - pytester forgets its imports
import pytest
import vcr  # noqa: F401
import yaml  # noqa: F401
from _pytest.terminal import TerminalReporter

import harness.engine.replay  # noqa: F401
import harness.fuzz.campaign  # noqa: F401
import harness.pytest_plugin.fuzzing  # noqa: F401
import harness.pytest_plugin.replay_fixture  # noqa: F401
import harness.pytest_plugin.test_run  # noqa: F401
import harness.pytest_plugin.varied  # noqa: F401
import harness.record.session  # noqa: F401
import harness.record.use_cassette  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDINGS = Path(__file__).resolve().parents[2] / "cassettes"

CLIENT = '''
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

def _arguments(text):
    return dict(
        model="any", stream=True, messages=[{"role": "user", "content": text}]
    )

def ask(text, base_url="BASE_URL"):
    """Ask the model and return what it says."""
    client = OpenAI(
        base_url=base_url, api_key="unused", max_retries=0,
        http_client=DefaultHttpxClient(verify=False),  # reads no certificates: 50 ms
    )
    stream = client.chat.completions.create(**_arguments(text))
    return "".join(c.choices[0].delta.content or "" for c in stream if c.choices)

async def aask(text, base_url="BASE_URL"):
    """The same in async code."""
    client = AsyncOpenAI(
        base_url=base_url, api_key="unused", max_retries=0,
        http_client=DefaultAsyncHttpxClient(verify=False),
    )
    stream = await client.chat.completions.create(**_arguments(text))
    return "".join(
        [c.choices[0].delta.content or "" async for c in stream if c.choices]
    )
'''


class _Echo(BaseHTTPRequestHandler):
    """Streams the last message back, a word a chunk."""

    def do_POST(self) -> None:
        """Answer a chat completion."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = f"You said: {asked['messages'][-1]['content']}"
        deltas: list[dict[str, Any]] = [
            {"content": word if number == 0 else f" {word}"}
            for number, word in enumerate(said.split(" "))
        ]
        chunks: list[dict[str, Any]] = [
            {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
        ]
        chunks.append({"index": 0, "delta": {}, "finish_reason": "stop"})
        head: dict[str, Any] = {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "",
        }
        body = b"".join(
            f"data: {json.dumps({**head, 'choices': [chunk]})}\n\n".encode()
            for chunk in chunks
        )
        body += b"data: [DONE]\n\n"
        self.server.asked.append(asked["messages"][-1]["content"])  # type: ignore[attr-defined]  # set below
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@dataclass
class Model:
    """A model server."""

    url: str
    """Its base URL."""
    asked: list[str]
    """What it was asked, in order."""


@pytest.fixture
def model() -> Iterator[Model]:
    """Serve on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        asked: list[str] = []
        server.asked = asked  # type: ignore[attr-defined]  # for the handler
        # What the fixture ends with waits for the next poll, half a second else.
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Model(f"http://127.0.0.1:{server.server_port}/v1", asked)
        server.shutdown()


_LEFT_OUT = (
    *("cacheprovider", "doctest", "faulthandler", "junitxml", "logging"),
    *("pastebin", "recwarn", "setuponly", "setupplan", "stepwise", "subtests"),
)
"""Plugins of pytest itself that no test is about: each costs every run its part."""

_OURS = "harness.pytest_plugin.plugin"


def _keep_it_short(
    reporter: TerminalReporter, excinfo: pytest.ExceptionInfo[BaseException]
) -> None:
    """Keep what ended a run without the sources of each frame, which nobody prints.

    pytest parses its own modules for them, in every run that ends while collecting:
    more than the rest of such a run takes.
    """
    reporter._keyboardinterrupt_memo = excinfo.getrepr(style="native")


class Project:
    """A project in a folder of its own, run with named plugins only."""

    def __init__(self, pytester: pytest.Pytester, tests: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        self.path = pytester.path
        tests.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        tests.setattr(TerminalReporter, "pytest_keyboard_interrupt", _keep_it_short)

    def recording(self, source: str, name: str = "") -> Path:
        """Copy a recording of this repository into the project's cassette folder."""
        target = self.path / "cassettes" / (name or Path(source).name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RECORDINGS / source, target)
        return target

    def write(self, name: str, text: str, url: str = "http://127.0.0.1:9/v1") -> Path:
        """Write a file; CLIENT's base URL is put in."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("BASE_URL", url), encoding="utf-8")
        return path

    def tests(self, text: str, url: str = "http://127.0.0.1:9/v1") -> Path:
        """Write `test_it.py`, with `ask` and `aask` of CLIENT in it."""
        return self.write("test_it.py", f"import pytest\n{CLIENT}\n{text}", url)

    def run(self, *options: str, plugins: tuple[str, ...] = ()) -> pytest.RunResult:
        """Run pytest in this process."""
        # For `-p`, pytest would look through all that is installed.
        with patch.dict(os.environ, {"PYTEST_PLUGINS": _OURS}):
            return self.pytester.runpytest_inprocess(*self._all(options, plugins))

    def run_apart(
        self, *options: str, plugins: tuple[str, ...] = ()
    ) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        given = self._all(options, (_OURS, *plugins))
        return self.pytester.runpytest_subprocess(*given)

    @staticmethod
    def _all(options: tuple[str, ...], plugins: tuple[str, ...]) -> list[str]:
        loaded = [f"-p{name}" for name in plugins]
        return [*loaded, *(f"-pno:{name}" for name in _LEFT_OUT), *options]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project."""
    return Project(pytester, monkeypatch)
