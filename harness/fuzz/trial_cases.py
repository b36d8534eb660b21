"""One case of a campaign: a few examples that belong together, and what they gave.

Cases are numbered in the order in which they matter, and are a pure function of the
seed; so they can be shared out among processes and put together again in order.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.judge import Judge
    from harness.fuzz.relations import Failure

Again: TypeAlias = "Callable[[Callable[[FuzzInput], bool]], FuzzInput | None]"


@dataclass(frozen=True, slots=True)
class Case:
    """A few examples."""

    name: str
    """Which stream, and what of it."""
    run: Callable[[Recorder], None] = field(repr=False)
    """Tries them."""
    ends: str = ""
    """What has been tried once when this case is over: `floor` for every stream as it
    is, `everything` for every stream, relation, dialect and fault; else empty."""


def case(
    name: str, method: Callable[..., None], *arguments: object, ends: str = ""
) -> Case:
    """Return the case that calls a method with what records it and some arguments."""
    return Case(name, lambda recorder: method(recorder, *arguments), ends)


@dataclass(frozen=True, slots=True)
class Found:
    """A failure of a case, not shrunk."""

    at: int
    """How many examples the case had run by then."""
    failure: Failure


@dataclass(slots=True)
class Counts:
    """What was tried, in numbers."""

    examples: int = 0
    """Runs of the consumer, without those for shrinking."""
    streams: set[str] = field(default_factory=set)
    """Names of the streams or texts."""
    cuts: int = 0
    """Inputs that were cut otherwise."""
    relations: Counter[str] = field(default_factory=Counter)
    """How often each relation was asked."""
    dialects: Counter[str] = field(default_factory=Counter)
    """How often each dialect was tried."""
    faults: Counter[str] = field(default_factory=Counter)
    """How often each fault was tried."""
    lacks: str = ""
    """What could not be tried for want of a package; empty if nothing."""


@dataclass(slots=True)
class Recorded(Counts):
    """What the examples of one case gave."""

    found: list[Found] = field(default_factory=list)
    ends: str = ""
    """As `Case.ends`."""


class EnoughError(Exception):
    """The examples that were wanted have been run."""


class Recorder:
    """Counts what a case tries and keeps what it finds.

    Args:
        relations: The relations that are asked.
        budget: Runs of the consumer after which it stops; None does not.
    """

    def __init__(self, relations: tuple[str, ...], budget: int | None = None) -> None:
        self.recorded = Recorded()
        self.again: Again | None = None
        """While something that hypothesis made is tried: finds it again."""
        self.agains: dict[int, Again] = {}
        """Of the failures found, by their number, where there is one."""
        self._relations = relations
        self._budget = budget
        self._kinds: set[str] = set()

    def wants(self, relation: str) -> bool:
        """Return whether a relation is asked."""
        return relation in self._relations

    def count(self, relation: str, number: int = 1) -> None:
        """Count runs of the consumer; of none, that a relation is asked of the last.

        Args:
            relation: What is asked; empty if that is counted apart.
            number: Runs of the consumer.

        Raises:
            EnoughError: There were enough.
        """
        recorded = self.recorded
        if relation:
            recorded.relations[relation] += number or 1
        recorded.examples += number
        if self._budget is not None and recorded.examples >= self._budget:
            raise EnoughError

    def ask(self, judge: Judge, relation: str, fed: FuzzInput, runs: int) -> None:
        """Have a relation judged, if it is asked, which takes so many runs."""
        if self.wants(relation):
            self.count(relation, runs)
            self.found(judge.judge(relation, fed))

    def found(self, failure: Failure | None) -> None:
        """Keep a failure, the first of its kind."""
        if failure is None or failure.kind in self._kinds:
            return
        self._kinds.add(failure.kind)
        if self.again is not None:
            self.agains[len(self.recorded.found)] = self.again
        self.recorded.found.append(Found(self.recorded.examples, failure))

    def made(self) -> ModuleType | None:
        """Return what makes structures; None where hypothesis is not installed."""
        try:
            from harness.fuzz import hypothesis_draws
        except ImportError:
            self.recorded.lacks = "hypothesis, which makes structures, is not installed"
            return None
        return hypothesis_draws


def run_case(case: Case, recorder: Recorder) -> Recorded:
    """Run one case to its end, or until there is enough of it."""
    with suppress(EnoughError):
        case.run(recorder)
        recorder.recorded.ends = case.ends
    return recorder.recorded
