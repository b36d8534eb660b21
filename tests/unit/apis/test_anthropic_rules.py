"""Each rule of Messages streams: what breaks it, and a near miss that does not."""

from __future__ import annotations

from typing import Any

import pytest

from harness.apis.anthropic.api import API
from harness.apis.base import Event
from tests.anthropic_streams import (
    PING,
    STOP,
    Payload,
    answer,
    arguments,
    delta,
    events,
    finish,
    opened,
    signature,
    start,
    stopped,
    text,
    thinking,
)

TEXT = [opened(0, "text"), text("Hi"), stopped()]
CALL = [opened(0, "tool_use"), arguments("{}"), stopped()]
ERROR: Payload = {"type": "error", "error": {"type": "api_error", "message": "x"}}
LEGAL = answer(*TEXT)


def broken(stream: list[Event]) -> set[str]:
    """Return the rules that a stream breaks, without `anthropic/`."""
    return {
        violation.rule.name.removeprefix("anthropic/")
        for violation in API.check(stream)
    }


def without(block: Payload, key: str) -> Payload:
    """Return a content_block_start whose block lacks a field."""
    fields = {k: v for k, v in block["content_block"].items() if k != key}
    return block | {"content_block": fields}


CASES: list[tuple[str, list[Payload], list[Payload]]] = [
    ("start-first", LEGAL[1:], [PING, *LEGAL]),
    ("start-once", [start(), *LEGAL], LEGAL),
    (
        "start-message",
        [start(content=None), *LEGAL[1:]],
        [start(container=1), *LEGAL[1:]],
    ),
    ("start-message", [start(id=""), *LEGAL[1:]], LEGAL),
    ("start-message", [start(role="user"), *LEGAL[1:]], LEGAL),
    ("start-message", [start(stop_reason="end_turn"), *LEGAL[1:]], LEGAL),
    (
        "start-usage",
        [start(usage={"input_tokens": 1}), *LEGAL[1:]],
        [start(usage={"input_tokens": 0, "output_tokens": 0}), *LEGAL[1:]],
    ),
    ("start-usage", [start(usage=None), *LEGAL[1:]], LEGAL),
    (
        "block-index",
        answer(*TEXT, opened(2, "text"), stopped(2)),
        answer(*TEXT, opened(1, "text"), stopped(1)),
    ),
    ("block-index", answer(opened(1, "text"), text("x", 1), stopped(1)), LEGAL),
    (
        "block-index",
        answer(opened(None, "text"), text("x", None), stopped(None)),
        LEGAL,
    ),
    (
        "block-bracket",
        answer(opened(0, "text"), opened(1, "text"), stopped(1)),
        answer(opened(0, "text"), PING, stopped(), opened(1, "text"), stopped(1)),
    ),
    (
        "block-stopped",
        answer(opened(0, "text"), text("x")),
        answer(opened(0, "text"), stopped()),
    ),
    ("block-open", answer(*TEXT, text("late")), LEGAL),
    ("block-open", answer(*TEXT, stopped()), LEGAL),
    ("block-open", answer(text("x", 4), *TEXT), answer(PING, *TEXT)),
    (
        "block-fields",
        answer(without(opened(0, "thinking"), "signature"), signature("s"), stopped()),
        answer(without(opened(0, "text"), "citations"), stopped()),
    ),
    (
        "block-fields",
        answer(without(opened(0, "tool_use"), "input"), stopped(), reason="tool_use"),
        answer(*CALL, reason="tool_use"),
    ),
    ("block-fields", answer(without(opened(0, "text"), "type"), stopped()), LEGAL),
    (
        "delta-type",
        answer(opened(0, "tool_use"), text("x"), stopped(), reason="tool_use"),
        answer(opened(0, "of_tomorrow"), text("x"), stopped()),
    ),
    (
        "delta-type",
        answer(opened(0, "text"), arguments("{}"), stopped()),
        answer(opened(0, "text"), delta(0, "of_tomorrow"), stopped()),
    ),
    (
        "thinking-signed",
        answer(opened(0, "thinking"), thinking("hm"), stopped()),
        answer(opened(0, "thinking"), signature(""), stopped()),
    ),
    (
        "thinking-signed",
        answer(opened(0, "thinking"), signature("a"), signature("a"), stopped()),
        answer(
            opened(0, "thinking"),
            signature("a"),
            stopped(),
            opened(1, "thinking"),
            signature("a", 1),
            stopped(1),
        ),
    ),
    (
        "thinking-signed",
        answer(opened(0, "thinking"), signature("a"), thinking("hm"), stopped()),
        answer(opened(0, "thinking"), thinking("hm"), signature("a"), stopped()),
    ),
    (
        "input-object",
        answer(opened(0, "tool_use"), arguments('{"a'), stopped(), reason="tool_use"),
        answer(opened(0, "tool_use"), arguments('{"a'), stopped(), reason="max_tokens"),
    ),
    (
        "input-object",
        answer(
            opened(0, "tool_use"),
            arguments('{"a'),
            stopped(),
            opened(1, "text"),
            stopped(1),
            reason="max_tokens",
        ),
        answer(opened(0, "tool_use"), arguments(""), stopped(), reason="tool_use"),
    ),
    (
        "input-object",
        answer(opened(0, "tool_use"), arguments("[1]"), stopped(), reason="tool_use"),
        answer(*CALL, reason="tool_use"),
    ),
    (
        "input-once",
        answer(
            opened(0, "tool_use", input={"a": 1}),
            arguments('{"a":1}'),
            stopped(),
            reason="tool_use",
        ),
        answer(
            opened(0, "tool_use", input={"a": 1}),
            arguments(""),
            stopped(),
            reason="tool_use",
        ),
    ),
    (
        "call-ids",
        answer(
            *CALL, opened(1, "tool_use", id="toolu_0"), stopped(1), reason="tool_use"
        ),
        answer(*CALL, opened(1, "tool_use"), stopped(1), reason="tool_use"),
    ),
    (
        "call-ids",
        answer(opened(0, "tool_use", name=""), stopped(), reason="tool_use"),
        answer(*CALL, reason="tool_use"),
    ),
    (
        "result-of-call",
        answer(opened(0, "web_search_tool_result", tool_use_id="no"), stopped()),
        answer(
            opened(0, "server_tool_use"),
            stopped(),
            opened(1, "web_search_tool_result", tool_use_id="srv_0"),
            stopped(1),
        ),
    ),
    ("delta-once", [start(), *TEXT, finish(), finish(), STOP], LEGAL),
    ("delta-once", [start(), *TEXT, STOP], LEGAL),
    (
        "delta-once",
        [start(), finish(), *TEXT, STOP],
        [start(), *TEXT, PING, finish(), PING, STOP, PING],
    ),
    ("delta-reason", answer(*TEXT, reason=None), answer(*TEXT, reason="of_tomorrow")),
    ("delta-usage", [start(), finish(usage=None), STOP], LEGAL),
    ("delta-usage", [start(), finish(usage={"input_tokens": 1}), STOP], LEGAL),
    ("reason-of-calls", answer(*CALL), answer(*CALL, reason="max_tokens")),
    (
        "reason-of-calls",
        answer(*TEXT, reason="tool_use"),
        answer(*CALL, reason="refusal"),
    ),
    ("stop-last", LEGAL[:-1], [*LEGAL[:-1], ERROR]),
    ("stop-last", [*LEGAL, STOP], [*LEGAL, PING]),
    ("error-last", [start(), ERROR, STOP], [start(), ERROR, PING]),
]


