"""`harness convert`: the same recording in another API."""

# ruff: noqa: E501 - an event a line

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness import load_cassette, replay
from harness.cassettes.classify import Kind, classify
from harness.cassettes.encode import save_cassette
from harness.engine.check import check
from harness.engine.conversation import conversation_of
from tests.cli.running import ROOT, harness

if TYPE_CHECKING:
    from pathlib import Path

STEPS = ROOT / "cassettes/llama-server/three-steps.yaml"
APIS = ("chat", "responses", "anthropic", "gemini")


def answers(path: Path) -> list[Any]:
    """Return text and calls of each answer, and the results that tools gave."""
    made = replay(load_cassette(path), "streaming")
    found: list[Any] = [
        (m.content, [(c.name, json.loads(c.arguments or "{}")) for c in m.calls])
        for m in (one.choices[0] for one in made.responses)
    ]
    results = [
        json.loads(message.function_return)
        for message in made.messages
        if getattr(message, "function_return", "")[:1] == "{"
    ]
    return [*found, results]


@pytest.mark.parametrize("api", APIS)
def test_answers_calls_and_results_are_the_same(tmp_path: Path, api: str) -> None:
    """A conversation of three steps, and back again to chat."""
    there, back = tmp_path / "there.yaml", tmp_path / "back.yaml"
    assert harness("convert", str(STEPS), "-o", str(there), "--api", api).code == 0
    made = load_cassette(there)
    assert {classify(one).api for one in made.exchanges} == {api}
    assert all(conversation_of(one.request, api) for one in made.exchanges)
    assert answers(there) == answers(STEPS)
    assert [one for one in check(there) if not one.is_note] == []
    assert harness("convert", str(there), "-o", str(back), "--api", "chat").code == 0
    assert answers(back) == answers(STEPS)


@pytest.mark.parametrize("api", APIS[1:])
def test_an_answer_that_was_not_streamed_is_converted_too(
    tmp_path: Path, api: str
) -> None:
    """Whole, and asked as a whole; to chat it stays as it is, with a reason."""
    cassette = load_cassette(STEPS)
    for number, one in enumerate(cassette.exchanges):
        call = {"name": "f", "arguments": '{"n": 1}'}
        message = {
            "role": "assistant",
            "content": f"answer {number}",
            "tool_calls": [{"id": "c", "type": "function", "function": call}],
        }
        choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
        whole = {"id": "i", "object": "chat.completion", "choices": [choice]}
        body = json.dumps(whole).encode()
        headers = {"content-type": ["application/json"]}
        response = replace(one.response, body=body, headers=headers, wire=None)
        cassette.exchanges[number] = replace(one, response=response)
    source, there = tmp_path / "source.yaml", tmp_path / "there.yaml"
    save_cassette(cassette, source)
    assert harness("convert", str(source), "-o", str(there), "--api", api).code == 0
    made = load_cassette(there)
    assert [classify(one)[::2] for one in made.exchanges] == [
        (Kind.WHOLE, api) for _ in cassette.exchanges
    ]
    assert not any(one.request.json().get("stream") for one in made.exchanges)
    assert answers(there)[:-1] == answers(source)[:-1]
    back = tmp_path / "back.yaml"
    result = harness("convert", str(there), "-o", str(back), "--api", "chat")
    assert "left as it is" in result.err


def test_an_existing_file_is_not_replaced_unless_asked(tmp_path: Path) -> None:
    """Exit 2, and the file as it was; `--force` replaces it."""
    there = tmp_path / "there.yaml"
    there.write_text("mine", encoding="utf-8")
    arguments = ("convert", str(STEPS), "-o", str(there), "--api", "gemini")
    result = harness(*arguments)
    assert result.code == 2
    assert "--force replaces it" in result.err
    assert there.read_text("utf-8") == "mine"
    assert harness(*arguments, "--force").code == 0


def test_what_is_left_out_is_listed(tmp_path: Path) -> None:
    """A signature of reasoning has no place in chat's sister APIs: exit 1."""
    source = tmp_path / "a.yaml"
    stream: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "role": "assistant"}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2ln"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]  # fmt: skip
    body = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in stream)
    cassette = load_cassette(STEPS)
    cassette.exchanges[0].response.body = body.encode()
    cassette.exchanges[0].response.wire = None
    del cassette.exchanges[1:]
    save_cassette(cassette, str(source))
    target = tmp_path / "b.yaml"
    result = harness("convert", str(source), "-o", str(target), "--api", "responses")
    assert result.code == 1
    assert "responses cannot carry: signature (1)" in result.err
