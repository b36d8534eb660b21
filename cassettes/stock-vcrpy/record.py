"""Record this folder's cassettes with stock vcrpy and the OpenAI SDK, nothing of ours.

They are what a project that already uses vcrpy has: the stream joined into one
body, without timing. Run it against a llama-server started as ../README.md says:

    python cassettes/stock-vcrpy/record.py http://127.0.0.1:8101/v1
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import vcr

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

MODEL = "smollm2-135m-instruct"
HERE = Path(__file__).resolve().parent
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}


def _without_client_headers(request: Any) -> Any:
    for name in [name for name in request.headers if name.startswith("x-stainless")]:
        del request.headers[name]
    return request


RECORDER = vcr.VCR(
    record_mode="all",
    match_on=["method", "scheme", "host", "port", "path", "body"],
    filter_headers=["authorization", "user-agent", "cookie"],
    before_record_request=_without_client_headers,
)

SEND_MESSAGE = {
    "type": "function",
    "function": {
        "name": "send_message",
        "description": "Say something to the user.",
        "parameters": {
            "type": "object",
            "properties": {"message": {"type": "string", "maxLength": 120}},
            "required": ["message"],
        },
    },
}
GET_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "enum": ["Oslo", "Rome", "Lima"]}
            },
            "required": ["city"],
        },
    },
}


def called(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """Return an assistant message that makes one call."""
    function = {"name": name, "arguments": arguments}
    calls = [{"id": call_id, "type": "function", "function": function}]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def returned(call_id: str, content: str) -> dict[str, Any]:
    """Return the message that carries a tool's result."""
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def cassette(name: str) -> AbstractContextManager[object]:
    """Start a cassette afresh: vcrpy would append to an old one."""
    path = HERE / name
    path.unlink(missing_ok=True)
    context: AbstractContextManager[object] = RECORDER.use_cassette(str(path))
    return context


def stream(base_url: str, **options: Any) -> tuple[str, list[dict[str, str]]]:
    """Read one streamed completion to its end; return its text and its calls."""
    text, calls = "", list[dict[str, str]]()
    # A client for each request: llama-server promises keep-alive, then hangs up.
    with openai.OpenAI(base_url=base_url, api_key="unused", max_retries=0) as client:
        for chunk in client.chat.completions.create(
            model=MODEL, stream=True, temperature=0, max_tokens=120, **options
        ):
            for choice in chunk.choices[:1]:
                text += choice.delta.content or ""
                for call in choice.delta.tool_calls or []:
                    if call.id:
                        calls.append({"id": call.id, "name": "", "arguments": ""})
                    if call.function:
                        calls[-1]["name"] += call.function.name or ""
                        calls[-1]["arguments"] += call.function.arguments or ""
    return text, calls


def main() -> None:
    """Write the three cassettes again."""
    url = sys.argv[1]

    with cassette("text.yaml"):
        question = {"role": "user", "content": "What is a rainbow?"}
        print(stream(url, messages=[SYSTEM, question]))  # noqa: T201

    example = [
        {"role": "user", "content": "Greet me."},
        called("call_example_1", "send_message", '{"message": "Hello there!"}'),
        returned("call_example_1", "OK"),
    ]
    question = {"role": "user", "content": "Wish me a good morning."}
    messages = [SYSTEM, *example, question]
    with cassette("forced-call.yaml"):
        said = stream(
            url, messages=messages, tools=[SEND_MESSAGE], tool_choice="required"
        )
        print(said)  # noqa: T201

    example = [
        {"role": "user", "content": "What is the weather in Oslo?"},
        called("call_example_2", "get_weather", '{"city": "Oslo"}'),
        returned("call_example_2", '{"sky": "rain", "degrees": 4}'),
        {"role": "assistant", "content": "It rains in Oslo, at 4 degrees."},
    ]
    question = {"role": "user", "content": "What is the weather in Rome?"}
    messages = [SYSTEM, *example, question]
    with cassette("two-turns.yaml"):
        _, calls = stream(
            url, messages=messages, tools=[GET_WEATHER], tool_choice="required"
        )
        print(calls)  # noqa: T201
        for call in calls:
            messages += [
                called(call["id"], call["name"], call["arguments"]),
                returned(call["id"], '{"sky": "sun", "degrees": 21}'),
            ]
        print(stream(url, messages=messages))  # noqa: T201


if __name__ == "__main__":
    main()
