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

__all__ = ["ROWS", "Row"]

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


def _row(name: str, *packages: str) -> Callable[[Any], Any]:
    def add(function: Callable[[str, str], Any]) -> Any:
        ROWS[name] = Row(packages, function)
        return function

    return add


def _arow(name: str, *packages: str) -> Callable[[Any], Any]:
    def add(function: Callable[[str, str], Awaitable[Events]]) -> Any:
        def ask(url: str, prompt: str) -> Events:
            async def run() -> Events:
                return await function(url, prompt)

            return asyncio.run(run())

        ROWS[name] = Row(packages, ask)
        return function

    return add


def _messages(prompt: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": prompt}]


def _body(prompt: str) -> dict[str, Any]:
    return {"model": "m", "stream": True, "messages": _messages(prompt)}


async def _all(events: AsyncIterator[Any]) -> list[Any]:
    return [event async for event in events]


@_row("openai", "openai")
def _openai(url: str, prompt: str) -> Events:
    from openai import OpenAI

    with OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0) as client:
        stream = client.chat.completions.create(**_body(prompt))
        return [chunk.model_dump_json() for chunk in stream]


@_arow("openai, async", "openai")
async def _aopenai(url: str, prompt: str) -> Events:
    from openai import AsyncOpenAI

    given = {"base_url": f"{url}/v1", "api_key": "unused", "max_retries": 0}
    async with AsyncOpenAI(**given) as client:
        stream = await client.chat.completions.create(**_body(prompt))
        return [chunk.model_dump_json() async for chunk in stream]


@_arow("openai over aiohttp", "openai", "httpx-aiohttp", "aiohttp")
async def _openai_aiohttp(url: str, prompt: str) -> Events:
    from openai import AsyncOpenAI, DefaultAioHttpClient

    async with DefaultAioHttpClient() as transport:
        client = AsyncOpenAI(
            base_url=f"{url}/v1",
            api_key="unused",
            max_retries=0,
            http_client=transport,
        )
        stream = await client.chat.completions.create(**_body(prompt))
        return [chunk.model_dump_json() async for chunk in stream]


@_arow("openai-agents", "openai-agents", "openai")
async def _agents(url: str, prompt: str) -> Events:
    # Its tracing is on, as it is by default.
    from agents import Agent, OpenAIChatCompletionsModel, Runner
    from openai import AsyncOpenAI

    client = AsyncOpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
    model = OpenAIChatCompletionsModel(model="m", openai_client=client)
    result = Runner.run_streamed(Agent(name="a", model=model), prompt)
    events = [str(event.type) for event in await _all(result.stream_events())]
    await client.close()
    return [*events, str(result.final_output)]


@_arow("pydantic-ai", "pydantic-ai-slim", "openai")
async def _pydantic_ai(url: str, prompt: str) -> Events:
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=f"{url}/v1", api_key="unused")
    agent = Agent(OpenAIChatModel("m", provider=provider))
    async with agent.run_stream(prompt) as result:
        return await _all(result.stream_text(delta=True, debounce_by=None))


@_row("langchain-openai", "langchain-openai", "openai")
def _langchain(url: str, prompt: str) -> Events:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(base_url=f"{url}/v1", api_key="unused", model="m", max_retries=0)
    return [str(chunk.content) for chunk in model.stream(prompt)]


@_arow("langgraph", "langgraph", "langchain-openai")
async def _langgraph(url: str, prompt: str) -> Events:
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, MessagesState, StateGraph

    model = ChatOpenAI(base_url=f"{url}/v1", api_key="unused", model="m", max_retries=0)

    async def call(state: Any) -> Any:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("call", call)
    graph.add_edge(START, "call")
    graph.add_edge("call", END)
    events = graph.compile().astream(
        {"messages": [("user", prompt)]}, stream_mode="messages"
    )
    return [str(message.content) for message, _ in await _all(events)]


@_row("litellm", "litellm")
def _litellm(url: str, prompt: str) -> Events:
    import litellm

    stream = litellm.completion(
        model="openai/m",
        api_base=f"{url}/v1",
        api_key="unused",
        messages=_messages(prompt),
        stream=True,
        num_retries=0,
    )
    return [str(chunk.choices[0].delta.content) for chunk in stream]


