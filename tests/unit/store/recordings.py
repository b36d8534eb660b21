"""Documents that the tests of the store are made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from harness.cassettes.load import load_cassette
from harness.cassettes.model import Exchange, Request, Response, WireChunk

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cassettes.model import Cassette

CHUNK = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "hé 😊"}, "finish_reason": None}],
}
LAST = {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
WHOLE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hi"},
            "finish_reason": "stop",
        }
    ],
}


def sse(*payloads: Any, done: bool = True) -> str:
    """Return event stream text; a string is taken as it is."""
    lines = [
        p if isinstance(p, str) else json.dumps(p, ensure_ascii=False) for p in payloads
    ]
    return "".join(f"data: {line}\n\n" for line in [*lines, *["[DONE]"] * done])


STREAM = sse(CHUNK, LAST)


def interaction(
    body: Any = STREAM,
    *,
    request: dict[str, Any] | None = None,
    **response: Any,
) -> dict[str, Any]:
    """Return one interaction as vcrpy writes it, with parts replaced or added."""
    return {
        "request": {
            "method": "POST",
            "uri": "http://localhost/v1/chat/completions",
            "body": '{"stream": true}',
            "headers": {"accept": ["*/*"]},
            **(request or {}),
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": ["text/event-stream"]},
            "body": {"string": body},
            **response,
        },
    }


def document(*interactions: Any, **keys: Any) -> dict[str, Any]:
    """Return a cassette document of these interactions, one stream by default."""
    return {"interactions": list(interactions or [interaction()]), "version": 1, **keys}


def as_yaml(value: Any) -> bytes:
    """Return YAML as stock tools write it: with libyaml, a tenth of the time."""
    text = yaml.dump(value, Dumper=_DUMPER, allow_unicode=True, sort_keys=False)
    return str(text).encode()


_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def save(folder: Path, value: Any, name: str = "c.yaml") -> Path:
    """Write a document (or bytes, or text) to a file and return its path."""
    path = folder / name
    if isinstance(value, bytes):
        path.write_bytes(value)
    elif isinstance(value, str):
        path.write_bytes(value.encode())
    elif name.endswith(".json"):
        path.write_bytes(json.dumps(value).encode())
    else:
        path.write_bytes(as_yaml(value))
    return path


def load(folder: Path, value: Any, name: str = "c.yaml") -> Cassette:
    """Write a document and load it."""
    return load_cassette(save(folder, value, name))


def exchange(
    body: bytes | str = STREAM,
    *,
    status: int = 200,
    sizes: list[int] | None = None,
    request: Request | None = None,
    headers: dict[str, list[str]] | None = None,
) -> Exchange:
    """Return an exchange made by hand."""
    data = body.encode() if isinstance(body, str) else body
    return Exchange(
        0,
        request or Request("POST", "http://localhost/v1/chat/completions"),
        Response(
            status,
            "OK",
            headers or {},
            body=data,
            wire=None if sizes is None else [WireChunk(0.1, size) for size in sizes],
        ),
    )
