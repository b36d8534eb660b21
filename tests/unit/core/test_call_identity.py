"""Which call a fragment belongs to, what a name means, and the legacy form.

The cases are chunks in and calls out. Those named after an issue are the rows of the
project's list of real streaming bugs; "design" is the chunk side of the design's
section on the interfaces.
"""

from __future__ import annotations

import json
import re

import pytest

from harness.apis.chat.deltas import DeltaReader
from harness.core.parts import Finish
from tests.delta_payloads import (
    ABSENT,
    Case,
    Payload,
    calls,
    check_parts,
    chunk,
    entry,
    named,
    read,
    summary,
)

# -- Which call a fragment belongs to --------------------------------------------------


_TWO = [("a", "f", '{"a":1}'), ("b", "g", '{"b":2}')]
IDENTITY = [
    Case(
        "openai",
        [
            calls(entry(0, "a", "f", "", "function")),
            calls(entry(0, arguments='{"a":')),
            calls(entry(0, arguments="1}")),
            calls(entry(1, "b", "g", "", "function")),
            calls(entry(1, arguments='{"b":2}')),
        ],
        _TWO,
    ),
    Case(
        "openai-3.54-early-done-interleaved-0101",
        [
            calls(entry(0, "a", "f", '{"a":')),
            calls(entry(1, "b", "g", '{"b":')),
            calls(entry(0, arguments="1}")),
            calls(entry(1, arguments="2}")),
        ],
        _TWO,
    ),
    Case(
        "openai-3.54-gaps-021",
        [
            calls(entry(0, "a", "f", "{}")),
            calls(entry(2, "c", "h", "{")),
            calls(entry(1, "b", "g", "{}")),
            calls(entry(2, arguments="}")),
        ],
        [("a", "f", "{}"), ("c", "h", "{}"), ("b", "g", "{}")],
    ),
    Case(
        "litellm-5025-starts-at-1",
        [calls(entry(1, "a", "f", "{")), calls(entry(1, arguments="}"))],
        [("a", "f", "{}")],
    ),
    Case(
        "index-far-negative-and-fractional",
        [
            calls(entry(10**20, "a", "f", "{")),
            calls(entry(-1, "b", "g", "{")),
            calls(entry(0.5, "c", "h", "{")),
            calls(entry(-1, arguments="}"), entry(0.5, arguments="}")),
            calls(entry(10**20, arguments="}")),
        ],
        [("a", "f", "{}"), ("b", "g", "{}"), ("c", "h", "{}")],
    ),
    Case(
        "index-as-a-float",
        [calls(entry(1, "a", "f", "{")), calls(entry(1.0, arguments="}"))],
        [("a", "f", "{}")],
    ),
    Case(
        "several-calls-in-one-delta",
        [
            calls(entry(0, "a", "f", '{"a":'), entry(1, "b", "g", '{"b":')),
            calls(entry(1, arguments="2}"), entry(0, arguments="1}")),
        ],
        _TWO,
    ),
    Case(
        "langchain-36627-two-fragments-of-one-call-in-one-delta",
        [
            calls(entry(0, "a", "f", "")),
            calls(entry(0, arguments='{"a"'), entry(0, arguments=":1}")),
        ],
        [("a", "f", '{"a":1}')],
    ),
    Case(
        "hermes-3468-distinct-ids-all-at-index-0",
        [calls(entry(0, "a", "f", '{"a":1}')), calls(entry(0, "b", "g", '{"b":2}'))],
        _TWO,
    ),
    Case(
        "distinct-ids-same-name-all-at-index-0",
        [calls(entry(0, "a", "f", '{"a":1}')), calls(entry(0, "b", "f", '{"a":2}'))],
        [("a", "f", '{"a":1}'), ("b", "f", '{"a":2}')],
    ),
    Case(
        "distinct-ids-at-index-0-in-one-delta",
        [calls(entry(0, "a", "f", '{"a":1}'), entry(0, "b", "g", '{"b":2}'))],
        _TWO,
    ),
    Case(
        "langchain-35281-index-0-in-fragments",
        [
            calls(entry(0, "a", "f", '{"a":')),
            calls(entry(0, arguments="1}")),
            calls(entry(0, "b", "g", "")),
            calls(entry(0, arguments='{"b":')),
            calls(entry(0, arguments="2}")),
        ],
        _TWO,
    ),
    Case(
        "index-0-taken-back-by-an-earlier-id",
        [
            calls(entry(0, "a", "f", '{"a":')),
            calls(entry(0, "b", "g", '{"b":')),
            calls(entry(0, "a", ABSENT, "1")),
            calls(entry(0, arguments="}")),
            calls(entry(0, "b", "g", "2}")),
        ],
        _TWO,
    ),
    Case(
        "another-id-without-a-name-continues-the-index",
        [calls(entry(0, "a", "f", '{"a":')), calls(entry(0, "zz", ABSENT, "1}"))],
        [("a", "f", '{"a":1}')],
    ),
    Case(
        "another-id-with-a-null-name-continues-the-index",
        [calls(entry(0, "a", "f", '{"a":')), calls(entry(0, "zz", None, "1}"))],
        [("a", "f", '{"a":1}')],
    ),
    Case(
        "another-id-with-a-name-that-is-no-text-continues-the-index",
        [calls(entry(0, "a", "f", '{"a":')), calls(entry(0, "zz", 7, "1}"))],
        [("a", "f", '{"a":1}')],
    ),
    Case(
        "an-id-known-at-another-index-yields-to-the-index",
        [
            calls(entry(0, "a", "f", '{"a":')),
            calls(entry(1, "b", "g", '{"b":2}')),
            calls(entry(0, "b", ABSENT, "1}")),
        ],
        _TWO,
    ),
    Case(
        "the-same-id-at-two-indices-is-two-calls",
        [calls(entry(0, "a", "f", '{"a":1}')), calls(entry(1, "a", "g", '{"b":2}'))],
        [("a", "f", '{"a":1}'), ("a", "g", '{"b":2}')],
    ),
    Case(
        "openai-python-2806-no-index-told-by-id",
        [
            calls(entry(call_id="a", name="f", arguments='{"a":')),
            calls(entry(call_id="b", name="g", arguments='{"b":')),
            calls(entry(call_id="a", arguments="1}")),
            calls(entry(call_id="b", arguments="2}")),
        ],
        _TWO,
    ),
    Case(
        "free-claude-code-633-null-index-told-by-id",
        [
            calls(entry(None, "a", "f", '{"a":')),
            calls(entry(None, "b", "g", '{"b":')),
            calls(entry(None, "a", None, "1}")),
            calls(entry(None, "b", None, "2}")),
        ],
        _TWO,
    ),
    Case(
        "index-true-nan-or-a-word-is-no-number",
        [
            calls(entry(True, "a", "f", '{"a"')),
            calls(entry(float("nan"), "a", ABSENT, ":1")),
            calls(entry("one", "a", ABSENT, "}")),
            calls(entry(1, "b", "g", '{"b":2}')),
        ],
        _TWO,
    ),
    Case(
        "neither-index-nor-id-continues-the-last-touched",
        [
            calls(entry(call_id="a", name="f", arguments='{"a":')),
            calls(entry(arguments="1}")),
            calls(entry(call_id="b", name="g", arguments='{"b"')),
            calls(entry(None, None, None, ":")),
            calls(entry(None, "", "", "2}")),
        ],
        _TWO,
    ),
    Case(
        "neither-after-touching-an-earlier-call",
        [
            calls(entry(0, "a", "f", '{"a":')),
            calls(entry(1, "b", "g", '{"b":2}')),
            calls(entry(0, arguments="1")),
            calls(entry(arguments="}")),
        ],
        _TWO,
    ),
    Case(
        "neither-from-the-start",
        [calls(entry(name="f", arguments='{"a":')), calls(entry(arguments="1}"))],
        [("", "f", '{"a":1}')],
    ),
    Case(
        "arguments-before-any-name-open-a-call",  # which takes it late, as SDKs do
        [calls(entry(0, arguments='{"a":')), calls(entry(0, "a", "f", "1}"))],
        [("a", "f", '{"a":1}')],
    ),
    Case(
        "the-id-comes-late-at-an-index",
        [
            calls(entry(0, name="f", arguments="")),
            calls(entry(0, "a", arguments='{"a":1}')),
            calls(entry(call_id="a", arguments=" ")),
        ],
        [("a", "f", '{"a":1} ')],
    ),
    Case(
        "the-id-comes-late-without-index",
        [
            calls(entry(name="f", arguments='{"a":')),
            calls(entry(call_id="a", arguments="1}")),
            calls(entry(call_id="b", name="g", arguments="{")),
            calls(entry(call_id="a", arguments=" "), entry(call_id="b", arguments="}")),
        ],
        [("a", "f", '{"a":1} '), ("b", "g", "{}")],
    ),
    Case(
        "an-unknown-id-without-name-after-one-with-id-opens-a-call",
        [
            calls(entry(call_id="a", name="f", arguments="{}")),
            calls(entry(call_id="b", arguments="{}")),
        ],
        [("a", "f", "{}"), ("b", "", "{}")],
    ),
    Case(
        "ids-that-are-no-text-are-no-ids",
        [calls(entry(0, 5, "f", "{")), calls(entry(0, [1], ABSENT, "}"))],
        [("", "f", "{}")],
    ),
    Case(
        "litellm-7621-each-call-whole-without-index-or-id",
        [calls(entry(name="f", arguments='{"a":1}'), entry(name="g", arguments="{}"))],
        [("", "f", '{"a":1}'), ("", "g", "{}")],
    ),
    Case(
        "whole-calls-without-id-at-index-0",
        [
            calls(entry(0, name="f", arguments=' {"a":1} ')),
            calls(entry(0, name="f", arguments=' {"a":2}')),
            calls(entry(0, name="g", arguments="{}")),
        ],
        [("", "f", ' {"a":1} '), ("", "f", ' {"a":2}'), ("", "g", "{}")],
    ),
    Case(
        "a-name-with-a-brace-inside-unfinished-arguments-is-no-call",
        [
            calls(entry(0, "a", "f", '[{"x":1}')),
            calls(entry(0, name="f", arguments=",")),
            calls(entry(0, name="f", arguments='{"x":2}')),
            calls(entry(0, name="f", arguments="]")),
        ],
        [("a", "f", '[{"x":1},{"x":2}]')],
    ),
    Case(
        "a-name-with-a-brace-inside-a-list-cut-after-an-object-is-no-call",
        [
            calls(entry(0, "a", "f", '{"l":[{}')),
            calls(entry(0, name="f", arguments='{"not":"json"}')),
        ],
        [("a", "f", '{"l":[{}{"not":"json"}')],
    ),
    Case(
        "an-entry-that-says-nothing-moves-no-fragment",
        [
            calls(entry(0, "a", "f", "{")),
            calls(entry(1)),
            calls(entry(arguments="}")),
            calls(entry(1, "b", "g", "{}")),
        ],
        [("a", "f", "{}"), ("b", "g", "{}")],
    ),
    Case(
        "text-after-a-complete-object-without-a-name-stays",
        [calls(entry(0, "a", "f", "{}")), calls(entry(0, arguments='{"b":1}'))],
        [("a", "f", '{}{"b":1}')],
    ),
    Case(
        "a-name-without-a-brace-after-a-complete-object-is-no-call",
        [calls(entry(0, "a", "f", "{}")), calls(entry(0, name="f", arguments=" "))],
        [("a", "f", "{} ")],
    ),
]


