"""A campaign in processes of its own: shared out by number, merged in order.

So the same seed and number of examples find the same, however many processes there
are; a process that hangs or dies is ended and replaced, and its example is a finding.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from harness.debug.outcomes import Outcome, Raised
from harness.fuzz.example_worker import About, Job, hanging
from harness.fuzz.findings import Findings, OverError, Tried
from harness.fuzz.processes import (
    HungError,
    SetUpError,
    await_ready,
    how_ended,
    receive,
    start,
)
from harness.fuzz.relations import Failure
from harness.fuzz.trial_cases import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.fuzz.processes import Worker

_AHEAD = 4  # cases that a worker is sent before it has answered
_SILENCE_S = 3.0  # beyond the timeout: then not even the watch of a worker runs
_HANGS = 3  # in a row, with nothing else between: it hangs on everything
_SHRINK_TRIES = 12  # of an example that hangs, each of which costs its timeout


class Pool:
    """Runs the cases of a job in some processes.

    Args:
        job: What to run.
        jobs: How many processes.
        progress: Called now and then with the numbers so far.
    """

    def __init__(
        self, job: Job, jobs: int, progress: Callable[[Tried], None] | None = None
    ) -> None:
        self._job = replace(job, step=jobs)
        self._jobs = jobs
        self._findings = Findings(job.plan, progress)
        self.tried = self._findings.tried
        """What has been tried so far."""
        self.failures = self._findings.failures
        """The different failures found so far, in order of discovery."""
        self._workers: list[Worker] = []
        self._done: dict[int, Recorded] = {}
        self._next = 0  # the case that is merged next
        self._hangs = 0
        self._started = math.inf
        self._cold = 0  # workers that have not learnt yet what the target shows
        self._tester: Worker | None = None
        self.about: About | None = None
        """What is known of the target once it runs."""

    def run(self) -> list[Failure]:
        """Try until something asks to stop.

        Returns:
            The different failures, smallest form of each, in order of discovery.

        Raises:
            UsageError: The target cannot be imported or fails on the plainest stream.
        """
        try:
            self._workers = [self._start(offset) for offset in range(self._jobs)]
            try:
                for worker in self._workers:
                    self._await(worker)
            except HungError as hung:
                self.tried.ended = "it hung on a plain stream"
                return [*hung.args]
            self._started, self._cold = time.monotonic(), self._jobs
            try:
                self._work()
            except OverError as over:
                self.tried.ended = str(over)
            self.tried.seconds = time.monotonic() - self._started
        finally:
            for worker in [*self._workers, *([self._tester] if self._tester else [])]:
                worker.end()
        return self.failures

    def _start(self, offset: int, **changes: Any) -> Worker:
        return start(replace(self._job, offset=offset, **changes))

    def _await(self, worker: Worker) -> None:
        about = await_ready(worker)
        self.about = self.about or about

    def _work(self) -> None:
        sent = dict.fromkeys(range(self._jobs), -1)
        for worker in self._workers:
            self._feed(worker, sent)
        while True:
            pause = max(0.0, min(0.25, self._left()))
            ready = wait([worker.connection for worker in self._workers], pause)
            for worker in list(self._workers):
                if worker.connection in ready:
                    self._take(worker)
                elif self._is_dead(worker):
                    self._replace(worker, self._died(worker))
            self._merge()
            for worker in self._workers:
                self._feed(worker, sent)
            if self._left() <= 0:
                raise OverError(f"{self._job.plan.time_s:g} seconds were over")

    def _left(self) -> float:
        time_s = self._job.plan.time_s
        return math.inf if time_s is None else self._started + time_s - time.monotonic()

    def _feed(self, worker: Worker, sent: dict[int, int]) -> None:
        """Keep a worker busy, but not far ahead of what has been merged."""
        while len(worker.owed) < _AHEAD:
            last = sent[worker.job.offset]
            number = worker.job.offset if last < 0 else last + self._jobs
            if number > self._next + 16 * self._jobs:
                return
            sent[worker.job.offset] = number
            worker.owed.append(number)
            worker.send("run", number)

    def _is_dead(self, worker: Worker) -> bool:
        silence = time.monotonic() - worker.heard
        limit = self._job.timeout_s + _SILENCE_S
        return not worker.process.is_alive() or silence > limit

    def _take(self, worker: Worker) -> None:
        message = receive(worker, 0)
        worker.heard = time.monotonic()
        if message is None:
            self._replace(worker, self._died(worker))
        elif message[0] == "done":
            worker.owed.remove(message[1])
            self._done[message[1]] = message[2]
        elif message[0] == "hung":
            _, _, recorded, failure = message
            self._replace(worker, hanging(recorded, failure))
        elif message[0] == "warm" and self._cold:
            self._cold -= 1  # the warm-up of the last worker that has one is over
            self._started = time.monotonic()
        elif message[0] == "usage":
            raise SetUpError(message[1], message[2])
        # Else it is alive, which its having been heard shows.

    def _died(self, worker: Worker) -> Recorded:
        """Run the case again in a process that names each example before it is run."""
        number = worker.owed[0]
        tester = self._start(worker.job.offset, names_each=True)
        recorded, fed = Recorded(), None
        try:
            self._await(tester)
            tester.send("run", number)
            while True:
                message = receive(tester, self._job.timeout_s + _SILENCE_S)
                if message is None:
                    break
                if message[0] == "running":
                    fed = message[1]
                    recorded.examples += 1
                elif message[0] == "hung":
                    return hanging(message[2], message[3])
                elif message[0] == "done":  # it is not the example alone
                    result: Recorded = message[2]
                    return result
            tester.process.join(1.0)
            code = tester.process.exitcode
        finally:
            tester.end()
        what = "holds the interpreter and never ends"
        if code is not None:
            what = f"ends its process {how_ended(code)}"
        raised = Raised("SystemExit", what, "?", is_accident=True)
        failure = Failure(
            "ends",
            what,
            fed or (),
            Outcome(raised=raised),
            Outcome(),
            note="an end, and the process goes on",
        )
        return hanging(recorded, failure)

    def _replace(self, worker: Worker, recorded: Recorded) -> None:
        """Take what a worker gave that ended, and start another for the rest."""
        first, *rest = worker.owed
        self._done[first] = recorded
        self._hangs += 1
        self._restart(worker, rest)

    def _merge(self) -> None:
        while self._next in self._done:
            self._merge_next()

    def _merge_next(self) -> None:
        recorded = self._done.pop(self._next)
        number = self._next
        self._next += 1
        if not any(found.failure.relation == "ends" for found in recorded.found):
            self._hangs = 0

        def smallest(ordinal: int, failure: Failure) -> Any:
            if failure.relation == "ends":
                return self._shrink_hanging(failure)
            return self._shrink(number, ordinal, failure)

        self._findings.merge(recorded, smallest)
        if self._hangs >= _HANGS * self._jobs:
            raise OverError("it hung again and again")

    def _shrink(self, number: int, ordinal: int, failure: Failure) -> Failure:
        """Let the worker that found it shrink it; it has the generators for that."""
        worker = next(w for w in self._workers if w.job.offset == number % self._jobs)
        worker.send("shrink", number, ordinal, failure)
        while True:
            message = receive(worker, self._job.timeout_s + _SILENCE_S)
            worker.heard = time.monotonic()
            if message is None:
                return failure
            if message[0] == "hung" and message[1] is None:
                self._restart(worker, worker.owed)
                note = f"{failure.note}; a smaller one never ends"
                return replace(failure, note=note)
            if message[0] == "shrunk":
                shrunk: Failure = message[1]
                return shrunk
            if message[0] == "done":
                worker.owed.remove(message[1])
                self._done[message[1]] = message[2]
            elif message[0] == "hung":
                # Another case did, which it had been sent before.
                self._replace(worker, hanging(message[2], message[3]))
                return self._shrink(number, ordinal, failure)

    def _restart(self, worker: Worker, owed: list[int]) -> None:
        worker.end()
        other = self._start(worker.job.offset)
        self._workers[self._workers.index(worker)] = other
        self._await(other)
        other.owed = owed
        for number in owed:
            other.send("run", number)

    def _shrink_hanging(self, failure: Failure) -> Failure:
        """Leave chunks out, a few times: each try may cost a process."""
        small, tries = failure, _SHRINK_TRIES
        position = 0
        while position < len(small.arrived) and len(small.arrived) > 1 and tries:
            arrived = small.arrived
            fewer = arrived[:position] + arrived[position + 1 :]
            tries -= 1
            found = self._hangs_on(fewer, failure)
            if found is None or found.kind != failure.kind:
                position += 1
            else:
                small = found
        return small

    def _hangs_on(self, arrived: Any, like: Failure) -> Failure | None:
        """Try an input in a process that waits less long."""
        if self._tester is None:
            timeout_s = min(self._job.timeout_s, 1.0)
            self._tester = self._start(0, timeout_s=timeout_s)
            self._await(self._tester)
        tester = self._tester
        tester.send("try", arrived)
        while True:
            message = receive(tester, self._job.timeout_s + _SILENCE_S)
            if message is not None and message[0] == "alive":
                continue
            if message is not None and message[0] == "tried":
                return None
            self._tester = None
            tester.process.join(0.5)
            code = tester.process.exitcode
            tester.end()
            if message is not None and message[0] == "hung":
                failure: Failure = message[3]
                return failure
            is_same = code is not None and like.kind.endswith(f" {abs(code)}")
            return replace(like, arrived=arrived) if is_same else None
