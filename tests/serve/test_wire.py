"""What leaves the server, byte by byte and write by write, seen by a bare socket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness import Cassette, UsageError
from harness.serve import RunningServer, serve
from harness.serve.wire_faults import parse_served_fault
from tests.serve.made import (
    DONE,
    REQUEST,
    event,
    interaction,
    text_pieces,
    write_cassette,
)
from tests.serve.sockets import Seen, ask, beginning

if TYPE_CHECKING:
    from pathlib import Path

ODD = 'a "é" 🌈\n'
CUT_ANYHOW = event({"content": ODD}) + event({}, "stop") + DONE


def chat(server: RunningServer, **more: object) -> Seen:
    """Ask what the made recordings were asked."""
    return ask(f"{server.base_url}/chat/completions", {**REQUEST, **more})


@pytest.fixture
def made(tmp_path: Path) -> str:
    """A recording in five pieces, the second ending inside a character."""
    at = CUT_ANYHOW.index("é".encode()) + 1
    pieces = [CUT_ANYHOW[:10], CUT_ANYHOW[10:at], CUT_ANYHOW[at:]]
    body = interaction([CUT_ANYHOW], [0.0])
    body["response"]["stream"]["chunks"] = [[0.1, len(piece)] for piece in pieces]
    return str(write_cassette(tmp_path / "made.json", body))


def test_recorded_pieces_leave_as_they_were_recorded(made: str) -> None:
    """Without any option the body is the recorded one, in the recorded pieces."""
    with serve(made) as server:
        seen = chat(server)
    at = CUT_ANYHOW.index("é".encode()) + 1
    assert seen.pieces == [CUT_ANYHOW[:10], CUT_ANYHOW[10:at], CUT_ANYHOW[at:]]
    assert (seen.status, seen.ended) == (200, "complete")
    assert "content-type: text/event-stream" in seen.head
    assert "x-recorded: yes" in seen.head


@pytest.mark.parametrize("writes", ["whole", "chars", "7", "random:3", "at:5,90"])
def test_writes_are_cut_anywhere(made: str, writes: str) -> None:
    """Each piece of a byte-level split is one write; the bytes are the same."""
    with serve(made, writes=writes) as server:
        seen = chat(server)
    assert seen.body == CUT_ANYHOW
    sizes = [len(piece) for piece in seen.pieces]
    total = len(CUT_ANYHOW)
    expected = {
        "whole": [total],
        "chars": [1] * total,
        "7": [7] * (total // 7) + [total % 7] * (total % 7 > 0),
        "at:5,90": [5, 85, total - 90],
    }
    if writes in expected:
        assert sizes == expected[writes]
    else:
        assert len(sizes) > 5


LATE_S = 3600.0
"""When a piece comes that no test waits for."""


def test_single_bytes_reach_a_slow_stream_one_by_one(tmp_path: Path) -> None:
    """A recorded byte arrives when it is due, not with what comes after it."""
    pieces = [CUT_ANYHOW[:50], CUT_ANYHOW[50:51], CUT_ANYHOW[51:]]
    path = write_cassette(
        tmp_path / "c.json", interaction(pieces, [0.05, 0.25, LATE_S])
    )
    with serve(path, speed=1) as server:
        seen = beginning(
            f"{server.base_url}/chat/completions", REQUEST, len(b"".join(pieces[:2]))
        )
    assert seen.pieces == pieces[:2]
    assert seen.times[0] > 0.049  # a time-out of asyncio may come a tick early
    assert seen.times[1] > 0.249


def test_varied_streams_keep_the_recorded_times(tmp_path: Path) -> None:
    """In another dialect and split, text still comes when it was recorded."""
    pieces, at = text_pieces(2), [0.0, 0.3, LATE_S]
    path = write_cassette(tmp_path / "c.json", interaction(pieces, at))
    with serve(path, speed=1, split="chars", dialect="azure") as server:
        url = f"{server.base_url}/chat/completions"
        server.configure(split="chars", dialect="azure", speed=0)
        body = chat(server).body
        server.configure(split="chars", dialect="azure", speed=1)
        end = body.index(b"\n\n", body.index(b'"1"')) + 2
        seen = beginning(url, REQUEST, end)
    assert seen.body == body[:end]
    second = next(
        t for p, t in zip(seen.pieces, seen.times, strict=True) if b'"1"' in p
    )
    assert second > 0.299


@pytest.mark.parametrize(
    ("fault", "size", "ended"),
    [
        ("reset:40", 40, "reset"),
        ("reset:0", 0, "reset"),
        ("close:40", 40, "closed"),
        ("stall:40", 40, "silent"),
        ("reset:100000", len(CUT_ANYHOW), "complete"),
        ("cut-bytes:40", 40, "complete"),
        ("no-done+close:40", 40, "closed"),
    ],
)
def test_connection_breaks_where_it_was_told_to(
    made: str, fault: str, size: int, ended: str
) -> None:
    """A fault of the connection lets so many bytes through and does what it says."""
    with serve(made, fault=fault) as server:
        url = f"{server.base_url}/chat/completions"
        seen = ask(url, REQUEST, timeout_s=1 if ended == "silent" else 20)
        assert (len(seen.body), seen.ended) == (size, ended)
        assert CUT_ANYHOW.startswith(seen.body)
        logged = {"closed": "closed", "reset": "reset", "complete": "complete"}
        if ended in logged:
            assert server.requests[0]["outcome"] == logged[ended]


def test_trickle_takes_its_time(made: str) -> None:
    """K bytes a second, one a write, at any speed."""
    with serve(made, fault="trickle:1000", speed=0) as server:
        seen = chat(server)
    assert seen.body == CUT_ANYHOW
    assert {len(piece) for piece in seen.pieces} == {1}
    assert seen.times[-1] > (len(CUT_ANYHOW) - 1) / 1000 - 0.001


@pytest.mark.parametrize(
    ("fault", "over"), [("length-over:5", 5), ("length-under:5", -5)]
)
def test_content_length_is_wrong_when_told_to(made: str, fault: str, over: int) -> None:
    """The declared length differs from what is sent, and the connection is closed."""
    with serve(made, fault=fault) as server:
        seen = chat(server)
    assert f"content-length: {len(CUT_ANYHOW) + over}\r" in f"{seen.head}\r"
    assert seen.body == CUT_ANYHOW
    assert seen.ended == ("closed" if over > 0 else "complete")


def test_refusals_come_first_and_then_the_answer(made: str) -> None:
    """`http-429:2+http-500` refuses three requests of a session, then answers."""
    with serve(made, fault="http-429:2+http-500") as server:
        statuses = [chat(server).status for _ in range(5)]
        assert statuses == [429, 429, 500, 200, 200]
        other = server.session("other")
        assert ask(f"{other.base_url}/chat/completions", REQUEST).status == 429


@pytest.mark.parametrize(
    ("ended", "seen_as"),
    [
        ("complete", "complete"),
        ("closed", "closed"),
        ({"kind": "error", "error": "RemoteProtocolError"}, "closed"),
        ({"kind": "error", "error": "ReadError"}, "reset"),
    ],
)
def test_broken_recordings_break_again(
    tmp_path: Path, ended: object, seen_as: str
) -> None:
    """A stream ends as it was recorded: what broke off never looks complete."""
    pieces = text_pieces(3)[:2]
    one = interaction(pieces, [0.0, 0.0], ended="complete")
    if isinstance(ended, dict):
        one["response"]["stream"] |= {"ended": ended["kind"], "error": ended["error"]}
    else:
        one["response"]["stream"]["ended"] = ended
    with serve(write_cassette(tmp_path / "c.json", one)) as server:
        seen = chat(server)
        assert (seen.body, seen.ended) == (b"".join(pieces), seen_as)
        server.configure(split="chars")
        assert chat(server).ended == seen_as
        server.configure()
        whole = chat(server, stream=False)
        assert (whole.ended == "complete") == (seen_as == "complete")


def test_said_pieces_are_what_is_sent(made: str) -> None:
    """`say` answers with any bytes in any pieces, whatever the request says."""
    pieces = [b'data: {"a"', b": 1}\r", b"\n\r\n", b"\xff"]
    with serve(made) as server:
        session = server.session("fuzz")
        session.say(pieces)
        seen = ask(f"{session.base_url}/chat/completions", {"messages": []})
        assert seen.pieces == pieces
        assert chat(server).body == CUT_ANYHOW
        session.say([])
        assert ask(f"{session.base_url}/chat/completions", {}).body == b""


def test_said_pieces_need_no_recording() -> None:
    """A server of an empty cassette says what it is told, and else explains itself."""
    with serve(Cassette("nothing", [])) as server:
        url = f"{server.base_url}/chat/completions"
        assert ask(url, REQUEST).status == 404
        server.say([CUT_ANYHOW[:9], CUT_ANYHOW[9:]])
        assert ask(url, {}).pieces == [CUT_ANYHOW[:9], CUT_ANYHOW[9:]]


def test_http_1_0_clients_get_the_body_and_the_end(made: str) -> None:
    """Without HTTP chunks the end of the connection is that of the body."""
    from tests.serve.sockets import exchange, request_bytes

    with serve(made) as server:
        url = f"{server.base_url}/chat/completions"
        sent = request_bytes(url, REQUEST).replace(b"HTTP/1.1", b"HTTP/1.0")
        seen = exchange(url, sent)
    assert (seen.body, seen.ended) == (CUT_ANYHOW, "closed")
    assert "transfer-encoding" not in seen.head


def test_an_answer_that_has_no_body_has_no_length(tmp_path: Path) -> None:
    """RFC 9110, section 8.6: not one of 204, and of 304 the length of another."""
    none = interaction([], status=204, uri="http://h/gone")
    with serve(write_cassette(tmp_path / "c.json", none)) as server:
        seen = ask(f"{server.url}/gone", REQUEST)
    assert (seen.status, seen.body, seen.ended) == (204, b"", "complete")
    assert "content-length" not in seen.head


def test_whole_completion_is_what_the_stream_said(made: str) -> None:
    """A request without `stream` gets the accumulated completion as JSON."""
    with serve(made) as server:
        seen = chat(server, stream=False)
    answer = json.loads(seen.body)
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"] == ODD
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "content-type: application/json" in seen.head


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("http-429:0", "expected a number from 1, got 0"),
        ("reset:5+trickle:0", "expected a number from 1, got 0"),
        ("length-under:0", "expected a number from 1, got 0"),
        ("trickel:5", "did you mean 'trickle'?"),
        ("no-finsh", "did you mean 'no-finish'?"),
    ],
)
def test_fault_that_breaks_nothing_is_refused(fault: str, problem: str) -> None:
    """A fault without effect is a mistake, and a near name is offered."""
    with pytest.raises(UsageError) as caught:
        parse_served_fault(fault)
    assert problem in str(caught.value)
