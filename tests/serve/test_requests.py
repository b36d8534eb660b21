"""Requests of every kind: matched, explained, malformed, huge, and broken off."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from harness import CassetteMissingError, StateError, UsageError, load_cassette
from harness.limits import IDLE, REQUEST_TIME
from harness.net import listening as incoming
from harness.serve import serve
from tests.cli.running import harness
from tests.serve.made import (
    REQUEST,
    interaction,
    served,
    text_pieces,
    write_cassette,
)
from tests.serve.sockets import ask, exchange, request_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.serve import RunningServer


def of(text: str) -> dict[str, Any]:
    """Return a request that says something else."""
    return {**REQUEST, "messages": [{"role": "user", "content": text}]}


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Three exchanges: two of the same request, a refusal first, and another."""
    refused = interaction(
        [b'{"error": {"message": "slow down"}}'],
        status=429,
        content_type="application/json",
    )
    return str(
        write_cassette(
            tmp_path / "three.json",
            refused,
            interaction(text_pieces(2)),
            interaction(text_pieces(3), request=of("another")),
        )
    )


@pytest.fixture
def server(path: str) -> Iterator[RunningServer]:
    """Serves the three."""
    with serve(path) as running:
        yield running


def chat(server: RunningServer, document: Any = REQUEST) -> tuple[int, Any]:
    """Ask for a completion; returns the status and the answer, parsed if JSON."""
    seen = ask(f"{server.base_url}/chat/completions", document)
    is_json = "content-type: application/json" in seen.head
    return seen.status, json.loads(seen.body) if is_json else seen.body


def test_recordings_of_one_request_answer_in_order(server: RunningServer) -> None:
    """A request that failed first and then succeeded does so, and then stays."""
    assert [chat(server)[0] for _ in range(4)] == [429, 200, 200, 200]
    assert chat(server, of("another"))[1] == b"".join(text_pieces(3))
    server.reset()
    assert chat(server)[0] == 429


def test_unmatched_requests_are_told_the_nearest_recording(
    server: RunningServer,
) -> None:
    """The 404 names the nearest recording and the fields that differ."""
    status, answer = chat(server, {**of("another"), "seed": 7})
    assert status == 404
    message = answer["error"]["message"]
    assert "three.json#2: seed: recorded nothing, sent 7; make the same" in message
    assert "POST /v1/chat/completions was never recorded" in message
    assert server.requests[0]["problem"] in message
    assert server.requests[0]["source"] is None


def test_strict_ignores_key_order_and_how_the_answer_is_wanted(
    server: RunningServer,
) -> None:
    """The canonical body decides; `stream` only between recordings."""
    shuffled = dict(reversed(of("another").items()))
    assert chat(server, shuffled)[0] == 200
    status, answer = chat(
        server, {**of("another"), "stream": False, "stream_options": {"a": 1}}
    )
    assert (status, answer["choices"][0]["message"]["content"]) == (200, "0 1 2 ")


def test_order_takes_whatever_comes_next(server: RunningServer) -> None:
    """With match order the n-th request gets the n-th recording, then a 404."""
    server.configure(match="order")
    answers = [chat(server, {"stream": True}) for _ in range(4)]
    assert [status for status, _ in answers] == [429, 200, 200, 404]
    assert answers[2][1] == b"".join(text_pieces(3))
    assert "all 3 recordings have been played" in answers[3][1]["error"]["message"]


def test_event_stream_text_answers_anything(tmp_path: Path) -> None:
    """A recording without a request answers every chat completion."""
    path = tmp_path / "answer.sse"
    path.write_bytes(b"".join(text_pieces(1)))
    with serve(path) as server:
        assert chat(server, {"stream": True}) == (200, b"".join(text_pieces(1)))


def test_other_paths_are_answered_as_recorded(tmp_path: Path) -> None:
    """What was recorded at another path is served there, and only there."""
    one = interaction(
        [b'{"data": [1]}'],
        uri="https://api.example.com/v1/embeddings",
        content_type="application/json",
    )
    with serve(write_cassette(tmp_path / "c.json", one)) as server:
        assert ask(f"{server.base_url}/embeddings", REQUEST).body == b'{"data": [1]}'
        assert ask(f"{server.base_url}/embeddings", {}).status == 404
        status, answer = chat(server)
        assert status == 404
        assert "recorded are /v1/embeddings" in answer["error"]["message"]


