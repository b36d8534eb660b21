"""The steps of the table: a client in process, in a marked test, through the proxy.

Each row runs in a process of its own, against a scripted server of this machine:

- record: every event gets through, and the request was recorded;
- play: the same events, and the server was not asked;
- miss: another request fails with our error, and the server was not asked.

A client with sockets of its own is `guarded`: it is refused where it would go past the
cassette, or the test fails and names it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.load import load_cassette
from harness.errors import HarnessError
from harness.record import use_cassette
from harness.record.proxy import ProxyOptions, serve_proxy
from tests.record.servers import ScriptedServer
from tests.third_party.client_server import script
from tests.third_party.framework_rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
CHANNELS = ("use_cassette", "plugin", "proxy")
STEPS = ("record", "play", "miss")
GUARDED = ("does not intercept this client", "but something connected")

TEST = """
import json, os, pytest
from tests.third_party.framework_rows import ROWS

@pytest.mark.harness("c")
def test_row():
    events = ROWS[os.environ["ROW"]].ask(os.environ["URL"], os.environ["PROMPT"])
    print("EVENTS", json.dumps(events))
"""

RUNS = """
import json, os, sys, pytest
options = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:warnings"]
options += ["-p", "harness.pytest_plugin.plugin", "test_row.py"]
for line in sys.stdin:
    mode, os.environ["PROMPT"] = json.loads(line)
    print("CODE", int(pytest.main([*options, f"--harness-record={mode}"])), flush=True)
"""
"""A run of pytest for each line, in one process: an SDK takes seconds to import."""


def results(name: str) -> dict[str, str]:
    """Run a row; return what each channel and step gave: `ok`, or what went wrong."""
    found = {}
    with ScriptedServer(script) as server, tempfile.TemporaryDirectory() as folder:
        for channel, run in (
            ("use_cassette", _in_process),
            ("plugin", _in_a_test),
            ("proxy", _through_the_proxy),
        ):
            place = Path(folder, channel)
            place.mkdir()
            steps = run(name, server, place)
            for step in STEPS:
                try:
                    found[f"{channel} {step}"] = next(steps)
                except StopIteration:
                    found[f"{channel} {step}"] = "not reached"
                except Exception as error:  # noqa: BLE001 - it is the result
                    text = " ".join(str(error).split())
                    is_guarded = any(one in text for one in GUARDED)
                    told = f"{type(error).__name__}: {text[:300]}"
                    found[f"{channel} {step}"] = "guarded" if is_guarded else told
    return found


def _asked(server: ScriptedServer, call: Callable[[], Any]) -> tuple[Any, int]:
    before = len(server.requests)
    return call(), len(server.requests) - before


def _in_process(name: str, server: ScriptedServer, folder: Path) -> Iterator[str]:
    ask = ROWS[name].ask
    bare = ask(server.url, "one")

    def inside(mode: str, prompt: str) -> Any:
        with warnings.catch_warnings(), use_cassette(folder / "c.yaml", mode):
            warnings.filterwarnings("error", "(?s).*something connected")
            return ask(server.url, prompt)

    yield from _steps(
        server,
        folder / "c.yaml",
        bare,
        record=lambda: inside("once", "one"),
        play=lambda: inside("none", "one"),
        miss=lambda: inside("none", "other"),
    )


def _steps(
    server: ScriptedServer,
    path: Path,
    bare: Any,
    *,
    record: Callable[[], Any],
    play: Callable[[], Any],
    miss: Callable[[], Any],
) -> Iterator[str]:
    live, count = _asked(server, record)
    held = load_cassette(path).exchanges
    if live != bare or count != 1 or len(held) != 1:
        yield f"asked {count}, recorded {len(held)}: {live}"
    yield "ok"
    played, count = _asked(server, play)
    yield "ok" if played == bare and count == 0 else f"asked {count}: {played}"
    before = len(server.requests)
    try:
        result = miss()
    except HarnessError as error:
        is_told = "never recorded" in str(error)
        count = len(server.requests) - before
        yield "ok" if is_told and not count else f"asked {count}: {error}"
    else:
        yield f"nothing was raised: {result}"


def _in_a_test(name: str, server: ScriptedServer, folder: Path) -> Iterator[str]:
    folder.joinpath("test_row.py").write_text(TEST, encoding="utf-8")
    bare = ROWS[name].ask(server.url, "one")
    process = subprocess.Popen(
        [sys.executable, "-c", RUNS],
        cwd=folder,
        env={
            **{k: v for k, v in os.environ.items() if k != "CI"},
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
            "ROW": name,
            "URL": server.url,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def run(mode: str, prompt: str) -> Any:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([mode, prompt]) + "\n")
        process.stdin.flush()
        lines = [process.stdout.readline()]
        while lines[-1] and not lines[-1].startswith("CODE "):
            lines.append(process.stdout.readline())
        if lines[-1] != "CODE 0\n":
            raise HarnessError("".join(lines)[-2000:])
        line = next(x for x in lines if x.startswith("EVENTS "))
        return json.loads(line.removeprefix("EVENTS "))

    with process:
        yield from _steps(
            server,
            folder / "cassettes" / "c.yaml",
            bare,
            record=lambda: run("once", "one"),
            play=lambda: run("none", "one"),
            miss=lambda: run("none", "other"),
        )


def _through_the_proxy(
    name: str, server: ScriptedServer, folder: Path
) -> Iterator[str]:
    ask = ROWS[name].ask
    path = folder / "c.yaml"

    def record() -> Any:
        with _proxy(path, server.url) as url:
            return ask(url, "one")

    def inside(prompt: str) -> Any:
        with use_cassette(path):
            return ask(server.url, prompt)

    yield from _steps(
        server,
        path,
        ask(server.url, "one"),
        record=record,
        play=lambda: inside("one"),
        miss=lambda: inside("other"),
    )


@contextlib.contextmanager
def _proxy(path: Path, upstream: str) -> Iterator[str]:
    started = threading.Event()
    urls: list[str] = []
    stop: asyncio.Event | None = None
    loop = asyncio.new_event_loop()

    def note(url: str) -> None:
        urls.append(url)
        started.set()

    async def serve() -> None:
        nonlocal stop
        stop = asyncio.Event()
        await serve_proxy(
            path, ProxyOptions(upstream=upstream), stop=stop, started=note
        )

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(60)
    try:
        yield urls[0]
    finally:
        assert stop is not None
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
