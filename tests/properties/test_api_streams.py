"""Made streams of every API: they carry their truth, break no rule, and restate."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from harness.apis.base import Event
from harness.core.framing import decoder_for
from harness.strategies import ApiStream, api_streams
from tests.crossing import APIS, broken, facts, read, write

each_api = pytest.mark.parametrize("api", APIS)


def naive(stream: ApiStream) -> tuple[str, str, list[tuple[str, Any]]]:
    """Add up a stream with nothing of ours but the division into events."""
    text, reasoning = "", ""
    calls: dict[Any, list[str]] = {}
    for _, payload in stream.events:
        delta = payload.get("delta")
        match payload.get("type"):
            case "response.output_text.delta":
                text += str(delta)
            case "response.reasoning_summary_text.delta":
                reasoning += str(delta)
            case "response.reasoning_text.delta":
                reasoning += str(delta)
            case "response.output_item.done" if "call_id" in payload["item"]:
                item = payload["item"]
                calls[payload["output_index"]] = [item["name"], item["arguments"]]
            case "content_block_start":
                block = payload["content_block"]
                text += block.get("text", "")
                reasoning += block.get("thinking", "")
                if block["type"] == "tool_use":
                    whole = json.dumps(block["input"]) if block["input"] else ""
                    calls[payload["index"]] = [block["name"], whole]
            case "content_block_delta":
                text += payload["delta"].get("text", "")
                reasoning += payload["delta"].get("thinking", "")
                if "partial_json" in payload["delta"]:
                    calls[payload["index"]][1] += payload["delta"]["partial_json"]
            case _:
                pass
    return text, reasoning, [(n, _json(a)) for _, (n, a) in sorted(calls.items())]


def _json(text: str) -> Any:
    return json.loads(text or "{}", strict=False)


def truth(stream: ApiStream) -> tuple[str, str, list[tuple[str, Any]]]:
    """Return the answer in the same form."""
    answer = stream.answer
    calls = [(call.name, _json(call.arguments)) for call in answer.calls]
    return answer.content, answer.reasoning, calls


def amounts(parts: Any) -> tuple[str, str, list[tuple[str, Any]]]:
    """Return what read parts amount to, in the same form."""
    texts = {"Text": "", "Reasoning": ""}
    calls = []
    for kind, *fields in facts(parts)["content"]:
        if kind == "call":
            calls.append((fields[1], fields[3]))
        else:
            texts[kind] += fields[0]
    return texts["Text"], texts["Reasoning"], calls


@pytest.mark.parametrize("api", ["responses", "anthropic"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_stream_carries_its_truth(api: str, data: st.DataObject) -> None:
    """Added up by hand, whatever the dialect and the cuts."""
    stream = data.draw(api_streams(api))
    assert naive(stream) == truth(stream)


@pytest.mark.slow
@each_api
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_stream_is_read_from_its_bytes_and_restated_in_every_api(
    api: str, data: st.DataObject
) -> None:
    """The reader finds the truth, no rule is broken, and writers carry it all."""
    stream = data.draw(api_streams(api))
    events = [Event(n, *event) for n, event in enumerate(stream.events)]
    if stream.dialect != "bedrock-invoke":  # AWS's frames are no event stream
        decoder = decoder_for(stream.data)
        found = [*decoder.feed(stream.data), *decoder.close()]
        sent = [e for e in found if e.data and e.data != "[DONE]"]
        events = [Event(n, e.event, json.loads(e.data)) for n, e in enumerate(sent)]
    answer = read(api, events)
    assert amounts(answer) == truth(stream)
    assert broken(api, events) == set()
    for target in APIS:
        made = write(target, answer)
        assert amounts(read(target, made.events)) == truth(stream), target
        assert broken(target, made.events) == set()


def test_wrong_names_are_refused_when_the_strategy_is_made() -> None:
    """As every strategy does, with what there is."""
    with pytest.raises(InvalidArgument, match="expected one of chat, responses"):
        api_streams("cohere")
    with pytest.raises(InvalidArgument, match="expected one of gemini-sse"):
        api_streams("gemini", dialect="gpt")
