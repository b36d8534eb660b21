"""Every client of every API, unmodified, from recordings of every API: one answer.

All 16 pairs of recorded and asked API, in one process of servers: OpenAI's SDK of two
generations, Anthropic's, Google's, Vercel's with its providers, and curl.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.serve import serve
from tests.serve.openai_client import QUESTION, ask
from tests.serve.test_apis import APIS, ASKED, PATHS, WANTED, read, recording
from tests.serve.test_node_clients import NODE, missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.serve import RunningServer

pytestmark = [
    pytest.mark.slow,  # importing the SDKs takes seconds
    # The SDK dumps what it parsed as another of its types.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]

Said = tuple[str, list[tuple[str, Any]]]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, RunningServer]]:
    """One server for the recording of each API; any question is answered."""
    running = {api: serve(recording(api), match="order") for api in APIS}
    yield {api: one.__enter__() for api, one in running.items()}
    for one in running.values():
        one.__exit__(None, None, None)


def all_pairs(
    servers: dict[str, RunningServer],
    client: str,
    apis: tuple[str, ...],
    asker: Callable[[str, str], Said],
) -> None:
    """Ask in each API for the recording of each."""
    for recorded, server in servers.items():
        for api in apis:
            session = server.session(f"{client}-{api}")
            assert asker(api, session.base_url) == WANTED, (recorded, api)


def said(text: str, calls: Any) -> Said:
    """Return what a client understood."""
    return text, [(name, given) for name, given in calls]


def test_openai(servers: dict[str, RunningServer]) -> None:
    """OpenAI's SDK, its own accumulators: chat and Responses."""
    asker = lambda api, url: said(*ask(api, url))  # noqa: E731
    all_pairs(servers, "openai", ("chat", "responses"), asker)


def test_openai_of_the_generation_before(
    servers: dict[str, RunningServer], tmp_path: Path
) -> None:
    """OpenAI's SDK 2, in an environment of its own."""
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-compile",
    ]
    done = subprocess.run(
        [*install, "--target", str(tmp_path), "openai>=2,<3", "tqdm>4"],
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        pytest.skip(f"needs a package index that has openai 2: {done.stderr[-200:]}")
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "openai_client.py")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()).startswith("2.")

        def asker(api: str, url: str) -> Said:
            line = json.dumps({"api": api, "base_url": url})
            print(line, file=process.stdin, flush=True)
            return said(*json.loads(process.stdout.readline()))  # type: ignore[union-attr]

        all_pairs(servers, "openai-2", ("chat", "responses"), asker)
        process.stdin.close()


def _anthropic(_api: str, url: str) -> Said:
    from anthropic import Anthropic

    root = url.removesuffix("/v1")
    with Anthropic(base_url=root, api_key="unused", max_retries=0) as client:
        turn: Any = {"role": "user", "content": QUESTION}
        with client.messages.stream(model="m", max_tokens=9, messages=[turn]) as stream:
            message = stream.get_final_message()
    text = "".join(one.text for one in message.content if one.type == "text")
    calls = [one for one in message.content if one.type == "tool_use"]
    return said(text, [(one.name, one.input) for one in calls])


def test_anthropic(servers: dict[str, RunningServer]) -> None:
    """Anthropic's SDK, its own accumulator."""
    all_pairs(servers, "anthropic", ("anthropic",), _anthropic)


def _google(_api: str, url: str) -> Said:
    from google import genai

    options: Any = {"base_url": url.removesuffix("/v1"), "api_version": "v1beta"}
    text, calls = "", []
    with genai.Client(api_key="unused", http_options=options) as client:
        for chunk in client.models.generate_content_stream(
            model="m", contents=QUESTION
        ):
            found = chunk.candidates or ()
            for part in found[0].content.parts or () if found else ():  # type: ignore[union-attr]
                text += part.text or ""
                if part.function_call:
                    calls.append((part.function_call.name, part.function_call.args))
    return said(text, calls)


def test_google(servers: dict[str, RunningServer]) -> None:
    """Google's SDK, event by event."""
    all_pairs(servers, "google", ("gemini",), _google)


@pytest.mark.skipif(bool(missing()), reason=missing() or "installed")
def test_vercel(servers: dict[str, RunningServer]) -> None:
    """Vercel's `ai` with its own providers for all four APIs."""
    with subprocess.Popen(
        ["node", "ask.js"],
        cwd=NODE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        tool = {"name": "weather", "parameters": {"type": "object", "properties": {}}}

        def asker(api: str, url: str) -> Said:
            root = url.removesuffix("/v1")
            line = {
                "client": "vercel",
                "api": api,
                "base_url": f"{root}/v1beta" if api == "gemini" else url,
                "request": {"model": "m", "tools": [{"function": tool}]},
            }
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(line), file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline())
            assert "error" not in answer, answer
            return said(answer["text"], answer["calls"])

        all_pairs(servers, "vercel", APIS, asker)
        process.communicate()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl(servers: dict[str, RunningServer]) -> None:
    """Curl, whose bytes our readers read."""

    def asker(api: str, url: str) -> Said:
        body = ASKED[api] | ({} if api == "gemini" else {"stream": True})
        done = subprocess.run(
            [
                *("curl", "-sSN", "--fail", f"{url}{PATHS[api]}"),
                *("-H", "content-type: application/json"),
                *("--data-binary", json.dumps(body)),
            ],
            capture_output=True,
            check=True,
            timeout=60,
        )
        return read(api, done.stdout)

    all_pairs(servers, "curl", APIS, asker)
