"""What must never happen: half a file, a lost recording, a secret on the disk."""

from __future__ import annotations

import base64
import os
import random
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from harness.cassettes.load import load_cassette
from harness.record import use_cassette
from tests.record import killed
from tests.record.killing import Nursery
from tests.record.servers import Connection, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path

KILOBYTES = 400  # a file large enough that writing it takes a while


def large_answer(connection: Connection) -> None:
    """Answer with what was asked, and much else."""
    body = connection.body + b" " + b"x" * (KILOBYTES * 1024 // 2)
    connection.send(
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    )


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(10, marks=pytest.mark.slow),
        pytest.param(50, marks=pytest.mark.campaign),  # half a minute
    ],
)
def test_killed_while_recording_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, kills: int
) -> None:
    """At random moments the file is whole: two turns of one round, as saved."""
    path = tmp_path / "c.yaml"
    moments = random.Random(3)
    interrupted = 0
    notes: list[str] = []
    with ScriptedServer(large_answer) as server, Nursery() as nursery:
        for _ in range(kills):
            nursery.start(killed.rewriting, server.url, str(path))
            for _ in range(moments.randint(2, 3)):  # the first save is over
                assert nursery.line() == ["saving"]
            time.sleep(moments.uniform(0, 0.03))
            nursery.kill()
            rounds = [
                (exchange.request.json(), exchange.response.body)
                for exchange in load_cassette(path).exchanges
            ]
            number = rounds[0][0]["round"]
            assert [asked for asked, _ in rounds] == [
                {"round": number, "turn": turn} for turn in range(2)
            ]
            assert all(body.count(b"x") == KILOBYTES * 512 for _, body in rounds)
            interrupted += len(list(tmp_path.glob(".c.yaml.*.harness-tmp")))
            # The next save removes what this one left behind, and keeps its journal.
            with (
                use_cassette(path, "rewrite", warn=notes.append),
                httpx.Client(verify=False) as client,
            ):
                for turn in range(2):
                    client.post(server.url, json={"round": 0, "turn": turn})
            kept = sorted(file.name for file in tmp_path.iterdir())
            assert all(name.endswith(".partial") for name in kept[1:])
            assert kept[0] == "c.yaml"
    print(f"{interrupted} of {kills} kills hit a write under way")


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Planter:
    """Makes up secrets and remembers them."""

    def __init__(self) -> None:
        self.drawn = random.Random(40)
        self.secrets: list[str] = []

    def new(self, prefix: str = "", length: int = 40, letters: str = LETTERS) -> str:
        """Return a secret of that shape."""
        tail = "".join(self.drawn.choice(letters) for _ in range(length - len(prefix)))
        self.secrets.append(prefix + tail)
        return prefix + tail


def keys(planter: Planter) -> list[str]:
    """Return one key of each shape that people paste into prompts."""
    new = planter.new
    return [
        new("sk-proj-", 60),
        new("sk-", 51),
        new("sk-ant-api03-", 100),
        new("ghp_"),
        new("hf_", 37),
        new("gsk_", 56),
        new("AIza", 39),
        new("AKIA", 20, LETTERS[:26]),
    ]


def test_forty_planted_secrets_are_not_on_the_disk(tmp_path: Path) -> None:
    """Headers, URL, bodies and cookies of one exchange, the answer cut inside a key."""
    path = tmp_path / "c.yaml"
    planter = Planter()
    new = planter.new
    password = new()
    basic = base64.b64encode(f"user:{password}".encode()).decode()
    headers = {
        "authorization": f"Bearer {new('sk-')}",
        "proxy-authorization": f"Basic {basic}",
        "api-key": new(),
        "x-api-key": new(),
        "x-goog-api-key": new("AIza", 39),
        "openai-organization": new("org-"),
        "openai-project": new("proj_"),
        "x-auth-token": new(),
        "cookie": f"session={new()}; csrf={new()}",
        "x-amz-security-token": new(),
    }
    query = {
        name: new()
        for name in ("key", "api_key", "token", "access_token", "sig", "api-key")
    }
    user = new()
    fields = {
        name: new() for name in ("api_key", "password", "client_secret", "access_token")
    }
    said = keys(planter)
    response_headers = {
        "set-cookie": f"__cf_bm={new()}; path=/",
        "openai-organization": new("org-"),
        "x-request-id": new("req_"),
        "cf-ray": new(),
    }
    answered = keys(planter)
    secrets = [*planter.secrets, basic]
    assert len(set(secrets)) >= 40

    def script(connection: Connection) -> None:
        head = b"".join(
            f"{name}: {value}\r\n".encode() for name, value in response_headers.items()
        )
        connection.begin(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n%b"
            b"transfer-encoding: chunked\r\n\r\n" % head
        )
        for key in answered:
            text = f'data: {{"choices": [{{"delta": {{"content": "{key}"}}}}]}}\n\n'
            connection.chunk(text[:60].encode())
            connection.chunk(text[60:].encode())
        connection.end()

    def post(url: str) -> bytes:
        host = url.removeprefix("http://")
        with httpx.Client(verify=False) as client:
            response = client.post(
                f"http://user:{user}@{host}/v1/chat/completions",
                params=query,
                headers=headers,
                json={
                    **fields,
                    "messages": [{"role": "user", "content": t} for t in said],
                },
            )
        return response.content

    with ScriptedServer(script) as server, use_cassette(path, "once"):
        live = post(server.url)
    assert all(key.encode() in live for key in answered)
    (file,) = tmp_path.iterdir()
    text = file.read_text()
    assert [secret for secret in secrets if secret in text] == []
    with use_cassette(path) as session:  # and it still answers the same request
        assert len(post("http://nowhere.invalid")) == len(live)
    assert session.unplayed == []
