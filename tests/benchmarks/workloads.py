"""What is measured on: arguments and streams, generated, the same in every run."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import yaml

from harness.apis.base import Conversation, Turn
from harness.apis.requests import PATHS, request_body
from harness.apis.style import api_style
from harness.cassettes.encode import save_cassette
from harness.cassettes.load import load_cassette
from harness.cassettes.model import WireChunk
from harness.core.parts import Block, Finish, Head, Reasoning, Text
from tests import anthropic_streams, gemini_streams

if TYPE_CHECKING:
    from pathlib import Path

    from harness.core.parts import Part

_TEXT = (
    "the agent said that it would look into the matter again and write down what "
    "it finds before anybody asks for more of it because nothing is as patient"
)
_WORDS = _TEXT.split()
_ODD = (
    "\n",
    '"so"',
    "café",
    "\t",
    "naïve",
    "C:\\dir",
)  # one word in fourteen, one fragment in sixteen


def prose(length: int) -> str:
    """Return text of this many characters, with the odd escape in its JSON."""
    generator = random.Random(length)
    words: list[str] = []
    size = 0
    while size < length:
        word = generator.choice(_ODD if generator.random() < 0.07 else _WORDS)
        words.append(word)
        size += len(word) + 1
    return " ".join(words)[:length]


def arguments(length: int) -> str:
    """Return the arguments of a call of about this many characters."""
    return json.dumps({"message": prose(length)})


def fragments(text: str) -> list[str]:
    """Cut a text into tokens of about four characters, as models send it."""
    generator = random.Random(len(text))
    pieces = []
    start = 0
    while start < len(text):
        size = generator.choice((2, 3, 4, 4, 5, 6))
        pieces.append(text[start : start + size])
        start += size
    return pieces


def payloads(count: int) -> list[dict[str, Any]]:
    """Return a stream of this many chunks: three quarters content, then a call.

    Its chunks have the fields that OpenAI sends, some 320 bytes each.
    """
    called = max(4, count // 4)
    thoughts = fragments(prose(count * 5))[: count - called - 3]
    inner = fragments(prose(called * 5))[: called - 2]
    spoken = ['{"message": "', *(json.dumps(text)[1:-1] for text in inner), '"}']
    first = {
        "id": "call_8f3a",
        "type": "function",
        "function": _function("", name=True),
    }
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text} for text in thoughts]
    deltas.append({"tool_calls": [{"index": 0, **first}]})
    deltas += [
        {"tool_calls": [{"index": 0, "function": _function(text)}]} for text in spoken
    ]
    chunks = [_chunk(delta, None) for delta in deltas]
    chunks.append(_chunk({}, "tool_calls"))
    return chunks


def _function(text: str, *, name: bool = False) -> dict[str, str]:
    return {**({"name": "send_message"} if name else {}), "arguments": text}


def _chunk(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-CkW4fTq9Yz0pLmB2sVx7RdHn1EoUa",
        "object": "chat.completion.chunk",
        "created": 1764581600,
        "model": "gpt-4.1-mini-2025-04-14",
        "service_tier": "default",
        "system_fingerprint": "fp_4fce0778af",
        "choices": [
            {
                "index": 0,
                "delta": delta,
                "logprobs": None,
                "finish_reason": finish_reason,
            }
        ],
        "obfuscation": "k3Jx9aPq2",
    }


def event_stream(count: int) -> bytes:
    """Return the bytes of a stream of this many chunks."""
    events = [f"data: {json.dumps(payload)}\n\n" for payload in payloads(count)]
    return ("".join(events) + "data: [DONE]\n\n").encode()


QUESTION = {
    "model": "gpt-4.1-mini",
    "messages": [{"role": "user", "content": "What did the agent say?"}],
    "stream": True,
}
"""The request of the cassettes, as the SDK's `create` takes it."""

HOST = "http://127.0.0.1:9"  # never connected to: the cassette answers
BASE_URL = f"{HOST}/v1"


def write_cassette(path: Path, count: int) -> None:
    """Write a stream of chat chunks as stock vcrpy stores it."""
    write_body(path, "/v1/chat/completions", QUESTION, event_stream(count))


def write_recorded(path: Path, count: int) -> None:
    """Write the same as harness records it: each chunk was one read, and has its time.

    Args:
        path: A cassette of `write_cassette`, which is written anew.
        count: How many chunks it holds.
    """
    cassette = load_cassette(path)
    response = cassette.exchanges[0].response
    reads = response.body.split(b"\n\n")[:-1]
    assert count <= len(reads) <= count + 1, "[DONE] is no chunk"
    response.wire = [
        WireChunk(round(0.4 + 0.013 * number, 3), len(read) + 2)
        for number, read in enumerate(reads)
    ]
    save_cassette(cassette, path)


