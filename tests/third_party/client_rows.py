"""The rows of the table: a client, asked as its documentation shows.

Each row takes the server's address and a prompt, and returns what the client made of
the answer, an entry for each event that it reports.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

__all__ = ["ROWS", "Events", "Row", "arow", "chat_body", "every", "messages", "row"]

Events = list[str]

# Keys that are none; and no table of prices is downloaded while a client is imported.
os.environ.update(
    OPENAI_API_KEY="unused",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    AWS_EC2_METADATA_DISABLED="true",
)


class Row(NamedTuple):
    """A client of the table."""

    packages: tuple[str, ...]
    """What must be installed; the versions of all are shown."""
    ask: Callable[[str, str], Events]
    """Asks the server at an address a question."""


ROWS: dict[str, Row] = {}


def row(name: str, *packages: str) -> Callable[[Any], Any]:
    """Make the function below a row; `arow` does it for async ones."""

    def add(function: Callable[[str, str], Any]) -> Any:
        ROWS[name] = Row(packages, function)
        return function

    return add


def arow(name: str, *packages: str) -> Callable[[Any], Any]:
    """Make the coroutine function below a row, in an event loop of its own."""

    def add(function: Callable[[str, str], Awaitable[Events]]) -> Any:
        def ask(url: str, prompt: str) -> Events:
            async def run() -> Events:
                return await function(url, prompt)

            return asyncio.run(run())

        ROWS[name] = Row(packages, ask)
        return function

    return add


def messages(prompt: str) -> list[dict[str, Any]]:
    """Return a conversation that a prompt begins."""
    return [{"role": "user", "content": prompt}]


def chat_body(prompt: str) -> dict[str, Any]:
    """Return a streamed chat request."""
    return {"model": "m", "stream": True, "messages": messages(prompt)}


async def every(events: AsyncIterator[Any]) -> list[Any]:
    """Read an asynchronous stream to its end."""
    return [event async for event in events]


@row("openai", "openai")
def _openai(url: str, prompt: str) -> Events:
    from openai import OpenAI

    with OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:
        stream = client.chat.completions.create(**chat_body(prompt))
        return [chunk.model_dump_json() for chunk in stream]


@arow("openai, async", "openai")
async def _aopenai(url: str, prompt: str) -> Events:
    from openai import AsyncOpenAI

    given = {"base_url": f"{url}/v1", "api_key": "unused", "max_retries": 0}
    async with AsyncOpenAI(**given) as client:
        stream = await client.chat.completions.create(**chat_body(prompt))
        return [chunk.model_dump_json() async for chunk in stream]


@arow("openai over aiohttp", "openai", "httpx-aiohttp", "aiohttp")
async def _openai_aiohttp(url: str, prompt: str) -> Events:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    async with DefaultAioHttpClient() as transport:
        client = AsyncOpenAI(
            base_url=f"{url}/v1",
            api_key="unused",
            max_retries=0,
            http_client=transport,
        )
        stream = await client.chat.completions.create(**chat_body(prompt))
        return [chunk.model_dump_json() async for chunk in stream]


@row("anthropic", "anthropic")
def _anthropic(url: str, prompt: str) -> Events:
    from anthropic import Anthropic

    client = Anthropic(base_url=url, api_key="unused", max_retries=0)
    given: Any = messages(prompt)
    with client.messages.stream(model="m", max_tokens=9, messages=given) as stream:
        return [str(event.type) for event in stream] + [stream.get_final_text()]


def _genai(url: str) -> Any:
    from google import genai

    options = genai.types.HttpOptions(base_url=url)
    return genai.Client(api_key="unused", http_options=options)


@row("google-genai", "google-genai")
def _google(url: str, prompt: str) -> Events:
    client = _genai(url)  # closes itself with its last name
    stream = client.models.generate_content_stream(model="m", contents=prompt)
    return [str(chunk.text) for chunk in stream]


@arow("google-genai, async", "google-genai", "aiohttp")
async def _agoogle(url: str, prompt: str) -> Events:
    client = _genai(url).aio
    stream = await client.models.generate_content_stream(model="m", contents=prompt)
    events = [str(chunk.text) async for chunk in stream]
    await client.aclose()
    return events


@row("boto3 bedrock-runtime", "boto3", "urllib3")
def _boto3(url: str, prompt: str) -> Events:
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id="unused",
        aws_secret_access_key="unused",
        config=Config(retries={"max_attempts": 0}),
    )
    messages = [{"role": "user", "content": [{"text": prompt}]}]
    answer = client.converse_stream(modelId="m", messages=messages)
    return [json.dumps(event) for event in answer["stream"]]


@row("requests", "requests", "urllib3")
def _requests(url: str, prompt: str) -> Events:
    import requests

    with requests.post(
        f"{url}/v1/chat/completions", json=chat_body(prompt), stream=True, timeout=60
    ) as response:
        return [line.decode() for line in response.iter_lines()]


@arow("aiohttp", "aiohttp")
async def _aiohttp(url: str, prompt: str) -> Events:
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=chat_body(prompt)) as response,
    ):
        return [line.decode() async for line in response.content]


@row("urllib")
def _urllib(url: str, prompt: str) -> Events:
    request = urllib.request.Request(
        f"{url}/v1/chat/completions",
        data=json.dumps(chat_body(prompt)).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return [line.decode() for line in response]
