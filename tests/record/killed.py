"""Processes that record, to be killed.

Run as a program it reads one command a line (JSON: a kind below and its arguments),
forks a process that does it, prints `started` and its id, and `ended` when that is
over. A fork costs a tenth of what starting Python does, so that many can be killed.
What a process prints has been seen by its client when the line arrives.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from harness.errors import HarnessError
from harness.record import use_cassette
from harness.record.proxy import ProxyOptions, serve_proxy
from harness.record.scenario_record import record_scenario
from harness.redaction.config import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable


def told(*words: object) -> None:
    """Print a line in one write."""
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def rewriting(url: str, path: str) -> None:
    """Record one cassette over another: `saving` is printed before each save."""
    with httpx.Client(verify=False) as client:
        for number in range(100_000):
            with use_cassette(path, "rewrite", force=True, warn=lambda _: None):
                for turn in range(2):
                    client.post(url, json={"round": number, "turn": turn})
                told("saving")


def in_process(url: str, path: str, key: str, number: int) -> None:
    """Record requests of a client; `seen` is printed when the client has an end."""
    headers = {"authorization": f"Bearer {key}"}
    with (
        use_cassette(path, "all", force=True, warn=lambda _: None),
        httpx.Client(verify=False, headers=headers) as client,
    ):
        for turn in range(100_000):
            client.post(url, json={"id": f"{number}-{turn}", "key": key})
            told("seen", f"{number}-{turn}")


def in_process_async(url: str, path: str, key: str, number: int) -> None:
    """The same with tasks, three at a time."""

    async def ask(client: httpx.AsyncClient, task: int) -> None:
        for turn in range(100_000):
            name = f"{number}-{task}-{turn}"
            await client.post(url, json={"id": name, "key": key})
            told("seen", name)

    async def run() -> None:
        headers = {"authorization": f"Bearer {key}"}
        async with (
            use_cassette(path, "all", force=True, warn=lambda _: None),
            httpx.AsyncClient(verify=False, headers=headers) as client,
        ):
            await asyncio.gather(*(ask(client, task) for task in range(3)))

    asyncio.run(run())


def proxy(url: str, path: str) -> None:
    """Be a recording proxy; its URL is printed."""

    async def serve() -> None:
        await serve_proxy(
            path,
            ProxyOptions(upstream=url, force=True),
            stop=asyncio.Event(),
            started=lambda base: told("at", base),
        )

    asyncio.run(serve())


def scenario(url: str, path: str, key: str) -> None:
    """Record a scenario; the server knows which answers the client has seen end."""
    record_scenario(Path(path), url, api_key=key, force=True, warn=lambda _: None)


def recorders(url: str, path: str, mode: str, processes: int, turns: int) -> None:
    """Record to one file from many processes that all save at the same moment.

    What each recorded is printed, and the error of one that could not save.
    """
    go, come = os.pipe()
    for process in range(processes):
        if os.fork():
            continue
        names = [f"{process}-{turn}" for turn in range(turns)]
        try:
            with use_cassette(path, mode, force=True, warn=lambda _: None):
                with httpx.Client(verify=False) as client:
                    for name in names:
                        client.post(url, json={"id": name})
                told("ready")
                os.read(go, 1)
            told("saved", *names)
        except HarnessError as error:
            told("error", *names, json.dumps(str(error)))
        finally:
            os._exit(0)
    sys.stdin.readline()
    os.write(come, b"x" * processes)
    for _ in range(processes):
        os.wait()


KINDS: dict[str, Callable[..., None]] = {
    kind.__name__: kind
    for kind in (
        in_process,
        in_process_async,
        proxy,
        recorders,
        rewriting,
        scenario,
    )
}


def main() -> None:
    """Do what the lines say."""
    with use_cassette("none.yaml"), httpx.Client(verify=False):
        pass  # loads what recording needs, once for all
    Redaction().body(b"key sk-proj-" + b"Qm7Tz4Vb9Kx2" * 4)  # compiles its tables
    for line in iter(sys.stdin.readline, ""):
        kind, *arguments = json.loads(line)
        child = os.fork()
        if not child:
            try:
                KINDS[kind](*arguments)
            finally:
                os._exit(0)
        told("started", child)
        os.waitpid(child, 0)
        told("ended")


if __name__ == "__main__":
    main()
