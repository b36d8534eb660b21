"""What was tried and what was found: merged in order, distinguished, shrunk.

Owns the plan and the moment when it is fulfilled. What is tried next is the business of
the rounds (`harness.fuzz.text_rounds`, `harness.fuzz.stream_rounds`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.apis.chat.faults import parse_fault
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem
from harness.errors import counted
from harness.fuzz.api_inputs import answer_of
from harness.fuzz.shrink_search import MANY
from harness.fuzz.shrinking import shrink
from harness.fuzz.trial_cases import Again, Counts, Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.judge import Judge
    from harness.fuzz.relations import Failure

_IDLE = 2000  # cases in a row that ask nothing: there is nothing to ask


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try and when to stop."""

    relations: tuple[str, ...]
    """Names of `RELATIONS` that the consumer's level has."""
    seed: int = 0
    """Decides everything that is random."""
    max_examples: int | None = 20_000
    """Stop after so many runs of the consumer; None does not."""
    time_s: float | None = None
    """Stop after so many seconds; None does not."""
    findings: int = 1
    """Stop after so many different failures."""


@dataclass(slots=True)
class Tried(Counts):
    """What a run tried, and how it ended."""

    seconds: float = 0.0
    """How long it took, shrinking included, imports and warm-up not."""
    ended: str = ""
    """Why it stopped."""
    is_past_floor: bool = False
    """Whether every stream was tried once as it is: less is no result."""
    is_complete: bool = False
    """Whether every stream, relation and dialect was tried at least once."""


class OverError(Exception):
    """The examples, the time or the wanted findings have been reached."""


class Findings:
    """The numbers and the failures of one run.

    Args:
        plan: When to stop.
        progress: Called now and then with the numbers so far.
    """

    def __init__(self, plan: Plan, progress: Callable[[Tried], None] | None) -> None:
        self.plan = plan
        self.tried = Tried()
        self.failures: list[Failure] = []
        self._progress = progress or (lambda _tried: None)
        self._known: set[str] = set()
        self._arrived: set[str] = set()
        self._idle = 0  # cases in a row that had nothing to ask

    @property
    def budget(self) -> int | None:
        """How many examples may still be run; None for any number."""
        most = self.plan.max_examples
        return None if most is None else max(0, most - self.tried.examples)

    def merge(
        self, recorded: Recorded, smallest: Callable[[int, Failure], Failure]
    ) -> None:
        """Add what the next case gave; cases come in their order.

        Args:
            recorded: What it gave.
            smallest: Shrinks a failure, given its number in the case.

        Raises:
            OverError: The plan is fulfilled.
        """
        self._idle = 0 if recorded.examples else self._idle + 1
        if self._idle > _IDLE:
            raise OverError("there was nothing more to try of these relations")
        tried, budget = self.tried, self.budget
        is_last = budget is not None and recorded.examples >= budget
        added = recorded.examples if budget is None else min(recorded.examples, budget)
        tried.examples += added
        tried.cuts += recorded.cuts
        tried.streams |= recorded.streams
        tried.relations += recorded.relations
        tried.dialects += recorded.dialects
        tried.faults += recorded.faults
        tried.lacks = tried.lacks or recorded.lacks
        for number, found in enumerate(recorded.found):
            if not is_last or found.at < added:
                self._add(number, found.failure, smallest)
        if recorded.ends and not is_last:
            tried.is_past_floor = True
            tried.is_complete = tried.is_complete or recorded.ends == "everything"
        self._progress(tried)
        if is_last:
            raise OverError(f"{self.plan.max_examples} examples were tried")

    def _add(
        self, number: int, failure: Failure, smallest: Callable[[int, Failure], Failure]
    ) -> None:
        if failure.defect in self._known:  # one defect breaks several relations
            return
        self._known |= {failure.defect, failure.implies}
        small = smallest(number, failure)
        self._known |= {small.defect, small.implies}
        if repr(small.arrived) in self._arrived:
            return
        self._arrived.add(repr(small.arrived))
        self.failures.append(small)
        if len(self.failures) >= self.plan.findings:
            raise OverError(f"{counted(len(self.failures), 'failure')} found")


def shrunk(
    judge: Judge,
    failure: Failure,
    again: Again | None = None,
    *,
    time_s: float | None = None,
) -> Failure:
    """Return the smallest failure of the same kind.

    Args:
        judge: Judges the consumer.
        failure: What was found.
        again: Where hypothesis made it: finds it again and shrinks it.
        time_s: How long the campaign takes; None for a number of examples, which must
            give the same whatever the time. A share of it is given to shrinking.
    """
    until = None if time_s is None else time.monotonic() + max(10.0, time_s / 4)
    start = failure.arrived if failure.base is None else failure.base
    found: dict[Any, Failure] = {}

    def is_late() -> bool:
        return until is not None and time.monotonic() > until

    def fails(fed: FuzzInput) -> bool:
        for fault in _faults_like(failure.fault, len(fed)):
            other = judge.judge(
                failure.relation,
                fed,
                fault=None if fault is None else parse_fault(fault),
            )
            if other is not None and other.kind == failure.kind:
                found.pop(mark := repr(fed), None)
                found[mark] = other  # the last
                return True
        return False

    if not fails(start):
        return replace(
            failure,
            note=f"{failure.note}; it does not fail again by itself: the consumer "
            "keeps something between runs",
        )
    if again is not None:
        smaller = again(lambda fed: not is_late() and fails(fed))
        if smaller is not None and repr(smaller) in found:
            start = smaller

    most = _illegal_events(judge.api, start)

    def fails_in_time(fed: FuzzInput) -> bool:
        if is_late():
            raise _LateError
        # With an event that no server sends there it would be another finding.
        return _illegal_events(judge.api, fed) <= most and fails(fed)

    try:
        small = shrink(start, fails_in_time, judge.key, api=judge.api)
        smallest = found.get(repr(small), failure)
        if len(small) > MANY and isinstance(small[0], dict):
            limit = f"it takes about {len(small)} events: with fewer it does not fail"
            smallest = replace(smallest, note=f"{smallest.note}; {limit}")
    except _LateError:
        smallest = list(found.values())[-1]
    return judge.with_uncut(smallest)


def _illegal_events(api: str, fed: FuzzInput) -> int:
    """Return how many events name a block that never began, where an API has blocks."""
    answer = answer_of(api, fed) if api == "anthropic" else []
    problems = (part for parts in answer for part in parts if type(part) is Problem)
    return sum(one.kind is DiagnosticKind.ILLEGAL_EVENT for one in problems)


class _LateError(Exception):
    """The time for shrinking is over."""


def _faults_like(fault: str, length: int) -> list[str | None]:
    if not fault:
        return [None]
    name, colon, _ = fault.partition(":")
    if not colon:
        return [fault]
    return [fault, *(f"{name}:{number}" for number in range(min(length, 8)))]
