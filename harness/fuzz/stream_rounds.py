"""The order in which streams are tried, whatever their API.

Breadth first, for a slow consumer is asked little: every stream once as it is; every
dialect and every fault on one revealing stream; cuts of the streams that have something
to cut; then the product of all of them; then random cuts and made streams without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.stable_random import mix
from harness.fuzz.api_inputs import LARGE
from harness.fuzz.stream_trials import LONG, StreamTrials
from harness.fuzz.trial_cases import Case, case

if TYPE_CHECKING:
    from collections.abc import Iterator


def stream_cases(trials: StreamTrials) -> Iterator[Case]:
    """Yield everything once, then random cuts and made streams without end.

    Args:
        trials: Tries a stream in each way.
    """
    names = list(trials.streams)
    first = trials.revealing[0]
    for number, name in enumerate(names):
        ends = "floor" if number == len(names) - 1 else ""
        yield case(f"{name}, as it is", trials.as_it_is, name, ends=ends)
    if first in names:  # what breaks the most, after what is asked once only
        yield case(f"{first}, ended otherwise", trials.truncation, first)
    yield from _on_a_revealing_stream(trials, names)
    yield from _product(trials, names)
    for number, name in enumerate(names):
        yield from _more(trials, name, mix(trials.seed, number))
    turn = 0
    while True:
        turn += 1
        seed = mix(trials.seed, turn)
        yield from trials.made(seed)
        for number, name in enumerate(names):
            mixed = mix(seed, number)
            yield case(f"{name}, at random", trials.random, name, mixed)


def _on_a_revealing_stream(trials: StreamTrials, names: list[str]) -> Iterator[Case]:
    """Each dialect and each fault on a revealing stream, then a few cuts."""
    revealing = [name for name in trials.revealing if name in names] or names[:3]
    first = revealing[0]
    if trials.api in {"anthropic", "gemini"}:
        yield case(f"{first}, news", trials.news, first)
    cut_first = [name for name in trials.cut_first if name in names] or names[:8]
    if trials.reads_bytes:
        yield from _bytes(trials, names, first, cut_first[:2])
    for name, answer in trials.translated().items():
        yield case(f"{name}, translated", trials.translation, answer)
    yield from _dialects(trials, first, trials.dialects)
    yield from _faults(trials, first, trials.faults, once=True)
    for name in revealing:
        yield case(f"{name}, cut off", trials.truncation, name)
    for name in cut_first:
        yield case(f"{name}, cut", trials.first_cuts, name)
    for name in () if trials.recordings else LARGE:
        yield case(name, trials.large, name)
    for name in revealing[1:]:
        yield from _dialects(trials, name, trials.dialects)
        yield from _faults(trials, name, trials.faults, once=True)
    for name in revealing:
        yield case(f"{name}, beginnings", trials.beginnings, name)
    last = revealing[-1]
    yield case(f"{last}, cuts", trials.splits, last, ends="everything")


def _bytes(
    trials: StreamTrials, names: list[str], revealing: str, cut_first: list[str]
) -> Iterator[Case]:
    """Where reads end, and odd frames: what every consumer of bytes sees."""
    for name in cut_first:
        yield case(f"{name}, cut", trials.first_cuts, name)
    for kind in trials.odd_kinds:
        name = trials.shown_by.get(kind, revealing)
        name = name if name in names else revealing
        yield case(f"{name}, {kind}", trials.odd_bytes, name, kind)


def _product(trials: StreamTrials, names: list[str]) -> Iterator[Case]:
    for name in names:
        yield case(f"{name}, cuts", trials.splits, name)
        yield case(f"{name}, beginnings", trials.beginnings, name)
    # Neighbouring recordings take turns, so that every dialect is tried on some
    # soon and on all in the end.
    most = (8, 4) if trials.recordings else (len(trials.dialects), len(trials.faults))
    for number, name in enumerate(names):
        yield from _dialects(trials, name, _share(trials.dialects, number, most[0]))
    for number, name in enumerate(names):
        yield from _faults(trials, name, _share(trials.faults, number, most[1]))


def _more(trials: StreamTrials, name: str, seed: int) -> Iterator[Case]:
    """Every dialect cut to characters, every fault, every one-cut and merge."""
    if len(trials.streams[name]) > LONG:
        yield case(f"{name}, at random", trials.random, name, seed)
        return
    if trials.recordings:
        yield from _dialects(trials, name, trials.dialects)
        yield from _faults(trials, name, trials.faults)
    for dialect in trials.dialects:
        title = f"{name} in {dialect}, cut"
        yield case(title, trials.dialect, name, dialect, "chars")
    yield case(f"{name}, every cut", trials.every_cut, name)


def _dialects(trials: StreamTrials, name: str, dialects: list[str]) -> Iterator[Case]:
    for dialect in dialects:
        yield case(f"{name} in {dialect}", trials.dialect, name, dialect)


def _faults(
    trials: StreamTrials, name: str, faults: list[str], *, once: bool = False
) -> Iterator[Case]:
    for fault in faults:
        yield case(f"{name}, {fault}", trials.fault, name, fault, once)


def _share(names: list[str], number: int, count: int) -> list[str]:
    start = number * count
    return [
        names[(start + step) % len(names)] for step in range(min(count, len(names)))
    ]
