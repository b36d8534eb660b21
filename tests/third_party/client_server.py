"""A model server on loopback that speaks what the clients of the table speak.

One answer in three pieces, streamed where that is asked for, in the format of the path:
Chat Completions, Responses, Anthropic's Messages, Gemini, Bedrock's ConverseStream.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.record.servers import Connection

PIECES = ['{"said": ', '"hello ', 'there"}']
TEXT = "".join(PIECES)
_USAGE = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}


def script(connection: Connection) -> None:
    """Answer one request."""
    path = connection.head.split(b" ", 2)[1].decode().partition("?")[0]
    asked: dict[str, Any] = connection.json() if connection.body else {}
    if path.endswith("/chat/completions"):
        _events(connection, _chat(is_streamed=bool(asked.get("stream"))))
    elif path.endswith("/messages"):
        _events(connection, [_named(event) for event in _anthropic()])
    elif "GenerateContent" in path:
        _events(connection, [_data(event) for event in _gemini()])
    elif path.endswith("/converse-stream"):
        _send(
            connection,
            "application/vnd.amazon.eventstream",
            [_frame(name, body) for name, body in _bedrock()],
        )
    else:
        connection.send(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")


def _send(connection: Connection, content_type: str, pieces: list[bytes]) -> None:
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n"
    connection.send(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
    for piece in pieces:
        connection.chunk(piece)
    connection.end()


def _events(connection: Connection, pieces: list[bytes]) -> None:
    is_stream = pieces[0].startswith((b"data:", b"event:"))
    content_type = "text/event-stream" if is_stream else "application/json"
    _send(connection, content_type, pieces)


def _data(payload: Any) -> bytes:
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def _named(payload: dict[str, Any]) -> bytes:
    return f"event: {payload['type']}\n".encode() + _data(payload)


def _chat(*, is_streamed: bool) -> list[bytes]:
    head: dict[str, Any] = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "m"}
    if not is_streamed:
        message = {"role": "assistant", "content": TEXT}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {**head, "object": "chat.completion", "choices": [choice]}
        return [json.dumps({**whole, "usage": _USAGE}).encode()]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in PIECES]
    head["object"] = "chat.completion.chunk"
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
    ]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [_data({**head, "choices": [choice]}) for choice in choices]
    return [*events, b"data: [DONE]\n\n"]


def _anthropic() -> list[dict[str, Any]]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *(
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": piece},
            }
            for piece in PIECES
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 3},
        },
        {"type": "message_stop"},
    ]


def _gemini() -> list[dict[str, Any]]:
    return [
        {
            "candidates": [
                {"index": 0, "content": {"role": "model", "parts": [{"text": piece}]}}
            ]
        }
        for piece in PIECES
    ]


def _bedrock() -> list[tuple[str, dict[str, Any]]]:
    deltas: list[tuple[str, dict[str, Any]]] = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}})
        for piece in PIECES
    ]
    return [
        ("messageStart", {"role": "assistant"}),
        *deltas,
        ("contentBlockStop", {"contentBlockIndex": 0}),
        ("messageStop", {"stopReason": "end_turn"}),
    ]


def _frame(name: str, body: dict[str, Any]) -> bytes:
    """Return one message of AWS's event stream: lengths, headers, payload, sums."""
    headers = b""
    for key, value in (
        (":event-type", name),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ):
        text = value.encode()
        headers += struct.pack(">B", len(key)) + key.encode()
        headers += struct.pack(">BH", 7, len(text)) + text
    payload = json.dumps(body).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))
