"""The recording proxy, judged by bare sockets on both sides."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zlib
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
from click.testing import CliRunner

from harness.cassettes.load import load_cassette
from harness.cli.console import Exit, _code_of
from harness.cli.record import command
from harness.errors import (
    CassetteCorruptError,
    CassetteError,
    RecordingRefusedError,
    UsageError,
)
from harness.record import use_cassette
from harness.record.proxy import ProxyOptions, serve_proxy
from tests.record.servers import (
    DONE,
    REQUEST,
    Connection,
    ScriptedServer,
    event,
    lockstep,
    raw_request,
    read_plainly,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIECES = [event("a"), event("é\n"), event("c")[:40], event("c")[40:] + DONE]


class RunningProxy:
    """A proxy in a thread of its own."""

    def __init__(
        self,
        path: Path,
        upstream: str,
        *,
        errors: list[BaseException] | None = None,
        **options: Any,
    ) -> None:
        self._errors = errors
        self.lines: list[str] = []
        self._said = threading.Condition()
        self.count: int | None = None
        self.url = ""
        self._options = ProxyOptions(upstream=upstream, **options)
        self._path = path
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        async def serve() -> int:
            return await serve_proxy(
                self._path,
                self._options,
                stop=self._stop,
                started=self._note,
                report=self._report,
            )

        with contextlib.closing(self._loop):
            try:
                self.count = self._loop.run_until_complete(serve())
            except CassetteError as error:
                if self._errors is None:
                    raise
                self._errors.append(error)

    def _note(self, url: str) -> None:
        self.url = url
        self._started.set()

    def _report(self, line: str) -> None:
        with self._said:
            self.lines.append(line)
            self._said.notify_all()

    def wait_for_reports(self, count: int) -> None:
        with self._said:
            assert self._said.wait_for(lambda: len(self.lines) >= count, 10)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)
        assert not self._thread.is_alive()


@contextlib.contextmanager
def proxied(path: Path, upstream: str, **options: Any) -> Iterator[RunningProxy]:
    """Run a proxy for the block."""
    proxy = RunningProxy(path, upstream, **options)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


def recorded(path: Path) -> tuple[list[bytes], str, str]:
    """Return pieces, ending and kind of error of the last exchange."""
    response = load_cassette(path).exchanges[-1].response
    assert response.ended is not None
    pieces = [piece for _, piece in response.iter_wire()]
    return pieces, response.ended.kind, response.ended.error


@pytest.mark.parametrize(
    ("ending", "seen", "kind", "error"),
    [
        ("end", "complete", "complete", ""),
        ("cut", "cut", "error", "RemoteProtocolError"),
        ("reset", "reset", "error", "ReadError"),
    ],
)
def test_lockstep_stream_and_its_ending_are_the_same_on_both_sides(
    tmp_path: Path, ending: str, seen: str, kind: str, error: str
) -> None:
    """Through the proxy a bare socket sees what it sees without; so does the file."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES, ending)) as server:
        direct = read_plainly(
            server.port, raw_request(), lambda n: server.acknowledge(f"piece {n}")
        )
    with (
        ScriptedServer(lockstep(PIECES, ending)) as server,
        proxied(path, server.url) as proxy,
    ):
        through = read_plainly(
            proxy.port, raw_request(), lambda n: server.acknowledge(f"piece {n}")
        )
    assert through == direct == (PIECES, seen)
    assert recorded(path) == (PIECES, kind, error)
    assert proxy.count == 1
    played: list[bytes] = []
    broken = ""
    with use_cassette(path), httpx.Client(verify=False) as client:
        url = "http://n.invalid/v1/chat/completions"
        try:
            with client.stream("POST", url, json=REQUEST) as response:
                played.extend(response.iter_raw())
        except httpx.TransportError as caught:
            broken = type(caught).__name__
    assert (played, broken) == (PIECES, error)


