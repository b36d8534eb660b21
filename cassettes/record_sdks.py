"""Record the cassettes of `llama-server-anthropic/` and `llama-server-responses/`.

The vendors' own SDKs talk to llama-server's `/v1/messages` and `/v1/responses`, in
process inside `use_cassette`, or (`by_proxy`) through `harness record --proxy`. Start
the server as README.md says, then:

    python cassettes/record_sdks.py http://127.0.0.1:8101
    python cassettes/record_sdks.py http://127.0.0.1:8101 anthropic/text responses/text

A small model needs a second try now and then: nothing is kept unless the run came to
what its case wants. The tests play each cassette to the same run.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.record import use_cassette

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
MODEL = "smollm2-135m-instruct"
SYSTEM = "You are a helpful assistant."
TRIES = 6


@dataclass(frozen=True)
class Tool:
    """A tool that is offered, and what its calls give, in turn."""

    description: str
    properties: dict[str, Any]
    results: tuple[str, ...] = ("OK",)
    is_error: bool = False


SEND_MESSAGE = Tool(
    "Say something to the user.", {"message": {"type": "string", "maxLength": 80}}
)
CITY = {"city": {"type": "string", "enum": ["Oslo", "Rome", "Lima"]}}
GET_WEATHER = Tool(
    "Look up the weather of a city.",
    CITY,
    ('{"sky": "sun", "degrees": 21}', '{"sky": "snow", "degrees": -3}'),
)
BROKEN_WEATHER = Tool(
    GET_WEATHER.description, CITY, ("the station is down",), is_error=True
)
GET_TIME = Tool("Return the time of day.", {}, ("09:30",))


@dataclass(frozen=True)
class Called:
    """A call in the history, with its result: an example for the model."""

    name: str
    arguments: dict[str, Any]
    result: str


@dataclass(frozen=True)
class Case:
    """One cassette: what is asked, and what has to come of it."""

    about: str
    question: str
    history: tuple[str | tuple[Called, ...], ...] = ()
    """User, calls, text, ... before the question; begins with a user's text."""
    turns: tuple[dict[str, Tool], ...] = ({},)
    """The tools on offer in each request."""
    wants: tuple[str, ...] = ()
    """The names of all calls."""
    stop: str = ""
    """Why the last answer ended, as `length` or `stop`; empty is anything."""
    contains: str = ""
    """In the last text."""
    options: dict[str, Any] = field(default_factory=dict)
    """Of every request: `max_tokens`, `temperature`, `stream`, `parallel_tool_calls`
    (Responses; Messages has no such field and gets two calls all the same)."""
    stop_reading_after: int = 0
    by_proxy: bool = False


@dataclass
class Run:
    """What came of a case."""

    texts: list[str] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    refused: int = 0
    """The status of an answer that the SDK raised."""
    problem: str = ""
    """What it raised."""
    events: list[int] = field(default_factory=list)

    def meets(self, case: Case) -> bool:
        """Return whether it is what the case wants."""
        names = tuple(name for name, _ in self.calls)
        if case.stop == "refused":
            return self.refused >= 400
        return (
            names == case.wants
            and not self.refused
            and (not case.stop or self.stops[-1] in STOPS[case.stop])
            and case.contains in "".join(self.texts[-1:])
        )


STOPS = {
    "stop": {"end_turn", "completed"},
    # llama-server's Responses are `completed` whatever ended them.
    "length": {"max_tokens", "completed"},
}

