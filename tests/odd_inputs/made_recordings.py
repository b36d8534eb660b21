"""One stream as other tools would have saved it: "Hi you", in every format."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib
from typing import Any

import yaml

__all__ = ["CHUNKS", "KEY", "MADE", "SSE", "aws_message", "har", "har_entry"]

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


def har_entry(**content: Any) -> dict[str, Any]:
    """Return an entry of a HAR file with this content of the response."""
    return {
        "time": 1500,
        "request": {
            "method": "POST",
            "url": URL,
            "headers": [
                {"name": ":authority", "value": "localhost"},
                {"name": "authorization", "value": f"Bearer {KEY}"},
            ],
            "postData": {"mimeType": "application/json", "text": json.dumps(ASKED)},
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "headers": [{"name": "content-type", "value": "text/event-stream"}],
            "content": {"mimeType": "text/event-stream", "size": len(SSE), **content},
        },
    }


def har(*entries: dict[str, Any]) -> bytes:
    """Return a HAR file."""
    log = {"version": "1.2", "creator": {"name": "x"}, "entries": list(entries)}
    return json.dumps({"log": log}, indent=1).encode()


def aws_message(payload: dict[str, Any], **headers: str) -> bytes:
    """Return one message of AWS's event stream; `event_type` becomes `:event-type`."""
    packed = b""
    for name, value in headers.items():
        key = f":{name.replace('_', '-')}".encode()
        packed += struct.pack("B", len(key)) + key + b"\x07"
        packed += struct.pack(">H", len(value)) + value.encode()
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(packed) + len(data), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + data
    return message + struct.pack(">I", zlib.crc32(message))


def _bedrock() -> bytes:
    """Return chunks as a model that speaks chat would send them through Bedrock."""
    return b"".join(
        aws_message(
            {"bytes": base64.b64encode(json.dumps(chunk).encode()).decode(), "p": "ab"},
            event_type="chunk",
            message_type="event",
        )
        for chunk in CHUNKS
    )


def _interaction(body: Any, **response: Any) -> dict[str, Any]:
    return {
        "request": {
            "method": "post",
            "uri": URL,
            "headers": {"Authorization": [f"Bearer {KEY}"]},
            "body": {"encoding": "utf-8", "string": json.dumps(ASKED)},
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/event-stream"]},
            "body": body,
            **response,
        },
        "recorded_at": "2026-01-01T00:00:00",
    }


def _ruby(body: Any, **more: Any) -> dict[str, Any]:
    return {"http_interactions": [_interaction(body)], "recorded_with": "x", **more}


def _go(request: dict[str, Any], response: dict[str, Any], version: int) -> bytes:
    interaction = {
        "request": {
            "body": json.dumps(ASKED),
            "form": {},
            "headers": {"Authorization": [f"Bearer {KEY}"]},
            "url": URL,
            "method": "POST",
            **request,
        },
        "response": {
            "body": SSE,
            "headers": {"Content-Type": ["text/event-stream"]},
            "status": "200 OK",
            "code": 200,
            **response,
        },
    }
    document = {"version": version, "interactions": [interaction]}
    return b"---\n" + yaml.safe_dump(document).encode()


def _cassetter(request: Any, response: Any) -> dict[str, Any]:
    headers = {"authorization": [f"Bearer {KEY}"]}
    asked = {"method": "POST", "uri": URL, "headers": headers, "body": request}
    given = {"status": 200, "headers": {}, "body": response}
    return {"version": 1, "interactions": [{"request": asked, "response": given}]}


TOML = f'''version = 1

[[interactions]]
recorded_at = "2026-01-01T00:00:00Z"

[interactions.request]
method = "POST"
uri = "{URL}"

[interactions.request.headers]
authorization = ["Bearer {KEY}"]

[interactions.request.body]
type = "json"
content = {json.dumps(json.dumps(ASKED))}

[interactions.response]
status = 200

[interactions.response.headers]

[interactions.response.body]
type = "text"
content = {json.dumps(SSE)}
'''