def test_client_that_goes_away_is_recorded_as_closed_and_the_server_is_let_go(
    tmp_path: Path,
) -> None:
    """The upstream connection ends when the client's does, though nothing is sent."""
    path = tmp_path / "c.yaml"
    gone = threading.Event()

    def script(connection: Connection) -> None:
        connection.begin()
        connection.chunk(PIECES[0])
        connection.raw.settimeout(60)
        with contextlib.suppress(ConnectionResetError):
            assert connection.raw.recv(1) == b""
        gone.set()

    with ScriptedServer(script) as server, proxied(path, server.url) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as raw:
            raw.sendall(raw_request())
            seen = b""
            while PIECES[0] not in seen:
                seen += raw.recv(65536)
        assert gone.wait(60)
    assert recorded(path) == (PIECES[:1], "closed", "")


def test_stopping_ends_what_is_under_way_and_saves_it(tmp_path: Path) -> None:
    """A stream in the middle when the proxy stops is kept as far as it came."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server:
        proxy = RunningProxy(path, server.url)
        proxy.start()
        with socket.create_connection(("127.0.0.1", proxy.port)) as raw:
            raw.sendall(raw_request())
            seen = b""
            while PIECES[0] not in seen:
                seen += raw.recv(65536)
            proxy.stop()
            with contextlib.suppress(ConnectionResetError):
                while more := raw.recv(65536):
                    seen += more
            assert b"\r\n0\r\n" not in seen  # not made to look complete
    assert recorded(path) == (PIECES[:1], "closed", "")
    assert proxy.count == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_stops_cleanly_with_everything_saved(
    tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM: exit code 0, one line each, the file is there."""
    path = tmp_path / "c.yaml"
    code = (
        "from harness.cli.console import run; "
        "from harness.cli.record import command; run(command)"
    )
    with ScriptedServer(lockstep([DONE])) as server:
        server.acknowledge("piece 0")
        arguments = ["--proxy", "--upstream", server.url, "--listen", "127.0.0.1:0"]
        with subprocess.Popen(
            [sys.executable, "-c", code, *arguments, str(path)],
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            started = process.stderr.readline()
            url = re.search(r"base URL (\S+);", started)
            assert url is not None, started
            with openai.OpenAI(base_url=f"{url[1]}/v1", api_key="k") as client:
                assert list(client.chat.completions.create(**REQUEST)) == []
            process.send_signal(number)
            assert process.wait(60) == 0
            lines = process.stderr.read().splitlines()
    assert lines[-1] == f"{path}: 1 exchange recorded"
    assert recorded(path) == ([DONE], "complete", "")


def echo_head(connection: Connection) -> None:
    """Answer with the request's head, and with hop-by-hop headers of its own."""
    body = json.dumps(connection.head.decode()).encode()
    connection.send(
        b"HTTP/1.1 200 OK\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\n"
        b"keep-alive: timeout=5\r\nx-end: 2\r\nx-end: 3\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(body), body)
    )


def test_headers_of_one_connection_are_not_passed_on(tmp_path: Path) -> None:
    """Hop-by-hop headers stop here, both ways; host and length are the proxy's own."""
    path = tmp_path / "c.yaml"
    with (
        ScriptedServer(echo_head) as server,
        proxied(path, f"{server.url}/base/") as proxy,
        httpx.Client(verify=False) as client,
    ):
        response = client.post(
            f"{proxy.url}/v1/x?q=1",
            content=iter([b"ab", b"cd"]),
            headers={
                "connection": "x-mine, keep-alive",
                "x-mine": "1",
                "te": "trailers",
                "x-kept": "yes",
                "accept-encoding": "gzip, br, zstd;q=0.5",
            },
        )
        assert server.requests[0].body == b"abcd"
    first, *sent = response.json().split("\r\n")
    assert first == "POST /base/v1/x?q=1 HTTP/1.1"
    names = {line.partition(":")[0].lower(): line.partition(": ")[2] for line in sent}
    assert names["host"] == f"127.0.0.1:{server.port}"
    assert names["content-length"] == "4"
    assert names["x-kept"] == "yes"
    assert names["accept-encoding"] == "gzip"
    assert names["connection"] == "close"
    assert not names.keys() & {"x-mine", "te", "transfer-encoding", "keep-alive"}
    assert response.headers.get_list("x-end") == ["2", "3"]
    assert response.headers["connection"] == "close"
    assert not response.headers.keys() & {"x-hop", "keep-alive"}
    request = load_cassette(path).exchanges[0].request
    assert request.uri == f"{server.url}/base/v1/x?q=1"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        # RFC 9112, section 6.3: the coding says where the body ends, not the length.
        (
            "200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked",
            "2\r\nok\r\n0\r\n",
        ),
        ("200 Größe\r\nx-name: é\r\ncontent-length: 4", "ok"),
    ],
)
def test_heads_that_are_odd_are_passed_on(tmp_path: Path, head: str, body: str) -> None:
    """Two lengths, and text that is not of ASCII, both ways: as clients read them."""
    response = f"HTTP/1.1 {head}\r\n\r\n{body}\r\n".encode("latin-1")
    with (
        ScriptedServer(lambda connection: connection.send(response)) as server,
        proxied(tmp_path / "c.yaml", server.url) as proxy,
        httpx.Client(verify=False, headers={b"x-name": b"\xfc"}) as client,
    ):
        direct, through = (client.get(one.url) for one in (server, proxy))
        assert b"x-name: \xfc" in server.requests[1].head
    assert through.content == direct.content
    assert through.extensions["reason_phrase"] == direct.extensions["reason_phrase"]
    assert through.headers.get("x-name") == direct.headers.get("x-name")


