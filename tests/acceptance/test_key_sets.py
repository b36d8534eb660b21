"""Recordings of a habit, written again in its dialect: the same events, the same keys.

Event by event: whether there is an `event:` line, the type, and which fields it has, of
objects inside as deep as the table says: 20 is all of them, 1 those of the event itself
(LM Studio's log probabilities are not carried, and OpenRouter's parts had none then).
Pings come when a server likes and do not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from harness.apis.detect import api_named
from harness.apis.style import ApiStyle
from tests.crossing import arrived, read, recorded
from tests.shared import needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.apis.base import Event, WritingApi

pytestmark = needs_shared

_RESPONSES = "test_openai_responses__test"
SOURCES = [
    (
        "responses",
        "openai",
        "xai_grok-4-1-fast-non-reasoning_can_use_tools_without",
        20,
    ),
    ("responses", "obfuscated", "openai_gpt-5-nano_can_use_tools_with_multi-turn", 20),
    ("responses", "lmstudio", "test_deepseek_responses_text_stream_.yaml", 20),
    ("responses", "lmstudio", "lmstudio-tool-call.1", 1),
    ("responses", "raw-reasoning", "deepseek-v4-flash_streams_reasoning_deltas", 20),
    ("responses", "bedrock", "providers_bedrock_mantle_responses_chat_streams", 20),
    ("responses", "background", f"{_RESPONSES}_background_mode_streaming_cont", 20),
    ("responses", "no-sequence", f"{_RESPONSES}_openai_responses_stream.yaml", 20),
    ("responses", "no-event-lines", "test_llm_openrouter__test_prompt.yaml#1", 20),
    ("responses", "copilot", "github-copilot-id-rotation", 20),
    ("responses", "openrouter", "raw_cot_stream_openrouter", 1),
    ("responses", "openrouter", "test_llm_openrouter__test_tool_calls.yaml#1", 20),
    ("responses", "no-sequence", "gpt-4o_streamed_responsesapi_responses@6dc39d19", 20),
    ("responses", "no-logprobs", "thinking_part_iter@55ad5bd8", 20),
    ("responses", "xai", "xai-text-with-reasoning-streaming.1", 20),
    ("responses", "mcp-undone", "mcp_list_tools_stream_backfills_missing_results", 20),
    ("responses", "data-only", "stubs__openai_responses_tools_streaming", 20),
    ("responses", "openai", "openai-error.1.chunks", 20),
    (
        "anthropic",
        "anthropic",
        "claude-3-5-haiku-20241022_reports_consistent_token",
        20,
    ),
    ("anthropic", "anthropic", "test_anthropic_native_tool_search_streaming", 20),
    ("anthropic", "empty-thinking", "anthropic-clear-thinking.1.chunks", 20),
    ("gemini", "gemini-sse", "gemini-2_5-flash_can_use_tools_with_multi-turn", 20),
    ("gemini", "vertex", "chat_function_calling_gemini-2_0-flash_can_use_tools", 20),
    ("gemini", "partial-args", "google-stream-no-args-tool-call", 20),
]
"""API, dialect, part of the name of the recording that it comes from, depth."""

MOST = [
    ("responses", 1, 159),
    ("responses", 20, 154),
    ("anthropic", 20, 115),
    ("gemini", 1, 31),
    ("gemini", 20, 30),
]
"""API, how deep, and of how many recordings some dialect has the keys, event by event.

Of the others of Responses, five are fixtures trimmed by hand that no server sent
(`openai-phase`, `openai-custom-tool`, `parallel-tool-call-wrapper` and two
`compaction` stubs); five have log probabilities or fields of done items, which no
part carries.
"""


def _keys(value: Any, depth: int) -> Any:
    if isinstance(value, dict) and depth:
        return sorted((key, _keys(inner, depth - 1)) for key, inner in value.items())
    if isinstance(value, list) and depth:
        return sorted({repr(_keys(inner, depth - 1)) for inner in value})
    return None


def _shape(events: Iterable[Event], depth: int) -> list[Any]:
    return [
        (bool(event.name), event.payload.get("type"), _keys(event.payload, depth))
        for event in events
        if event.payload.get("type") not in {"ping", "keepalive", "response.keep_alive"}
    ]


@pytest.mark.parametrize(("api", "dialect", "source", "depth"), SOURCES)
def test_dialect_has_the_keys_of_the_recording_it_comes_from(
    api: str, dialect: str, source: str, depth: int
) -> None:
    """Event by event."""
    name, events = next(one for one in _all(api) if source in one[0])
    made = arrived(ApiStyle(api, dialect), read(api, events))
    assert _shape(made, depth) == _shape(events, depth), name


def _all(api: str) -> list[tuple[str, list[Event]]]:
    return list(recorded(api))


@pytest.mark.campaign
@pytest.mark.parametrize(("api", "depth", "most"), MOST)
def test_recordings_have_the_keys_of_some_dialect(
    api: str, depth: int, most: int
) -> None:
    """All recordings in all dialects: 60 s of the processor.

    A recording that begins at a later sequence number resumes a response, and is held
    against the events from there.
    """
    names = list(cast("WritingApi", api_named(api)).dialects)
    found = 0
    for _, events in recorded(api):
        answer, wanted = read(api, events), _shape(events, depth)
        first = events[0].payload.get("sequence_number") or 0
        found += any(
            _shape(arrived(ApiStyle(api, name), answer), depth)[first:] == wanted
            for name in names
        )
    assert found == most