GREETING = ("Greet me.", (Called("send_message", {"message": "Hello there!"}, "OK"),))
OSLO = Called("get_weather", {"city": "Oslo"}, '{"sky": "rain", "degrees": 4}')
LIMA = Called("get_weather", {"city": "Lima"}, '{"sky": "fog", "degrees": 17}')
CASES: dict[str, Case] = {
    "text": Case(
        "Plain text, nothing else.",
        "What is a rainbow?",
        stop="stop",
        options={"max_tokens": 160},
    ),
    "unicode-text": Case(
        "Text with emoji and non-Latin letters; recorded by the proxy.",
        "Repeat: Grüße aus 東京 🎉",
        history=("Repeat: Ångström 日本 👋🏽", "Ångström 日本 👋🏽"),
        contains="東京",
        options={"max_tokens": 40},
        by_proxy=True,
    ),
    "tool-call": Case(
        "A forced call of send_message, the only tool.",
        "Wish me a good morning.",
        GREETING,
        ({"send_message": SEND_MESSAGE},),
        ("send_message",),
    ),
    "no-arguments": Case(
        "A call of a tool that takes no arguments; recorded by the proxy.",
        "What time is it now?",
        ("What time is it?", (Called("get_time", {}, "08:15"),)),
        ({"get_time": GET_TIME},),
        ("get_time",),
        by_proxy=True,
    ),
    "parallel-calls": Case(
        "Two calls in one answer, then text from both results.",
        "What is the weather in Rome and in Oslo?",
        (
            "What is the weather in Oslo and in Lima?",
            (OSLO, LIMA),
            "Rain and 4 degrees in Oslo, fog and 17 degrees in Lima.",
        ),
        ({"get_weather": GET_WEATHER}, {}),
        ("get_weather", "get_weather"),
        options={"parallel_tool_calls": True},
    ),
    "three-steps": Case(
        "A loop of three steps, get_weather, send_message and a closing text.",
        "Tell me the weather in Rome.",
        (
            "Tell me the weather in Oslo.",
            (OSLO,),
            (Called("send_message", {"message": "It rains in Oslo."}, "OK"),),
            "I have told you the weather in Oslo.",
        ),
        ({"get_weather": GET_WEATHER}, {"send_message": SEND_MESSAGE}, {}),
        ("get_weather", "send_message"),
    ),
    "failing-tool": Case(
        "A tool that fails, and what the model says to that; recorded by the proxy.",
        "What is the weather in Rome?",
        ("What is the weather in Oslo?", (OSLO,), "It rains in Oslo, at 4 degrees."),
        ({"get_weather": BROKEN_WEATHER}, {}),
        ("get_weather",),
        by_proxy=True,
    ),
    "length-text": Case(
        "Text that the length limit cuts.",
        "What is a rainbow?",
        stop="length",
        options={"max_tokens": 12},
    ),
    "length-arguments": Case(
        "A call whose JSON arguments the length limit cuts.",
        "Wish me a good morning.",
        GREETING,
        ({"send_message": SEND_MESSAGE},),
        ("send_message",),
        stop="length",
        options={"max_tokens": 17},
    ),
    "refused": Case(
        "A request that the server refuses before any stream.",
        "What is the weather in Oslo?",
        stop="refused",
        options={"temperature": "hot"},
    ),
    "client-stops": Case(
        "A client that stops reading after twelve events.",
        "What is a rainbow?",
        options={"max_tokens": 160},
        stop_reading_after=12,
    ),
    "whole-answer": Case(
        "No streams at all, a call and then text as whole answers.",
        "What is the weather in Rome?",
        ("What is the weather in Oslo?", (OSLO,), "It rains in Oslo, at 4 degrees."),
        ({"get_weather": GET_WEATHER}, {}),
        ("get_weather",),
        options={"stream": False},
    ),
}


# -- Anthropic's SDK -------------------------------------------------------------------