@_arow("litellm, async, Anthropic", "litellm", "aiohttp")
async def _alitellm(url: str, prompt: str) -> Events:
    import litellm

    stream = await litellm.acompletion(
        model="anthropic/m",
        api_base=url,
        api_key="unused",
        messages=_messages(prompt),
        stream=True,
        num_retries=0,
    )
    return [str(chunk.choices[0].delta.content) async for chunk in stream]


@_row("instructor", "instructor", "openai")
def _instructor(url: str, prompt: str) -> Events:
    import instructor
    from openai import OpenAI
    from pydantic import BaseModel

    class Answer(BaseModel):
        said: str

    raw = OpenAI(base_url=f"{url}/v1", api_key="unused", max_retries=0)
    client = instructor.from_openai(raw, mode=instructor.Mode.JSON)
    stream = client.chat.completions.create_partial(
        model="m", messages=_messages(prompt), response_model=Answer, max_retries=0
    )
    return [str(partial) for partial in stream]


@_row("anthropic", "anthropic")
def _anthropic(url: str, prompt: str) -> Events:
    from anthropic import Anthropic

    client = Anthropic(base_url=url, api_key="unused", max_retries=0)
    given: Any = _messages(prompt)
    with client.messages.stream(model="m", max_tokens=9, messages=given) as stream:
        return [str(event.type) for event in stream] + [stream.get_final_text()]


def _genai(url: str) -> Any:
    from google import genai

    options = genai.types.HttpOptions(base_url=url)
    return genai.Client(api_key="unused", http_options=options)


@_row("google-genai", "google-genai")
def _google(url: str, prompt: str) -> Events:
    client = _genai(url)  # closes itself with its last name
    stream = client.models.generate_content_stream(model="m", contents=prompt)
    return [str(chunk.text) for chunk in stream]


@_arow("google-genai, async", "google-genai", "aiohttp")
async def _agoogle(url: str, prompt: str) -> Events:
    client = _genai(url).aio
    stream = await client.models.generate_content_stream(model="m", contents=prompt)
    events = [str(chunk.text) async for chunk in stream]
    await client.aclose()
    return events


@_row("boto3 bedrock-runtime", "boto3", "urllib3")
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


@_row("dspy", "dspy", "litellm")
def _dspy(url: str, prompt: str) -> Events:
    import dspy

    model = dspy.LM(
        "openai/m",
        api_base=f"{url}/v1",
        api_key="unused",
        cache=False,
        num_retries=0,
    )
    return [str(text) for text in model(prompt)]


@_row("smolagents", "smolagents", "openai")
def _smolagents(url: str, prompt: str) -> Events:
    from smolagents import ChatMessage, MessageRole, OpenAIServerModel

    model = OpenAIServerModel("m", api_base=f"{url}/v1", api_key="unused")
    message = ChatMessage(role=MessageRole.USER, content=prompt)
    return [str(delta.content) for delta in model.generate_stream([message])]


@_row("llama-index", "llama-index-llms-openai", "openai")
def _llama_index(url: str, prompt: str) -> Events:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    model = OpenAI("gpt-4o-mini", api_base=f"{url}/v1", api_key="unused", max_retries=0)
    stream = model.stream_chat([ChatMessage(role="user", content=prompt)])
    return [str(answer.delta) for answer in stream]


@_row("requests", "requests", "urllib3")
def _requests(url: str, prompt: str) -> Events:
    import requests

    with requests.post(
        f"{url}/v1/chat/completions", json=_body(prompt), stream=True, timeout=60
    ) as response:
        return [line.decode() for line in response.iter_lines()]


@_arow("aiohttp", "aiohttp")
async def _aiohttp(url: str, prompt: str) -> Events:
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=_body(prompt)) as response,
    ):
        return [line.decode() async for line in response.content]


@_row("urllib")
def _urllib(url: str, prompt: str) -> Events:
    request = urllib.request.Request(
        f"{url}/v1/chat/completions",
        data=json.dumps(_body(prompt)).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return [line.decode() for line in response]
