"""What is tried on consumers of streams: one method for each kind of case.

Which of them, of what and in which order is in `harness.fuzz.stream_rounds`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.dialects import Dialect
from harness.apis.varied import dialects_of, faults_of
from harness.core.parts import Reasoning
from harness.fuzz.api_inputs import (
    cut_answer,
    large_answers,
    neutral_answers,
    stock_answers,
    written,
    written_bytes,
)
from harness.fuzz.cuts import NAMED_CUTS, byte_cuts, spread
from harness.fuzz.odd_bytes import MARK_FIRST, NO_LINE_END, ODD_BYTES, odd_bytes
from harness.fuzz.shown_endings import broken_ends, like
from harness.fuzz.shrink_search import single_bytes
from harness.fuzz.unknown_events import with_unknown_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.debug.outcomes import Outcome
    from harness.fuzz.api_inputs import Answer
    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.judge import Judge
    from harness.fuzz.trial_cases import Case, Recorder

LONG = 120  # events; longer streams are not tried in every dialect and at every cut
_KEPT = 400  # outcomes of reference streams; a slow consumer is asked once
_ONLY_EXCEPTIONS = frozenset(
    (
        *("done-only", "spliced", "text-in-tool", "no-event-lines"),
        *("snake-case", "code-assist", "gemini-array", "completed-but-incomplete"),
    )
)
"""Dialects that break what their API promises, so that content may well be lost."""


class StreamTrials:
    """Tries streams on a consumer, given what records it.

    Streams are answers that the API's writer writes; chat's are payloads
    (`harness.fuzz.chat_trials`), so that every field of a chunk can be odd.

    Args:
        judge: Judges the consumer.
        seed: Decides everything that is random.
        recordings: Recorded streams by name; empty takes the stock.
    """

    revealing: tuple[str, ...] = ("text and parallel calls", "plain text", "one call")
    """The streams on which every dialect and fault is tried first."""
    cut_first: tuple[str, ...] = (revealing[0], "text beyond ASCII", *revealing[1:])
    """The streams that have something to cut."""
    shown_by: Mapping[str, str] = {NO_LINE_END: "text", MARK_FIRST: "text"}
    """The stream whose last or first event has a text to lose, where an API allows."""
    odd_kinds = ODD_BYTES
    """What only a consumer of bytes sees."""
    only_cuts: frozenset[str] = frozenset()
    """The streams that a consumer may read in its own way."""

    def __init__(
        self, judge: Judge, seed: int, recordings: Mapping[str, FuzzInput]
    ) -> None:
        self.judge = judge
        self.api = judge.api
        self.seed = seed
        self.recordings = recordings
        self.reads_bytes = judge.consumer.level.reads_bytes
        self.streams: dict[str, Any] = self.stock()
        self.dialects = [
            name
            for name, dialect in dialects_of(self.api).items()
            # Another endpoint's frames are no event stream, which a reader of bytes is
            # for: Bedrock's are binary, and Gemini has a JSON array.
            if not (self.reads_bytes and isinstance(dialect, Dialect))
            or dialect.framing.content_type == "text/event-stream"
        ]
        """Those that the consumer can see, the common ones first."""
        self.faults = list(faults_of(self.api))
        self._outcomes: dict[tuple[str, str, str], Outcome] = {}

    # -- Forms of a stream -------------------------------------------------------------

    def stock(self) -> dict[str, Any]:
        """Return the streams by name."""
        answers = stock_answers(self.api)
        reasoned = (
            name
            for name, answer in answers.items()
            if any(isinstance(part, Reasoning) for parts in answer for part in parts)
        )
        self.revealing = (*self.revealing, *list(reasoned)[:1])
        return answers

    def of_answer(self, answer: Answer) -> Any:
        """Return an answer as a stream."""
        return answer

    def payloads(self, stream: Any) -> FuzzInput:
        """Return the payloads of a stream."""
        return written(self.api, stream)

    def fed(self, stream: Any, dialect: str = "", split: str = "") -> FuzzInput:
        """Return a stream as the consumer is fed with it."""
        return self._written(cut_answer(stream, split) if split else stream, dialect)

    def _written(self, answer: Answer, dialect: str = "", fault: str = "") -> FuzzInput:
        write = written_bytes if self.reads_bytes else written
        return write(self.api, answer, dialect=dialect, fault=fault)

    def translated(self) -> dict[str, Any]:
        """Return the streams that are tried in several APIs, if the consumer takes."""
        if len(self.judge.consumer.apis) < 2:
            return {}
        answers = neutral_answers(self.api).items()
        return {name: self.of_answer(answer) for name, answer in answers}

    def _outcome(self, name: str, dialect: str = "", split: str = "") -> Outcome:
        """Return what is made of a stream in one form; asked once while it is kept."""
        form = name, dialect, split
        kept = self._outcomes.get(form)
        if kept is None:
            kept = self.judge.run(self.fed(self.streams[name], dialect, split))
            if len(self._outcomes) >= _KEPT:
                self._outcomes.pop(next(iter(self._outcomes)))
            self._outcomes[form] = kept
        return kept

    # -- Kinds of cases ----------------------------------------------------------------

    def as_it_is(self, recorder: Recorder, name: str) -> None:
        """Run a stream once, and ask of it all that needs no more."""
        recorder.recorded.streams.add(name)
        recorder.count("")
        self._ask(recorder, self.fed(self.streams[name]), name)

    def large(self, recorder: Recorder, name: str) -> None:
        """Run what is longer than common limits."""
        recorder.count("")
        stream = self.of_answer(large_answers(self.api)[name])
        self._ask(recorder, self.fed(stream), name)

    def _ask(self, recorder: Recorder, fed: FuzzInput, name: str) -> None:
        """Ask of one run all that needs no other."""
        judge = self.judge
        got = judge.run(fed)
        if name not in self.only_cuts:
            for relation, check in (
                ("agreement", judge.agrees),
                ("nothing-lost", judge.loses),
            ):
                if recorder.wants(relation):
                    recorder.count(relation, 0)
                    recorder.found(check(fed, got))
        if recorder.wants("faults"):
            recorder.found(judge.raises(fed, got))
        if name not in self.only_cuts:
            recorder.ask(judge, "interfaces", fed, 2)

    def beginnings(self, recorder: Recorder, name: str) -> None:
        """Ask whether what was shown of a beginning stays."""
        fed = self.fed(self.streams[name])
        self._ask_beginnings(recorder, fed, self._outcome(name))

    def _ask_beginnings(self, recorder: Recorder, fed: FuzzInput, got: Outcome) -> None:
        if got.raised is not None:
            return
        recorder.ask(self.judge, "earliness", fed, len(fed))
        if not recorder.wants("prefix-safety"):
            return
        for length in spread(len(fed), 4 if len(fed) > LONG else 12):
            recorder.count("prefix-safety")
            recorder.found(self.judge.is_beginning(fed, length, got))

    def truncation(self, recorder: Recorder, name: str) -> None:
        """Ask whether another end is shown, and whether it can be closed early."""
        fed = self.fed(self.streams[name])
        for relation in ("truncation", "closing"):
            recorder.ask(self.judge, relation, fed, 4)
        for _, _, broken in broken_ends(fed, self.api):
            if broken and recorder.wants("faults"):
                recorder.count("faults")
                recorder.found(self.judge.raises(broken, self.judge.run(broken)))

    def news(self, recorder: Recorder, name: str) -> None:
        """Run a stream with what its API may add."""
        stream = self.streams[name]
        added = tuple(with_unknown_events(self.payloads(stream)))
        recorder.count("")
        self._ask(recorder, like(self.fed(stream), added, self.api), name)

    def translation(self, recorder: Recorder, stream: Any) -> None:
        """Ask for the same of the same answer in another API."""
        apis = self.judge.consumer.apis
        recorder.ask(self.judge, "translation", self.fed(stream), len(apis))

    def odd_bytes(self, recorder: Recorder, name: str, kind: str) -> None:
        """What only bytes can show: odd frames, a body in place of a stream."""
        fed = odd_bytes(kind, self.payloads(self.streams[name]), self.api)
        recorder.count("faults")
        got = self.judge.run(fed)
        recorder.found(self.judge.raises(fed, got))
        if fed[0][:1] != b"{" and recorder.wants("agreement"):
            recorder.found(self.judge.agrees(fed, got))

    def first_cuts(self, recorder: Recorder, name: str) -> None:
        """Cut a stream to characters, and its bytes to single ones."""
        if not recorder.wants("split-invariance"):
            return
        stream = self.streams[name]
        expected = self._outcome(name, split="whole")
        self._compare_cut(recorder, self.fed(stream, split="chars"), expected)
        if self.reads_bytes:
            events = self.fed(stream)
            self._compare_cut(recorder, single_bytes(events), expected)
            self._compare_cut(recorder, (b"".join(events),), expected)

    def splits(self, recorder: Recorder, name: str) -> None:
        """Cut a stream by every named rule."""
        if recorder.wants("split-invariance"):
            expected = self._outcome(name, split="whole")
            self._ask_splits(recorder, self.streams[name], expected)

    def _ask_splits(self, recorder: Recorder, stream: Any, expected: Outcome) -> None:
        self._compare_cut(recorder, self.fed(stream), expected)
        for split in NAMED_CUTS[: 1 if len(stream) > LONG else None]:
            self._compare_cut(recorder, self.fed(stream, split=split), expected)
        self._cut_bytes(recorder, stream, self.seed, expected)

    def _cut_bytes(
        self,
        recorder: Recorder,
        stream: Any,
        seed: int,
        expected: Outcome,
        most: int | None = None,
    ) -> None:
        if self.reads_bytes:
            data = b"".join(self.fed(stream))
            for number, cut in enumerate(byte_cuts(data, seed=seed, examples=8)):
                if most is None or number < most:
                    self._compare_cut(recorder, cut, expected)

    def _compare_cut(
        self, recorder: Recorder, fed: FuzzInput, expected: Outcome
    ) -> None:
        """Run one input; ask the judge when it gives something else."""
        recorder.recorded.cuts += 1
        recorder.count("split-invariance")
        got = self.judge.run(fed)
        if got != expected or got.raised is not None:
            recorder.found(self.judge.judge("split-invariance", fed))

    def dialect(
        self, recorder: Recorder, name: str, dialect: str, split: str = ""
    ) -> None:
        """Hold what is made of a dialect against what it carries."""
        if not recorder.wants("agreement"):
            return
        recorder.recorded.dialects[dialect] += 1
        fed = self.fed(self.streams[name], dialect, split)
        if not split and fed == self.fed(self.streams[name]):
            return  # which was tried as it is
        recorder.count("agreement")
        if dialect in _ONLY_EXCEPTIONS:
            recorder.found(self.judge.raises(fed, self.judge.run(fed)))
        else:
            self._ask(recorder, fed, name)

    def fault(
        self,
        recorder: Recorder,
        name: str,
        fault: str,
        once: bool,  # noqa: ARG002, FBT001 - each has one place; as a case calls it
    ) -> None:
        """Break a stream at the fault's own place, or at several unless `once`."""
        if not recorder.wants("faults"):
            return
        recorder.recorded.faults[fault] += 1
        recorder.count("faults")
        fed = self._written(self.streams[name], fault=fault)
        recorder.found(self.judge.raises(fed, self.judge.run(fed)))

    def every_cut(self, recorder: Recorder, name: str) -> None:
        """Cut every text at each of the first places."""
        if recorder.wants("split-invariance"):
            expected = self._outcome(name, split="whole")
            for place in range(1, 9):
                fed = self.fed(self.streams[name], split=f"at:{place}")
                self._compare_cut(recorder, fed, expected)

    def made(self, seed: int) -> Iterator[Case]:  # noqa: ARG002 - chat makes some
        """Yield the cases of streams that are made for a seed."""
        yield from ()

    def random(self, recorder: Recorder, name: str, seed: int) -> None:
        """Random cuts of the stream, and one dialect and one fault, cut at random."""
        dialects, faults = self.dialects, self.faults
        split = f"random:{seed % 1000}"
        self.dialect(recorder, name, dialects[seed % len(dialects)], split)
        self.fault(recorder, name, faults[seed % len(faults)], False)  # noqa: FBT003
        if recorder.wants("split-invariance"):
            expected = self._outcome(name, split="whole")
            self._random_cuts(recorder, self.streams[name], seed, expected)

    def _random_cuts(
        self, recorder: Recorder, stream: Any, seed: int, expected: Outcome
    ) -> None:
        for cut in self.random_inputs(stream, seed):
            self._compare_cut(recorder, cut, expected)
        self._cut_bytes(recorder, stream, seed, expected, 24)

    def random_inputs(self, stream: Any, seed: int) -> Iterator[FuzzInput]:
        """Yield a stream cut at random."""
        yield self.fed(stream, split=f"random:{seed % 1000}")
