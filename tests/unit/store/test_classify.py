"""What an exchange is, told from its content."""

# ruff: noqa: E501 - the table of other bodies is read one case a line

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.cassettes.classify import Kind, classify
from harness.cassettes.load import load_cassette
from harness.cassettes.model import Response
from tests.shared import SHARED, corpus_files, needs_shared
from tests.unit.store.recordings import CHUNK, STREAM, WHOLE, exchange, sse

USAGE = {**CHUNK, "choices": [], "usage": {"total_tokens": 3}}
ERROR = {"error": {"message": "overloaded", "code": 502}}

STREAMS = {
    "plain": STREAM,
    "crlf": STREAM.replace("\n", "\r\n"),
    "bom": "\ufeff" + STREAM,
    "unended": "data: " + json.dumps(CHUNK),
    "comment-first": ": OPENROUTER PROCESSING\n\n" * 30 + STREAM,
    "error-first": sse(ERROR, CHUNK),
    "error-alone": sse(ERROR),
    "error-text": sse({"error": "text"}),
    "usage-first": sse(USAGE, CHUNK),
    "azure-first": sse({"id": "", "choices": [], "prompt_filter_results": []}, CHUNK),
    "choices-null": sse({"choices": None}, CHUNK),
    "no-object": sse({"choices": [{"delta": {"content": "a"}}]}),
    "no-json-first": "data: hello\n\n" + STREAM,
    "vendor-first": sse({"cost": 3}, CHUNK),
    "event-name": "event: message\n" + STREAM,
    "blank-data": "data:\n\n" + STREAM,
    "lone-surrogate": sse('{"choices":[{"delta":{"content":"\\ud83d"}}]}'),
    "large-first": sse({**CHUNK, "x": "y" * 60000}),
    "json-lines": json.dumps(CHUNK) + "\n" + json.dumps(CHUNK) + "\n",
    "json-list": json.dumps([CHUNK, CHUNK]),
    "pretty-printed": json.dumps(CHUNK, indent=2) + "\n" + json.dumps(CHUNK, indent=2),
    "one-chunk": json.dumps(CHUNK),
    "huge-first": sse({**CHUNK, "x": "y" * 600000}),
}

OTHERS = {
    "": "empty body (HTTP 200)",
    " \n": "empty body (HTTP 200)",
    "data: [DONE]\n\n": "no event with data",
    ": ping\n\n": "no event with data",
    "hello\n\n": "no event with data",
    "data: hello\n\n": "an event stream of no known API (its data is no JSON: 'hello')",
    sse({"cost": 3}): "an event stream of no known API (keys: cost)",
    'event: thread.created\ndata: {}\n\n': "an OpenAI Assistants stream",
    sse({"object": "text_completion", "choices": [{"text": "a"}]}): "a stream of legacy text completions",
    sse({"choices": [{"text": "a", "index": 0}]}): "a stream of legacy text completions",
    json.dumps({"object": "text_completion", "choices": [{"text": "a"}]}): "a legacy text completion",
    json.dumps(ERROR): "an error answer: overloaded",
    json.dumps({"object": "list", "data": [{"object": "embedding"}]}): "a list of embeddings",
    json.dumps({"object": "list", "data": [{"object": "model"}]}): "a list of models",
    json.dumps({"object": "list", "data": []}): "a list",
    json.dumps({"a": 1, "b": 2}): "JSON, no answer of a known API (keys: a, b)",
    "{}": "empty JSON",
    "[1]": "a JSON list, no answer of a known API",
    "{broken": "damaged JSON, no answer of a known API",
    '{"message":{}}\n{"message":{}}\n': "JSON lines of no known API",
    "<!doctype html><html>": "HTML or XML, no event stream",
}  # fmt: skip


@pytest.mark.parametrize("body", STREAMS.values(), ids=STREAMS)
def test_chat_stream_is_a_stream_however_it_begins(body: str) -> None:
    """Comments, errors, usage and foreign events may come before the first chunk."""
    assert classify(exchange(body)) == (Kind.STREAM, "", "chat")


@pytest.mark.parametrize(("body", "reason"), OTHERS.items(), ids=OTHERS.values())
def test_anything_else_is_named(body: str, reason: str) -> None:
    """What cannot be replayed is called what it is."""
    assert classify(exchange(body)) == (Kind.OTHER, reason, "")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(WHOLE),
        json.dumps(WHOLE, indent=2),
        "\n   \n" * 50 + json.dumps(WHOLE),
        json.dumps({k: v for k, v in WHOLE.items() if k != "object"}),
        json.dumps({**WHOLE, "choices": [{**WHOLE["choices"][0], "delta": {}}]}),  # type: ignore[index]
        json.dumps({"choices": [{"message": {"content": "x" * 200_000}}]}),
        json.dumps({**WHOLE, "id": "\ud83d"}),
    ],
    ids=[
        "compact",
        "pretty",
        "padded",
        "no-object",
        "perplexity",
        "large",
        "surrogate",
    ],
)
def test_whole_completion_is_whole(body: str) -> None:
    """A completion in one JSON object is told also without `object`, and if large."""
    assert classify(exchange(body)) == (Kind.WHOLE, "", "chat")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (429, json.dumps({"error": {"message": "slow\ndown"}}), "HTTP 429: slow down"),
        (500, "<html>", "HTTP 500"),
        (503, "", "HTTP 503"),
        (400, '[{"error": {"message": "gemini"}}]', "HTTP 400: gemini"),
        (422, '{"detail": "no model"}', "HTTP 422: no model"),
        (204, "", "empty body (HTTP 204)"),
    ],
)
def test_http_error_is_named_with_its_message(
    status: int, body: str, reason: str
) -> None:
    """An error status decides, with the provider's own words behind it."""
    assert classify(exchange(body, status=status)) == (Kind.OTHER, reason, "")


def test_only_the_beginning_of_a_source_is_looked_at() -> None:
    """A large text is told by what is known of it; its source is not opened."""

    def opened() -> Any:
        raise AssertionError("the source was opened")

    item = exchange("")
    item.response = Response(200, source=opened, beginning=STREAM.encode()[:150])
    assert classify(item).kind is Kind.STREAM
    item.response.beginning = b": ping\n\n"
    assert classify(item).reason == "no event with data in its first 64 KiB"


@needs_shared
def test_every_exchange_of_the_corpus_is_what_it_is_known_to_be() -> None:
    """All 583 streams are streams; of the 20 others 18 are whole and 2 are empty."""
    with (SHARED / "corpus" / "expected.jsonl").open(encoding="utf-8") as lines:
        streams = {(e["file"], e["interaction"]) for e in map(json.loads, lines)}
    kinds: dict[tuple[str, int], Any] = {}
    for path in corpus_files():
        name = path.relative_to(SHARED / "corpus").as_posix()
        for item in load_cassette(path).exchanges:
            kinds[name, item.index] = classify(item)[:2]
    assert {key for key, (kind, _) in kinds.items() if kind is Kind.STREAM} == streams
    rest = sorted((str(k), r) for key, (k, r) in kinds.items() if key not in streams)
    assert rest == [("other", "empty body (HTTP 200)")] * 2 + [("whole", "")] * 18