def test_compressed_answer_is_passed_on_and_stored_readable(tmp_path: Path) -> None:
    """The client gets the bytes the server sent; the file holds text."""
    path = tmp_path / "c.yaml"
    packed = zlib.compress(PIECES[0])

    def script(connection: Connection) -> None:
        connection.send(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: deflate\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(packed), packed)
        )

    with (
        ScriptedServer(script) as server,
        proxied(path, server.url) as proxy,
        httpx.Client(verify=False) as client,
        client.stream("GET", proxy.url + "/") as response,
    ):
        assert b"".join(response.iter_raw()) == packed
    assert recorded(path) == ([PIECES[0]], "complete", "")


@pytest.mark.parametrize(
    ("request_text", "status", "problem"),
    [
        (b"rubbish\r\n\r\n", 400, "no HTTP request"),
        (b"GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n", 400, "point the client's base"),
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", 502, "ConnectError"),
    ],
)
def test_what_cannot_be_forwarded_is_explained_to_the_client(
    tmp_path: Path, request_text: bytes, status: int, problem: str
) -> None:
    """400 for what is no request to a base URL, 502 when the server is not there."""
    path = tmp_path / "c.yaml"
    with (
        proxied(path, "http://127.0.0.1:9") as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as raw,
    ):
        raw.sendall(request_text)
        answer = b""
        while more := raw.recv(65536):
            answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert problem in json.loads(body)["error"]["message"]
    assert not path.exists()


def test_server_that_closes_without_an_answer_is_a_502(tmp_path: Path) -> None:
    """No response is no exchange."""
    path = tmp_path / "c.yaml"
    with (
        ScriptedServer(Connection.cut) as server,
        proxied(path, server.url) as proxy,
        httpx.Client(verify=False) as client,
    ):
        response = client.get(proxy.url)
    assert response.status_code == 502
    assert "without sending a response" in response.text
    assert not path.exists()


def test_client_asking_to_go_on_is_answered(tmp_path: Path) -> None:
    """`Expect: 100-continue`, as curl sends it with large bodies, does not hang."""
    with (
        ScriptedServer(echo_head) as server,
        proxied(tmp_path / "c.yaml", server.url) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as raw,
    ):
        raw.sendall(
            b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n"
            b"content-length: 2\r\n\r\n"
        )
        assert raw.recv(65536).startswith(b"HTTP/1.1 100 ")
        raw.sendall(b"hi")
        assert raw.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert server.requests[0].body == b"hi"