_HEAD = ["POST /v1/chat/completions HTTP/1.1", "Host: localhost:1"]
_HEAD += [f"Authorization: Bearer {KEY}", ""]
_SENT = "".join(f"> {line}\n" for line in _HEAD)
_LEFT = "* Connection #0 to host x left intact\n"
_GOT = "< HTTP/1.1 200 OK\n< content-type: text/event-stream\n< \n"
_CURL = f"curl -sN {URL} -H 'Authorization: Bearer {KEY}' -d '{json.dumps(ASKED)}'"


def _trace(*, in_hex: bool, clock: bool = False) -> str:
    head = "".join(f"{line}\r\n" for line in _HEAD)
    blocks = [
        ("=> Send header", head),
        ("=> Send data", json.dumps(ASKED)),
        ("<= Recv header", "HTTP/1.1 200 OK\r\n"),
        ("<= Recv header", "transfer-encoding: chunked\r\n"),
        ("<= Recv header", "\r\n"),
    ]
    for data in DATA:
        event = f"data: {data}\n\n"
        blocks.append(("<= Recv data", f"{len(event):x}\r\n{event}\r\n"))
    blocks.append(("<= Recv data", "0\r\n\r\n"))
    lines = ["== Info:   Trying 127.0.0.1:1..."]
    for number, (name, text) in enumerate(blocks):
        stamp = f"12:00:0{number}.000000 " if clock else ""
        size = len(text)
        lines.append(f"{stamp}{name}, {size} bytes (0x{size:x})")
        lines += _hex(text) if in_hex else _ascii(text)
    return "\n".join(lines) + "\n"


def _hex(text: str) -> list[str]:
    pieces = [text[start : start + 16] for start in range(0, len(text), 16)]
    return [
        f"{number * 16:04x}: {piece.encode().hex(' '):<47} {_shown(piece)}"
        for number, piece in enumerate(pieces)
    ]


def _ascii(text: str) -> list[str]:
    lines = []
    offset = 0
    for part in text.split("\r\n")[: None if not text.endswith("\r\n") else -1]:
        for start in range(0, max(1, len(part)), 64):
            shown = _shown(part[start : start + 64])
            lines.append(f"{offset + start:04x}: {shown}")
        offset += len(part) + 2
    return lines


def _shown(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "." for c in text)


def _stamped(form: str) -> str:
    return "".join(form.format(n=n, data=data) for n, data in enumerate(DATA, 1))


_PACKET = "2026-05-08 08:35:0{n}  [INFO] \nGenerated packet:  {data}\n"
_LM_STUDIO = (
    "[2026-05-08 08:35:00][DEBUG] Received request: POST to /v1/chat/completions with "
    f"body  {json.dumps(ASKED, indent=2)}\n"
    "[2026-05-08 08:35:00][INFO][LM STUDIO SERVER] Streaming response...\n"
    + "".join(
        _PACKET.format(n=n, data=json.dumps(chunk, indent=2))
        for n, chunk in enumerate(CHUNKS, 1)
    )
)
_OLLAMA = [
    {"model": "m", "created_at": "2026-01-01T00:00:00.1234567Z", "done": False},
    {"model": "m", "created_at": "2026-01-01T00:00:01Z", "done": False},
    {"model": "m", "done": True, "done_reason": "stop", "eval_count": 2},
]


def _ollama(*texts: dict[str, Any]) -> str:
    lines = [{**line, **text} for line, text in zip(_OLLAMA, texts, strict=True)]
    return "".join(json.dumps(line) + "\n" for line in lines)


def _says(text: str) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": text}}


def _yaml(document: Any) -> bytes:
    return yaml.safe_dump(document).encode()


_PACKED = base64.b64encode(SSE.encode()).decode()
_AIMOCK = {"match": {"userMessage": "hello"}, "response": {"content": "Hi you"}}
_CHARLES = [
    {
        "method": "POST",
        "scheme": "http",
        "host": "localhost",
        "actualPort": 1,
        "path": "/v1/chat/completions",
        "durations": {"total": 1500},
        "request": {
            "header": {
                "headers": [{"name": "Authorization", "value": f"Bearer {KEY}"}]
            },
            "body": {"text": json.dumps(ASKED)},
        },
        "response": {
            "status": 200,
            "header": {"headers": []},
            "body": {"text": SSE},
        },
    }
]

