"""The stream as curl, terminals, pages and logs show it."""

from __future__ import annotations

import json
import re
from pprint import pformat
from typing import Any

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

__all__ = ["TEXTS"]

_HEAD = ["POST /v1/chat/completions HTTP/1.1", "Host: localhost:1"]
_HEAD += [f"Authorization: Bearer {KEY}", ""]
_SENT = "".join(f"> {line}\n" for line in _HEAD)
_LEFT = "* Connection #0 to host x left intact\n"
_GOT = "< HTTP/1.1 200 OK\n< content-type: text/event-stream\n< \n"
_CURL = f"curl -sN {URL} -H 'Authorization: Bearer {KEY}' -d '{json.dumps(ASKED)}'"


def _trace(*, in_hex: bool, clock: bool = False, decoded: bool = False) -> str:
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
        sent = event if decoded else f"{len(event):x}\r\n{event}\r\n"
        blocks.append(("<= Recv data", sent))
    if not decoded:
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


def _dumped(text: str, form: str) -> str:
    data = text.encode()
    rows = range(0, len(data), 16)
    return "".join(
        f"{form.format(at)}{data[at : at + 16].hex(' '):<47}  ................\n"
        for at in rows
    )


def _shown(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "." for c in text)


def _stamped(form: str) -> str:
    return "".join(form.format(n=n, data=data) for n, data in enumerate(DATA, 1))


def _printed(size: int) -> bytes:
    body = SSE.encode()
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    return "".join(f"{piece!r}\n" for piece in pieces).encode()


def _chunked(line_end: str) -> str:
    head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    events = [f"data: {data}\n\n" for data in DATA]
    sent = "".join(f"{len(event):x}\r\n{event}\r\n" for event in events)
    return f"{head}{sent}0\r\n\r\n".replace("\r\n", line_end)


def _cut_anywhere() -> str:
    pieces = [SSE[start : start + 50] for start in range(0, len(SSE), 50)]
    return "".join(f"{len(one):x}\r\n{one}\r\n" for one in pieces) + "0\r\n\r\n"


def _model(chunk: dict[str, Any]) -> str:
    """Return a chunk as an SDK's model is printed."""
    delta = "".join(f"{k}={v!r}, " for k, v in chunk["choices"][0]["delta"].items())
    reason = chunk["choices"][0]["finish_reason"]
    return (
        "ChatCompletionChunk(id='chatcmpl-1', choices=[Choice(delta=ChoiceDelta("
        f"{delta}refusal=None), finish_reason={reason!r}, index=0)], model='m', "
        "object='chat.completion.chunk', usage=None)\n"
    )


