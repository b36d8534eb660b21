"""Whole streams, cut, reframed and broken in every way: for consumers of chat chunks.

Breadth first, for a slow consumer is asked little: every stream once as it is; every
dialect and every fault on one telling stream; cuts of the streams that have something
to cut; then the product of all of them; then random cuts and made streams without end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.dialects import DIALECTS, parse_dialect
from harness.core.faults import FAULTS, parse_fault
from harness.core.mixing import mix
from harness.core.splits import parse_split
from harness.fuzz.arrivals import (
    Arrival,
    chunks_of,
    payloads_of,
    payloads_of_bytes,
    plain,
    whole,
)
from harness.fuzz.cases import Case
from harness.fuzz.cuts import StreamCuts, byte_cuts, named_cuts
from harness.fuzz.driving import OwnInterface, StepInterface
from harness.fuzz.odd import ODD_BYTES, odd_bytes, only_cuts, renamed, stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.fuzz.cases import Recorder
    from harness.fuzz.judging import Judge
    from harness.fuzz.outcomes import Outcome

__all__ = ["StreamRounds"]

_LONG = 120  # chunks; longer streams are not tried in every dialect and at every cut
_MADE = 12  # streams a round; hypothesis makes one in about 2 ms
_KEPT = 400  # outcomes of reference streams; a slow consumer is asked once
_FRAMINGS = tuple(part.name for part in DIALECTS.values() if part.framing)
_LAST = ("mistral", "list-content")  # content as a list, which one provider sends
_NAMES = (*(name for name in DIALECTS if name not in _LAST), *_LAST)
_TELLING = ("text and parallel calls", "text", "call")
_CUT_FIRST = (
    *("text and parallel calls", "text beyond ASCII", "arguments with a pair"),
    *("text with every line end", "think tags", "template markers", "text", "call"),
)


class StreamRounds:
    """The cases of streams.

    Args:
        judge: Judges the consumer.
        seed: Decides everything that is random.
        recordings: Recorded streams by name; empty takes the stock.
    """

    def __init__(
        self, judge: Judge, seed: int, recordings: Mapping[str, Arrival]
    ) -> None:
        consumer = judge.consumer
        self._judge = judge
        self._seed = seed
        self._recordings = recordings
        self._streams: dict[str, Arrival] = dict(recordings) or stock()
        if judge.assistant is not None:
            self._streams |= renamed(self._streams, *judge.assistant)
        self._reads_bytes = consumer.level.reads_bytes
        # Ours are fed what our decoder makes of the bytes, so it is tried with them.
        self._decodes = isinstance(consumer, OwnInterface | StepInterface)
        self._outcomes: dict[tuple[str, str], Outcome] = {}

    def cases(self) -> Iterator[Case]:
        """Yield everything once, then random cuts and made streams without end."""
        names = list(self._streams)
        for number, name in enumerate(names):
            ends = "floor" if number == len(names) - 1 else ""
            yield Case(f"{name}, as it is", self._bound(self._as_it_is, name), ends)
        yield from self._telling(names)
        yield from self._product(names)
        for number, name in enumerate(names):
            yield from self._more(name, mix(self._seed, number))
        turn = 0
        while True:
            turn += 1
            seed = mix(self._seed, turn)
            yield Case(f"made {seed}", self._bound(self._made_streams, seed))
            for number, name in enumerate(names):
                bound = self._bound(self._random, name, mix(seed, number))
                yield Case(f"{name}, at random", bound)

    def _telling(self, names: list[str]) -> Iterator[Case]:
        """Each dialect and each fault on a telling stream, then a few cuts."""
        telling = [name for name in _TELLING if name in names] or names[:3]
        for dialect in self._dialects():
            bound = self._bound(self._dialect, telling[0], dialect)
            yield Case(f"{telling[0]} in {dialect}", bound)
        for fault in FAULTS:
            bound = self._bound(self._fault_once, telling[0], fault)
            yield Case(f"{telling[0]}, {fault}", bound)
        for name in telling:
            yield Case(f"{name}, cut off", self._bound(self._truncation, name))
        for kind in ODD_BYTES if self._reads_bytes else ():
            bound = self._bound(self._odd_bytes, telling[0], kind)
            yield Case(f"{telling[0]}, {kind}", bound)
        for name in [name for name in _CUT_FIRST if name in names] or names[:8]:
            yield Case(f"{name}, cut", self._bound(self._first_cuts, name))
        for name in telling[1:]:
            for dialect in self._dialects():
                bound = self._bound(self._dialect, name, dialect)
                yield Case(f"{name} in {dialect}", bound)
            for fault in FAULTS:
                bound = self._bound(self._fault_once, name, fault)
                yield Case(f"{name}, {fault}", bound)
        for name in telling:
            yield Case(f"{name}, beginnings", self._bound(self._beginnings, name))
        last = telling[-1]
        yield Case(f"{last}, cuts", self._bound(self._splits, last), "everything")

    def _product(self, names: list[str]) -> Iterator[Case]:
        for name in names:
            yield Case(f"{name}, cuts", self._bound(self._splits, name))
            yield Case(f"{name}, beginnings", self._bound(self._beginnings, name))
        shared = 8 if self._recordings else len(DIALECTS)
        for number, name in enumerate(names):
            # Neighbouring recordings take turns, so that every dialect is tried on some
            # soon and on all in the end.
            for dialect in _share(self._dialects(), number, shared):
                bound = self._bound(self._dialect, name, dialect)
                yield Case(f"{name} in {dialect}", bound)
        most = 4 if self._recordings else len(FAULTS)
        for number, name in enumerate(names):
            for fault in _share(list(FAULTS), number, most):
                bound = self._bound(self._fault, name, fault)
                yield Case(f"{name}, {fault}", bound)

    def _more(self, name: str, seed: int) -> Iterator[Case]:
        """Every dialect cut to characters, every fault, every one-cut and merge."""
        if len(self._streams[name]) > _LONG:
            yield Case(f"{name}, at random", self._bound(self._random, name, seed))
            return
        if self._recordings:
            for dialect in self._dialects():
                bound = self._bound(self._dialect, name, dialect)
                yield Case(f"{name} in {dialect}", bound)
            for fault in FAULTS:
                bound = self._bound(self._fault, name, fault)
                yield Case(f"{name}, {fault}", bound)
        for dialect in self._dialects():
            bound = self._bound(self._dialect, name, dialect, "chars")
            yield Case(f"{name} in {dialect}, cut", bound)
        yield Case(f"{name}, every cut", self._bound(self._every_cut, name))

    def _bound(
        self, method: Callable[..., None], *arguments: object
    ) -> Callable[[Recorder], None]:
        return lambda recorder: method(recorder, *arguments)

    def _dialects(self) -> list[str]:
        sees = self._reads_bytes or self._decodes
        return [
            name
            for name in _NAMES
            if sees or name not in _FRAMINGS or DIALECTS[name].apply is not None
        ]

    def _arrival(self, stream: Arrival) -> Arrival:
        """Return a stream of payloads as the consumer is fed with it."""
        if not self._reads_bytes:
            return stream
        return tuple(parse_dialect("recorded").framing.encode(chunks_of(stream)))

    def _outcome(self, what: str, name: str) -> Outcome:
        """Return what is made of a stream in one form; asked once while it is kept."""
        kept = self._outcomes.get((what, name))
        if kept is None:
            stream = self._streams[name]
            form = {"whole": whole, "plain": plain}.get(what)
            kept = self._judge.run(self._arrival(form(stream) if form else stream))
            if len(self._outcomes) >= _KEPT:
                self._outcomes.pop(next(iter(self._outcomes)))
            self._outcomes[what, name] = kept
        return kept

    def _as_it_is(self, recorder: Recorder, name: str) -> None:
        recorder.tried.streams.add(name)
        recorder.count("")
        self._ask(recorder, self._arrival(self._streams[name]), name)

    def _ask(self, recorder: Recorder, arrival: Arrival, name: str) -> None:
        """Ask of one run all that needs no other."""
        judge = self._judge
        got = judge.run(arrival)
        if name not in only_cuts():
            for relation, check in (
                ("agreement", judge.agrees),
                ("nothing-lost", judge.loses),
            ):
                if recorder.wants(relation):
                    recorder.count(relation, 0)
                    recorder.found(check(arrival, got))
        if recorder.wants("faults"):
            recorder.found(judge.raises(arrival, got))
        if recorder.wants("interfaces"):
            recorder.count("interfaces", 2)
            recorder.found(judge.judge("interfaces", arrival))

    def _beginnings(self, recorder: Recorder, name: str) -> None:
        arrival = self._arrival(self._streams[name])
        got = self._outcome("as it is", name)
        self._ask_beginnings(recorder, arrival, got)

    def _ask_beginnings(
        self, recorder: Recorder, arrival: Arrival, got: Outcome
    ) -> None:
        if got.raised is not None:
            return
        judge = self._judge
        if recorder.wants("earliness"):
            recorder.count("earliness", len(arrival))
            recorder.found(judge.judge("earliness", arrival))
        if not recorder.wants("prefix-safety"):
            return
        for length in _spread(len(arrival), 4 if len(arrival) > _LONG else 12):
            recorder.count("prefix-safety")
            recorder.found(judge.is_beginning(arrival, length, got))

    def _truncation(self, recorder: Recorder, name: str) -> None:
        if recorder.wants("truncation"):
            recorder.count("truncation", 2)
            arrival = self._arrival(self._streams[name])
            recorder.found(self._judge.judge("truncation", arrival))

    def _odd_bytes(self, recorder: Recorder, name: str, kind: str) -> None:
        """What only bytes can show: `[DONE]` twice, a body in place of a stream."""
        arrival = odd_bytes(kind, self._streams[name])
        recorder.count("faults")
        got = self._judge.run(arrival)
        recorder.found(self._judge.raises(arrival, got))
        if kind == "[DONE] twice" and recorder.wants("agreement"):
            recorder.found(self._judge.agrees(arrival, got))

    def _first_cuts(self, recorder: Recorder, name: str) -> None:
        if not recorder.wants("split-invariance"):
            return
        stream = self._streams[name]
        expected = self._outcome("whole", name)
        cut = payloads_of(parse_split("chars").recut(chunks_of(stream)))
        self._compare(recorder, "split-invariance", self._arrival(cut), expected)
        if self._reads_bytes:
            data = b"".join(self._arrival(stream))
            pieces = tuple(data[n : n + 1] for n in range(len(data)))
            self._compare(recorder, "split-invariance", pieces, expected)
            self._compare(recorder, "split-invariance", (data,), expected)

    def _splits(self, recorder: Recorder, name: str) -> None:
        if not recorder.wants("split-invariance"):
            return
        stream = self._streams[name]
        self._ask_splits(recorder, stream, self._outcome("whole", name))

    def _ask_splits(
        self, recorder: Recorder, stream: Arrival, expected: Outcome
    ) -> None:
        relation = "split-invariance"
        self._compare(recorder, relation, self._arrival(stream), expected)
        for name in named_cuts()[: 1 if len(stream) > _LONG else None]:
            cut = payloads_of(parse_split(name).recut(chunks_of(stream)))
            self._compare(recorder, relation, self._arrival(cut), expected)
        if self._reads_bytes:
            data = b"".join(self._arrival(stream))
            for pieces in byte_cuts(data, seed=self._seed, examples=8):
                self._compare(recorder, relation, pieces, expected)

    def _compare(
        self,
        recorder: Recorder,
        relation: str,
        arrival: Arrival,
        expected: Outcome,
        *,
        as_json: bool = False,
    ) -> None:
        """Run one arrival; ask the judge when it gives something else."""
        if relation == "split-invariance":
            recorder.tried.cuts += 1
        recorder.count(relation)
        got = self._judge.run(arrival)
        if got == expected and got.raised is None:
            return
        if as_json and got.as_json() == expected.as_json():
            return
        failure = self._judge.judge(relation, arrival)
        if failure is not None and relation == "dialect-invariance":
            # What the cuts alone explain is no matter of the dialect.
            other = None
            if recorder.wants("split-invariance"):
                other = self._judge.judge("split-invariance", arrival)
            failure = other or failure
        recorder.found(failure)

    def _dialect(
        self, recorder: Recorder, name: str, dialect: str, split: str | None = None
    ) -> None:
        if not recorder.wants("dialect-invariance") or name in only_cuts():
            return
        expected = self._outcome("plain", name)
        arrival = self._in_dialect(self._streams[name], dialect, split)
        recorder.tried.dialects[dialect] += 1
        self._compare(recorder, "dialect-invariance", arrival, expected, as_json=True)

    def _in_dialect(self, stream: Arrival, name: str, split: str | None) -> Arrival:
        dialect = parse_dialect(name)
        chunks = dialect.apply(chunks_of(stream))
        if split is not None:
            chunks = parse_split(split).recut(chunks)
        if self._reads_bytes:
            return tuple(dialect.framing.encode(chunks))
        if self._decodes and name in _FRAMINGS:
            data = b"".join(dialect.framing.encode(chunks))
            return payloads_of_bytes(_cut_bytes(data, len(stream)))
        return payloads_of(chunks)

    def _fault_once(self, recorder: Recorder, name: str, fault: str) -> None:
        default = FAULTS[fault].default
        text = fault if default is None else f"{fault}:{default}"
        self._break(recorder, self._streams[name], fault, [text])

    def _fault(self, recorder: Recorder, name: str, fault: str) -> None:
        stream = self._streams[name]
        texts = _numbered(fault, FAULTS[fault].default, len(stream))
        self._break(recorder, stream, fault, texts)

    def _break(
        self, recorder: Recorder, stream: Arrival, name: str, texts: list[str]
    ) -> None:
        if not recorder.wants("faults"):
            return
        is_bytes = FAULTS[name].level == "bytes" and not self._reads_bytes
        if is_bytes and not self._decodes:
            return
        arrival = self._arrival(stream)
        for text in texts:
            recorder.tried.faults[name] += 1
            recorder.count("faults", 1 if is_bytes else 2)
            if is_bytes:  # break the bytes, feed what our decoder makes of the rest
                pieces = parse_dialect("recorded").framing.encode(chunks_of(stream))
                broken = b"".join(parse_fault(text).apply_bytes(tuple(pieces)))
                read = payloads_of_bytes(_cut_bytes(broken, len(stream)))
                failure = self._judge.judge("faults", read)
            else:
                failure = self._judge.judge("faults", arrival, fault=parse_fault(text))
            recorder.found(failure)

    def _every_cut(self, recorder: Recorder, name: str) -> None:
        if not recorder.wants("split-invariance"):
            return
        expected = self._outcome("whole", name)
        cuts = StreamCuts(self._streams[name])
        if not cuts.is_spliceable:
            return
        for merged in cuts.every_merge():
            arrival = self._arrival(merged)
            self._compare(recorder, "split-invariance", arrival, expected)
        for number, cut in enumerate(cuts.every_one_cut()):
            if number < 600:
                arrival = self._arrival(cut)
                self._compare(recorder, "split-invariance", arrival, expected)

    def _random(self, recorder: Recorder, name: str, seed: int) -> None:
        """Random cuts of the stream, and one dialect and one fault, cut at random."""
        names = self._dialects()
        split = f"random:{seed % 1000}"
        self._dialect(recorder, name, names[seed % len(names)], split)
        faults = list(FAULTS)
        self._fault(recorder, name, faults[seed % len(faults)])
        if recorder.wants("split-invariance"):
            expected = self._outcome("whole", name)
            self._random_cuts(recorder, self._streams[name], seed, expected)

    def _random_cuts(
        self, recorder: Recorder, stream: Arrival, seed: int, expected: Outcome
    ) -> None:
        cuts = StreamCuts(stream)
        relation = "split-invariance"
        if cuts.is_spliceable:
            for cut in cuts.random(seed=seed, examples=24):
                self._compare(recorder, relation, self._arrival(cut), expected)
        else:
            split = parse_split(f"random:{seed % 1000}")
            cut = payloads_of(split.recut(chunks_of(stream)))
            self._compare(recorder, relation, self._arrival(cut), expected)
        if self._reads_bytes:
            data = b"".join(self._arrival(stream))
            for number, pieces in enumerate(byte_cuts(data, seed=seed, examples=8)):
                if number < 24:
                    self._compare(recorder, relation, pieces, expected)

    def _made_streams(self, recorder: Recorder, seed: int) -> None:
        made = recorder.made()
        if made is None:
            return
        strategy = made.streams()

        def again(fails: Callable[[Arrival], bool]) -> Arrival | None:
            found: Arrival | None = made.shrink_made(
                strategy, seed, _MADE, lambda stream: fails(self._arrival(stream))
            )
            return found

        for number, stream in enumerate(made.make(strategy, seed, _MADE)):
            name = f"made {seed}.{number}"
            recorder.tried.streams.add(name)
            recorder.count("")
            recorder.again = again
            arrival = self._arrival(stream)
            self._ask(recorder, arrival, name)
            self._ask_beginnings(recorder, arrival, self._judge.run(arrival))
            if recorder.wants("split-invariance"):
                expected = self._judge.run(self._arrival(whole(stream)))
                self._ask_splits(recorder, stream, expected)
                recorder.again = None
                self._random_cuts(recorder, stream, mix(seed, number), expected)
            recorder.again = None


def _cut_bytes(data: bytes, seed: int) -> list[bytes]:
    return parse_split(f"random:{seed}").cut_bytes(data)


def _share(names: list[str], number: int, count: int) -> list[str]:
    start = number * count
    return [
        names[(start + step) % len(names)] for step in range(min(count, len(names)))
    ]


def _spread(total: int, most: int) -> list[int]:
    if total <= most:
        return list(range(1, total))
    return sorted({1 + step * (total - 1) // most for step in range(most)})


def _numbered(name: str, default: int | None, length: int) -> list[str]:
    if default is None:
        return [name]
    if default >= 100:  # counted in bytes
        return [f"{name}:{number}" for number in (1, default, default * 3)]
    return [f"{name}:{number}" for number in _spread(min(length, 9) + 1, 6)]
