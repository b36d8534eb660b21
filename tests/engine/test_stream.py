"""One recorded stream to chunks, and everything odd about it told with its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.apis.chat.chunks import Chunk
from harness.cassettes.model import Ending
from harness.engine.identity import look_ahead
from harness.engine.replay import replay
from harness.engine.stream import StreamReader
from harness.engine.whole_answers import read_whole
from harness.errors import ChunkError
from tests.engine.made import (
    CREATED,
    Spy,
    call,
    cassette,
    chunk,
    exchange,
    finish,
    sse,
    text,
    whole,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange
    from harness.engine.transcript import Diagnostic

Found = tuple[str, int | None, int | None]


def read(one: Exchange | str) -> tuple[list[Chunk], list[Found], list[Diagnostic]]:
    """Return chunks, and kind, chunk and byte of each diagnostic of a replay."""
    made = cassette(one)
    reported: list[Diagnostic] = []
    chunks = list(StreamReader(made.exchanges[0], reported.append))
    transcript = replay(made, Spy())
    found = [(d.kind.value, d.chunk, d.byte_offset) for d in transcript.diagnostics]
    assert [d for d in transcript.diagnostics if d in reported] == reported
    return chunks, found, transcript.diagnostics


def test_good_stream_has_nothing_to_report() -> None:
    """Chunks are numbered from 0; `[DONE]`, comments and empty events do not count."""
    body = (
        ": hello\n\n"
        "retry: 3000\n\n"
        + sse(text("a"), done=False)
        + "data:\n\nevent: ping\n\n"
        + sse(text("b"), finish())
    )
    chunks, found, _ = read(body)
    assert [c.index for c in chunks] == [0, 1, 2]
    assert [c.at for c in chunks] == [None] * 3
    assert found == []


def test_chunk_has_the_time_of_the_read_that_completed_it() -> None:
    """An event over two reads came with the second; two in one read came together."""
    body = sse(text("a"), text("b"), finish()).encode()
    first = body.index(b"\n\n") + 2
    sizes = [first - 5, 5 + 3, len(body) - first - 3]
    made = exchange(body, wire=[(0.1, sizes[0]), (0.2, sizes[1]), (0.3, sizes[2])])
    chunks, found, _ = read(made)
    assert [c.at for c in chunks] == [0.2, 0.3, 0.3]
    assert found == []


def test_unreadable_payload_is_reported_and_passed_over() -> None:
    """Its number and byte are told; the chunks after it keep theirs."""
    body = sse(text("a"), "{broken", "[1]", text("b"), finish())
    chunks, found, told = read(body)
    assert [c.index for c in chunks] == [0, 3, 4]
    first = body.index("data: {broken")
    assert found == [
        ("unreadable-payload", 1, first),
        ("unreadable-payload", 2, first + len("data: {broken\n\n")),
    ]
    assert "no JSON" in told[0].text
    assert "got '{broken'" in told[0].text
    assert "JSON, but no object; got '[1]'" in told[1].text


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"error": {"message": "overloaded", "code": 529}}, "overloaded"),
        ({"error": "slow down"}, "slow down"),
        ({"object": "error", "message": "bad"}, "bad"),
        ({"error": {"message": "late"}, "choices": []}, "late"),
    ],
)
def test_error_event_is_reported_and_is_no_chunk(event: Any, said: str) -> None:
    """An error in a 200 response: told once, and no finish is missed after it."""
    body = sse(text("a"), event, done=False)
    chunks, found, told = read(body)
    assert [c.index for c in chunks] == [0]
    at = body.index("data: ", 1)
    assert found == [("error-event", 1, at)]
    assert told[0].text == f"the provider sent an error: {said}"


def test_error_beside_content_keeps_the_content() -> None:
    """A chunk that says something and carries an error is heard and reported."""
    body = sse({**text("a"), "error": {"message": "cut"}}, finish())
    chunks, found, _ = read(body)
    assert [c.index for c in chunks] == [0, 1]
    assert found == [("error-event", 0, 0)]


def test_event_named_error_is_an_error_whatever_it_holds() -> None:
    """`event: error` with an unknown payload is shown as it came."""
    body = sse(text("a"), done=False) + 'event: error\ndata: {"detail": "x"}\n\n'
    chunks, found, told = read(body)
    assert len(chunks) == 1
    assert found[0][:2] == ("error-event", 1)
    assert told[0].text == "the provider sent an error: x"


@pytest.mark.parametrize("error", [None, {}, ""])
def test_empty_error_field_is_no_error(error: Any) -> None:
    """Some providers send `error: null` in every chunk."""
    _, found, _ = read(sse({**text("a"), "error": error}, finish()))
    assert found == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (sse(text("a")), ["missing-finish"]),
        (sse(text("a"), finish(), done=False), ["missing-done"]),
        (sse(text("a"), done=False), ["missing-finish", "missing-done"]),
        (sse(text("a"), finish("length"), chunk(choices=[], usage={})), []),
    ],
)
def test_missing_end_is_reported(body: str, expected: list[str]) -> None:
    """A stream without finish reason or `[DONE]` may be cut: both are told."""
    _, found, told = read(body)
    assert [kind for kind, _, _ in found] == expected
    for one in told:
        events = body.count("data: ") - body.count("[DONE]")
        assert f" {events} chunks" in one.text


def test_finish_of_another_choice_is_no_finish() -> None:
    """Choice 0 has to be finished."""
    _, found, _ = read(sse(text("a"), chunk(finish="stop", choice=1)))
    assert [kind for kind, _, _ in found] == ["missing-finish", "other-choices"]


def test_incomplete_last_event_is_heard_and_reported() -> None:
    """The event without its blank line is dispatched, and its place told."""
    body = sse(text("a"), finish(), done=False).removesuffix("\n\n")
    chunks, found, told = read(body)
    assert [c.index for c in chunks] == [0, 1]
    assert found == [
        ("incomplete-event", 1, body.rindex("data: ")),
        ("missing-done", None, None),
    ]
    assert "expected a blank line after" in told[0].text


def test_event_that_breaks_off_is_both_incomplete_and_unreadable() -> None:
    """A connection that dies inside a payload leaves both diagnostics."""
    body = sse(text("a"), text("b"), done=False)[:-12]
    chunks, found, _ = read(body)
    assert len(chunks) == 1
    assert [kind for kind, _, _ in found] == [
        "incomplete-event",
        "unreadable-payload",
    ]


def test_data_after_done_is_heard_and_reported_once() -> None:
    """Chunks after `[DONE]` are not lost."""
    body = sse(text("a"), finish()) + sse(text("b"), text("c"))
    chunks, found, _ = read(body)
    assert [c.index for c in chunks] == [0, 1, 2, 3]
    second = body.index("[DONE]") + len("[DONE]\n\n")
    assert found == [("after-done", 2, second)]


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (Ending("closed"), "the client stopped reading here"),
        (
            Ending("error", "RemoteProtocolError", "peer closed"),
            "the connection broke: RemoteProtocolError (peer closed)",
        ),
        (Ending("error"), "the connection broke: unknown error"),
    ],
)
def test_recorded_ending_explains_what_is_missing(ended: Ending, reason: str) -> None:
    """How the recording ended is one fact with what is missing, and one diagnostic."""
    _, found, told = read(exchange(sse(text("a"), done=False), ended=ended))
    assert [kind for kind, _, _ in found] == ["broken-stream"]
    missing = "no finish_reason, no [DONE], after 1 chunks"
    assert told[0].text == f"{reason}; {missing}"


def test_complete_ending_is_nothing_to_report() -> None:
    """A recording that says it is complete is believed."""
    made = exchange(sse(text("a"), finish()), ended=Ending("complete"))
    assert read(made)[1] == []


@pytest.mark.parametrize("wire", [None, [(0.1, 7)], [(0.1, 1)]])
def test_diagnostics_do_not_depend_on_the_reads(wire: Any) -> None:
    """The same bytes in other reads give the same chunks and diagnostics."""
    body = sse(text("é😊"), "{x", call('{"a": 1', name="f"), done=False)
    size = len(body.encode())
    reads = None
    if wire is not None:
        step = wire[0][1]
        reads = [(0.1, min(step, size - at)) for at in range(0, size, step)]
    chunks, found, told = read(exchange(body, wire=reads))
    assert [c.payload for c in chunks] == [
        json.loads(line[6:]) for line in body.split("\n\n")[0:3:2]
    ]
    assert [kind for kind, _, _ in found] == [
        "unreadable-payload",
        "malformed-arguments",
    ]
    assert found[0][2] == len(sse(text("é😊"), done=False).encode())
    assert told[1].char_offset == len('{"a": 1')


def test_broken_payload_excuses_the_missing_finish() -> None:
    """Where a payload could not be read, its finish reason cannot be missed."""
    _, found, _ = read(sse(text("a"), '{"choices": [{"finish_reason": "st'))
    assert [kind for kind, _, _ in found] == ["unreadable-payload"]


def payloads(*created: Any) -> list[Chunk]:
    """Return chunks with these values of `created`."""
    return [Chunk(n, None, {"created": c}) for n, c in enumerate(created)]


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ([], 0),
        ([CREATED], CREATED),
        ([0, None, "x", True, -1, CREATED, 5], CREATED),
        ([1.5], 1.5),
        ([0] * 63 + [7], 7),
        ([0] * 64 + [7], 0),
    ],
)
def test_look_ahead_finds_the_first_date_and_loses_nothing(
    created: list[Any], expected: float
) -> None:
    """All chunks come, in order, however far it had to look."""
    given = payloads(*created)
    found, chunks = look_ahead(iter(given))
    assert found == expected
    assert list(chunks) == given


def test_look_ahead_reads_no_further_than_it_must() -> None:
    """A live stream is not held up: the first date ends the search."""
    given = iter(payloads(0, CREATED, 5, 6))
    look_ahead(given)
    assert next(given).index == 2
    given = iter(payloads(*[0] * 100))
    look_ahead(given)
    assert next(given).index == 64


def test_whole_completion_becomes_the_chunk_that_says_it_all() -> None:
    """Messages become deltas; further fields and choices are kept."""
    body = json.loads(whole({"role": "assistant", "content": "hi"}, usage={"n": 1}))
    body["choices"].append({"index": 1, "message": None, "delta": {"content": "x"}})
    body["choices"].append("odd")
    read_back = read_whole(cassette(json.dumps(body)).exchanges[0], "chat").payload
    assert read_back["object"] == "chat.completion.chunk"
    assert read_back["usage"] == {"n": 1}
    assert read_back["choices"] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "hi"},
            "finish_reason": "stop",
        },
        {"index": 1, "delta": None},
    ]
    empty = read_whole(cassette('{"choices": null}').exchanges[0], "chat")
    assert empty.payload["choices"] == []
    with pytest.raises(ChunkError):
        read_whole(cassette("{").exchanges[0], "chat")
