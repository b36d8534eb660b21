"""A miniature of pydantic-ai's own tests, with the marker exchanged and no cassette.

Its sdists hold no tests, so this has their layout: `pytestmark` lists with `anyio` and
`vcr`, providers with their own SDKs, cassettes beside them in the two forms that it
has stored them in: vcrpy's with `parsed_body`, and cassetter's.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.third_party.client_server import _chat

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
TEST = """
import pytest
from pydantic_ai import Agent
from pydantic_ai.models.{module} import {model}
from pydantic_ai.providers.{provider} import {name}Provider

pytestmark = [pytest.mark.anyio, pytest.mark.vcr]

@pytest.fixture
def anyio_backend():
    return "asyncio"

def agent():
    return Agent({model}("m", provider={name}Provider(api_key="unused")))

async def test_run():
    result = await agent().run("How do I cross the street?")
    assert result.output == '{{"said": "hello there"}}'

async def test_stream():
    async with agent().run_stream("How do I cross the street?") as result:
        texts = [text async for text in result.stream_text(debounce_by=None)]
    assert texts[-1] == '{{"said": "hello there"}}' and len(texts) == 3
"""
PROVIDERS = {
    "deepseek": ("openai", "OpenAIChatModel", "DeepSeek", "api.deepseek.com"),
    "groq": ("groq", "GroqModel", "Groq", "api.groq.com/openai/v1"),
    "mistral": ("mistral", "MistralModel", "Mistral", "api.mistral.ai/v1"),
    "openai": ("openai", "OpenAIChatModel", "OpenAI", "api.openai.com/v1"),
}
SDKS = {"deepseek": "openai", "groq": "groq", "mistral": "mistralai"}


def _parsed_body(exchange: dict[str, Any], body: Any, answer: Any) -> None:
    exchange["request"]["parsed_body"] = body
    exchange["response"]["status"] = {"code": 200, "message": "OK"}
    if isinstance(answer, str):
        exchange["response"]["body"] = {"string": answer}
    else:
        exchange["response"]["parsed_body"] = answer


def _cassetter(exchange: dict[str, Any], body: Any, answer: Any) -> None:
    kind = "text" if isinstance(answer, str) else "json"
    exchange["request"]["body"] = {"type": "json", "content": body}
    exchange["response"] |= {"status": 200, "body": {"type": kind, "content": answer}}
    exchange["recorded_at"] = "2026-03-06T19:45:42.140278+00:00"


def _cassette(form: Callable[..., None], place: str, *, is_streamed: bool) -> str:
    raw = b"".join(_chat(is_streamed=is_streamed)).decode()
    kind = "text/event-stream; charset=utf-8" if is_streamed else "application/json"
    exchange: dict[str, Any] = {
        "request": {
            "method": "POST",
            "uri": f"https://{place}/chat/completions",
            "headers": {"content-type": ["application/json"]},
        },
        "response": {"headers": {"content-type": [kind]}},
    }
    message = {"role": "user", "content": "How do I cross the street?"}
    body = {"model": "m", "messages": [message], "stream": is_streamed}
    form(exchange, body, raw if is_streamed else yaml.safe_load(raw))
    return yaml.safe_dump({"version": 1, "interactions": [exchange]})


@pytest.mark.slow
@pytest.mark.parametrize("form", [_parsed_body, _cassetter])
def test_marker_exchanged_and_no_cassette_touched(
    tmp_path: Path, form: Callable[..., None]
) -> None:
    """`harness init --from-vcr --write`, then pytest: each provider, both ways."""
    if importlib.util.find_spec("pydantic_ai") is None:
        pytest.skip("not installed: pydantic-ai-slim")
    count = 0
    for provider, (module, model, name, place) in PROVIDERS.items():
        if importlib.util.find_spec(SDKS.get(provider, provider)) is None:
            continue
        count += 2
        text = TEST.format(module=module, model=model, name=name, provider=provider)
        tmp_path.joinpath(f"test_{provider}.py").write_text(text, encoding="utf-8")
        folder = tmp_path / "cassettes" / f"test_{provider}"
        folder.mkdir(parents=True)
        for test, is_streamed in (("run", False), ("stream", True)):
            text = _cassette(form, place, is_streamed=is_streamed)
            folder.joinpath(f"test_{test}.yaml").write_text(text, encoding="utf-8")
    tmp_path.joinpath("pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")}
    assert _run(tmp_path, "harness", "init", "--from-vcr", "--write", ".")
    plugins = ("anyio.pytest_plugin", "harness.pytest_plugin.plugin")
    loaded = [option for name in plugins for option in ("-p", name)]
    for mode in ("none", "once"):
        out = _run(tmp_path, "pytest", *loaded, "-q", f"--harness-record={mode}")
        assert f"{count} passed" in out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")} == before


def _run(folder: Path, *arguments: str) -> str:
    """Run a module; return what it printed."""
    quiet = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**{k: v for k, v in os.environ.items() if k != "CI"}, **quiet},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
