"""Every intercepted client: the same pieces, times and ending, live and played."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import requests

from harness.cassettes.encode import save_cassette
from harness.cassettes.load import load_cassette
from harness.cassettes.model import WireChunk
from harness.errors import CassetteMissingError
from harness.record import use_cassette
from tests.record.reading import READERS, Result, by_aiohttp, by_requests
from tests.record.servers import (
    DONE,
    HEAD,
    ScriptedServer,
    event,
    lockstep,
    raw_request,
    read_plainly,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.record.conftest import Secured

# The second is a byte, the last two are one event that was cut.
PIECES = [
    event("a"),
    b":",
    b"\n\n" + event("é"),
    event("c")[:40],
    event("c")[40:] + DONE,
]
NOWHERE = "http://nowhere.invalid"

every_client = pytest.mark.parametrize("read", READERS)
# One of each module of ours; the others, which are made of them, in the slow run.
each_kind = pytest.mark.parametrize(
    "read",
    [
        pytest.param(
            read,
            marks=[] if read in {by_requests, by_aiohttp} else pytest.mark.slow,
            id=read.__name__,
        )
        for read in READERS
    ],
)


def acknowledging(server: ScriptedServer) -> Callable[[int], None]:
    """Return what tells a server that a piece has been read."""
    return lambda number: server.acknowledge(f"piece {number}")


def ignoring(_: int) -> None:
    """Acknowledge to nobody: there is no server."""


def recorded(path: Path) -> Result:
    """Return pieces and ending as the only exchange of a file holds them."""
    (exchange,) = load_cassette(path).exchanges
    response = exchange.response
    assert response.ended is not None
    pieces = [piece for _, piece in response.iter_wire()]
    return pieces, response.ended.error or response.ended.kind


@every_client
def test_lockstep_stream_gets_through_and_is_recorded_as_a_bare_socket_sees_it(
    tmp_path: Path, read: Any
) -> None:
    """A server that waits for each acknowledgement gets it, and every cut is kept."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server:
        plain = read_plainly(server.port, raw_request(), acknowledging(server))
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        live = read(server.url, acknowledging(server))
    assert live == plain == recorded(path) == (PIECES, "complete")
    with use_cassette(path) as session:
        assert read(NOWHERE, ignoring) == live
    assert session.unplayed == []
    assert session.connected == []


@every_client
@pytest.mark.parametrize(
    ("ending", "kind"), [("cut", "RemoteProtocolError"), ("reset", "ReadError")]
)
def test_broken_stream_plays_back_as_the_same_error_after_the_same_pieces(
    tmp_path: Path, read: Any, ending: str, kind: str
) -> None:
    """The error is the client's own, and what it says is what it said live."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES, ending)) as server:
        bare = read(server.url, acknowledging(server))
    with ScriptedServer(lockstep(PIECES, ending)) as server, use_cassette(path, "once"):
        live = read(server.url, acknowledging(server))
    assert live == bare
    assert live[0] == PIECES
    assert recorded(path)[0] == PIECES
    with use_cassette(path):
        assert read(NOWHERE, ignoring) == live


@each_kind
def test_client_that_stops_reading_is_recorded_as_closed(
    tmp_path: Path, read: Any
) -> None:
    """What never came is not recorded; reading past it is a mismatch of ours."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        read(server.url, acknowledging(server), most=2)
    assert recorded(path) == (PIECES[:2], "closed")
    with use_cassette(path):
        assert read(NOWHERE, ignoring, most=2) == (PIECES[:2], "closed")
    with use_cassette(path) as session:
        pieces, told = read(NOWHERE, ignoring)
    assert pieces == PIECES[:2]
    assert "stopped reading after" in told
    assert len(session.misses) == 1


def echo(connection: Any) -> None:
    """Answer with the body of the request, after a pause for the others."""
    body = connection.body
    connection.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body))
    connection.send(body)


def held(path: Path) -> list[bytes | None]:
    """Return the bodies of a cassette's requests."""
    return [one.request.body for one in load_cassette(path).exchanges]


