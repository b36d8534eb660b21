"""A worker process: reads jobs from its standard input, answers on its output.

Started by `harness.corpus.guarded`. The first
message is the limits and the job, each next one a list of items. After each item comes
an answer, so that whoever waits knows which item it is that takes too long.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from harness.corpus.opening import Item

__all__ = ["Answer", "Job", "Limits", "receive", "send"]


class Limits(NamedTuple):
    """What one recording may take."""

    seconds: float
    """Of time."""
    memory: int
    """Of address space of the worker process, in bytes; 0 sets no limit."""


class Job(Protocol):
    """What is done with each recording; it goes to other processes by pickle."""

    def prepare(self) -> None:
        """Import what is needed; raises `UsageError`."""

    def work(self, item: Item) -> list[Any]:
        """Return the results of one recording."""

    def give_up(self, item: Item, reason: str) -> list[Any]:
        """Return what stands for a recording that could not be worked on."""


class Answer(NamedTuple):
    """What came of one item."""

    results: list[Any]
    problem: str = ""


def send(target: IO[bytes], message: object) -> None:
    """Write one message."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    target.write(len(data).to_bytes(8, "big") + data)
    target.flush()


def receive(source: IO[bytes]) -> Any:
    """Read one message.

    Raises:
        EOFError: The other side is gone.
    """
    size = source.read(8)
    if len(size) < 8:
        raise EOFError
    data = source.read(int.from_bytes(size, "big"))
    return pickle.loads(data)  # noqa: S301 - from the process that we started or were started by


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """Take the pipes away from a consumer that prints or reads."""
    source, target = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return os.fdopen(source, "rb"), os.fdopen(target, "wb")


def _limit_memory(size: int) -> None:
    if size and sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _alarm() -> Callable[[float], object]:
    """Return what has the kernel end this process after so many seconds.

    No handler runs: one could not interrupt what hangs in C.
    """
    if sys.platform == "win32":
        return lambda _seconds: None
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)


def main() -> None:
    """Work until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it decides
    source, target = _streams()
    limits, job, path = receive(source)
    sys.path[:] = path
    job = cast("Job", job)
    job.prepare()
    _limit_memory(limits.memory)
    set_alarm = _alarm()
    while True:
        try:
            items = receive(source)
        except EOFError:
            return
        for item in items:
            set_alarm(limits.seconds)
            try:
                answer = Answer(job.work(item))
            except MemoryError:
                answer = Answer([], "takes more memory than the limit")
            except RecursionError:
                answer = Answer([], "is nested too deeply")
            set_alarm(0)
            send(target, answer)
