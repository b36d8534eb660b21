"""All recorded Responses streams against answers that were computed elsewhere."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.apis.responses.answer import whole
from harness.apis.responses.api import API
from harness.core.parts import Item, Usage
from tests.chunk_streams import SHARES
from tests.chunk_streams import recordings as chat_recordings
from tests.responses_streams import (
    Answer,
    Recording,
    answer_of,
    problems,
    read,
    recordings,
)
from tests.shared import HAS_CORPUS, SHARED, needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BY_FINAL = {"openai-phase.1.chunks"}
"""Where the reader's text is `final`, not the sum of deltas: a fixture whose deltas
were trimmed, so that the done events have more (the missing end is emitted)."""
_PROBLEMS = {
    # Cut after its `compaction` was added: no done event has what it was added with.
    "openai_responses_compaction_cancelled_streaming": [
        "not-emitted",
        "missing-finish",
    ],
    "openai-error.1.chunks": ["error-event"],
    "openai-shell-container.1.chunks": ["done-differs"],
    "parallel-tool-call-wrapper.1.chunks": ["missing-finish"],
}
"""Each recording that has problems: cut, failed, or deltas trimmed by hand."""
_TYPES = {"function_call": "function", "custom_tool_call": "custom"}


def _expected(row: dict[str, Any], stop: str | None) -> Answer:
    calls = [(_TYPES[kind], *call) for kind, *call in row["calls"]]
    return Answer(row["text"], row["reasoning"], row["refusal"], calls, stop)


def _named(found: Recording, names: Iterable[str]) -> str | None:
    return next(
        (n for n in names if re.search(rf"(__|/){re.escape(n)}\.yaml", found.file)),
        None,
    )


def test_recorded_answers() -> None:
    """Text, reasoning, refusal, calls and stop of each stream are the computed ones."""
    assert len(recordings()) == 164 or not HAS_CORPUS
    for found in recordings():
        row = found.row
        if _named(found, _BY_FINAL):
            row = {**row, **row["final"]}
        expected = _expected(row, found.row["stop"])
        assert answer_of(read(found.events)) == expected, found.name
        assert len(found.events) == row["events"]


@needs_shared
def test_recorded_problems() -> None:
    """No recorded field is unread, and nothing is reported but what is listed."""
    for found in recordings():
        name = _named(found, _PROBLEMS)
        expected = _PROBLEMS[name] if name else []
        kinds = [kind for kind, _ in problems(read(found.events))]
        assert kinds == expected, found.name


@needs_shared
def test_usage_is_read() -> None:
    """Every completed stream has its token counts."""
    for found in recordings():
        counts = [p.counts for p in read(found.events) if isinstance(p, Usage)]
        assert len(counts) == (found.row["stop"] == "completed"), found.name


def test_server_items_come_whole() -> None:
    """Each item that is no text and no call comes whole, once."""
    for found in recordings():
        sent = [
            event.payload["item"]
            for event in found.events
            if event.payload["type"] == "response.output_item.done"
            and event.payload["item"]["type"] not in {*_TYPES, "message", "reasoning"}
        ]
        got = [p.value for p in read(found.events) if isinstance(p, Item) and p.is_done]
        assert all(item in got for item in sent), found.name


_BREAK = {
    # Recorded before OpenAI numbered its events, or numbers left out by hand.
    "responses_stream": {"sequence"},
    "responses_stream@6dc39d19": {"sequence"},
    "responses_stream_without_proc": {"sequence"},
    "responses_stream_without_proc@6dc39d19": {"sequence"},
    "gpt-4o_streamed_responsesapi_responses@6dc39d19": {"sequence"},
    "gpt-4o_streamed_responsesapi_responses@9e236ffa": {"sequence"},
    "gpt-4o_streamed_responsesapi_responses_without_proc@6dc39d19": {"sequence"},
    "gpt-4o_streamed_responsesapi_responses_without_proc@9e236ffa": {"sequence"},
    "test_openai_responses__test_openai_responses_stream": {"sequence"},
    "openai-custom-tool.1.chunks": {"sequence"},
    # Stored or sent without `event:` lines (OpenRouter sends none).
    "openai_responses_compaction_streaming": {"event-line"},
    "openai_responses_reasoning_streaming": {"event-line"},
    "openai_responses_streaming": {"event-line"},
    "openai_responses_tools_streaming": {"event-line"},
    "test_image_prompt": {"event-line"},
    "test_prompt": {"event-line"},
    "test_reasoning": {"event-line"},
    "test_tool_calls": {"event-line"},
    # Bedrock: no `event:` lines and the gateways' name of the reasoning part.
    "providers_bedrock_mantle_responses_chat_streams_through_the_responses_surface": {
        "event-line",
        "event-type",
    },
    # OpenRouter: the reasoning item's id at the end is another one.
    "test_openai_responses_raw_cot_stream_openrouter": {
        "event-line",
        "terminal-output",
    },
    # Fixtures that were cut.
    "openai_responses_compaction_cancelled_streaming": {
        "event-line",
        "item-added",
        "terminal",
    },
    "parallel-tool-call-wrapper.1.chunks": {"first-event", "sequence", "terminal"},
    # Events left out by hand.
    "openai-phase.1.chunks": {"index-contiguous", "sequence", "text-sum"},
    "openai-shell-container.1.chunks": {"text-sum"},
    "test_openai_responses_model_mcp_list_tools_stream_backfills_missing_results": {
        "item-done",
        "terminal-output",
    },
    # LM Studio: arguments in the done event only. GitHub Copilot: new ids every time.
    "lmstudio-tool-call.1.chunks": {"arguments-sum"},
    "lmstudio-tool-call.2.chunks": {"arguments-sum"},
    "github-copilot-id-rotation.1.chunks": {
        "item-id",
        "response-id",
        "terminal-output",
    },
}
"""Recordings that break rules; all others obey all of them."""


@needs_shared
def test_recordings_obey_the_rules() -> None:
    """What OpenAI sends breaks no rule; what is listed breaks exactly those."""
    for found in recordings():
        name = _named(found, _BREAK)
        expected = {f"responses/{rule}" for rule in _BREAK[name]} if name else set()
        broken = {violation.rule.name for violation in API.check(found.events)}
        assert broken == expected, found.name


# -- What is recognised ----------------------------------------------------------------


def _documents(folder: str) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield file, URI, request and answer of every recorded whole exchange."""
    for path in sorted((SHARED / folder).rglob("*.yaml")):
        for exchange in harness.load_cassette(path).exchanges:
            try:
                asked = json.loads(exchange.request.body or b"null")
            except ValueError:
                asked = None
            try:
                answered = json.loads(exchange.response.body)
            except ValueError:
                answered = None
            yield path.name, exchange.request.uri, asked, answered