def test_tasks_of_aiohttp_have_the_cassette_of_the_block_they_were_started_in(
    tmp_path: Path,
) -> None:
    """Two cassettes at the same time, one session of the client, nothing mixed."""

    async def post(session: Any, url: str, path: Path, mode: str) -> list[bytes]:
        with use_cassette(path, mode):
            bodies = [f"{path.name} {n}".encode() for n in range(5)]

            async def one(body: bytes) -> bytes:
                async with session.post(url, data=body) as response:
                    return bytes(await response.read())

            answers = await asyncio.gather(*map(one, bodies))
        assert answers == bodies
        return bodies

    async def both(url: str, mode: str) -> list[list[bytes]]:
        async with aiohttp.ClientSession() as session:
            paths = (tmp_path / "a.yaml", tmp_path / "b.yaml")
            return await asyncio.gather(
                *(post(session, url, path, mode) for path in paths)
            )

    with ScriptedServer(echo) as server:
        bodies = asyncio.run(both(server.url, "once"))
    for path, sent in zip(("a.yaml", "b.yaml"), bodies, strict=True):
        assert held(tmp_path / path) == sent
    assert asyncio.run(both(server.url, "none")) == bodies


def test_threads_of_requests_have_the_cassette_of_the_block_they_were_started_in(
    tmp_path: Path,
) -> None:
    """The same with threads, and one session (one pool) for both cassettes."""

    def post(url: str, path: Path, mode: str) -> None:
        bodies = [f"{path.name} {n}".encode() for n in range(5)]
        with use_cassette(path, mode), ThreadPoolExecutor(5) as pool:
            answers = list(
                pool.map(lambda body: client.post(url, body).content, bodies)
            )
        assert answers == bodies

    paths = (tmp_path / "a.yaml", tmp_path / "b.yaml")
    with requests.Session() as client, ScriptedServer(echo) as server:
        for mode in ("once", "none"):
            with ThreadPoolExecutor(2) as both:
                for one in [both.submit(post, server.url, p, mode) for p in paths]:
                    one.result()
        asked = len(server.requests)
    assert asked == 10
    for path in paths:
        assert sorted(held(path)) == [f"{path.name} {n}".encode() for n in range(5)]  # type: ignore[type-var]  # no body is None


def test_connection_of_before_is_kept_for_after(tmp_path: Path) -> None:
    """A pool's live connection is not played to, and not lost."""
    with requests.Session() as client, ScriptedServer(echo) as server:
        client.post(server.url, b"0")
        with use_cassette(tmp_path / "c.yaml", "once"):
            client.post(server.url, b"1")
        with use_cassette(tmp_path / "c.yaml"):
            assert client.post(server.url, b"1").content == b"1"
        client.post(server.url, b"2")
        assert [one.body for one in server.requests] == [b"2"] * 3  # one connection
        assert len({id(one) for one in server.requests}) == 1


@each_kind
def test_compressed_stream_is_recorded_decoded(tmp_path: Path, read: Any) -> None:
    """The client gets what came; the file has text, and plays it."""
    text = event("a") + DONE
    packed = gzip.compress(text, mtime=0)

    def script(connection: Any) -> None:
        connection.send(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n"
            b"content-length: %d\r\n\r\n" % len(packed)
        )
        connection.send(packed)

    path = tmp_path / "c.yaml"
    with ScriptedServer(script) as server:
        bare = read(server.url, ignoring)
        with use_cassette(path, "once"):
            live = read(server.url, ignoring)
    assert b"".join(live[0]) == b"".join(bare[0])
    assert recorded(path) == ([text], "complete")
    with use_cassette(path):
        assert read(NOWHERE, ignoring) == ([text], "complete")


