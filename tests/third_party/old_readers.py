"""More readers of other people, for the releases that `old_releases.py` goes back to.

Called as their documentation of the time shows; those of `libraries.py` and
`consumers.py` are used where their calls have not changed.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from tests.third_party.consumers import PartialJsonParser
from tests.third_party.libraries import PROMPT, _litellm, _pydantic_ai

if TYPE_CHECKING:
    from collections.abc import Iterator

_MESSAGES: list[Any] = [{"role": "user", "content": PROMPT}]


def openai_events(base_url: str) -> list[Any]:
    """Return the chunks that `chat.completions.create(stream=True)` yields."""
    from openai import OpenAI

    client = OpenAI(base_url=base_url, api_key="unused", max_retries=0)
    stream = client.chat.completions.create(model="m", messages=_MESSAGES, stream=True)
    return [chunk.model_dump(exclude_unset=True) for chunk in stream]


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


def _chunks(events: Any) -> list[Any]:
    return [json.loads(e.data) for e in events if e.data and e.data != "[DONE]"]


def _pydantic_ai_model(base_url: str) -> Any:
    from openai import AsyncOpenAI
    from pydantic_ai.models import openai as models

    kind = getattr(models, "OpenAIChatModel", None) or models.OpenAIModel
    client = AsyncOpenAI(base_url=base_url, api_key="unused", max_retries=0)
    try:
        return kind("m", openai_client=client)
    except TypeError:  # from 0.0.37 on
        from pydantic_ai.providers.openai import OpenAIProvider

        return kind("m", provider=OpenAIProvider(openai_client=client))


def pydantic_ai(base_url: str) -> Any:
    """Ask with `model_request_stream`."""
    return asyncio.run(_pydantic_ai(_pydantic_ai_model(base_url)))


def pydantic_ai_text(base_url: str) -> str:
    """Return the text of `Agent.run_stream`."""
    from pydantic_ai import Agent

    async def run() -> str:
        model = _pydantic_ai_model(base_url)
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


def llm_text(base_url: str) -> str:
    """Return the text of a prompt of `llm`."""
    from llm.default_plugins.openai_models import Chat

    model = Chat("m", api_base=base_url)
    model.key = "unused"
    return str(model.prompt(PROMPT).text())


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


class PartialJson(PartialJsonParser):
    """Parse what has come with `partialjson`; emit what is new of a string."""

    def process_json_chunk(self, chunk: str) -> str | None:
        from partialjson.json_parser import JSONParser

        self._text += chunk
        return self._emit(JSONParser().parse(self._text))


class Jiter(PartialJsonParser):
    """The same with `jiter.from_json`, which the SDKs of OpenAI and Anthropic use."""

    def process_json_chunk(self, chunk: str) -> str | None:
        from jiter import from_json

        self._text += chunk
        data = self._text.encode("utf-8", "surrogatepass")
        return self._emit(from_json(data, partial_mode="trailing-strings"))


def agent_framework(base_url: str) -> Any:
    """Return what `OpenAIChatCompletionClient` puts together of its updates."""
    from agent_framework import Message
    from agent_framework.openai import OpenAIChatCompletionClient

    client = OpenAIChatCompletionClient("m", base_url=base_url, api_key="unused")

    async def run() -> Any:
        stream = client.get_response([Message("user", [PROMPT])], stream=True)
        return await stream.get_final_response()

    response = asyncio.run(run())
    contents = [one for message in response.messages for one in message.contents]
    return {
        "content": response.text,
        "calls": [
            {"name": one.name, "arguments": one.arguments}
            for one in contents
            if one.type == "function_call"
        ],
    }


def any_llm_chat(base_url: str, api: str) -> Any:
    """Add up the chunks that any-llm makes of another API's stream."""
    from any_llm import completion

    provider = "openai" if api == "chat" else api
    os.environ["GOOGLE_GEMINI_BASE_URL"] = base_url  # `api_base` is not heeded
    return _of_chunks(
        completion("m", _MESSAGES, provider=provider, **_any(base_url), stream=True)
    )


def any_llm_messages(base_url: str) -> Any:
    """Put together the events of `any_llm.messages`, with chat underneath."""
    from any_llm import messages

    stream = messages(
        "m", _MESSAGES, 9, provider="openai", **_any(base_url), stream=True
    )
    return _of_messages(event.model_dump() for event in stream)


def _any(base_url: str) -> dict[str, Any]:
    return {"api_base": base_url, "api_key": "unused"}


def litellm_messages(base_url: str) -> Any:
    """Put together what `litellm.anthropic.messages` makes of a stream of chat."""
    import litellm

    async def run() -> str:
        stream: Any = await litellm.anthropic.messages.acreate(
            model="hosted_vllm/m",
            api_base=base_url,
            api_key="unused",
            max_tokens=9,
            messages=_MESSAGES,
            stream=True,
        )
        return "".join([piece.decode() async for piece in stream])

    lines = asyncio.run(run()).splitlines()
    return _of_messages(json.loads(x[6:]) for x in lines if x.startswith("data: {"))


def litellm_of_responses(base_url: str) -> Any:
    """Put together what `litellm.completion` makes of a stream of Responses."""
    return _litellm("openai/responses/gpt-4o", base_url)


def _of_chunks(chunks: Any) -> Any:
    texts, calls = [], {}
    for chunk in chunks:
        for choice in chunk.choices[:1]:
            texts.append(choice.delta.content or "")
            for one in choice.delta.tool_calls or ():
                call = calls.setdefault(one.index, {"name": "", "arguments": ""})
                call["name"] += one.function.name or ""
                call["arguments"] += one.function.arguments or ""
    return {"content": "".join(texts), "calls": list(calls.values())}


def _of_messages(events: Any) -> Any:
    texts, calls = [], {}
    for event in events:
        delta, block = event.get("delta") or {}, event.get("content_block") or {}
        if block.get("type") == "tool_use":
            calls[event["index"]] = {"name": block["name"], "arguments": ""}
        if delta.get("type") == "text_delta":
            texts.append(delta["text"])
        elif delta.get("type") == "input_json_delta":
            calls[event["index"]]["arguments"] += delta["partial_json"]
    return {"content": "".join(texts), "calls": list(calls.values())}