STREAMS = {
    "chat": text_pieces(1),
    "anthropic": [
        b'event: message_start\ndata: {"type": "message_start", "message": {}}\n\n',
        b'event: message_stop\ndata: {"type": "message_stop"}\n\n',
    ],
    "gemini": [
        b'data: {"candidates": [{"content": {"parts": [{"text": "Hi"}]}}]}\n\n',
    ],
    "responses": [
        b'data: {"type": "response.output_text.delta", "delta": "Hi"}\n\n',
    ],
}


@pytest.mark.parametrize("request_body", [None, {"task": 1}], ids=["GET", "POST"])
@pytest.mark.parametrize("api", sorted(STREAMS))
def test_streams_of_other_paths_stay_streams(
    tmp_path: Path, api: str, request_body: Any
) -> None:
    """An agent's own server streamed, whoever asked: also an `EventSource`."""
    one = interaction(STREAMS[api], uri="http://h/agent/run?id=1", request=request_body)
    if request_body is None:
        one["request"] |= {"method": "GET", "body": ""}
    with serve(write_cassette(tmp_path / "c.json", one)) as running:
        target = f"{running.url}/agent/run?id=1"
        seen = ask(target, request_body, method=one["request"]["method"])
    assert (seen.status, seen.body) == (200, b"".join(STREAMS[api]))


def test_models_are_those_that_were_asked_for(server: RunningServer) -> None:
    """`GET /v1/models` lists the models of requests and responses."""
    seen = ask(f"{server.base_url}/models", method="GET")
    assert [model["id"] for model in json.loads(seen.body)["data"]] == ["made"]


def control(server: RunningServer, path: str, **more: Any) -> tuple[int, Any]:
    """Ask the control endpoint; returns the status and the answer."""
    seen = ask(f"{server.url}/harness{path}", **more)
    return seen.status, json.loads(seen.body)


def test_sessions_are_set_read_and_forgotten_over_http(
    server: RunningServer, path: str
) -> None:
    """The control endpoint chooses cassette, split, dialect and fault of a session."""
    given = {
        "split": "chars",
        "dialect": "azure",
        "match": "order",
        "cassette": "three",
    }
    status, told = control(server, "/sessions/one", document=given, method="PUT")
    assert status == 200
    assert told["settings"] == {**given, "speed": 0.0, "writes": None, "fault": None}
    url = f"{server.url}/s/one/v1/chat/completions"
    assert [ask(url, REQUEST).status for _ in range(2)] == [429, 200]
    header = {"X-Harness-Session": "one", "Authorization": "Bearer sk-secret-1234"}
    by_header = ask(f"{server.base_url}/chat/completions", REQUEST, headers=header)
    assert b"prompt_filter_results" in by_header.body
    _, told = control(server, "/sessions/one", method="GET")
    assert [one["source"] for one in told["requests"]] == [
        f"{path}#{n}" for n in range(3)
    ]
    assert [one["json"] for one in told["requests"]] == [REQUEST] * 3
    assert "sk-secret" not in json.dumps(told)
    assert server.requests == []
    assert control(server, "", method="GET")[1]["sessions"] == ["default", "one"]
    assert control(server, "/sessions/one", method="DELETE")[0] == 200
    assert control(server, "", method="GET")[1]["sessions"] == ["default"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"split": "odd"}, "split 'odd'"),
        ({"dialect": 3}, "dialect: expected text"),
        ({"fault": "reset:x"}, "fault 'reset:x'"),
        ({"speed": -1}, "speed: expected 0"),
        ({"match": "near"}, "match: expected strict or order"),
        ({"cassette": "none"}, "no cassette is called 'none'"),
        ({"spilt": "chars"}, "unknown setting 'spilt'"),
        ([], "expected the settings as a JSON object"),
    ],
)
def test_wrong_settings_change_nothing(
    server: RunningServer, given: Any, problem: str
) -> None:
    """A wrong setting is a 400 that says what there is."""
    status, told = control(server, "/sessions/default", document=given, method="PUT")
    assert status == 400
    assert problem in told["error"]["message"]
    assert control(server, "/sessions/default", method="GET")[1]["settings"][
        "split"
    ] is (None)


