"""What the faults of `harness.apis.gemini.faults` do to written events and bytes.

Each takes the stream and a number, which some ignore.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.base import Payload

__all__ = [
    "args_as_text",
    "blocked",
    "cut",
    "empty",
    "error",
    "error_then_more",
    "late_text",
    "malformed",
    "never_closed",
    "new_finish",
    "no_content",
    "no_finish",
    "not_closed",
    "other_response",
    "recitation",
    "same_id",
    "signature",
    "text_not_ended",
    "two_finishes",
    "two_kinds",
    "unnamed",
    "user",
]


def _with(payload: Payload, **candidate: Any) -> WrittenEvent:
    """Return an event whose first candidate has other fields; None takes one out."""
    entries = payload.get("candidates") or [{}]
    entry = {k: v for k, v in {**entries[0], **candidate}.items() if v is not None}
    return WrittenEvent("", {**payload, "candidates": [entry, *entries[1:]]})


def _change_parts(
    events: Iterable[WrittenEvent],
    change: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> Iterator[WrittenEvent]:
    """Yield the events with every part changed; those that lose all parts are gone."""
    for event in events:
        entries, had, has = [], 0, 0
        for entry in event.payload.get("candidates", ()):
            content = entry.get("content")
            if content is None:
                entries.append(entry)
                continue
            had += len(content["parts"])
            parts = [
                new for part in content["parts"] if (new := change(part)) is not None
            ]
            has += len(parts)
            entries.append({**entry, "content": {**content, "parts": parts}})
        if entries and (has or not had or any("finishReason" in e for e in entries)):
            yield WrittenEvent(event.name, {**event.payload, "candidates": entries})
        elif not entries:
            yield event


def error(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    """Send an error and end."""
    error = {
        "code": 503,
        "message": "The model is overloaded.",
        "status": "UNAVAILABLE",
    }
    yield from islice(events, number)
    yield WrittenEvent("", {"error": error})


def error_then_more(
    events: Iterable[WrittenEvent], number: int
) -> Iterator[WrittenEvent]:
    """Send an error and go on."""
    stream = iter(events)
    yield from islice(stream, number)
    for event in stream:
        yield from error((), 0)
        yield event
        yield from stream


def recitation(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    """End for recitation."""
    return _ended(events, number, {"finishReason": "RECITATION"})


def _ended(
    events: Iterable[WrittenEvent], number: int, entry: dict[str, Any]
) -> Iterator[WrittenEvent]:
    """End with a candidate in place of the event after a number of them, if any."""
    stream = iter(events)
    yield from islice(stream, number)
    for _ in islice(stream, 1):
        yield WrittenEvent("", {"candidates": [entry]})


def malformed(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    """End for a function call that could not be parsed."""
    entry = {
        "finishReason": "MALFORMED_FUNCTION_CALL",
        "finishMessage": "Malformed function call: print(default_api.f(",
    }
    return _ended(events, number, entry)


def no_content(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    """Send a candidate that has nothing."""
    for index, event in enumerate(events):
        yield event
        if index + 1 == number:
            yield WrittenEvent("", {"candidates": [{"index": 0}]})


def no_finish(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Take out the finish reasons."""
    for event in events:
        if "candidates" not in event.payload:
            yield event
            continue
        entries = [
            {k: v for k, v in entry.items() if k != "finishReason"}
            for entry in event.payload["candidates"]
        ]
        yield WrittenEvent(event.name, {**event.payload, "candidates": entries})


def two_finishes(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Send each finish reason twice."""
    for event in events:
        yield event
        for entry in event.payload.get("candidates", ()):
            if "finishReason" in entry:
                rest = {k: v for k, v in entry.items() if k != "content"}
                yield WrittenEvent("", {"candidates": [rest]})


def late_text(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Send text behind the end."""
    yield from events
    content = {"parts": [{"text": "late"}], "role": "model"}
    yield WrittenEvent("", {"candidates": [{"content": content, "index": 0}]})


def new_finish(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Send a finish reason that nobody knows."""
    for event in events:
        entries = event.payload.get("candidates", ())
        is_last = any("finishReason" in entry for entry in entries)
        yield _with(event.payload, finishReason="DONE") if is_last else event


def empty(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Send nothing."""
    yield from islice(events, 0)


def other_response(
    events: Iterable[WrittenEvent], number: int
) -> Iterator[WrittenEvent]:
    """Change the id of the response."""
    for index, event in enumerate(events):
        payload = {"responseId": "response", **event.payload}
        if index >= number:
            payload["responseId"] = "another-response"
        yield WrittenEvent("", payload)


def blocked(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    """Refuse the prompt and go on."""
    stream = iter(events)
    yield from islice(stream, number)
    yield WrittenEvent("", {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    yield from stream


def user(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Send contents of the user."""
    for event in events:
        entries = event.payload.get("candidates", ())
        if entries and "content" in entries[0]:
            yield _with(
                event.payload, content={**entries[0]["content"], "role": "user"}
            )
        else:
            yield event


def _changed_call(part: dict[str, Any], **fields: Any) -> dict[str, Any]:
    call = {**part.get("functionCall", {}), **fields}
    return {**part, "functionCall": {k: v for k, v in call.items() if v is not None}}


def _is_call(part: dict[str, Any]) -> bool:
    return "name" in part.get("functionCall", {})


def never_closed(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Take out what closes streamed calls."""
    return _change_parts(
        events, lambda part: None if part == {"functionCall": {}} else part
    )


def unnamed(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Take out what begins streamed calls."""
    return _change_parts(events, lambda part: None if _is_call(part) else part)


def same_id(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Give all calls one id."""
    return _change_parts(
        events, lambda part: _changed_call(part, id="call") if _is_call(part) else part
    )


def args_as_text(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Send arguments as text."""
    return _change_parts(
        events, lambda part: _changed_call(part, args="{}") if _is_call(part) else part
    )


def text_not_ended(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Take out the ends of streamed texts."""

    def change(part: dict[str, Any]) -> dict[str, Any] | None:
        pieces = part.get("functionCall", {}).get("partialArgs", ())
        return None if any(piece.get("stringValue") == "" for piece in pieces) else part

    return _change_parts(events, change)


def signature(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Spoil the signatures."""
    return _change_parts(
        events,
        lambda part: (
            {**part, "thoughtSignature": "not base64!"} if "text" in part else part
        ),
    )


def two_kinds(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    """Send text and image in one part."""
    image = {"mimeType": "image/png", "data": ""}
    return _change_parts(
        events, lambda part: {**part, "inlineData": image} if "text" in part else part
    )


def cut(frames: Iterable[bytes], number: int) -> Iterator[bytes]:
    """Break off inside an event."""
    for index, frame in enumerate(frames):
        if index == number:
            yield frame[: len(frame) // 2]
            return
        yield frame


def not_closed(frames: Iterable[bytes], _: int) -> Iterator[bytes]:
    """Take out the last piece of bytes."""
    waiting = b""
    for frame in frames:
        if waiting:
            yield waiting
        waiting = frame
