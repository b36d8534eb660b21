"""Which examples are tried, in which order, until when.

First everything once: every stream, relation and dialect, and every fault; then every
dialect of every stream and every one-cut; then, round after round, streams that
hypothesis makes and random cuts of all of them. The order is a pure function of the
seed, so the same seed finds the same things in the same place.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from harness.core.dialects import DIALECTS, parse_dialect
from harness.core.dialects.habits import REWRITES
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
from harness.fuzz.cuts import (
    StreamCuts,
    byte_cuts,
    named_cuts,
    random_cuts,
    text_cuts,
)
from harness.fuzz.driving import (
    HandlerConsumer,
    Level,
    OwnInterface,
    StepInterface,
)
from harness.fuzz.shrinking import shrink
from harness.fuzz.stock import broken_texts, stock_streams, stock_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from harness.fuzz.judging import Judge
    from harness.fuzz.outcomes import Outcome
    from harness.fuzz.relations import Failure

__all__ = ["Campaign", "Plan", "Tried"]

_Again: TypeAlias = "Callable[[Callable[[Arrival], bool]], Arrival | None]"

_LONG = 120  # chunks; longer streams are not tried in every dialect and at every cut
_CLOCK_EVERY = 16  # examples between two looks at the clock
_MADE = {"texts": 60, "streams": 12}  # a round; hypothesis makes one in about 2 ms
_FRAMINGS = tuple(part.name for part in DIALECTS.values() if part.framing)


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


class _OverError(Exception):
    """The examples, the time or the wanted findings have been reached."""


class Campaign:
    """One run of the fuzzer over one consumer.

    Args:
        judge: Judges the consumer.
        plan: What to try.
        recordings: Recorded streams by name; empty takes the stock.
        progress: Called now and then with the numbers so far.
    """

    def __init__(
        self,
        judge: Judge,
        plan: Plan,
        recordings: Mapping[str, Arrival] | None = None,
        *,
        progress: Callable[[Tried], None] | None = None,
    ) -> None:
        self.judge = judge
        self.plan = plan
        self.tried = Tried()
        self.failures: list[Failure] = []
        self._progress = progress or (lambda _tried: None)
        self._recordings = dict(recordings or {})
        self._kinds: set[str] = set()
        self._is_handler = judge.consumer.level is Level.HANDLER
        self._reads_bytes = judge.consumer.level.reads_bytes
        # Ours are fed what our decoder makes of the bytes, so it is tried with them.
        self._decodes = isinstance(judge.consumer, OwnInterface | StepInterface)
        self._started = 0.0
        # While something that hypothesis made is tried: finds it again and shrinks it.
        self._again: _Again | None = None

    def run(self) -> list[Failure]:
        """Try until something says stop.

        Returns:
            The different failures, smallest form of each, in order of discovery.
        """
        self._started = time.monotonic()
        try:
            if self._is_handler:
                self._fuzz_texts()
            else:
                self._fuzz_streams()
        except _OverError as over:
            self.tried.ended = str(over)
        self.tried.seconds = time.monotonic() - self._started
        return self.failures

    def _wants(self, relation: str) -> bool:
        return relation in self.plan.relations

    def _count(self, relation: str, number: int = 1) -> None:
        """Count runs of the consumer; stop when there were enough."""
        tried, plan = self.tried, self.plan
        tried.relations[relation] += number
        before = tried.examples // _CLOCK_EVERY
        tried.examples += number
        if plan.max_examples is not None and tried.examples >= plan.max_examples:
            raise _OverError(f"{plan.max_examples} examples were tried")
        if tried.examples // _CLOCK_EVERY != before:
            self._progress(tried)
            if (
                plan.time_s is not None
                and time.monotonic() - self._started > plan.time_s
            ):
                raise _OverError(f"{plan.time_s:g} seconds were over")

    # The arguments of calls.

    def _fuzz_texts(self) -> None:
        key = self.judge.key
        texts = dict(stock_texts(key))
        for name, stream in self._recordings.items():
            for number, call in enumerate(self.judge.truth(stream).calls):
                texts[f"{name}, call {number}"] = call.arguments
        for number, text in enumerate(broken_texts(key).values()):
            self._try_broken_text(text, mix(self.plan.seed, number))
        for name, text in texts.items():
            self._try_text(name, text)
        for text in texts.values():
            self._try_rewritten(text)
        self.tried.is_complete = True
        for number, text in enumerate(texts.values()):
            self._cut_text(text, mix(self.plan.seed, number), 40)
        turn = 0
        while True:
            turn += 1
            self._try_made_texts(key, mix(self.plan.seed, turn))
            for number, text in enumerate(texts.values()):
                self._random_text(text, mix(self.plan.seed, turn, number), 60)

    def _try_text(self, name: str, text: str) -> None:
        """Ask every relation once."""
        judge = self.judge
        arrival: Arrival = (text,)
        self.tried.streams.add(name)
        if self._wants("agreement"):
            self._count("agreement")
            self._found(judge.agrees(arrival, judge.run(arrival)))
        if self._wants("split-invariance"):
            self._count("split-invariance", 2)
            self._found(judge.judge("split-invariance", tuple(text)))
        if self._wants("prefix-safety"):
            self._count("prefix-safety", 2)
            self._found(judge.judge("prefix-safety", tuple(text)))

    def _try_rewritten(self, text: str) -> None:
        """Write the text in every other way that says the same."""
        judge = self.judge
        if self._wants("dialect-invariance"):
            for dialect, rewrite in REWRITES.items():
                self.tried.dialects[f"arguments-{dialect}"] += 1
                written = rewrite(text)
                for cut in ((written,), tuple(written)):
                    self._count("dialect-invariance", 2)
                    self._found(judge.judge("dialect-invariance", cut))

    def _try_broken_text(self, text: str, seed: int) -> None:
        if not self._wants("faults"):
            return
        self.tried.faults["malformed arguments"] += 1
        for cut in text_cuts(text, seed=seed, examples=5):
            self._count("faults")
            self._found(self.judge.judge("faults", cut))

    def _cut_text(self, text: str, seed: int, examples: int) -> None:
        if self._wants("split-invariance"):
            self._feed_cuts(text, text_cuts(text, seed=seed, examples=examples))

    def _random_text(self, text: str, seed: int, examples: int) -> None:
        if self._wants("split-invariance") and len(text) > 1:
            self._feed_cuts(text, random_cuts(text, seed=seed, examples=examples))

    def _feed_cuts(self, text: str, cuts: Iterator[Arrival]) -> None:
        """The hot loop: cut, feed, compare; the judge is asked when they differ."""
        consumer = self.judge.consumer
        assert isinstance(consumer, HandlerConsumer), "texts are for handlers"
        if consumer.outcome is not None:
            for cut in cuts:
                self.tried.cuts += 1
                self._count("split-invariance", 2)
                self._found(self.judge.judge("split-invariance", cut))
            return
        expected = consumer.text_of((text,))
        text_of = consumer.text_of
        for cut in cuts:
            self.tried.cuts += 1
            self._count("split-invariance")
            if text_of(cut) != expected:
                self._found(self.judge.judge("split-invariance", cut))

    def _try_made_texts(self, key: str, seed: int) -> None:
        made = self._made()
        if made is None:
            return
        strategy = made.argument_texts(key)
        count = _MADE["texts"]

        def again(fails: Callable[[Arrival], bool]) -> Arrival | None:
            text = made.shrink_made(
                strategy, seed, count, lambda text: fails(tuple(text))
            )
            return None if text is None else tuple(text)

        for number, text in enumerate(made.make(strategy, seed, count)):
            self._again = again
            self._try_text(f"made {seed}.{number}", text)
            self._try_rewritten(text)
            self._again = None
            self._random_text(text, mix(seed, number), 120)

    # Streams.

    def _fuzz_streams(self) -> None:
        streams = self._recordings or stock_streams()
        named = list(streams.items())
        for number, (name, stream) in enumerate(named):
            self._try_stream(name, stream, number)
        for number, (_, stream) in enumerate(named):
            faults = list(FAULTS)
            self._try_faults(
                stream, _share(faults, number, 4) if self._recordings else faults
            )
        self.tried.is_complete = True
        for number, (_, stream) in enumerate(named):
            self._try_more(stream, mix(self.plan.seed, number))
        turn = 0
        while True:
            turn += 1
            seed = mix(self.plan.seed, turn)
            self._try_made_streams(seed)
            for number, (_, stream) in enumerate(named):
                self._try_random(stream, mix(seed, number))

    def _try_stream(self, name: str, stream: Arrival, number: int) -> None:
        """Ask every relation, in every dialect if the stream is from the stock."""
        self.tried.streams.add(name)
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
        judge = self.judge
        arrival = self._arrival(stream)
        got = judge.run(arrival)
        for relation, check in (
            ("agreement", judge.agrees),
            ("nothing-lost", judge.loses),
        ):
            if self._wants(relation):
                self._count(relation)
                self._found(check(arrival, got))
        if self._wants("interfaces"):
            self._count("interfaces", 2)
            self._found(judge.judge("interfaces", arrival))
        if self._wants("prefix-safety") and got.raised is None:
            lengths = _spread(len(arrival), 4 if len(stream) > _LONG else 12)
            for length in lengths:
                self._count("prefix-safety")
                self._found(judge.is_beginning(arrival, length, got))
        if self._wants("split-invariance"):
            self._try_splits(stream)

    def _try_splits(self, stream: Arrival) -> None:
        reference_stream = whole(stream)
        expected = self.judge.run(self._arrival(reference_stream))
        self._compare("split-invariance", self._arrival(stream), expected)
        for name in named_cuts()[: 1 if len(stream) > _LONG else None]:
            cut = payloads_of(parse_split(name).recut(chunks_of(stream)))
            self._compare("split-invariance", self._arrival(cut), expected)
        if self._reads_bytes:
            data = b"".join(self._arrival(stream))
            for pieces in byte_cuts(data, seed=self.plan.seed, examples=8):
                self._compare("split-invariance", pieces, expected)

    def _compare(
        self,
        relation: str,
        arrival: Arrival,
        expected: Outcome,
        *,
        as_json: bool = False,
    ) -> None:
        """Run one arrival; ask the judge when it says something else."""
        if relation == "split-invariance":
            self.tried.cuts += 1
        self._count(relation)
        got = self.judge.run(arrival)
        if got == expected and got.raised is None:
            return
        if as_json and got.as_json() == expected.as_json():
            return
        self._found(self.judge.judge(relation, arrival))

    def _try_dialects(
        self, stream: Arrival, names: list[str], *, split: str | None = None
    ) -> None:
        if not self._wants("dialect-invariance"):
            return
        expected = self.judge.run(self._arrival(plain(stream))).as_json()
        for name in names:
            is_framing = DIALECTS[name].apply is None and name in _FRAMINGS
            if is_framing and not (self._reads_bytes or self._decodes):
                continue
            dialect = parse_dialect(name)
            chunks = dialect.apply(chunks_of(stream))
            if split is not None:
                chunks = parse_split(split).recut(chunks)
            self.tried.dialects[name] += 1
            if self._reads_bytes:
                arrival = tuple(dialect.framing.encode(chunks))
            elif self._decodes and name in _FRAMINGS:
                data = b"".join(dialect.framing.encode(chunks))
                arrival = payloads_of_bytes(_cut_bytes(data, len(stream)))
            else:
                arrival = payloads_of(chunks)
            self._compare("dialect-invariance", arrival, expected, as_json=True)

    def _try_faults(self, stream: Arrival, names: list[str]) -> None:
        if not self._wants("faults"):
            return
        arrival = self._arrival(stream)
        for name in names:
            kind = FAULTS[name]
            if kind.level == "bytes" and not self._reads_bytes:
                if self._decodes:
                    self._try_byte_fault(stream, name)
                continue
            for text in _numbered(name, kind.default, len(stream)):
                self.tried.faults[name] += 1
                self._count("faults", 2)
                self._found(
                    self.judge.judge("faults", arrival, fault=parse_fault(text))
                )

    def _try_byte_fault(self, stream: Arrival, name: str) -> None:
        """Break the bytes and feed what our decoder makes of the rest."""
        pieces = tuple(parse_dialect("recorded").framing.encode(chunks_of(stream)))
        for text in _numbered(name, FAULTS[name].default, len(stream)):
            self.tried.faults[name] += 1
            self._count("faults")
            broken = b"".join(parse_fault(text).apply_bytes(pieces))
            arrival = payloads_of_bytes(_cut_bytes(broken, len(stream)))
            self._found(self.judge.judge("faults", arrival))

    def _try_more(self, stream: Arrival, seed: int) -> None:
        """Every dialect cut to characters, every fault, every one-cut and merge."""
        if len(stream) > _LONG:
            self._try_random(stream, seed)
            return
        if self._recordings:
            self._try_dialects(stream, list(DIALECTS))
            self._try_faults(stream, list(FAULTS))
        self._try_dialects(stream, list(DIALECTS), split="chars")
        if not self._wants("split-invariance"):
            return
        expected = self.judge.run(self._arrival(whole(stream)))
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
        if not self._wants("split-invariance"):
            return
        expected = self.judge.run(self._arrival(whole(stream)))
        cuts = StreamCuts(stream)
        if cuts.is_spliceable:
            for cut in cuts.random(seed=seed, examples=24):
                self._compare("split-invariance", self._arrival(cut), expected)
        else:
            chunks = chunks_of(stream)
            cut = payloads_of(parse_split(split).recut(chunks))
            self._compare("split-invariance", self._arrival(cut), expected)
        if self._reads_bytes:
            data = b"".join(self._arrival(stream))
            for number, pieces in enumerate(byte_cuts(data, seed=seed, examples=8)):
                if number < 24:
                    self._compare("split-invariance", pieces, expected)

    def _try_made_streams(self, seed: int) -> None:
        made = self._made()
        if made is None:
            return
        count = _MADE["streams"]
        strategy = made.streams()

        def again(fails: Callable[[Arrival], bool]) -> Arrival | None:
            found: Arrival | None = made.shrink_made(
                strategy, seed, count, lambda stream: fails(self._arrival(stream))
            )
            return found

        for number, stream in enumerate(made.make(strategy, seed, count)):
            self.tried.streams.add(f"made {seed}.{number}")
            self._again = again
            self._try_relations(stream)
            self._again = None
            self._try_random(stream, mix(seed, number))

    def _made(self) -> ModuleType | None:
        """Return what makes structures; None where hypothesis is not installed."""
        try:
            from harness.fuzz import made
        except ImportError:
            self.tried.lacks = "hypothesis, which makes structures, is not installed"
            return None
        return made

    # Findings.

    def _found(self, failure: Failure | None) -> None:
        """Keep a failure, shrunk, unless one of its kind is known."""
        if failure is None:
            return
        if failure.relation == "dialect-invariance" and self._wants("split-invariance"):
            # What the cuts alone explain is no matter of the dialect.
            failure = self.judge.judge("split-invariance", failure.arrived) or failure
        if failure.kind in self._kinds:  # one defect breaks several relations
            return
        self._kinds.add(failure.kind)
        self.failures.append(self._shrunk(failure))
        if len(self.failures) >= self.plan.findings:
            count = len(self.failures)
            raise _OverError(f"{count} failure{'s' * (count > 1)} found")

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
        if self._again is not None:
            smaller = self._again(fails)
            if smaller is not None and repr(smaller) in found:
                start = smaller
        small = shrink(start, fails, judge.key)
        return found.get(repr(small), failure)


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


def _faults_like(fault: str, length: int) -> list[str | None]:
    if not fault:
        return [None]
    name, colon, _ = fault.partition(":")
    if not colon:
        return [fault]
    return [fault, *(f"{name}:{number}" for number in range(min(length, 8)))]
