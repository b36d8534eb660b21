"""Asks with OpenAI's SDK, whichever version is on the path, as a program of its own.

Reads lines of JSON {api, base_url} and prints a line {text, calls} for each; the first
line that it prints is the SDK's version. Run by `tests.serve.test_every_client`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import openai

QUESTION = "Weather in Rome?"


def ask(api: str, base_url: str) -> tuple[str, list[list[Any]]]:
    """Return the text and the calls of an answer, from the SDK's own accumulator."""
    with openai.OpenAI(base_url=base_url, api_key="unused", max_retries=0) as client:
        if api == "chat":
            turn: Any = {"role": "user", "content": QUESTION}
            with client.chat.completions.stream(model="m", messages=[turn]) as chunks:
                message = chunks.get_final_completion().choices[0].message
            called: list[Any] = [one.function for one in message.tool_calls or ()]
            text = message.content or ""
        else:
            with client.responses.stream(model="m", input=QUESTION) as events:
                response = events.get_final_response()
            text = response.output_text
            called = [one for one in response.output if one.type == "function_call"]
    return text, [[one.name, json.loads(one.arguments)] for one in called]


def main() -> None:
    """Answer each line of standard input."""
    print(json.dumps(openai.__version__), flush=True)
    for line in sys.stdin:
        print(json.dumps(ask(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