HUGE = 65 << 20

BAD_REQUESTS = {
    "no HTTP": (b"\x16\x03\x01\x02\x00 hello\r\n\r\n", 400),
    "no version": (b"GET /\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two lengths": (
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        400,
    ),
    "length that is none": (
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        400,
    ),
    "chunk that is none": (
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        400,
    ),
    "odd coding": (
        b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
        501,
    ),
    "huge head": (b"GET / HTTP/1.1\r\nhost: " + b"a" * 70_000, 431),
    "huge body declared": (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n"
        % HUGE,
        413,
    ),
    "proxy": (b"GET http://example.com/ HTTP/1.1\r\nhost: a\r\n\r\n", 400),
    "no path": (b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_http_is_refused(server: RunningServer, name: str) -> None:
    """What is no HTTP, or too much of it, gets its status, and the server goes on."""
    sent, status = BAD_REQUESTS[name]
    seen = exchange(server.url, sent)
    assert seen.status == status
    assert "harness serve: " in json.loads(seen.body)["error"]["message"]
    assert chat(server, of("another"))[0] == 200


DEEP = b"[" * 100_000

BAD_CALLS: list[tuple[str, str, bytes, int]] = [
    ("POST", "/v1/chat/completions", b"", 400),
    ("POST", "/v1/chat/completions", b"{", 400),
    ("POST", "/v1/chat/completions", b"[]", 400),
    ("POST", "/v1/chat/completions", b"\xff\xfe", 400),
    ("POST", "/v1/chat/completions", DEEP, 400),
    ("POST", "/v1/chat/completions", b'{"a":' + DEEP, 400),
    ("POST", "/v1/chat/completions", b'{"model": "\\ud800"}', 404),
    ("POST", "/v1/chat/completions", b'{"stream": "yes", "messages": 3}', 404),
    ("PUT", "/v1/chat/completions", b"{}", 405),
    ("GET", "/v1/chat/completions", b"", 405),
    ("POST", "/v1/models", b"{}", 405),
    ("GET", "/", b"", 200),
    ("GET", "/favicon.ico", b"", 404),
    ("GET", "/v1/../../etc/passwd", b"", 404),
    ("POST", "/v1/embeddings", b"{}", 404),
    ("POST", "/s//v1/chat/completions", b"{}", 400),
    ("POST", f"/s/{'n' * 300}/v1/chat/completions", b"{}", 400),
    ("POST", "/s/%ff%00/v1/chat/completions", b"{}", 404),
    ("GET", "/harness/nothing", b"", 404),
    ("GET", "/harness/sessions//", b"", 404),
    ("POST", "/harness/sessions/a", b"{}", 405),
    ("PUT", "/harness/sessions/a", b"{", 400),
    ("PUT", "/harness/sessions/a", DEEP, 400),
    ("POST", "/harness", b"{}", 405),
]


@pytest.mark.parametrize(("method", "target", "body", "status"), BAD_CALLS)
def test_bad_calls_get_their_status(
    server: RunningServer, method: str, target: str, body: bytes, status: int
) -> None:
    """Bad paths, methods and bodies get a status and one line, never a traceback."""
    seen = ask(f"{server.url}{target}", method=method, body=body)
    assert (seen.status, seen.ended) == (status, "complete")
    assert "Traceback" not in seen.body.decode()
    if status >= 400:
        assert "bug" not in json.loads(seen.body)["error"]["message"]


def test_a_body_that_grows_too_large_is_refused(server: RunningServer) -> None:
    """A body without a length is read up to the limit and no further."""
    parts = urlsplit(server.url)
    assert parts.hostname is not None
    assert parts.port is not None
    chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        raw.settimeout(20)
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for _ in range(65):
            raw.sendall(chunk)
        assert b" 413 " in raw.recv(65536)


def test_large_bodies_are_read_and_answered(server: RunningServer) -> None:
    """A request of some megabytes is compared like any other."""
    status, answer = chat(server, of("x" * 5_000_000))
    assert status == 404
    assert len(answer["error"]["message"]) < 1000


def test_requests_on_one_connection_are_answered_in_turn(
    server: RunningServer,
) -> None:
    """Requests sent at once on one connection are answered one after the other."""
    url = f"{server.base_url}/models"
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    sent = request_bytes(url, method="GET")
    last = sent.replace(b"HTTP/1.1\r\n", b"HTTP/1.1\r\nconnection: close\r\n")
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        raw.settimeout(20)
        raw.sendall(sent * 2 + last)
        data = b""
        while more := raw.recv(65536):
            data += more
    assert data.count(b"HTTP/1.1 200 OK") == 3


def test_requests_that_arrive_in_pieces_are_read(server: RunningServer) -> None:
    """A request cut at every byte is the same request."""
    url = f"{server.base_url}/chat/completions"
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        raw.settimeout(20)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_bytes(url, of("another")):
            raw.sendall(bytes([byte]))
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data += raw.recv(65536)
    assert data.startswith(b"HTTP/1.1 200 OK\r\n")


def test_clients_that_wait_for_a_continue_get_one(server: RunningServer) -> None:
    """`Expect: 100-continue`, as curl sends for large bodies, is answered first."""
    url = f"{server.base_url}/chat/completions"
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    sent = request_bytes(url, of("another"), headers={"Expect": "100-continue"})
    head, blank, body = sent.partition(b"\r\n\r\n")
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        raw.settimeout(20)
        raw.sendall(head + blank)
        assert raw.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(body)
        assert raw.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_refusal_reaches_a_client_that_is_still_sending(
    server: RunningServer,
) -> None:
    """A 413 is not taken back by a reset while the body is still on its way."""
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % HUGE
    for _ in range(5):
        assert exchange(server.url, head + b"x" * 8_000_000).status == 413


def test_close_lets_everything_before_it_through(tmp_path: Path) -> None:
    """A close after more than the socket takes at once drops nothing before it."""
    path = write_cassette(
        tmp_path / "c.json", interaction([b"x" * 9_000_000 + b"\n\n"])
    )
    with serve(path, fault="close:8000000", match="order") as server:
        seen = ask(f"{server.base_url}/chat/completions", REQUEST)
    assert (len(seen.body), seen.ended) == (8_000_000, "closed")


def test_known_requests_come_before_unknown_ones(tmp_path: Path, path: str) -> None:
    """Event stream text answers what nothing else does, however it was named."""
    unknown = tmp_path / "answer.sse"
    unknown.write_bytes(b"".join(text_pieces(1)))
    with serve(unknown, path) as server:
        assert chat(server, of("another"))[1] == b"".join(text_pieces(3))
        assert chat(server, of("anything"))[1] == b"".join(text_pieces(1))
        assert len(server.requests) == 2
        server.reset()
        assert server.requests == []


def test_request_that_never_ends_is_refused(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a request, and then silence, is a 408 and not a hang."""
    monkeypatch.setenv(REQUEST_TIME.variable, "0.2")
    monkeypatch.setattr(incoming, "_LINGER_S", 0.2)
    sent = request_bytes(f"{server.base_url}/chat/completions", REQUEST)
    assert exchange(server.url, sent[:-5]).status == 408
    assert exchange(server.url, sent[:20]).status == 408


def test_silent_connection_is_closed(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that asks nothing is let go after a while, without an answer."""
    monkeypatch.setenv(IDLE.variable, "0.2")
    seen = exchange(server.url, b"")
    assert (seen.status, seen.ended) == (0, "closed")


def test_head_has_no_body(server: RunningServer) -> None:
    """A HEAD request gets the head alone, and the connection goes on."""
    url = f"{server.base_url}/models"
    head = request_bytes(url, method="GET").replace(b"GET", b"HEAD")
    last = request_bytes(url, method="GET", headers={"connection": "close"})
    parts = urlsplit(url)
    with socket.create_connection(("127.0.0.1", parts.port or 0)) as raw:
        raw.settimeout(20)
        raw.sendall(head + last)
        data = b""
        while more := raw.recv(65536):
            data += more
    assert data.count(b"HTTP/1.1 200 OK") == 2
    assert data.count(b'"object": "list"') == 1


def test_client_that_goes_away_is_noticed(tmp_path: Path) -> None:
    """A client that closes in the middle is logged, and nobody else is disturbed."""
    times = [0.0, *(0.1 * n for n in range(1, 60))]
    path = write_cassette(tmp_path / "c.json", interaction(text_pieces(59), times))
    with serve(path, speed=1) as server:
        url = f"{server.base_url}/chat/completions"
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        with socket.create_connection((parts.hostname, parts.port)) as raw:
            raw.sendall(request_bytes(url, REQUEST))
            assert raw.recv(65536)
        ended = time.monotonic() + 10
        while server.requests[0]["outcome"] == "open" and time.monotonic() < ended:
            time.sleep(0.05)
        assert server.requests[0]["outcome"] == "client closed"


def stop_with_streams_open(tmp_path: Path) -> float:
    """Press Ctrl-C while clients read, wait and stall; return what the end took."""
    times = [0.0, *(3600.0 for _ in range(5))]
    path = write_cassette(tmp_path / "c.json", interaction(text_pieces(5), times))
    with served(str(path)) as (base_url, process):
        url = f"{base_url}/chat/completions"
        parts = urlsplit(url)
        open_streams = []
        for number in range(20):
            raw = socket.create_connection((parts.hostname, parts.port))
            if number:  # the first says nothing at all
                raw.sendall(request_bytes(url, REQUEST))
                assert raw.recv(65536)
            open_streams.append(raw)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        took = time.monotonic() - started
        for raw in open_streams:
            raw.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert "Traceback" not in said
    assert said.count("stopped") == 19
    return took


def test_ctrl_c_ends_it_with_streams_open(tmp_path: Path) -> None:
    """Ctrl-C ends the server though no client is through; exit code 0."""
    stop_with_streams_open(tmp_path)


@pytest.mark.slow
@pytest.mark.timed
def test_ctrl_c_ends_it_within_a_second(tmp_path: Path) -> None:
    """Nobody waits for the end, whatever is open."""
    assert stop_with_streams_open(tmp_path) < 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nowhere.yaml"], "nowhere.yaml: there is no such file"),
        (["{path}", "--split", "odd"], "split 'odd': expected one of"),
        (["{path}", "--speed", "fast"], "speed: expected 0"),
        (["{path}", "--host", "0.0.0.0"], "can be reached from other machines"),
        (["{path}", "--host", "127.0.0.1.5"], "can be reached from other machines"),
        (["{path}", "--port", "70000"], "--port"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_two(
    path: str, arguments: list[str], problem: str
) -> None:
    """A user's mistake is told in a line; nothing is served."""
    given = [argument.format(path=path) for argument in arguments]
    done = harness("serve", *given)
    assert done.code == 2
    assert problem in done.err
    assert "Traceback" not in done.err


def test_taken_port_is_told(server: RunningServer, path: str) -> None:
    """A port that somebody listens on is a usage error that says so."""
    port = urlsplit(server.url).port or 0
    with pytest.raises(UsageError, match="cannot listen on"):
        serve(path, port=port).__enter__()


def test_context_manager_runs_again_but_not_twice(path: str) -> None:
    """A server can be run again after its block; not inside it; unknown before it."""
    running = serve(load_cassette(path))
    with pytest.raises(StateError, match="not running"):
        _ = running.base_url
    for _ in range(2):
        with running as server:
            assert chat(server, of("another"))[0] == 200
            with pytest.raises(StateError, match="already running"):
                running.__enter__()
    with pytest.raises(CassetteMissingError):
        serve("nowhere.yaml")
    with pytest.raises(UsageError, match="at least one recording"):
        serve()


def test_async_context_manager_serves(path: str) -> None:
    """`async with` serves as `with` does, in a thread of its own."""

    async def main() -> int:
        async with serve(path) as server:
            return (await asyncio.to_thread(chat, server, of("another")))[0]

    assert asyncio.run(main()) == 200


def test_several_servers_live_side_by_side(path: str) -> None:
    """Each has its own settings."""
    with serve(path) as one, serve(path, match="order") as two:
        assert chat(one, of("another"))[0] == 200
        assert chat(two, {})[0] == 429
