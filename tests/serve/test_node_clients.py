"""Unmodified JavaScript clients: OpenAI's Node SDK and the Vercel AI SDK.

`npm install` in `tests/serve/node` gets them; without Node or without them these tests
are skipped with the reason. As in `test_python_clients`, what a client reads otherwise
from a conforming stream is listed with the input.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.serve import serve
from tests.serve.test_python_clients import (
    CALL,
    CASSETTES,
    CUTS,
    EXPECTED,
    HARMLESS,
    PARALLEL,
    RECORDINGS,
    SHARES,
    TEXT,
    cut_ways,
    expected_of,
    request_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.serve import RunningServer, RunningSession

NODE = Path(__file__).resolve().parent / "node"


def missing() -> str:
    """Return what these tests need and is not here; empty if nothing."""
    if shutil.which("node") is None:
        return "needs Node"
    if not (NODE / "node_modules" / "@ai-sdk" / "google").is_dir():
        return "needs the packages of tests/serve/node (`npm install` there)"
    return ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "installed")

CLIENTS = ("openai", "vercel")

DEVIATIONS = {
    # openai 6.49, `client.chat.completions.stream`
    ("openai", TEXT, "list-content"): "[object Object][object Object]",
    ("openai", CALL, "mistral"): "missing ",  # `type` of a call: worded in two ways
    ("openai", PARALLEL, "mistral"): "missing ",
    **{
        ("openai", name, dialect): "('', [])"  # the calls are lost, without an error
        for name in (CALL, PARALLEL)
        for dialect in ("no-index", "index-null")
    },
    ("openai", PARALLEL, "index-zero"): "SyntaxError: Unexpected non-whitespace",
    # The last piece of the name stands for the whole: send_message is `age`.
    ("openai", CALL, "name-in-pieces"): "('', [('age', ",
    ("openai", PARALLEL, "name-in-pieces"): "('', [('er', ",
    # ai 6.0 with @ai-sdk/openai-compatible 2.0, `streamText`
    ("vercel", PARALLEL, "index-zero"): "('get_weather', '{",
    # Each piece of the name is a call.
    ("vercel", CALL, "name-in-pieces"): "('sen', ''), ('d_m', '')",
    ("vercel", PARALLEL, "name-in-pieces"): "('get', ''), ('_we', '')",
}
"""(client, recording, dialect) to a part of what is said instead, at every split."""


class Asker:
    """A Node process that asks, line by line."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self._process = subprocess.Popen(
            ["node", "ask.js"],
            cwd=NODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, client: str, session: RunningSession, name: str) -> Any:
        """Return (text, calls), or the error as text."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = {
            "client": client,
            "base_url": session.base_url,
            "request": request_of(name),
        }
        print(json.dumps(line), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            return answer["error"]
        return answer["text"], [(called, given) for called, given in answer["calls"]]

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=20)


@pytest.fixture(scope="module")
def asker() -> Iterator[Asker]:
    """Serves the recordings to a Node process that asks for them."""
    paths = (CASSETTES / f"{name}.yaml" for name in RECORDINGS)
    with serve(*paths) as server:
        asking = Asker(server)
        yield asking
        asking.close()


def served(asker: Asker, name: str, **settings: Any) -> RunningSession:
    """Return a session that answers with one recording, whatever the client adds."""
    return asker.server.session("node", cassette=name, match="order", **settings)


@pytest.mark.parametrize("every", SHARES)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_node_client_reads_the_recorded_message_at_every_split(
    asker: Asker, name: str, client: str, every: int
) -> None:
    """However text and bytes are cut, the client's message is the recorded one."""
    for way in cut_ways(RECORDINGS.index(name) + CLIENTS.index(client), every):
        said = asker.ask(client, served(asker, name, **way), name)
        assert said == EXPECTED[name], way


@pytest.mark.parametrize("every", SHARES)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", HARMLESS)
def test_node_client_reads_the_recorded_message_in_every_harmless_dialect(
    asker: Asker, dialect: str, client: str, every: int
) -> None:
    """Whoever says it, the client's message is the recorded one, or as listed."""
    place = HARMLESS.index(dialect) + CLIENTS.index(client)
    for number, name in enumerate(RECORDINGS):
        deviation = DEVIATIONS.get((client, name, dialect))
        for cut in CUTS[(place + number) % every :: every]:
            said = asker.ask(client, served(asker, name, dialect=dialect, **cut), name)
            if deviation is None:
                assert said == EXPECTED[name], (name, cut)
            else:
                assert said != EXPECTED[name], (name, cut)
                assert deviation in str(said), (name, cut)


def test_a_stream_without_a_role_is_refused_by_the_node_sdk_only(
    asker: Asker,
) -> None:
    """A real llama-server never sent `role`; OpenAI's Node SDK 6.49 then gives up."""
    name = "llama-server/unicode-text"
    with serve(CASSETTES / f"{name}.yaml", match="order") as server:
        answers = {}
        for client in CLIENTS:
            server.reset()
            answers[client] = asker.ask(client, server, name)
    assert answers["openai"] == "Error: missing role for choice 0"
    assert answers["vercel"] == expected_of(name)


@pytest.mark.parametrize("client", CLIENTS)
def test_node_client_is_told_that_the_connection_broke(
    asker: Asker, client: str
) -> None:
    """A reset or a close in the middle is an error of the client, never an answer."""
    for fault in ("reset:600", "close:600"):
        said = asker.ask(client, served(asker, TEXT, fault=fault), TEXT)
        assert isinstance(said, str), fault
