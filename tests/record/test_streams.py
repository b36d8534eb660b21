"""Streams recorded live and played back: pieces, order, time and ending."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import openai
import pytest

from harness.cassettes.load import load_cassette
from harness.errors import CassetteMismatchError
from harness.record import use_cassette
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
    from pathlib import Path
    from types import ModuleType

PIECES = [event("a"), event("é\n"), event("c")[:40], event("c")[40:] + DONE]
PATH = "/v1/chat/completions"


def read_sync(
    module: ModuleType, url: str, acknowledge: Callable[[int], None], *, most: int = 99
) -> tuple[list[bytes], str]:
    """Read a stream piece by piece with a sync client; return pieces and ending."""
    pieces: list[bytes] = []
    with module.Client(verify=False) as client:
        try:
            with client.stream("POST", url + PATH, json=REQUEST) as response:
                for piece in response.iter_raw():
                    pieces.append(piece)
                    acknowledge(len(pieces) - 1)
                    if len(pieces) == most:
                        return pieces, "closed"
        except module.TransportError as error:
            return pieces, f"{type(error).__module__}.{type(error).__name__}: {error}"
    return pieces, "complete"


def read_async(
    module: ModuleType, url: str, acknowledge: Callable[[int], None], *, most: int = 99
) -> tuple[list[bytes], str]:
    """Do what `read_sync` does with an async client."""

    async def read() -> tuple[list[bytes], str]:
        pieces: list[bytes] = []
        async with module.AsyncClient(verify=False) as client:
            try:
                async with client.stream("POST", url + PATH, json=REQUEST) as response:
                    async for piece in response.aiter_raw():
                        pieces.append(piece)
                        acknowledge(len(pieces) - 1)
                        if len(pieces) == most:
                            return pieces, "closed"
            except module.TransportError as error:
                kind = type(error)
                return pieces, f"{kind.__module__}.{kind.__name__}: {error}"
        return pieces, "complete"

    return asyncio.run(read())


Read = Callable[..., tuple[list[bytes], str]]
both_clients = pytest.mark.parametrize("read", [read_sync, read_async])


def acknowledging(server: ScriptedServer) -> Callable[[int], None]:
    """Return what tells a server that a piece has been read."""
    return lambda number: server.acknowledge(f"piece {number}")


def ignoring(_: int) -> None:
    """Acknowledge to nobody: there is no server."""


def plain(ending: str) -> tuple[list[bytes], str]:
    """Return what a bare socket sees of a stream with this ending."""
    with ScriptedServer(lockstep(PIECES, ending)) as server:
        return read_plainly(server.port, raw_request(), acknowledging(server))


def recorded(path: Path) -> tuple[list[bytes], str]:
    """Return pieces and ending as the only exchange of a file holds them."""
    (exchange,) = load_cassette(path).exchanges
    response = exchange.response
    assert response.ended is not None
    pieces = [piece for _, piece in response.iter_wire()]
    return pieces, response.ended.error or response.ended.kind


@both_clients
def test_lockstep_stream_gets_through_and_is_recorded_as_a_bare_socket_sees_it(
    tmp_path: Path, module: ModuleType, read: Read
) -> None:
    """A server that waits for each acknowledgement gets it, and every cut is kept."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        live = read(module, server.url, acknowledging(server))
    assert live == plain("end") == recorded(path) == (PIECES, "complete")
    with use_cassette(path) as session:
        assert read(module, "http://nowhere.invalid", ignoring) == live
    assert session.unplayed == []


@both_clients
@pytest.mark.parametrize(
    ("ending", "seen", "kind"),
    [("cut", "cut", "RemoteProtocolError"), ("reset", "reset", "ReadError")],
)
def test_broken_stream_plays_back_as_the_same_error_after_the_same_pieces(
    tmp_path: Path, module: ModuleType, read: Read, ending: str, seen: str, kind: str
) -> None:
    """A stream cut by the server, by FIN or RST, breaks again at the same place."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES, ending)) as server, use_cassette(path, "once"):
        live = read(module, server.url, acknowledging(server))
    assert live[0] == PIECES
    assert live[1].startswith(f"{module.__name__}.{kind}: ")
    assert plain(ending) == (PIECES, seen)
    assert recorded(path) == (PIECES, kind)
    with use_cassette(path):
        assert read(module, "http://nowhere.invalid", ignoring) == live


@both_clients
def test_client_that_stops_reading_is_recorded_as_closed(
    tmp_path: Path, module: ModuleType, read: Read
) -> None:
    """What the client never asked for is not recorded, and nothing looks complete."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        read(module, server.url, acknowledging(server), most=2)
    assert recorded(path) == (PIECES[:2], "closed")
    with use_cassette(path):
        stopped = read(module, "http://nowhere.invalid", ignoring, most=2)
    assert stopped == (PIECES[:2], "closed")


