"""Whole streams, cut, reframed and broken in every way: for consumers of chat chunks.

Breadth first, for a slow consumer is asked little: every stream once as it is; every
dialect and every fault on one telling stream; cuts of the streams that have something
to cut; then the product of all of them; then random cuts and made streams without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.varied import dialects_of, faults_of
from harness.core.stable_random import mix
from harness.fuzz.api_arrivals import LARGE, large_answers, neutral_answers, written
from harness.fuzz.odd_bytes import ODD_BYTES_OF_CHAT
from harness.fuzz.stream_trials import LONG, StreamTrials
from harness.fuzz.trial_cases import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzz.arrivals import Arrival
    from harness.fuzz.trial_cases import Recorder

_DIALECTS, _FAULTS = dialects_of("chat"), faults_of("chat")
_TELLING = ("text and parallel calls", "text", "call")
_SOON = 2  # streams before the first is ended otherwise
_CUT_FIRST = (
    *("text and parallel calls", "text beyond ASCII", "arguments with a pair"),
    *("text with every line end", "think tags", "template markers", "text", "call"),
)


class StreamRounds(StreamTrials):
    """The cases of streams; made as `StreamTrials` is."""

    def cases(self) -> Iterator[Case]:
        """Yield everything once, then random cuts and made streams without end."""
        names = list(self.streams)
        for number, name in enumerate(names):
            ends = "floor" if number == len(names) - 1 else ""
            yield Case(f"{name}, as it is", self._bound(self.as_it_is, name), ends)
            if number == _SOON and _TELLING[0] in names:
                # What breaks the most, where a slow consumer comes no further.
                bound = self._bound(self.truncation, _TELLING[0])
                yield Case(f"{_TELLING[0]}, ended otherwise", bound)
        yield from self._telling(names)
        yield from self._product(names)
        for number, name in enumerate(names):
            yield from self._more(name, mix(self.seed, number))
        turn = 0
        while True:
            turn += 1
            seed = mix(self.seed, turn)
            yield Case(f"made {seed}", self._bound(self.made_streams, seed))
            for number, name in enumerate(names):
                bound = self._bound(self.random, name, mix(seed, number))
                yield Case(f"{name}, at random", bound)

    def _telling(self, names: list[str]) -> Iterator[Case]:
        """Each dialect and each fault on a telling stream, then a few cuts."""
        telling = [name for name in _TELLING if name in names] or names[:3]
        yield from self._bytes(names, telling[0])
        for dialect in self.dialects():
            bound = self._bound(self.dialect, telling[0], dialect)
            yield Case(f"{telling[0]} in {dialect}", bound)
        for fault in _FAULTS:
            bound = self._bound(self.fault_once, telling[0], fault)
            yield Case(f"{telling[0]}, {fault}", bound)
        for name in telling:
            yield Case(f"{name}, cut off", self._bound(self.truncation, name))
        if len(self.judge.consumer.apis) > 1:
            for name, answer in neutral_answers("chat").items():
                arrival = self._arrival(written("chat", answer))
                yield Case(
                    f"{name}, translated", self._bound(self._translated, arrival)
                )
        for name in [name for name in _CUT_FIRST if name in names] or names[:8]:
            yield Case(f"{name}, cut", self._bound(self.first_cuts, name))
        for name in () if self.recordings else LARGE:
            yield Case(name, self._bound(self._large, name))
        for name in telling[1:]:
            for dialect in self.dialects():
                bound = self._bound(self.dialect, name, dialect)
                yield Case(f"{name} in {dialect}", bound)
            for fault in _FAULTS:
                bound = self._bound(self.fault_once, name, fault)
                yield Case(f"{name}, {fault}", bound)
        for name in telling:
            yield Case(f"{name}, beginnings", self._bound(self.beginnings, name))
        last = telling[-1]
        yield Case(f"{last}, cuts", self._bound(self.splits, last), "everything")

    def _large(self, recorder: Recorder, name: str) -> None:
        """Run what is longer than common limits."""
        recorder.count("")
        stream = written("chat", large_answers("chat")[name])
        self._ask(recorder, self._arrival(stream), name)

    def _bytes(self, names: list[str], telling: str) -> Iterator[Case]:
        """Where reads end, and odd frames: what every consumer of bytes sees."""
        if not self.reads_bytes:
            return
        for name in [name for name in _CUT_FIRST[:2] if name in names] or names[:2]:
            yield Case(f"{name}, cut", self._bound(self.first_cuts, name))
        last = "finish beside the last text"  # else a last line has nothing to lose
        for kind in ODD_BYTES_OF_CHAT:
            name = last if "no line end" in kind and last in names else telling
            yield Case(f"{name}, {kind}", self._bound(self.odd_bytes, name, kind))

    def _product(self, names: list[str]) -> Iterator[Case]:
        for name in names:
            yield Case(f"{name}, cuts", self._bound(self.splits, name))
            yield Case(f"{name}, beginnings", self._bound(self.beginnings, name))
        shared = 8 if self.recordings else len(_DIALECTS)
        for number, name in enumerate(names):
            # Neighbouring recordings take turns, so that every dialect is tried on some
            # soon and on all in the end.
            for dialect in _share(self.dialects(), number, shared):
                bound = self._bound(self.dialect, name, dialect)
                yield Case(f"{name} in {dialect}", bound)
        most = 4 if self.recordings else len(_FAULTS)
        for number, name in enumerate(names):
            for fault in _share(list(_FAULTS), number, most):
                bound = self._bound(self.fault, name, fault)
                yield Case(f"{name}, {fault}", bound)

    def _more(self, name: str, seed: int) -> Iterator[Case]:
        """Every dialect cut to characters, every fault, every one-cut and merge."""
        if len(self.streams[name]) > LONG:
            yield Case(f"{name}, at random", self._bound(self.random, name, seed))
            return
        if self.recordings:
            for dialect in self.dialects():
                bound = self._bound(self.dialect, name, dialect)
                yield Case(f"{name} in {dialect}", bound)
            for fault in _FAULTS:
                bound = self._bound(self.fault, name, fault)
                yield Case(f"{name}, {fault}", bound)
        for dialect in self.dialects():
            bound = self._bound(self.dialect, name, dialect, "chars")
            yield Case(f"{name} in {dialect}, cut", bound)
        yield Case(f"{name}, every cut", self._bound(self.every_cut, name))

    def _bound(
        self, method: Callable[..., None], *arguments: object
    ) -> Callable[[Recorder], None]:
        return lambda recorder: method(recorder, *arguments)

    def _translated(self, recorder: Recorder, arrival: Arrival) -> None:
        if recorder.wants("translation"):
            recorder.count("translation", len(self.judge.consumer.apis))
            recorder.found(self.judge.judge("translation", arrival))


def _share(names: list[str], number: int, count: int) -> list[str]:
    start = number * count
    return [
        names[(start + step) % len(names)] for step in range(min(count, len(names)))
    ]
