"""The proxy of a network: `HTTPS_PROXY`, asked with CONNECT by our own client."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

from harness.errors import UsageError
from harness.net.client import BrokenStreamError, Upstream
from harness.net.threads import blocking_request
from harness.net.tunnel import Tunnel, tunnel_to
from harness.record.scenario_sending import http_send

if TYPE_CHECKING:
    from tests.record.conftest import Secured

_NAMES = (
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
)
_PROXY = Tunnel("proxy", 3128, [])


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("set_to", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, _PROXY),
        ({"https_proxy": "proxy:3128"}, _PROXY),
        ({"ALL_PROXY": "http://proxy:3128/"}, _PROXY),
        ({"HTTPS_PROXY": "http://proxy"}, Tunnel("proxy", 80, [])),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "x,.openai.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "openai.org"}, _PROXY),
        (
            {"HTTPS_PROXY": "http://u%40x:p@proxy:3128"},
            Tunnel("proxy", 3128, [("proxy-authorization", "Basic dUB4OnA=")]),
        ),
    ],
)
def test_which_proxy_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, set_to: dict[str, str], expected: Tunnel | None
) -> None:
    """As curl reads it."""
    for name, value in set_to.items():
        monkeypatch.setenv(name, value)
    assert tunnel_to("api.openai.com") == expected


@pytest.mark.parametrize("url", ["socks5://proxy:1", "http://proxy:port", "http://"])
def test_what_is_no_proxy_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """A SOCKS proxy, too, which we do not speak to."""
    monkeypatch.setenv("HTTPS_PROXY", url)
    with pytest.raises(UsageError, match="expected http://HOST:PORT"):
        tunnel_to("api.openai.com")
    with (
        pytest.raises(BrokenStreamError, match="HTTPS_PROXY is") as broken,
        blocking_request(
            Upstream.parse("https://api.openai.com"),
            method="GET",
            target="/",
            headers=[],
            body=b"",
        ),
    ):
        pass
    assert broken.value.is_of_proxy


def test_a_proxy_that_is_not_there_is_what_the_advice_is_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the server nor its URL was ever asked."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://u:secret@{address}")
    send = http_send("https://api.openai.com")
    with pytest.raises(UsageError) as raised, send("{}"):
        pass
    assert f"the proxy of HTTPS_PROXY, {address}: " in str(raised.value)
    assert "is HTTPS_PROXY right" in str(raised.value)
    assert "NO_PROXY=api.openai.com" in str(raised.value)
    assert "server running" not in str(raised.value)
    assert "secret" not in str(raised.value)


class _Proxy:
    """Accepts one CONNECT; where it does not refuse, passes bytes on both ways."""

    def __init__(self, answer: bytes) -> None:
        self.head = b""
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://u:p@127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        client, _ = self._listening.accept()
        with client:
            while b"\r\n\r\n" not in self.head:
                self.head += client.recv(4096)
            client.sendall(self._answer)
            if b" 200 " not in self._answer:
                return
            port = int(self.head.split()[1].rpartition(b":")[2])
            with socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=_pass_on, args=(server, client))
                back.start()
                _pass_on(client, server)
                back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(4096):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:  # the other side is gone
        pass


def _asked(port: int) -> tuple[int, bytes]:
    upstream = Upstream.parse(f"https://localhost:{port}")
    with blocking_request(
        upstream, method="GET", target="/", headers=[], body=b""
    ) as response:
        return response.head.status, b"".join(response.pieces())


def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its status; the credentials of its URL are sent to it."""
    with _Proxy(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(BrokenStreamError, match=r"localhost:9 \(407\)") as broken:
            _asked(9)
    assert broken.value.is_of_proxy
    assert proxy.head.startswith(b"CONNECT localhost:9 HTTP/1.1\r\n")
    assert proxy.head.endswith(b"uthorization: Basic dTpw\r\n\r\n")


@pytest.mark.slow
def test_a_server_behind_a_proxy_answers(
    monkeypatch: pytest.MonkeyPatch, tls: Secured
) -> None:
    """TLS is with the server, whose certificate is verified."""

    def answer(connection: Any) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    monkeypatch.setenv("SSL_CERT_FILE", tls.certificate)
    with tls.server(answer) as server, _Proxy(b"HTTP/1.1 200 Go\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert _asked(server.port) == (200, b"hello")
    assert proxy.head
