"""Who may ask a server: hosts, pages of other sites, and what pages may read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.model import Request
from harness.limits import LOGGED, SESSIONS
from harness.serve import Access, serve
from harness.serve.recordings import Recordings
from harness.serve.sessions import Sessions
from harness.serve.settings import make_settings
from tests.serve.made import interaction, made_cassette, text_pieces
from tests.serve.sockets import exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness import Cassette
    from harness.serve import RunningServer


@pytest.fixture
def recording(tmp_path: Path) -> Cassette:
    """A recording of a server that lets every page read it."""
    recorded = interaction(text_pieces(1))
    recorded["response"]["headers"]["Access-Control-Allow-Origin"] = ["*"]
    return made_cassette(tmp_path / "c.json", recorded)


@pytest.fixture
def server(recording: Cassette) -> Iterator[RunningServer]:
    """Serves it, with one more host and one page allowed."""
    access = Access(
        allow_hosts=("harness.test:80",), allow_origins=("http://page.test:3000/",)
    )
    with serve(recording, access=access, match="order") as running:
        yield running


def asked(
    server: RunningServer, line: str, host: str | None, origin: str = "", body: str = ""
) -> tuple[int, str]:
    """Send a request; return the status, and the head and body as text."""
    version = "1.0" if host is None else "1.1"
    head = f"{line} HTTP/{version}\r\ncontent-length: {len(body)}\r\n"
    head += f"host: {host}\r\n" if host is not None else ""
    head += f"origin: {origin}\r\n" if origin else ""
    seen = exchange(server.url, f"{head}\r\n{body}".encode())
    return seen.status, seen.head + seen.body.decode()


HOSTS = {
    "127.0.0.1": 200,
    "127.0.0.1:1234": 200,
    "127.9.9.9": 200,
    "localhost:1": 200,
    "LOCALHOST.": 200,
    "[::1]:80": 200,
    "harness.test": 200,
    "Harness.Test:8080": 200,
    "evil.test": 403,
    "evil.test:80": 403,
    "127.0.0.1.evil.test": 403,
    "localhost.evil.test": 403,
    "127.0.0.1@evil.test": 403,
    "[::1].evil.test": 403,
    "10.0.0.1": 403,
}


@pytest.mark.parametrize("host", HOSTS)
def test_only_names_of_this_server_are_answered(
    server: RunningServer, host: str
) -> None:
    """A page that made its own name lead here (DNS rebinding) reads nothing."""
    status, said = asked(server, "GET /harness", host)
    assert status == HOSTS[host]
    if status == 403:
        assert "--allow-host" in said
        assert "cassettes" not in said


def test_rebinding_sets_no_session_and_plays_nothing(server: RunningServer) -> None:
    """Neither settings nor recordings are reached under a foreign name."""
    body = json.dumps({"match": "strict"})
    put = "PUT /harness/sessions/default"
    assert asked(server, put, "evil.test", body=body)[0] == 403
    assert asked(server, "POST /v1/chat/completions", "evil.test", body="{}")[0] == 403
    assert server.requests == []
    assert asked(server, "POST /v1/chat/completions", "localhost", body="{}")[0] == 200
    assert asked(server, "GET /harness", None)[0] == 200  # HTTP/1.0: no browser


ORIGINS = {
    "http://localhost:7": 200,  # the same as the host below
    "http://page.test:3000": 200,
    "http://evil.test": 403,
    "https://localhost:7": 403,
    "http://localhost:8": 403,
    "null": 403,
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_pages_of_other_sites_do_not_use_the_control_endpoint(
    server: RunningServer, origin: str
) -> None:
    """Settings and log are for this server's own pages, and those that are allowed."""
    for line in ("GET /harness", "GET /harness/sessions/default", "DELETE /harness"):
        status, _ = asked(server, line, "localhost:7", origin)
        expected = 405 if line.startswith("DELETE") else 200
        assert status == (expected if ORIGINS[origin] == 200 else 403)
    chat = "POST /v1/chat/completions"
    assert asked(server, chat, "localhost:7", origin, "{}")[0] in {200, 404}


@pytest.mark.parametrize("cors", [False, True])
def test_recorded_cors_headers_are_passed_on_only_when_asked(
    recording: Cassette, *, cors: bool
) -> None:
    """What the recorded server let every page read, this one does not."""
    with serve(recording, access=Access(cors=cors)) as server:
        chat = "POST /v1/chat/completions"
        status, said = asked(server, chat, "localhost", body=json.dumps(_REQUEST))
    assert status == 200
    assert ("access-control-allow-origin" in said) is cors
    assert "x-recorded" in said


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/harness/sessions/one"])
@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [("http://page.test:3000", True), ("http://a.test", False)],
)
def test_allowed_page_may_ask_and_read(
    server: RunningServer, path: str, origin: str, *, is_allowed: bool
) -> None:
    """A browser is shown that a page is allowed, before it asks and in the answer."""
    wants = (
        f"{origin}\r\naccess-control-request-method: PUT"
        "\r\naccess-control-request-headers: authorization"
    )
    status, said = asked(server, f"OPTIONS {path}", "localhost:7", wants)
    assert (status == 200) is is_allowed
    assert ("access-control-allow-headers: authorization" in said) is is_allowed
    assert [one["problem"] for one in server.requests] == [
        "a page of 'http://a.test' may not read answers; allow it (--allow-origin)"
    ] * (not is_allowed and "sessions" not in path)
    line = "PUT" if "sessions" in path else "POST"
    status, said = asked(server, f"{line} {path}", "localhost:7", origin, "{}")
    assert said.count(f"access-control-allow-origin: {origin}") == is_allowed
    assert status == (403 if "sessions" in path and not is_allowed else 200)


_REQUEST: dict[str, Any] = {
    "model": "made",
    "messages": [{"role": "user", "content": "Say something."}],
    "stream": True,
}


def test_sessions_that_were_not_named_for_longest_are_forgotten(
    recording: Cassette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limit of sessions the oldest goes, and a line says so."""
    monkeypatch.setenv(SESSIONS.variable, "3")
    lines: list[str] = []
    sessions = Sessions(Recordings([recording]), make_settings(), lines.append)
    for name in ("a", "b", "a", "c"):
        sessions.get(name)
    assert sorted(one.name for one in sessions) == ["a", "c", "default"]
    (line,) = lines
    assert line.startswith("session b was forgotten: ")
    assert SESSIONS.variable in line


def test_sessions_whose_logs_hold_too_much_are_forgotten(
    recording: Cassette, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The logs of all sessions together stay within their limit."""
    monkeypatch.setenv(LOGGED.variable, "1000")
    sessions = Sessions(Recordings([recording]), make_settings())
    for name in ("a", "b", "c"):
        sessions.ask(sessions.get(name), Request("POST", "/", {}, b"x" * 400))
    assert sorted(one.name for one in sessions) == ["b", "c", "default"]
