"""Walking through a trace: where one stands, and every way to move.

Owns the moves of the stepper, without a terminal. A move that finds nothing leaves the
position where it is and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.varied import Variation, vary
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.debug.trace import Moment, Trace

__all__ = ["Walk"]


class Walk:
    """A position in a trace.

    Args:
        follow: Makes the trace of a variation; called again for each new one.
        variation: How the stream is said, cut and broken at first.

    Attributes:
        trace: What is walked through.
        position: The event at which one stands; 0 in an empty stream.
        status: What the last move has to say, such as that there is nothing further.
    """

    def __init__(
        self, follow: Callable[[Variation], Trace], variation: Variation
    ) -> None:
        self._follow = follow
        self._sought = ""
        self.trace = follow(variation)
        self.position = 0
        self.status = ""

    @property
    def moment(self) -> Moment | None:
        """The event at which one stands; None in an empty stream."""
        moments = self.trace.moments
        return moments[self.position] if moments else None

    def event(self, step: int) -> None:
        """Go some events on, or back where `step` is negative."""
        self._to(self.position + step)

    def chunk(self, step: int) -> None:
        """Go to the first event of the next chunk (1) or of the one before (-1)."""
        self._next_by(step, lambda moment: moment.arrival.chunk)

    def piece(self, step: int) -> None:
        """Go to the first event of the next network read (1) or the one before (-1)."""
        self._next_by(step, lambda moment: moment.arrival.piece)

    def emission(self, step: int) -> None:
        """Go to the next (1) or last (-1) event at which something was emitted."""
        self._find(step, lambda moment: bool(moment.emissions), "emission")

    def diagnostic(self, step: int) -> None:
        """Go to the next (1) or last (-1) event with a diagnostic."""
        self._find(step, lambda moment: bool(moment.diagnostics), "diagnostic")

    def goto(self, text: str) -> None:
        """Go to the chunk of a number; `text` is what was typed."""
        found = self.trace.numbers_of(int(text)) if text.strip().isdecimal() else []
        if found:
            self._to(found[0])
        else:
            self.status = f"there is no chunk {text!r}"

    def search(self, text: str = "", step: int = 1) -> None:
        """Go to the next event with a text in its raw data or in what it says.

        Args:
            text: What to find, upper and lower case alike; empty is the last one.
            step: 1 forward, -1 back.
        """
        self._sought = text or self._sought
        wanted = self._sought.casefold()
        if wanted:
            self._find(
                step,
                lambda moment: (
                    wanted in moment.arrival.raw.casefold()
                    or any(wanted in said.casefold() for said in moment.said)
                ),
                repr(self._sought),
            )

    def change(self, name: str, text: str) -> None:
        """Hear the same stream otherwise, staying at the chunk.

        Args:
            name: `split`, `dialect` or `fault`.
            text: What the option of that name takes; empty is as recorded. What is
                wrong leaves all as it is, and is said in `status`.
        """
        current = self.trace.variation
        asked: dict[str, str | None] = {
            key: str(value) if value is not None else None
            for key, value in (
                ("split", current.split),
                ("dialect", current.dialect),
                ("fault", current.fault),
            )
        }
        asked[name] = text.strip() or None
        moment = self.moment
        try:
            self.trace = self._follow(vary(**asked))
        except HarnessError as error:
            self.status = str(error)
            return
        self.status = str(self.trace.variation) or "as recorded"
        found = self.trace.numbers_of(moment.arrival.chunk) if moment else []
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
