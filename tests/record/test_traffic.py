"""What a cassette has nothing to do with: ignored hosts, fields and telemetry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import requests

from harness.cassettes.load import load_cassette
from harness.errors import CassetteMismatchError, UsageError
from harness.record import use_cassette
from harness.record.traffic import is_telemetry
from tests.record.servers import Connection, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path


def echo(connection: Connection) -> None:
    """Send the request's body back."""
    connection.send(
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b"
        % (len(connection.body), connection.body)
    )


def post(url: str, body: Any) -> Any:
    """Post JSON and return what comes back."""
    return requests.post(url, json=body, timeout=60).json()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The cassette."""
    return tmp_path / "c.yaml"


@pytest.mark.parametrize(
    "options",
    [
        {"ignore_localhost": True},
        {"ignore_hosts": ["127.0.0.1"]},
        {"ignore_hosts": ["localhost:*"]},
    ],
)
def test_ignored_hosts_are_asked_live_and_not_recorded(
    path: Path, options: dict[str, Any]
) -> None:
    """In every mode, as with vcrpy."""
    with ScriptedServer(echo) as server:
        for mode in ("once", "none"):
            with use_cassette(path, mode, **options) as session:
                assert post(server.url, [mode]) == [mode]
            assert session.recorded_count == 0
    assert not path.exists()


def test_ignored_fields_of_a_body_do_not_count(path: Path) -> None:
    """By path, inside of what is named too; every other field still counts."""
    ignore = ["$.user", "$.metadata", "$.messages[*].id", "$['a.b']"]
    recorded = {
        "model": "m",
        "user": "u1",
        "metadata": {"run": 1, "deep": {"x": [1]}},
        "messages": [{"id": 1, "content": "hi"}],
        "a.b": 1,
    }
    sent = {
        "model": "m",
        "metadata": {"run": 2, "deep": {"x": [2, 3]}},
        "messages": [{"id": 7, "content": "hi"}],
        "a.b": 2,
    }
    with ScriptedServer(echo) as server:
        with use_cassette(path, "once"):
            post(server.url, recorded)
        with use_cassette(path, ignore_json=ignore):
            assert post(server.url, sent) == recorded
        sent["messages"] = [{"id": 7, "content": "other"}]
        with (
            pytest.raises(CassetteMismatchError) as caught,
            use_cassette(path, ignore_json=ignore),
        ):
            post(server.url, sent)
    (difference,) = caught.value.differences
    assert difference == "messages[0].content: recorded 'hi', sent 'other'"
    with (  # what holds the ignored field is not ignored
        pytest.raises(CassetteMismatchError, match="messages: recorded"),
        use_cassette(path, ignore_json=ignore),
    ):
        post("http://nowhere.invalid", {**recorded, "messages": None})


@pytest.mark.parametrize("wrong", ["user", "$", "$.", "$..a", "$.a[x]", 3])
def test_what_is_no_path_is_refused(path: Path, wrong: Any) -> None:
    """With what one looks like."""
    with (
        pytest.raises(UsageError, match=r"ignore_json: expected a JSON path such as"),
        use_cassette(path, ignore_json=[wrong]),
    ):
        pass


def test_vcrpys_own_match_can_be_asked_for(path: Path) -> None:
    """Where the query counts and the body does not."""
    with ScriptedServer(echo) as server:
        with use_cassette(path, "once"):
            post(f"{server.url}/?a=1", ["recorded"])
        with use_cassette(path, match_on="vcrpy"):
            assert post(f"{server.url}/?a=1", ["other"]) == ["recorded"]
        with (
            pytest.raises(CassetteMismatchError, match="query"),
            use_cassette(path, match_on="vcrpy"),
        ):
            post(f"{server.url}/?a=2", ["recorded"])


TELEMETRY = [
    "https://api.openai.com/v1/traces/ingest",
    "http://127.0.0.1:8080/v1/traces/ingest",
    "https://api.smith.langchain.com/runs/multipart",
    "https://eu.api.smith.langchain.com/runs/batch",
    "https://us.i.posthog.com/batch/",
    "https://o123.ingest.us.sentry.io/api/4504/envelope/",
    "https://api.segment.io/v1/batch",
    "http://localhost:4318/v1/traces",
    "https://telemetry.crewai.com:4319/v1/traces",
    "https://cloud.langfuse.com/api/public/ingestion",
]
NO_TELEMETRY = [
    "https://api.openai.com/v1/chat/completions",
    "https://api.openai.com/v1/traces",
    "https://api.smith.langchain.com/commits/owner/prompt/latest",
    "https://example.com/batch/",
    "https://example.com/v1/traces",
    "https://us.posthog.com/api/projects/1",
    "https://sentry.io/api/0/projects/",
    "https://posthog.com.example.com/batch/",
    "not a url",
    "http://[::1/batch",
]


def _by_httpx2(uri: str, **options: Any) -> Any:
    with httpx2.Client(verify=False) as client:
        return client.post(uri, **options)


@pytest.mark.parametrize("client", [requests.post, _by_httpx2])
@pytest.mark.parametrize("mode", ["none", "once"])
def test_telemetry_is_answered_here_and_never_recorded(
    path: Path, client: Any, mode: str
) -> None:
    """Host and path decide; nothing is sent, nothing is missed."""
    with use_cassette(path, mode) as session:
        for uri in TELEMETRY:
            assert client(uri, json={"batch": []}).json() == {}
    assert not path.exists()
    assert not session.misses
    assert session.traffic.answered == [f"POST {uri}" for uri in TELEMETRY]


def test_what_is_telemetry() -> None:
    """The model's own paths and look-alikes are none."""
    assert all(is_telemetry(uri) for uri in TELEMETRY)
    assert not any(is_telemetry(uri) for uri in NO_TELEMETRY)


def test_telemetry_can_be_recorded_where_it_is_what_is_tested(path: Path) -> None:
    """And recorded telemetry is none that a test must ask for."""
    with ScriptedServer(echo) as server:
        url = f"{server.url}/v1/traces/ingest"
        with use_cassette(path, "once", ignore_telemetry=False):
            post(url, [1])
        with use_cassette(path, ignore_telemetry=False) as session:
            assert [one.request.uri for one in session.unplayed] == [url]
            assert post(url, [1]) == [1]
    with use_cassette(path) as session:
        assert session.unplayed == []
    assert json.loads(load_cassette(path).exchanges[0].response.body) == [1]


def test_request_that_a_hook_excludes_is_sent_and_left_alone(path: Path) -> None:
    """`before_record_request` returns None for it."""

    def hook(request: Any) -> Any:
        return None if request.path == "/health" else request

    with ScriptedServer(echo) as server:
        with use_cassette(path, "once", before_record_request=hook):
            post(f"{server.url}/health", [1])
            post(f"{server.url}/x", [2])
        with use_cassette(path, before_record_request=hook):
            assert post(f"{server.url}/health", [3]) == [3]
    assert [one.request.body for one in load_cassette(path).exchanges] == [b"[2]"]
