"""Spoiling: recordings that were good, changed somewhere, on one of three levels."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from harness.apis.base import (
    Conversation,
    RequestedCall,
    ToolOutput,
    Turn,
    WrittenEvent,
)
from harness.apis.detect import api_named
from harness.apis.examples import example_events, example_names, example_parts
from harness.apis.framing import Framing
from harness.apis.requests import PATHS, request_body
from tests.odd_inputs.made_recordings import MADE

if TYPE_CHECKING:
    import random

    from harness.apis.base import WritingApi
    from harness.core.parts import Part

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
_HOSTS = [
    "http://localhost",
    "https://user:secret@api.example.com:8443",
    "http://[::1]:80",
]
_OLLAMA_MESSAGES = [
    {"role": "assistant", "content": "Hello 🙂", "thinking": "hm"},
    {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
]
_CONVERSATION = Conversation(
    (
        Turn("system", "Be brief."),
        Turn("user", "hi"),
        Turn("assistant", "", (RequestedCall("call_1", "f", '{"a": 1}'),)),
        Turn("tool", "", (), (ToolOutput("call_1", "ok", "f"),)),
    ),
    model="m",
    tools=("f",),
)
# None is one JSON object a line.
_FRAMINGS = [
    *(Framing() for _ in range(4)),
    Framing(newline="\r\n", has_done=False, comment="ping", retry_ms=10),
    Framing(is_array=True),
    Framing(is_binary=True),
    None,
]


class _Source(NamedTuple):
    """What recordings of one API are made of."""

    uri: str
    asked: dict[str, Any]
    events: list[list[Any]]
    """The payloads of each of its streams."""
    wholes: list[dict[str, Any]]


@cache
def _sources() -> list[_Source]:
    """Return chat's own source twice, and one for each API that has examples."""
    chat = _Source(PATHS["chat"], _ASKED, [_CHUNKS], [_WHOLE])
    made = [chat, chat]
    for api, path in PATHS.items():
        parts = [example_parts(api, name) for name in example_names(api)]
        streams = [example_events(api, name) for name in example_names(api)]
        made.append(
            _Source(
                path.replace("{model}", "m"),
                request_body(api, _CONVERSATION),
                [[event.payload for event in events[:20]] for events in streams],
                [_whole_answer(api, each) for each in parts],
            )
        )
    ollama = [{"model": "m", "created_at": "2026-01-01T00:00:00Z", "done": False}]
    ollama = [{**ollama[0], "message": message} for message in _OLLAMA_MESSAGES]
    end = {**ollama[-1], "done": True, "done_reason": "stop", "eval_count": 2}
    made.append(_Source("/api/chat", _ASKED, [[*ollama, end]], [end]))
    return made


def _whole_answer(api: str, parts: list[Part]) -> dict[str, Any]:
    if api == "chat":
        return _WHOLE
    return cast("WritingApi", api_named(api)).body(parts)


def _drawn(draw: random.Random) -> tuple[_Source, list[Any]]:
    """Return the source of a recording, and a copy of the payloads of its stream."""
    source = draw.choice(_sources())
    return source, _copied(draw.choice(source.events))


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _framed(draw: random.Random, payloads: list[Any]) -> tuple[str, bytes]:
    """Return a content type and a stream's bytes, mostly as an event stream."""
    framing = draw.choice(_FRAMINGS)
    if framing is None:
        text = "".join(f"{_json(payload)}\n" for payload in payloads)
        return "application/x-ndjson", text.encode()
    events = [
        WrittenEvent(_name_of(payload), payload)
        for payload in payloads
        if isinstance(payload, dict)
    ]
    body = b"".join(framing.encode(events))
    if framing.is_binary:
        return framing.content_type, body
    return framing.content_type, _DEEP_NAME.sub(_deep, body.decode()).encode()


def _name_of(payload: dict[str, Any]) -> str:
    name = payload.get("type", "")
    return name if isinstance(name, str) and name.isprintable() else ""


def _query(source: _Source) -> str:
    return ("&" if "?" in source.uri else "?") + "key=abc"


def _document(draw: random.Random) -> dict[str, Any]:
    source, payloads = _drawn(draw)
    if draw.random() < 0.5:
        _spoil(draw, payloads)
    content_type, body = _framed(draw, payloads)
    headers = {"content-type": [content_type], "set-cookie": ["a=b; Path=/"]}
    try:
        stored: Any = {"string": body.decode()}
    except UnicodeDecodeError:  # a binary frame
        stored = {"base64_string": base64.b64encode(body).decode()}
    wire = [[0.1, len(body) // 2], [0.2, len(body) - len(body) // 2]]
    form = draw.randrange(5)
    if form == 1:
        stored = {"string": _json(draw.choice(source.wholes))}
    elif form == 2:
        packed = gzip.compress(body, 1)
        headers["content-encoding"] = [draw.choice(["gzip", "br", "zstd", "deflate"])]
        stored = {"base64_string": base64.b64encode(packed).decode()}
    asked: Any = source.asked if draw.random() < 0.3 else _json(source.asked)
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": headers,
        "body": stored,
    }
    if form == 0:
        response["stream"] = {"version": 1, "chunks": wire, "ended": "complete"}
    request = {
        "method": "POST",
        "uri": draw.choice(_HOSTS) + source.uri + draw.choice(["", "", _query(source)]),
        "body": _copied(asked),
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


_FOREIGN = list(MADE.values())


def made_recording(draw: random.Random) -> bytes:
    """Return a spoiled recording of any format."""
    form = draw.randrange(9)
    if form == 8:  # what other tools and terminals write
        return _spoiled_bytes(draw, draw.choice(_FOREIGN))
    source, payloads = _drawn(draw)
    if form == 0:
        _spoil(draw, payloads)
        _, text = _framed(draw, payloads)
    elif form == 1:
        text = b"".join(_json(payload).encode() + b"\n" for payload in payloads)
    elif form == 2:
        content_type, body = _framed(draw, payloads)
        text = (
            f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n\r\n".encode() + body
        )
    elif form == 3:
        whole = _copied(draw.choice(source.wholes))
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
