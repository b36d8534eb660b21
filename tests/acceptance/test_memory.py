"""What a replay of 100 MB holds at its peak, measured by the operating system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests import anthropic_streams
from tests.cli.running import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = 100_000_000  # bytes of a generated recording
TEXT_LIMIT = 100_000_000  # bytes of memory
RATIO = 1.3

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="needs getrusage, a Unix call"),
]

LOAD = """
import sys, yaml
with open(sys.argv[1], encoding="utf-8") as file:
    yaml.load(file, Loader=yaml.CSafeLoader)
"""

LAUNCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


CHAT: dict[str, Any] = {
    "id": "chatcmpl-ABCDEFGHIJKLMNOPQRSTUVWXYZ012",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "gpt-4o-mini-2024-07-18",
    "system_fingerprint": "fp_0123456789",
    "choices": [
        {"index": 0, "delta": {"content": "@"}, "logprobs": None},
    ],
    "usage": None,
}


def events(size: int) -> Iterator[str]:
    """Yield event stream text of about so many bytes: distinct chunks, then the end."""
    yield from repeated(CHAT, size)
    yield "data: [DONE]\n\n"


def repeated(payload: dict[str, Any], size: int) -> Iterator[str]:
    """Yield an event again and again, each with another text for its `@`."""
    name = payload.get("type")
    frame = f"event: {name}\n" if name else ""
    frame += f"data: {json.dumps(payload)}\n\n"
    before, after = frame.split("@")
    written = number = 0
    while written < size:
        event = f"{before} word{number}{after}"
        written += len(event)
        number += 1
        yield event


def interaction(number: int, size: int, *, is_timed: bool) -> Iterator[str]:
    """Yield the YAML of one exchange with a body of about so many bytes."""
    body = json.dumps({"messages": [{"role": "user", "content": f"hi {number}"}]})
    yield (
        "- request:\n    method: POST\n"
        "    uri: http://localhost/v1/chat/completions\n"
        f"    headers: {{}}\n    body: {body!r}\n"
        "  response:\n    status: {code: 200, message: OK}\n"
        "    headers:\n      content-type: [text/event-stream]\n"
        "    body:\n      string: |+\n"
    )
    lengths = []
    for event in events(size):
        lengths.append(len(event))
        yield f"        {event[:-2]}\n\n"
    if is_timed:
        yield "    stream:\n      version: 1\n      chunks:\n"
        for position, length in enumerate(lengths):
            yield f"      - [{position * 0.011:.3f}, {length}]\n"
        yield "      ended: complete\n"


def write_cassette(path: Path, exchanges: int, *, is_timed: bool) -> None:
    """Write a cassette of about `SIZE` bytes of event streams."""
    with path.open("w", encoding="utf-8") as file:
        file.write("interactions:\n")
        for number in range(exchanges):
            size = SIZE // exchanges
            file.writelines(interaction(number, size, is_timed=is_timed))
        file.write("version: 1\n")


def peak_of(*command: str, stdin: Path | None = None) -> int:
    """Run a command, its output thrown away, and return its peak memory in bytes.

    The launcher between is small: a process begins with the peak of the one that it
    was forked from, and that of these tests is larger than what is measured.
    """
    with subprocess.Popen(
        ["cat", str(stdin or os.devnull)], stdout=subprocess.PIPE
    ) as feeder:
        result = subprocess.run(
            [sys.executable, "-S", "-c", LAUNCH, sys.executable, *command],
            stdin=feeder.stdout,
            capture_output=True,
            cwd=ROOT,
            check=True,
        )
    unit = 1 if sys.platform == "darwin" else 1024
    return int(result.stdout) * unit


@pytest.mark.parametrize(
    ("exchanges", "is_timed"),
    [
        pytest.param(1, False, id="one stream"),
        pytest.param(100, False, id="a hundred streams"),
        pytest.param(1, True, id="one timed stream"),
    ],
)
def test_cassette_peaks_little_above_loading_it(
    exchanges: int, is_timed: bool, tmp_path: Path
) -> None:
    """Replaying 100 MB takes at most 1.3 times what `CSafeLoader` takes to load it."""
    path = tmp_path / "large.yaml"
    write_cassette(path, exchanges, is_timed=is_timed)
    assert path.stat().st_size > SIZE
    loading = peak_of("-c", LOAD, str(path))
    replaying = peak_of(
        "-m", "harness", "replay", str(path), "--format", "jsonl", "--quiet"
    )
    print(f"loading {loading >> 20} MiB, replaying {replaying >> 20} MiB")
    assert replaying <= RATIO * loading


_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_PART = {"type": "output_text", "text": "", "annotations": []}
_MESSAGE = {"type": "message", "id": "msg_1", "role": "assistant"}
STREAMS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "chat": ([], CHAT),
    "responses": (
        [
            {
                "type": "response.created",
                "response": {"id": "resp_1", "status": "in_progress", "output": []},
            },
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {**_MESSAGE, "content": []},
            },
            {"type": "response.content_part.added", **_PLACE, "part": _PART},
        ],
        {
            "type": "response.output_text.delta",
            "sequence_number": 4,
            **_PLACE,
            "delta": "@",
            "logprobs": [],
        },
    ),
    "anthropic": (
        [anthropic_streams.start(), anthropic_streams.opened(0, "text")],
        anthropic_streams.text("@"),
    ),
    "gemini": (
        [],
        {
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": "@"}]}, "index": 0}
            ],
            "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 10},
            "modelVersion": "gemini-2.5-flash",
            "responseId": "ABCDEFGHIJKLMNOPQRSTUVWXYZ012",
        },
    ),
}
"""The events that begin a stream of each API, and the one that is repeated."""


@pytest.mark.parametrize("api", STREAMS)
def test_event_stream_text_is_never_held(api: str, tmp_path: Path) -> None:
    """100 MB of text from standard input to JSON lines stays under 100 MB."""
    path = tmp_path / "large.sse"
    first, again = STREAMS[api]
    with path.open("w", encoding="utf-8") as file:
        for payload in first:
            name = payload["type"]
            file.write(f"event: {name}\ndata: {json.dumps(payload)}\n\n")
        file.writelines(repeated(again, SIZE))
    peak = peak_of(
        *("-m", "harness", "replay", "-", "--format", "jsonl", "--quiet"),
        stdin=path,
    )
    print(f"replaying {peak >> 20} MiB")
    assert peak < TEXT_LIMIT