def run_anthropic(case: Case, base_url: str) -> Run:
    """Run a case with Anthropic's SDK: its loop of tool_use and tool_result."""
    import anthropic

    messages: list[Any] = []
    for number, said in enumerate((*case.history, case.question)):
        if isinstance(said, str):
            messages.append({"role": _role(case, number), "content": said})
        else:
            messages += _used(said, number)
    run, results = Run(), _Results()
    client = anthropic.Anthropic(base_url=base_url, api_key="unused", max_retries=0)
    for tools in case.turns:
        request: dict[str, Any] = {
            "model": MODEL,
            "max_tokens": case.options.get("max_tokens", 80),
            "system": SYSTEM,
            "messages": messages,
            "extra_body": {"temperature": case.options.get("temperature", 0)},
        }
        if tools:
            request["tool_choice"] = {"type": "any"}
            request["tools"] = [
                {
                    "name": name,
                    "description": tool.description,
                    "input_schema": _schema(tool),
                }
                for name, tool in tools.items()
            ]
        try:
            message = _message(client, request, case, run)
        except anthropic.APIStatusError as error:
            run.refused, run.problem = error.status_code, str(error)
            break
        if message is None:
            break
        blocks = message.content
        run.texts.append("".join(b.text for b in blocks if b.type == "text"))
        run.stops.append(str(message.stop_reason))
        used = [b for b in blocks if b.type == "tool_use"]
        run.calls += [(b.name, json.dumps(b.input)) for b in used]
        messages += [
            {"role": "assistant", "content": [b.to_dict() for b in blocks]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": b.id,
                        "content": results.next(tools[b.name], b.name),
                        **({"is_error": True} if tools[b.name].is_error else {}),
                    }
                    for b in used
                ],
            },
        ]
        if not used:
            break
    client.close()
    return run


def _message(client: Any, request: dict[str, Any], case: Case, run: Run) -> Any:
    """Return one answer; None where the client stops reading it."""
    if case.options.get("stream") is False:
        return client.messages.create(**request)
    with client.messages.stream(**request) as stream:
        count = 0
        # Its raw events: the helper makes several of one.
        for event in stream:
            count += event.type.startswith(("message_", "content_block_"))
            if count == case.stop_reading_after:
                run.events.append(count)
                return None
        run.events.append(count)
        return stream.get_final_message()


def _used(called: tuple[Called, ...], number: int) -> list[dict[str, Any]]:
    ids = [f"toolu_example_{number}_{n}" for n, _ in enumerate(called)]
    uses = [
        {"type": "tool_use", "id": i, "name": one.name, "input": one.arguments}
        for i, one in zip(ids, called, strict=True)
    ]
    results = [
        {"type": "tool_result", "tool_use_id": i, "content": one.result}
        for i, one in zip(ids, called, strict=True)
    ]
    return [
        {"role": "assistant", "content": uses},
        {"role": "user", "content": results},
    ]


# -- OpenAI's SDK, Responses -----------------------------------------------------------


def run_responses(case: Case, base_url: str) -> Run:
    """Run a case with OpenAI's SDK: its loop of function_call and its output."""
    import openai

    items: list[Any] = []
    for number, said in enumerate((*case.history, case.question)):
        if isinstance(said, str):
            items.append(_said(_role(case, number), said, number))
            continue
        for n, one in enumerate(said):
            items.append(
                {
                    "type": "function_call",
                    "call_id": f"call_example_{number}_{n}",
                    "name": one.name,
                    "arguments": json.dumps(one.arguments),
                }
            )
        items += [
            {
                "type": "function_call_output",
                "call_id": f"call_example_{number}_{n}",
                "output": one.result,
            }
            for n, one in enumerate(said)
        ]
    run, results = Run(), _Results()
    client = openai.OpenAI(base_url=f"{base_url}/v1", api_key="unused", max_retries=0)
    for tools in case.turns:
        request: dict[str, Any] = {
            "model": MODEL,
            "instructions": SYSTEM,
            "input": items,
            "max_output_tokens": case.options.get("max_tokens", 80),
            "temperature": case.options.get("temperature", 0),
        }
        if tools:
            request["tool_choice"] = "required"
            request["parallel_tool_calls"] = "parallel_tool_calls" in case.options
            request["tools"] = [
                {
                    "type": "function",
                    "name": name,
                    "description": tool.description,
                    "parameters": _schema(tool),
                    "strict": True,
                }
                for name, tool in tools.items()
            ]
        try:
            response = _response(client, request, case, run)
        except openai.APIStatusError as error:
            run.refused, run.problem = error.status_code, str(error)
            break
        if response is None:
            break
        run.texts.append(response.output_text)
        run.stops.append(str(response.status))
        called = [one for one in response.output if one.type == "function_call"]
        run.calls += [(one.name, one.arguments) for one in called]
        for one in called:
            items.append(
                {
                    "type": "function_call",
                    "call_id": one.call_id,
                    "name": one.name,
                    "arguments": one.arguments,
                }
            )
        items += [
            {
                "type": "function_call_output",
                "call_id": one.call_id,
                "output": results.next(tools[one.name], one.name),
            }
            for one in called
        ]
        if not called:
            break
    client.close()
    return run


