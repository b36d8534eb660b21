"""The process that runs examples: it can hang, crash and print without harm.

It imports the target, runs the cases that it is sent the numbers of, and sends back
what they gave. What the target prints goes to standard error, also from C.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, raised_text
from harness.fuzz.current_example import CURRENT
from harness.fuzz.hang_watch import watch
from harness.fuzz.trial_cases import Found, Recorded, Recorder, run_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from harness.fuzz.consumers import Wanted
    from harness.fuzz.findings import Plan
    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.judge import Judge
    from harness.fuzz.probes import Shows
    from harness.fuzz.relations import Failure

_HUNG = 3  # exit code, for those who look


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is started with."""

    target: str
    """As the command line takes it."""
    wanted: Wanted
    plan: Plan
    """Its relations are the wanted ones, empty for all that the level has."""
    recordings: dict[str, FuzzInput]
    timeout_s: float
    """How long one example may take."""
    step: int = 1
    """How many workers share the cases."""
    offset: int = 0
    """Which of them this one is: it runs the cases `offset`, `offset + step`, ..."""
    names_each: bool = False
    """Whether it sends every input before it is run: one ended the process."""


@dataclass(frozen=True, slots=True)
class About:
    """What a worker knows of the target once it is imported."""

    name: str
    level: str
    key: str
    relations: tuple[str, ...]
    api: str = "chat"
    """Whose events it is fed with."""
    shows: Shows | None = None
    """What the target shows of plain streams."""
    traceback: str = ""
    """Of the exception of the plainest stream, if it raised one."""
    taken: int | None = None
    """How many of the chunks of the plainest stream it took; None if unknown."""


def work(connection: Connection, job: Job) -> None:
    """Run cases until the other end closes.

    Args:
        connection: For messages both ways, each a tuple whose first item is its kind.
        job: What to run.
    """
    _print_to_stderr()
    lock = threading.Lock()
    state = _State()
    own = os.getpid()

    def send(*message: Any) -> None:
        if os.getpid() != own:  # a copy that the target made, and let come back here
            os._exit(0)
        with lock, suppress(OSError):
            connection.send(message)

    def hung(failure: Failure) -> None:
        send("hung", state.number, state.recorder.recorded, failure)
        os._exit(_HUNG)

    try:
        judge, about = _judge(job, send, hung)
    except HarnessError as error:
        cause = error.__cause__
        trace = "" if cause is None else "".join(traceback.format_exception(cause))
        send("usage", str(error), trace)
        return
    except BaseException as error:  # noqa: BLE001 - whatever a target does when made
        text = raised_text(error)
        send("usage", f"target {job.target!r}: setting it up raised {text}", _trace())
        return
    send("ready", about)
    if job.names_each:
        CURRENT.begun = lambda fed: send("running", fed)
    runner = _Runner(judge, replace(job.plan, relations=about.relations), job, state)
    received: SimpleQueue[Any] = SimpleQueue()
    receive = partial(_receive, connection, received)
    threading.Thread(target=receive, name="harness-fuzz-receive", daemon=True).start()
    while (message := received.get()) is not None:
        try:
            if message[0] == "run":
                send("done", message[1], runner.run(message[1], send))
            elif message[0] == "try":
                judge.run(message[1])
                send("tried")
            else:
                send("shrunk", runner.shrink(*message[1:]))
        except HarnessError as error:
            send("usage", str(error), "")
        except BaseException:  # noqa: BLE001 - a mistake of ours, or an interrupt
            send("usage", f"target {job.target!r}: the fuzzer itself failed", _trace())
            return


def _receive(connection: Connection, received: SimpleQueue[Any]) -> None:
    """Take messages as they come: two ends that send large ones wait for each other."""
    with suppress(EOFError, OSError):
        while True:
            received.put(connection.recv())
    received.put(None)


def _trace() -> str:
    return traceback.format_exc().rstrip()


def _print_to_stderr() -> None:
    with suppress(OSError):
        os.dup2(2, 1)
    stream = sys.stderr
    with suppress(OSError, ValueError):
        stream = io.TextIOWrapper(
            os.fdopen(os.dup(2), "wb", 0),
            "utf-8",
            "backslashreplace",
            "\n",
            write_through=True,
        )
    sys.stdout = sys.stderr = stream


class _State:
    """What the watch needs to know."""

    def __init__(self) -> None:
        self.number: int | None = None
        """The case that is being run; None while the target is set up or shrunk."""
        self.recorder = Recorder(())


def _judge(job: Job, send: Any, hung: Any) -> tuple[Judge, About]:
    from harness.fuzz.checking import judge_of, offered
    from harness.fuzz.consumers import import_target
    from harness.fuzz.probes import plainest

    target = import_target(job.target)
    judge = judge_of(target, job.wanted, job.target)
    relations = offered(judge, job.plan.relations or None)
    reached = threading.Event()
    watch(job.timeout_s, hung, lambda: send("alive"), reached.is_set)
    judge.run(plainest(judge))
    reached.set()
    taken = CURRENT.taken
    send("reached")
    shows = judge.shows()
    error = judge.consumer.last_error
    trace = "" if error is None else "".join(traceback.format_exception(error))
    about = About(
        judge.consumer.name,
        judge.consumer.level.value,
        judge.key,
        relations,
        judge.api,
        shows,
        trace,
        taken,
    )
    return judge, about


class _Runner:
    """The cases of this worker."""

    def __init__(self, judge: Judge, plan: Plan, job: Job, state: _State) -> None:
        from harness.fuzz.campaign import cases_of

        self._judge = judge
        self._plan = plan
        self._cases = enumerate(cases_of(judge, plan, job.recordings))
        self._state = state
        self._agains: dict[tuple[int, int], Any] = {}
        self._is_warm = False

    def run(self, number: int, send: Callable[..., None]) -> Recorded:
        """Run a case; numbers only grow, and there is a case for each."""
        case = next(case for found, case in self._cases if found == number)
        recorder = Recorder(self._plan.relations, self._plan.max_examples)
        self._state.recorder, self._state.number = recorder, number
        if not self._is_warm:  # as a part of the case: what hangs here is a finding
            self._judge.learn()
            self._is_warm = True
            send("warm")
        recorded = run_case(case, recorder)
        self._state.number = None
        for ordinal, again in recorder.agains.items():
            self._agains[number, ordinal] = again
        return recorded

    def shrink(self, number: int, ordinal: int, failure: Failure) -> Failure:
        """Shrink what a case found."""
        from harness.fuzz.findings import shrunk

        again = self._agains.get((number, ordinal))
        return shrunk(self._judge, failure, again, time_s=self._plan.time_s)


def hanging(recorded: Recorded, failure: Failure) -> Recorded:
    """Add to what a case gave until then that it hung."""
    recorded.found.append(Found(recorded.examples - 1, failure))
    return recorded