@each_kind
@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\ncontent-length: 3\r\n\r\nbad",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
        HEAD + b"3;x=y\r\nabc\r\n0\r\ntrailer: 1\r\n\r\n",
    ],
    ids=["204", "500", "close", "1.0", "100", "trailer"],
)
def test_every_framing_is_recorded_and_played(
    tmp_path: Path, read: Any, head: bytes
) -> None:
    """What the client makes of it is the same live, recorded and played."""

    def script(connection: Any) -> None:
        connection.send(head)
        connection.cut()

    def outcome(url: str) -> Any:
        try:
            return read(url, ignoring)
        except Exception as error:  # noqa: BLE001 - urllib raises for 500
            return f"{type(error).__name__}: {error}"

    path = tmp_path / "c.yaml"
    with ScriptedServer(script) as server:
        bare = outcome(server.url)
        with use_cassette(path, "once"):
            assert outcome(server.url) == bare
    assert load_cassette(path).exchanges[0].response.ended == ("complete", "", "")
    with use_cassette(path):
        assert outcome(NOWHERE) == bare


@each_kind
def test_pieces_are_played_in_recorded_time(tmp_path: Path, read: Any) -> None:
    """By a clock of the test's: the waits are those that were recorded."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        read(server.url, acknowledging(server))
    cassette = load_cassette(path)
    times = [1.0, 1.5, 1.5, 4.0, 5.0]
    response = cassette.exchanges[0].response
    response.wire = [
        WireChunk(at, size)
        for at, (_, size) in zip(times, response.wire or (), strict=True)
    ]
    save_cassette(cassette, path)
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    async def asleep(seconds: float) -> None:
        sleep(seconds)

    pace: dict[str, Any] = {
        "clock": lambda: now[0],
        "sleep": sleep,
        "async_sleep": asleep,
    }
    with use_cassette(path, speed=2, **pace):
        assert read(NOWHERE, ignoring) == (PIECES, "complete")
    assert slept == [0.5, 0.25, 1.25, 0.5]


@each_kind
def test_error_of_the_connection_is_the_clients_own(tmp_path: Path, read: Any) -> None:
    """Refused connections are passed on as they are without a cassette."""
    with ScriptedServer(echo) as server:
        url = server.url
    bare: list[str] = []
    live: list[str] = []
    for errors in (bare, live):
        cassette = use_cassette(tmp_path / "c.yaml", "once")
        with cassette if errors is live else contextlib.nullcontext():
            try:
                read(url, ignoring)
            except Exception as error:  # noqa: BLE001 - whatever it is
                errors.append(re.sub(r" at 0x\w+", "", f"{type(error)}: {error}"))
    assert live == bare
    assert len(bare) == 1


@every_client
def test_miss_is_ours_through_every_client(tmp_path: Path, read: Any) -> None:
    """The error says what is missing, and nothing is sent."""
    with (
        ScriptedServer(echo) as server,
        pytest.raises(CassetteMissingError, match="no cassette to answer POST"),
        use_cassette(tmp_path / "c.yaml"),
    ):
        read(server.url, ignoring)
    assert server.requests == []


LATE = """
import sys, tempfile, vcr.cassette  # which imports every client that there is
for name in [n for n in sys.modules if n.partition(".")[0] in NAMES]:
    del sys.modules[name]
from harness.errors import CassetteMissingError
from harness.record import use_cassette
try:
    with use_cassette(tempfile.mktemp()):
        CALL
except CassetteMissingError as error:
    print("missed:", "no cassette to answer" in str(error))