def test_events_are_recognised() -> None:
    """Every recorded event is this API's by its content, but the nested error."""
    for found in recordings():
        for event in found.events:
            is_own = API.is_event(event.name, event.payload)
            assert is_own, (found.name, event.payload)


@needs_shared
@pytest.mark.parametrize("share", SHARES)
def test_chat_events_are_not(share: int) -> None:
    """No chunk of the chat recordings is taken for an event of this API."""
    for found in chat_recordings()[::share]:
        assert not any(API.is_event("", chunk.payload) for chunk in found.chunks)


@needs_shared
@pytest.mark.parametrize(
    "folder",
    [
        "protocols/responses",
        pytest.param("protocols/anthropic", marks=pytest.mark.slow),
        pytest.param("protocols/gemini", marks=pytest.mark.slow),
        pytest.param("corpus", marks=pytest.mark.slow),
    ],
)
def test_requests_and_answers_are_recognised(folder: str) -> None:
    """Requests and whole answers are this API's where, and only where, they are."""
    seen = 0
    for name, uri, asked, answered in _documents(folder):
        path = uri.split("?")[0].rstrip("/")
        if isinstance(asked, dict) and asked:
            expected = path.endswith("/responses")
            assert API.is_request(uri, asked) == expected, (name, uri)
            # The content decides where it can.
            if "input" in asked and not isinstance(asked["input"], str):
                assert API.is_request("https://host/path", asked) == expected, name
            seen += expected
        is_own = isinstance(answered, dict) and answered.get("object") == "response"
        assert API.is_answer(answered) == is_own, name
    assert seen > 100 if folder == "protocols/responses" else seen < 100


@needs_shared
def test_whole_answers_are_read() -> None:
    """Whole answers beside the streams have no unread field and their own text."""
    seen = 0
    for name, _, _, answered in _documents("protocols/responses"):
        if not API.is_answer(answered):
            continue
        parts = whole(answered)
        said = "".join(
            part["text"]
            for item in answered["output"]
            if item["type"] == "message"
            for part in item["content"]
            if part["type"] == "output_text"
        )
        assert answer_of(parts).text == said
        assert "unread" not in {kind for kind, _ in problems(parts)}, name
        seen += 1
    assert seen > 0