@pytest.mark.parametrize("case", IDENTITY, ids=lambda case: case.id)
def test_fragments_reach_the_call_they_belong_to(case: Case) -> None:
    """Design: by index, else by id, else the call last touched."""
    reader, parts = read(case.payloads)
    assert summary(reader) == case.calls
    assert [call.position for call in reader.calls] == list(range(len(case.calls)))
    check_parts(reader, [part for some in parts for part in some])


# -- What a name means -----------------------------------------------------------------

NAMES = [
    Case(
        "in-pieces",
        [
            calls(entry(0, "a", "get_", "")),
            calls(entry(0, name="weather", arguments="{}")),
        ],
        [("a", "get_weather", "{}")],
    ),
    Case(
        "in-equal-pieces-without-id-or-type",
        [
            calls(entry(0, "a", "go")),
            calls(entry(0, name="go")),
            calls(entry(0, arguments="{}")),
        ],
        [("a", "gogo", "{}")],
    ),
    Case(
        "in-pieces-with-null-arguments",
        [calls(entry(0, "a", "f", None)), calls(entry(0, name="g", arguments=None))],
        [("a", "fg", "")],
    ),
    Case(
        "hermes-8259-resent-with-its-id",
        [
            calls(entry(0, "a", "f", "")),
            calls(entry(0, "a", "f", "{")),
            calls(entry(0, "a", "f", "}")),
        ],
        [("a", "f", "{}")],
    ),
    Case(
        "resent-with-its-type",
        [
            calls(entry(0, "a", "f", "", "function")),
            calls(entry(0, ABSENT, "f", "", "function")),
            calls(entry(0, ABSENT, "f", "{}", "function")),
        ],
        [("a", "f", "{}")],
    ),
    Case(
        "resent-whole-after-pieces",
        [
            calls(entry(0, "a", "get_")),
            calls(entry(0, "a", "it")),
            calls(entry(0, "a", "get_it", "{}")),
        ],
        [("a", "get_it", "{}")],
    ),
    Case(
        "pieces-with-the-id-repeated",
        [
            calls(entry(0, "a", "get_")),
            calls(entry(0, "a", "it")),
            calls(entry(0, "a", arguments="{}")),
        ],
        [("a", "get_it", "{}")],
    ),
    Case(
        "resent-after-arguments-have-begun",
        [
            calls(entry(0, "a", "f", "{")),
            calls(entry(0, name="f", arguments="")),
            calls(entry(0, name="other", arguments="}")),
        ],
        [("a", "f", "{}")],
    ),
    Case(
        "continue-5849-resent-in-every-chunk-without-id",
        [
            calls(entry(0, "a", "f", "{")),
            calls(entry(0, name="f", arguments='"a":')),
            calls(entry(0, name="f", arguments="1}")),
        ],
        [("a", "f", '{"a":1}')],
    ),
    Case(
        "a-late-first-id-repeats-nothing",
        [calls(entry(0, name="go")), calls(entry(0, "a", "go", "{}"))],
        [("a", "gogo", "{}")],
    ),
    Case("empty", [calls(entry(0, "a", "", "{}"))], [("a", "", "{}")]),
    Case("null", [calls(entry(0, "a", None, "{}"))], [("a", "", "{}")]),
    Case("no-text", [calls(entry(0, "a", {"x": 1}, "{}"))], [("a", "", "{}")]),
    Case(
        "after-an-announcement",
        [
            calls(entry(0, "a")),
            calls(entry(0, name="f")),
            calls(entry(0, arguments="{}")),
        ],
        [("a", "f", "{}")],
    ),
]


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case.id)
def test_names_add_up_or_repeat(case: Case) -> None:
    """Design: pieces until the first arguments; the whole name again is no piece."""
    reader, parts = read(case.payloads)
    assert summary(reader) == case.calls
    check_parts(reader, [part for some in parts for part in some])