def _javascript(value: Any) -> str:
    """Return what `console.dir` prints of a value."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{k}: {_javascript(v)}' for k, v in value.items())} }}"
    if isinstance(value, list):
        return f"[ {', '.join(map(_javascript, value))} ]"
    return "null" if value is None else repr(value)


def _ruby(value: Any, arrow: str) -> str:
    """Return what `p` prints of a hash."""
    return json.dumps(value).replace('": ', f'"{arrow}').replace("null", "nil")


def _no_role(chunk: dict[str, Any]) -> str:
    return _model(chunk).replace("role='assistant', ", "")


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
_EMPTY = {**CHUNKS[0], "choices": [{"index": 0, "delta": {}, "finish_reason": None}]}
_MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "Hi you"}],
    "stop_reason": "end_turn",
}
TEXTS: dict[str, bytes] = {
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
    "curl-trace-decoded": _trace(in_hex=True, decoded=True).encode(),
    "curl-v-tls": (
        f"* SSL connection using TLSv1.3 / x\n* ALPN: server accepted h2\n"
        f"{_SENT}{_GOT}{SSE}{_LEFT}"
    ).encode(),
    # terminals and pages
    "prompt-v": f"$ {_CURL} -v\n{_SENT}{_GOT}{SSE}{_LEFT}".encode(),
    "prompt-json-lines": (
        f"$ curl -N {URL} -H 'Authorization: Bearer {KEY}' "
        f"-d '{json.dumps(ASKED, indent=2)}'\n{SSE}"
    ).encode(),
    "prompt-dollar": f"$ {_CURL}\n{SSE}$ \n".encode(),
    "prompt-user": f"me@host:~/x$ {_CURL}\n{SSE}me@host:~/x$ exit\n".encode(),
    "prompt-of-a-theme": f"\u2771 {_CURL}\n{SSE}\u2771 \n".encode(),
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
    "grep": SSE.replace("\n\n", "\n").encode(),
    "laid-out": "".join(
        [*(f"data: {json.dumps(c, indent=2)}\n\n" for c in CHUNKS), "data: [DONE]\n\n"]
    ).encode(),
    "laid-out-without-blank-lines": "".join(
        f"data: {json.dumps(c, indent=2)}\r\n" for c in CHUNKS
    ).encode(),
    "laid-out-in-a-page": "Got:\n\n{}data: [DONE]\n\n".format(
        "".join(f"data: {json.dumps(c, indent=2)}\n\n" for c in CHUNKS)
    ).encode(),
    "escaped-breaks": SSE.replace("\n", "\\n").encode(),
    "html-quotes": SSE.replace('"', "&quot;").encode(),
    "colours": SSE.replace("data:", "\x1b[36mdata:\x1b[0m").encode(),
    "chunked": _chunked("\r\n").encode(),
    "wireshark": ("\n".join([*_HEAD, json.dumps(ASKED)]) + _chunked("\n")).encode(),
    # logs
    "log-csv": "".join(
        f'2026-01-01T00:00:0{n},"data: {data.replace(chr(34), chr(34) * 2)}"\n'
        for n, data in enumerate(DATA)
    ).encode(),
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
    "log-json-text": "".join(
        json.dumps({"ts": 1, "msg": "sse", "data": d}) + "\n" for d in DATA
    ).encode(),
    "log-json-nested": "".join(
        json.dumps({"msg": "chunk", "fields": {"chunk": chunk, "n": 1}}) + "\n"
        for chunk in CHUNKS
    ).encode(),
    "log-answer": f"12:00:00 [INFO] answer: {json.dumps(ANSWER)}\n".encode(),
    "log-answer-of-messages": f"12:00:00 got {json.dumps(_MESSAGE)}\n".encode(),
    "log-behind-a-command": (
        f'$ curl {URL} -d \'{{"a": " data: {{1}}"}}\'\n'
        + _stamped("got data: {data}\n")
    ).encode(),
    "log-requests": (
        f"INFO POST {URL} -> upstream\n" + _stamped("DEBUG got data: {data}\n")
    ).encode(),
    "log-wrong-date": _stamped("2026-13-45 99:00:00 got data: {data}\n").encode(),
    "log-long": "".join(
        f"12:00 got {json.dumps({'system_fingerprint': 'x' * 20_000, **chunk})}\n"
        for chunk in CHUNKS
    ).encode(),
    "log-no-python": (
        "DEBUG opened 'data: C:\\Users\\x'\n"
        + _stamped("DEBUG chunk b'data: {data}\\n\\n'\n")
    ).encode(),
    "log-names-and-data": "".join(
        f"DEBUG event: {one['type']}\nDEBUG data: {json.dumps(one)}\n"
        for one in MESSAGES
    ).encode(),
    "log-json-ping": "".join(
        f"12:00 event {json.dumps(one)}\n" for one in MESSAGES
    ).encode(),
    # pieces, lines and objects that Python printed
    "python-dicts": "".join(f"{chunk!r}\n" for chunk in CHUNKS).encode(),
    "python-pretty": "".join(f"{pformat(chunk)}\n" for chunk in CHUNKS).encode(),
    "prose-apostrophe": (
        f"curl says: it's broken\n```\n{SSE}```\nwhat's wrong with it?\n".encode()
    ),
    "command-cut": f"$ curl -N http://x/v1/chat/completions -d 'it \\\n{SSE}".encode(),
    "python-models": "".join(map(_model, CHUNKS)).encode(),
    "python-pieces": _printed(37),
    "python-lines": "".join(
        f"{line!r}\n" for line in SSE.encode().split(b"\n")
    ).encode(),
    "python-text": "".join(
        f"{line + chr(10)!r}\n" for line in SSE.split("\n")
    ).encode(),
    # literals, models and the first event behind words, wherever a line has them
    "log-named-events": "".join(
        f"DEBUG body.chunk data={piece!r}\n"
        for piece in (f"event: x\ndata: {data}\n\n".encode() for data in DATA)
    ).encode(),
    "log-cut-pieces": "".join(
        f"12:00:0{n} [debug] body.chunk {piece!r} return_value={n}\n"
        f"task 7: 12:00:0{n} [debug] body.chunk 'other'\n"
        for n, piece in enumerate(
            SSE.encode()[start : start + 37] for start in range(0, len(SSE), 37)
        )
    ).encode(),
    "log-server-sent-events": "".join(
        f"ServerSentEvent(event=None, data={data!r}, id=None, retry=None)\n"
        for data in DATA
    ).encode(),
    "log-logfmt": "".join(
        f'ts=1 level=debug event={json.dumps(data)}\nts=1 sent="{{\\"a\\": 1}}"\n'
        for data in DATA
    ).encode(),
    "log-dicts": "".join(
        f"12:00 PROCESSED CHUNK: {chunk!r}\n" for chunk in CHUNKS
    ).encode(),
    "log-models": "".join(f"INFO:x:got {_model(chunk)}" for chunk in CHUNKS).encode(),
    # said again: as a library understood it, by a second handler, beside the message
    "log-in-two-wordings": "".join(
        f"1:DEBUG PRE: {c!r}\n1:DEBUG POST: Model{_no_role(c)}1:DEBUG PRE: {_EMPTY!r}\n"
        for c in CHUNKS
    ).encode(),
    "log-two-handlers": _stamped(
        "got data: {data}\nDEBUG:x:got data: {data}\n"
    ).encode(),
    "log-two-handlers-whole": (
        f"12:00:00 answer: {json.dumps(ANSWER)}\nDEBUG:x:answer: {json.dumps(ANSWER)}\n"
    ).encode(),
    "log-json-twice": "".join(
        json.dumps({"text": f"DEBUG data: {d}\n", "record": {"message": f"data: {d}"}})
        + "\n"
        for d in DATA
    ).encode(),
    # other brackets and words around an event
    "log-behind-what-was-printed": "".join(
        f"{printed}12:00:00 [x] onEvent() {json.dumps(chunk)}\n"
        for printed, chunk in zip(["", " {", '{"'], CHUNKS, strict=True)
    ).encode(),
    "log-behind-other-json": "".join(
        f'12:00:00 tags={{"a": {{}}}} chunk={json.dumps(chunk)}\n12:00:00 {{1 event}}\n'
        for chunk in CHUNKS
    ).encode(),
    "log-structlog": "".join(
        f"12:00:00 [debug    ] sse      chunk={chunk!r} n={n}\n"
        for n, chunk in enumerate(CHUNKS)
    ).encode(),
    "log-json-dicts": "".join(
        json.dumps({"event": "sse", "chunk": repr(chunk)}) + "\n" for chunk in CHUNKS
    ).encode(),
    "log-json-models": "".join(
        json.dumps({"msg": f"got {_model(chunk)}"}) + "\n" for chunk in CHUNKS
    ).encode(),
    # pieces of several lines, of which the words introduce the first
    "log-pieces": "".join(
        f"Got a chunk: data: {one}\n\ndata: {other}\n\n\n"
        for one, other in zip(DATA[::2], [*DATA[1::2], ": end"], strict=False)
    ).encode(),
    "log-named-pieces": "".join(
        f"Got a chunk: event: {one['type']}\ndata: {json.dumps(one)}\n\n\n"
        for one in MESSAGES
    ).encode(),
    "python-list": repr(CHUNKS).encode(),
    "python-list-of-pieces": repr([f"data: {d}\n\n".encode() for d in DATA]).encode(),
    "curl-progress": f"  0     0    0     0 --:--:--     0\r{SSE}".encode(),
    "websocket": "".join(f"< {json.dumps(chunk)}\n" for chunk in CHUNKS).encode(),
    "chunked-cut-anywhere": _cut_anywhere().encode(),
    "chunked-extended": _chunked("\r\n").replace("\r\ndata", ";a=b\r\ndata").encode(),
    "log-json-words": "".join(
        json.dumps({"level": "debug", "message": message}) + "\n"
        for data in DATA
        for message in (f"SSE chunk: {data}", 'state {"a": 1}', "state {a")
    ).encode(),
    "python-fixture": "".join(
        ["C = [\n", *(f"    {c!r},\n" for c in CHUNKS), "]\n"]
    ).encode(),
    "xxd": _dumped(SSE, "{:08x}: ").encode(),
    "wireshark-hex": (
        _dumped("\n".join([*_HEAD, json.dumps(ASKED)]), "{:08X}  ")
        + _dumped(f"HTTP/1.1 200 OK\r\na: b\r\n\r\n{SSE}", "    {:08X}  ")
    ).encode(),
    "csv-of-answers": "name,output\nchat,{}\n".format(
        '"{}"'.format(SSE.replace('"', '""'))
    ).encode(),
    "csv-of-events": "".join(
        [
            "_time,_raw\n",
            *(f'1,"got {d.replace(chr(34), chr(34) * 2)}"\n' for d in DATA),
        ]
    ).encode(),
    "bom-without-blank-lines": b"\xef\xbb\xbf" + SSE.replace("\n\n", "\n").encode(),
    "log-json-message": "".join(
        json.dumps({"msg": f"received data: {d}", "pid": 1}) + "\n" for d in DATA
    ).encode(),
    # what programs, pages and editors make of quotes, blanks and the ends of lines
    "postman": "".join(f"{d}\n12:00:0{n}.5 PM\n" for n, d in enumerate(DATA)).encode(),
    "cat-A": SSE.replace("\n", "$\n").encode(),
    "cat-A-crlf": SSE.replace("\n", "^M$\n").encode(),
    "cat-v": SSE.replace("\n", "^M\n").encode(),
    "quotes-of-a-page": re.sub('"(.*?)"', "\u201c\\1\u201d", SSE).encode(),
    "blanks-of-a-page": SSE.replace(" ", "\u00a0").encode(),
    "blank-of-a-page": SSE.replace("data: ", "data:\u00a0").encode(),
    "html-tags": (
        "<p>" + SSE.replace('"', "&quot;").replace("\n", "<br/>\n") + "</p></body>"
    ).encode(),
    "sizes-in-a-page": (
        f"It said:\n\ndata{_chunked(chr(10)).partition('data')[2]}"
    ).encode(),
    "html-numbers": SSE.replace('"', "&#34;").encode(),
    "escaped-text": json.dumps(SSE)[1:-1].encode(),
    "escaped-lines": "\n".join(json.dumps(f"data: {d}")[1:-1] for d in DATA).encode(),
    "terminal-modes": (
        f"$ {_CURL}\n\x1b[?2004l{SSE}\x1b[?2004h$ exit\n\x1b[?2004l\n"
    ).encode(),
    # a head without its blank line, and JSON in front that was asked
    "curl-progress-glued": f"100   147    0  0:00:01 --:--:--   100{SSE}".encode(),
    "ngrep": f"HTTP/1.1 200 OK.\ncontent-type: x.\n.\n{SSE}".encode(),
    "ngrep-behind-its-line": (
        f"T 127.0.0.1:1 -> 127.0.0.1:2 [AP] #6\nHTTP/1.1 200 OK.\na: x.\n.\n{SSE}"
    ).encode(),
    "okhttp": (
        f"--> POST {URL}\n\n{json.dumps(ASKED)}\n--> END POST\n<-- 200 OK (12ms)\n"
        f"content-type: text/event-stream\n\n{SSE}"
    ).encode(),
    # lines that a log cut, and several events on one
    "log-kubernetes": "".join(
        f"2026-01-01T00:00:00Z stdout {'F' if at + 60 >= len(d) else 'P'} "
        f"{d[at : at + 60]}\n"
        for d in (f"data: {d}" for d in DATA)
        for at in range(0, len(d), 60)
    ).encode(),
    "log-begins-bare": (
        f"start\ndata: {DATA[0]}\n" + "".join(f"got data: {d}\n" for d in DATA[1:])
    ).encode(),
    "log-of-access": "".join(
        f'INFO 127.0.0.1 - "POST /v1/chat/completions" 200\nDEBUG data: {d}\n'
        for d in DATA
    ).encode(),
    "log-events-on-one-line": " ".join(
        f"event: {one['type']} data: {json.dumps(one)}" for one in MESSAGES
    ).encode(),
    "log-in-two-wordings-with-ids": "".join(
        f"PRE: {json.dumps(c)}\nPOST: {json.dumps({**c, 'id': 'x', 'usage': None})}\n"
        for c in CHUNKS
    ).encode(),
    # objects as other languages print them, and models without a name
    "javascript": "".join(f"{_javascript(c)}\n" for c in CHUNKS).encode(),
    "javascript-array": (
        "[\n" + "".join(f"  {_javascript(c)},\n" for c in CHUNKS) + "]\n"
    ).encode(),
    "javascript-over-lines": "".join(
        f"12:00 chunk Chunk {{\n  id: 'c',\n  x: undefined,\n  object: "
        f"'chat.completion.chunk',\n  choices: {_javascript(c['choices'])}\n}}\n"
        for c in CHUNKS
    ).encode(),
    "javascript-long-text": (
        b"{\n  id: 'c',\n  choices: [ { index: 0, finish_reason: 'stop', delta: {\n"
        b"      content: 'Hi ' +\n        'you'\n  } } ]\n}\n"
    ),
    "ruby": "".join(f"{_ruby(c, '=>')}\n" for c in CHUNKS).encode(),
    "ruby-symbols": re.sub(
        r'"(\w+)" =>', r":\1 =>", "".join(f"{_ruby(c, ' => ')}\n" for c in CHUNKS)
    ).encode(),
    "elixir": "".join(
        f"{_ruby(c, ' => ').replace('{', '%{')}\n" for c in CHUNKS
    ).encode(),
    "gemini-python": "".join(
        f"candidates=[Candidate(content=Content(parts=[Part(text={text!r})], role='a'),"
        f" finish_reason={reason}, index=0)] model_version='a b=c'\n"
        for text, reason in (("Hi", "None"), (" you", "<FinishReason.STOP: 'STOP'>"))
    ).encode(),
    "gemini-python-repr": "".join(
        f"GenerateContentResponse(candidates=[Candidate(content=Content(parts=[Part("
        f"text={text!r})]), finish_reason={reason}, index=0)])\n"
        for text, reason in (("Hi", "None"), (" you", "<FinishReason.STOP: 'STOP'>"))
    ).encode(),
    "ollama-python": "".join(
        f"model='m' done={bool(why)} done_reason={why!r} message=Message(role='a', "
        f"content={text!r}, tool_calls=None)\n"
        for text, why in (("Hi", None), (" you", None), ("", "stop"))
    ).encode(),
    "python-lines-that-hold-data": "".join(
        f"{f'data: {d}'.encode()!r}\n" for d in DATA
    ).encode(),
    "csv-semicolons": "".join(
        ["id;chunk\n", *(f'1;"{d.replace(chr(34), chr(34) * 2)}"\n' for d in DATA)]
    ).encode(),
    "csv-newest-first": "".join(
        [
            "@timestamp,message\n",
            *(
                f'2026-01-0{9 - n}T00:00:00Z,"{d.replace(chr(34), chr(34) * 2)}"\n'
                for n, d in enumerate(DATA[::-1])
            ),
        ]
    ).encode(),
}
"""Files by what they are; each answers "Hi you"."""
