"""Contests: several ways to do the same, timed in turns, and rows made of them.

Every figure is CPU time (`time.process_time`), so that a busy machine distorts it
less; only what a user waits for is taken by the clock, and says so. Within a contest
the runs take turns, so that what slows the machine down for a while slows all of them
down; a ratio is the median of the ratios of the rounds.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, TypeAlias

Run: TypeAlias = Callable[[], float]
"""Does the work once or more often and returns CPU seconds for one unit of it."""

Contest: TypeAlias = Callable[[], AbstractContextManager[Mapping[str, Run]]]
"""Prepares the runs of a contest, by name, and tidies up after them."""


class Kind(StrEnum):
    """What a row's figure is."""

    COST = "times the cost"
    """Our time by the peer's; at most the goal."""
    SPEEDUP = "times faster"
    """The peer's time by ours; at least the goal."""
    RATE = "a second"
    """One by our time; at least the goal."""
    ABOVE = "ms more"
    """Our time less the peer's; at most the goal."""
    SECONDS = "s"
    """Our time; at most the goal."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a promise."""

    name: str
    """What `--only` takes."""
    what: str
    """What is measured and against what."""
    kind: Kind
    goal: float
    contest: str
    """Name of the contest it is made of."""
    ours: str
    """Name of our run in it."""
    peer: str = ""
    """Name of the peer's; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a row came to."""

    name: str
    what: str
    unit: str
    goal: float
    value: float
    """Median over the rounds."""
    low: float
    """The lowest of the rounds."""
    high: float
    """The highest of the rounds."""
    ours_s: float
    """Median CPU seconds of our run for one unit."""
    peer_s: float | None
    """The same of the peer's."""
    is_met: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON file has it."""
        return asdict(self)


def cpu(work: Callable[[], object], *, times: int = 1, units: int = 1) -> float:
    """Return the CPU seconds of one unit of some work.

    Args:
        work: Does it.
        times: How often to call it; enough for some 10 ms.
        units: How many units one call does.
    """
    gc.collect()  # nobody pays for what others left; the collector stays on
    before = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - before) / (times * units)


def measure(contest: Contest, *, rounds: int) -> dict[str, list[float]]:
    """Run a contest: once to warm up, then in turns.

    Args:
        contest: The contest.
        rounds: How often each run is timed.

    Returns:
        The times of each run, one a round.
    """
    with contest() as runs:
        samples: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(-1, rounds):
            for name, run in runs.items():
                seconds = run()
                if number >= 0:
                    samples[name].append(seconds)
    return samples


def judge(row: Row, samples: Mapping[str, list[float]]) -> Figure:
    """Make a row's figure of the times of its contest."""
    ours = samples[row.ours]
    peer = samples[row.peer] if row.peer else [1.0] * len(ours)
    values = [_VALUES[row.kind](a, b) for a, b in zip(ours, peer, strict=True)]
    value = statistics.median(values)
    is_floor = row.kind in {Kind.SPEEDUP, Kind.RATE}
    return Figure(
        row.name,
        row.what,
        str(row.kind),
        row.goal,
        value,
        min(values),
        max(values),
        statistics.median(ours),
        statistics.median(peer) if row.peer else None,
        value >= row.goal if is_floor else value <= row.goal,
    )


_VALUES: Mapping[Kind, Callable[[float, float], float]] = {
    Kind.COST: lambda ours, peer: ours / peer,
    Kind.SPEEDUP: lambda ours, peer: peer / ours,
    Kind.RATE: lambda ours, _peer: 1 / ours,
    Kind.ABOVE: lambda ours, peer: (ours - peer) * 1000,
    Kind.SECONDS: lambda ours, _peer: ours,
}
