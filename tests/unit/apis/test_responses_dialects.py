"""Dialects and faults of Responses: exactly the rules they name are broken."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.base import Event, WrittenEvent
from harness.apis.responses.api import API
from harness.apis.responses.breaking import FAULTS
from harness.apis.responses.dialects import DIALECTS
from harness.core.parts import (
    Finish,
    Part,
)
from tests.responses_streams import (
    EXAMPLES,
    answer_of,
    events_of,
    example_events,
    example_parts,
    problems,
    read,
    recording,
)
from tests.shared import needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable


def numbered(written: Iterable[WrittenEvent]) -> list[Event]:
    """Number written events as a reader is fed them."""
    return [Event(n, event.name, event.payload) for n, event in enumerate(written)]


def broken(events: list[Event]) -> set[str]:
    """Return the rules that events break."""
    return {v.rule.name.removeprefix("responses/") for v in API.check(events)}


# -- Dialects --------------------------------------------------------------------------


def in_dialect(name: str, parts: list[Part]) -> list[Event]:
    """Write parts in a dialect, through bytes."""
    dialect = DIALECTS[name]
    writer = dialect.writer()
    sent = [event for part in parts for event in writer.feed([part])] + writer.close()
    return events_of(b"".join(dialect.encode(sent)))


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_breaks_exactly_its_rules(name: str) -> None:
    """Over all made answers: the declared rules, no other; the same answer is read."""
    rules = set()
    for example in EXAMPLES:
        events = in_dialect(name, example_parts(example))
        rules |= broken(events)
        assert answer_of(read(events)) == answer_of(example_parts(example))
        kinds = {kind for kind, _ in problems(read(events))} - {"error-event"}
        assert kinds <= {"illegal-event", "unread"}, example
    assert rules == DIALECTS[name].breaks


def test_dialects_are_values() -> None:
    """They pickle, compare, and have a summary and a source."""
    assert len(DIALECTS) >= 20
    for name, dialect in DIALECTS.items():
        assert pickle.loads(pickle.dumps(dialect)) == dialect
        assert dialect.name == name
        assert dialect.summary
        assert dialect.source
    assert len(set(DIALECTS.values())) == len(DIALECTS)


_RECORDED = {
    "copilot": "github-copilot-id-rotation",
    "lmstudio": "lmstudio-tool-call.1",
    "openrouter": "raw_cot_stream_openrouter",
    "bedrock": "providers_bedrock_mantle_responses_chat_streams",
    "openai": "openai_gpt-5_4_streams_thinking",
}


def _keys(events: Iterable[Event]) -> dict[str, set[frozenset[str]]]:
    """Return the sets of keys of each type of event."""
    found: dict[str, set[frozenset[str]]] = {}
    for event in events:
        kind = event.payload["type"]
        keys = frozenset(event.payload) - {"obfuscation", "copilot_usage"}
        found.setdefault(kind, set()).add(frozenset(keys))
    found.pop("response.keep_alive", None)  # not in every recording of OpenRouter
    return found


@needs_shared
@pytest.mark.parametrize("name", _RECORDED)
def test_dialect_has_the_keys_of_its_recording(name: str) -> None:
    """A recording of a habit, written again in its dialect, has the same key sets."""
    found = recording(_RECORDED[name])
    events = in_dialect(name, read(found.events))
    assert _keys(events) == _keys(found.events)
    lines = {bool(event.name) for event in found.events}
    assert {bool(event.name) for event in events} == lines


def test_framing_of_dialects() -> None:
    """Event lines, comments and the terminator are part of a dialect."""
    dialect = DIALECTS["openrouter"]
    writer = dialect.writer()
    sent = writer.feed(example_parts("text")) + writer.close()
    data = b"".join(dialect.encode(sent))
    assert data.startswith(b": PROCESSING")
    assert data.endswith(b"data: [DONE]\n\n")
    assert b"event:" not in data


# -- Faults ----------------------------------------------------------------------------


def _faulty(name: str, example: str, number: int | None = None) -> list[Event]:
    sent = [WrittenEvent(e.name, e.payload) for e in example_events(example)]
    return numbered(FAULTS[name].apply(sent, number))


@pytest.mark.parametrize("name", FAULTS)
def test_fault_breaks_what_it_names(name: str) -> None:
    """The named rule is broken and the named diagnostic reported; else none is."""
    fault = FAULTS[name]
    for example in ("text", "call", "parallel-calls", "reasoning"):
        events = _faulty(name, example)
        rules = broken(events)
        kinds = {kind for kind, _ in problems(read(events))}
        if fault.breaks:
            assert set(fault.breaks) <= rules
        else:
            assert rules == set()
        assert kinds == ({fault.reported} if fault.reported else set())
        assert pickle.loads(pickle.dumps(fault)) == fault


@pytest.mark.parametrize("name", FAULTS)
def test_fault_behind_the_end_does_nothing(name: str) -> None:
    """A number beyond the stream leaves it whole."""
    if FAULTS[name].default is not None:
        assert _faulty(name, "call", 1000) == example_events("call")


@pytest.mark.parametrize("name", FAULTS)
def test_fault_of_every_shape(name: str) -> None:
    """No fault fails on any shape of answer, wherever it happens."""
    for example in EXAMPLES:
        for number in range(0, 14, 3):
            events = _faulty(name, example, number)
            read(events)
            broken(events)


def test_cut_in_call_leaves_a_beginning() -> None:
    """The arguments that came are no JSON, and the response states why."""
    found = read(_faulty("cut-in-call", "call"))
    (call,) = answer_of(found).calls
    assert '{"city": "Paris"}'.startswith(call[3])
    assert call[3] != '{"city": "Paris"}'
    assert Finish("incomplete", "length") in found


def test_duplicate_is_the_same_event() -> None:
    """The network sends an event twice: number and all."""
    events: list[Any] = _faulty("duplicate", "text", 5)
    assert events[4].payload == events[5].payload
