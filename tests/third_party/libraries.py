"""Other people's clients and frameworks, asked over HTTP as their documentation shows.

Each takes the base URL of a server, as its library wants it, and returns the content,
the calls and why the answer ended, as far as the library shows these. Nothing here
knows what came. `python libraries.py ROW` is a worker that answers lines of URLs; it
needs nothing but the library.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LIBRARIES", "failed"]

PROMPT = "Found by harness fuzz."
Answer = dict[str, Any]
_MESSAGES: list[Any] = [{"role": "user", "content": PROMPT}]

# Keys that are none; nothing is downloaded or sent while a library is imported.
_AROUND = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "OPENAI_API_KEY": "unused",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}


def _answer(content: Any, calls: Any = (), finish: Any = None) -> Answer:
    shown = [
        {
            "name": name,
            "arguments": a
            if isinstance(a, str)
            else json.dumps({} if a is None else a),
        }
        for name, a in calls
    ]
    return {"content": content or "", "calls": shown, "finish": finish}


def openai_chat(base_url: str) -> Answer:
    """Ask with `client.chat.completions.stream`."""
    from openai import OpenAI

    with (
        OpenAI(base_url=base_url, api_key="unused", max_retries=0) as client,
        client.chat.completions.stream(model="m", messages=_MESSAGES) as stream,
    ):
        stream.until_done()
        choice = stream.get_final_completion().choices[0]
    calls = [
        (call.function.name, call.function.arguments)
        for call in choice.message.tool_calls or []
    ]
    return _answer(choice.message.content, calls, choice.finish_reason)


def openai_responses(base_url: str) -> Answer:
    """Ask with `client.responses.stream`."""
    from openai import OpenAI

    with (
        OpenAI(base_url=base_url, api_key="unused", max_retries=0) as client,
        client.responses.stream(model="m", input=PROMPT) as stream,
    ):
        stream.until_done()
        response = stream.get_final_response()
    return _of_response(response)


def _of_response(response: Any) -> Answer:
    texts, calls = [], []
    for item in response.output or ():
        if item.type == "message":
            texts += [p.text for p in item.content if p.type == "output_text"]
        elif item.type == "function_call":
            calls.append((item.name, item.arguments))
        elif item.type == "custom_tool_call":
            calls.append((item.name, item.input))
    return _answer("".join(texts), calls, response.status)


async def _agents(model: Any) -> Answer:
    from agents import ModelSettings
    from agents.models.interface import ModelTracing

    names = inspect.signature(model.stream_response).parameters
    later = dict.fromkeys(list(names)[7:])  # each release has more
    stream = model.stream_response(
        None, PROMPT, ModelSettings(), [], None, [], ModelTracing.DISABLED, **later
    )
    response = None
    async for event in stream:
        if event.type == "response.completed":
            response = event.response
    if response is None:  # as its runner does
        raise RuntimeError("Model did not produce a final response!")
    shown = _of_response(response)
    return {**shown, "finish": "completed"}


def _async_openai(base_url: str) -> Any:
    from openai import AsyncOpenAI

    return AsyncOpenAI(base_url=base_url, api_key="unused", max_retries=0)


def agents_chat(base_url: str) -> Answer:
    """Ask with the model that a runner of openai-agents streams from."""
    from agents import OpenAIChatCompletionsModel

    client = _async_openai(base_url)
    return _run(_agents(OpenAIChatCompletionsModel(model="m", openai_client=client)))


def agents_responses(base_url: str) -> Answer:
    """Ask with the model that a runner of openai-agents streams from."""
    from agents import OpenAIResponsesModel

    client = _async_openai(base_url)
    return _run(_agents(OpenAIResponsesModel(model="m", openai_client=client)))


def anthropic_messages(base_url: str) -> Answer:
    """Ask with `client.messages.stream`."""
    from anthropic import Anthropic

    asked: Any = {"model": "m", "max_tokens": 9, "messages": _MESSAGES}
    with (
        Anthropic(base_url=base_url, api_key="unused", max_retries=0) as client,
        client.messages.stream(**asked) as stream,
    ):
        message = stream.get_final_message()
    texts = [block.text for block in message.content if block.type == "text"]
    calls = [(b.name, b.input) for b in message.content if b.type == "tool_use"]
    return _answer("".join(texts), calls, message.stop_reason)


def genai(base_url: str) -> Answer:
    """Ask with `client.models.generate_content_stream`."""
    from google import genai

    options = genai.types.HttpOptions(base_url=base_url)
    client = genai.Client(api_key="unused", http_options=options)
    texts, calls, finish = [], [], None
    for chunk in client.models.generate_content_stream(model="m", contents=PROMPT):
        for candidate in (chunk.candidates or [])[:1]:
            finish = candidate.finish_reason or finish
            parts = (candidate.content and candidate.content.parts) or []
            texts += [p.text for p in parts if p.text and not p.thought]
            calls += [
                (p.function_call.name, p.function_call.args)
                for p in parts
                if p.function_call
            ]
    return _answer("".join(texts), calls, finish and str(finish.value))


def _langchain(model: Any) -> Answer:
    whole = None
    for chunk in model.stream(PROMPT):
        whole = chunk if whole is None else whole + chunk
    content = whole.content
    if isinstance(content, list):
        parts = [p if isinstance(p, str) else p.get("text") or "" for p in content]
        content = "".join(parts)
    calls = [(c["name"], c["args"]) for c in whole.tool_calls]
    calls += [(c["name"], c["args"]) for c in whole.invalid_tool_calls]
    about = whole.response_metadata
    endings = ("finish_reason", "stop_reason", "status")
    finish = next((about[name] for name in endings if about.get(name)), None)
    return _answer(content, calls, finish)


def langchain_chat(base_url: str) -> Answer:
    """Add up what `ChatOpenAI.stream` yields."""
    from langchain_openai import ChatOpenAI

    return _langchain(
        ChatOpenAI(base_url=base_url, api_key="unused", model="m", max_retries=0)
    )


def langchain_responses(base_url: str) -> Answer:
    """Add up what `ChatOpenAI.stream` yields."""
    from langchain_openai import ChatOpenAI

    return _langchain(
        ChatOpenAI(
            base_url=base_url,
            api_key="unused",
            model="m",
            max_retries=0,
            use_responses_api=True,
        )
    )


def langchain_anthropic(base_url: str) -> Answer:
    """Add up what `ChatAnthropic.stream` yields."""
    from langchain_anthropic import ChatAnthropic

    return _langchain(
        ChatAnthropic(
            base_url=base_url, api_key="unused", model="m", max_tokens=9, max_retries=0
        )
    )


def langchain_gemini(base_url: str) -> Answer:
    """Add up what `ChatGoogleGenerativeAI.stream` yields."""
    from langchain_google_genai import ChatGoogleGenerativeAI

    return _langchain(
        ChatGoogleGenerativeAI(
            model="m", api_key="unused", base_url=base_url, max_retries=1
        )
    )


def _litellm(model: str, base_url: str) -> Answer:
    import litellm

    chunks = list(
        litellm.completion(
            model=model,
            api_base=base_url,
            api_key="unused",
            messages=_MESSAGES,
            stream=True,
            num_retries=0,
        )
    )
    choice = litellm.stream_chunk_builder(chunks).choices[0]
    calls = [
        (call.function.name, call.function.arguments)
        for call in choice.message.tool_calls or []
    ]
    return _answer(choice.message.content, calls, choice.finish_reason)


def litellm_chat(base_url: str) -> Answer:
    """Put together what `litellm.completion` streams."""
    return _litellm("openai/m", base_url)


def litellm_anthropic(base_url: str) -> Answer:
    """Put together what `litellm.completion` streams."""
    return _litellm("anthropic/m", base_url)


def litellm_gemini(base_url: str) -> Answer:
    """Put together what `litellm.completion` streams."""
    return _litellm("gemini/m", f"{base_url}/v1beta/models/m")


def litellm_responses(base_url: str) -> Answer:
    """Take the response of the last event that `litellm.responses` streams."""
    import litellm

    response = None
    for event in litellm.responses(
        model="openai/gpt-4o",  # of a name that it does not know, it fakes the stream
        api_base=base_url,
        api_key="unused",
        input=PROMPT,
        stream=True,
        num_retries=0,
    ):
        response = getattr(event, "response", None) or response
    return _of_response(_objects(response)) if response is not None else _answer("")


def _objects(value: Any) -> Any:
    """Return dicts as objects; litellm has both."""
    from types import SimpleNamespace

    if hasattr(value, "model_dump"):
        value = value.model_dump()
    return json.loads(
        json.dumps(value, default=str), object_hook=lambda d: SimpleNamespace(**d)
    )


async def _pydantic_ai(model: Any) -> Answer:
    from pydantic_ai.direct import model_request_stream
    from pydantic_ai.messages import ModelRequest

    asked = [ModelRequest.user_text_prompt(PROMPT)]
    async with model_request_stream(model, asked) as stream:
        async for _ in stream:
            pass
        response = getattr(stream, "response", None) or stream.get()
    texts = [p.content for p in response.parts if p.part_kind == "text"]
    calls = [
        (p.tool_name, p.args) for p in response.parts if p.part_kind == "tool-call"
    ]
    return _answer("".join(texts), calls, getattr(response, "finish_reason", None))


def pydantic_ai_chat(base_url: str) -> Answer:
    """Ask with `model_request_stream`."""
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(openai_client=_async_openai(base_url))
    return _run(_pydantic_ai(OpenAIChatModel("m", provider=provider)))


def pydantic_ai_responses(base_url: str) -> Answer:
    """Ask with `model_request_stream`."""
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(openai_client=_async_openai(base_url))
    return _run(_pydantic_ai(OpenAIResponsesModel("m", provider=provider)))


def pydantic_ai_anthropic(base_url: str) -> Answer:
    """Ask with `model_request_stream`."""
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(base_url=base_url, api_key="unused", max_retries=0)
    provider = AnthropicProvider(anthropic_client=client)
    return _run(_pydantic_ai(AnthropicModel("m", provider=provider)))


def pydantic_ai_gemini(base_url: str) -> Answer:
    """Ask with `model_request_stream`."""
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    provider = GoogleProvider(api_key="unused", base_url=base_url)
    return _run(_pydantic_ai(GoogleModel("m", provider=provider)))


def _run(task: Any) -> Answer:
    return asyncio.run(task)


LIBRARIES: dict[str, tuple[str, dict[str, Callable[[str], Answer]]]] = {
    "openai": ("openai", {"chat": openai_chat, "responses": openai_responses}),
    "openai-agents": (
        "openai-agents",
        {"chat": agents_chat, "responses": agents_responses},
    ),
    "anthropic": ("anthropic", {"anthropic": anthropic_messages}),
    "google-genai": ("google-genai", {"gemini": genai}),
    "langchain": (
        "langchain-core",
        {
            "chat": langchain_chat,
            "responses": langchain_responses,
            "anthropic": langchain_anthropic,
            "gemini": langchain_gemini,
        },
    ),
    "litellm": (
        "litellm",
        {
            "chat": litellm_chat,
            "responses": litellm_responses,
            "anthropic": litellm_anthropic,
            "gemini": litellm_gemini,
        },
    ),
    "pydantic-ai": (
        "pydantic-ai-slim",
        {
            "chat": pydantic_ai_chat,
            "responses": pydantic_ai_responses,
            "anthropic": pydantic_ai_anthropic,
            "gemini": pydantic_ai_gemini,
        },
    ),
}
"""By name: the package whose version is shown, and how it is asked in each API."""


def langchain(base_url: str, api: str) -> Answer:
    """Ask LangChain in any API."""
    return LIBRARIES["langchain"][1][api](base_url)


def pydantic_ai(base_url: str, api: str) -> Answer:
    """Ask Pydantic AI in any API."""
    return LIBRARIES["pydantic-ai"][1][api](base_url)


def litellm_any(base_url: str, api: str) -> Answer:
    """Ask LiteLLM in any API."""
    return LIBRARIES["litellm"][1][api](base_url)


def failed(error: BaseException) -> Answer:
    """Return an exception as a worker answers it.

    Classes of the language are crashes: they show what its author did not expect. Its
    own, a plain `ValueError` or `RuntimeError` and errors of connections are meant.
    """
    kind = type(error)
    is_meant = kind in {ValueError, RuntimeError} or isinstance(error, OSError)
    return {
        "error": f"{kind.__name__}: {error}"[:200],
        "is_crash": not is_meant
        and kind.__module__ in {"builtins", "json", "json.decoder"},
    }


def _work(library: str, api: str) -> None:
    os.environ.update(_AROUND)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    package, asks = LIBRARIES[library]
    print(json.dumps({"version": version(package)}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            found = asks[api](line.strip())
        except Exception as error:  # noqa: BLE001 - whatever it raises
            found = failed(error)
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    _work(*sys.argv[1:3])
