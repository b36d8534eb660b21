"""Cassettes used at the same time, in tasks and threads, never mix."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from harness.cassettes.load import load_cassette
from harness.record import use_cassette, using
from tests.record.servers import Connection, ScriptedServer

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

TURNS = 2


def echo(connection: Connection) -> None:
    """Stream the request's `name` back in two chunks."""
    name = connection.json()["name"].encode()
    connection.begin()
    connection.chunk(b"data: " + name)
    connection.chunk(b"\n\n")
    connection.end()


def held(path: Path) -> tuple[list[str], list[str]]:
    """Return the names that a cassette's requests ask for and its responses hold."""
    exchanges = load_cassette(path).exchanges
    return [exchange.request.json()["name"] for exchange in exchanges], [
        exchange.response.body.decode().removeprefix("data: ").strip()
        for exchange in exchanges
    ]


async def converse(
    client: Any, url: str, path: Path, mode: str, name: str
) -> list[str]:
    """Make several requests inside one cassette, giving others every chance."""
    got = []
    async with use_cassette(path, mode):
        for turn in range(TURNS):
            await asyncio.sleep(0)
            response = await client.post(url, json={"name": f"{name}.{turn}"})
            got.append(response.text.removeprefix("data: ").strip())
    return got


@pytest.mark.slow
def test_a_hundred_tasks_and_sixteen_threads_each_hold_exactly_their_own(
    tmp_path: Path, module: ModuleType
) -> None:
    """One client for all tasks, one for all threads; recorded and played at once."""

    async def tasks(url: str, mode: str) -> dict[str, list[str]]:
        limits = module.Limits(max_connections=50)
        async with module.AsyncClient(
            verify=False, limits=limits, timeout=60
        ) as client:
            names = [f"task{number}" for number in range(100)]
            results = await asyncio.gather(
                *(
                    converse(client, url, tmp_path / f"{name}.yaml", mode, name)
                    for name in names
                )
            )
        return dict(zip(names, results, strict=True))

    def all_at_once(url: str, mode: str) -> dict[str, list[str]]:
        results: dict[str, list[str]] = {}
        barrier = threading.Barrier(17)

        def thread(client: Any, name: str) -> None:
            barrier.wait(30)
            with use_cassette(tmp_path / f"{name}.yaml", mode):
                results[name] = [
                    client.post(url, json={"name": f"{name}.{turn}"})
                    .text.removeprefix("data: ")
                    .strip()
                    for turn in range(TURNS)
                ]

        with module.Client(verify=False, timeout=60) as client:
            threads = [
                threading.Thread(target=thread, args=(client, f"thread{number}"))
                for number in range(16)
            ]
            for one in threads:
                one.start()
            barrier.wait(30)
            results.update(asyncio.run(tasks(url, mode)))
            for one in threads:
                one.join()
        return results

    with ScriptedServer(echo) as server:
        live = all_at_once(server.url, "once")
    assert len(live) == 116
    for name, got in live.items():
        own = [f"{name}.{turn}" for turn in range(TURNS)]
        path = tmp_path / f"{name}.yaml"
        assert got == own
        assert held(path) == (own, own)
    assert all_at_once("http://nowhere.invalid/", "none") == live


def test_requests_of_one_cassette_are_stored_in_the_order_they_were_made(
    tmp_path: Path, module: ModuleType
) -> None:
    """A slow first answer does not put its exchange behind a quick second one."""
    path = tmp_path / "c.yaml"

    def script(connection: Connection) -> None:
        name = json.loads(connection.body)["name"]
        if name == "first":
            connection.server.acknowledge("first came")
            connection.wait("second is through")
        echo(connection)

    async def run(server: ScriptedServer) -> None:
        async with (
            module.AsyncClient(verify=False) as client,
            use_cassette(path, "once"),
        ):
            first = asyncio.create_task(client.post(server.url, json={"name": "first"}))
            await asyncio.to_thread(server.acknowledged("first came").wait, 60)
            await client.post(server.url, json={"name": "second"})
            server.acknowledge("second is through")
            await first

    with ScriptedServer(script) as server:
        asyncio.run(run(server))
    assert held(path) == (["first", "second"], ["first", "second"])


def test_threads_and_pool_jobs_started_inside_belong_to_the_cassette(
    tmp_path: Path, module: ModuleType
) -> None:
    """An agent that works in threads of its own is recorded like one that does not."""
    path = tmp_path / "c.yaml"

    def post(url: str, name: str) -> None:
        with module.Client(verify=False) as client:
            client.post(url, json={"name": name})

    async def in_loop(url: str) -> None:
        await asyncio.to_thread(post, url, "to_thread")
        await asyncio.get_running_loop().run_in_executor(None, post, url, "executor")

    with ScriptedServer(echo) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # its worker was started outside
        with use_cassette(path, "once"):
            thread = threading.Thread(target=post, args=(server.url, "thread"))
            thread.start()
            thread.join()
            pool.submit(post, server.url, "pool").result()
            asyncio.run(in_loop(server.url))
        pool.submit(post, server.url, "after").result()
    assert held(path)[0] == ["thread", "pool", "to_thread", "executor"]


def test_thread_started_outside_is_left_alone_until_lent_the_cassette(
    tmp_path: Path, module: ModuleType
) -> None:
    """Another thread's requests pass through; `using` makes them the cassette's."""
    path = tmp_path / "c.yaml"
    opened = threading.Event()
    passed = threading.Event()
    sessions: list[Any] = []

    def worker(url: str) -> None:
        with module.Client(verify=False) as client:
            opened.wait(60)
            client.post(url, json={"name": "passes"})
            with using(sessions[0]):
                client.post(url, json={"name": "lent"})
            passed.set()

    with ScriptedServer(echo) as server:
        thread = threading.Thread(target=worker, args=(server.url,))
        thread.start()
        with use_cassette(path, "once") as session:
            sessions.append(session)
            opened.set()
            assert passed.wait(60)
        thread.join()
        assert len(server.requests) == 2
    assert held(path)[0] == ["lent"]


def test_nested_cassettes_take_the_requests_of_their_own_block(
    tmp_path: Path, module: ModuleType
) -> None:
    """The inner block's requests are the inner cassette's, those around it are not."""
    outer, inner = tmp_path / "outer.yaml", tmp_path / "inner.yaml"
    with (
        ScriptedServer(echo) as server,
        module.Client(verify=False) as client,
        use_cassette(outer, "once"),
    ):
        client.post(server.url, json={"name": "1"})
        with use_cassette(inner, "once"):
            client.post(server.url, json={"name": "2"})
        client.post(server.url, json={"name": "3"})
    assert (held(outer)[0], held(inner)[0]) == (["1", "3"], ["2"])