MADE: dict[str, bytes] = {
    # HAR
    "har-mitmproxy-base64": har(har_entry(text=_PACKED, encoding="base64")),
    "har-firefox": har(har_entry(text=SSE)),
    "har-polly-pieces": har(
        har_entry(
            text=json.dumps(
                [base64.b64encode(p.encode()).decode() for p in (SSE[:99], SSE[99:])]
            ),
            encoding="base64",
        )
    ),
    "har-polly-hexadecimal": har(
        har_entry(text=json.dumps([SSE.encode().hex()]), encoding="base64")
    ),
    "har-gzip": har(
        har_entry(
            text=base64.b64encode(gzip.compress(SSE.encode())).decode(),
            encoding="base64",
        )
    ),
    "charles": json.dumps(_CHARLES).encode(),
    # Ruby's VCR and betamax
    "ruby-json": json.dumps(_ruby({"encoding": "UTF-8", "string": SSE})).encode(),
    "ruby-base64": _yaml(_ruby({"encoding": "ASCII-8BIT", "base64_string": _PACKED})),
    "ruby-binary": _yaml(_ruby({"encoding": "x", "string": SSE.encode()})).replace(
        b"!!binary", b"!binary"
    )
    + b"\n",
    "betamax-gzip": json.dumps(
        _ruby({"base64_string": base64.b64encode(gzip.compress(SSE.encode())).decode()})
    ).encode(),
    # go-vcr
    "go-vcr-1": _go({}, {"duration": ""}, 1),
    "go-vcr-3": _go({"host": "localhost:1"}, {"duration": "1.5s"}, 2),
    "go-vcr-nanoseconds": _go({}, {"duration": 1500000000}, 2),
    # cassetter
    "cassetter-text": _yaml(
        _cassetter({"type": "json", "content": ASKED}, {"type": "text", "content": SSE})
    ),
    "cassetter-whole": _yaml(
        _cassetter(
            {"type": "json", "content": ASKED}, {"type": "json", "content": ANSWER}
        )
    ),
    "cassetter-binary": _yaml(
        _cassetter({"type": "none"}, {"type": "binary", "content": SSE.encode().hex()})
    ),
    "cassetter-toml": TOML.encode(),
    # aimock
    "aimock": json.dumps({"fixtures": [_AIMOCK]}).encode(),
    "aimock-blocks": json.dumps(
        {
            "fixtures": [
                {
                    "match": {},
                    "response": {
                        "blocks": [
                            {"type": "text", "text": "Hi"},
                            {"type": "text", "text": " you"},
                        ]
                    },
                }
            ]
        }
    ).encode(),
    # curl
    "curl-v": (f"*   Trying 127.0.0.1:1...\n{_SENT}{_GOT}{SSE}{_LEFT}").encode(),
    "curl-v-crlf": (
        f"* Connected to localhost\n{_SENT}{_GOT}{SSE}".replace("\n", "\r\n")
    ).encode(),
    "curl-v-glued": (
        f"{_SENT}{_GOT}{{ [336 bytes data]\n{SSE.rstrip()}{_LEFT}"
    ).encode(),
    "curl-v-continue": (f"{_SENT}< HTTP/1.1 100 Continue\n< \n{_GOT}{SSE}").encode(),
    "curl-i": f"HTTP/1.1 200 OK\r\ncontent-type: text/x\r\n\r\n{SSE}".encode(),
    "curl-trace": _trace(in_hex=True).encode(),
    "curl-trace-time": _trace(in_hex=True, clock=True).encode(),
    "curl-trace-ascii": _trace(in_hex=False).encode(),
    "curl-trace-ascii-time": _trace(in_hex=False, clock=True).encode(),
    # terminals and pages
    "prompt-dollar": f"$ {_CURL}\n{SSE}$ \n".encode(),
    "prompt-user": f"me@host:~/x$ {_CURL}\n{SSE}me@host:~/x$ exit\n".encode(),
    "prompt-powershell": (
        f"PS C:\\x> {_CURL.replace('curl', 'curl.exe')}\n{SSE}PS C:\\x> \n".encode()
    ),
    "prompt-lines": f"$ {_CURL}\n{SSE}".replace(" -d", " \\\n  -d").encode(),
    "prompt-i": f"$ {_CURL} -i\nHTTP/2 200\ncontent-type: x\n\n{SSE}".encode(),
    "markdown": (
        f"# Bug\n\n```sh\n{_CURL}\n```\n\nprints\n\n```\n{SSE}```\n\nWhy?\n".encode()
    ),
    "markdown-json": f"See:\n\n~~~json\n{json.dumps(CHUNKS, indent=1)}\n~~~\n".encode(),
    "quoted": "".join(f"> {line}\n" for line in SSE.split("\n")).encode(),
    "indented": "".join(f"    {line}\n" for line in SSE.split("\n")).encode(),
    "leading-space": f" {SSE}".encode(),
    "bom": b"\xef\xbb\xbf" + SSE.encode(),
    # logs
    "log-python": _stamped(
        "2026-01-01 00:00:0{n},100 DEBUG x: data: {data}\n"
    ).encode(),
    "log-bracket": _stamped(
        "[2026-01-01T00:00:0{n}.1Z] [INFO] data: {data}\n\n"
    ).encode(),
    "log-level": _stamped("DEBUG: got data: {data} (1 event)\n").encode(),
    "log-docker": _stamped("server-1  | data: {data}\nserver-1  | \n").encode(),
    "log-repr": _stamped("INFO:x:chunk b'data: {data}\\n\\n'\n").encode(),
    "log-colour": _stamped("\x1b[32mINFO\x1b[0m data: {data}\x1b[0m\n").encode(),
    "lm-studio": _LM_STUDIO.encode(),
    "log-json": "".join(f"12:00:00 chunk={json.dumps(c)}\n" for c in CHUNKS).encode(),
    "log-json-docker": "".join(
        json.dumps({"log": f"data: {d}\n", "time": f"2026-01-01T00:00:0{n}.5Z"}) + "\n"
        for n, d in enumerate(DATA)
    ).encode(),
    "log-json-field": "".join(
        json.dumps({"level": "debug", "msg": "chunk", "chunk": chunk}) + "\n"
        for chunk in CHUNKS
    ).encode(),
    "log-json-message": "".join(
        json.dumps({"msg": f"received data: {d}", "pid": 1}) + "\n" for d in DATA
    ).encode(),
    # JSON
    "array-line": json.dumps(CHUNKS).encode(),
    "array-cut": json.dumps(CHUNKS, indent=1).encode()[:-1],
    "jq": "\n".join(json.dumps(chunk, indent=2) for chunk in CHUNKS).encode(),
    "jq-tabs": "\n".join(json.dumps(chunk, indent="\t") for chunk in CHUNKS).encode(),
    # encodings
    "utf16-le-bom": b"\xff\xfe" + SSE.encode("utf-16-le"),
    "utf16-be-bom": b"\xfe\xff" + SSE.encode("utf-16-be"),
    "utf16-le": SSE.replace("\n", "\r\n").encode("utf-16-le"),
    "utf16-be-jq": json.dumps(CHUNKS, indent=1).encode("utf-16-be"),
    "utf32": SSE.encode("utf-32"),
    "gzip-json": _yaml(
        {
            "version": 1,
            "interactions": [
                _interaction({"string": gzip.compress(json.dumps(ANSWER).encode())})
            ],
        }
    ),
    "gzip-head": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"
    + gzip.compress(SSE.encode()),
    "nul-lines": SSE.replace("\n\n", "\n\n\0\0\n", 1).encode(),
    "nul-first": f": start\n\0\n{SSE}".encode(),
    # other APIs
    "ollama-chat": _ollama(_says("Hi"), _says(" you"), _says("")).encode(),
    "ollama-generate": _ollama(
        {"response": "Hi"}, {"response": " you"}, {"response": ""}
    ).encode(),
    "ollama-jq": _ollama(_says("Hi"), _says(" you"), _says(""))
    .replace("{", "{\n")
    .encode(),
    "ollama-whole": json.dumps({**_OLLAMA[2], **_says("Hi you")}).encode(),
    "bedrock-body": _bedrock(),
    "bedrock-cassette": _yaml(
        {"version": 1, "interactions": [_interaction({"string": _bedrock()})]}
    ),
}
"""Files by what they are; each answers "Hi you"."""
