"""Which examples are tried, in which order, until when.

First everything once: every stream, relation and dialect, and every fault; then every
dialect of every stream and every one-cut; then, round after round, streams that
hypothesis makes and random cuts of all of them. The order is a pure function of the
seed, so the same seed finds the same things in the same place.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.fuzz.driving import Level
from harness.fuzz.findings import Findings, OverError, Plan, Tried
from harness.fuzz.stream_rounds import StreamRounds
from harness.fuzz.text_rounds import TextRounds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.fuzz.arrivals import Arrival
    from harness.fuzz.judging import Judge
    from harness.fuzz.relations import Failure

__all__ = ["Campaign", "Plan", "Tried"]


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
        recordings: Mapping[str, Arrival] | None = None,
        *,
        progress: Callable[[Tried], None] | None = None,
    ) -> None:
        self.plan = plan
        self._findings = Findings(judge, plan, progress or (lambda _tried: None))
        is_handler = judge.consumer.level is Level.HANDLER
        rounds = TextRounds if is_handler else StreamRounds
        self._rounds = rounds(self._findings, dict(recordings or {}))

    @property
    def tried(self) -> Tried:
        """What has been tried so far."""
        return self._findings.tried

    @property
    def failures(self) -> list[Failure]:
        """The different failures found so far, in order of discovery."""
        return self._findings.failures

    def run(self) -> list[Failure]:
        """Try until something stops it.

        Returns:
            The different failures, smallest form of each, in order of discovery.
        """
        findings = self._findings
        findings.started = time.monotonic()
        try:
            self._rounds.run()
        except OverError as over:
            findings.tried.ended = str(over)
        findings.tried.seconds = time.monotonic() - findings.started
        return findings.failures
