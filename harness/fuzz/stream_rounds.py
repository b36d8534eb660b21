"""Whole streams, cut, reframed and broken in every way: for all other consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.dialects import DIALECTS, parse_dialect
from harness.apis.chat.faults import FAULTS, parse_fault
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
from harness.fuzz.stock import stock_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.fuzz.findings import Findings
    from harness.fuzz.outcomes import Outcome

__all__ = ["StreamRounds"]

_LONG = 120  # chunks; longer streams are not tried in every dialect and at every cut
_MADE = 12  # streams a round; hypothesis makes one in about 2 ms
_FRAMINGS = tuple(part.name for part in DIALECTS.values() if part.framing)


class StreamRounds:
    """Tries streams on a consumer until something stops it.

    Args:
        findings: Counts, judges and keeps.
        recordings: Recorded streams by name; empty takes the stock.
    """

    def __init__(self, findings: Findings, recordings: Mapping[str, Arrival]) -> None:
        consumer = findings.judge.consumer
        self._findings = findings
        self._judge = findings.judge
        self._recordings = recordings
        self._reads_bytes = consumer.level.reads_bytes
        # Ours are fed what our decoder makes of the bytes, so it is tried with them.
        self._decodes = isinstance(consumer, OwnInterface | StepInterface)

    def run(self) -> None:
        """Try everything once, then random cuts and made streams without end.

        Raises:
            OverError: The plan is fulfilled.
        """
        streams = self._recordings or stock_streams()
        named = list(streams.items())
        for number, (name, stream) in enumerate(named):
            self._try_stream(name, stream, number)
        for number, (_, stream) in enumerate(named):
            faults = list(FAULTS)
            self._try_faults(
                stream, _share(faults, number, 4) if self._recordings else faults
            )
        self._findings.tried.is_complete = True
        for number, (_, stream) in enumerate(named):
            self._try_more(stream, mix(self._findings.plan.seed, number))
        turn = 0
        while True:
            turn += 1
            seed = mix(self._findings.plan.seed, turn)
            self._try_made_streams(seed)
            for number, (_, stream) in enumerate(named):
                self._try_random(stream, mix(seed, number))

    def _try_stream(self, name: str, stream: Arrival, number: int) -> None:
        """Ask every relation, in every dialect if the stream is from the stock."""
        self._findings.tried.streams.add(name)
        self._try_relations(stream)
        dialects = list(DIALECTS)
        if self._recordings:
            # Neighbouring streams take turns, so that all are tried on some stream
            # soon and on every stream in the end (`_try_more`).
            dialects = _share(dialects, number, 8)
        self._try_dialects(stream, dialects)

    def _arrival(self, stream: Arrival) -> Arrival:
        """Return a stream of payloads as the consumer is fed with it."""
        if not self._reads_bytes:
            return stream
        return tuple(parse_dialect("recorded").framing.encode(chunks_of(stream)))

    def _try_relations(self, stream: Arrival) -> None:
        judge = self._judge
        arrival = self._arrival(stream)
        got = judge.run(arrival)
        for relation, check in (
            ("agreement", judge.agrees),
            ("nothing-lost", judge.loses),
        ):
            if self._findings.wants(relation):
                self._findings.count(relation)
                self._findings.found(check(arrival, got))
        if self._findings.wants("interfaces"):
            self._findings.count("interfaces", 2)
            self._findings.found(judge.judge("interfaces", arrival))
        if self._findings.wants("prefix-safety") and got.raised is None:
            lengths = _spread(len(arrival), 4 if len(stream) > _LONG else 12)
            for length in lengths:
                self._findings.count("prefix-safety")
                self._findings.found(judge.is_beginning(arrival, length, got))
        if self._findings.wants("split-invariance"):
            self._try_splits(stream)

    def _try_splits(self, stream: Arrival) -> None:
        reference_stream = whole(stream)
        expected = self._judge.run(self._arrival(reference_stream))
        self._compare("split-invariance", self._arrival(stream), expected)
        for name in named_cuts()[: 1 if len(stream) > _LONG else None]:
            cut = payloads_of(cut_chunks(parse_split(name), chunks_of(stream)))
            self._compare("split-invariance", self._arrival(cut), expected)
        if self._reads_bytes:
            data = b"".join(self._arrival(stream))
            for pieces in byte_cuts(data, seed=self._findings.plan.seed, examples=8):
                self._compare("split-invariance", pieces, expected)

    def _compare(
        self,
        relation: str,
        arrival: Arrival,
        expected: Outcome,
        *,
        as_json: bool = False,
    ) -> None:
        """Run one arrival; ask the judge when the answer is another."""
        if relation == "split-invariance":
            self._findings.tried.cuts += 1
        self._findings.count(relation)
        got = self._judge.run(arrival)
        if got == expected and got.raised is None:
            return
        if as_json and got.as_json() == expected.as_json():
            return
        self._findings.found(self._judge.judge(relation, arrival))

    def _try_dialects(
        self, stream: Arrival, names: list[str], *, split: str | None = None
    ) -> None:
        if not self._findings.wants("dialect-invariance"):
            return
        expected = self._judge.run(self._arrival(plain(stream))).as_json()
        for name in names:
            is_framing = DIALECTS[name].apply is None and name in _FRAMINGS
            if is_framing and not (self._reads_bytes or self._decodes):
                continue
            dialect = parse_dialect(name)
            chunks = dialect.apply(chunks_of(stream))
            if split is not None:
                chunks = cut_chunks(parse_split(split), chunks)
            self._findings.tried.dialects[name] += 1
            if self._reads_bytes:
                arrival = tuple(dialect.framing.encode(chunks))
            elif self._decodes and name in _FRAMINGS:
                data = b"".join(dialect.framing.encode(chunks))
                arrival = payloads_of_bytes(_cut_bytes(data, len(stream)))
            else:
                arrival = payloads_of(chunks)
            self._compare("dialect-invariance", arrival, expected, as_json=True)

    def _try_faults(self, stream: Arrival, names: list[str]) -> None:
        if not self._findings.wants("faults"):
            return
        arrival = self._arrival(stream)
        for name in names:
            kind = FAULTS[name]
            if kind.level == "bytes" and not self._reads_bytes:
                if self._decodes:
                    self._try_byte_fault(stream, name)
                continue
            for text in _numbered(name, kind.default, len(stream)):
                self._findings.tried.faults[name] += 1
                self._findings.count("faults", 2)
                self._findings.found(
                    self._judge.judge("faults", arrival, fault=parse_fault(text))
                )

    def _try_byte_fault(self, stream: Arrival, name: str) -> None:
        """Break the bytes and feed what our decoder makes of the rest."""
        pieces = tuple(parse_dialect("recorded").framing.encode(chunks_of(stream)))
        for text in _numbered(name, FAULTS[name].default, len(stream)):
            self._findings.tried.faults[name] += 1
            self._findings.count("faults")
            broken = b"".join(parse_fault(text).apply_bytes(pieces))
            arrival = payloads_of_bytes(_cut_bytes(broken, len(stream)))
            self._findings.found(self._judge.judge("faults", arrival))

    def _try_more(self, stream: Arrival, seed: int) -> None:
        """Every dialect cut to characters, every fault, every one-cut and merge."""
        if len(stream) > _LONG:
            self._try_random(stream, seed)
            return
        if self._recordings:
            self._try_dialects(stream, list(DIALECTS))
            self._try_faults(stream, list(FAULTS))
        self._try_dialects(stream, list(DIALECTS), split="chars")
        if not self._findings.wants("split-invariance"):
            return
        expected = self._judge.run(self._arrival(whole(stream)))
        cuts = StreamCuts(stream)
        if cuts.is_spliceable:
            for merged in cuts.every_merge():
                self._compare("split-invariance", self._arrival(merged), expected)
            for number, cut in enumerate(cuts.every_one_cut()):
                if number < 600:
                    self._compare("split-invariance", self._arrival(cut), expected)

    def _try_random(self, stream: Arrival, seed: int) -> None:
        """Random cuts of the stream, and one dialect and one fault, cut at random."""
        split = f"random:{seed % 1000}"
        names = list(DIALECTS)
        self._try_dialects(stream, [names[seed % len(names)]], split=split)
        faults = list(FAULTS)
        self._try_faults(stream, [faults[seed % len(faults)]])
        if not self._findings.wants("split-invariance"):
            return
        expected = self._judge.run(self._arrival(whole(stream)))
        cuts = StreamCuts(stream)
        if cuts.is_spliceable:
            for cut in cuts.random(seed=seed, examples=24):
                self._compare("split-invariance", self._arrival(cut), expected)
        else:
            chunks = chunks_of(stream)
            cut = payloads_of(cut_chunks(parse_split(split), chunks))
            self._compare("split-invariance", self._arrival(cut), expected)
        if self._reads_bytes:
            data = b"".join(self._arrival(stream))
            for number, pieces in enumerate(byte_cuts(data, seed=seed, examples=8)):
                if number < 24:
                    self._compare("split-invariance", pieces, expected)

    def _try_made_streams(self, seed: int) -> None:
        made = self._findings.made()
        if made is None:
            return
        count = _MADE
        strategy = made.streams()

        def again(fails: Callable[[Arrival], bool]) -> Arrival | None:
            found: Arrival | None = made.shrink_made(
                strategy, seed, count, lambda stream: fails(self._arrival(stream))
            )
            return found

        for number, stream in enumerate(made.make(strategy, seed, count)):
            self._findings.tried.streams.add(f"made {seed}.{number}")
            self._findings.again = again
            self._try_relations(stream)
            self._findings.again = None
            self._try_random(stream, mix(seed, number))


def _cut_bytes(data: bytes, seed: int) -> list[bytes]:
    return parse_split(f"random:{seed}").cut_bytes(data)


def _share(names: list[str], number: int, count: int) -> list[str]:
    start = number * count
    return [names[(start + step) % len(names)] for step in range(count)]


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
