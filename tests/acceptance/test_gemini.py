"""The recorded Gemini streams: the answers that others computed from them.

The streams of `shared/protocols/gemini` hold 33 answers. Gemini has no done events, so
an answer is the sum of its parts; `expected.jsonl` has no `final`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from harness import load_cassette
from harness.apis.base import Event
from harness.apis.chat.reader import ChatReader
from harness.apis.detect import api_named
from harness.apis.gemini.api import API
from harness.apis.gemini.reader import Reader, whole
from harness.apis.gemini.writer import Writer
from harness.apis.tables import not_carried
from harness.core.json_stream import JSONStreamDecoder
from harness.core.parts import CallPart, Part, Reasoning, Refusal, Text, ToolCall
from harness.core.sse import SSEDecoder
from tests.chunk_streams import recordings as chat_recordings
from tests.gemini_streams import Recording, answer, problems, read, recordings
from tests.shared import HAS_CORPUS, SHARED, corpus_files, needs_shared
from tests.splitting import every_cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.apis.base import WrittenEvent


def test_every_recorded_stream_gives_the_expected_answer() -> None:
    """Text, thoughts, calls, ids and stop of all 33 are equal to `expected.jsonl`."""
    streams = recordings()
    assert len(streams) == 33 or not HAS_CORPUS
    for stream in streams:
        row = stream.expected
        got = answer(read(*stream.payloads))
        assert (got.text, got.reasoning, got.stop) == (
            row["text"],
            row["reasoning"],
            row["stop"],
        ), stream.name
        calls = [["functionCall", *call] for call in got.calls]
        assert calls == row["calls"], stream.name
        assert len(stream.payloads) == row["events"], stream.name
        assert not row["refusal"], stream.name
        assert "final" not in row, stream.name


@needs_shared
def test_recorded_streams_have_no_problem_but_one_missing_finish() -> None:
    """Every field is known; a fixture that was trimmed by hand lacks its end."""
    found = {s.name: problems(read(*s.payloads)) for s in recordings()}
    [(name, [(kind, _)])] = [(n, p) for n, p in found.items() if p]
    assert "gemini_tools_thought_streaming" in name
    assert kind == "missing-finish"


@needs_shared
def test_recorded_streams_break_no_rule_but_where_they_were_trimmed() -> None:
    """`check` finds the missing finish, and nothing else."""
    found = [
        (stream.name, violation.rule.name)
        for stream in recordings()
        for violation in API.check(
            Event(index, "", payload) for index, payload in enumerate(stream.payloads)
        )
    ]
    assert [rule for _, rule in found] == ["gemini/finish-present"]
    assert "gemini_tools_thought_streaming" in found[0][0]


def test_the_api_knows_its_recordings_and_no_others() -> None:
    """Events, answers and requests: all of Gemini's, none of the 370 of chat."""
    for stream in recordings():
        assert all(API.is_event("", payload) for payload in stream.payloads)
        assert all(API.is_answer(payload) for payload in stream.payloads)
        assert API.is_answer(stream.payloads)
        assert API.is_request(stream.uri, stream.request), stream.name


@needs_shared
@pytest.mark.slow
def test_no_event_or_request_of_another_api_is_taken_for_gemini() -> None:
    """Over the chat corpus and the recordings of Responses and Anthropic."""
    others = [
        *corpus_files(),
        *(SHARED / "protocols" / "responses").rglob("*.yaml"),
        *(SHARED / "protocols" / "anthropic").rglob("*.yaml"),
    ]
    events = 0
    for path in others:
        for exchange in load_cassette(path).exchanges:
            if "generativelanguage" in exchange.request.uri:
                continue  # embeddings and files of the same server
            body = _json(exchange.request.body or b"")
            if isinstance(body, dict):
                assert not API.is_request(exchange.request.uri, body), path
            response = exchange.response
            document = _json(response.body)
            if document is not None:
                assert not API.is_answer(document), path
                continue
            decoder = SSEDecoder()
            for event in decoder.feed(response.body) + decoder.close():
                payload = _json(event.raw)
                if isinstance(payload, dict):
                    events += 1
                    assert not API.is_event(event.event, payload), path
    assert events > 10_000


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _parts_of(pieces: Sequence[bytes], *, is_array: bool) -> list[Any]:
    decoder = JSONStreamDecoder() if is_array else SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return _read_once(*(event.data for event in events + decoder.close()))


@cache
def _read_once(*payloads: str) -> list[str]:
    """Return the parts of payloads; most cuts give the same ones."""
    reader = Reader()
    parts = []
    for index, payload in enumerate(payloads):
        parts += reader.feed(Event(index, "", json.loads(payload)))
    return [repr(part) for part in parts + reader.close()]


@needs_shared
@pytest.mark.parametrize("is_array", [False, True], ids=["sse", "array"])
def test_every_cut_of_a_recorded_stream_gives_the_same_parts(*, is_array: bool) -> None:
    """Whole, byte by byte, and cut in two at every 50th byte, in both framings."""
    stream = _shortest_with_partial_args()
    body = _as_array(stream) if is_array else stream.body
    expected = _parts_of([body], is_array=is_array)
    assert any("CallPart" in part for part in expected)
    for number, (name, pieces) in enumerate(every_cut(body)):
        if number < 3 or number % 50 == 0:
            assert _parts_of(pieces, is_array=is_array) == expected, name


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("is_array", [False, True], ids=["sse", "array"])
def test_all_cuts_of_a_recorded_stream_give_the_same_parts(*, is_array: bool) -> None:
    """Cut in two at every byte."""
    stream = _shortest_with_partial_args()
    body = _as_array(stream) if is_array else stream.body
    expected = _parts_of([body], is_array=is_array)
    for name, pieces in every_cut(body):
        assert _parts_of(pieces, is_array=is_array) == expected, name


