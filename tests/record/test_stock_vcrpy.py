"""Our files in stock vcrpy and pytest-recording, and stock vcrpy's files in ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest
import vcr

from harness.cassettes.load import load_cassette
from harness.record import use_cassette
from tests.record.servers import DONE, REQUEST, ScriptedServer, event, lockstep
from tests.shared import HAS_CORPUS, corpus_files

if TYPE_CHECKING:
    from pathlib import Path

PIECES = [
    event("a"),
    event('é "\\ \n'),
    event("\U0001f600")[:70],
    event("\U0001f600")[70:],
]
TEXTS = ["a", 'é "\\ \n', "\U0001f600"]


def chat(url: str) -> list[str]:
    """Return the texts the OpenAI SDK reads."""
    with (
        openai.OpenAI(
            base_url=f"{url}/v1",
            api_key="none",
            max_retries=0,
            http_client=openai.DefaultHttpxClient(
                verify=False
            ),  # reads no 50 ms of CAs
        ) as client,
        client.chat.completions.create(**REQUEST) as stream,
    ):
        return [chunk.choices[0].delta.content for chunk in stream]


def script(connection: Any) -> None:
    """Send all pieces at once: stock vcrpy cannot acknowledge any."""
    connection.begin()
    for piece in [*PIECES, DONE]:
        connection.chunk(piece)
    connection.end()


def record(path: Path) -> str:
    """Record the conversation with ours; return the server's URL."""
    with ScriptedServer(script) as server, use_cassette(path, "once"):
        assert chat(server.url) == TEXTS
        return server.url


def test_stock_vcrpy_plays_ours(tmp_path: Path) -> None:
    """By vcrpy's default matchers and by its body matchers, in YAML and JSON."""
    for name in ("c.yaml", "c.json"):
        path = tmp_path / name
        url = record(path)
        before = path.read_bytes()
        for extra in ([], ["body"], ["raw_body"]):
            with vcr.VCR(record_mode="none", serializer=name[2:]).use_cassette(
                str(path), match_on=["method", "uri", *extra]
            ) as cassette:
                assert chat(url) == TEXTS
            assert cassette.all_played
        assert path.read_bytes() == before


def test_stock_vcrpy_carries_our_stream_key_along(tmp_path: Path) -> None:
    """Recording another request with stock vcrpy into our file keeps what we wrote."""
    path = tmp_path / "c.yaml"
    record(path)
    with (
        ScriptedServer(script) as server,
        vcr.use_cassette(str(path), record_mode="new_episodes"),
    ):
        assert chat(server.url) == TEXTS
    with use_cassette(path) as session:
        assert chat("http://nowhere.invalid") == TEXTS
        assert chat("http://nowhere.invalid") == TEXTS
    wires = [exchange.response.wire for exchange in session.cassette.exchanges]
    assert [wire is not None for wire in wires] == [True, False]


def test_ours_plays_stock_vcrpys(tmp_path: Path) -> None:
    """A cassette without pieces and times plays as one body, with the same chunks."""
    path = tmp_path / "stock.yaml"
    with ScriptedServer(script) as server, vcr.use_cassette(str(path)):
        assert chat(server.url) == TEXTS
    before = path.read_bytes()
    with use_cassette(path) as session:
        assert chat("http://nowhere.invalid") == TEXTS
    assert session.unplayed == []
    assert path.read_bytes() == before


def test_adding_to_a_stock_cassette_keeps_what_only_it_knows(tmp_path: Path) -> None:
    """Keys that neither vcrpy nor we know survive a recording."""
    path = tmp_path / "stock.yaml"
    with ScriptedServer(script) as server, vcr.use_cassette(str(path)):
        assert chat(server.url) == TEXTS
    text = path.read_text() + "recorder: somebody\n"
    path.write_text(text.replace("\n  response:\n", "\n  note: mine\n  response:\n"))
    with (
        ScriptedServer(lockstep([b"{}"])) as server,
        use_cassette(path, "new_episodes"),
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="none") as client,
    ):
        server.acknowledge("piece 0")
        client.models.with_raw_response.list()
    text = path.read_text()
    assert "recorder: somebody" in text
    assert "note: mine" in text


@pytest.mark.slow
def test_pytest_recording_plays_ours(pytester: pytest.Pytester, tmp_path: Path) -> None:
    """A user of pytest-recording puts our file in place and runs."""
    url = record(tmp_path / "c.yaml")
    folder = pytester.mkdir("cassettes")
    target = folder / "test_chat"
    target.mkdir()
    (target / "test_it.yaml").write_bytes((tmp_path / "c.yaml").read_bytes())
    pytester.makepyfile(
        test_chat=f"""
        import json, openai, pytest

        REQUEST = json.loads({json.dumps(json.dumps(REQUEST))})

        @pytest.mark.vcr(match_on=["method", "uri", "body"])
        @pytest.mark.block_network
        def test_it():
            client = openai.OpenAI(base_url="{url}/v1", api_key="none", max_retries=0)
            with client, client.chat.completions.create(**REQUEST) as stream:
                texts = [chunk.choices[0].delta.content for chunk in stream]
            assert texts == json.loads({json.dumps(json.dumps(TEXTS))})
        """
    )
    result = pytester.runpytest_subprocess(
        "--disable-plugin-autoload", "-p", "recording", "-q"
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_recordings_of_other_projects_play(every: int) -> None:
    """Every exchange of the corpus answers its own request, in order, once."""
    played = 0
    with httpx.Client(verify=False) as client:
        for path in corpus_files()[::every]:
            exchanges = load_cassette(path).exchanges
            # Some recorders put a name in place of the host: no client can send that.
            has_host = all(e.request.uri.startswith("http") for e in exchanges)
            match_on = ["method", "path", "json_body"] if has_host else ["json_body"]
            with use_cassette(path, match_on=match_on) as session:
                for exchange in exchanges:
                    sent = exchange.request
                    uri = sent.uri if has_host else "http://nowhere.invalid/"
                    response = client.request(sent.method, uri, content=sent.body)
                    assert response.content == exchange.response.body, path
                    played += 1
            assert session.unplayed == []
    if HAS_CORPUS:
        assert played >= (583 if every == 1 else 100)
    assert played
