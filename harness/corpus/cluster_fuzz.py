"""`harness fuzz --dask`: the cases of a campaign on a cluster, merged and shrunk here.

Cases have numbers, and a number decides what is tried. Blocks of numbers go to the
workers; what each case gave comes back and is merged in their order, as `Pool` does it
with processes: so the findings are those of one process.
"""

from __future__ import annotations

import atexit
import contextlib
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.corpus.engines import Dask
from harness.corpus.opening import TEXT, Entry, Item
from harness.corpus.places import Found
from harness.corpus.worker import Limits
from harness.errors import HarnessError
from harness.fuzz.findings import OverError, Tried
from harness.fuzz.worker_pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzz.example_worker import Job
    from harness.fuzz.processes import Worker
    from harness.fuzz.relations import Failure
    from harness.fuzz.trial_cases import Recorded


_BLOCK = 16  # cases that go to a worker together; the first ones go alone


class ClusterPool(Pool):
    """Runs the cases of a job on a Dask cluster, and shrinks what is found here.

    Args:
        job: What to run; the target must be importable on the workers.
        address: Of the scheduler; ``local`` starts a cluster on this machine.
        workers: For a local cluster; None takes one a core.
        progress: Called now and then with the numbers so far.
    """

    def __init__(
        self,
        job: Job,
        address: str,
        workers: int | None,
        progress: Callable[[Tried], None] | None = None,
    ) -> None:
        super().__init__(job, 1, progress)
        self._address, self._cluster_workers = address, workers
        self._ran = -1  # the case that the process here ran last

    def _work(self) -> None:
        job = _Blocks(pickle.dumps(self._job))
        with Dask(job, Limits(0, 0), self._address, self._cluster_workers) as engine:
            engine.part_items = 1
            for item, (found,) in engine.run(_blocks()):
                if isinstance(found, Exception):
                    raise found
                first = int(item.name)
                self._done.update(enumerate(found, first))
                self._merge()
                if self._left() <= 0:
                    raise OverError(f"{self._job.plan.time_s:g} seconds were over")

    def _merge(self) -> None:
        while self._next in self._done:
            ends = (one.failure.relation for one in self._done[self._next].found)
            self._hangs += "ends" in ends  # `_replace` counts where processes are here
            self._merge_next()

    def _shrink(self, number: int, ordinal: int, failure: Failure) -> Failure:
        """Run the case here, too: what shrinks it needs its generators."""
        if number != self._ran:
            [worker] = self._workers
            worker.owed.append(number)
            worker.send("run", number)
            self._ran = number
        return super()._shrink(number, ordinal, failure)


def _end(first: int) -> int:
    """Return where the block ends that begins with a case."""
    return first + min(_BLOCK, 1 + first // _BLOCK)


def _blocks() -> Iterator[Entry]:
    first = 0
    while True:
        item = Item(str(first), TEXT, b"")
        first = _end(first)
        yield Entry.held(item, 0, Found(item.name, 0, 0))


@dataclass(frozen=True)
class _Blocks:
    """Runs blocks of cases; see `harness.corpus.worker.Job`."""

    pickled: bytes
    """The `harness.fuzz.example_worker.Job`."""

    def prepare(self) -> None:
        """The process that was started here has shown that the target can be had."""

    def work(self, item: Item) -> list[list[Recorded] | HarnessError]:
        """Return what the cases of a block gave, or one error."""
        runner = _runners.get(self)
        if runner is None:
            runner = _runners[self] = _Runner(pickle.loads(self.pickled))  # noqa: S301 - ours
            atexit.register(runner.close)  # or this process would wait for the other
        try:
            return [runner.results(int(item.name))]
        except HarnessError as error:
            return [error]

    def give_up(self, item: Item, reason: str) -> list[list[Recorded] | HarnessError]:
        """Return the error of a block whose process died."""
        text = f"cases {item.name} to {_end(int(item.name)) - 1}: a worker {reason}"
        return [HarnessError(text)]


_runners: dict[_Blocks, _Runner] = {}  # of this process, from block to block


class _Runner(Pool):
    """One process that runs blocks of cases, and is replaced where it hangs or dies."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, 1)
        self._sent = self._stop = 0  # the cases that are handed to the process next

    def results(self, first: int) -> list[Recorded]:
        """Return what a block of cases gave."""
        if not self._workers or first < self._sent:  # numbers only grow in a process
            self.close()
            self._workers = [self._start(0)]
            self._await(self._workers[0])
        self._sent, self._next, self._done = first, first, {}
        self._stop = _end(first)
        with contextlib.suppress(OverError):
            self._work()
        return [self._done[number] for number in range(first, self._stop)]

    def close(self) -> None:
        """End the process."""
        for worker in self._workers:
            worker.end()

    def _feed(self, worker: Worker, sent: dict[int, int]) -> None:  # noqa: ARG002 - as in Pool
        while self._sent < self._stop:
            worker.owed.append(self._sent)
            worker.send("run", self._sent)
            self._sent += 1

    def _merge(self) -> None:
        if len(self._done) == self._stop - self._next:
            raise OverError
