"""What is tried on consumers of chat chunks: one method for each kind of case.

Which of them, of what and in which order is in `harness.fuzz.stream_rounds`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.dialects import parse_dialect
from harness.apis.chat.faults import parse_fault
from harness.apis.varied import dialects_of, faults_of
from harness.core.splits import parse_split
from harness.core.stable_random import mix
from harness.fuzz.arrivals import (
    Arrival,
    chunks_of,
    payloads_of,
    payloads_of_bytes,
    plain,
    whole,
)
from harness.fuzz.cuts import StreamCuts, byte_cuts, named_cuts
from harness.fuzz.driving import OwnInterface, StepInterface
from harness.fuzz.odd import only_cuts, renamed, stock
from harness.fuzz.odd_bytes import odd_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.debug.outcomes import Outcome
    from harness.fuzz.judging import Judge
    from harness.fuzz.trial_cases import Recorder

LONG = 120  # chunks; longer streams are not tried in every dialect and at every cut
_MADE = 12  # streams a round; hypothesis makes one in about 2 ms
_KEPT = 400  # outcomes of reference streams; a slow consumer is asked once
_DIALECTS, _FAULTS = dialects_of("chat"), faults_of("chat")
_FRAMINGS = tuple(part.name for part in _DIALECTS.values() if part.framing)
_LAST = ("mistral", "list-content", "cr")  # what hardly anybody sends
_NAMES = (*(name for name in _DIALECTS if name not in _LAST), *_LAST)


class StreamTrials:
    """Tries streams on a consumer, given what records it.

    Args:
        judge: Judges the consumer.
        seed: Decides everything that is random.
        recordings: Recorded streams by name; empty takes the stock.
    """

    def __init__(
        self, judge: Judge, seed: int, recordings: Mapping[str, Arrival]
    ) -> None:
        consumer = judge.consumer
        self.judge = judge
        self.seed = seed
        self.recordings = recordings
        self.streams: dict[str, Arrival] = dict(recordings) or stock()
        if judge.assistant is not None:
            self.streams |= renamed(self.streams, *judge.assistant)
        self.reads_bytes = consumer.level.reads_bytes
        # Ours are fed what our decoder makes of the bytes, so it is tried with them.
        self._decodes = isinstance(consumer, OwnInterface | StepInterface)
        self._outcomes: dict[tuple[str, str], Outcome] = {}

    def dialects(self) -> list[str]:
        """Return the dialects that the consumer can see, the common ones first."""
        sees = self.reads_bytes or self._decodes
        return [
            name
            for name in _NAMES
            if sees or name not in _FRAMINGS or _DIALECTS[name].apply is not None
        ]

    def _arrival(self, stream: Arrival) -> Arrival:
        """Return a stream of payloads as the consumer is fed with it."""
        if not self.reads_bytes:
            return stream
        return tuple(parse_dialect("recorded").framing.encode(chunks_of(stream)))

    def _outcome(self, what: str, name: str) -> Outcome:
        """Return what is made of a stream in one form; asked once while it is kept."""
        kept = self._outcomes.get((what, name))
        if kept is None:
            stream = self.streams[name]
            form = {"whole": whole, "plain": plain}.get(what)
            kept = self.judge.run(self._arrival(form(stream) if form else stream))
            if len(self._outcomes) >= _KEPT:
                self._outcomes.pop(next(iter(self._outcomes)))
            self._outcomes[what, name] = kept
        return kept

    def as_it_is(self, recorder: Recorder, name: str) -> None:
        """Run a stream once, and ask of it all that needs no more."""
        recorder.recorded.streams.add(name)
        recorder.count("")
        self._ask(recorder, self._arrival(self.streams[name]), name)

    def _ask(self, recorder: Recorder, arrival: Arrival, name: str) -> None:
        """Ask of one run all that needs no other."""
        judge = self.judge
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
        if recorder.wants("interfaces") and name not in only_cuts():
            recorder.count("interfaces", 2)
            recorder.found(judge.judge("interfaces", arrival))

    def beginnings(self, recorder: Recorder, name: str) -> None:
        """Ask whether what was shown of a beginning stays."""
        arrival = self._arrival(self.streams[name])
        got = self._outcome("as it is", name)
        self._ask_beginnings(recorder, arrival, got)

    def _ask_beginnings(
        self, recorder: Recorder, arrival: Arrival, got: Outcome
    ) -> None:
        if got.raised is not None:
            return
        judge = self.judge
        if recorder.wants("earliness"):
            recorder.count("earliness", len(arrival))
            recorder.found(judge.judge("earliness", arrival))
        if not recorder.wants("prefix-safety"):
            return
        for length in _spread(len(arrival), 4 if len(arrival) > LONG else 12):
            recorder.count("prefix-safety")
            recorder.found(judge.is_beginning(arrival, length, got))

    def truncation(self, recorder: Recorder, name: str) -> None:
        """Ask whether another end is shown, and whether it can be closed early."""
        arrival = self._arrival(self.streams[name])
        for relation in ("truncation", "closing"):
            if recorder.wants(relation):
                recorder.count(relation, 4)
                recorder.found(self.judge.judge(relation, arrival))

    def odd_bytes(self, recorder: Recorder, name: str, kind: str) -> None:
        """What only bytes can show: odd frames, a body in place of a stream."""
        arrival = odd_bytes(kind, self.streams[name])
        recorder.count("faults")
        got = self.judge.run(arrival)
        recorder.found(self.judge.raises(arrival, got))
        if arrival[0][:1] != b"{" and recorder.wants("agreement"):
            recorder.found(self.judge.agrees(arrival, got))

    def first_cuts(self, recorder: Recorder, name: str) -> None:
        """Cut a stream to characters, and its bytes to single ones."""
        if not recorder.wants("split-invariance"):
            return
        stream = self.streams[name]
        expected = self._outcome("whole", name)
        cut = payloads_of(cut_chunks(parse_split("chars"), chunks_of(stream)))
        self._compare(recorder, "split-invariance", self._arrival(cut), expected)
        if self.reads_bytes:
            data = b"".join(self._arrival(stream))
            pieces = tuple(data[n : n + 1] for n in range(len(data)))
            self._compare(recorder, "split-invariance", pieces, expected)
            self._compare(recorder, "split-invariance", (data,), expected)

    def splits(self, recorder: Recorder, name: str) -> None:
        """Cut a stream by every named rule."""
        if not recorder.wants("split-invariance"):
            return
        stream = self.streams[name]
        self._ask_splits(recorder, stream, self._outcome("whole", name))

    def _ask_splits(
        self, recorder: Recorder, stream: Arrival, expected: Outcome
    ) -> None:
        relation = "split-invariance"
        self._compare(recorder, relation, self._arrival(stream), expected)
        for name in named_cuts()[: 1 if len(stream) > LONG else None]:
            cut = payloads_of(cut_chunks(parse_split(name), chunks_of(stream)))
            self._compare(recorder, relation, self._arrival(cut), expected)
        if self.reads_bytes:
            data = b"".join(self._arrival(stream))
            for pieces in byte_cuts(data, seed=self.seed, examples=8):
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
            recorder.recorded.cuts += 1
        recorder.count(relation)
        got = self.judge.run(arrival)
        if got == expected and got.raised is None:
            return
        if as_json and got.as_json() == expected.as_json():
            return
        failure = self.judge.judge(relation, arrival)
        if failure is not None and relation == "dialect-invariance":
            # What the cuts alone explain is no matter of the dialect.
            other = None
            if recorder.wants("split-invariance"):
                other = self.judge.judge("split-invariance", arrival)
            failure = other or failure
        recorder.found(failure)

    def dialect(
        self, recorder: Recorder, name: str, dialect: str, split: str | None = None
    ) -> None:
        """Ask for the same in a dialect."""
        if not recorder.wants("dialect-invariance") or name in only_cuts():
            return
        expected = self._outcome("plain", name)
        arrival = self._in_dialect(self.streams[name], dialect, split)
        recorder.recorded.dialects[dialect] += 1
        self._compare(recorder, "dialect-invariance", arrival, expected, as_json=True)

    def _in_dialect(self, stream: Arrival, name: str, split: str | None) -> Arrival:
        dialect = parse_dialect(name)
        chunks = dialect.apply(chunks_of(stream))
        if split is not None:
            chunks = cut_chunks(parse_split(split), chunks)
        if self.reads_bytes:
            return tuple(dialect.framing.encode(chunks))
        if self._decodes and name in _FRAMINGS:
            data = b"".join(dialect.framing.encode(chunks))
            return payloads_of_bytes(_cut_bytes(data, len(stream)))
        return payloads_of(chunks)

    def fault_once(self, recorder: Recorder, name: str, fault: str) -> None:
        """Break a stream at the fault's own place."""
        default = _FAULTS[fault].default
        text = fault if default is None else f"{fault}:{default}"
        self._break(recorder, self.streams[name], fault, [text])

    def fault(self, recorder: Recorder, name: str, fault: str) -> None:
        """Break a stream at several places."""
        stream = self.streams[name]
        texts = _numbered(fault, _FAULTS[fault].default, len(stream))
        self._break(recorder, stream, fault, texts)

    def _break(
        self, recorder: Recorder, stream: Arrival, name: str, texts: list[str]
    ) -> None:
        if not recorder.wants("faults"):
            return
        is_bytes = _FAULTS[name].level == "bytes" and not self.reads_bytes
        if is_bytes and not self._decodes:
            return
        arrival = self._arrival(stream)
        for text in texts:
            recorder.recorded.faults[name] += 1
            recorder.count("faults", 1 if is_bytes else 2)
            if is_bytes:  # break the bytes, feed what our decoder makes of the rest
                pieces = parse_dialect("recorded").framing.encode(chunks_of(stream))
                broken = b"".join(parse_fault(text).apply_bytes(tuple(pieces)))
                read = payloads_of_bytes(_cut_bytes(broken, len(stream)))
                failure = self.judge.judge("faults", read)
            else:
                failure = self.judge.judge("faults", arrival, fault=parse_fault(text))
            recorder.found(failure)

    def every_cut(self, recorder: Recorder, name: str) -> None:
        """Cut and merge at every place."""
        if not recorder.wants("split-invariance"):
            return
        expected = self._outcome("whole", name)
        cuts = StreamCuts(self.streams[name])
        if not cuts.is_spliceable:
            return
        for merged in cuts.every_merge():
            arrival = self._arrival(merged)
            self._compare(recorder, "split-invariance", arrival, expected)
        for number, cut in enumerate(cuts.every_one_cut()):
            if number < 600:
                arrival = self._arrival(cut)
                self._compare(recorder, "split-invariance", arrival, expected)

    def random(self, recorder: Recorder, name: str, seed: int) -> None:
        """Random cuts of the stream, and one dialect and one fault, cut at random."""
        names = self.dialects()
        split = f"random:{seed % 1000}"
        self.dialect(recorder, name, names[seed % len(names)], split)
        faults = list(_FAULTS)
        self.fault(recorder, name, faults[seed % len(faults)])
        if recorder.wants("split-invariance"):
            expected = self._outcome("whole", name)
            self._random_cuts(recorder, self.streams[name], seed, expected)

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
            cut = payloads_of(cut_chunks(split, chunks_of(stream)))
            self._compare(recorder, relation, self._arrival(cut), expected)
        if self.reads_bytes:
            data = b"".join(self._arrival(stream))
            for number, pieces in enumerate(byte_cuts(data, seed=seed, examples=8)):
                if number < 24:
                    self._compare(recorder, relation, pieces, expected)

    def made_streams(self, recorder: Recorder, seed: int) -> None:
        """Try streams that hypothesis makes, each in several ways."""
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
            recorder.recorded.streams.add(name)
            recorder.count("")
            recorder.again = again
            arrival = self._arrival(stream)
            self._ask(recorder, arrival, name)
            self._ask_beginnings(recorder, arrival, self.judge.run(arrival))
            if recorder.wants("split-invariance"):
                expected = self.judge.run(self._arrival(whole(stream)))
                self._ask_splits(recorder, stream, expected)
                recorder.again = None
                self._random_cuts(recorder, stream, mix(seed, number), expected)
            recorder.again = None


def _cut_bytes(data: bytes, seed: int) -> list[bytes]:
    return parse_split(f"random:{seed}").cut_bytes(data)


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
