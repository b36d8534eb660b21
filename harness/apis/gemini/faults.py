"""Ways for a generateContent stream to go wrong, done to written events or bytes.

Each is a value that names what shows it: a rule that it breaks, a diagnostic of the
reader, or a finish reason. A position beyond the end of the stream does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from harness.apis.base import WrittenEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness.apis.base import Payload

__all__ = ["FAULTS", "Fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong."""

    name: str
    summary: str
    """One line for a help text; K is the number."""
    shows: str
    """`gemini/RULE`, the kind of a diagnostic, or `finish REASON`."""
    source: str
    """Where it was seen."""
    events: Callable[[Iterable[WrittenEvent], int], Iterator[WrittenEvent]] | None = (
        None
    )
    """What it does to events, given its number; None for a fault of bytes."""
    data: Callable[[Iterable[bytes], int], Iterator[bytes]] | None = None
    """What it does to the bytes of each event; None for a fault of events."""
    default: int | None = None
    """The number where none is given; None if the fault takes no number."""
    dialect: str = ""
    """The dialect that it needs; empty where any will do."""


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


def _error(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    error = {
        "code": 503,
        "message": "The model is overloaded.",
        "status": "UNAVAILABLE",
    }
    yield from islice(events, number)
    yield WrittenEvent("", {"error": error})


def _error_then_more(
    events: Iterable[WrittenEvent], number: int
) -> Iterator[WrittenEvent]:
    stream = iter(events)
    yield from _error(islice(stream, number), number)
    yield from stream


def _ends(reason: str) -> Callable[[Iterable[WrittenEvent], int], Any]:
    return {"RECITATION": _recitation, "MALFORMED_FUNCTION_CALL": _malformed}[reason]


def _recitation(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    yield from islice(events, number)
    yield WrittenEvent("", {"candidates": [{"finishReason": "RECITATION"}]})


def _malformed(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    yield from islice(events, number)
    entry = {
        "finishReason": "MALFORMED_FUNCTION_CALL",
        "finishMessage": "Malformed function call: print(default_api.f(",
    }
    yield WrittenEvent("", {"candidates": [entry]})


def _no_content(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    for index, event in enumerate(events):
        yield event
        if index + 1 == number:
            yield WrittenEvent("", {"candidates": [{"index": 0}]})


def _no_finish(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    for event in events:
        if "candidates" not in event.payload:
            yield event
            continue
        entries = [
            {k: v for k, v in entry.items() if k != "finishReason"}
            for entry in event.payload["candidates"]
        ]
        yield WrittenEvent(event.name, {**event.payload, "candidates": entries})


def _two_finishes(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    for event in events:
        yield event
        for entry in event.payload.get("candidates", ()):
            if "finishReason" in entry:
                rest = {k: v for k, v in entry.items() if k != "content"}
                yield WrittenEvent("", {"candidates": [rest]})


def _late_text(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    yield from events
    content = {"parts": [{"text": "late"}], "role": "model"}
    yield WrittenEvent("", {"candidates": [{"content": content, "index": 0}]})


def _new_finish(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    for event in events:
        entries = event.payload.get("candidates", ())
        is_last = any("finishReason" in entry for entry in entries)
        yield _with(event.payload, finishReason="DONE") if is_last else event


def _empty(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    yield from islice(events, 0)


def _other_response(
    events: Iterable[WrittenEvent], number: int
) -> Iterator[WrittenEvent]:
    for index, event in enumerate(events):
        response_id = "another-response" if index >= number else "response"
        yield WrittenEvent("", {**event.payload, "responseId": response_id})


def _blocked(events: Iterable[WrittenEvent], number: int) -> Iterator[WrittenEvent]:
    stream = iter(events)
    yield from islice(stream, number)
    yield WrittenEvent("", {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
    yield from stream


def _user(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
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


def _never_closed(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    return _change_parts(
        events, lambda part: None if part == {"functionCall": {}} else part
    )


def _unnamed(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    return _change_parts(events, lambda part: None if _is_call(part) else part)


def _same_id(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    return _change_parts(
        events, lambda part: _changed_call(part, id="call") if _is_call(part) else part
    )


def _args_as_text(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    return _change_parts(
        events, lambda part: _changed_call(part, args="{}") if _is_call(part) else part
    )


def _text_not_ended(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    def change(part: dict[str, Any]) -> dict[str, Any] | None:
        pieces = part.get("functionCall", {}).get("partialArgs", ())
        return None if any(piece.get("stringValue") == "" for piece in pieces) else part

    return _change_parts(events, change)


def _signature(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    return _change_parts(
        events,
        lambda part: (
            {**part, "thoughtSignature": "not base64!"} if "text" in part else part
        ),
    )


def _two_kinds(events: Iterable[WrittenEvent], _: int) -> Iterator[WrittenEvent]:
    image = {"mimeType": "image/png", "data": ""}
    return _change_parts(
        events, lambda part: {**part, "inlineData": image} if "text" in part else part
    )


def _cut(frames: Iterable[bytes], number: int) -> Iterator[bytes]:
    for index, frame in enumerate(frames):
        if index == number:
            yield frame[: len(frame) // 2]
            return
        yield frame


def _not_closed(frames: Iterable[bytes], _: int) -> Iterator[bytes]:
    waiting = b""
    for frame in frames:
        if waiting:
            yield waiting
        waiting = frame


_PAGE = "ServiceNow/eva#206, adk-go#442: gateways that rebuild parts"
_GATEWAY = "made: what a server under test may do wrong"
_ROUTE = "diegosouzapw/OmniRoute#4177"

FAULTS = {
    fault.name: fault
    for fault in (
        Fault("error", "an error after K events, then the end", "error-event", _ROUTE, _error, default=1),
        Fault("error-then-more", "an error after K events, and the rest", "gemini/error-last", _GATEWAY, _error_then_more, default=1),
        Fault("empty", "no event at all", "missing-finish", "gateways that time out", _empty),
        Fault("no-finish", "no finishReason", "gemini/finish-present", "google-genai 3.6 passes it in silence", _no_finish),
        Fault("two-finishes", "the finishReason comes twice", "gemini/finish-once", "songquanpeng/one-api#1408", _two_finishes),
        Fault("late-text", "text after the finishReason", "gemini/finish-last", "songquanpeng/one-api#1408", _late_text),
        Fault("new-finish", "a finishReason that is not documented", "gemini/finish-known", "kartsan03/wiretruth", _new_finish),
        Fault("recitation", "finishReason RECITATION after K events", "finish RECITATION", "Gemini API reference, FinishReason", _recitation, default=1),
        Fault("malformed-call", "MALFORMED_FUNCTION_CALL without content after K events", "finish MALFORMED_FUNCTION_CALL", "Gemini API reference, FinishReason", _malformed, default=0),
        Fault("no-content", "a candidate without content after K events", "gemini/candidate-empty", _GATEWAY, _no_content, default=1),
        Fault("other-response", "another responseId after K events", "gemini/same-response", "gateways that retry", _other_response, default=1),
        Fault("blocked", "the prompt is refused after K events, and the rest", "gemini/blocked-alone", _GATEWAY, _blocked, default=0),
        Fault("user", "contents have the role `user`", "gemini/role", _GATEWAY, _user),
        Fault("call-never-closed", "streamed calls are not closed", "gemini/call-closed", "recordings of vercel/ai, missing-terminal-function-call", _never_closed, dialect="partial-args"),
        Fault("call-unnamed", "streamed calls lack their beginning", "gemini/call-named", "BerriAI/litellm#23815", _unnamed, dialect="partial-args"),
        Fault("text-not-ended", "texts of streamed calls are not ended", "gemini/partial-args", "BerriAI/litellm#23815", _text_not_ended, dialect="partial-args"),
        Fault("same-id", "every call has the same id", "gemini/call-id", "brainlid/langchain#620", _same_id),
        Fault("args-as-text", "`args` is JSON text", "gemini/call-args", "gateways that translate from chat completions", _args_as_text),
        Fault("signature", "signatures are no base64", "gemini/signature", _PAGE, _signature),
        Fault("two-kinds", "a part is text and image at once", "gemini/part-one-kind", _PAGE, _two_kinds),
        Fault("cut", "the stream breaks off inside event K", "unreadable-payload", "MervinPraison/PraisonAI#1029", data=_cut, default=1),
        Fault("array-not-closed", "the array is never closed", "missing-end", "avante.nvim#432", data=_not_closed, dialect="gemini-array"),
    )
}  # fmt: skip
"""The faults by name."""
