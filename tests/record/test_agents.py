"""Agents of several steps, of each vendor: recorded, played, replayed with results.

The agents are the vendors' own loops; a scripted server on loopback is the model. It
asks for two tools at once, then for one more, then answers.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from harness import load_cassette, replay
from harness.cassettes.classify import classify
from harness.record import use_cassette
from tests import anthropic_streams as messages
from tests import gemini_streams as gemini
from tests.record.servers import Connection, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,  # the SDKs, an extra of their own, take seconds to import
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of their dependencies
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),  # the SDK's own
]

STEPS = [["Oslo", "Rome"], ["Lima"], []]
"""The cities that each answer asks for."""
ANSWER = "Rain in Oslo, sun in Rome, fog in Lima."
WEATHER = {"Oslo": "rain", "Rome": "sun", "Lima": "fog"}
RESULTS = [f"{WEATHER[city]} in {city}" for step in STEPS for city in step]


def get_weather(city: str) -> str:
    """Look up the weather of a city."""
    return f"{WEATHER[city]} in {city}"


def _encoded(events: Iterable[dict[str, Any]]) -> list[bytes]:
    return [
        (
            (f"event: {one['type']}\n" if "type" in one else "")
            + f"data: {json.dumps(one)}\n\n"
        ).encode()
        for one in events
    ]


# -- What the servers send -------------------------------------------------------------


def responses_answer(step: int) -> list[bytes]:
    """Return an answer of the Responses API: its calls, or the text."""
    output: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    response = {
        "id": f"resp_{step}",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": "m",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    begun = {**response, "status": "in_progress", "output": []}
    events.append({"type": "response.created", "response": begun})
    item: dict[str, Any]
    part: dict[str, Any]
    for n, city in enumerate(STEPS[step]):
        item = {
            "type": "function_call",
            "id": f"fc_{step}_{n}",
            "call_id": f"call_{step}_{n}",
            "name": "get_weather",
            "arguments": "",
            "status": "in_progress",
        }
        arguments = json.dumps({"city": city})
        place = {"item_id": item["id"], "output_index": n}
        done = {**item, "arguments": arguments, "status": "completed"}
        kind = "response.function_call_arguments"
        events += [
            {"type": "response.output_item.added", "output_index": n, "item": item},
            {"type": f"{kind}.delta", **place, "delta": arguments[:6]},
            {"type": f"{kind}.delta", **place, "delta": arguments[6:]},
            {"type": f"{kind}.done", **place, "arguments": arguments},
            {"type": "response.output_item.done", "output_index": n, "item": done},
        ]
        output.append(done)
    if not STEPS[step]:
        part = {"type": "output_text", "text": "", "annotations": []}
        item = {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }
        here = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        whole = {**part, "text": ANSWER}
        done = {**item, "status": "completed", "content": [whole]}
        text = "response.output_text"
        events += [
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": "response.content_part.added", **here, "part": part},
            {"type": f"{text}.delta", **here, "delta": ANSWER[:9], "logprobs": []},
            {"type": f"{text}.delta", **here, "delta": ANSWER[9:], "logprobs": []},
            {"type": f"{text}.done", **here, "text": ANSWER, "logprobs": []},
            {"type": "response.content_part.done", **here, "part": whole},
            {"type": "response.output_item.done", "output_index": 0, "item": done},
        ]
        output.append(done)
    ended = {**response, "status": "completed", "output": output}
    events.append({"type": "response.completed", "response": ended})
    return _encoded({**one, "sequence_number": n} for n, one in enumerate(events))


def messages_answer(step: int) -> list[bytes]:
    """Return an answer of the Messages API: its calls, or the text."""
    blocks: list[dict[str, Any]] = []
    for n, city in enumerate(STEPS[step]):
        arguments = json.dumps({"city": city})
        blocks += [
            messages.opened(n, "tool_use", id=f"toolu_{step}_{n}", name="get_weather"),
            messages.arguments(arguments[:6], n),
            messages.arguments(arguments[6:], n),
            messages.stopped(n),
        ]
    if blocks:
        return _encoded(messages.answer(*blocks, reason="tool_use"))
    return _encoded(
        messages.answer(
            messages.opened(0, "text"),
            messages.text(ANSWER[:9]),
            messages.text(ANSWER[9:]),
            messages.stopped(),
        )
    )


def gemini_answer(step: int) -> list[bytes]:
    """Return an answer of the Gemini API: its calls, or the text."""
    calls = [
        {"functionCall": {"name": "get_weather", "args": {"city": city}}}
        for city in STEPS[step]
    ]
    if calls:
        return _encoded([gemini.event(*calls, finish="STOP")])
    return _encoded(
        [
            gemini.event({"text": ANSWER[:9]}),
            gemini.event({"text": ANSWER[9:]}, finish="STOP"),
        ]
    )


def scripted(answer: Callable[[int], list[bytes]]) -> Callable[[Connection], None]:
    """Return a server's script: each request gets the next answer."""
    served = 0

    def script(connection: Connection) -> None:
        nonlocal served
        pieces = answer(served % len(STEPS))
        served += 1
        connection.begin()
        for piece in pieces:
            connection.chunk(piece)
        connection.end()

    return script


# -- The agents ------------------------------------------------------------------------


