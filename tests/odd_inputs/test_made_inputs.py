"""More cases of every odd kind, in other APIs, fields and places."""

# ruff: noqa: E501 - a case and what is reported of it are read together

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from harness import replay
from harness.cassettes.model import Cassette, Exchange, Request, Response
from harness.core.diagnostics import Severity
from harness.errors import NothingToReplayError
from tests.cli.running import harness

if TYPE_CHECKING:
    from pathlib import Path


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
    "error-in-a-choice": (
        [HI, {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "slow down"}}]}],
        "error-event", "slow down",
    ),
    "error-of-minimax": ([HI, {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "no balance"}}], "error-event", "no balance"),
    "error-of-groq": ([HI, chunk({}, x_groq={"id": "r", "error": "failed_generation"})], "error-event", "failed_generation"),
    "error-of-cerebras": ([HI, {"message": "server error", "type": "server_error", "code": "", "status_code": 500}], "error-event", "server error"),
    "error-named-gemini": ([*gemini("Hi", finish=None), ("error", {"code": 5, "reason": "boom"})], "error-event", "boom"),
    "error-of-baidu": ([HI, {"error_code": 17, "error_msg": "boom"}], "error-event", "boom"),
    "error-without-success": ([*responses("Hi")[:3], {"success": False, "msg": "boom"}], "error-event", "boom"),
    "error-as-code-and-msg": ([HI, {"code": 500, "msg": "boom"}], "error-event", "boom"),
    "error-of-apigee": ([HI, {"fault": {"faultstring": "boom"}}], "error-event", "boom"),
    "error-of-amazon": ([HI, {"Message": "boom"}], "error-event", "boom"),
    "errors-in-a-list": ([*anthropic(*block("Hi"))[:3], {"errors": [{"message": "boom"}]}], "error-event", "boom"),
    "error-by-its-object": ([*anthropic(*block("Hi"))[:3], {"object": "error", "message": "boom"}], "error-event", "boom"),
    "error-detail-anthropic": ([*anthropic(*block("Hi"))[:3], {"detail": "Internal error"}], "error-event", "Internal error"),
    "joined-events": ([HI, '{"id": "c", "objdata: {"id": "c"}', *END], "unreadable-payload", "another event begins in it at character 16"),
    "framed-twice": (["data: " + json.dumps(HI), *END], "unreadable-payload", "framed twice"),
    # Parts that no message carries, and odd shapes.
    "group-of-fields": ([chunk({"context": {"a": "x", "b": [{"c": "y"}]}, "content_x": {"p": "q", "r": 1}}), *END],
                        "unread-text", "choices[].delta.content_x is no known field, or of another type: p 'q', r 1"),
    "choices-object": ([{"object": "chat.completion.chunk", "choices": {"0": {"delta": {"content": "Hi"}}}}, *END], "unread-text", "'Hi'"),
    "finish-object": ([HI, chunk({}, {"reason": "stop"}), "[DONE]"], "unread-text", "choices[].finish_reason"),
    "text-beside-delta": ([{"choices": [{"index": 0, "text": "Ho", "delta": {"content": "Hi"}}]}, *END], "unread-text", "choices[].text"),
    "calls-object": (
        [chunk({"tool_calls": {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}}), *END],
        "unread-text", "choices[].delta.tool_calls is no known field, or of another type: index 0, id 'a', function.name 'f'",
    ),
    "anthropic-delta-text": (anthropic(*block(), {"type": "content_block_delta", "index": 0, "delta": "Hi"}), "unread-text", "'Hi'"),
    "anthropic-no-delta": (anthropic(*block(), {"type": "content_block_delta", "index": 0, "text": "Hi"}), "unread-text", "'Hi'"),
    "blocks-differ": (
        [chunk({"reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "b"}]}), *END],
        "unread-text", "reasoning_details is no known field, or of another type: 'b'",
    ),
    "block-of-reasoning-renamed": ([chunk({"reasoning_details": [{"words": "hm"}]}), *END], "unread-text", "reasoning_details[].words"),
    "responses-arguments-list": (
        [*responses("Hi")[:-1], {"type": "response.output_item.done", "output_index": 1,
                                 "item": {"type": "function_call", "call_id": "a", "name": "f", "arguments": ["x"]}}, responses("Hi")[-1]],
        "unread-text", "item.arguments[]",
    ),
    "audio-alone": ([chunk({"audio": {"data": "AAAA"}}), *END], "not-emitted", "no message carries audio: 4 characters"),
    "choice-in-a-list": ([{"object": "chat.completion.chunk", "choices": [[{"delta": {"content": "Hi"}}]]}, *END], "unread-text", "'Hi'"),
    "candidates-object": ([{"candidates": {"content": {"parts": [{"text": "Hi"}]}}}, *gemini("Hi")], "unread-text", "'Hi'"),
    "block-without-type": (
        anthropic({"type": "content_block_start", "index": 0, "content_block": {"text": "Hi"}}), "unread-text", "content_block.text",
    ),
    "item-without-type": (
        [*responses("Hi")[:2], {"type": "response.output_item.done", "output_index": 1, "item": {"body": "Ho"}}, *responses("Hi")[2:]],
        "unread-text", "'Ho'",
    ),
    "part-of-another-type": (
        [*responses("Hi")[:-1], {"type": "response.content_part.done", "item_id": "i", "output_index": 0, "content_index": 1,
                                 "part": {"type": "text", "text": "Ho"}}, responses("Hi")[-1]],
        "unread-text", "part.text is no known field",
    ),
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
    "message-beside-differs": (
        [{"choices": [{"index": 0, "delta": {"content": "Hi"}, "message": {"content": "Bye"}}]}, *END],
        "done-differs", "the `message` beside the last delta holds 'Bye'",
    ),
    "calls-said-again": (
        [chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"), {"choices": [{"message": {"content": "", "tool_calls": [CALL]}}]}, "[DONE]"],
        "repeated-answer", "came again as a `message`",
    ),
    "other-calls-said": (
        [HI, chunk({"tool_calls": [CALL]}), {"choices": [{"message": {"content": "Hi", "tool_calls": [CALL, CALL]}}]}, *END],
        "done-differs", "holds other calls",
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
    "empty-finish-anthropic": (anthropic(*block("Hi"), stop=""), "empty-finish", "empty text"),
    "empty-finish-gemini": ([*gemini("Hi", finish="")], "empty-finish", "empty text"),
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
    "types-as-names-alone": [
        (one["type"], {key: value for key, value in one.items() if key != "type"})
        for one in anthropic(*block("Hi"))
    ],
    "errors-that-are-none": [{**HI, "error": None}, *END],
    "object-of-another-type": [*gemini("Hi"), {"object": ["error"], "errors": []}],
    "status-of-minimax": [
        {**HI, "base_resp": {"status_code": 0, "status_msg": "unknown field"}},
        *END,
    ],
    "text-once-more": [
        {
            "choices": [
                {"index": 0, "text": "Hi", "delta": {"content": "Hi", "token_id": 5}}
            ]
        },
        *END,
    ],
    "call-said-as-an-object": [
        *responses("Hi")[:-1],
        {
            "type": "response.output_item.done",
            "output_index": 1,
            "item": {"type": "function_call", "call_id": "a", "name": "f"}
            | {"arguments": {"a": 1}},
        },
        responses("Hi")[-1],
    ],
    "halves-of-a-character": responses("\ud83d", "\ude00", done="\U0001f600"),
    "message-so-far": [
        {
            "choices": [
                {"index": 0, "delta": {"content": "Hi"}, "message": {"content": "Hi"}}
            ]
        },
        *END,
    ],
    "usage-in-a-choice": [
        HI,
        {
            "choices": [
                {
                    "index": 0,
                    "delta": {},
                    "finish_reason": "stop",
                    "usage": {"total_tokens": 3},
                }
            ]
        },
        "[DONE]",
    ],
}


@pytest.mark.parametrize("events", FINE.values(), ids=FINE)
def test_ordinary_stream_has_nothing_reported(events: list[Any]) -> None:
    """Near misses of the kinds above."""
    found = replay(made(events), "queuing").diagnostics
    assert [one for one in found if one.kind.severity is not Severity.NOTE] == []


def whole(document: dict[str, Any]) -> Cassette:
    """Return a cassette with one answer that was not streamed."""
    response = Response(200, body=json.dumps(document).encode())
    return Cassette("made", [Exchange(0, Request("POST", ""), response)])


def answer(
    message: dict[str, Any], finish: Any = "stop", **more: Any
) -> dict[str, Any]:
    """Return a whole chat completion."""
    choice = {"index": 0, "message": message, "finish_reason": finish, **more}
    return {"id": "c", "object": "chat.completion", "choices": [choice]}


CUT = {"name": "f", "arguments": '{"a": "b'}
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "stop_reason": "end_turn"}
WHOLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "renamed": (answer({"contents": "Hi"}), "unread-text", "choices[].message.contents"),
    "error": (answer({"content": ""}, "error", error={"message": "boom"}), "error-event", "boom"),
    "no-finish": (answer({"content": "Hi"}, None), "missing-finish", "no finish reason"),
    "cut-call": (answer({"tool_calls": [{"id": "a", "function": CUT}]}, "length"), "malformed-arguments", "the output limit"),
    "marker": (answer({"content": "<|im_end|>"}), "template-marker", "<|im_end|>"),
    "anthropic": (MESSAGE | {"content": [{"type": "text", "txt": "Hi"}]}, "unread-text", "'Hi'"),
    "gemini": ({"candidates": [{"content": {"parts": [{"txt": "Hi"}]}, "finishReason": "STOP"}]}, "unread-text", "'Hi'"),
    "responses": (
        {"object": "response", "status": "completed",
         "output": [{"type": "message", "content": [{"type": "output_text", "txt": "Hi"}]}]},
        "unread-text", "'Hi'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "kind", "text"), WHOLE.values(), ids=WHOLE)
def test_oddity_of_a_whole_answer_is_reported(
    document: dict[str, Any], kind: str, text: str
) -> None:
    """One fact, one diagnostic, as for a stream."""
    found = replay(whole(document), "queuing").diagnostics
    assert [one.kind for one in found if one.kind.severity is not Severity.NOTE] == [
        kind
    ]
    assert text in " ".join(one.text for one in found)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "Hi", "refusal": None, "annotations": [], "audio": None},
        {"content": [{"type": "text", "text": "Hi"}], "reasoning": "hm"},
        {"content": None, "function_call": {"name": "f", "arguments": "{}"}},
    ],
)
def test_ordinary_whole_answer_has_nothing_reported(message: dict[str, Any]) -> None:
    """What a message of OpenAI, Mistral or an older API has is known."""
    found = replay(whole(answer(message)), "queuing").diagnostics
    assert [one for one in found if one.kind != "unrecorded-result"] == []


def test_reasoning_of_two_fields_that_differ_is_emitted_in_full() -> None:
    """Two fields with the same text count once."""
    events = [
        chunk({"reasoning": "a", "reasoning_content": "a"}),
        chunk({"reasoning": "c", "reasoning_content": "b"}),
        *END,
    ]
    answered = replay(made(events), "queuing").responses[0].choices[0]
    assert answered.reasoning == "abc"


def test_index_that_is_text_tells_calls_apart() -> None:
    """Fragments without ids follow it."""
    calls = [
        {"index": str(n), "id": i, "function": {"name": "f", "arguments": ""}}
        for n, i in enumerate("ab")
    ]
    more = [
        {"index": str(n), "function": {"arguments": f'{{"n":{n}}}'}} for n in (0, 1)
    ]
    events = [chunk({"tool_calls": [call]}) for call in calls + more]
    answered = replay(made([*events, *END]), "queuing").responses[0].choices[0]
    assert [call.arguments for call in answered.calls] == ['{"n":0}', '{"n":1}']


def test_show_prints_what_no_message_carries(tmp_path: Path) -> None:
    """Why a call came to nothing, sources, results of server tools; images are cut."""
    last = {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": "print(x)"}
    image = {"inlineData": {"mimeType": "image/png", "data": "A" * 5000}}
    events = [{"candidates": [{"content": {"parts": [image]}}]}, {"candidates": [last]}]
    path = tmp_path / "stream"
    path.write_bytes(made(events).exchanges[0].response.body)
    shown = harness("show", str(path)).out
    assert 'finishMessage: "print(x)"' in shown
    assert "A" * 300 in shown
    assert "A" * 500 not in shown


def test_bytes_that_are_no_text_are_reported() -> None:
    """What U+FFFD stands for is named, with its place."""
    cassette = made([HI, *END])
    response = cassette.exchanges[0].response
    response.body = response.body.replace(b"Hi", b"H\xe9")
    found = replay(cassette, "queuing").diagnostics
    assert [str(one.kind) for one in found] == ["unreadable-payload"]
    assert "b'\\xe9' at byte" in found[0].text


OTHERS: dict[str, tuple[list[Any], str]] = {
    "cohere": ([("message-start", {"type": "message-start", "delta": {}})], "Cohere"),
    "dashscope": ([{"output": {"text": "Hi"}, "request_id": "r"}], "DashScope"),
    "llama.cpp": ([{"content": "Hi", "stop": False}], "llama.cpp"),
    "vercel": ([{"type": "start"}], "Vercel AI SDK"),
    "converse": ([{"messageStart": {"role": "assistant"}}], "Bedrock's Converse"),
    "cloudflare": ([{"response": "Hi", "p": "abc"}], "Cloudflare's Workers AI"),
    "mistral": ([{"type": "conversation.response.started"}], "Mistral's Conv"),
    "langchain": ([{"event": "on_chat_model_stream", "run_id": "r"}], "LangChain"),
    "whole-anthropic": (
        [MESSAGE | {"content": [], "model": "m"}],
        "a whole answer of Anthropic Messages as one event",
    ),
    "mcp": ([{"jsonrpc": "2.0", "id": 1, "result": {}}], "MCP"),
    "list": ([[{"choices": []}]], "no JSON object"),
}


@pytest.mark.parametrize(("events", "name"), OTHERS.values(), ids=OTHERS)
def test_stream_that_is_not_read_is_named(events: list[Any], name: str) -> None:
    """Whose it is, where an event shows it."""
    with pytest.raises(NothingToReplayError, match=re.escape(name)):
        replay(made(events), "queuing")


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
