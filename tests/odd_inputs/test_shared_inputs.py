"""Small inputs rebuilt from public reports: each is reported for what it is.

The files are read in place in `../shared/odd-inputs`; its README names the reports.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness import load_cassette, replay
from harness.core.diagnostics import Severity
from harness.engine.check import check
from tests.shared import SHARED, needs_shared

ODD = SHARED / "odd-inputs"

REPORTED: dict[str, tuple[str, str]] = {
    "24f-error-prefix.sse": ("error-event", "tokenizer failed"),
    "24b-html-mid.sse": ("error-event", "502 Bad Gateway"),
    "24e-error-event.sse": ("error-event", "overloaded"),
    "24h-detail-error.sse": ("error-event", "rate limited"),
    "20-audio.sse": ("not-emitted", "'Good day'"),
    "82-delta-string.sse": ("unread-text", "choices[].delta"),
    "70b-minimax-final-message.sse": ("repeated-answer", "the whole answer"),
    "02-two-finishes.sse": ("two-finishes", "'stop' came after finish 'tool_calls'"),
    "03-stop-then-more.sse": ("after-finish", "'two '"),
    "09-done-twice.sse": ("done-twice", "[DONE]"),
    "01-cumulative.sse": ("cumulative", "each of 4 texts"),
    "04b-finish-empty-only.sse": ("empty-finish", "empty text"),
}
"""The one kind that is reported, and what its text names."""

pytestmark = needs_shared


def kinds(name: str) -> list[tuple[str, str]]:
    """Return kind and text of each diagnostic, notes of a cut recording left out."""
    found = replay(load_cassette(ODD / name), "queuing").diagnostics
    ignored = {"unrecorded-result", "missing-done"}
    return [(str(one.kind), one.text) for one in found if one.kind not in ignored]


@pytest.mark.parametrize(("name", "expected"), REPORTED.items(), ids=REPORTED)
def test_oddity_is_reported_by_its_name(name: str, expected: tuple[str, str]) -> None:
    """One fact gives one diagnostic, which names the thing and its text."""
    found = kinds(name)
    assert {kind for kind, _ in found} <= {expected[0], "two-finishes"}
    assert any(kind == expected[0] and expected[1] in text for kind, text in found)


@pytest.mark.parametrize("name", REPORTED)
def test_check_and_replay_name_the_same_facts(name: str) -> None:
    """What hurts a client is a problem of `check`; a note is one in both."""
    problems = [one.text for one in check(ODD / name) if not one.is_note]
    found = replay(load_cassette(ODD / name), "queuing").diagnostics
    hurting = [one for one in found if one.kind.severity is not Severity.NOTE]
    assert len(problems) == len(hurting)
    for text, one in zip(problems, hurting, strict=True):
        assert f"{one.kind}: {one.text}" in text


def test_obfuscation_is_no_oddity() -> None:
    """Padding is OpenAI's own field."""
    assert kinds("16-obfuscation.sse") == []


def answered(name: str) -> tuple[str, list[tuple[str, str]]]:
    """Return text and calls that the first answer came to."""
    message = replay(load_cassette(ODD / name), "queuing").responses[0].choices[0]
    return message.content, [(call.name, call.arguments) for call in message.calls]


def test_custom_tool_reaches_the_interfaces() -> None:
    """Its name and its input, which is no JSON, and no complaint about that."""
    assert answered("79-custom-tool.sse") == ("", [("run_code", "print(1)")])
    assert kinds("79-custom-tool.sse") == []
    shown: list[Any] = replay(
        load_cassette(ODD / "79-custom-tool.sse"), "queuing"
    ).messages
    assert any("run_code('print(1)')" in str(message) for message in shown)


def test_answer_that_comes_again_is_emitted_once() -> None:
    """The whole message after the deltas adds nothing."""
    assert answered("70b-minimax-final-message.sse") == ("Hi you", [])


def test_calls_without_ids_are_apart() -> None:
    """Two whole calls of one name are two, each with its own arguments."""
    calls = [("a", '{"x":1}'), ("a", '{"x":2}')]
    assert answered("78b-gemini-compat-same.sse") == ("", calls)


def test_results_follow_the_next_requests_own_turn() -> None:
    """Ids were rewritten and results reordered: result "A" belongs to p=a."""
    made = replay(load_cassette(ODD / "90-rewritten-ids.yaml"), "streaming")
    returns = [
        m.function_return for m in made.messages if hasattr(m, "function_return")
    ]
    assert returns == ["A", "B"]
    assert not any(one.kind == "guessed-result" for one in made.diagnostics)
