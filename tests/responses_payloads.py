"""Payloads of Responses events for tests, and what a stream of them adds up to."""

from __future__ import annotations

from typing import Any

from tests.responses_streams import Answer, answer_of, made, problems, read

Payload = dict[str, Any]


def event(kind: str, **fields: Any) -> Payload:
    """Return the payload of an event."""
    return {"type": f"response.{kind}", **fields}


def created(**fields: Any) -> Payload:
    """Return the event that begins a response."""
    return event("created", response={"id": "r1", "status": "in_progress", **fields})


def ended(kind: str = "completed", **fields: Any) -> Payload:
    """Return an event that ends a response."""
    return event(kind, response={"id": "r1", "status": kind, **fields})


def text(delta: str, index: int = 0, **fields: Any) -> Payload:
    """Return a delta of text."""
    return event(
        "output_text.delta", output_index=index, content_index=0, delta=delta, **fields
    )


def arguments(delta: str, index: int, **fields: Any) -> Payload:
    """Return a delta of a function call's arguments."""
    return event(
        "function_call_arguments.delta", output_index=index, delta=delta, **fields
    )


def added(index: int, **item: Any) -> Payload:
    """Return an added item."""
    return event("output_item.added", output_index=index, item=item)


def done(index: int, **item: Any) -> Payload:
    """Return a done item."""
    return event("output_item.done", output_index=index, item=item)


def message(said: str, **fields: Any) -> Payload:
    """Return a whole message."""
    return {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "content": [{"type": "output_text", "text": said}],
        **fields,
    }


def call(name: str, said: str, call_id: str = "c1", **fields: Any) -> Payload:
    """Return a whole function call."""
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": said,
        **fields,
    }


def answer(*payloads: Payload) -> Answer:
    """Return what a stream adds up to."""
    return answer_of(read(made(*payloads)))


def reported(*payloads: Payload) -> list[tuple[str, str]]:
    """Return the problems of a stream."""
    return problems(read(made(*payloads)))


F: Payload = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f"}
"""A function call without its arguments."""
