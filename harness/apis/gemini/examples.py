"""Small made streams of generateContent, one of each shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import Event
from harness.apis.gemini.reader import Reader

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.core.parts import Part

__all__ = ["EXAMPLES", "example_events", "example_parts"]

_HEAD = {"modelVersion": "gemini-2.5-flash", "responseId": "example"}
_SIGNATURE = "ZXhhbXBsZQ=="


def _stream(*events: list[dict[str, Any]], **ending: Any) -> tuple[Payload, ...]:
    """Return a stream: the parts of each event, and the last candidate's fields."""
    ending.setdefault("finishReason", "STOP")
    payloads: list[Payload] = []
    for number, parts in enumerate(events, 1):
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if number == len(events):
            candidate |= ending
        counts = {"promptTokenCount": 7, "candidatesTokenCount": 3 * number}
        counts["totalTokenCount"] = 7 + 3 * number
        payloads.append({"candidates": [candidate], "usageMetadata": counts, **_HEAD})
    return tuple(payloads)


def _text(text: str, **more: Any) -> dict[str, Any]:
    return {"text": text, **more}


def _call(name: str, **args: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args}}


def _piece(path: str, *, goes_on: bool = False, **value: Any) -> dict[str, Any]:
    entry = {"jsonPath": path, **value}
    if goes_on:
        entry["willContinue"] = True
    return {"functionCall": {"partialArgs": [entry], "willContinue": True}}


_OPEN = {"functionCall": {"name": "get_weather", "willContinue": True}}
_CLOSED: dict[str, Any] = {"functionCall": {}}

EXAMPLES: dict[str, tuple[Payload, ...]] = {
    "text": _stream([_text("It is ")], [_text("sunny 🙂")], [_text(" in Oslo.")]),
    "thoughts": _stream(
        [_text("The user asks ", thought=True)],
        [_text("for the weather.", thought=True)],
        [_text("It is sunny.")],
        [_text("", thoughtSignature=_SIGNATURE)],
    ),
    "signed-text": _stream(
        [_text("It is "), _text("sunny.", thoughtSignature=_SIGNATURE)],
    ),
    "call": _stream(
        [{**_call("get_weather", city="Oslo"), "thoughtSignature": _SIGNATURE}],
        [_text("")],
    ),
    "call-without-arguments": _stream([{"functionCall": {"name": "get_time"}}]),
    "parallel-calls": _stream(
        [_text("I look.")],
        [_call("get_weather", city="Oslo"), _call("get_weather", city="Rome")],
        [_call("get_weather", city="Oslo")],
    ),
    "calls-with-ids": _stream(
        [
            {
                "functionCall": {
                    "name": "f",
                    "args": {"n": [1, {"b": None}]},
                    "id": "c1",
                }
            },
            {
                "functionCall": {
                    "name": "f",
                    "args": {"n": [2, {"b": True}]},
                    "id": "c2",
                }
            },
        ]
    ),
    "streamed-calls": _stream(
        [{**_OPEN, "thoughtSignature": _SIGNATURE}],
        [_piece("$.city", stringValue="Os", goes_on=True)],
        [_piece("$.city", stringValue="lo", goes_on=True)],
        [_piece("$.city", stringValue="")],
        [_piece("$.days[0].offset", numberValue=1)],
        [_CLOSED],
        [_OPEN],
        [_piece("$.city", stringValue="Rome", goes_on=True)],
        [_piece("$.city", stringValue="")],
        [_CLOSED],
    ),
    "server-tools": _stream(
        [{"executableCode": {"language": "PYTHON", "code": "print(1)"}}],
        [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}],
        [_text("One.")],
        groundingMetadata={"webSearchQueries": ["one"]},
        citationMetadata={"citations": [{"uri": "https://example.org"}]},
    ),
    "image": _stream([{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}]),
    "length": _stream([_text("It is ")], [_text("su")], finishReason="MAX_TOKENS"),
    "safety": (
        *_stream([_text("It is ")], finishReason=""),
        {"candidates": [{"finishReason": "SAFETY", "index": 0}], **_HEAD},
    ),
    "malformed-call": (
        {
            "candidates": [
                {
                    "finishReason": "MALFORMED_FUNCTION_CALL",
                    "finishMessage": "Malformed function call: get_weather(",
                    "index": 0,
                }
            ],
            **_HEAD,
        },
    ),
    "blocked-prompt": (
        {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **_HEAD},
    ),
    "error": (
        *_stream([_text("It is ")], finishReason=""),
        {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}},
    ),
    "two-candidates": (
        {
            "candidates": [
                {
                    "content": {"parts": [_text(text)], "role": "model"},
                    "finishReason": "STOP",
                    "index": index,
                }
                for index, text in enumerate(("Sunny.", "Rain."))
            ],
            **_HEAD,
        },
    ),
}
"""The events of each stream, by its name."""


def example_events(name: str) -> list[Event]:
    """Return the events of a made stream, one of `EXAMPLES`."""
    return [Event(n, "", payload) for n, payload in enumerate(EXAMPLES[name])]


def example_parts(name: str) -> list[Part]:
    """Return the parts of a made stream, one of `EXAMPLES`."""
    reader = Reader()
    parts = [part for event in example_events(name) for part in reader.feed(event)]
    return parts + reader.close()
