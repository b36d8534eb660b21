"""The stream as other recorders, encodings and APIs store it."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import textwrap
import zlib
from typing import Any

import yaml

from tests.odd_inputs.made_stream import (
    ANSWER,
    ASKED,
    CHUNKS,
    DATA,
    KEY,
    MESSAGES,
    SSE,
    URL,
)
from tests.odd_inputs.made_texts import TEXTS

__all__ = ["MADE", "TWICE", "aws_message", "har", "har_entry"]


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


_GZIP, _ZLIB = gzip.compress(SSE.encode()), zlib.compress(SSE.encode())
_CHUNKED = TEXTS["chunked-cut-anywhere"]
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


def _notebook(*texts: str | list[str]) -> dict[str, Any]:
    """Return a notebook one cell of which has printed these."""
    outputs: list[Any] = [{"output_type": "stream", "text": text} for text in texts]
    outputs += [{"output_type": "error", "ename": "KeyError", "traceback": ["x"]}]
    cells = [{"source": ["# x"]}, {"source": ["r = get()"], "outputs": outputs}]
    return {"cells": cells, "nbformat": 4, "nbformat_minor": 5}


_ASKED_OF = {
    "method": "POST",
    "url": URL,
    "headers": {"Authorization": f"Bearer {KEY}"},
    "body": ASKED,
}
_MATCHED = {
    "path": [{"matcher": "exact", "value": "/v1/chat/completions"}],
    "method": [{"matcher": "exact", "value": "POST"}],
    "destination": [{"matcher": "exact", "value": "localhost:1"}],
    "body": [{"matcher": "json", "value": json.dumps(ASKED)}],
    "headers": {"Authorization": [{"matcher": "exact", "value": f"Bearer {KEY}"}]},
}
_POSTED = {
    "method": "POST",
    "header": [{"key": "Authorization", "value": f"Bearer {KEY}"}],
    "url": {"raw": URL},
    "body": {"mode": "raw", "raw": json.dumps(ASKED)},
}
_NOCK = {
    "scope": "http://localhost:1",
    "method": "POST",
    "path": "/v1/chat/completions",
    "body": ASKED,
    "status": 200,
    "rawHeaders": ["Content-Type", "text/event-stream"],
    "reqheaders": {"authorization": f"Bearer {KEY}"},
}
_CUT = [SSE[start : start + 50] for start in range(0, len(SSE), 50)]
_RAW = base64.b64encode(f"HTTP/1.1 200 OK\r\na: b\r\n\r\n{SSE}".encode()).decode()
_PAIRS: dict[str, Any] = {
    "nock": [{**_NOCK, "response": SSE}],
    "nock-gzip": [{**_NOCK, "response": [gzip.compress(SSE.encode()).hex()]}],
    "nock-whole": [{**_NOCK, "response": ANSWER}],
    "wiremock": {
        "request": {"urlPath": "/v1/x", "bodyPatterns": [{"equalToJson": "{}"}]},
        "response": {"status": 200, "body": SSE},
    },
    "wiremock-base64": {"mappings": [{"response": {"base64Body": _PACKED}}]},
    "wiremock-json": {"response": {"status": 200, "jsonBody": ANSWER}},
    "hoverfly": {
        "data": {"pairs": [{"request": _MATCHED, "response": {"body": SSE}}]},
    },
    "mountebank": {
        "imposters": [
            {"stubs": [{"responses": [{"is": {"statusCode": 200, "body": SSE}}]}]}
        ]
    },
    "postman": {
        "item": [{"response": [{"originalRequest": _POSTED, "code": 200, "body": SSE}]}]
    },
    "talkback": {"req": _ASKED_OF, "res": {"status": 200, "body": SSE}},
    "chunks-in-a-key": {"chunks": CHUNKS},
    "list-of-events": [f"data: {data}\n\n" for data in DATA],
    "list-of-data": DATA,
    "langsmith": {"run_type": "llm", "inputs": ASKED, "outputs": ANSWER},
    "helicone": {"response_body": {"streamed_data": CHUNKS}},
    # one event in each row
    "cloudwatch": {
        "events": [{"timestamp": 1, "message": f"x data: {d}"} for d in DATA]
    },
    "cloudwatch-insights": {
        "results": [[{"field": "@message", "value": f"data: {d}"}] for d in DATA]
    },
    "loki": {"result": [{"values": [["1", f"data: {d}"] for d in DATA]}]},
    "names-and-data": [{"event": "message", "data": chunk} for chunk in CHUNKS],
    "names-and-text": [{"event": "message", "data": data} for data in DATA],
    "times-and-pieces": [[0.1, f"event: x\ndata: {d}\n\n"] for d in DATA],
    "times-and-chunks": [[n, chunk] for n, chunk in enumerate(CHUNKS)],
    "numbered-chunks": {str(n): chunk for n, chunk in enumerate(CHUNKS)},
    "list-with-a-ping": {"output": MESSAGES},
    "span-events": [
        {"name": "c", "attributes": [{"value": {"stringValue": d}}]} for d in DATA
    ],
    # pieces, cut anywhere, in rows
    "texts-in-rows": {"chunks": [{"at": 1, "text": one} for one in _CUT]},
    "base64-in-rows": [
        {"t": 1, "b": base64.b64encode(one.encode()).decode()} for one in _CUT
    ],
    "hexadecimal-in-rows": [{"t": 1, "b": one.encode().hex()} for one in _CUT],
    "buffers": [{"type": "Buffer", "data": list(one.encode())} for one in _CUT],
    "numbers": {"status": 200, "body": list(SSE.encode())},
    "lines": {"status": 200, "body": SSE.split("\n")},
    "insomnia": [
        {"name": "DataOut", "value": json.dumps(ASKED)},
        *({"name": "DataIn", "value": one} for one in _CUT),
    ],
    "ngrok": {"requests": [{"response": {"raw": _RAW}}]},
    # pieces that rows hold deep inside, beside rows of something else
    "netlog": {
        "events": [
            {"params": {"url": URL}, "source": {"id": 7}},
            *(
                {"params": {"bytes": base64.b64encode(p).decode()}, "source": {"id": 7}}
                for p in (SSE.encode()[at : at + 50] for at in range(0, len(SSE), 50))
            ),
        ]
    },
    "devtools-protocol": [
        {"method": "x", "params": {"requestId": "1", "eventName": "message", "data": d}}
        for d in DATA
    ],
    "rows-of-one-request": [{"request_id": "r", "line": f"data: {d}"} for d in DATA],
    "rows-newest-first": [
        {"textPayload": f"data: {d}", "timestamp": f"2026-01-0{9 - n}T00:00:00Z"}
        for n, d in enumerate(DATA[::-1])
    ],
    "har-entries": [har_entry(text=SSE)],
    "notebook": _notebook(SSE[:200].splitlines(keepends=True), SSE[200:]),
    "notebook-of-dicts": _notebook("".join(f"{c!r}\n" for c in CHUNKS)),
    "notebook-of-a-value": {
        "cells": [{"outputs": [{"data": {"text/plain": [repr(CHUNKS)]}}]}],
        "nbformat": 4,
    },
    "otel": {"spans": [{"attributes": [{"value": {"stringValue": SSE}}]}]},
}
"""Responses under the names of other tools."""
TWICE = yaml.safe_dump({"interactions": [_interaction({"string": SSE})], "version": 1})
"""A cassette; another one behind it makes one file of two."""

MADE: dict[str, bytes] = {
    **TEXTS,
    "quoted-names": textwrap.indent(
        "".join(
            f"event: {one['type']}\ndata: {json.dumps(one, indent=1)}\n\n"
            for one in MESSAGES
        ),
        "> ",
        lambda _: True,
    ).encode(),
    **{name: json.dumps(pair).encode() for name, pair in _PAIRS.items()},
    "batch-output": b"".join(
        json.dumps({"custom_id": "a", "response": {"body": ANSWER}}).encode() + b"\n"
        for _ in "a"
    ),
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
    "har-parsed-events": har(
        har_entry()
        | {"_eventSourceMessages": [{"eventName": "x", "data": d} for d in DATA]}
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
    # bodies as a proxy saw them
    "zlib-without-header": _yaml(
        {"version": 1, "interactions": [_interaction({"string": _ZLIB})]}
    ),
    "sizes-in-the-body": _yaml(
        {"version": 1, "interactions": [_interaction({"string": _CHUNKED})]}
    ),
    "gzip-in-sizes": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"
    b"content-encoding: gzip\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(_GZIP), _GZIP),
    # PHP's VCR, and the replays of Google's SDK
    "php-vcr": b"\n-\n"
    + textwrap.indent(
        yaml.safe_dump(
            {
                "request": {"method": "POST", "url": URL, "body": json.dumps(ASKED)},
                "response": {"status": {"code": "200"}, "body": SSE},
            }
        ),
        "    ",
    ).encode(),
    "yaml-of-responses": _yaml({"responses": [{"response": {"body": SSE}}]}),
    "google-replay": json.dumps(
        {
            "replay_id": "x",
            "interactions": [
                {
                    "request": {"method": "post", "url": URL, "body_segments": [ASKED]},
                    "response": {"status_code": 200, "body_segments": CHUNKS},
                }
            ],
        }
    ).encode(),
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
    "aimock-json": json.dumps(
        {"fixtures": [{"match": {}, "response": {"json": ANSWER}}]}
    ).encode(),
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
