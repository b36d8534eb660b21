"""The vendors' SDKs as judges of the odd streams.

An SDK's helper is asked first; where it raises or differs, a loop over its events, as
the vendors' pages show it. Ollama's has no types: its documented fields are joined.
"""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.base import Event
from tests.odd_inputs.test_odd_streams import each_api, name_of, recorded, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

OTHERWISE = {
    "chat": {
        "content, a name or arguments of another type are not joined": """
            args-object-pieces content-list-strings content-list-unknown content-object
            content-part-toolcall content-parts-gemini databricks-citations
            databricks-list finish-list function-string mistral-content-list
            mistral-image mistral-tool-reference name-object refusal-object
            signature-part-item""",
        "an index or an entry of another type raises": """
            calls-list-in-list index-string tool-calls-null-entry
            tool-calls-string-entry""",
        "calls of one index, or none, are one call, whatever their ids are": """
            index-restarts-with-new-id indexless interleave-noindex-ids
            lmdeploy-index0-blank-id ollama-index0 sglang-index0-ids""",
        "a name that is sent again is joined": """
            late-other-name name-null-string name-resent""",
        "a message in place of a delta is not read": "message-for-delta",
    },
    "responses": {
        "xAI's searches, which its server runs, are calls like others": """
            xai-x-and-client-function xai-x-search xai-x-search-no-tools""",
        "what is of another type raises": """
            call-args-delta-object delta-list delta-object item-string
            summary-string""",
        "an item that neither is done nor is in the terminal event is not read": """
            call-args-done-differs call-delta-name call-function-nested
            call-incomplete calls-same-item-id item-content-in-added""",
        "an item or part that is only done is not read": """
            call-parameters message-user-role part-done-only refusal-done-only
            text-done-only""",
        "what subagents say is the answer too; OpenAI's guide takes the root's": """
            multi-agent multi-agent-call-of-subagent multi-agent-citation
            multi-agent-events-alone-name-it multi-agent-items-alone-name-it
            multi-agent-message-never-done multi-agent-never-added
            multi-agent-root-divided multi-agent-terminal-only
            multi-agent-two-deltas-between""",
        "the types have no `response.cancelled`": "cancelled",
        "what is done counts, not the deltas; we report that they differ": "args-twice",
    },
    "anthropic": {
        "what is of another type raises, or is taken as it is": """
            block-string content-block-array content-in-start-string delta-list
            delta-string partial-json-list partial-json-object stop-reason-number
            text-object""",
        "of two blocks at one index the deltas go to one": """
            tool-same-index tool-same-index-unstopped""",
    },
    "gemini": {
        "the pieces of a call, which have no name, are not put together": """
            call-args-nested-partial call-will-continue-args name-empty
            partial-and-args partial-args partial-args-empty-string
            partial-args-null-enum partial-args-number-int partial-args-out-of-order
            partial-odd-paths partial-text-between unclosed-partial""",
        "why a prompt was blocked is not a finish": """
            blocked-message blocked-prompt feedback-after-text""",
        "what is of another type is refused; true is an index of 1": """
            args-text-not-json call-args-list call-args-text call-as-list
            candidates-object content-list content-string error-string finish-number
            index-bool name-number null-parts partial-args-object parts-nested
            parts-object parts-string string-part text-list text-number text-object
            thought-object""",
        "an error is raised, without what came before it": "error-details error-mid",
        "neither snake case nor a wrapper is read": "code-assist snake",
        "a finish is put in capitals": "finish-lower",
    },
}
"""For each API, why its SDK reads a line otherwise, and the names of such lines."""


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what is there of an answer, arguments as values where they are JSON."""
    kept = {key: value for key, value in answer.items() if value}
    for call in (calls := [[name or "", sent] for name, sent in kept.pop("calls", [])]):
        with suppress(ValueError, TypeError):
            call[1] = json.loads(call[1] or "{}")
    if isinstance(text := kept.get("text"), str):  # halves of a pair, sent apart
        kept["text"] = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return kept | ({"calls": calls} if calls else {})


def chat_helper(events: list[Any]) -> dict[str, Any]:
    """Return what OpenAI's accumulator of chunks makes of a stream."""
    from tests.unit.core.test_accumulate import openai_snapshot

    choice = next(c for c in openai_snapshot(events).choices if c.index == 0)
    message, calls = choice.message, []
    if message.function_call:
        calls.append([message.function_call.name, message.function_call.arguments])
    for call in message.tool_calls or []:
        one = call.to_dict()
        sent = one.get("function") or one["custom"]
        calls.append([sent.get("name"), sent.get("arguments") or sent.get("input")])
    return {
        "text": message.content,
        "refusal": message.refusal,
        "calls": calls,
        "finish": choice.finish_reason,
    }


