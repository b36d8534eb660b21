"""Each rule of a legal Gemini stream: what breaks it, and what nearly does."""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.base import Event, Violation
from harness.apis.gemini.api import API
from harness.apis.gemini.rules import Checker
from tests.gemini_streams import call, event

_STOP = event({"text": "x"}, finish="STOP")
_OPEN = {"stringValue": "x", "willContinue": True}
_TEXT = {"stringValue": "x"}
_SIGNED = {"text": "", "thoughtSignature": "QUJD"}


def _candidates(*entries: Any) -> dict[str, Any]:
    return {"candidates": list(entries)}


_ENTRY = _STOP["candidates"][0]
_CONTENT = {"parts": [{"text": "x"}]}
_SNAKE = {"content": _CONTENT, "finish_reason": "STOP"}
_BLOCKED = {"promptFeedback": {"blockReason": "SAFETY"}}
_RATED: dict[str, Any] = {"promptFeedback": {"safetyRatings": []}}

# Rule: what breaks it and nothing else, and what does not.
STREAMS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    "bare": (
        [{"response": _STOP}],
        [{**_STOP, "response": {}}],
    ),
    "camel-case": (
        [_candidates(_SNAKE)],
        [event(call("f", args={"snake_case": 1}), finish="STOP")],
    ),
    "same-response": (
        [event({"text": "a"}, responseId="r"), {**_STOP, "responseId": "s"}],
        [event({"text": "a"}, responseId="r"), _STOP, {"responseId": "r"}],
    ),
    "same-model": (
        [event({"text": "a"}, modelVersion="m"), {**_STOP, "modelVersion": "n"}],
        [event({"text": "a"}, modelVersion="m"), _STOP],
    ),
    "error-last": (
        [{"error": {"code": 500}}, {"usageMetadata": {}}],
        [event({"text": "a"}), {"error": {"code": 500}}],
    ),
    "blocked-alone": ([_BLOCKED, _STOP], [_RATED, _STOP]),
    "candidate-index": (
        [_candidates({"content": _CONTENT}, _ENTRY)],
        [_candidates({**_ENTRY, "index": 1}, _ENTRY)],
    ),
    "candidate-empty": (
        [_candidates({"index": 0, "safetyRatings": []}), _STOP],
        [_candidates({"finishReason": "SAFETY"})],
    ),
    "role": (
        [_candidates({**_ENTRY, "content": {**_CONTENT, "role": "user"}})],
        [_candidates({**_ENTRY, "content": _CONTENT})],
    ),
    "part-one-kind": (
        [event({"thoughtSignature": "QUJD"}, finish="STOP")],
        [event(_SIGNED, finish="STOP")],
    ),
    "signature": (
        [event({"text": "", "thoughtSignature": "QUJDR"}, finish="STOP")],
        [event({"text": "", "thoughtSignature": "QUJDRA=="}, finish="STOP")],
    ),
    "finish-known": ([event(finish="DONE")], [event(finish="OTHER")]),
    "finish-once": ([_STOP, event(finish="STOP")], [_STOP, {"usageMetadata": {}}]),
    "finish-last": ([_STOP, event({"text": "x"})], [_STOP, event({"text": ""})]),
    "finish-present": (
        [event({"text": "x"}), _candidates({**_ENTRY, "index": 1})],
        [event({"text": "x"}), _BLOCKED],
    ),
    "call-named": (
        [event(call(None, ("$.a", _TEXT)), finish="STOP")],
        [event(call("f"), finish="STOP")],
    ),
    "call-id": (
        [event(call("f", id="1"), call("f", id="1"), finish="STOP")],
        [event(call("f"), call("f", id="1"), call("f"), finish="STOP")],
    ),
    "call-args": (
        [event(call("f", args="{}"), finish="STOP")],
        [event(call("f", args={}), finish="STOP")],
    ),
    "call-closed": (
        [event(call("f", goes_on=True)), event(call("g"), finish="STOP")],
        [event(call("f", goes_on=True)), event(call(), call("g"), finish="STOP")],
    ),
    "partial-args": (
        [event(call("f", ("$.a", _OPEN), ("$.b", _TEXT)), finish="STOP")],
        [event(call("f", ("$.a", _OPEN), ("$.a", _TEXT)), finish="STOP")],
    ),
}  # fmt: skip


def _check(payloads: list[dict[str, Any]], name: str = "") -> list[Violation]:
    return list(API.check(Event(n, name, p) for n, p in enumerate(payloads)))


@pytest.mark.parametrize("rule", STREAMS)
def test_a_rule_is_broken_by_its_input_alone(rule: str) -> None:
    """The violation names rule, event, expected and got."""
    broken, legal = STREAMS[rule]
    found = _check(broken)
    assert {violation.rule.name for violation in found} == {f"gemini/{rule}"}
    for violation in found:
        assert violation.rule is Checker.rules[rule]
        assert violation.expected
        assert violation.got
    assert _check(legal) == []


def test_an_event_name_breaks_a_rule() -> None:
    """Google sends none, and its SDK refuses one."""
    [violation] = _check([_STOP], "message")
    assert (violation.rule.name, violation.event) == ("gemini/no-event-name", 0)


def test_every_rule_is_tested_and_has_a_source() -> None:
    """The table above is complete; names are unique."""
    assert {*STREAMS, "no-event-name"} == set(Checker.rules)
    assert all(rule.source and rule.summary for rule in API.rules)
    assert API.rules == tuple(Checker.rules.values())


@pytest.mark.parametrize(
    ("payloads", "event_number"),
    [
        ([_STOP, event(finish="STOP")], 1),
        ([event({"text": "a"})], None),
        ([event(call("f", ("$.a", _OPEN)), finish="STOP")], 0),
        ([event(call("f", goes_on=True), finish="STOP")], None),
    ],
)
def test_a_violation_names_the_event(
    payloads: list[dict[str, Any]], event_number: int | None
) -> None:
    """None where it shows only at the end."""
    [violation] = _check(payloads)
    assert violation.event == event_number


def test_rules_are_checked_lazily() -> None:
    """A violation is out before the next event is asked for."""

    def events() -> Any:
        yield Event(0, "", event(finish="NEW"))
        raise AssertionError

    assert next(iter(API.check(events()))).rule.name == "gemini/finish-known"