@pytest.mark.parametrize(("rule", "breach", "near_miss"), CASES)
def test_a_rule_is_broken_by_this_and_not_by_that(
    rule: str, breach: list[Payload], near_miss: list[Payload]
) -> None:
    """The breach may break others too; the near miss breaks none."""
    assert rule in broken(events(breach))
    assert broken(events(near_miss)) == set()


def test_an_event_line_must_name_the_type() -> None:
    """None, or another, breaks the rule; an unknown event is ignored."""
    bare = [Event(event.index, "", event.payload) for event in events(LEGAL)]
    assert broken(bare) == {"event-line"}
    wrong = [Event(e.index, "message", e.payload) for e in events(LEGAL)]
    assert broken(wrong) == {"event-line"}
    unknown = [*events(LEGAL), Event(9, "", {"type": "of_tomorrow"})]
    assert broken(unknown) == set()


def test_every_rule_has_a_case() -> None:
    """And a summary and a source of one line."""
    names = {name for name, _, _ in CASES} | {"event-line"}
    assert names == {rule.name.removeprefix("anthropic/") for rule in API.rules}
    for rule in API.rules:
        assert rule.summary
        assert rule.source
        assert "\n" not in rule.summary


def test_a_violation_names_event_expected_and_got() -> None:
    """So that who writes a server can find it."""
    found = list(API.check(events(answer(*TEXT, opened(7, "text"), stopped(7)))))
    assert [(v.rule.name, v.event, v.expected, v.got) for v in found] == [
        ("anthropic/block-index", 4, "index 1", "7")
    ]


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [{}], float("nan")])
@pytest.mark.parametrize("key", ["message", "index", "content_block", "delta", "usage"])
def test_any_shape_is_checked_without_an_exception(key: str, value: Any) -> None:
    """One field of every event of another type."""
    stream = answer(*TEXT, opened(1, "tool_use"), arguments("{}", 1), stopped(1))
    list(API.check(events([payload | {key: value} for payload in stream])))
