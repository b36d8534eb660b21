"""What was tried and what was found: counted, sorted, shrunk.

Owns the plan and the moment when it is fulfilled. What is tried next is the business of
the rounds (`harness.fuzz.text_rounds`, `harness.fuzz.stream_rounds`).
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.apis.chat.faults import parse_fault
from harness.fuzz.shrinking import shrink

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from harness.fuzz.arrivals import Arrival
    from harness.fuzz.judging import Judge
    from harness.fuzz.relations import Failure

__all__ = ["Findings", "OverError", "Plan", "Tried"]

_Again: TypeAlias = "Callable[[Callable[[Arrival], bool]], Arrival | None]"

_CLOCK_EVERY = 16  # examples between two looks at the clock


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
class Tried:
    """What was tried, in numbers."""

    examples: int = 0
    """Runs of the consumer, without those for shrinking."""
    streams: set[str] = field(default_factory=set)
    """Names of the streams or texts."""
    cuts: int = 0
    """Arrivals that were cut otherwise."""
    relations: Counter[str] = field(default_factory=Counter)
    """How often each relation was asked."""
    dialects: Counter[str] = field(default_factory=Counter)
    """How often each dialect was tried."""
    faults: Counter[str] = field(default_factory=Counter)
    """How often each fault was tried."""
    seconds: float = 0.0
    """How long it took, shrinking included."""
    ended: str = ""
    """Why it stopped."""
    lacks: str = ""
    """What could not be tried for want of a package; empty if nothing."""
    is_complete: bool = False
    """Whether every stream, relation and dialect was tried at least once."""


class OverError(Exception):
    """The examples, the time or the wanted findings have been reached."""


class Findings:
    """The numbers and the failures of one run.

    Args:
        judge: Judges the consumer.
        plan: What to try.
        progress: Called now and then with the numbers so far.
    """

    def __init__(
        self, judge: Judge, plan: Plan, progress: Callable[[Tried], None]
    ) -> None:
        self.judge = judge
        self.plan = plan
        self.tried = Tried()
        self.failures: list[Failure] = []
        self.started = time.monotonic()
        # While something that hypothesis made is tried: finds it again and shrinks it.
        self.again: _Again | None = None
        self._progress = progress
        self._kinds: set[str] = set()

    def wants(self, relation: str) -> bool:
        """Return whether a relation is asked."""
        return relation in self.plan.relations

    def count(self, relation: str, number: int = 1) -> None:
        """Count runs of the consumer.

        Raises:
            OverError: There were enough, or the time is over.
        """
        tried, plan = self.tried, self.plan
        tried.relations[relation] += number
        before = tried.examples // _CLOCK_EVERY
        tried.examples += number
        if plan.max_examples is not None and tried.examples >= plan.max_examples:
            raise OverError(f"{plan.max_examples} examples were tried")
        if tried.examples // _CLOCK_EVERY != before:
            self._progress(tried)
            if (
                plan.time_s is not None
                and time.monotonic() - self.started > plan.time_s
            ):
                raise OverError(f"{plan.time_s:g} seconds were over")

    def made(self) -> ModuleType | None:
        """Return what makes structures; None where hypothesis is not installed."""
        try:
            from harness.fuzz import made
        except ImportError:
            self.tried.lacks = "hypothesis, which makes structures, is not installed"
            return None
        return made

    def found(self, failure: Failure | None) -> None:
        """Keep a failure, shrunk, unless one of its kind is known.

        Raises:
            OverError: It was the last that is wanted.
        """
        if failure is None:
            return
        if failure.relation == "dialect-invariance" and self.wants("split-invariance"):
            # What the cuts alone explain is no matter of the dialect.
            failure = self.judge.judge("split-invariance", failure.arrived) or failure
        if failure.kind in self._kinds:  # one defect breaks several relations
            return
        self._kinds.add(failure.kind)
        self.failures.append(self._shrunk(failure))
        if len(self.failures) >= self.plan.findings:
            count = len(self.failures)
            raise OverError(f"{count} failure{'s' * (count > 1)} found")

    def _shrunk(self, failure: Failure) -> Failure:
        """Return the smallest failure of the same kind."""
        judge = self.judge
        start = failure.arrived if failure.base is None else failure.base
        found: dict[Any, Failure] = {}

        def fails(arrival: Arrival) -> bool:
            for fault in _faults_like(failure.fault, len(arrival)):
                other = judge.judge(
                    failure.relation,
                    arrival,
                    fault=None if fault is None else parse_fault(fault),
                )
                if other is not None and other.kind == failure.kind:
                    found[repr(arrival)] = other
                    return True
            return False

        if not fails(start):
            return replace(
                failure,
                note=f"{failure.note}; it does not fail again by itself: the consumer "
                "keeps something between runs",
            )
        if self.again is not None:
            smaller = self.again(fails)
            if smaller is not None and repr(smaller) in found:
                start = smaller
        small = shrink(start, fails, judge.key)
        return found.get(repr(small), failure)


def _faults_like(fault: str, length: int) -> list[str | None]:
    if not fault:
        return [None]
    name, colon, _ = fault.partition(":")
    if not colon:
        return [fault]
    return [fault, *(f"{name}:{number}" for number in range(min(length, 8)))]
