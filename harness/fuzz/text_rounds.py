"""The arguments of calls, cut and written in every way: for handlers of arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.apis.chat.dialects.habits import REWRITES
from harness.core.stable_random import mix
from harness.fuzz.cuts import random_cuts, text_cuts
from harness.fuzz.example_runner import HandlerConsumer
from harness.fuzz.stock_streams import broken_texts, stock_texts
from harness.fuzz.trial_cases import Case, Recorder, case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.fuzz.fuzz_inputs import FuzzInput
    from harness.fuzz.judge import Judge

_MADE = 60  # texts a round; hypothesis makes one in about 2 ms


@dataclass(eq=False)
class TextRounds:
    """The cases of texts.

    Args:
        judge: Judges the handler.
        seed: Decides everything that is random.
        recordings: Recorded streams by name, whose calls are tried besides the stock.
    """

    judge: Judge
    seed: int
    recordings: Mapping[str, FuzzInput]

    def cases(self) -> Iterator[Case]:
        """Yield everything once, then random cuts and made texts without end."""
        key = self.judge.key
        texts = dict(stock_texts(key))
        for name, stream in self.recordings.items():
            for number, call in enumerate(self.judge.truth(stream).calls):
                texts[f"{name}, call {number}"] = call.arguments
        for number, (name, text) in enumerate(texts.items()):
            ends = "floor" if number == len(texts) - 1 else ""
            yield case(name, self._try_text, name, text, ends=ends)
        for number, (name, text) in enumerate(broken_texts(key).items()):
            seed = mix(self.seed, number)
            yield case(name, self._try_broken_text, text, seed)
        for number, (name, text) in enumerate(texts.items()):
            ends = "everything" if number == len(texts) - 1 else ""
            yield case(f"{name}, rewritten", self._try_rewritten, text, ends=ends)
        for number, (name, text) in enumerate(texts.items()):
            seed = mix(self.seed, number)
            yield case(f"{name}, cut", self._cut_text, text, seed)
        turn = 0
        while True:
            turn += 1
            seed = mix(self.seed, turn)
            yield case(f"made {seed}", self._try_made_texts, key, seed)
            for number, (name, text) in enumerate(texts.items()):
                seed = mix(self.seed, turn, number)
                yield case(f"{name}, at random", self._random_text, text, seed, 60)

    def _try_text(self, recorder: Recorder, name: str, text: str) -> None:
        """Ask every relation once."""
        judge = self.judge
        fed: FuzzInput = (text,)
        recorder.recorded.streams.add(name)
        if recorder.wants("agreement"):
            recorder.count("agreement")
            recorder.found(judge.agrees(fed, judge.run(fed)))
        for relation in ("split-invariance", "prefix-safety"):
            recorder.ask(judge, relation, tuple(text), 2)

    def _try_rewritten(self, recorder: Recorder, text: str) -> None:
        """Write the text in every other way that means the same."""
        if recorder.wants("dialect-invariance"):
            for dialect, rewrite in REWRITES.items():
                recorder.recorded.dialects[f"arguments-{dialect}"] += 1
                written = rewrite(text)
                for cut in ((written,), tuple(written)):
                    recorder.ask(self.judge, "dialect-invariance", cut, 2)

    def _try_broken_text(self, recorder: Recorder, text: str, seed: int) -> None:
        if recorder.wants("faults"):
            recorder.recorded.faults["malformed arguments"] += 1
            for cut in text_cuts(text, seed=seed, examples=5):
                recorder.ask(self.judge, "faults", cut, 1)

    def _cut_text(self, recorder: Recorder, text: str, seed: int) -> None:
        self._feed_cuts(recorder, text, text_cuts(text, seed=seed, examples=40))

    def _random_text(
        self, recorder: Recorder, text: str, seed: int, examples: int
    ) -> None:
        if len(text) > 1:
            cuts = random_cuts(text, seed=seed, examples=examples)
            self._feed_cuts(recorder, text, cuts)

    def _feed_cuts(
        self, recorder: Recorder, text: str, cuts: Iterator[FuzzInput]
    ) -> None:
        """The hot loop: cut, feed, compare; the judge is asked when they differ."""
        if not recorder.wants("split-invariance"):
            return
        consumer = self.judge.consumer
        assert isinstance(consumer, HandlerConsumer), "texts are for handlers"
        if consumer.outcome is not None:
            for cut in cuts:
                recorder.recorded.cuts += 1
                recorder.ask(self.judge, "split-invariance", cut, 2)
            return
        expected = consumer.text_of((text,))
        text_of = consumer.text_of
        for cut in cuts:
            recorder.recorded.cuts += 1
            recorder.count("split-invariance")
            if text_of(cut) != expected:
                recorder.found(self.judge.judge("split-invariance", cut))

    def _try_made_texts(self, recorder: Recorder, key: str, seed: int) -> None:
        made = recorder.made()
        if made is None:
            return
        strategy = made.argument_texts(key)

        def again(fails: Callable[[FuzzInput], bool]) -> FuzzInput | None:
            text = made.shrink_made(
                strategy, seed, _MADE, lambda text: fails(tuple(text))
            )
            return None if text is None else tuple(text)

        for number, text in enumerate(made.make(strategy, seed, _MADE)):
            recorder.again = again
            self._try_text(recorder, f"made {seed}.{number}", text)
            self._try_rewritten(recorder, text)
            recorder.again = None
            self._random_text(recorder, text, mix(seed, number), 120)
