"""Dialects and faults of Messages: what each breaks, what each leaves as it is."""

from __future__ import annotations

import base64
import json
import pickle
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.anthropic.api import API
from harness.apis.anthropic.breaking import FAULTS
from harness.apis.anthropic.dialects import DIALECTS
from harness.apis.base import Event, WrittenEvent
from harness.apis.examples import example_names
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Finish, Problem, Usage
from tests.anthropic_streams import (
    Answer,
    add_up,
    decode,
    example,
    read,
    recorded,
    rows,
)
from tests.shared import needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.apis.dialects import Dialect
    from harness.apis.faults import Fault

EXAMPLES = example_names("anthropic")
each_dialect = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
each_example = pytest.mark.parametrize("name", EXAMPLES)


def sent(dialect: Dialect, written: Iterable[WrittenEvent]) -> list[Event]:
    """Return the events of a dialect as they come off the wire."""
    if dialect.framing.is_binary:
        return [Event(n, *event) for n, event in enumerate(dialect.apply(written))]
    return decode(dialect.encode(written))


def broken(stream: list[Event]) -> set[str]:
    """Return the rules that a stream breaks, without `anthropic/`."""
    return {v.rule.name.removeprefix("anthropic/") for v in API.check(stream)}


def meant(answer: Answer) -> Any:
    """Return an answer with the inputs parsed: their spelling is a dialect's affair."""

    def parsed(text: str) -> Any:
        try:
            return json.loads(text or "{}")
        except ValueError:
            return text

    calls = [(name, call_id, parsed(text)) for name, call_id, text in answer.calls]
    return answer._replace(calls=calls)


# -- Examples --------------------------------------------------------------------------


@each_example
def test_an_example_is_legal(name: str) -> None:
    """And its answer is not empty, unless its name has it so."""
    stream = [Event(n, *event) for n, event in enumerate(example(name))]
    assert broken(stream) == set()
    assert not [part for part in read(stream) if isinstance(part, Problem)]


# -- Dialects --------------------------------------------------------------------------


def test_there_are_as_many_dialects_as_the_protocol_page_lists() -> None:
    """And one from recordings; each has a summary of one line and a source."""
    more = ["empty-thinking", "input-twice", "text-in-start", "input-null"]
    more += ["counts-grow"]
    assert len(DIALECTS) == 24 + len(more)
    for dialect in DIALECTS.values():
        assert dialect.summary
        assert dialect.source
        assert "\n" not in dialect.summary + dialect.source


@each_dialect
def test_a_dialect_is_a_value(dialect: Dialect) -> None:
    """It pickles, compares and names only rules that exist."""
    assert pickle.loads(pickle.dumps(dialect)) == dialect
    known = {rule.name.removeprefix("anthropic/") for rule in API.rules}
    assert set(dialect.breaks) <= known


@each_dialect
def test_a_dialect_breaks_exactly_the_rules_that_it_names(dialect: Dialect) -> None:
    """Over all examples, each of which is legal without it."""
    found: set[str] = set()
    for name in EXAMPLES:
        found |= broken(sent(dialect, example(name)))
    assert found == set(dialect.breaks)


@each_dialect
def test_a_dialect_changes_no_answer(dialect: Dialect) -> None:
    """Text, reasoning, calls and stop are read the same through every habit."""
    for name in EXAMPLES:
        stream = example(name)
        before = add_up(read([Event(n, *event) for n, event in enumerate(stream)]))
        after = add_up(read(sent(dialect, stream)))
        assert meant(after) == meant(before), name
        assert stream == example(name), name  # nothing was changed in place


@each_dialect
@pytest.mark.parametrize(
    "step", [pytest.param(60, id="some"), pytest.param(1, marks=pytest.mark.slow)]
)
def test_a_dialect_of_a_recording_changes_no_answer(
    dialect: Dialect, step: int
) -> None:
    """The events as recorded, for a dialect needs no writer."""
    for row in rows()[::step]:
        stream = recorded(row).events
        written = [WrittenEvent(e.name, e.payload) for e in stream]
        after = add_up(read(sent(dialect, written)))
        assert meant(after) == meant(add_up(read(stream)))


