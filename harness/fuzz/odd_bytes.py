"""Odd forms of a stream that only a consumer of bytes sees."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING, Any

from harness.apis.framing import encode_payload
from harness.core.sse import encode_event
from harness.fuzz.finding_cassettes import event_bytes

if TYPE_CHECKING:
    from harness.fuzz.fuzz_inputs import FuzzInput

NO_LINE_END, MARK_FIRST = "no line end at the end", "a byte order mark first"
_SEVERAL = "data in several lines"
_REPLACED = {
    "lines end with CRLF": (b"\n", b"\r\n"),
    "no blank after the colon": (b"data: ", b"data:"),
}
_BEFORE = {
    "comments between events": b": keep-alive %d\n\n",
    "ids and times to wait": b"id: %d\nretry: 3000\n: waiting\n",
}
_OF_ANY = (
    *(NO_LINE_END, _SEVERAL, "reads end between CR and LF"),
    *("ids and times to wait", MARK_FIRST),
)
ODD_BYTES = (*_REPLACED, "comments between events", *_OF_ANY)
"""What only a consumer of bytes sees, of any API."""
ODD_BYTES_OF_CHAT = ("[DONE] twice", "a JSON body in place of a stream", *_OF_ANY)
"""The same of chat, which has dialects for the others."""


def odd_bytes(kind: str, stream: FuzzInput, api: str = "chat") -> FuzzInput:
    """Return a stream as odd bytes.

    Args:
        kind: One of `ODD_BYTES` or `ODD_BYTES_OF_CHAT`.
        stream: Payloads.
        api: Whose events they are.
    """
    events = tuple(event_bytes(stream, api))
    match kind:
        case "[DONE] twice":
            return (*events, encode_event("[DONE]"))
        case _ if kind in _REPLACED:
            return tuple(event.replace(*_REPLACED[kind]) for event in events)
        case _ if kind in _BEFORE:
            numbered = enumerate(events, 1)
            return tuple(_BEFORE[kind] % number + event for number, event in numbered)
        case "reads end between CR and LF":  # ax-llm/ax#622
            lines = b"".join(odd_bytes(_SEVERAL, stream, api)).replace(b"\n", b"\r\n")
            return tuple(re.split(rb"(?<=\r)", lines))
        case _ if kind == MARK_FIRST:
            return (codecs.BOM_UTF8 + events[0], *events[1:])
        case _ if kind == NO_LINE_END:
            *others, last = [e for e in events if b"[DONE]" not in e]
            return (*others, last.rstrip(b"\n"))
        case "a JSON body in place of a stream":
            message = {"role": "assistant", "content": "Hello there"}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            body = {**stream[0], "object": "chat.completion", "choices": [choice]}
            return (json.dumps(body).encode(),)
        case _:  # data in several lines
            return tuple(
                event.replace(encode_payload(payload).encode(), _lines(payload))
                for event, payload in zip(events, stream, strict=False)
            )


def _lines(payload: dict[str, Any]) -> bytes:
    text = json.dumps(payload, ensure_ascii=False, indent=0)
    return text.replace("\n", "\n:\ndata: ").encode()  # a comment ends no event