def test_rewrite_replaces_the_file_when_the_proxy_stops(tmp_path: Path) -> None:
    """Until then the old file stays and the new recording is in the journal."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(echo_head) as server, httpx.Client(verify=False) as client:
        with proxied(path, server.url) as proxy:
            client.get(proxy.url + "/one")
        old = path.read_bytes()
        with proxied(path, server.url, mode="rewrite") as proxy:
            client.get(proxy.url + "/two")
            client.get(proxy.url + "/three")
            assert path.read_bytes() == old
            (journal,) = tmp_path.glob(".c.yaml.*.harness-journal")
            assert len(load_cassette(journal).exchanges) == 2
    uris = [exchange.request.uri for exchange in load_cassette(path).exchanges]
    assert uris == [f"{server.url}/two", f"{server.url}/three"]
    assert [file.name for file in tmp_path.iterdir()] == ["c.yaml"]


def test_each_exchange_costs_what_the_first_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line of the journal each; the cassette is written once, at the end."""
    path = tmp_path / "c.yaml"
    written: list[int] = []
    write = os.write

    def counted(descriptor: int, data: bytes) -> int:
        written.append(len(data))
        return write(descriptor, data)

    with ScriptedServer(echo_head) as server, httpx.Client(verify=False) as client:
        with proxied(path, server.url) as proxy:
            monkeypatch.setattr(os, "write", counted)
            for _ in range(30):
                client.get(proxy.url + "/one")
            monkeypatch.undo()
            assert not path.exists()
        assert len(load_cassette(path).exchanges) == 30
    assert len(written) == 30
    assert max(written[1:]) - min(written[1:]) < 10  # times and places have more digits


def test_proxy_refuses_what_would_be_unsafe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other machines, odd upstreams, CI and files that are no cassettes."""
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        with pytest.raises(UsageError, match="can be reached from other machines"):
            ProxyOptions(upstream="http://a", host=host)
    ProxyOptions(upstream="http://a", host="0.0.0.0", allow_remote=True)
    for upstream in ("a", "ftp://a", "http://", "http://a?b", "http://a:b"):
        with pytest.raises(UsageError, match="upstream"):
            ProxyOptions(upstream=upstream)
    with pytest.raises(UsageError, match="proxy mode"):
        ProxyOptions(upstream="http://a", mode="none")

    async def serve(path: Path, **options: Any) -> None:
        chosen = ProxyOptions(upstream="http://a", **options)
        await serve_proxy(path, chosen, stop=asyncio.Event())

    broken = tmp_path / "broken.yaml"
    broken.write_text("interactions: [")
    with pytest.raises(CassetteCorruptError):
        asyncio.run(serve(broken))
    assert broken.read_text() == "interactions: ["
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="cannot listen on"),
    ):
        asyncio.run(serve(tmp_path / "c.yaml", port=taken.getsockname()[1]))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(RecordingRefusedError):
        asyncio.run(serve(tmp_path / "c.yaml"))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--proxy", "c.yaml"], "--upstream URL"),
        (["--proxy", "--upstream", "http://a", "c", "d"], "one cassette"),
        (["--proxy", "--upstream", "http://a", "--listen", "x", "c"], "HOST:PORT"),
        (["--proxy", "--upstream", "http://a", "--listen", ":70000", "c"], "HOST:PORT"),
    ],
)
def test_command_names_what_is_wrong_with_its_options(
    arguments: list[str], problem: str
) -> None:
    """Wrong usage is exit code 2, with the option that is wrong."""
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert problem in result.output


def test_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without the extra the proxy names it; there is no traceback."""
    for name in ("harness.record.proxy", "harness.net.client", "h11"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "h11", None)
    monkeypatch.delattr("harness.record.proxy", raising=False)
    code = _code_of(command, ["--proxy", "--upstream", "http://a", "c"])
    assert code == Exit.UNUSABLE
    assert "pip install 'agent-stream-harness[record]'" in capfd.readouterr().err
