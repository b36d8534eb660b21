"""A worker process: reads jobs from its standard input, answers on its output.

The first message is the limits and the job, each next one a list of items. After each
item comes an answer, so that `Guard`, which started the process, knows which item it is
that takes too long. Nothing is lost and nothing counted twice: an item counts when its
answer has come, and those without one are given to the next process. An item that takes
too long, or whose process dies again and again, is given up with its reason.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol, cast

from harness.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.corpus.opening import Item


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
            results, problem = [], ""
            try:
                results = job.work(item)
            except MemoryError:
                problem = "takes more memory than the limit"
            except RecursionError:
                problem = "is nested too deeply"
            set_alarm(0)
            send(target, (results, problem))


# Not `-m`: what is pickled there would be of `__main__`.
_START = "from harness.corpus.worker import main; main()"
_TRIES = 3  # a process may be killed by chance; not thrice on the same item


class Guard:
    """Works on items in a process of its own; used by one thread at a time.

    Args:
        job: What is done.
        limits: What one item may take.
    """

    def __init__(self, job: Job, limits: Limits) -> None:
        self._job, self._limits = job, limits
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def work(self, items: Sequence[Item]) -> list[list[Any]]:
        """Return the results of each item, in order.

        Raises:
            StateError: It has been closed, by another thread.
        """
        done: list[list[Any]] = []
        tries = 0
        while len(done) < len(items):
            before = len(done)
            code = self._answers(items[before:], done)
            if len(done) == len(items):
                break
            tries = tries + 1 if len(done) == before else 1
            reason = ""
            if sys.platform != "win32" and code == -signal.SIGALRM:
                reason = f"takes longer than the limit of {self._limits.seconds:g} s"
            elif tries >= _TRIES:
                reason = f"ended its process {tries} times ({_cause(code)})"
            if reason:
                item = items[len(done)]
                done.append(self._job.give_up(item, reason))
                tries = 0
        return done

    def _answers(self, items: Sequence[Item], done: list[list[Any]]) -> int:
        """Append the results of items until the process ends; return its exit code."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(process.stdin, items)
            for item in items:
                results, problem = receive(process.stdout)
                done.append(self._job.give_up(item, problem) if problem else results)
        except (EOFError, OSError):
            code = process.wait()
            self._forget(process)
            return code
        return 0

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._is_closed:
                raise StateError("the sweep was stopped")
            if self._process is None:
                self._process = subprocess.Popen(  # noqa: S603 - this Python, our module
                    [sys.executable, "-c", _START],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    start_new_session=True,  # Ctrl-C is for who waits, not for it
                )
                assert self._process.stdin is not None
                path = list(sys.path)
                with contextlib.suppress(OSError):
                    send(self._process.stdin, (self._limits, self._job, path))
            return self._process

    def _forget(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            self._process = None

    def release(self) -> None:
        """Close the pipes; after `close`, when no thread works with it any more."""
        if self._process is not None:
            self._forget(self._process)

    def close(self) -> None:
        """End the process, whatever it is doing; nothing is started any more."""
        with self._lock:
            self._is_closed = True
            process = self._process
            if process is not None:
                process.kill()
                process.wait()


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


_guards: dict[tuple[int, Job, Limits], Guard] = {}


def work_guarded(
    items: Sequence[Item], job: Job, limits: Limits
) -> list[tuple[int, list[Any]]]:
    """Do a part of the work in a worker process of this process; for schedulers.

    Args:
        items: Bytes in.
        job: What is done; hashable.
        limits: What one item may take.

    Returns:
        Rows out: for each item its number in `items` and its results.
    """
    key = (threading.get_ident(), job, limits)
    guard = _guards.get(key)
    if guard is None:
        for other, old in list(_guards.items()):  # of an earlier sweep
            if other[0] == key[0]:
                old.close()
                old.release()
                del _guards[other]
        guard = _guards[key] = Guard(job, limits)
    return list(enumerate(guard.work(items)))
