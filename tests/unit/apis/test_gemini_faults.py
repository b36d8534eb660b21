"""Each fault of Gemini shows as it says, and each example is legal and read whole."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.base import Event
from harness.apis.examples import example_events, example_names, example_parts
from harness.apis.gemini.api import API
from harness.apis.gemini.breaking import FAULTS
from harness.apis.gemini.dialects import DIALECTS
from harness.apis.gemini.rules import Checker
from harness.core.diagnostics import DiagnosticKind
from harness.core.json_stream import JSONStreamDecoder
from harness.core.sse import SSEDecoder
from tests.gemini_streams import answer, merged, problems, read, read_each

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.apis.faults import Fault

EXAMPLES = {
    name: [event.payload for event in example_events("gemini", name)]
    for name in example_names("gemini")
}
_STREAMS = ("text", "thoughts", "call", "parallel-calls", "calls-with-ids")


def _written(name: str, fault: Fault | None, dialect: str) -> tuple[list[Payload], Any]:
    """Return the events of an example written with a fault, and its decoder."""
    written = DIALECTS[dialect]
    writer = written.writer()
    events = [e for parts in read_each(EXAMPLES[name]) for e in writer.feed(parts)]
    events += writer.close()
    kept = copy.deepcopy(events)
    frames = written.encode(fault.apply(events) if fault else events)
    if fault:
        frames = fault.apply_bytes(frames)
    wire = b"".join(frames)
    assert events == kept
    is_array = written.framing.is_array
    decoder = JSONStreamDecoder() if is_array else SSEDecoder()
    found = decoder.feed(wire)
    payloads = []
    for event in found + decoder.close():
        try:
            payloads.append(json.loads(event.data))
        except ValueError:
            payloads.append({"unreadable": event.data})
    return payloads, decoder


def _shown(payloads: list[Payload], decoder: Any) -> set[str]:
    """Return what rules, reader, decoder and parser find."""
    parts = read(*payloads)
    events = [Event(index, "", payload) for index, payload in enumerate(payloads)]
    found = {
        violation.rule.name.removeprefix("gemini/") for violation in API.check(events)
    }
    found |= {kind for kind, _ in problems(parts)}
    found.add(answer(parts).stop or "")
    if any("unreadable" in payload for payload in payloads):
        found.add("unreadable-payload")
    if getattr(decoder, "is_array_open", False):
        found.add("array-not-closed")
    return found


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_shows_as_it_says_in_some_stream_and_never_without_it(
    name: str,
) -> None:
    """A rule, a diagnostic, a finish reason, or an array that stays open."""
    fault = FAULTS[name]
    dialect = fault.dialect or "gemini-sse"
    shows = "".join(fault.breaks) or fault.reported or fault.finish or fault.name
    shown = 0
    for stream in _STREAMS:
        assert shows not in _shown(*_written(stream, None, dialect)), stream
        shown += shows in _shown(*_written(stream, fault, dialect))
    assert shown


def test_faults_are_values() -> None:
    """Picklable and comparable; each does one thing and names a rule that exists."""
    for name, fault in FAULTS.items():
        assert pickle.loads(pickle.dumps(fault)) == fault
        assert fault.name == name
        assert (fault.change is None) != (fault.data is None)
        assert set(fault.breaks) <= set(Checker.rules)
        assert fault.reported in {"", *DiagnosticKind}
        assert fault.summary
        assert fault.source
        assert ("K" in fault.summary) == (fault.default is not None), name
        assert fault.dialect in {"", *DIALECTS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_legal_read_whole_and_written_back(name: str) -> None:
    """No rule is broken, no field unread; the same parts come back."""
    payloads = EXAMPLES[name]
    assert list(API.check(example_events("gemini", name))) == []
    found = problems(example_parts("gemini", name))
    assert [kind for kind, _ in found] == (["error-event"] if name == "error" else [])
    written, _ = _written(name, None, "gemini-sse")
    assert merged(read(*written)) == merged(read(*payloads))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_examples_say_the_same_in_every_dialect(dialect: str) -> None:
    """Text, thoughts, calls and stop; what a dialect cannot carry is known."""
    for name, payloads in EXAMPLES.items():
        expected = answer(read(*payloads))
        found = answer(read(*_written(name, None, dialect)[0]))
        if dialect == "no-thoughts":
            expected = expected._replace(reasoning="")
        if "ids" in dialect:
            expected, found = (
                one._replace(calls=[(call[0], "", call[2]) for call in one.calls])
                for one in (expected, found)
            )
        if dialect == "stop-everywhere" and name in {"error", "blocked-prompt"}:
            found = found._replace(stop=expected.stop)
        assert found == expected, name
