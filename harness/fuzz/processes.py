"""One process that runs examples: started, waited for, heard, ended."""

from __future__ import annotations

import multiprocessing
import sys
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import UsageError
from harness.fuzz.example_worker import About, Job, work
from harness.fuzz.hang_watch import FIRST

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


_WARM_UP_S = 120.0


@dataclass(slots=True)
class Worker:
    """One process and what it owes."""

    job: Job
    process: Any
    connection: Connection
    heard: float = field(default_factory=time.monotonic)
    owed: list[int] = field(default_factory=list)
    is_reached: bool = False
    """Whether it came through the plainest stream."""

    def send(self, *message: Any) -> None:
        """Send a message; one that is dead hears nothing, which is seen elsewhere."""
        with suppress(OSError):
            self.connection.send(message)

    def end(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.join()
        self.connection.close()


class SetUpError(UsageError):
    """A target cannot be set up.

    Args:
        text: One line.
        trace: The traceback of what it raised; empty if it raised nothing.
    """

    def __init__(self, text: str, trace: str = "") -> None:
        super().__init__(text)
        self.trace = trace


class HungError(Exception):
    """It hangs on a plain stream, not on the plainest; its argument is the failure."""


def start(job: Job) -> Worker:
    """Start a process on a job; `await_ready` waits for it."""
    # A copy of this process costs nothing; with threads it would not be safe.
    is_safe = sys.platform == "linux" and threading.active_count() == 1
    context: Any = multiprocessing.get_context("fork" if is_safe else "spawn")
    ours, theirs = context.Pipe()
    # A copy has our end, too, and would never hear that this process is gone.
    own = ours if is_safe else None
    process = context.Process(target=_work, args=(theirs, job, own))
    with warnings.catch_warnings():
        # Python 3.15 counts threads that `threading` does not, as pytest-xdist's own,
        # which only waits for messages: no lock of its own is held in the copy.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded")
        process.start()
    theirs.close()
    return Worker(job, process, ours)


def _work(connection: Connection, job: Job, other: Connection | None) -> None:
    if other is not None:
        other.close()
    work(connection, job)


def await_ready(worker: Worker) -> About:
    """Wait until the target is imported and has taken the plainest streams.

    Raises:
        SetUpError: It cannot be imported, or fails on every plain stream.
        HungError: It never ends on one of them, though it does on the plainest.
    """
    job = worker.job
    message: Any = None
    until = time.monotonic() + _WARM_UP_S
    while time.monotonic() < until:
        message = receive(worker, until - time.monotonic())
        if message is None or message[0] == "hung":
            break
        if message[0] == "usage":
            raise SetUpError(message[1], message[2])
        if message[0] == "reached":
            worker.is_reached = True
        if message[0] == "ready":
            worker.heard = time.monotonic()
            return _checked(job, message[1])
    else:
        message = None
    if message is not None and worker.is_reached:
        raise HungError(message[3])
    if message is not None:
        raise UsageError(
            f"target {job.target!r}: {message[3].kind}: it was still running after "
            f"{job.timeout_s * FIRST:g} s on the plainest stream (a text of three "
            "words), so nothing can be tried; see --timeout-each"
        )
    worker.process.join(1.0)
    code = worker.process.exitcode
    what = f"answered nothing in {_WARM_UP_S:g} s"
    if code is not None:
        what = f"ended {how_ended(code)}"
    raise UsageError(
        f"target {job.target!r}: its process {what} while it was imported and given "
        "the plainest streams"
    )


def how_ended(code: int) -> str:
    """Return what an exit code means, as ``by signal 9``."""
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


def _checked(job: Job, about: About) -> About:
    shows = about.shows
    if shows is not None and not shows.works:
        raised = shows.raised[0]
        raise SetUpError(
            f"target {job.target!r}: it raises {raised} on every plain "
            "stream, so nothing can be tried",
            about.traceback,
        )
    if shows is not None and shows.is_silent and about.taken is not None:
        took = "all" if about.taken else "none"
        reached = "" if about.taken else ": it was never reached"
        raise UsageError(
            f"target {job.target!r}: it took {took} of the chunks of the plain "
            f"streams and gave nothing{reached}; expected a callable that reads its "
            "argument and returns or yields what it read"
        )
    return about


def receive(worker: Worker, timeout_s: float) -> Any:
    """Return the next message; None if there is none in time, or it ended."""
    try:
        if not worker.connection.poll(max(0.0, timeout_s)):
            return None
        return worker.connection.recv()
    except (EOFError, OSError):
        return None
