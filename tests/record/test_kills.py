"""Killed while recording: nothing is lost that a client saw end, no secret stays."""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.cassettes.library import find_cassettes
from harness.cassettes.load import load_cassette
from harness.record import use_cassette
from harness.record.scenario_record import cassette_path, record_scenario
from harness.redaction.scan import scan
from tests.record import killed
from tests.record.killing import Nursery, journals
from tests.record.servers import DONE, Connection, ScriptedServer, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")

KEY = "sk-proj-" + "Qm7Tz4Vb9Kx2Rw8Ns5Hd3Jf6Lg1Pc0Ya" * 2
PLANTED = KEY[8:24].encode()
KILLS = pytest.mark.parametrize(
    "kills",
    [
        1,
        pytest.param(5, marks=pytest.mark.slow),
        pytest.param(30, marks=pytest.mark.campaign),  # half a minute
    ],
)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """One for all tests: it takes longer to start than they do."""
    with Nursery() as one:
        yield one


def answer(connection: Connection) -> None:
    """Answer with a stream, chunked or of known length, that holds a key."""
    pieces = [event("a"), event(f"the key is {KEY}"), event("b") + DONE]
    if int(connection.json()["id"].rpartition("-")[2]) % 2:
        length = sum(map(len, pieces))
        connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % length)
        for piece in pieces:
            connection.send(piece)
    else:
        connection.begin()
        for piece in pieces:
            connection.chunk(piece)
        connection.end()


def ids(files: list[Path]) -> set[str]:
    """Return the ids of all requests in files, each of which has a whole answer."""
    found = set()
    for file in files:
        for exchange in load_cassette(file).exchanges:
            name = exchange.request.json()["id"]
            if exchange.response.ended == ("complete", "", ""):
                assert exchange.response.body.endswith(DONE)
                found.add(name)
    return found


def check_clean(folder: Path) -> None:
    """Check that no file, whatever it is, holds the key."""
    for file in folder.iterdir():
        assert PLANTED not in file.read_bytes(), file
    for name in find_cassettes(folder, with_journals=True):
        assert scan(name) == []


def record_one(url: str, path: Path, name: str) -> None:
    """Make a recording that ends as it should, which takes in what others left."""
    notes: list[str] = []
    with (
        use_cassette(path, "all", warn=notes.append),
        httpx.Client(verify=False) as client,
    ):
        client.post(url, json={"id": name})
    assert all("of a recording that did not end" in note for note in notes), notes


class Kills:
    """Many rounds of one kind: kill, look, take in."""

    def __init__(self, folder: Path, url: str, moments: random.Random) -> None:
        self.folder = folder
        self.url = url
        self.moments = moments
        self.count = 0
        self.torn = 0

    def rounds(self, number: int, strike: Callable[[Path, int], set[str]]) -> None:
        for n in range(number):
            path = self.folder / f"c{n // 10}.yaml"  # a new one before it gets large
            seen = strike(path, n)
            check_clean(self.folder)
            files = [*([path] if path.exists() else []), *journals(self.folder)]
            self.torn += sum(not f.read_bytes().endswith(b"\n") for f in files)
            assert seen <= ids(files)
            record_one(self.url, path, f"{n}-{0}-after-0")
            assert journals(self.folder) == []
            assert seen <= ids([path])
            check_clean(self.folder)
            self.count += len(seen)


@pytest.mark.parametrize(
    ("kills", "kind"),
    [
        (1, killed.in_process),
        pytest.param(1, killed.in_process_async, marks=pytest.mark.slow),
        pytest.param(4, killed.in_process, marks=pytest.mark.slow),
        pytest.param(4, killed.in_process_async, marks=pytest.mark.slow),
        # Half a minute each.
        pytest.param(20, killed.in_process, marks=pytest.mark.campaign),
        pytest.param(20, killed.in_process_async, marks=pytest.mark.campaign),
    ],
)
def test_killed_client_loses_nothing_that_it_saw_end(
    tmp_path: Path, nursery: Nursery, kind: Any, kills: int
) -> None:
    """What the client saw end is in the journal, and in the cassette after the next."""
    moments = random.Random(11)
    with ScriptedServer(answer) as server:

        def strike(path: Path, n: int) -> set[str]:
            nursery.start(kind, server.url, str(path), KEY, n)
            lines = [nursery.line() for _ in range(moments.randint(1, 6))]
            time.sleep(moments.uniform(0, 0.02))
            lines += nursery.kill()
            return {name for _, name in lines}

        all_rounds = Kills(tmp_path, server.url, moments)
        all_rounds.rounds(kills, strike)
    assert all_rounds.count >= kills
    print(f"{kills} kills, {all_rounds.count} exchanges, {all_rounds.torn} torn")


