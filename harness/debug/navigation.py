"""Walking through a trace: where one stands, and every way to move.

Owns the moves of the stepper, without a terminal. A move that finds nothing leaves the
position where it is and notes it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Protocol

from harness.apis.varied import Variation, dialects_of, faults_of, vary
from harness.core.splits import SPLITS
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.debug.trace import Moment, Trace


class Follow(Protocol):
    """Makes the trace of one exchange, as `harness.debug.trace.trace` does."""

    def __call__(
        self,
        variation: Variation,
        *,
        exchange: int | None = None,
        tick: Callable[[], None] | None = None,
    ) -> Trace:
        """Return the trace.

        Args:
            variation: How the stream is written, cut and broken.
            exchange: Its number; None is the one that was asked for at first.
            tick: Called again and again meanwhile.
        """


class Walk:
    """A position in a trace.

    Args:
        follow: Makes the trace of a variation; called again for each new one.
        variation: How the stream is written, cut and broken at first.
        questions: What each exchange that can be walked through asked, by number.

    Attributes:
        follow: What it was made with, for whoever calls it in a thread.
        questions: The same.
        trace: What is walked through.
        position: The event at which one stands; 0 in an empty stream.
        status: What the last move reports, such as that there is nothing further.
    """

    def __init__(
        self,
        follow: Follow,
        variation: Variation,
        questions: Mapping[int, str] | None = None,
    ) -> None:
        self.follow = follow
        self.questions = questions or {}
        self._sought = ""
        self.trace = follow(variation)
        self.position = 0
        self.status = ""

    @property
    def moment(self) -> Moment | None:
        """The event at which one stands; None in an empty stream."""
        moments = self.trace.moments
        return moments[self.position] if moments else None

    def other_exchange(self, step: int) -> int | None:
        """Return the number of the next exchange (1) or of the one before (-1)."""
        numbers = sorted(self.questions)
        here = self.trace.exchange
        there = numbers.index(here) + step if here in numbers else -1
        if 0 <= there < len(numbers):
            return numbers[there]
        self.status = f"this is the {'last' if step > 0 else 'first'} exchange"
        return None

    @property
    def place(self) -> str:
        """Where the exchange stands among the others, such as ``1 of 3``."""
        numbers = sorted(self.questions)
        if len(numbers) < 2 or self.trace.exchange not in numbers:
            return ""
        return f"{numbers.index(self.trace.exchange) + 1} of {len(numbers)}"

    def event(self, step: int) -> None:
        """Go some events on, or back where `step` is negative."""
        self._to(self.position + step)

    def chunk(self, step: int) -> None:
        """Go to the first event of the next chunk (1) or of the one before (-1)."""
        self._next_by(step, lambda moment: moment.event.chunk)

    def piece(self, step: int) -> None:
        """Go to the first event of the next network read (1) or the one before (-1)."""
        self._next_by(step, lambda moment: moment.event.piece)

    def emission(self, step: int) -> None:
        """Go to the next (1) or last (-1) event at which something was emitted."""
        self._find(step, lambda moment: bool(moment.emissions), "emission")

    def diagnostic(self, step: int) -> None:
        """Go to the next (1) or last (-1) event with a diagnostic or an exception."""
        raised = {failure.chunk for failure in self.trace.failures.values()}
        self._find(
            step,
            lambda one: bool(one.diagnostics) or one.event.chunk in raised,
            "diagnostic",
        )

    def goto(self, text: str) -> None:
        """Go to the chunk of a number; `text` is what was typed."""
        found = self.trace.numbers_of(int(text)) if text.strip().isdecimal() else []
        if found:
            self._to(found[0])
        else:
            self.status = f"there is no chunk {text!r}"

    def search(self, text: str = "", step: int = 1) -> None:
        """Go to the next event with a text in it, or that completes it.

        Looked at are its raw data, what it carries, and the text and the arguments that
        have come by then: a phrase is found however it was cut.

        Args:
            text: What to find, upper and lower case alike; empty is the last one.
            step: 1 forward, -1 back.
        """
        self._sought = text or self._sought
        wanted = self._sought.casefold()
        if wanted:
            whole = self._completed(self._sought)
            self._find(
                step,
                lambda moment: (
                    moment.event.number in whole
                    or wanted in moment.event.raw.casefold()
                    or any(wanted in carries.casefold() for carries in moment.carries)
                ),
                repr(self._sought),
            )

    def _completed(self, phrase: str) -> set[int]:
        """Return the events at which a phrase of the text or a call is complete."""
        moments = self.trace.moments
        texts = [(self.trace.message.content, [m.content_length for m in moments])]
        for position, call in enumerate(self.trace.message.calls):
            lengths = [
                next((c.length for c in m.calls if c.position == position), 0)
                for m in moments
            ]
            texts.append((call.arguments, lengths))
        pattern = re.compile(re.escape(phrase), re.IGNORECASE)
        return {
            moments[bisect_left(lengths, match.end())].event.number
            for text, lengths in texts
            for match in pattern.finditer(text)
            if lengths and match.end() <= lengths[-1]
        }

    def wanted(self, name: str, text: str) -> Variation | None:
        """Return how the stream is to be heard instead; None, and a status, if wrong.

        Args:
            name: `split`, `dialect` or `fault`: what becomes another.
            text: What the option of that name takes; empty is as recorded.
        """
        current = self.trace.variation
        style = current.style
        asked: dict[str, str | None] = {
            key: str(value) if value else None
            for key, value in (
                ("split", current.split),
                ("dialect", style.dialect if style else current.dialect),
                ("fault", style.fault if style else current.fault),
            )
        }
        asked[name] = text.strip() or None
        try:
            return vary(**asked, api=style.api if style else None)
        except HarnessError as error:
            self.status = str(error)
            return None

    def choices(self, name: str) -> tuple[str, ...]:
        """Return the names that `change` takes for an option; empty for no option."""
        style = self.trace.variation.style
        api = style.api if style is not None else None
        if name == "split":
            return tuple(SPLITS)
        if name == "dialect":
            return tuple(dialects_of(api))
        return tuple(faults_of(api)) if name == "fault" else ()

    def adopt(self, made: Trace) -> None:
        """Go on in another trace: at the same chunk if it is of the same exchange."""
        moment = self.moment if made.exchange == self.trace.exchange else None
        self.trace = made
        self.status = str(self.trace.variation) or "as recorded"
        if moment is None:
            self.position = 0
            return
        found = self.trace.numbers_of(moment.event.chunk)
        last = max(0, len(self.trace.moments) - 1)
        self.position = found[0] if found else min(self.position, last)

    def _to(self, position: int) -> None:
        last = max(0, len(self.trace.moments) - 1)
        self.position = min(max(0, position), last)
        if self.position == position:
            self.status = ""
        else:
            which = "last" if position > 0 else "first"
            self.status = f"this is the {which} event"

    def _next_by(self, step: int, key: Callable[[Moment], int]) -> None:
        moments = self.trace.moments
        if not moments:
            return
        here = key(moments[self.position])
        position = self.position
        while 0 <= position < len(moments) and key(moments[position]) == here:
            position += step
        if step < 0 and position >= 0:  # to the beginning of the one before
            there = key(moments[position])
            while position > 0 and key(moments[position - 1]) == there:
                position -= 1
        self._to(position)

    def _find(self, step: int, wanted: Callable[[Moment], bool], what: str) -> None:
        moments = self.trace.moments
        position = self.position + step
        while 0 <= position < len(moments):
            if wanted(moments[position]):
                self._to(position)
                return
            position += step
        where = "after" if step > 0 else "before"
        self.status = f"no {what} {where} this event"
