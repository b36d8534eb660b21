"""The arguments of calls, cut and written in every way: for handlers of arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.chat.dialects.habits import REWRITES
from harness.core.stable_random import mix
from harness.fuzz.cuts import random_cuts, text_cuts
from harness.fuzz.driving import HandlerConsumer
from harness.fuzz.stock import broken_texts, stock_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.fuzz.arrivals import Arrival
    from harness.fuzz.findings import Findings

__all__ = ["TextRounds"]

_MADE = 60  # texts a round; hypothesis makes one in about 2 ms


class TextRounds:
    """Tries texts on a handler until something stops it.

    Args:
        findings: Counts, judges and keeps.
        recordings: Recorded streams by name, whose calls are tried besides the stock.
    """

    def __init__(self, findings: Findings, recordings: Mapping[str, Arrival]) -> None:
        self._findings = findings
        self._judge = findings.judge
        self._recordings = recordings

    def run(self) -> None:
        """Try everything once, then random cuts and made texts without end.

        Raises:
            OverError: The plan is fulfilled.
        """
        key = self._judge.key
        texts = dict(stock_texts(key))
        for name, stream in self._recordings.items():
            for number, call in enumerate(self._judge.truth(stream).calls):
                texts[f"{name}, call {number}"] = call.arguments
        for number, text in enumerate(broken_texts(key).values()):
            self._try_broken_text(text, mix(self._findings.plan.seed, number))
        for name, text in texts.items():
            self._try_text(name, text)
        for text in texts.values():
            self._try_rewritten(text)
        self._findings.tried.is_complete = True
        for number, text in enumerate(texts.values()):
            self._cut_text(text, mix(self._findings.plan.seed, number), 40)
        turn = 0
        while True:
            turn += 1
            self._try_made_texts(key, mix(self._findings.plan.seed, turn))
            for number, text in enumerate(texts.values()):
                self._random_text(text, mix(self._findings.plan.seed, turn, number), 60)

    def _try_text(self, name: str, text: str) -> None:
        """Ask every relation once."""
        judge = self._judge
        arrival: Arrival = (text,)
        self._findings.tried.streams.add(name)
        if self._findings.wants("agreement"):
            self._findings.count("agreement")
            self._findings.found(judge.agrees(arrival, judge.run(arrival)))
        if self._findings.wants("split-invariance"):
            self._findings.count("split-invariance", 2)
            self._findings.found(judge.judge("split-invariance", tuple(text)))
        if self._findings.wants("prefix-safety"):
            self._findings.count("prefix-safety", 2)
            self._findings.found(judge.judge("prefix-safety", tuple(text)))

    def _try_rewritten(self, text: str) -> None:
        """Write the text in every other way that means the same."""
        judge = self._judge
        if self._findings.wants("dialect-invariance"):
            for dialect, rewrite in REWRITES.items():
                self._findings.tried.dialects[f"arguments-{dialect}"] += 1
                written = rewrite(text)
                for cut in ((written,), tuple(written)):
                    self._findings.count("dialect-invariance", 2)
                    self._findings.found(judge.judge("dialect-invariance", cut))

    def _try_broken_text(self, text: str, seed: int) -> None:
        if not self._findings.wants("faults"):
            return
        self._findings.tried.faults["malformed arguments"] += 1
        for cut in text_cuts(text, seed=seed, examples=5):
            self._findings.count("faults")
            self._findings.found(self._judge.judge("faults", cut))

    def _cut_text(self, text: str, seed: int, examples: int) -> None:
        if self._findings.wants("split-invariance"):
            self._feed_cuts(text, text_cuts(text, seed=seed, examples=examples))

    def _random_text(self, text: str, seed: int, examples: int) -> None:
        if self._findings.wants("split-invariance") and len(text) > 1:
            self._feed_cuts(text, random_cuts(text, seed=seed, examples=examples))

    def _feed_cuts(self, text: str, cuts: Iterator[Arrival]) -> None:
        """The hot loop: cut, feed, compare; the judge is asked when they differ."""
        consumer = self._judge.consumer
        assert isinstance(consumer, HandlerConsumer), "texts are for handlers"
        if consumer.outcome is not None:
            for cut in cuts:
                self._findings.tried.cuts += 1
                self._findings.count("split-invariance", 2)
                self._findings.found(self._judge.judge("split-invariance", cut))
            return
        expected = consumer.text_of((text,))
        text_of = consumer.text_of
        for cut in cuts:
            self._findings.tried.cuts += 1
            self._findings.count("split-invariance")
            if text_of(cut) != expected:
                self._findings.found(self._judge.judge("split-invariance", cut))

    def _try_made_texts(self, key: str, seed: int) -> None:
        made = self._findings.made()
        if made is None:
            return
        strategy = made.argument_texts(key)
        count = _MADE

        def again(fails: Callable[[Arrival], bool]) -> Arrival | None:
            text = made.shrink_made(
                strategy, seed, count, lambda text: fails(tuple(text))
            )
            return None if text is None else tuple(text)

        for number, text in enumerate(made.make(strategy, seed, count)):
            self._findings.again = again
            self._try_text(f"made {seed}.{number}", text)
            self._try_rewritten(text)
            self._findings.again = None
            self._random_text(text, mix(seed, number), 120)
