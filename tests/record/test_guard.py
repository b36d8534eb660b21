"""Connections of clients that are not intercepted: refused, and named."""

from __future__ import annotations

import asyncio
import http.client
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from harness.errors import UnrecordedConnectionError, UsageError
from harness.record import use_cassette
from tests.record.reading import by_http_client
from tests.record.servers import DONE, Connection, ScriptedServer, event

if TYPE_CHECKING:
    from pathlib import Path


def answering(connection: Connection) -> None:
    """Answer at once."""
    connection.begin()
    connection.chunk(event("a") + DONE)
    connection.end()


def ignoring(_: int) -> None:
    """Acknowledge to nobody."""


def connect(port: int, host: str = "127.0.0.1") -> None:
    """Connect by a socket, as clients that are not intercepted do."""
    socket.create_connection((host, port)).close()


def aconnect(port: int, host: str = "127.0.0.1") -> None:
    """Do the same by asyncio."""

    async def open_it() -> None:
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        await writer.wait_closed()

    asyncio.run(open_it())


def in_a_thread(port: int, host: str = "127.0.0.1") -> None:
    """Do the same in a thread of the block."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            connect(port, host)
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for error in errors:
        raise error


ways = pytest.mark.parametrize("way", [connect, aconnect, in_a_thread])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The cassette."""
    return tmp_path / "c.yaml"


@ways
def test_recorded_host_is_never_reached_while_playing(path: Path, way: Any) -> None:
    """Loopback too: what was recorded there would be read live, and silently."""
    with ScriptedServer(answering) as server:
        with use_cassette(path, "once"):
            by_http_client(server.url, ignoring)
        before = len(server.requests)
        with (
            pytest.raises(UnrecordedConnectionError) as caught,
            use_cassette(path) as session,
        ):
            way(server.port)
        assert len(server.requests) == before
    assert caught.value.host == f"127.0.0.1:{server.port}"
    assert caught.value.client
    for way_on in ("record mode 'none' plays", "harness record --proxy", "allow=["):
        assert way_on in str(caught.value)
    assert session.misses == [caught.value]


@ways
def test_other_servers_of_this_machine_stay_free(path: Path, way: Any) -> None:
    """A database or a fixture's server, whether the cassette plays or records."""
    with ScriptedServer(answering) as server, ScriptedServer(answering) as other:
        for mode in ("once", "none"):
            with use_cassette(path, mode) as session:
                by_http_client(server.url, ignoring)
                way(other.port)
            assert len(session.connected) == 1
            assert not session.misses


@ways
@pytest.mark.parametrize(("mode", "why"), [("none", "plays"), ("once", "unrecorded")])
@pytest.mark.parametrize("host", ["192.0.2.1", "api.example.com"])
def test_another_machine_is_refused(
    path: Path, way: Any, mode: str, why: str, host: str
) -> None:
    """By number and by name, before it is looked up; recording or playing."""
    with pytest.raises(UnrecordedConnectionError, match=why), use_cassette(path, mode):
        way(443, host)


def test_what_is_allowed_is_let_through(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By host, by host and port, and by pattern."""
    reached: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, to: reached.append(to))
    for allow in (["192.0.2.1"], ["192.0.2.1:443"], ["192.0.*"]):
        with use_cassette(path, allow=allow):
            connect(443, "192.0.2.1")
    assert reached == [("192.0.2.1", 443)] * 3
    with (
        pytest.raises(UnrecordedConnectionError),
        use_cassette(path, allow=["192.0.2.1:80"]),
    ):
        connect(443, "192.0.2.1")
    with (
        pytest.raises(UsageError, match=r"allow: expected hosts .*got 'http://x'"),
        use_cassette(path, allow=["http://x"]),
    ):
        pass


def test_without_a_cassette_nothing_is_watched(path: Path) -> None:
    """A thread from outside has no cassette, and after the block all is as before."""
    before = dict(vars(socket.socket)), socket.getaddrinfo
    go, done = threading.Event(), threading.Event()
    with ScriptedServer(answering) as server:
        with use_cassette(path, "once"):
            by_http_client(server.url, ignoring)

        def wait_and_connect() -> None:
            go.wait(60)
            connect(server.port)
            done.set()

        thread = threading.Thread(target=wait_and_connect)
        thread.start()
        with use_cassette(path):
            go.set()
            assert done.wait(60)
        thread.join()
    assert (dict(vars(socket.socket)), socket.getaddrinfo) == before


@pytest.mark.parametrize(
    ("method", "before"), [("connect", ()), ("connect_ex", ()), ("sendto", (b"x",))]
)
def test_refused_socket_is_closed(
    path: Path, method: str, before: tuple[bytes, ...]
) -> None:
    """Nothing leaks: clients close a socket on an OSError only."""
    raw = socket.socket(type=socket.SOCK_DGRAM if before else socket.SOCK_STREAM)
    with pytest.raises(UnrecordedConnectionError), use_cassette(path):
        getattr(raw, method)(*before, ("192.0.2.1", 80))
    assert raw.fileno() == -1


def test_client_is_named_by_the_library_that_the_project_called(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outermost library and the innermost, or the standard library's module."""
    library = tmp_path / "site-packages"
    library.mkdir()
    library.joinpath("outer_sdk.py").write_text(
        "import inner_driver\ndef ask():\n    inner_driver.open()\n", encoding="utf-8"
    )
    library.joinpath("inner_driver.py").write_text(
        "import socket\ndef open():\n    socket.create_connection(('192.0.2.1', 1))\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(library))
    import ftplib

    import outer_sdk  # type: ignore[import-not-found]  # written above

    for call, client in (
        (outer_sdk.ask, "outer_sdk (over inner_driver)"),
        (sys.modules["inner_driver"].open, "inner_driver"),
        (lambda: ftplib.FTP("192.0.2.1"), "ftplib"),
        (lambda: connect(1, "192.0.2.1"), "socket"),
    ):
        with pytest.raises(UnrecordedConnectionError) as caught, use_cassette(path):
            call()
        assert caught.value.client == client


def test_intercepted_clients_own_connections_pass(path: Path) -> None:
    """Recording through a client is no connection past the cassette."""
    with ScriptedServer(answering) as server, use_cassette(path, "all") as session:
        requests.get(server.url, timeout=60)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        for _ in range(2):  # the second on the connection that is there
            connection.request("GET", "/x")
            assert connection.getresponse().read() == event("a") + DONE
        connection.close()
    assert session.connected == []
    assert session.recorded_count == 3
