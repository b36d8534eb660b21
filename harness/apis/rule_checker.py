"""What holds a stream against the rules of its API, whichever that is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from harness.apis.base import Event, Rule, Violation
from harness.errors import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class RuleChecker(ABC):
    """The state of one stream; what an event may break is for the API's own class."""

    rules: Mapping[str, Rule]
    """By their names without the API."""

    def __init__(self) -> None:
        self.event: int | None = None
        self.found: list[Violation] = []

    def check(self, events: Iterable[Event]) -> Iterator[Violation]:
        """Hold a stream against the rules.

        Args:
            events: The events of one answer; payloads of any shape.

        Yields:
            What breaks a rule, as early as it is known; lazily, one pass.
        """
        for event in events:
            self.event = event.index
            self.feed(event)
            yield from self.found
            self.found.clear()
        self.event = None
        self.close()
        yield from self.found

    @abstractmethod
    def feed(self, event: Event) -> None:
        """Report the rules that an event breaks."""

    @abstractmethod
    def close(self) -> None:
        """Report the rules that the stream as a whole breaks."""

    def broken(self, rule: str, expected: object, got: object) -> None:
        """Report a broken rule, at the event that is read or at the end."""
        self.found.append(self.violation(rule, expected, got))

    def violation(self, rule: str, expected: object, got: object) -> Violation:
        """Return a broken rule that may yet turn out to be none."""
        expected = expected if isinstance(expected, str) else shorten(expected)
        return Violation(self.rules[rule], self.event, expected, self.shown(got))

    def shown(self, got: object) -> str:
        """Return how a message shows what came."""
        return shorten(got)
