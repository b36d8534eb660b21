"""What every recording test needs: not being in CI, and both client packages."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import httpx2
import pytest

from tests.record.servers import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


@pytest.fixture(autouse=True)
def _surroundings(
    monkeypatch: pytest.MonkeyPatch,
    collector_waits: None,
) -> None:
    monkeypatch.delenv("HARNESS_ALLOW_CI_RECORDING", raising=False)


@pytest.fixture(params=[httpx, httpx2], ids=["httpx", "httpx2"])
def module(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The two client packages, which share an interface."""
    client: ModuleType = request.param
    originals = [
        client.Client._transport_for_url,
        client.AsyncClient._transport_for_url,
    ]
    yield client
    assert originals == [
        client.Client._transport_for_url,
        client.AsyncClient._transport_for_url,
    ], "the clients' methods were not put back"


class Secured(NamedTuple):
    """What a server under TLS needs, and a client that verifies it."""

    certificate: str
    """The file of a certificate of ``localhost``, which is its own authority."""
    server: Callable[[Any], ScriptedServer]
    """Makes a server that runs a script, as `ScriptedServer`, under TLS."""


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    """A certificate that is made once, and servers that have it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl, which makes a certificate")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = str(folder / "certificate"), str(folder / "key")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    files = ["-keyout", key, "-out", certificate]
    subprocess.run(["openssl", *made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Server(ScriptedServer):
        def _serve(self, raw: Any) -> None:
            super()._serve(context.wrap_socket(raw, server_side=True))

    return Secured(certificate, Server)
