"""The contests of new processes: what it takes to start.

As an installed package starts: with its bytecode cached. A checkout under
`PYTHONDONTWRITEBYTECODE` compiles every module of ours anew in each process, which
takes longer than all the rest of a start.
"""

from __future__ import annotations

import os
import pty
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.workloads import write_cassette

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.benchmarks.measuring import Run

_RUNS = 5  # processes a round
_TITLE, _EMISSION = 1, 3  # the line at whose end there is something to read
_COMMAND = (
    "import sys; from harness.__main__ import main; sys.argv = ['harness', *{}]; main()"
)


@contextmanager
def starting() -> Iterator[Mapping[str, Run]]:
    """CPU of a process that does next to nothing; the interpreter is the peer."""
    with _cached_bytecode() as environment:
        yield {
            "python": lambda: _cpu("pass", environment),
            "import": lambda: _cpu("import harness", environment),
            "help": lambda: _cpu(_COMMAND.format(["--help"]), environment),
        }


@contextmanager
def showing() -> Iterator[Mapping[str, Run]]:
    """`harness replay` of 200 chunks in a terminal, by the clock and in CPU."""
    with tempfile.TemporaryDirectory() as folder, _cached_bytecode() as environment:
        path = Path(folder, "200.yaml")
        write_cassette(path, 200)
        code = _COMMAND.format(["replay", str(path)])
        yield {
            "title": lambda: _until_line(_TITLE, code, environment),
            "emission": lambda: _until_line(_EMISSION, code, environment),
            "end": lambda: _cpu(code, environment),
        }


@contextmanager
def _cached_bytecode() -> Iterator[Mapping[str, str]]:
    """Yield an environment whose cache the round to warm up fills."""
    with tempfile.TemporaryDirectory() as cache:
        inherited = os.environ.items()
        yield {
            **{k: v for k, v in inherited if k != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": cache,
        }


def _cpu(code: str, environment: Mapping[str, str]) -> float:
    """Return the CPU seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(_RUNS):
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return (user + system) / _RUNS


def _until_line(number: int, code: str, environment: Mapping[str, str]) -> float:
    """Return the seconds from Enter to the end of a line on a terminal."""
    ours, theirs = pty.openpty()
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=theirs
    )
    os.close(theirs)
    lines, seconds = 0, None
    while shown := _read(ours):
        lines += shown.count(b"\n")
        if seconds is None and lines >= number:
            seconds = time.perf_counter() - started
    os.close(ours)
    assert process.wait() == 0
    assert seconds is not None, "there was not so much to show"
    return seconds


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody writes any more
        return b""
