"""Ways for a generateContent stream to go wrong, done to written events or bytes.

Each takes the stream and a number, which some ignore.
"""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent
from harness.apis.edits import at_number, edited, ended, every, inserted, without
from harness.apis.faults import read_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.base import Payload
    from harness.apis.edits import Change, Events, Stream


def _with(payload: Payload, **candidate: Any) -> WrittenEvent:
    """Return an event whose first candidate has other fields."""
    first, *others = payload.get("candidates") or [{}]
    return WrittenEvent("", {**payload, "candidates": [first | candidate, *others]})


def _each_part(
    events: Events, _: int, change: Callable[[dict[str, Any]], dict[str, Any] | None]
) -> Stream:
    """Change every part; events that lose all parts are gone."""
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


_STATUS = {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}
_ERROR = WrittenEvent("", {"error": _STATUS})


def _ended(events: Events, number: int, **entry: Any) -> Stream:
    """End with a candidate in place of the event after a number of them, if any."""
    last = at_number(lambda _: [WrittenEvent("", {"candidates": [entry]})])
    return islice(last(events, number), number + 1)


def _unfinished(event: WrittenEvent) -> Events:
    entries = [without(entry, "finishReason") for entry in event.payload["candidates"]]
    return [edited(event, candidates=entries)]


def _finished_again(event: WrittenEvent) -> Events:
    """Return an event and, each in one of its own, its finish reasons once more."""
    yield event
    for entry in event.payload["candidates"]:
        if "finishReason" in entry:
            yield WrittenEvent("", {"candidates": [without(entry, "content")]})


def _late_text(events: Events, _: int) -> Stream:
    """Send text behind the end."""
    yield from events
    content = {"parts": [{"text": "late"}], "role": "model"}
    yield WrittenEvent("", {"candidates": [{"content": content, "index": 0}]})


def _is_last(event: WrittenEvent) -> bool:
    entries = event.payload.get("candidates", ())
    return any("finishReason" in entry for entry in entries)


def _other_response(events: Events, number: int) -> Stream:
    """Change the id of the response."""
    for index, event in enumerate(events):
        payload = {"responseId": "response", **event.payload}
        if index >= number:
            payload["responseId"] = "another-response"
        yield WrittenEvent("", payload)


def _has_content(event: WrittenEvent) -> bool:
    return "content" in (event.payload.get("candidates") or [{}])[0]


def _of_user(event: WrittenEvent) -> Events:
    content = event.payload["candidates"][0]["content"]
    return [_with(event.payload, content={**content, "role": "user"})]


def _changed_call(part: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**part, "functionCall": part.get("functionCall", {}) | fields}


def _is_call(part: dict[str, Any]) -> bool:
    return "name" in part.get("functionCall", {})


def _is_end_of_text(part: dict[str, Any]) -> bool:
    pieces = part.get("functionCall", {}).get("partialArgs", ())
    return any(piece.get("stringValue") == "" for piece in pieces)


def _dropping(is_it: Callable[[dict[str, Any]], bool]) -> Change:
    return partial(_each_part, change=lambda part: None if is_it(part) else part)


def _changing(
    is_it: Callable[[dict[str, Any]], bool],
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> Change:
    return partial(
        _each_part, change=lambda part: change(part) if is_it(part) else part
    )


def _has_text(part: dict[str, Any]) -> bool:
    return "text" in part


def _cut_bytes(frames: Iterable[bytes], number: int) -> Iterator[bytes]:
    """Break off inside an event."""
    for index, frame in enumerate(frames):
        if index == number:
            yield frame[: len(frame) // 2]
            return
        yield frame


def _not_closed(frames: Iterable[bytes], _: int) -> Iterator[bytes]:
    """Take out the last piece of bytes."""
    waiting = b""
    for frame in frames:
        if waiting:
            yield waiting
        waiting = frame


_then_nothing = at_number(
    lambda event: [event, WrittenEvent("", {"candidates": [{"index": 0}]})]
)
_IMAGE = {"mimeType": "image/png", "data": ""}

CHANGES: dict[str, Change] = {
    "error": ended(_ERROR),
    "error-then-more": at_number(lambda event: [_ERROR, event]),
    "empty": lambda events, _: islice(events, 0),
    "no-finish": every(_is_last, _unfinished),
    "two-finishes": every(_is_last, _finished_again),
    "late-text": _late_text,
    "new-finish": every(_is_last, lambda e: [_with(e.payload, finishReason="DONE")]),
    "recitation": partial(_ended, finishReason="RECITATION"),
    "malformed-call": partial(
        _ended,
        finishReason="MALFORMED_FUNCTION_CALL",
        finishMessage="Malformed function call: print(default_api.f(",
    ),
    "no-content": lambda events, number: _then_nothing(events, number - 1),
    "other-response": _other_response,
    "blocked": inserted(
        WrittenEvent("", {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    ),
    "user": every(_has_content, _of_user),
    "call-never-closed": _dropping(lambda part: part == {"functionCall": {}}),
    "call-unnamed": _dropping(
        lambda part: _is_call(part) and "willContinue" in part["functionCall"]
    ),
    "text-not-ended": _dropping(_is_end_of_text),
    "same-id": _changing(_is_call, lambda part: _changed_call(part, id="call")),
    "args-as-text": _changing(_is_call, lambda part: _changed_call(part, args="{}")),
    "signature": _changing(
        _has_text, lambda p: {**p, "thoughtSignature": "not base64!"}
    ),
    "two-kinds": _changing(_has_text, lambda part: {**part, "inlineData": _IMAGE}),
}
"""What is done to events, by fault."""

BYTE_CHANGES = {"cut": _cut_bytes, "array-not-closed": _not_closed}
"""What is done to the bytes of each event."""

FAULTS = read_faults(
    "gemini", lambda name: {"change": CHANGES.get(name), "data": BYTE_CHANGES.get(name)}
)
"""The faults by name."""
