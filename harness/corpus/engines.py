"""Who does the work: processes of this machine, or a Dask cluster.

Owns that the results come in the order of the items, whoever worked on them and in
whichever order they were done, and that only a window of parts is held at any time.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from multiprocessing import get_all_start_methods
from typing import TYPE_CHECKING, Any, Protocol

from harness.corpus.worker import Guard, Job, Limits, work_guarded
from harness.errors import HarnessError, UsageError
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.corpus.opening import Entry, Item


_PART_BYTES = 2 << 20
_WINDOW = 4  # parts in flight for each worker: one at work, the others ready

_CONNECTIONS = {
    # Each connection keeps its last messages for debugging, the data of their parts
    # too: 560 MiB more over 200 000 streams.
    "distributed.admin.low-level-log-length": 0
}
_LOCAL_CLUSTER = {
    # A worker that is killed starts again; a cluster whose machine is busy would give
    # it up for good after 15 seconds, the last one too.
    "distributed.deploy.lost-worker-timeout": "1 day",
    # What watches the processes of a cluster takes a share of each core.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}

_Results = list[list[Any]]


class _Future(Protocol):
    def result(self) -> _Results: ...


class Engine(AbstractContextManager["Engine"]):
    """Works on parts: lists of items."""

    workers: int
    part_items = 32
    """How many items make a part, at most."""

    @abstractmethod
    def submit(self, items: Sequence[Item]) -> _Future:
        """Begin with a part."""

    def run(self, entries: Iterable[Entry]) -> Iterator[tuple[Item, list[Any]]]:
        """Yield each item with its results, in order.

        Args:
            entries: Read as far as the window goes.
        """
        pending: deque[tuple[list[Item], _Future]] = deque()
        for part in _parts(entries, self.part_items):
            pending.append((part, self.submit(part)))
            if len(pending) >= _WINDOW * self.workers:
                yield from _finished(pending)
        while pending:
            yield from _finished(pending)


def _finished(
    pending: deque[tuple[list[Item], _Future]],
) -> Iterator[tuple[Item, list[Any]]]:
    part, future = pending.popleft()
    yield from zip(part, future.result(), strict=True)


def _parts(entries: Iterable[Entry], most: int) -> Iterator[list[Item]]:
    part: list[Item] = []
    size = 0
    for entry in entries:
        part.append(entry.load())
        size += len(part[-1].data)
        if len(part) >= most or size >= _PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


class Processes(Engine):
    """Worker processes of this machine, each with a thread that waits for it.

    Args:
        job: What is done.
        limits: What one item may take.
        workers: How many; None takes one a core.
    """

    def __init__(self, job: Job, limits: Limits, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._guards = [Guard(job, limits) for _ in range(self.workers)]
        self._free = deque(self._guards)
        self._threads = ThreadPoolExecutor(self.workers, "harness-sweep")

    def submit(self, items: Sequence[Item]) -> _Future:
        """Begin with a part; as many at once as there are processes."""
        return self._threads.submit(self._work, items)

    def _work(self, items: Sequence[Item]) -> _Results:
        guard = self._free.pop()  # there are as many guards as threads
        try:
            return guard.work(items)
        finally:
            self._free.append(guard)

    def __exit__(self, *_error: object) -> None:
        for guard in self._guards:
            guard.close()
        self._threads.shutdown(cancel_futures=True)
        for guard in self._guards:
            guard.release()


class _Retried:
    """A part on a cluster: one that the scheduler gave up is handed in again."""

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin
        self._future = begin()

    def result(self) -> _Results:
        from distributed import KilledWorker

        for _ in range(5):
            try:
                rows: list[tuple[int, list[Any]]] = self._future.result()
            except KilledWorker:  # three workers died that had it in their queue
                self._future = self._begin()
            else:
                return [results for _, results in rows]
        raise HarnessError(
            "a part of the corpus was on 15 workers of the cluster that died; look at "
            "their logs: what one stream may take is bounded by --memory"
        )


class Dask(Engine):
    """A Dask cluster.

    Args:
        job: What is done; its modules must be installed on the workers.
        limits: What one item may take.
        address: Of the scheduler; ``local`` starts a cluster on this machine.
        workers: For a local cluster; None takes one a core.

    Raises:
        UsageError: distributed is not installed, or no scheduler answers.
    """

    part_items = 128  # a scheduler takes a millisecond or two for each part

    def __init__(
        self, job: Job, limits: Limits, address: str, workers: int | None = None
    ) -> None:
        try:
            dask: Any = import_module("dask")
            distributed: Any = import_module("distributed")
        except ImportError:
            raise UsageError(
                "--dask needs `pip install 'agent-stream-harness[dask]'`"
            ) from None
        self._job, self._limits = job, limits
        self.cluster: Any = None
        """The local cluster; None for another."""
        self._settings = ExitStack()
        self._settings.enter_context(dask.config.set(_CONNECTIONS))
        if address == "local":
            settings: dict[str, Any] = dict(_LOCAL_CLUSTER)
            if "forkserver" in get_all_start_methods():  # imports distributed once
                settings["distributed.worker.multiprocessing-method"] = "forkserver"
            self._settings.enter_context(dask.config.set(settings))
            self.cluster = distributed.LocalCluster(
                n_workers=workers or os.cpu_count() or 1,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",  # None takes 8787, for all to see
                silence_logs=50,
            )
        try:
            self._client: Any = distributed.Client(self.cluster or address, timeout=10)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--dask {redacted_url(address)}: no scheduler answers there: "
                f"{redacted_url(str(error) or type(error).__name__)}"
            ) from None
        threads = self._client.nthreads()
        self.workers = sum(threads.values()) or workers or 1

    def submit(self, items: Sequence[Item]) -> _Future:
        """Begin with a part."""
        return _Retried(
            lambda: self._client.submit(
                work_guarded, items, self._job, self._limits, pure=False
            )
        )

    def __exit__(self, *_error: object) -> None:
        self._client.close()
        if self.cluster is not None:
            self.cluster.close()
        self._settings.close()


def engine_for(
    job: Job, limits: Limits, *, jobs: int | None = None, dask: str | None = None
) -> Engine:
    """Return the engine that a command line asks for.

    Args:
        job: What is done.
        limits: What one item may take.
        jobs: How many processes; None takes one a core.
        dask: The address of a scheduler, ``local``, or None for processes.

    Raises:
        UsageError: The job cannot be done, or the engine cannot be had.
    """
    job.prepare()
    if dask is None:
        return Processes(job, limits, jobs)
    return Dask(job, limits, dask, jobs)
