"""Spoiling: recordings that were good, changed somewhere, on one of three levels."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

__all__ = ["made_recording", "made_request"]


def _chunk(delta: Any, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": None, **more}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1700000000} | {
        "model": "m",
        "choices": [choice],
    }


def _call(arguments: str, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **more}
    return {"tool_calls": [{"index": 0, "id": "call_1", "function": function}]}


_CHUNKS = [
    _chunk({"role": "assistant", "content": ""}),
    _chunk({"content": "Hello 🙂", "reasoning_content": "hm"}),
    _chunk(_call('{"message": "a', name="send_message")),
    _chunk(_call('\\u00e9"}')),
    _chunk({}, finish_reason="tool_calls"),
    _chunk({}) | {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
]
_ASKED = {
    "model": "m",
    "stream": True,
    "messages": [
        {"role": "user", "content": "hi", "api_key": "sk-abcdefghijklmnop1234"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
}
_WHOLE = {
    "id": "c2",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}],
}
_URIS = [
    "http://localhost/v1/chat/completions?key=abc",
    "https://user:secret@api.example.com:8443/v1/chat/completions",
    "http://[::1]:80/v1/chat/completions",
]


def _events(chunks: list[Any]) -> bytes:
    texts = [_json(chunk) for chunk in chunks]
    return "".join(f"data: {text}\n\n" for text in [*texts, "[DONE]"]).encode()


def _document(draw: random.Random) -> dict[str, Any]:
    chunks = copy.deepcopy(_CHUNKS)
    if draw.random() < 0.5:
        _spoil(draw, chunks)
    body = _events(chunks)
    headers = {"content-type": ["text/event-stream"], "set-cookie": ["a=b; Path=/"]}
    stored: Any = {"string": body.decode("utf-8", "replace")}
    wire = [[0.1, len(body) // 2], [0.2, len(body) - len(body) // 2]]
    form = draw.randrange(5)
    if form == 1:
        stored = {"string": _json(_WHOLE)}
    elif form == 2:
        packed = gzip.compress(body, 1)
        headers["content-encoding"] = [draw.choice(["gzip", "br", "zstd", "deflate"])]
        stored = {"base64_string": base64.b64encode(packed).decode()}
    asked: Any = _ASKED if draw.random() < 0.3 else _json(_ASKED)
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": headers,
        "body": stored,
    }
    if form == 0:
        response["stream"] = {"version": 1, "chunks": wire, "ended": "complete"}
    request = {
        "method": "POST",
        "uri": draw.choice(_URIS),
        "body": copy.deepcopy(asked),
        "headers": {"authorization": ["Bearer abcdefgh12345678"]},
    }
    return {"version": 1, "interactions": [{"request": request, "response": response}]}


def _json(value: Any, **more: Any) -> str:
    """Return JSON with deep values where their names stand."""
    return _DEEP_NAME.sub(_deep, json.dumps(value, **more))


def _deep(name: re.Match[str]) -> str:
    depth = int(name[1])
    before, after = ("[", "]") if int(name[2]) else ('{"a":', "}")
    return f"{before * depth}1{after * depth}"


def _odd(draw: random.Random) -> Any:
    """Return a value that hardly anybody expects."""
    return draw.choice(_ODD) if draw.random() < 0.95 else draw.choice(_DEEP)


# Stand for values too deep to copy, until the text is written.
_DEEP = [f"@{d}:{k}@" for d in (150, 190, 250, 600, 900, 960, 3000) for k in (0, 1)]
_DEEP_NAME = re.compile(r'"@([0-9]+):([01])@"')
_ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, -(2**70), 10**400),
    *(0.5, -0.0, 1e308, -1e308, float("inf"), float("nan"), 1e-320),
    *("", " ", "\0", "\x1b]52;c;aGk=\x07", "\x9b31m", "\u202e", "\ud800", "\udfff"),
    *(
        "http://[oops/",
        "http://h:99999/",
        "http://h:x/",
        "//",
        "é",
        "🙂" * 50,
        "a" * 5000,
    ),
    *("[DONE]", "{", "}", '{"a":', '{"message": "', "null", "data: x\n\n", "\r\n\r\n"),
    *("gzip", "br", "zstd", "deflate, gzip", "complete", "error", "closed", "=", "%zz"),
    *([], {}, [[]], [None], [{}], {"": None}, {"a": []}, {"error": 1}, {"index": -1}),
    *({"error": {"message": None}}, {"content": {}}, [1, "a", None], {"string": 5}),
    *({"index": 10**12}, {"index": "0"}, {"function": []}, {"base64_string": "=x"}),
]


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container with each of its keys."""
    found: list[tuple[Any, Any]] = []
    held = [value]
    while held:
        one = held.pop()
        keys = one if isinstance(one, dict) else range(len(one))
        for key in keys:
            found.append((one, key))
            if isinstance(one[key], dict | list):
                held.append(one[key])
    return found