def write_body(path: Path, place: str, asked: object, body: bytes) -> None:
    """Write an exchange as stock vcrpy stores it."""
    interaction = {
        "request": {
            "method": "POST",
            "uri": f"{HOST}{place}",
            "headers": {"content-type": ["application/json"]},
            "body": json.dumps(asked),
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": ["text/event-stream; charset=utf-8"]},
            "body": {"string": body.decode()},
        },
    }
    document = {"interactions": [interaction], "version": 1}
    dumper = getattr(yaml, "CDumper", yaml.Dumper)
    path.write_text(yaml.dump(document, Dumper=dumper), "utf-8")


CORPUS_SHAPED = (3, 5, 8, 12, 16, 19, 21, 21, 24, 60, 60, 200, 400)
"""Pieces of text a stream: half of the recordings that we know have at most 21."""


def write_corpus(folder: Path) -> list[Path]:
    """Write a cassette of each length in each of four APIs.

    Of the long streams every other one is reasoning for its first half, as in the
    recordings that we know.
    """
    asked = Conversation((Turn("user", "What did the agent say?"),), model="model")
    paths = []
    for api in PATHS:
        for number, count in enumerate(CORPUS_SHAPED):
            pieces = fragments(prose(count * 5))[:count]
            thoughts = count // 2 if count > 50 and number % 2 else 0
            paths.append(folder / f"{api}-{number}.yaml")
            write_body(
                paths[-1],
                PATHS[api].format(model="model"),
                request_body(api, asked),
                _restated(api, pieces[:thoughts], pieces[thoughts:]),
            )
    return paths


def _restated(api: str, thoughts: list[str], texts: list[str]) -> bytes:
    """Return a stream of reasoning and text, written as the API's own server does."""
    if api == "chat":
        deltas = [{"reasoning_content": piece} for piece in thoughts]
        deltas += [{"content": piece} for piece in texts]
        chunks = [*(_chunk(delta, None) for delta in deltas), _chunk({}, "stop")]
        sent = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
        return ("".join(sent) + "data: [DONE]\n\n").encode()
    parts: list[Part] = [Head("id-1", "model", 1764581600)]
    for block, kind, pieces in (
        (Block("reasoning"), Reasoning, thoughts),
        (Block("text"), Text, texts),
    ):
        if pieces:
            parts += [block, *(kind(piece) for piece in pieces)]
    parts.append(Finish("stop", "stop"))
    style = api_style(api)
    events, _ = style.write([part] for part in parts)
    return b"".join(style.encode(events))


def api_stream(api: str, count: int) -> bytes:
    """Return the bytes of a stream of text of an API: so many events with text.

    Each has the fields that its vendor sends with a piece of text.
    """
    texts = fragments(prose(count * 5))[:count]
    if api == "chat":
        events = [_chunk({"content": text}, None) for text in texts]
        last = [_chunk({}, "stop")]
    elif api == "responses":
        response = {"id": "resp_CkW4fTq9Yz0pLmB2sVx7RdHn", "object": "response"}
        item = {"id": "msg_CkW4fTq9Yz0p", "type": "message", "role": "assistant"}
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        whole = {**part, "text": "".join(texts)}
        done = {**item, "status": "completed", "content": [whole]}
        text = "response.output_text"
        output: dict[str, Any] = {"output_index": 0}
        events = [
            {
                "type": "response.created",
                "response": {**response, "status": "in_progress", "output": []},
            },
            {
                "type": "response.output_item.added",
                **output,
                "item": {**item, "status": "in_progress", "content": []},
            },
            {"type": "response.content_part.added", **place, "part": part},
            *(
                {
                    "type": f"{text}.delta",
                    **place,
                    "delta": piece,
                    "logprobs": [],
                    "obfuscation": "k3Jx9aPq2",
                }
                for piece in texts
            ),
        ]
        last = [
            {"type": f"{text}.done", **place, "text": whole["text"], "logprobs": []},
            {"type": "response.content_part.done", **place, "part": whole},
            {"type": "response.output_item.done", **output, "item": done},
            {
                "type": "response.completed",
                "response": {**response, "status": "completed", "output": [done]},
            },
        ]
    elif api == "anthropic":
        events = [
            anthropic_streams.start(),
            anthropic_streams.opened(0, "text"),
            *(anthropic_streams.text(piece) for piece in texts),
        ]
        last = anthropic_streams.answer(anthropic_streams.stopped())[1:]
    else:
        usage = {"promptTokenCount": 9, "totalTokenCount": 10}
        more = {"modelVersion": "gemini-2.5-flash", "responseId": "CkW4fTq9Yz0pLm"}
        events = [
            {**gemini_streams.event({"text": piece}), "usageMetadata": usage, **more}
            for piece in texts
        ]
        last = [gemini_streams.event(finish="STOP", **more)]
    sent = [
        {**one, "sequence_number": number} if api == "responses" else one
        for number, one in enumerate([*events, *last])
    ]
    return "".join(
        (f"event: {one['type']}\n" if "type" in one else "")
        + f"data: {json.dumps(one)}\n\n"
        for one in sent
    ).encode() + (b"data: [DONE]\n\n" if api == "chat" else b"")
