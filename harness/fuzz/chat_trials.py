"""What is tried on consumers of chat: streams of payloads, in chat's own forms."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harness.apis.chat.cutting import cut_chunks
from harness.apis.chat.dialects.registry import parse_dialect
from harness.apis.chat.faults import parse_fault
from harness.apis.varied import dialects_of, faults_of
from harness.core.splits import parse_split
from harness.core.stable_random import mix
from harness.fuzz.api_inputs import Answer, written
from harness.fuzz.cuts import StreamCuts, spread
from harness.fuzz.example_runner import OwnInterface, StepInterface
from harness.fuzz.fuzz_inputs import (
    FuzzInput,
    chunks_of,
    payloads_of,
    payloads_of_bytes,
)
from harness.fuzz.odd_bytes import MARK_FIRST, NO_LINE_END, ODD_BYTES_OF_CHAT
from harness.fuzz.odd_values import only_cuts, renamed, stock
from harness.fuzz.stream_trials import StreamTrials
from harness.fuzz.trial_cases import Case, Recorder, case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.fuzz.judge import Judge

_DIALECTS, _FAULTS = dialects_of("chat"), faults_of("chat")
_FRAMINGS = tuple(part.name for part in _DIALECTS.values() if part.framing)
_MADE = 12  # streams a round; hypothesis makes one in about 2 ms
_LAST = ("mistral", "list-content", "cr")  # what hardly anybody sends
_NAMES = (*(name for name in _DIALECTS if name not in _LAST), *_LAST)


class ChatTrials(StreamTrials):
    """Tries streams of chat; made as `StreamTrials` is."""

    revealing = ("text and parallel calls", "text", "call")
    cut_first = (
        *("text and parallel calls", "text beyond ASCII", "arguments with a pair"),
        *("text with every line end", "think tags", "template markers", *revealing[1:]),
    )
    shown_by = {  # noqa: RUF012 - read only
        NO_LINE_END: "finish beside the last text",
        MARK_FIRST: "text that looks like events",
    }
    odd_kinds = ODD_BYTES_OF_CHAT

    def __init__(
        self, judge: Judge, seed: int, recordings: Mapping[str, FuzzInput]
    ) -> None:
        super().__init__(judge, seed, recordings)
        self.only_cuts = only_cuts()
        # Ours are fed what our decoder makes of the bytes, so it is tried with them.
        self._decodes = isinstance(judge.consumer, OwnInterface | StepInterface)
        sees = self.reads_bytes or self._decodes
        self.dialects = [
            name
            for name in _NAMES
            if sees or name not in _FRAMINGS or _DIALECTS[name].apply is not None
        ]

    def stock(self) -> dict[str, Any]:
        """Return the recordings, or the streams of every odd shape."""
        streams = dict(self.recordings) or stock()
        if self.judge.assistant is not None:
            streams |= renamed(streams, *self.judge.assistant)
        return streams

    def of_answer(self, answer: Answer) -> FuzzInput:
        """Return an answer as payloads."""
        return written("chat", answer)

    def payloads(self, stream: FuzzInput) -> FuzzInput:
        """Return the stream itself."""
        return stream

    def fed(self, stream: FuzzInput, dialect: str = "", split: str = "") -> FuzzInput:
        """Write a stream in a dialect, cut it, frame it if bytes are read."""
        shape = parse_dialect(dialect or "recorded")
        chunks = shape.apply(chunks_of(stream))
        if split:
            chunks = cut_chunks(parse_split(split), chunks)
        if self.reads_bytes:
            return tuple(shape.framing.encode(chunks))
        if self._decodes and dialect in _FRAMINGS:
            data = b"".join(shape.framing.encode(chunks))
            return payloads_of_bytes(_cut_bytes(data, len(stream)))
        return payloads_of(chunks)

    def dialect(
        self, recorder: Recorder, name: str, dialect: str, split: str = ""
    ) -> None:
        """Ask for the same in a dialect as OpenAI would send it."""
        relation = "dialect-invariance"
        if not recorder.wants(relation) or name in self.only_cuts:
            return
        expected = self._outcome(name, "openai", "whole")
        fed = self.fed(self.streams[name], dialect, split)
        recorder.recorded.dialects[dialect] += 1
        recorder.count(relation)
        got = self.judge.run(fed)
        if got.raised is None and got.as_json() == expected.as_json():
            return
        failure = self.judge.judge(relation, fed)
        if failure is not None and recorder.wants("split-invariance"):
            # What the cuts alone explain is no matter of the dialect.
            failure = self.judge.judge("split-invariance", fed) or failure
        recorder.found(failure)

    def fault(self, recorder: Recorder, name: str, fault: str, once: bool) -> None:  # noqa: FBT001 - as a case calls it
        """Break a stream at the fault's own place, or at several unless `once`."""
        if not recorder.wants("faults"):
            return
        stream, kind = self.streams[name], _FAULTS[fault]
        is_bytes = kind.level == "bytes" and not self.reads_bytes
        if is_bytes and not self._decodes:
            return
        fed = self.fed(stream)
        for text in _numbered(fault, kind.default, 0 if once else len(stream)):
            recorder.recorded.faults[fault] += 1
            recorder.count("faults", 1 if is_bytes else 2)
            if is_bytes:  # break the bytes, feed what our decoder makes of the rest
                pieces = parse_dialect("recorded").framing.encode(chunks_of(stream))
                broken = b"".join(parse_fault(text).apply_bytes(tuple(pieces)))
                read = payloads_of_bytes(_cut_bytes(broken, len(stream)))
                failure = self.judge.judge("faults", read)
            else:
                failure = self.judge.judge("faults", fed, fault=parse_fault(text))
            recorder.found(failure)

    def every_cut(self, recorder: Recorder, name: str) -> None:
        """Cut and merge at every place."""
        cuts = StreamCuts(self.streams[name])
        if not recorder.wants("split-invariance") or not cuts.is_spliceable:
            return
        compare = partial(
            self._compare_cut, recorder, expected=self._outcome(name, split="whole")
        )
        for merged in cuts.every_merge():
            compare(self.fed(merged))
        for number, cut in enumerate(cuts.every_one_cut()):
            if number < 600:
                compare(self.fed(cut))

    def random_inputs(self, stream: FuzzInput, seed: int) -> Iterator[FuzzInput]:
        """Yield a stream cut and merged at random, chunk by chunk where that can be."""
        cuts = StreamCuts(stream)
        if not cuts.is_spliceable:
            yield from super().random_inputs(stream, seed)
            return
        for cut in cuts.random(seed=seed, examples=24):
            yield self.fed(cut)

    def made(self, seed: int) -> Iterator[Case]:
        """Yield the case of the streams that hypothesis makes."""
        yield case(f"made {seed}", self._made_streams, seed)

    def _made_streams(self, recorder: Recorder, seed: int) -> None:
        """Try streams that hypothesis makes, each in several ways."""
        made = recorder.made()
        if made is None:
            return
        strategy = made.streams()

        def again(fails: Callable[[FuzzInput], bool]) -> FuzzInput | None:
            found: FuzzInput | None = made.shrink_made(
                strategy, seed, _MADE, lambda stream: fails(self.fed(stream))
            )
            return None if found is None else self.fed(found)

        for number, stream in enumerate(made.make(strategy, seed, _MADE)):
            name = f"made {seed}.{number}"
            recorder.recorded.streams.add(name)
            recorder.count("")
            recorder.again = again
            fed = self.fed(stream)
            self._ask(recorder, fed, name)
            self._ask_beginnings(recorder, fed, self.judge.run(fed))
            if recorder.wants("split-invariance"):
                expected = self.judge.run(self.fed(stream, split="whole"))
                self._ask_splits(recorder, stream, expected)
                recorder.again = None
                self._random_cuts(recorder, stream, mix(seed, number), expected)
            recorder.again = None


def _cut_bytes(data: bytes, seed: int) -> list[bytes]:
    return parse_split(f"random:{seed}").cut_bytes(data)


def _numbered(name: str, default: int | None, length: int) -> list[str]:
    """Return a fault at several places of a stream; at its own of an empty one."""
    if default is None:
        return [name]
    if not length:
        return [f"{name}:{default}"]
    if default >= 100:  # counted in bytes
        return [f"{name}:{number}" for number in (1, default, default * 3)]
    return [f"{name}:{number}" for number in spread(min(length, 9) + 1, 6)]