def _said(role: str, text: str, number: int) -> dict[str, Any]:
    """Return a text of the history; llama-server wants the answers as items."""
    if role == "user":
        return {"role": role, "content": text}
    return {
        "type": "message",
        "id": f"msg_example_{number}",
        "status": "completed",
        "role": role,
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def _response(client: Any, request: dict[str, Any], case: Case, run: Run) -> Any:
    """Return one answer; None where the client stops reading it."""
    if case.options.get("stream") is False:
        return client.responses.create(**request)
    response = None
    count = 0
    # Not the helper `responses.stream`: it raises on events without output_index.
    with client.responses.create(**request, stream=True) as stream:
        for count, event in enumerate(stream, 1):
            if count == case.stop_reading_after:
                run.events.append(count)
                return None
            if event.type in {"response.completed", "response.incomplete"}:
                response = event.response
    run.events.append(count)
    return response


# -- Both ------------------------------------------------------------------------------

RUNNERS = {"anthropic": run_anthropic, "responses": run_responses}


class _Results:
    """What calls give: the results of each tool in turn, the last one again."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def next(self, tool: Tool, name: str) -> str:
        count = self._counts.get(name, 0)
        self._counts[name] = count + 1
        return tool.results[min(count, len(tool.results) - 1)]


def _role(case: Case, number: int) -> str:
    """Return whose a text is: the first and the question are the user's."""
    return "user" if number in {0, len(case.history)} else "assistant"


def _schema(tool: Tool) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": tool.properties,
        "required": list(tool.properties),
        "additionalProperties": False,
    }


def path_of(name: str) -> Path:
    """Return the cassette of `API/CASE`."""
    api, _, case = name.partition("/")
    return HERE / f"llama-server-{api}" / f"{case}.yaml"


@contextmanager
def proxied(path: Path, upstream: str) -> Iterator[str]:
    """Record by `harness record --proxy`; the value is the proxy's base URL."""
    options = ("--upstream", upstream, "--listen", "127.0.0.1:0", "--rewrite")
    program = [sys.executable, "-m", "harness", "record", "--proxy", *options]
    with subprocess.Popen(  # noqa: S603 - our own program
        [*program, str(path)], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        found = re.search(r"base URL (\S+);", process.stderr.readline())
        assert found is not None
        try:
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
            process.stderr.read()


def record(name: str, base_url: str) -> bool:
    """Record one cassette; return whether the model did what is wanted."""
    api, _, which = name.partition("/")
    case, run_case, path = CASES[which], RUNNERS[api], path_of(name)
    fresh = path.with_suffix(".fresh.yaml")
    for _ in range(TRIES):
        fresh.unlink(missing_ok=True)
        if case.by_proxy:
            with proxied(fresh, base_url) as url:
                run = run_case(case, url)
        else:
            with use_cassette(fresh, record="rewrite"):
                run = run_case(case, base_url)
        print(name, run)  # noqa: T201
        if run.meets(case):
            fresh.replace(path)
            return True
    fresh.unlink(missing_ok=True)
    return False


def main() -> None:
    """Record those that are named, else all."""
    url, *names = sys.argv[1:]
    names = names or [f"{api}/{case}" for api in RUNNERS for case in CASES]
    failed = [name for name in names if not record(name, url)]
    if failed:
        sys.exit(f"not as wanted, old cassettes kept: {', '.join(failed)}")


if __name__ == "__main__":
    main()