def asked(port: int, name: str) -> bool:
    """Make a request on a bare connection; tell whether its answer was whole."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        body = json.dumps({"id": name, "key": KEY})
        connection.request("POST", "/", body, {"authorization": f"Bearer {KEY}"})
        return connection.getresponse().read().endswith(DONE)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


@KILLS
def test_killed_proxy_loses_nothing_that_a_client_saw_end(
    tmp_path: Path, nursery: Nursery, kills: int
) -> None:
    """Three clients at once read chunked answers and such of known length."""
    moments = random.Random(12)
    with ScriptedServer(answer) as server:

        def strike(path: Path, n: int) -> set[str]:
            nursery.start(killed.proxy, server.url, str(path))
            word, base = nursery.line()
            assert word == "at"
            port = int(base.rpartition(":")[2])
            seen: set[str] = set()
            enough = threading.Semaphore(0)

            def client(task: int) -> None:
                turn = 0
                while asked(port, f"{n}-{task}-{turn}"):
                    seen.add(f"{n}-{task}-{turn}")
                    enough.release()
                    turn += 1

            threads = [threading.Thread(target=client, args=(t,)) for t in range(3)]
            for thread in threads:
                thread.start()
            for _ in range(moments.randint(1, 6)):
                assert enough.acquire(timeout=60)
            time.sleep(moments.uniform(0, 0.01))
            nursery.kill()
            for thread in threads:
                thread.join(60)
            return seen

        all_rounds = Kills(tmp_path, server.url, moments)
        all_rounds.rounds(kills, strike)
    print(f"{kills} kills, {all_rounds.count} exchanges, {all_rounds.torn} torn")


SCENARIO = """\
model: m
max_steps: 8
messages: [{role: user, content: hello}]
tools: {again: {returns: ok}}
"""


def call_again(connection: Connection) -> None:
    """Answer with one more call, until the conversation has been going on a while."""
    turns = sum(m["role"] == "assistant" for m in connection.json()["messages"])
    call = {"index": 0, "id": f"call_{turns}", "type": "function"}
    function = {"name": "again", "arguments": "{}"}
    choices = [{"index": 0, "delta": {"tool_calls": [{**call, "function": function}]}}]
    end = [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]
    connection.begin()
    connection.chunk(event(f"turn {turns}: {KEY}"))
    connection.chunk(event("", choices=choices))
    connection.chunk(event("", choices=end) + DONE)
    connection.end()


def turns_in(files: list[Path]) -> list[int]:
    """Return how many turns each recorded conversation has."""
    return [len(load_cassette(file).exchanges) for file in files]


@KILLS
def test_killed_scenario_loses_no_turn(
    tmp_path: Path, nursery: Nursery, kills: int
) -> None:
    """The turns it had are kept and named by the next run, and replace nothing."""
    moments = random.Random(13)
    path = tmp_path / "chat.scenario.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    cassette = cassette_path(path)
    with ScriptedServer(call_again) as server:
        record_scenario(path, server.url, api_key=KEY)
        before = cassette.read_bytes()
        for _ in range(kills):
            made = len(server.requests)
            nursery.start(killed.scenario, server.url, str(path), KEY)
            wanted = moments.randint(2, 7)
            while len(server.requests) - made < wanted and nursery.child:
                time.sleep(0.0005)
            nursery.kill()
            # A request is made when the answer before it has ended.
            ended = len(server.requests) - made - 1
            check_clean(tmp_path)
            left = journals(tmp_path)
            if not left:
                assert ended == 7, "it had not come to its end"
                before = cassette.read_bytes()
                continue
            (kept,) = turns_in(left)
            assert kept >= ended
            assert cassette.read_bytes() == before or ended >= 7
            notes: list[str] = []
            assert not record_scenario(
                path, server.url, api_key=KEY, warn=notes.append
            ).unmet
            (note,) = notes
            partial = tmp_path / "chat.yaml.partial"
            assert f"are in {partial}" in note or f"is in {partial}" in note
            assert turns_in([partial]) == [kept]
            assert journals(tmp_path) == []
            before = cassette.read_bytes()
            check_clean(tmp_path)
            partial.unlink()


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode",
    [
        "all",
        pytest.param("rewrite", marks=pytest.mark.slow),
        pytest.param("once", marks=pytest.mark.slow),
        pytest.param("new_episodes", marks=pytest.mark.slow),
    ],
)
def test_eight_processes_on_one_cassette_account_for_every_exchange(
    tmp_path: Path, nursery: Nursery, mode: str
) -> None:
    """All is in the file, or in one of its own that the process's error names."""
    path = tmp_path / "c.yaml"
    processes, turns = 8, 3
    errors = 0
    with ScriptedServer(answer) as server:
        nursery.start(killed.recorders, server.url, str(path), mode, processes, turns)
        for _ in range(processes):
            assert nursery.line() == ["ready"]
        nursery.write("go")
        for word, *rest in nursery.rest():
            names = set(rest[:turns])
            assert len(names) == turns
            if word == "saved":
                assert names <= ids([path])
                continue
            errors += 1
            error = " ".join(rest[turns:])
            (kept,) = [f for f in tmp_path.glob("*.partial") if f"'{f}'" in error]
            assert names == ids([kept])
    assert errors == (processes - 1 if mode == "rewrite" else 0)
    assert journals(tmp_path) == []
    kept_files = [path, *tmp_path.glob("*.partial")]
    assert sum(turns_in(kept_files)) == processes * turns
    assert len(ids(kept_files)) == processes * turns