# -- The legacy form -------------------------------------------------------------------


def _legacy(**function: object) -> Payload:
    return chunk({"function_call": function})


def test_a_legacy_call_is_a_call() -> None:
    """Design: `function_call` deltas make one call; its name may come in pieces."""
    reader, parts = read(
        [
            _legacy(name="get_", arguments=""),
            _legacy(name="it"),
            _legacy(arguments='{"a":'),
            _legacy(arguments="1}"),
            chunk({}, finish_reason="function_call"),
        ]
    )
    assert summary(reader) == [("", "get_it", '{"a":1}')]
    assert reader.calls[0].index is None
    check_parts(reader, [part for some in parts for part in some])
    assert named(parts[-1]) == named([Finish("function_call")])


def test_a_legacy_call_beside_tool_calls_in_one_delta_is_not_counted_twice() -> None:
    """A proxy that sends both forms means one call."""
    new = entry(0, "a", "f", "{}")
    both = {"tool_calls": [new], "function_call": {"name": "f", "arguments": "{}"}}
    reader, _ = read([chunk(both), _legacy(name="f", arguments="{}")])
    assert summary(reader) == [("a", "f", "{}")]


def test_tool_calls_replace_a_legacy_call_that_came_first() -> None:
    """Design: the legacy form counts unless the stream also has `tool_calls`."""
    reader, _ = read(
        [
            _legacy(name="f", arguments="{"),
            calls(entry(0, "a", "f", "{")),
            _legacy(arguments="}"),
            calls(entry(0, arguments="}"), entry(1, "b", "g", "{}")),
        ]
    )
    assert summary(reader) == [("a", "f", "{}"), ("b", "g", "{}")]
    assert [call.position for call in reader.calls] == [0, 1]