def test_reading_past_a_closed_recording_is_a_mismatch(
    tmp_path: Path, module: ModuleType
) -> None:
    """A client that reads on where the recorded one stopped is told, not fooled."""
    path = tmp_path / "c.yaml"
    with ScriptedServer(lockstep(PIECES)) as server, use_cassette(path, "once"):
        read_sync(module, server.url, acknowledging(server), most=2)
    with (
        pytest.raises(CassetteMismatchError, match=r"exchange 0: the client that was"),
        use_cassette(path),
    ):
        read_sync(module, "http://nowhere.invalid", ignoring)


def test_cancelled_task_is_recorded_as_closed(
    tmp_path: Path, module: ModuleType
) -> None:
    """Cancelling a reader in the middle of a stream is the client's doing."""
    path = tmp_path / "c.yaml"

    async def run(server: ScriptedServer) -> None:
        got = asyncio.Event()

        async def reader() -> None:
            async with (
                module.AsyncClient(verify=False) as client,
                client.stream("POST", server.url + PATH, json=REQUEST) as response,
            ):
                async for _ in response.aiter_raw():
                    got.set()

        async with use_cassette(path, "once"):
            task = asyncio.create_task(reader())
            await got.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    with ScriptedServer(lockstep(PIECES)) as server:
        asyncio.run(run(server))
    assert recorded(path) == (PIECES[:1], "closed")


def test_keyboard_interrupt_is_recorded_as_closed(
    tmp_path: Path, module: ModuleType
) -> None:
    """Ctrl-C in the middle of a stream keeps what had come."""
    path = tmp_path / "c.yaml"

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with (
        ScriptedServer(lockstep(PIECES)) as server,
        pytest.raises(KeyboardInterrupt),
        use_cassette(path, "once"),
    ):
        read_sync(module, server.url, interrupt)
    assert recorded(path) == (PIECES[:1], "closed")


def test_stream_left_open_is_recorded_as_closed(
    tmp_path: Path, module: ModuleType
) -> None:
    """A stream nobody closed inside the block is kept as far as it was read."""
    path = tmp_path / "c.yaml"
    with (
        ScriptedServer(lockstep(PIECES)) as server,
        module.Client(verify=False) as client,
    ):
        with use_cassette(path, "once"):
            request = client.build_request("POST", server.url + PATH, json=REQUEST)
            response = client.send(request, stream=True)
            rest = response.iter_raw()
            assert next(rest) == PIECES[0]
        server.acknowledge("piece 0")
        assert next(rest) == PIECES[1]  # the stream itself lives on
        response.close()
    assert recorded(path) == (PIECES[:1], "closed")


def sdk_client(url: str, *, is_async: bool = False) -> Any:
    """Return an OpenAI client."""
    kind = openai.AsyncOpenAI if is_async else openai.OpenAI
    return kind(base_url=f"{url}/v1", api_key="none", max_retries=2)


def sdk_texts(client: Any, acknowledge: Callable[[int], None]) -> list[str]:
    """Return the chunks a sync client got, as JSON."""
    texts: list[str] = []
    with client.chat.completions.create(**REQUEST) as stream:
        for chunk in stream:
            texts.append(chunk.model_dump_json())
            acknowledge(len(texts) - 1)
    return texts


async def sdk_texts_async(client: Any, acknowledge: Callable[[int], None]) -> list[str]:
    """Return the chunks an async client got, as JSON."""
    texts: list[str] = []
    async with await client.chat.completions.create(**REQUEST) as stream:
        async for chunk in stream:
            texts.append(chunk.model_dump_json())
            acknowledge(len(texts) - 1)
    return texts


def sdk_read(url: str, acknowledge: Callable[[int], None], *, is_async: bool) -> Any:
    """Return the chunks either client got."""
    if not is_async:
        with sdk_client(url) as client:
            return sdk_texts(client, acknowledge)

    async def read() -> list[str]:
        async with sdk_client(url, is_async=True) as client:
            return await sdk_texts_async(client, acknowledge)

    return asyncio.run(read())


SDK_PIECES = [event("a"), event("é\n"), event("c"), DONE]


