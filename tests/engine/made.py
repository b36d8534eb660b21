"""Cassettes made by hand, and an interface that notes how it was called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.cassettes.model import (
    Cassette,
    Ending,
    Exchange,
    Request,
    Response,
    WireChunk,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

CREATED = 1700000000  # 2023-11-14T22:13:20+00:00
DATE = "2023-11-14T22:13:20+00:00"
URI = "http://localhost/v1/chat/completions"

Turn = dict[str, Any]


def chunk(
    delta: Any = None,
    *,
    finish: str | None = None,
    created: Any = CREATED,
    choice: int = 0,
    **fields: Any,
) -> dict[str, Any]:
    """Return the payload of one chunk; further fields go on its top level."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": created,
        "model": "m",
        "choices": [
            {
                "index": choice,
                "delta": {} if delta is None else delta,
                "finish_reason": finish,
            }
        ],
        **fields,
    }


def text(content: str, **fields: Any) -> dict[str, Any]:
    """Return a chunk with text."""
    return chunk({"content": content}, **fields)


def call(
    arguments: str | None = None,
    *,
    index: int | None = 0,
    call_id: str | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    """Return a chunk with one fragment of a tool call."""
    entry: dict[str, Any] = {} if index is None else {"index": index}
    if call_id is not None:
        entry |= {"id": call_id, "type": "function"}
    function: dict[str, Any] = {} if name is None else {"name": name}
    if arguments is not None:
        function["arguments"] = arguments
    return chunk({"tool_calls": [{**entry, "function": function}]})


def finish(reason: str = "stop") -> dict[str, Any]:
    """Return the chunk that finishes choice 0."""
    return chunk(finish=reason)


def sse(*payloads: Any, done: bool = True) -> str:
    """Return event stream text; a string is an event's data as it is."""
    data = [p if isinstance(p, str) else json.dumps(p) for p in payloads]
    return "".join(f"data: {line}\n\n" for line in [*data, *["[DONE]"] * done])


def whole(message: dict[str, Any], **fields: Any) -> str:
    """Return the body of a completion that was not streamed."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": CREATED,
            "model": "m",
            "choices": [choice],
            **fields,
        }
    )


def exchange(
    body: str | bytes,
    messages: Sequence[Turn] | None = None,
    *,
    status: int = 200,
    wire: list[tuple[float, int]] | None = None,
    ended: Ending | None = None,
) -> Exchange:
    """Return an exchange; `cassette` numbers it."""
    request = {"stream": True, "messages": list(messages)} if messages else {}
    return Exchange(
        -1,
        Request("POST", URI, body=json.dumps(request).encode()),
        Response(
            status,
            "OK",
            body=body.encode() if isinstance(body, str) else body,
            wire=None if wire is None else [WireChunk(*read) for read in wire],
            ended=ended,
        ),
    )


def cassette(*exchanges: Exchange | str, path: str = "made.yaml") -> Cassette:
    """Return a cassette of these exchanges; a string is a body without a request."""
    made = [e if isinstance(e, Exchange) else exchange(e) for e in exchanges]
    for number, one in enumerate(made):
        one.index = number
    return Cassette(path, made)


def user(content: str) -> Turn:
    """Return a user's turn."""
    return {"role": "user", "content": content}


def asked(*calls: tuple[str, str, str]) -> Turn:
    """Return an assistant's turn with calls: id, name, arguments."""
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": i, "type": "function", "function": {"name": n, "arguments": a}}
            for i, n, a in calls
        ],
    }


def result(call_id: str, content: Any, *, role: str = "tool") -> Turn:
    """Return a tool's turn."""
    return {"role": role, "tool_call_id": call_id, "content": content}


class Spy:
    """Notes every call; what it emits is the notes, so that provenance shows.

    An entry is the method's name and what was said; the objects are in `records`.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.records: list[Any] = []
        self.chunks: list[tuple[Any, str, Any]] = []
        self._new: list[str] = []

    def _note(self, note: str, record: Any = None) -> None:
        self.notes.append(note)
        self._new.append(note)
        if record is not None:
            self.records.append(record)

    def stream_start(self) -> None:
        self._note("start")

    def process_chunk(self, chunk: Any, message_id: str, message_date: Any) -> None:
        self.chunks.append((chunk, message_id, message_date))
        self._note("chunk")

    def stream_end(self) -> None:
        self._note("end")

    def internal_monologue(self, msg: str, msg_obj: Any = None) -> None:
        self._note(f"thought {msg}", msg_obj)

    def assistant_message(self, msg: str, msg_obj: Any = None) -> None:
        assert msg_obj is None
        self._note(f"says {msg}")

    def function_message(self, msg: str, msg_obj: Any = None) -> None:
        self._note(msg, msg_obj)

    def user_message(self, msg: str, msg_obj: Any = None) -> None:
        raise AssertionError("a replay has no user")

    def step_complete(self) -> None:
        self._note("step")

    def step_yield(self) -> None:
        self._note("yield")

    def to_list(self) -> list[str]:
        new, self._new = self._new, []
        return new
