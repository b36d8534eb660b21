"""One run of the fuzzer in this process: cases in order until the plan is fulfilled.

`harness.fuzz.worker_pool` does the same with processes that can be ended, which is what
the command line uses.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.fuzz.chat_trials import ChatTrials
from harness.fuzz.example_runner import Level
from harness.fuzz.findings import Findings, OverError, Plan, Tried, shrunk
from harness.fuzz.stream_rounds import stream_cases
from harness.fuzz.stream_trials import StreamTrials
from harness.fuzz.text_rounds import TextRounds
from harness.fuzz.trial_cases import Case, Recorder, run_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.judge import Judge
    from harness.fuzz.relations import Failure


def cases_of(
    judge: Judge, plan: Plan, recordings: Mapping[str, FuzzInput] | None = None
) -> Iterator[Case]:
    """Return the cases of a campaign, the most revealing first, without end.

    Args:
        judge: Judges the consumer.
        plan: Its relations and its seed.
        recordings: Recorded streams by name; empty takes the stock.
    """
    if judge.consumer.level is Level.HANDLER:
        return TextRounds(judge, plan.seed, dict(recordings or {})).cases()
    trials = ChatTrials if judge.api == "chat" else StreamTrials
    return stream_cases(trials(judge, plan.seed, dict(recordings or {})))


class Campaign:
    """One run of the fuzzer over one consumer.

    Args:
        judge: Judges the consumer.
        plan: What to try.
        recordings: Recorded streams by name; empty takes the stock.
        progress: Called now and then with the numbers so far.
    """

    def __init__(
        self,
        judge: Judge,
        plan: Plan,
        recordings: Mapping[str, FuzzInput] | None = None,
        *,
        progress: Callable[[Tried], None] | None = None,
    ) -> None:
        self.plan = plan
        self._judge = judge
        self._findings = Findings(plan, progress)
        self._cases = cases_of(judge, plan, recordings)
        self.tried = self._findings.tried
        """What has been tried so far."""
        self.failures = self._findings.failures
        """The different failures found so far, in order of discovery."""

    def run(self) -> list[Failure]:
        """Try until something stops it.

        Returns:
            The different failures, smallest form of each, in order of discovery.
        """
        self._judge.learn()  # what is learnt before counts as warm-up
        started = time.monotonic()
        try:
            for case in self._cases:
                self._try(case, started)
        except OverError as over:
            self.tried.ended = str(over)
        self.tried.seconds = time.monotonic() - started
        return self.failures

    def _try(self, case: Case, started: float) -> None:
        time_s = self.plan.time_s
        recorder = Recorder(self.plan.relations, self._findings.budget)
        self._findings.merge(
            run_case(case, recorder),
            lambda number, failure: shrunk(
                self._judge, failure, recorder.agains.get(number), time_s=time_s
            ),
        )
        if time_s is not None and time.monotonic() - started > time_s:
            raise OverError(f"{time_s:g} seconds were over")