def sdk_script(connection: Connection) -> None:
    """Wait for the client before each piece but the end, as `lockstep` cannot here."""
    connection.begin()
    for number, piece in enumerate(SDK_PIECES):
        if number:
            connection.wait(f"piece {number - 1}")
        connection.chunk(piece)
    connection.end()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_openai_sdk_in_lockstep_records_and_plays_the_same_chunks(
    tmp_path: Path, *, is_async: bool
) -> None:
    """The OpenAI SDK, sync and async, gets every chunk in time, live and played.

    The SDK closes the response after `[DONE]`, which is the end all the same.
    """
    path = tmp_path / "c.yaml"
    with ScriptedServer(sdk_script) as server, use_cassette(path, "once"):
        live = sdk_read(server.url, acknowledging(server), is_async=is_async)
    assert len(live) == 3
    assert recorded(path) == (SDK_PIECES, "complete")
    with use_cassette(path):
        played = sdk_read("http://nowhere.invalid", ignoring, is_async=is_async)
    assert played == live


@both_clients
def test_pace_follows_the_recorded_times(
    tmp_path: Path, module: ModuleType, read: Read
) -> None:
    """`speed` divides the recorded times; 0 never waits. No test sleeps."""
    path = tmp_path / "c.yaml"
    now = [0.0]

    def tick(_: int) -> None:
        now[0] += 0.25

    with (
        ScriptedServer(lockstep(PIECES)) as server,
        use_cassette(path, "once", clock=lambda: now[0]),
    ):
        acknowledge = acknowledging(server)

        def tick_and_acknowledge(number: int) -> None:
            tick(number)
            acknowledge(number)

        read(module, server.url, tick_and_acknowledge)
    wire = load_cassette(path).exchanges[0].response.wire
    assert wire is not None
    assert [chunk.seconds for chunk in wire] == [0.0, 0.25, 0.5, 0.75]
    for speed, expected in [(0, []), (1, [0.25] * 3), (2, [0.125] * 3)]:
        slept: list[float] = []
        clock = [100.0]

        def sleep(seconds: float, slept: Any = slept, clock: Any = clock) -> None:
            slept.append(seconds)
            clock[0] += seconds

        async def async_sleep(seconds: float, sleep: Any = sleep) -> None:
            sleep(seconds)

        with use_cassette(
            path,
            speed=speed,
            clock=lambda clock=clock: clock[0],
            sleep=sleep,
            async_sleep=async_sleep,
        ):
            read(module, "http://nowhere.invalid", ignoring)
        assert slept == expected


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_compressed_stream_is_stored_readable_and_plays_decoded(
    tmp_path: Path, module: ModuleType, coding: str
) -> None:
    """The client gets the compressed bytes; the file holds text, cut as it came."""
    path = tmp_path / "c.yaml"
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS + (16 if coding == "gzip" else 0))
    packed = [packer.compress(p) + packer.flush(zlib.Z_SYNC_FLUSH) for p in PIECES]
    packed.append(packer.flush())

    def script(connection: Connection) -> None:
        connection.begin(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"content-encoding: %b\r\ntransfer-encoding: chunked\r\n\r\n"
            % coding.encode()
        )
        for number, piece in enumerate(packed):
            connection.chunk(piece)
            connection.wait(f"piece {number}")
        connection.end()

    with ScriptedServer(script) as server, use_cassette(path, "once"):
        live = read_sync(module, server.url, acknowledging(server))
    assert live == (packed, "complete")
    pieces, ending = recorded(path)
    assert (pieces[: len(PIECES)], ending) == (PIECES, "complete")
    assert 'data: {"id"' in path.read_text()
    with use_cassette(path), module.Client(verify=False) as client:
        response = client.post("http://nowhere.invalid" + PATH, json=REQUEST)
    assert response.content == b"".join(PIECES)
    assert "content-encoding" not in response.headers


def test_damaged_compression_is_stored_as_it_came(
    tmp_path: Path, module: ModuleType
) -> None:
    """A body that cannot be decoded fails the same way when played."""
    path = tmp_path / "c.yaml"
    body = gzip.compress(b"x" * 1000)[:20] + b"rubbish rubbish"

    def script(connection: Connection) -> None:
        connection.send(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )

    with (
        ScriptedServer(script) as server,
        use_cassette(path, "once"),
        module.Client(verify=False) as client,
        pytest.raises(module.DecodingError),
    ):
        client.post(server.url + PATH, json=REQUEST)
    assert "!!binary" in path.read_text()


