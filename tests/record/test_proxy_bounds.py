"""What the proxy takes in, and for how long: large, slow and unfinished requests."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import statistics
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from harness.cassettes.load import load_cassette
from harness.cassettes.model import Response
from harness.limits import BODY, IDLE, REQUEST, REQUEST_TIME
from harness.net import listening as incoming
from harness.record.downstream import Downstream
from harness.record.exchange import ExchangeRecorder
from tests.record.servers import (
    DONE,
    Connection,
    ScriptedServer,
    event,
    raw_request,
    read_plainly,
)
from tests.record.test_proxy import proxied

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


def answer(connection: Connection) -> None:
    """Answer any request with a short stream."""
    connection.begin()
    connection.chunk(event("hi") + DONE)
    connection.end()


def received(raw: socket.socket) -> bytes:
    """Read to the end; a reset is one, too."""
    data = b""
    try:
        while more := raw.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


@pytest.fixture
def upstream() -> Iterator[ScriptedServer]:
    """A server that answers at once."""
    with ScriptedServer(answer) as server:
        yield server


def test_half_open_requests_are_gone_after_the_time_out(
    tmp_path: Path, upstream: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 clients that never finish are told so and let go; others are served."""
    monkeypatch.setenv(REQUEST_TIME.variable, "0.2")
    monkeypatch.setattr(incoming, "_LINGER_S", 0.1)
    half = raw_request()
    with proxied(tmp_path / "c.yaml", upstream.url) as proxy:
        open_ones = [
            socket.create_connection(("127.0.0.1", proxy.port)) for _ in range(300)
        ]
        for number, raw in enumerate(open_ones):
            raw.settimeout(20)
            raw.sendall(half[: -1 - number % (len(half) - 1)])
        for raw in open_ones:
            with raw:
                answered = received(raw)
            assert answered.startswith(b"HTTP/1.1 408 ")
            assert REQUEST_TIME.variable.encode() in answered
        _, ended = read_plainly(proxy.port, raw_request(), lambda _: None)
    assert ended == "complete"
    assert proxy.count == 1


