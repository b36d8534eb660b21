"""The OpenAI SDK's accumulator of Responses streams as judge of ours."""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.base import Event
from harness.apis.examples import example_names, example_parts
from harness.apis.responses.dialects import DIALECTS
from tests.responses_streams import Answer, answer_of, read, recordings
from tests.shared import needs_shared

pytestmark = [
    pytest.mark.slow,
    # The SDK dumps what it parsed as another of its types (a union is constructed,
    # not validated), and pydantic reports every member that does not match.
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning"),
]

_FAILS = {
    "openai_responses_compaction_cancelled_streaming": "no terminal event",
    "openai-error.1.chunks": "a failed response is no final one",
    "parallel-tool-call-wrapper.1.chunks": "RuntimeError without response.created",
    "test_background_mode_streaming_starting_after_vcr": "RuntimeError: queued first",
    "github-copilot-id-rotation.1.chunks": "RuntimeError: the response's id changes",
    "openai-client-tool-search.1.chunks": "RuntimeError: an item's id changes",
    "providers_bedrock_mantle_responses_chat_streams_through_the_responses_surface": (
        "IndexError: reasoning_part.added is no content_part.added"
    ),
}
"""Recordings that the SDK's helper cannot read, and why."""
_DIFFERS: dict[str, str] = {
    "openai-shell-container.1.chunks": "takes the text of the terminal event",
}
"""Recordings where its answer is another than the sum of the deltas."""


def sdk_answer(events: list[Event]) -> Answer:
    """Return what the SDK makes of a stream: its final response."""
    from openai import omit
    from openai._models import construct_type
    from openai.lib.streaming.responses._responses import ResponseStreamState
    from openai.types.responses import ResponseStreamEvent

    state: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        state.handle_event(
            construct_type(type_=ResponseStreamEvent, value=dict(event.payload))
        )
    final = state._completed_response
    if final is None:
        raise RuntimeError("no completed response")
    texts = {"output_text": "", "refusal": "", "reasoning": ""}
    calls = []
    for item in final.output:
        if item.type == "message":
            for part in item.content:
                texts[part.type] += getattr(part, "text", "") or getattr(
                    part, "refusal", ""
                )
        elif item.type == "reasoning":
            for part in [*item.summary, *(item.content or [])]:
                texts["reasoning"] += part.text
        elif item.type == "function_call":
            calls.append(("function", item.name, item.call_id, item.arguments))
        elif item.type == "custom_tool_call":
            calls.append(("custom", item.name, item.call_id, item.input))
    return Answer(
        texts["output_text"], texts["reasoning"], texts["refusal"], calls, final.status
    )


@needs_shared
def test_same_answer_as_the_sdk() -> None:
    """Text, reasoning, calls and status are the SDK's, but where it fails itself."""
    pytest.importorskip("openai.lib.streaming.responses", reason="needs openai>=3")
    failed, differs = {}, {}
    for found in recordings():
        name = found.file.replace("/", "__").removesuffix(".yaml").split("__")[-1]
        try:
            judged = sdk_answer(found.events)
        except (RuntimeError, IndexError, AttributeError, KeyError) as error:
            failed[name] = repr(error)
            continue
        if answer_of(read(found.events)) != judged:
            differs[name] = judged
    assert failed.keys() == _FAILS.keys(), failed
    assert differs.keys() == _DIFFERS.keys(), differs


_MAKES = {
    "no-created": {"RuntimeError"},  # the helper expects `response.created` first
    "copilot": {"RuntimeError"},  # identity changed
    "vllm": {"same", "RuntimeError"},  # identity changed
    "litellm": {"same", "IndexError"},  # no content_part.added
    "litellm-old": {"same", "RuntimeError"},  # no output_item.added
    "chatgpt-codex": {"same", "other"},  # an empty response, and no error
}
"""What the helper makes of dialects that it does not read; `same` for all others."""


@pytest.mark.parametrize("name", DIALECTS)
def test_what_the_sdk_makes_of_a_dialect(name: str) -> None:
    """The SDK reads what is written as we do, but for the habits listed."""
    pytest.importorskip("openai.lib.streaming.responses", reason="needs openai>=3")
    outcomes: set[str] = set()
    for example in example_names("responses"):
        writer = DIALECTS[name].writer()
        parts = example_parts("responses", example)
        sent = DIALECTS[name].apply(writer.feed(parts) + writer.close())
        events = [Event(n, e.name, e.payload) for n, e in enumerate(sent)]
        expected = answer_of(parts)
        if expected.stop != "completed":
            continue  # the helper raises for these, however they are sent
        try:
            outcomes.add("same" if sdk_answer(events) == expected else "other")
        except (RuntimeError, IndexError, AttributeError, KeyError) as error:
            outcomes.add(type(error).__name__)
    assert outcomes == _MAKES.get(name, {"same"})
