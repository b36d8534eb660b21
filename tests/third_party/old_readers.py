"""More readers of other people, for the releases that `old_releases.py` goes back to.

Called as their documentation of the time shows; those of `libraries.py` and
`consumers.py` are used where their calls have not changed.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from tests.third_party.consumers import PartialJsonParser
from tests.third_party.libraries import PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterator

_MESSAGES: list[Any] = [{"role": "user", "content": PROMPT}]


def openai_events(base_url: str) -> list[Any]:
    """Return the chunks that `chat.completions.create(stream=True)` yields."""
    from openai import OpenAI

    client = OpenAI(base_url=base_url, api_key="unused", max_retries=0)
    stream = client.chat.completions.create(model="m", messages=_MESSAGES, stream=True)
    return [chunk.model_dump(exclude_unset=True) for chunk in stream]


def openai_helper(base_url: str) -> dict[str, Any]:
    """Return what `beta.chat.completions.stream` makes of the stream."""
    from openai import OpenAI

    client = OpenAI(base_url=base_url, api_key="unused", max_retries=0)
    with client.beta.chat.completions.stream(model="m", messages=_MESSAGES) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message
    return {
        "content": message.content or "",
        "calls": [
            {"name": call.function.name, "arguments": call.function.arguments}
            for call in message.tool_calls or []
        ],
    }


def groq_events(base_url: str) -> list[Any]:
    """Return the chunks that the SDK of Groq yields."""
    from groq import Groq

    client = Groq(base_url=base_url, api_key="unused", max_retries=0)
    stream = client.chat.completions.create(model="m", messages=_MESSAGES, stream=True)
    return [chunk.model_dump(exclude_unset=True) for chunk in stream]


def httpx_sse(pieces: Iterator[bytes]) -> list[Any]:
    """Read with `httpx_sse.EventSource`."""
    import httpx
    from httpx_sse import EventSource

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield from pieces

    head = {"content-type": "text/event-stream"}
    response = httpx.Response(200, headers=head, stream=Stream())
    return _chunks(EventSource(response).iter_sse())


def sseclient(pieces: Iterator[bytes]) -> list[Any]:
    """Read with `sseclient.SSEClient` of sseclient-py."""
    from sseclient import SSEClient

    return _chunks(SSEClient(pieces).events())


def _chunks(events: Any) -> list[Any]:
    return [json.loads(e.data) for e in events if e.data and e.data != "[DONE]"]


def pydantic_ai_text(base_url: str) -> str:
    """Return the text of `Agent.run_stream`."""
    from openai import AsyncOpenAI
    from pydantic_ai import Agent
    from pydantic_ai.models import openai as models

    kind = getattr(models, "OpenAIChatModel", None) or models.OpenAIModel
    client = AsyncOpenAI(base_url=base_url, api_key="unused", max_retries=0)
    try:
        model = kind("m", openai_client=client)
    except TypeError:  # from 0.0.37 on
        from pydantic_ai.providers.openai import OpenAIProvider

        model = kind("m", provider=OpenAIProvider(openai_client=client))

    async def run() -> str:
        async with Agent(model).run_stream(PROMPT) as result:
            pieces = result.stream_text(delta=True, debounce_by=None)
            return "".join([piece async for piece in pieces])

    return asyncio.run(run())


def autogen(base_url: str) -> Any:
    """Return the result of `OpenAIChatCompletionClient.create_stream`."""
    from autogen_core.models import UserMessage
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    client = OpenAIChatCompletionClient(
        model="gpt-4o", base_url=base_url, api_key="unused", max_retries=0
    )

    async def run() -> Any:
        asked = [UserMessage(content=PROMPT, source="user")]
        return [event async for event in client.create_stream(asked)][-1]

    result = asyncio.run(run())
    if isinstance(result.content, str):
        return {"content": result.content}
    return {
        "calls": [{"name": c.name, "arguments": c.arguments} for c in result.content]
    }


def llama_index(base_url: str) -> Any:
    """Return the last answer of `OpenAI.stream_chat`."""
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai import OpenAI

    model = OpenAI("gpt-4o-mini", api_base=base_url, api_key="unused", max_retries=0)
    *_, last = model.stream_chat([ChatMessage(role="user", content=PROMPT)])
    calls = last.message.additional_kwargs.get("tool_calls") or []
    return {
        "content": last.message.content or "",
        "calls": [
            {"name": call.function.name, "arguments": call.function.arguments}
            for call in calls
        ],
    }


def llm_text(base_url: str) -> str:
    """Return the text of a prompt of `llm`."""
    from llm.default_plugins.openai_models import Chat

    model = Chat("m", api_base=base_url)
    model.key = "unused"
    return str(model.prompt(PROMPT).text())


def haystack(base_url: str) -> Any:
    """Return the reply of `OpenAIChatGenerator` with a callback."""
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage
    from haystack.utils import Secret

    generator = OpenAIChatGenerator(
        api_key=Secret.from_token("unused"),
        api_base_url=base_url,
        streaming_callback=lambda _: None,
        max_retries=0,
    )
    (reply,) = generator.run([ChatMessage.from_user(PROMPT)])["replies"]
    return {
        "content": reply.text or "",
        "calls": [
            {"name": call.tool_name, "arguments": call.arguments}
            for call in reply.tool_calls
        ],
    }


def smolagents(base_url: str) -> Any:
    """Add up the deltas of `OpenAIServerModel.generate_stream`."""
    from smolagents import OpenAIServerModel
    from smolagents.models import (
        ChatMessage,
        MessageRole,
        agglomerate_stream_deltas,
    )

    model = OpenAIServerModel("m", api_base=base_url, api_key="unused")
    asked = [
        ChatMessage(role=MessageRole.USER, content=[{"type": "text", "text": PROMPT}])
    ]
    message = agglomerate_stream_deltas(list(model.generate_stream(asked)))
    return {
        "content": message.content or "",
        "calls": [
            {"name": c.function.name, "arguments": c.function.arguments}
            for c in message.tool_calls or []
        ],
    }


def strands(base_url: str) -> Any:
    """Put together what the `OpenAIModel` of Strands streams, as its agent does."""
    from strands.event_loop.streaming import process_stream
    from strands.models.openai import OpenAIModel

    model = OpenAIModel(
        client_args={"api_key": "unused", "base_url": base_url, "max_retries": 0},
        model_id="m",
    )
    asked: Any = [{"role": "user", "content": [{"text": PROMPT}]}]

    async def run() -> Any:
        return [event async for event in process_stream(model.stream(asked))][-1]

    if hasattr(model, "converse") and not hasattr(model.converse, "__await__"):
        *_, last = process_stream(model.converse(asked), asked)
    else:
        last = asyncio.run(run())
    blocks = last["stop"][1]["content"]
    return {
        "content": "".join(block.get("text", "") for block in blocks),
        "calls": [
            {"name": b["toolUse"]["name"], "arguments": b["toolUse"]["input"]}
            for b in blocks
            if "toolUse" in b
        ],
    }


class PartialJson(PartialJsonParser):
    """Parse what has come with `partialjson`; emit what is new of a string."""

    def process_json_chunk(self, chunk: str) -> str | None:
        from partialjson.json_parser import JSONParser

        self._text += chunk
        return self._emit(JSONParser().parse(self._text))


class LangchainJson(PartialJsonParser):
    """The same with `parse_partial_json` of langchain-core."""

    def process_json_chunk(self, chunk: str) -> str | None:
        from langchain_core.utils.json import parse_partial_json

        self._text += chunk
        return self._emit(parse_partial_json(self._text))


class Jiter(PartialJsonParser):
    """The same with `jiter.from_json`, which the SDKs of OpenAI and Anthropic use."""

    def process_json_chunk(self, chunk: str) -> str | None:
        from jiter import from_json

        self._text += chunk
        data = self._text.encode("utf-8", "surrogatepass")
        return self._emit(from_json(data, partial_mode="trailing-strings"))