def _spoil(draw: random.Random, value: Any) -> None:
    """Change a document in place, at one to three places."""
    for _ in range(draw.randint(1, 3)):
        places = _places(value)
        if not places:
            return
        container, key = draw.choice(places)
        way = draw.randrange(6)
        if way == 0 and isinstance(container, dict):
            container[draw.choice(["", "error", "index", "é\x1b", "delta"])] = (
                container.pop(key)
            )
        elif way == 1:
            del container[key]
        elif way == 2 and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        elif way == 3 and isinstance(container[key], str):
            container[key] = _spoiled_text(draw, container[key])
        else:
            container[key] = copy.deepcopy(_odd(draw))


def _spoiled_text(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text) + 1)
    odd = _odd(draw)
    put = odd if isinstance(odd, str) else draw.choice(["\\", '"', "\x1b", "\n", "\0"])
    return text[:at] + put + text[at + draw.randrange(4) :]


_PIECES = [
    *(b"\0", b"\xff", b"\x1b", b"\r", b"\n\n", b"\t", b'"', b"\\", b"\\ud800", b"{"),
    *(
        b"}",
        b"[" * 300,
        b'{"a":' * 300,
        b"- " * 300,
        b"&a ",
        b"*a",
        b"!!python/object:x ",
    ),
    *(
        b"!!binary ",
        b"!!timestamp x",
        b"!!int 0x",
        b"data:",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
    ),
    *(
        b"%YAML 1.1\n",
        b"---\n",
        b"...",
        b": ",
        b"? ",
        b"<<: *a\n",
        b"\xc2\x85",
        b"9" * 5000,
    ),
]


def _spoiled_bytes(draw: random.Random, text: bytes) -> bytes:
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        way = draw.randrange(5)
        if way == 0:
            text = text[:at] + draw.choice(_PIECES) + text[at:]
        elif way == 1:
            text = text[:at] + text[at + draw.randrange(40) :]
        elif way == 2:
            text = text[:at] + bytes([draw.randrange(256)]) + text[at + 1 :]
        elif way == 3:
            text = text[: max(at, 1)]
        else:
            start = draw.randrange(len(text) + 1)
            text = text[:at] + text[start : start + draw.randrange(200)] + text[at:]
    return text


def made_recording(draw: random.Random) -> bytes:
    """Return a spoiled recording of any format."""
    form = draw.randrange(8)
    if form == 0:
        chunks = copy.deepcopy(_CHUNKS)
        _spoil(draw, chunks)
        text = _events(chunks)
    elif form == 1:
        text = b"".join(_json(chunk).encode() + b"\n" for chunk in _CHUNKS)
    elif form == 2:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        text = head + _events(_CHUNKS)
    elif form == 3:
        whole = copy.deepcopy(_WHOLE)
        _spoil(draw, whole)
        text = _json(whole).encode()
    else:
        document = _document(draw)
        if form < 7 and draw.random() < 0.7:
            _spoil(draw, document)
        text = _json(document, indent=draw.choice([None, 1])).encode()
        if form < 7 and draw.random() < 0.7:
            return text  # spoiled in what it says only
    return _spoiled_bytes(draw, text)


def _request(line: str, host: str, body: str = "", more: str = "") -> bytes:
    length = f"content-length: {len(body)}\r\n"
    return f"{line} HTTP/1.1\r\nhost: {host}\r\n{more or length}\r\n{body}".encode()


_CHAT = "POST /v1/chat/completions"
_CHUNKED = "transfer-encoding: chunked\r\n"
_REQUESTS = [
    _request(_CHAT, "localhost", "{}"),
    _request("PUT /harness/sessions/a", "127.0.0.1:80", '{"split":"chars"}'),
    _request("GET /harness", "[::1]:1"),
    _request("POST /s/%00/v1/chat/completions", "a", "2\r\n{}\r\n0\r\n\r\n", _CHUNKED),
]


def made_request(draw: random.Random) -> bytes:
    """Return a spoiled HTTP request."""
    return _spoiled_bytes(draw, draw.choice(_REQUESTS))