def openai_agents(url: str, *, is_continued: bool = False) -> str:
    """Run an agent of openai-agents, which speaks Responses by default."""
    pytest.importorskip("agents", reason="needs openai-agents, extra `sdk-test`")
    from agents import (
        Agent,
        OpenAIResponsesModel,
        RunConfig,
        Runner,
        function_tool,
    )
    from openai import AsyncOpenAI

    async def run() -> str:
        async with AsyncOpenAI(
            base_url=f"{url}/v1", api_key="unused", max_retries=0
        ) as client:
            agent = Agent(
                "weather",
                tools=[function_tool(get_weather)],
                model=OpenAIResponsesModel("m", client),
            )
            result = Runner.run_streamed(
                agent,
                "What is the weather?",
                run_config=RunConfig(tracing_disabled=True),
                auto_previous_response_id=is_continued,
            )
            async for _ in result.stream_events():
                pass
            return str(result.final_output)

    return asyncio.run(run())


def continued_agents(url: str) -> str:
    """Run the same where the server keeps the turns: `previous_response_id`."""
    return openai_agents(url, is_continued=True)


def anthropic_loop(url: str) -> str:
    """Run the loop of Anthropic's documentation: tool_use, tool_result, again."""
    anthropic = pytest.importorskip("anthropic", reason="needs it, extra `sdks`")
    said: list[Any] = [{"role": "user", "content": "What is the weather?"}]
    tool = {
        "name": "get_weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
    with anthropic.Anthropic(base_url=url, api_key="unused", max_retries=0) as client:
        while True:
            with client.messages.stream(
                model="m", max_tokens=99, messages=said, tools=[tool]
            ) as stream:
                message = stream.get_final_message()
            said.append({"role": "assistant", "content": message.content})
            results = [
                {
                    "type": "tool_result",
                    "tool_use_id": block.id,
                    "content": get_weather(**block.input),
                }
                for block in message.content
                if block.type == "tool_use"
            ]
            if not results:
                return str(message.content[0].text)
            said.append({"role": "user", "content": results})


def google_loop(url: str) -> str:
    """Run google-genai, which calls the functions that it is given by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its dependencies, on import
        genai = pytest.importorskip("google.genai", reason="needs it, extra `sdks`")
    client = genai.Client(
        api_key="unused",
        vertexai=False,
        http_options=genai.types.HttpOptions(base_url=url),
    )
    config = genai.types.GenerateContentConfig(tools=[get_weather])
    text = ""
    chat = client.chats.create(model="m", config=config)
    for chunk in chat.send_message_stream("What is the weather?"):
        for part in chunk.candidates[0].content.parts or []:
            text += part.text or ""
    client.close()
    return text


AGENTS: dict[str, tuple[str, Callable[[str], str], Callable[[int], list[bytes]]]] = {
    "openai-agents": ("responses", openai_agents, responses_answer),
    "openai-agents, previous_response_id": (
        "responses",
        continued_agents,
        responses_answer,
    ),
    "anthropic": ("anthropic", anthropic_loop, messages_answer),
    "google-genai": ("gemini", google_loop, gemini_answer),
}


def _results(path: Path, interface: str) -> list[tuple[str, str]]:
    """Return text and status of every tool result that an interface emits."""
    found = []
    for emission in replay(path, interface).emissions:
        message = emission.to_dict()["message"]
        if "function_return" in message:
            found.append((message["function_return"], message["status"]))
    return found


@pytest.mark.parametrize("name", AGENTS)
def test_agent_is_recorded_played_and_replayed(name: str, tmp_path: Path) -> None:
    """The agent ends the same without a server; each result comes from its request."""
    api, agent, answer = AGENTS[name]
    path = tmp_path / "agent.yaml"
    with ScriptedServer(scripted(answer)) as server:
        with use_cassette(path, record="rewrite"):
            assert agent(server.url) == ANSWER
        url = server.url
        assert len(server.requests) == len(STEPS)
    with use_cassette(path, record="none") as session:
        assert agent(url) == ANSWER
        assert session.unplayed == []
    bodies = [one.request.json() for one in load_cassette(path).exchanges]
    is_continued = [bool(body.get("previous_response_id")) for body in bodies]
    assert is_continued == [False, *["previous" in name] * 2]
    for interface in ("streaming", "queuing"):
        assert _results(path, interface) == [(text, "success") for text in RESULTS]
        # Gemini's calls have no ids: of two at once, the results go by position.
        guessed = ["guessed-result"] * 2 * (api == "gemini")
        assert [one.kind for one in replay(path, interface).diagnostics] == guessed
    assert {classify(one).api for one in load_cassette(path).exchanges} == {api}


@pytest.mark.parametrize("name", AGENTS)
def test_agent_is_recorded_by_the_proxy(name: str, tmp_path: Path) -> None:
    """What goes through `harness record --proxy` is the same recording."""
    _, agent, answer = AGENTS[name]
    path = tmp_path / "agent.yaml"
    with ScriptedServer(scripted(answer)) as server:
        program = [sys.executable, "-m", "harness", "record", "--proxy", str(path)]
        options = ["--upstream", server.url, "--listen", "127.0.0.1:0"]
        with subprocess.Popen(
            [*program, *options, "--force"], stderr=subprocess.PIPE, text=True
        ) as proxy:
            assert proxy.stderr is not None
            line = proxy.stderr.readline()
            url = line.partition("base URL ")[2].partition(";")[0]
            try:
                assert agent(url) == ANSWER
            finally:
                proxy.terminate()
                proxy.wait(60)
    assert _results(path, "queuing") == [(text, "success") for text in RESULTS]
