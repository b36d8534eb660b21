"""More cases of every odd kind, in other APIs, fields and places."""

# ruff: noqa: E501 - a case and what is reported of it are read together

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import replay
from harness.cassettes.model import Cassette, Exchange, Request, Response
from harness.core.diagnostics import Severity


def chunk(delta: Any, finish: Any = None, **fields: Any) -> dict[str, Any]:
    """Return a chat chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]} | fields


def anthropic(*inner: dict[str, Any], stop: str = "end_turn") -> list[dict[str, Any]]:
    """Return a Messages stream with these events in it."""
    message = {"id": "m", "type": "message", "role": "assistant", "content": []}
    return [
        {"type": "message_start", "message": message},
        *inner,
        {"type": "message_delta", "delta": {"stop_reason": stop}},
        {"type": "message_stop"},
    ]


def block(*deltas: str, kind: str = "text", index: int = 0) -> list[dict[str, Any]]:
    """Return a text block."""
    start = {"type": kind, "text": ""}
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *[
            {
                "type": "content_block_delta",
                "index": index,
                "delta": {"type": "text_delta", "text": text},
            }
            for text in deltas
        ],
        {"type": "content_block_stop", "index": index},
    ]


def gemini(*texts: str, finish: str | None = "STOP", **fields: Any) -> list[Any]:
    """Return a Gemini stream with a text in each event."""
    events: list[Any] = [
        {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}}]}
        for text in texts
    ]
    if finish is not None:
        events.append({"candidates": [{"finishReason": finish}]} | fields)
    return events


def responses(*deltas: str, done: str | None = None) -> list[dict[str, Any]]:
    """Return a Responses stream with one message."""
    at = {"item_id": "i", "output_index": 0, "content_index": 0}
    text = "".join(deltas) if done is None else done
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"type": "message", "id": "i", "role": "assistant", "content": [part]}
    added = item | {"content": []}
    return [
        {"type": "response.created", "response": {"id": "r", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": added},
        *[{"type": "response.output_text.delta", **at, "delta": d} for d in deltas],
        {"type": "response.output_text.done", **at, "text": text},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {
            "type": "response.completed",
            "response": {"id": "r", "status": "completed", "output": [item]},
        },
    ]


END = [chunk({}, "stop"), "[DONE]"]
HI = chunk({"content": "Hi"})
CALL = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
TWICE = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}

CASES: dict[str, tuple[list[Any], str, str]] = {
    # Text that is no event.
    "stray-json-error": ([HI, '!{"error": {"message": "oom"}}', *END], "error-event", "oom"),
    "stray-detail": ([HI, '!{"detail": "no credit"}'], "error-event", "no credit"),
    "stray-error-word": ([HI, "!error: upstream reset"], "error-event", "upstream reset"),
    "stray-html-first": (["!<html><title>504 Time-out</title></html>", HI, *END], "error-event", "504 Time-out"),
    "stray-words": ([HI, "!warming up the model", *END], "stray-text", "warming up"),
    "stray-in-anthropic": ([*anthropic(*block("Hi"))[:3], '!{"message": "overloaded"}'], "error-event", "overloaded"),
    "stray-nul": ([HI, "!\0\0", *END], "stray-text", "\\x00"),
    "error-named": ([HI, ("error", {"message": "boom"})], "error-event", "boom"),
    "error-plain-text": ([HI, ("error", "upstream timeout")], "error-event", "upstream timeout"),
    "error-text": ([HI, {"error": "rate limit"}], "error-event", "rate limit"),
    "error-anthropic": (
        [*anthropic(*block("Hi"))[:3], ("error", {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}})],
        "error-event", "busy",
    ),
    "error-gemini": ([*gemini("Hi", finish=None), {"error": {"code": 503, "message": "unavailable"}}], "error-event", "unavailable"),
    "error-responses": ([*responses("Hi")[:3], {"type": "error", "code": "x", "message": "slow down"}], "error-event", "slow down"),
    # Parts that no message carries, and odd shapes.
    "audio-one-piece": ([chunk({"audio": {"transcript": "Hello"}}), *END], "not-emitted", "'Hello'"),
    "delta-list": ([chunk(["Hi"]), *END], "unread-text", "choices[].delta[]"),
    "content-number": ([chunk({"content": 7}), *END], "unread-text", "choices[].delta.content"),
    "arguments-renamed": (
        [chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "argument": "{}"}}]}), *END],
        "unread-text", "tool_calls[].function.argument",
    ),
    "content-renamed": ([chunk({"text": "Hi"}), *END], "unread-text", "choices[].delta.text"),
    "anthropic-renamed": (
        anthropic(*block(), {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "txt": "Hi"}}),
        "unread-text", "txt",
    ),
    "gemini-renamed": ([{"candidates": [{"content": {"parts": [{"txt": "Hi"}]}}]}, *gemini()], "unread-text", "txt"),
    "responses-renamed": (
        [*responses()[:2], {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "dlta": "Hi"},
         *responses()[2:]],
        "unread-text", "dlta",
    ),
    # The answer said twice, or otherwise at the end.
    "message-differs": (
        [HI, {"choices": [{"index": 0, "message": {"content": "Bye"}, "finish_reason": "stop"}]}, *END],
        "done-differs", "'Bye'",
    ),
    "responses-done-differs": (responses("Hi", done="Ho"), "done-differs", "differs"),
    # Habits.
    "finish-twice": ([HI, chunk({}, "stop"), *END], "two-finishes", "'stop'"),
    "finish-twice-anthropic": ([*anthropic(*block("Hi"))[:-1], TWICE, {"type": "message_stop"}], "two-finishes", "'tool_use'"),
    "finish-twice-gemini": ([*gemini("Hi"), *gemini(finish="MAX_TOKENS")], "two-finishes", "'MAX_TOKENS'"),
    "text-after-finish-gemini": ([*gemini("Hi"), *gemini("more", finish=None)], "after-finish", "'more'"),
    "call-after-finish": (
        [HI, chunk({}, "stop"), chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]}), "[DONE]"],
        "after-finish", "a call",
    ),
    "done-three-times": ([HI, *END, "[DONE]", "[DONE]"], "done-twice", "[DONE]"),
    "cumulative-anthropic": (anthropic(*block("A", "A b", "A b c", "A b c d")), "cumulative", "each of 4 texts"),
    "cumulative-gemini": (gemini("A", "A b", "A b c", "A b c d"), "cumulative", "each of 4 texts"),
    "empty-finish": ([chunk({"content": "Hi"}, ""), chunk({}, ""), "[DONE]"], "empty-finish", "empty text"),
    "id-changes": ([HI, chunk({"content": "a"}, id="d"), *END], "changed-identity", "'d'"),
    "model-changes": ([{**HI, "model": "a"}, {**HI, "model": "b"}, *END], "changed-identity", "'b'"),
    "marker-in-text": ([chunk({"content": "<tool_"}), chunk({"content": "call>{}"}), *END], "template-marker", "<tool_call>"),
    "marker-in-name": (
        [chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f<|channel|>x", "arguments": "{}"}}]}),
         chunk({}, "tool_calls"), "[DONE]"],
        "template-marker", "<|channel|>",
    ),
    "marker-in-anthropic": (anthropic(*block("<|im_", "end|>")), "template-marker", "<|im_end|>"),
}  # fmt: skip
"""Events (`!` in front: a line as it is), the kind reported, and what its text names."""


def made(events: list[Any]) -> Cassette:
    """Return a cassette with one stream of these events."""
    lines = []
    for event in events:
        name, data = event if isinstance(event, tuple) else ("", event)
        if isinstance(data, str) and data.startswith("!"):
            lines.append(f"{data[1:]}\n\n")
            continue
        if isinstance(data, dict):
            name = name or (data["type"] if isinstance(data.get("type"), str) else "")
        text = data if isinstance(data, str) else json.dumps(data)
        lines.append(
            f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n"
        )
    body = "".join(lines).encode()
    return Cassette(
        "made", [Exchange(0, Request("POST", ""), Response(200, body=body))]
    )


@pytest.mark.parametrize(("events", "kind", "text"), CASES.values(), ids=CASES)
def test_oddity_is_reported_by_its_name(
    events: list[Any], kind: str, text: str
) -> None:
    """The kind, with the thing it is about in its text."""
    found = replay(made(events), "queuing").diagnostics
    assert [one for one in found if one.kind == kind and text in one.text], found


FINE: dict[str, list[Any]] = {
    "chat": [HI, *END],
    "anthropic": anthropic(*block("Hi")),
    "gemini": gemini("Hi", "you"),
    "responses": responses("Hi", " you"),
    "texts-that-begin-alike": [chunk({"content": t}) for t in ("a", "ab", "abc", "x")]
    + END,
    "less-than": [chunk({"content": t}) for t in ("a < b", " [1]", " <b>")] + END,
    "retry-and-comments": ["!: ping", "!retry: 10", "!id: 1", HI, *END],
    "errors-that-are-none": [{**HI, "error": None}, *END],
}


@pytest.mark.parametrize("events", FINE.values(), ids=FINE)
def test_ordinary_stream_has_nothing_reported(events: list[Any]) -> None:
    """Near misses of the kinds above."""
    found = replay(made(events), "queuing").diagnostics
    assert [one for one in found if one.kind.severity is not Severity.NOTE] == []


def test_whole_message_with_more_than_its_deltas_adds_the_rest() -> None:
    """What the deltas lack is emitted, what they had is not again."""
    events = [HI, {"choices": [{"index": 0, "message": {"content": "Hi you"}}]}, *END]
    answer = replay(made(events), "queuing").responses[0].choices[0]
    assert answer.content == "Hi you"


@pytest.mark.parametrize("streamed", [[], [CALL]], ids=["only there", "streamed too"])
def test_whole_message_ends_the_answer_and_brings_calls(streamed: list[Any]) -> None:
    """Its finish counts; its calls are read once, whether they were streamed or not."""
    message = {"content": "Hi", "tool_calls": [CALL]}
    deltas = [chunk({"tool_calls": [call]}) for call in streamed]
    last = {
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    }
    transcript = replay(made([HI, *deltas, last, "[DONE]"]), "queuing")
    answer = transcript.responses[0].choices[0]
    assert [(c.name, c.arguments) for c in answer.calls] == [("f", "{}")]
    assert "missing-finish" not in [one.kind for one in transcript.diagnostics]