def chat_loop(events: list[Any]) -> dict[str, Any]:
    """Join the deltas; a call is known by its index."""
    from openai._models import construct_type
    from openai.types.chat import ChatCompletionChunk

    found: dict[str, Any] = {"text": "", "refusal": ""}
    calls: dict[int, list[str]] = {}
    for event in events:
        chunk: Any = construct_type(type_=ChatCompletionChunk, value=event)
        for choice in getattr(chunk, "choices", None) or []:
            if choice is None or choice.index:
                continue
            found["finish"] = choice.finish_reason or found.get("finish")
            if (delta := choice.delta) is None:
                continue
            found["text"] += delta.content or ""
            found["refusal"] += delta.refusal or ""
            for call in delta.tool_calls or []:
                held = calls.setdefault(call.index, ["", ""])
                if call.function is not None:
                    held[0] += call.function.name or ""
                    held[1] += call.function.arguments or ""
    return found | {"calls": list(calls.values())}


def responses_helper(events: list[Any]) -> dict[str, Any]:
    """Return the final response of OpenAI's helper."""
    pytest.importorskip("openai.lib.streaming.responses", reason="needs openai>=3")
    from tests.acceptance.test_responses_sdk import sdk_answer

    found = sdk_answer(
        [Event(n, name_of("responses", e), e) for n, e in enumerate(events)]
    )
    return {
        "text": found.text,
        "reasoning": found.reasoning,
        "refusal": found.refusal,
        "calls": [[call[1], call[3]] for call in found.calls],
        "finish": found.stop,
    }


def responses_loop(events: list[Any]) -> dict[str, Any]:
    """Join the deltas of text; a call is the item that is done."""
    from openai._models import construct_type
    from openai.types.responses import ResponseStreamEvent

    found: dict[str, Any] = {"text": "", "reasoning": "", "refusal": "", "calls": []}
    places = {
        "response.output_text.delta": "text",
        "response.refusal.delta": "refusal",
        "response.reasoning_text.delta": "reasoning",
        "response.reasoning_summary_text.delta": "reasoning",
    }
    for event in events:
        one: Any = construct_type(type_=ResponseStreamEvent, value=event)
        kind = one.type or ""
        if kind in places:
            found[places[kind]] += one.delta or ""
        elif kind == "response.output_item.done" and one.item:
            if one.item.type in {"function_call", "custom_tool_call"}:
                sent = getattr(one.item, "arguments", None) or one.item.input
                found["calls"].append([one.item.name, sent])
        elif kind in {"response.completed", "response.incomplete", "response.failed"}:
            found["finish"] = one.response.status
    return found


def anthropic_helper(events: list[Any]) -> dict[str, Any]:
    """Return the snapshot of Anthropic's helper, over its HTTP path."""
    pytest.importorskip("anthropic", reason="needs the anthropic SDK")
    from tests.acceptance.test_anthropic_sdk import snapshot

    message = snapshot(recorded("anthropic", events, 4096).exchanges[0].response.body)
    blocks = message.content
    return {
        "text": "".join(b.text for b in blocks if b.type == "text"),
        "reasoning": "".join(b.thinking for b in blocks if b.type == "thinking"),
        "calls": [[b.name, b.input] for b in blocks if b.type == "tool_use"],
        "finish": message.stop_reason,
    }