@pytest.mark.parametrize("entries", [[], None, "f", [None], [1]])
def test_tool_calls_without_an_entry_leave_the_legacy_call(entries: object) -> None:
    """An empty or unreadable `tool_calls` beside the legacy form takes nothing away."""
    delta = {"tool_calls": entries, "function_call": {"arguments": "}"}}
    reader, _ = read([_legacy(name="f", arguments="{"), chunk({"tool_calls": entries})])
    assert summary(reader) == [("", "f", "{")]
    if type(entries) is not list or not entries:
        reader.read(chunk(delta))
        assert summary(reader) == [("", "f", "{}")]


# -- Cost ------------------------------------------------------------------------------


def test_a_name_resent_with_every_brace_costs_no_parse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The look into the arguments is for an object's end: an array costs nothing."""
    parsed = 0
    loads = json.loads

    def count(text: str) -> object:
        nonlocal parsed
        parsed += len(text)
        return loads(text)

    monkeypatch.setattr(json, "loads", count)
    reader = DeltaReader()
    reader.read(calls(entry(0, "a", "f", '{"l":[')))
    for _ in range(500):
        for piece in ('{"x":', "1},"):
            reader.read(calls(entry(0, name="f", arguments=piece)))
    reader.read(calls(entry(0, name="f", arguments="null]}")))
    assert len(re.findall('{"x":1},', reader.calls[0].arguments)) == 500
    assert parsed == 0