def test_a_silent_client_is_let_go(
    tmp_path: Path, upstream: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection without a request is closed after a while, without an answer."""
    monkeypatch.setenv(IDLE.variable, "0.1")
    with (
        proxied(tmp_path / "c.yaml", upstream.url) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as raw,
    ):
        raw.settimeout(20)
        assert received(raw) == b""


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_request_beyond_the_limit_is_refused(
    tmp_path: Path,
    upstream: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_chunked: bool,
) -> None:
    """With a length or without: a 413 that names the limit, and nothing is sent on."""
    monkeypatch.setenv(REQUEST.variable, "1000")
    framing = b"transfer-encoding: chunked" if is_chunked else b"content-length: 2000"
    body = b"7d0\r\n" + b"x" * 2000 if is_chunked else b"x" * 2000
    with (
        proxied(tmp_path / "c.yaml", upstream.url) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as raw,
    ):
        raw.settimeout(20)
        raw.sendall(
            b"POST /v1/x HTTP/1.1\r\nhost: a\r\n" + framing + b"\r\n\r\n" + body
        )
        raw.shutdown(socket.SHUT_WR)
        answered = received(raw)
    assert answered.startswith(b"HTTP/1.1 413 ")
    assert b"1000 bytes; set HARNESS_MAX_REQUEST_BYTES" in answered
    assert not upstream.requests


def test_an_answer_beyond_the_limit_is_passed_on_and_recorded_as_far_as_it(
    tmp_path: Path, upstream: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client gets everything; the recording ends with an error that says why."""
    pieces = [event("x" * 200) for _ in range(10)]

    def script(connection: Connection) -> None:
        connection.begin()
        for number, piece in enumerate(pieces):
            if number:
                connection.wait(f"piece {number - 1}")
            connection.chunk(piece)
        connection.end()

    monkeypatch.setenv(BODY.variable, str(3 * len(pieces[0])))
    with (
        ScriptedServer(script) as server,
        proxied(tmp_path / "c.yaml", server.url) as proxy,
    ):
        seen, ended = read_plainly(
            proxy.port,
            raw_request(),
            lambda number: server.acknowledge(f"piece {number}"),
        )
    assert (seen, ended) == (pieces, "complete")
    response = load_cassette(tmp_path / "c.yaml").exchanges[0].response
    assert response.body == b"".join(pieces[:3])
    assert response.ended is not None
    assert response.ended.kind == "error"
    assert BODY.variable in response.ended.message


CPU = """
import os, resource, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stderr=sys.stderr)
sys.stdin.read()
process.terminate()
process.wait()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""


def cpu_of_requests(folder: Path, upstream: str, size: int) -> float:
    """Return the CPU seconds of a proxy that takes one request of so many bytes."""
    command = [sys.executable, "-m", "harness", "record", "--proxy", "--force"]
    options = ["--upstream", upstream, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [sys.executable, "-c", CPU, *command, *options, str(folder / f"{size}.yaml")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        port = re.search(r"base URL \S+:(\d+);", process.stderr.readline())
        assert port is not None
        if size:
            sent = raw_request(body={"messages": [], "image": "QUJD" * (size // 4)})
            _, ended = read_plainly(int(port[1]), sent, lambda _: None)
            assert ended == "complete"
            process.stderr.readline()  # saved
        out, _ = process.communicate("")
    return float(out)


@pytest.mark.timed
@pytest.mark.slow
def test_a_large_request_costs_in_proportion(tmp_path: Path) -> None:
    """32 MB are taken, sent on and recorded in time linear in them."""

    def script(connection: Connection) -> None:
        answer(connection)

    with ScriptedServer(script) as server:
        started = cpu_of_requests(tmp_path, server.url, 0)
        half = cpu_of_requests(tmp_path, server.url, 16_000_000) - started
        whole = cpu_of_requests(tmp_path, server.url, 32_000_000) - started
    sys.stderr.write(f"16 MB: {half:.2f} s, 32 MB: {whole:.2f} s of CPU\n")
    assert whole < 3 * half
    assert whole < 1


# In a process of its own, as what is built is kept for good.
FIRST_REDACTION = """
import re._compiler
from harness.cassettes.model import Exchange, Request, Response
from harness.record.proxy import prepare
from harness.redaction.redact import Redaction, redact_exchange
prepare(Redaction())
built, compiled = re._compiler.compile, []
re._compiler.compile = lambda *given: compiled.append(given[0]) or built(*given)
url = "http://localhost/v1/chat/completions?key=value"
sent = Request("POST", url, {"authorization": ["Bearer abc"]}, b'{"a": "b"}')
came = Response(200, headers={"content-type": ["text/event-stream"]})
came.body = b'data: {"choices": [{"delta": {"content": "hi"}}]}\\n\\n'
redact_exchange(Exchange(0, sent, came))
print(len(compiled))
"""


def test_the_first_stream_that_ends_does_not_hold_up_the_others() -> None:
    """What its redaction needs is built before the proxy listens: 0.1 s of work."""
    command = [sys.executable, "-c", FIRST_REDACTION]
    found = subprocess.run(command, capture_output=True, check=True, text=True)
    assert int(found.stdout) < 5  # 226 without


def test_stopping_while_a_connection_is_being_closed_prints_nothing() -> None:
    """Its last bytes are on their way to a client that does not read."""
    problems: list[Any] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(50_000_000))
        served.set()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, problem: problems.append(problem))
        listener = incoming.Listener(serve)
        parts = urlsplit(await listener.start("127.0.0.1", 0))
        _, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=1)
        await served.wait()
        await asyncio.sleep(0)  # it has gone on to the wait
        await listener.stop()
        writer.transport.abort()
        await asyncio.sleep(0)

    served = asyncio.Event()
    asyncio.run(run())
    assert problems == []


class _Passing(Downstream):
    """Writes nothing down but what was passed on, and when."""

    def __init__(self, seen: list[str], ends: asyncio.Lock) -> None:
        self._seen, self._ends = seen, ends

    async def send_event(self, event: object) -> None:
        self._seen.append(type(event).__name__)


class _Upstream:
    """A response whose pieces are all there at once."""

    status, reason, headers = 200, "OK", ()

    async def pieces(self) -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        yield b"data: [DONE]\n\n"


def test_pieces_of_other_streams_go_between_two_that_end() -> None:
    """What is written down holds up the others for one exchange, not for all ends."""
    seen: list[str] = []

    async def others() -> None:
        while True:
            seen.append("other")
            await asyncio.sleep(0)

    async def run() -> None:
        ends = asyncio.Lock()
        recorders = [
            ExchangeRecorder(
                Response(200),
                elapsed=lambda: 0.0,
                finished=lambda _: None,
                whole=lambda _: seen.append("written"),
            )
            for _ in range(20)
        ]
        ticking = asyncio.ensure_future(others())
        passing = _Passing(seen, ends)
        upstream: Any = _Upstream()
        await asyncio.gather(*(passing.respond(upstream, one) for one in recorders))
        ticking.cancel()

    asyncio.run(run())
    between = "".join({"other": ".", "written": "w"}.get(one, "") for one in seen)
    assert between.count("w") == 20
    assert "ww" not in between


# A server of its own process: each piece carries the time at which it was sent, by a
# clock that all processes of a machine share.
SERVER = """
import asyncio, time, sys
PIECES, PAUSE = int(sys.argv[1]), float(sys.argv[2])
async def handle(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\n"
                 b"transfer-encoding: chunked\\r\\n\\r\\n")
    for _ in range(PIECES):
        await asyncio.sleep(PAUSE)
        piece = b'data: {"choices":[],"at":%.6f}\\n\\n' % time.monotonic()
        writer.write(b"%x\\r\\n%b\\r\\n" % (len(piece), piece))
    writer.write(b"0\\r\\n\\r\\n")
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

CLIENT = """
import asyncio, json, re, sys, time
PORT, STREAMS = int(sys.argv[1]), int(sys.argv[2])
delays = []
async def one(number):
    await asyncio.sleep(number * 0.005)
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"GET /v1/x HTTP/1.1\\r\\nhost: localhost\\r\\n\\r\\n")
    while data := await reader.read(65536):
        now = time.monotonic()
        delays.extend(now - float(at) for at in re.findall(rb'"at":([0-9.]+)', data))
    writer.close()
async def main():
    await asyncio.gather(*map(one, range(STREAMS)))
asyncio.run(main())
print(json.dumps(delays))
"""


@pytest.mark.timed
@pytest.mark.slow
def test_two_hundred_streams_are_not_delayed(tmp_path: Path) -> None:
    """200 streams with a piece every 50 ms: the 99th percentile stays under 100 ms."""
    streams, pieces = 200, 60
    server = [sys.executable, "-c", SERVER, str(pieces), "0.05"]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())

        def delays_of(port: int) -> list[float]:
            client = [sys.executable, "-c", CLIENT, str(port), str(streams)]
            found = subprocess.run(client, capture_output=True, check=True)
            return [float(delay) for delay in json.loads(found.stdout)]

        direct = delays_of(port)
        with proxied(tmp_path / "c.yaml", f"http://127.0.0.1:{port}") as proxy:
            through = delays_of(proxy.port)
        process.terminate()
    assert len(through) == len(direct) == streams * pieces
    p99 = statistics.quantiles(through, n=100)[98] - statistics.median(direct)
    worst = max(through)
    alone = 1000 * statistics.quantiles(direct, n=100)[98]
    sys.stderr.write(
        f"p99 {1000 * p99:.1f} ms, worst {1000 * worst:.1f} ms; without the proxy the "
        f"p99 is {alone:.1f} ms\n"
    )
    assert proxy.count == streams
    assert p99 < 0.1
