"""The events of any API but chat, in its dialects, broken in its ways, and cut.

Breadth first, as in `harness.fuzz.stream_rounds`: every answer once as it is, every
dialect and every fault on one telling answer, cuts, then the product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.parts import Reasoning
from harness.core.stable_random import mix
from harness.fuzz.api_arrivals import (
    LARGE,
    cut_answer,
    large_answers,
    neutral_answers,
    stock_answers,
    style_names,
    written,
    written_bytes,
)
from harness.fuzz.cuts import byte_cuts
from harness.fuzz.odd_bytes import ODD_BYTES, odd_bytes
from harness.fuzz.trial_cases import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.fuzz.api_arrivals import Answer
    from harness.fuzz.arrivals import Arrival
    from harness.fuzz.judging import Judge
    from harness.fuzz.trial_cases import Recorder

_TELLING = ("text and parallel calls", "plain text", "one call")
_SOON = 2  # answers before the first is ended otherwise
_ONLY_EXCEPTIONS = frozenset(
    (
        *("done-only", "spliced", "text-in-tool", "no-event-lines"),
        *("snake-case", "code-assist", "gemini-array"),
    )
)
"""Dialects that break what the API promises, so that content may well be lost."""
_CUTS = ("chars", "whole", "2", "5")


class ApiRounds:
    """The cases of one API's streams.

    Args:
        judge: Judges the consumer.
        seed: Decides everything that is random.
    """

    def __init__(self, judge: Judge, seed: int) -> None:
        self._judge = judge
        self._seed = seed
        self._api = judge.api
        self._answers = stock_answers(judge.api)
        self._dialects, self._faults = style_names(judge.api)
        reasoned = (
            name
            for name, answer in self._answers.items()
            if any(isinstance(part, Reasoning) for parts in answer for part in parts)
        )
        self._telling_names = (*_TELLING, *list(reasoned)[:1])
        self._reads_bytes = judge.consumer.level.reads_bytes

    def cases(self) -> Iterator[Case]:
        """Yield everything once, then random cuts without end."""
        names = list(self._answers)
        for number, name in enumerate(names):
            ends = "floor" if number == len(names) - 1 else ""
            yield Case(f"{name}, as it is", self._bound(self._as_it_is, name), ends)
            if number == _SOON:  # what breaks the most, as in `stream_rounds`
                bound = self._bound(self._truncation, _TELLING[0])
                yield Case(f"{_TELLING[0]}, ended otherwise", bound)
        yield from self._telling()
        for name in names:
            yield Case(f"{name}, beginnings", self._bound(self._beginnings, name))
            for split in _CUTS:
                yield Case(f"{name}, {split}", self._bound(self._cut, name, split))
            for dialect in self._dialects:
                bound = self._bound(self._dialect, name, dialect, "")
                yield Case(f"{name} in {dialect}", bound)
        for name in names:
            for fault in self._faults:
                bound = self._bound(self._fault, name, fault)
                yield Case(f"{name}, {fault}", bound)
        turn = 0
        while True:
            turn += 1
            for number, name in enumerate(names):
                seed = mix(self._seed, turn, number)
                dialect = self._dialects[seed % len(self._dialects)]
                split = f"random:{seed % 1000}"
                bound = self._bound(self._dialect, name, dialect, split)
                yield Case(f"{name} in {dialect}, {split}", bound)
                yield Case(f"{name}, {split}", self._bound(self._cut, name, split))

    def _telling(self) -> Iterator[Case]:
        """Each dialect and each fault on a telling answer, then its cuts."""
        if self._reads_bytes:  # where reads end is what every consumer of them sees
            for name in (_TELLING[0], "text beyond ASCII"):
                yield Case(f"{name}, chars", self._bound(self._cut, name, "chars"))
            for kind in ODD_BYTES:
                bound = self._bound(self._odd_bytes, _TELLING[0], kind)
                yield Case(f"{_TELLING[0]}, {kind}", bound)
        for name in _TELLING:
            yield Case(f"{name}, cut off", self._bound(self._truncation, name))
        for name in neutral_answers(self._api):
            yield Case(f"{name}, translated", self._bound(self._translation, name))
        for place, name in enumerate(self._telling_names):
            for dialect in self._dialects:
                bound = self._bound(self._dialect, name, dialect, "")
                yield Case(f"{name} in {dialect}", bound)
            if place == 0:
                for other in _TELLING:
                    bound = self._bound(self._cut, other, "chars")
                    yield Case(f"{other}, chars", bound)
                for large in LARGE:
                    yield Case(large, self._bound(self._large, large))
            for fault in self._faults:
                bound = self._bound(self._fault, name, fault)
                yield Case(f"{name}, {fault}", bound)
        last = _TELLING[-1]
        bound = self._bound(self._beginnings, last)
        yield Case(f"{last}, beginnings", bound, "everything")

    def _bound(
        self, method: Callable[..., None], *arguments: object
    ) -> Callable[[Recorder], None]:
        return lambda recorder: method(recorder, *arguments)

    def _arrival(
        self, answer: Answer, *, dialect: str = "", fault: str = ""
    ) -> Arrival:
        write = written_bytes if self._reads_bytes else written
        return write(self._api, answer, dialect=dialect, fault=fault)

    def _as_it_is(self, recorder: Recorder, name: str) -> None:
        recorder.recorded.streams.add(name)
        recorder.count("")
        self._ask(recorder, self._arrival(self._answers[name]))

    def _large(self, recorder: Recorder, name: str) -> None:
        recorder.count("")
        self._ask(recorder, self._arrival(large_answers(self._api)[name]))

    def _ask(self, recorder: Recorder, arrival: Arrival) -> None:
        judge = self._judge
        got = judge.run(arrival)
        for relation, check in (
            ("agreement", judge.agrees),
            ("nothing-lost", judge.loses),
            ("faults", judge.raises),
        ):
            if recorder.wants(relation):
                recorder.count(relation, 0)
                recorder.found(check(arrival, got))

    def _dialect(self, recorder: Recorder, name: str, dialect: str, split: str) -> None:
        """Hold what is made of a dialect against what it carries."""
        if not recorder.wants("agreement"):
            return
        answer = self._answers[name]
        if split:
            answer = cut_answer(answer, split)
        recorder.recorded.dialects[dialect] += 1
        arrival = self._arrival(answer, dialect=dialect)
        if not split and arrival == self._arrival(answer):
            return  # which was tried as it is
        recorder.count("agreement")
        if dialect in _ONLY_EXCEPTIONS:
            recorder.found(self._judge.raises(arrival, self._judge.run(arrival)))
        else:
            self._ask(recorder, arrival)

    def _cut(self, recorder: Recorder, name: str, split: str) -> None:
        if not recorder.wants("split-invariance"):
            return
        recorder.recorded.cuts += 1
        recorder.count("split-invariance", 2)
        arrival = self._arrival(cut_answer(self._answers[name], split))
        recorder.found(self._judge.judge("split-invariance", arrival))
        if self._reads_bytes:
            data = b"".join(arrival)
            if split == "chars":
                data = b"".join(self._arrival(self._answers[name]))
                pieces = tuple(data[n : n + 1] for n in range(len(data)))
                self._ask_bytes(recorder, pieces)
            for number, cut in enumerate(
                byte_cuts(data, seed=mix(self._seed, len(name)), examples=4)
            ):
                if number < 8:
                    self._ask_bytes(recorder, cut)

    def _ask_bytes(self, recorder: Recorder, pieces: Arrival) -> None:
        recorder.recorded.cuts += 1
        recorder.count("split-invariance", 2)
        recorder.found(self._judge.judge("split-invariance", pieces))

    def _odd_bytes(self, recorder: Recorder, name: str, kind: str) -> None:
        stream = written(self._api, self._answers[name])
        recorder.count("agreement")
        self._ask(recorder, odd_bytes(kind, stream, self._api))

    def _beginnings(self, recorder: Recorder, name: str) -> None:
        arrival = self._arrival(self._answers[name])
        for relation in ("prefix-safety", "earliness"):
            if recorder.wants(relation):
                recorder.count(relation, len(arrival))
                recorder.found(self._judge.judge(relation, arrival))

    def _truncation(self, recorder: Recorder, name: str) -> None:
        """Ask whether another end is shown, and whether it can be closed early."""
        arrival = self._arrival(self._answers[name])
        for relation in ("truncation", "closing"):
            if recorder.wants(relation):
                recorder.count(relation, 4)
                recorder.found(self._judge.judge(relation, arrival))

    def _translation(self, recorder: Recorder, name: str) -> None:
        if recorder.wants("translation"):
            recorder.count("translation", len(self._judge.consumer.apis))
            arrival = self._arrival(self._answers[name])
            recorder.found(self._judge.judge("translation", arrival))

    def _fault(self, recorder: Recorder, name: str, fault: str) -> None:
        if not recorder.wants("faults"):
            return
        arrival = self._arrival(self._answers[name], fault=fault)
        recorder.recorded.faults[fault] += 1
        recorder.count("faults")
        recorder.found(self._judge.raises(arrival, self._judge.run(arrival)))
