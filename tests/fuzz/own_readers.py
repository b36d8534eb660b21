"""Our own readers as consumers: what `harness show` puts together, in each API.

    harness fuzz tests.fuzz.own_readers:anthropic --as bytes --api anthropic --time 600

and so on with `responses` and `gemini`; `chat` needs no `--api`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassettes.model import Exchange, Request, Response
from harness.engine.summary import summarise_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


def _read(path: str, pieces: Iterator[bytes]) -> dict[str, Any]:
    body = b"".join(pieces)
    # A stream of Amazon's frames, which begins with a length, has a type of its own.
    form = (
        "application/vnd.amazon.eventstream"
        if body[:1] == b"\0"
        else "text/event-stream"
    )
    exchange = Exchange(
        0,
        Request("POST", f"http://localhost{path}", {}, b'{"stream": true}'),
        Response(200, "OK", {"content-type": [form]}, body),
    )
    summary = summarise_exchange(exchange)
    if not summary.choices:
        raise ValueError(f"no answer: {summary.reason}")
    message = summary.choices[0]
    return {
        "content": message.content,
        "reasoning": message.reasoning,
        "refusal": message.refusal,
        "finish_reason": message.finish_reason,
        "calls": [
            {"name": call.name, "arguments": call.arguments} for call in message.calls
        ],
    }


def chat(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Read Chat Completions."""
    return _read("/v1/chat/completions", pieces)


def responses(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Read OpenAI Responses."""
    return _read("/v1/responses", pieces)


def anthropic(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Read Anthropic Messages."""
    return _read("/v1/messages", pieces)


def gemini(pieces: Iterator[bytes]) -> dict[str, Any]:
    """Read Gemini."""
    return _read("/v1beta/models/m:streamGenerateContent?alt=sse", pieces)