def anthropic_loop(events: list[Any]) -> dict[str, Any]:
    """Join the deltas; a call is known by its block's index."""
    from anthropic._models import construct_type
    from anthropic.types.beta import BetaRawMessageStreamEvent

    found: dict[str, Any] = {"text": "", "reasoning": ""}
    calls: dict[int, list[str]] = {}
    for event in events:
        one: Any = construct_type(type_=BetaRawMessageStreamEvent, value=event)
        if one.type == "content_block_start" and one.content_block:
            block = one.content_block
            if block.type == "tool_use":
                calls[one.index] = [block.name, ""]
            elif block.type in {"text", "thinking"}:
                place = "text" if block.type == "text" else "reasoning"
                found[place] += getattr(block, block.type) or ""
        elif one.type == "content_block_delta" and one.delta:
            delta = one.delta
            if delta.type == "text_delta":
                found["text"] += delta.text or ""
            elif delta.type == "thinking_delta":
                found["reasoning"] += delta.thinking or ""
            elif delta.type == "input_json_delta" and one.index in calls:
                calls[one.index][1] += delta.partial_json or ""
        elif one.type == "message_delta" and one.delta:
            found["finish"] = one.delta.stop_reason or found.get("finish")
    return found | {"calls": list(calls.values())}


def gemini_helper(events: list[Any]) -> dict[str, Any]:
    """Return what Google's SDK makes of a stream, over its HTTP path."""
    from tests.acceptance.test_gemini_sdk import sdk_answer

    found, _ = sdk_answer(recorded("gemini", events, 4096).exchanges[0].response.body)
    calls = [[name, sent] for name, _, sent in found.calls]
    answer = {"text": found.text, "reasoning": found.reasoning, "finish": found.stop}
    return answer | {"calls": calls}


def ollama_loop(events: list[Any]) -> dict[str, Any]:
    """Join what the documentation of Ollama's API has in its lines."""
    found: dict[str, Any] = {"text": "", "reasoning": "", "calls": []}
    for event in events:
        message = event.get("message") or {}
        found["text"] += message.get("content") or event.get("response") or ""
        found["reasoning"] += message.get("thinking") or event.get("thinking") or ""
        sent = [call["function"] for call in message.get("tool_calls") or []]
        found["calls"] += [[call["name"], call["arguments"]] for call in sent]
        found["finish"] = event.get("done_reason")
    return found


JUDGES: dict[str, tuple[Callable[[list[Any]], dict[str, Any]], ...]] = {
    "chat": (chat_helper, chat_loop),
    "responses": (responses_helper, responses_loop),
    "anthropic": (anthropic_helper, anthropic_loop),
    "gemini": (gemini_helper,),
    "ollama": (ollama_loop,),
}


def judged(row: dict[str, Any]) -> Iterator[Any]:
    """Yield what each judge makes of a line, or what it raises."""
    for judge in JUDGES[row["api"]]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pydantic, about unknown values
                yield plain(judge(row["events"]))
        except Exception as error:  # noqa: BLE001 - any of an SDK's
            yield error


@each_api
def test_a_line_is_what_its_vendor_s_sdk_reads(api: str) -> None:
    """Or it is in the table of what the SDKs read otherwise, with the reason."""
    needed = ("text", "reasoning", "refusal", "calls", "finish")
    found = {}
    for row in streams(api):
        wanted = plain({key: row[key] for key in needed if key in row})
        if api == "chat":  # OpenAI's has no reasoning, and its SDK none either
            wanted.pop("reasoning", None)
        answers = list(judged(row))
        if wanted not in answers:
            found[row["name"]] = row["name"], wanted, answers
    listed = " ".join(OTHERWISE.get(api, {}).values()).split()
    assert not [found[name] for name in found if name not in listed]
    assert sorted(found) == sorted(listed)
