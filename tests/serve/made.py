"""Cassettes made for these tests, and the server as users run it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from harness import load_cassette

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness import Cassette

REQUEST = {
    "model": "made",
    "messages": [{"role": "user", "content": "Say something."}],
    "stream": True,
}
"""What every made recording was asked."""


def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    """Return the event of one chunk."""
    payload = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "made",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return b"data: " + text.encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def text_pieces(count: int) -> list[bytes]:
    """Return the events of an answer of `count` short texts and an end."""
    texts = [event({"content": f"{number} "}) for number in range(count)]
    return [*texts, event({}, "stop") + DONE]


def interaction(
    pieces: Sequence[bytes],
    times: Sequence[float] | None = None,
    *,
    request: Any = REQUEST,
    status: int = 200,
    ended: Any = "complete",
    content_type: str = "text/event-stream",
    uri: str = "https://api.example.com/v1/chat/completions",
) -> dict[str, Any]:
    """Return one exchange in vcrpy's format, its reads at the times given."""
    response: dict[str, Any] = {
        "status": {"code": status, "message": "OK"},
        "headers": {"content-type": [content_type], "x-recorded": ["yes"]},
        "body": {"string": b"".join(pieces).decode()},
    }
    if times is not None:
        chunks = [[at, len(p)] for at, p in zip(times, pieces, strict=True)]
        response["stream"] = {"version": 1, "chunks": chunks, "ended": ended}
    return {
        "request": {
            "method": "POST",
            "uri": uri,
            "headers": {"content-type": ["application/json"]},
            "body": json.dumps(request),
        },
        "response": response,
    }


def write_cassette(path: Path, *interactions: dict[str, Any]) -> Path:
    """Write a cassette in JSON, which is YAML too."""
    document = {"version": 1, "interactions": interactions}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def made_cassette(path: Path, *interactions: dict[str, Any]) -> Cassette:
    """Write a cassette and load it."""
    return load_cassette(write_cassette(path, *interactions))


@contextlib.contextmanager
def served(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `harness serve` as a user does; yields its base URL and the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "serve", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        match = re.search(r"base URL (http\S+);", line)
        assert match, line + process.stderr.read()
        yield match[1], process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
