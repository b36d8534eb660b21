"""The stream that all made recordings hold: "Hi you", and what was asked."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["ANSWER", "ASKED", "CHUNKS", "DATA", "KEY", "MESSAGES", "SSE", "URL"]

KEY = "sk-made-up-made-up-made-up-1234567890"
URL = "http://localhost:1/v1/chat/completions"
ASKED = {
    "model": "m",
    "stream": True,
    "messages": [{"role": "user", "content": "hello"}],
}


def _chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": "m",
        "choices": [choice],
    }


CHUNKS = [
    _chunk({"role": "assistant", "content": "Hi"}),
    _chunk({"content": " you"}),
    _chunk({}, "stop"),
]
DATA = [*map(json.dumps, CHUNKS), "[DONE]"]
SSE = "".join(f"data: {data}\n\n" for data in DATA)
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hi you"},
            "finish_reason": "stop",
        }
    ],
}
MESSAGES: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "m", "role": "assistant"}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
    *(
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": text},
        }
        for text in ("Hi", " you")
    ),
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]
"""The same of Anthropic, with an event that is nobody's."""