finder = [type(one).__module__ for one in sys.meta_path]
print("left:", [name for name in finder if name.startswith("harness")])
print("loader:", type(sys.modules[NAMES[-1]].__spec__.loader).__name__)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "call"),
    [
        pytest.param(
            ["httpx"],
            "import httpx; httpx.get('http://127.0.0.1:9/')",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["httpx2"],
            "import httpx2; httpx2.get('http://127.0.0.1:9/')",
            marks=pytest.mark.slow,
        ),
        (
            ["requests", "urllib3"],
            "import requests; requests.get('https://127.0.0.1:9/')",
        ),
        pytest.param(
            ["aiohttp"],
            "import aiohttp, asyncio\n        async def ask():\n"
            "            async with aiohttp.ClientSession() as session:\n"
            "                await session.get('http://127.0.0.1:9/')\n"
            "        asyncio.run(ask())",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["httpx", "httpx2", "requests", "aiohttp"],
)
def test_client_that_is_imported_inside_the_block_is_intercepted_too(
    names: list[str], call: str
) -> None:
    """Nothing of the import machinery is left behind."""
    program = LATE.replace("NAMES", repr(names)).replace("CALL", call)
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.stdout.splitlines() == [
        "missed: True",
        "left: []",
        "loader: SourceFileLoader",
    ], result.stderr


ABSENT = """
import sys
absent = ["httpx", "httpx2", "requests", "urllib3", "aiohttp", "boto3", "botocore"]
sys.modules.update(dict.fromkeys(absent))
import tempfile, http.client
from harness.errors import CassetteMissingError
from harness.record import use_cassette
import harness.pytest_plugin.plugin, harness.pytest_plugin.test_run
try:
    with use_cassette(tempfile.mktemp()):
        http.client.HTTPConnection("127.0.0.1", 9).request("GET", "/")
        connection = http.client.HTTPConnection("127.0.0.1", 9)
        connection.request("GET", "/")
        connection.getresponse()
except CassetteMissingError:
    print("missed")
"""


@pytest.mark.slow
def test_every_client_library_may_be_absent() -> None:
    """The plugin loads, and the standard library's client is intercepted."""
    result = subprocess.run(
        [sys.executable, "-c", ABSENT], capture_output=True, text=True, check=False
    )
    assert result.stdout == "missed\n", result.stderr


def _sync_kinds(url: str, verify: Any) -> list[Any]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = verify
        return [
            session.head(f"{url}/head").headers["content-length"],
            session.post(f"{url}/long", data=b"a" * 200_000).content,
            session.post(f"{url}/parts", data=iter([b"ab", b"cd"])).content,
        ]


def _async_kinds(url: str, verify: Any) -> list[Any]:
    async def parts() -> Any:
        yield b"ab"
        yield b"cd"

    async def ask() -> list[Any]:
        context = ssl.create_default_context(cafile=verify) if verify else True
        async with aiohttp.ClientSession() as session:
            async with session.head(f"{url}/head", ssl=context) as response:
                found: list[Any] = [response.headers["content-length"]]
            for name, data, more in (
                ("long", b"a" * 200_000, {}),
                ("parts", parts(), {}),
                ("expecting", b"abc", {"expect100": True}),
            ):
                given: dict[str, Any] = {"data": data, "ssl": context, **more}
                async with session.post(f"{url}/{name}", **given) as response:
                    found.append(await response.read())
        return found

    return asyncio.run(ask())


def _sizes(connection: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"
    is_head = connection.head.startswith(b"HEAD")
    connection.send(head + (b"" if is_head else b"%06d" % len(connection.body)))


@pytest.mark.parametrize("ask", [_sync_kinds, _async_kinds])
def test_requests_of_every_kind_are_kept_whole(tmp_path: Path, ask: Any) -> None:
    """HEAD, a long body, one in parts, one that waits for ``100 Continue``."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(_sizes) as server, use_cassette(path, "once"):
        live = ask(server.url, None)
    assert live[:2] == ["6", b"200000"]
    sent = held(path)
    assert sent == [None, b"a" * 200_000, b"abcd", b"abc"][: len(sent)]
    assert len(sent) == len(live)
    with use_cassette(path) as session:
        assert ask(NOWHERE, None) == live
    assert session.unplayed == []


@pytest.mark.slow
@pytest.mark.parametrize("ask", [_sync_kinds, _async_kinds])
def test_the_same_under_tls(tmp_path: Path, tls: Secured, ask: Any) -> None:
    """The client's own connection is made and verified; played, there is none."""
    path, verify = tmp_path / "c.yaml", tls.certificate
    with tls.server(_sizes) as server, use_cassette(path, "once"):
        live = ask(f"https://localhost:{server.port}", verify)
    assert live[:2] == ["6", b"200000"]
    with use_cassette(path):
        assert ask("https://nowhere.invalid", verify) == live