def test_redirects_errors_and_whole_answers_are_exchanges_too(
    tmp_path: Path, module: ModuleType
) -> None:
    """Each hop is recorded; status, reason and repeated headers come back."""
    path = tmp_path / "c.yaml"

    def script(connection: Connection) -> None:
        if b"POST /v1/old" in connection.head:
            connection.send(
                b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /v1/new\r\n"
                b"content-length: 0\r\n\r\n"
            )
            return
        connection.send(
            b"HTTP/1.1 400 Not This Way\r\nx-a: 1\r\nx-a: 2\r\n"
            b"content-length: 13\r\n\r\n" + b'{"error": {}}'
        )

    def ask(url: str) -> Any:
        with module.Client(follow_redirects=True, verify=False) as client:
            response = client.post(url + "/v1/old", json=REQUEST)
        return (
            response.status_code,
            response.reason_phrase,
            response.headers.get_list("x-a"),
            response.json(),
            len(response.history),
        )

    with ScriptedServer(script) as server, use_cassette(path, "once"):
        live = ask(server.url)
    assert live == (400, "Not This Way", ["1", "2"], {"error": {}}, 1)
    with use_cassette(path):
        assert ask("http://nowhere.invalid") == live
    assert len(load_cassette(path).exchanges) == 2


def test_connection_errors_pass_through_unrecorded(
    tmp_path: Path, module: ModuleType
) -> None:
    """Where there was no response there is nothing to play, and no file."""
    path = tmp_path / "c.yaml"
    with (
        pytest.raises(module.ConnectError),
        use_cassette(path, "once"),
        module.Client(verify=False) as client,
    ):
        client.post("http://127.0.0.1:9" + PATH, json=REQUEST)
    assert not path.exists()


def test_apps_of_ones_own_run_and_what_they_ask_is_recorded(
    tmp_path: Path, module: ModuleType
) -> None:
    """Of clients made before the block: a mock is recorded, ASGI and WSGI apps run."""
    path = tmp_path / "c.yaml"
    ran = []

    def mock(request: Any) -> Any:
        return module.Response(200, json={"saw": json.loads(request.content)})

    provider = module.Client(transport=module.MockTransport(mock))

    def ask(number: int) -> bytes:
        ran.append(number)
        content: bytes = provider.post("http://a/one", json=[number]).content
        return content

    def wsgi(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("content-type", "text/plain")])
        return [b"one ", ask(1)]

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": ask(2)})

    client = module.Client(transport=module.WSGITransport(app=wsgi))
    async_client = module.AsyncClient(transport=module.ASGITransport(app=asgi))

    async def get_async() -> bytes:
        response = await async_client.get("http://c/three")
        content: bytes = response.content
        return content

    def get() -> list[bytes]:
        return [client.get("http://b/two").content, asyncio.run(get_async())]

    with use_cassette(path, "once"):
        live = get()
    assert live == [b'one {"saw":[1]}', b'{"saw":[2]}']
    requests = [one.request for one in load_cassette(path).exchanges]
    assert [one.uri for one in requests] == ["http://a/one", "http://a/one"]
    with use_cassette(path) as session:
        assert get() == live
    assert session.play_counts == [1, 1]
    assert ran == [1, 2, 1, 2]


def test_an_app_that_is_recorded_is_played(tmp_path: Path, module: ModuleType) -> None:
    """By another recorder, or an older version of this one."""
    path = tmp_path / "c.yaml"
    mocked = module.MockTransport(lambda _: module.Response(200, content=b"recorded"))
    with use_cassette(path, "once"):
        module.Client(transport=mocked).get("http://b/two")
    client = module.Client(transport=module.WSGITransport(app=lambda *_: [b"ran"]))
    with use_cassette(path):
        assert client.get("http://b/two").content == b"recorded"


@pytest.mark.parametrize("value", [b"\xe9", b"\xe2\x82\xac"], ids=["latin-1", "utf-8"])
def test_headers_that_are_not_of_ascii_are_played(tmp_path: Path, value: bytes) -> None:
    """As the client read them when they were recorded."""
    head = b"HTTP/1.1 200 OK\r\nx-name: %b\r\ncontent-length: 0\r\n\r\n" % value
    path = tmp_path / "c.yaml"
    with ScriptedServer(lambda connection: connection.send(head)) as server:
        with use_cassette(path, "once"):
            live = httpx.get(server.url, verify=False)
        with use_cassette(path):
            again = httpx.get(server.url, verify=False)
        assert again.headers["x-name"] == live.headers["x-name"]