def events_of(dialect: str, name: str) -> list[Event]:
    """Return the events of an example in a dialect."""
    return sent(DIALECTS[dialect], example(name))


def test_what_each_habit_looks_like() -> None:
    """One look at each, where the rules cannot tell."""
    plain = events_of("anthropic", "parallel-calls")

    def pieces(dialect: str) -> list[str]:
        return [
            e.payload["delta"]["partial_json"]
            for e in events_of(dialect, "call")
            if e.payload.get("delta", {}).get("type") == "input_json_delta"
        ]

    whole = '{"city": "Paris", "days": [1, 2], "note": "\\ud83d\\ude00"}'
    assert "".join(pieces("eager")) == "".join(pieces("buffered")) == whole
    assert max(map(len, pieces("eager"))) == 3
    assert pieces("buffered") == [
        "",
        '{"city":',
        ' "Paris",',
        ' "days":',
        " [1, 2],",
        ' "note":',
        ' "\\ud83d\\ude00"}',
    ]
    assert pieces("input-in-start") == []
    stops = [e for e in events_of("kimi", "parallel-calls") if "stop" in e.name]
    assert [e.name for e in stops] == ["content_block_stop", "message_stop"]
    start, end = (e for e in events_of("kimi", "text") if "usage" in str(e.payload))
    assert start.payload["message"]["usage"]["input_tokens"] == 30
    start, end = (e for e in events_of("qwen-cloud", "text") if "usage" in str(e))
    assert "cache_read_input_tokens" not in start.payload["message"]["usage"]
    assert end.payload["usage"]["cache_read_input_tokens"] == 5
    starts = [
        e.payload["content_block"]
        for e in events_of("llama.cpp", "parallel-calls")
        if e.name == "content_block_start"
    ]
    assert not [block for block in starts if {"input", "signature"} & set(block)]
    assert not [e for e in events_of("no-ping", "text") if e.name == "ping"]
    many = [e.name for e in events_of("many-pings", "text")]
    assert many[1::2] == ["ping"] * (len(many) // 2)
    indices = [
        e.payload["index"]
        for e in events_of("interleaved-blocks", "parallel-calls")
        if e.payload.get("delta", {}).get("type") == "input_json_delta"
    ]
    assert indices == [3, 4, 3, 4, 3, 4, 3]
    moved = [e.payload for e in events_of("text-in-tool", "parallel-calls")]
    late = [
        p for p in moved if p.get("delta", {}).get("text") in {"Wait", " for both."}
    ]
    assert [p["index"] for p in late] == [4, 4]
    assert len(moved) == len(plain) - 2


def test_framing_is_part_of_a_dialect() -> None:
    """Bytes of the first events of each kind of framing."""
    text = example("text")

    def wire(dialect: str) -> bytes:
        return b"".join(DIALECTS[dialect].encode(text))

    assert wire("anthropic").startswith(
        b'event: message_start\ndata: {"type":"message_start"'
    )
    assert wire("anthropic").endswith(
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    assert wire("no-event-lines").startswith(b'data: {"type":"message_start"')
    assert wire("with-done").endswith(b"data: [DONE]\n\n")
    assert b'data:{"type"' in wire("no-space")
    assert b"event: ping\ndata: \n\n" in wire("ping-empty-data")


def test_bedrock_frames_carry_the_same_objects() -> None:
    """Lengths, checksums, headers and payload, read back by the specification."""
    written = example("call")
    dialect = DIALECTS["bedrock-invoke"]
    data = b"".join(dialect.encode(written))
    found = []
    while data:
        total, header_length, checksum = struct.unpack("!III", data[:12])
        assert zlib.crc32(data[:8]) == checksum
        assert zlib.crc32(data[: total - 4]) == int.from_bytes(data[total - 4 : total])
        payload = json.loads(data[12 + header_length : total - 4])
        found.append(json.loads(base64.b64decode(payload["bytes"])))
        data = data[total:]
    assert found == [event.payload for event in dialect.apply(written)]
    assert found[-1]["amazon-bedrock-invocationMetrics"]["inputTokenCount"] == 25


@needs_shared
def test_recorded_habits_have_the_key_sets_that_we_write() -> None:
    """Inputs in the start events, and the standard dialect of all else."""

    def keys(payload: Any) -> Any:
        if isinstance(payload, dict):
            return {key: keys(value) for key, value in payload.items()}
        return None

    def start_keys(stream: Iterable[Event | WrittenEvent]) -> list[Any]:
        return [
            keys(e.payload)
            for e in stream
            if e.payload.get("content_block", {}).get("input")
        ]

    seen = 0
    written = start_keys(events_of("input-in-start", "server-tool"))
    for row in rows():
        for found in start_keys(recorded(row).events):
            seen += 1
            found["content_block"].pop("caller", None)
            found["content_block"]["input"] = written[0]["content_block"]["input"]
            assert found == written[0]
    assert seen == 1

    standard = {
        json.dumps(keys(e.payload) if e.name != "message_start" else 0, sort_keys=True)
        for name in ("text", "thinking", "call", "parallel-calls")
        for e in events_of("anthropic", name)
        if e.name != "message_delta"
    }
    recorded_keys = {
        json.dumps(keys(e.payload), sort_keys=True)
        for row in rows()
        for e in recorded(row).events
    }
    assert standard - {"0"} <= recorded_keys


# -- Faults ----------------------------------------------------------------------------


@each_fault
def test_a_fault_is_a_value(fault: Fault) -> None:
    """It pickles and compares."""
    assert pickle.loads(pickle.dumps(fault)) == fault


@each_fault
def test_a_fault_breaks_the_rules_that_it_names(fault: Fault) -> None:
    """Those and no others, in a stream that has what the fault is about."""
    if fault.body is not None:
        assert API.is_answer(fault.body)
        found = API.whole(fault.body)
        assert [p.kind for p in found if isinstance(p, Problem)] == [fault.reported]
        assert list(fault.apply(example("text"))) == []
        return
    about_signatures = "signature" in fault.name
    written = fault.apply(example("parallel-calls" if about_signatures else "call"))
    stream = [Event(number, *event) for number, event in enumerate(written)]
    allowed = {"block-stopped"} if fault.ends != "as usual" else set()
    assert set(fault.breaks) <= broken(stream) <= set(fault.breaks) | allowed
    parts = read(stream)
    reported = {p.kind for p in parts if isinstance(p, Problem)}
    if fault.reported == DiagnosticKind.MALFORMED_ARGUMENTS:  # of who parses them
        with pytest.raises(ValueError, match=r"line 1 column"):
            json.loads(add_up(parts).calls[0][2])
    elif fault.reported:
        assert fault.reported in reported


@each_fault
@pytest.mark.parametrize("number", [0, 1, 5, 10**6])
def test_a_fault_at_any_place_raises_nothing(fault: Fault, number: int) -> None:
    """Beyond the end it does nothing, and no stream lacks what it cannot do without."""
    for name in EXAMPLES:
        written = list(fault.apply(example(name), number))
        stream = [Event(n, *event) for n, event in enumerate(written)]
        read(stream)
        list(API.check(stream))
        assert isinstance(written, list)
        if fault.default is not None and number == 0 and fault.ends != "as usual":
            assert len(written) == (fault.reported == DiagnosticKind.ERROR_EVENT)


@each_dialect
@pytest.mark.parametrize("fault", ["cut-events", "max-tokens", "bad-json"])
def test_a_fault_breaks_a_dialect_too(dialect: Dialect, fault: str) -> None:
    """Faults come after dialects, whose events have another form."""
    for name in EXAMPLES:
        written = list(FAULTS[fault].apply(dialect.apply(example(name))))
        read([Event(n, *event) for n, event in enumerate(written)])


def test_a_call_cut_by_length_has_half_of_its_input() -> None:
    """A7: the answer says max_tokens, and the input is no object."""
    written = FAULTS["max-tokens"].apply(example("call"))
    parts = read([Event(n, *event) for n, event in enumerate(written)])
    found = add_up(parts)
    assert found.calls[0][2] == '{"city": "Paris", "days": [1,'
    assert found.stop == ["max_tokens"]
    assert [p for p in parts if isinstance(p, Finish | Usage)]