def _shortest_with_partial_args() -> Recording:
    return min(
        (stream for stream in recordings() if b"partialArgs" in stream.body),
        key=lambda stream: len(stream.body),
    )


def _as_array(stream: Recording) -> bytes:
    entries = [json.dumps(payload, indent=2) for payload in stream.payloads]
    return ("[" + "\n,\r\n".join(entries) + "\n]\n").encode()


def test_a_stream_is_read_the_same_from_an_array_and_as_one_document() -> None:
    """Without `alt=sse` the same objects come; parsed at once they are an answer."""
    for stream in recordings():
        decoder = JSONStreamDecoder()
        values = decoder.feed(_as_array(stream)) + decoder.close()
        payloads = [json.loads(value.raw) for value in values]
        expected = [repr(part) for part in read(*stream.payloads)]
        assert [repr(part) for part in read(*payloads)] == expected
        assert [repr(part) for part in whole(stream.payloads)] == expected


@needs_shared
def test_recorded_requests_hold_the_conversation() -> None:
    """Turns, calls with their arguments and the results of functions, in order."""
    turns = 0
    for stream in recordings():
        conversation = API.request(stream.uri, stream.request)
        if not stream.request:
            continue
        turns += len(conversation.turns)
        roles = [turn.role for turn in conversation.turns]
        assert roles[0] in {"system", "user"}
        called = [call for turn in conversation.turns for call in turn.calls]
        results = [out for turn in conversation.turns for out in turn.outputs]
        assert len(called) == len(results)
        assert all(json.loads(call.arguments) for call in called)
        assert all(result.text for result in results)
        assert conversation.model.startswith("gemini")
    assert turns > 50


@pytest.mark.parametrize("share", [120, pytest.param(1, marks=pytest.mark.slow)])
def test_chat_streams_are_written_as_gemini(share: int) -> None:
    """583 recordings of 25 providers: the same text, reasoning, refusals and calls.

    In the standard dialect no rule is broken but by a source without a finish reason
    (6), or with one in every chunk (1).
    """
    kinds: set[str] = set()
    broken: dict[str, set[str]] = {}
    for recording in chat_recordings()[::share]:
        reader, writer = ChatReader(), Writer()
        sent, events = [], []
        for chunk in recording.chunks:
            parts = reader.feed(Event(chunk.index, "", chunk.payload))
            sent += parts
            events += writer.feed(parts)
        parts = reader.close()
        sent += parts
        events += writer.feed(parts) + writer.close()
        payloads = [event.payload for event in events]
        assert _amounts_to(read(*payloads)) == _amounts_to(sent), recording.name
        kinds |= set(writer.left_out)
        found = [Event(index, "", payload) for index, payload in enumerate(payloads)]
        for violation in API.check(found):
            broken.setdefault(violation.rule.name, set()).add(recording.name)
    # Lists of sources (Perplexity) and of tools that ran at the provider (Groq) have no
    # place in Gemini's events, as annotations have none.
    sources = {"annotation", "citation", "search_result"}
    assert kinds <= {*not_carried("gemini"), *sources, "executed_tool"}
    counts = {rule: len(names) for rule, names in broken.items()}
    most = {"gemini/finish-present": 6, "gemini/finish-last": 1}
    assert counts.keys() <= most.keys()
    assert all(counts[rule] <= most[rule] for rule in counts)


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("responses", 164), ("anthropic", 115)])
def test_streams_of_other_apis_are_written_as_gemini(name: str, count: int) -> None:
    """All recordings: the same text, reasoning, refusals and calls; no rule broken.

    But for two Responses streams that lack their own end.
    """
    root = SHARED / "protocols" / name
    rows = (root / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    without_end = 0
    for row in map(json.loads, rows):
        exchange = load_cassette(root / row["file"]).exchanges[row["interaction"]]
        decoder, reader, writer = SSEDecoder(), api_named(name).reader(), Writer()
        sent: list[Part] = []
        events: list[WrittenEvent] = []
        for found in decoder.feed(exchange.response.body) + decoder.close():
            payload = _json(found.raw)
            if isinstance(payload, dict):
                parts = reader.feed(Event(len(events), found.event, payload))
                sent += parts
                events += writer.feed(parts)
        parts = reader.close()
        sent += parts
        events += writer.feed(parts) + writer.close()
        payloads = [event.payload for event in events]
        assert _amounts_to(read(*payloads)) == _amounts_to(sent), row["file"]
        broken = [v.rule.name for v in API.check(map(_event, enumerate(payloads)))]
        assert broken in ([], ["gemini/finish-present"]), row["file"]
        without_end += bool(broken)
    assert len(rows) == count
    assert without_end == (2 if name == "responses" else 0)


def _event(numbered: tuple[int, dict[str, Any]]) -> Event:
    return Event(numbered[0], "", numbered[1])


def _amounts_to(parts: list[Part]) -> Any:
    texts = [p.text for p in parts if isinstance(p, Text | Refusal)]
    thoughts = [p.text for p in parts if isinstance(p, Reasoning)]
    calls = [
        (p.call.name, p.call.id, _arguments(p.call))
        for p in parts
        if isinstance(p, CallPart) and p.is_new and not p.call.is_dropped
    ]
    return "".join(texts), "".join(thoughts), calls


def _arguments(call: ToolCall) -> Any:
    if call.type != "function":
        return {"input": call.arguments}  # as the writer has it
    return json.loads(call.arguments or "{}", strict=False)
