"""The answer of a model in one response: texts and calls, before anybody sends them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from harness.strategies.arguments import argument_texts
from harness.strategies.validation import check_size, check_strategy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis.strategies import SearchStrategy


class SaidCall(NamedTuple):
    """One tool call of an answer."""

    id: str
    name: str
    arguments: str
    """JSON text of one object; empty for a call without arguments."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a model in one response."""

    content: str = ""
    reasoning: str = ""
    calls: tuple[SaidCall, ...] = ()
    """In order of appearance."""

    @property
    def finish(self) -> str:
        """The finish reason that goes with it."""
        return "tool_calls" if self.calls else "stop"


TEXTS = st.text(st.sampled_from('aé🙂日{}[]":,\\ \n\u2028'), max_size=8)
_NAMES = st.sampled_from(["send_message", "f", "get_weather", "send", "send_message2"])


def call_parts(
    max_calls: int,
    arguments: SearchStrategy[str] | None,
    names: SearchStrategy[str] | None,
) -> tuple[SearchStrategy[str], SearchStrategy[str]]:
    """Check the arguments of `answers`.

    Returns:
        What makes names, and what makes arguments texts.

    Raises:
        InvalidArgument: See `answers`.
    """
    check_size("max_calls", max_calls)
    check_strategy("arguments", arguments)
    check_strategy("names", names)
    texts = st.just("") | argument_texts() if arguments is None else arguments
    return _NAMES if names is None else names, texts


def numbered(calls: Iterable[tuple[str, str]]) -> tuple[SaidCall, ...]:
    """Give calls, each its name and arguments, different ids."""
    return tuple(
        SaidCall(f"call_{number}", name, text)
        for number, (name, text) in enumerate(calls)
    )


def answers(
    *,
    max_calls: int = 3,
    arguments: SearchStrategy[str] | None = None,
    names: SearchStrategy[str] | None = None,
) -> SearchStrategy[Answer]:
    """Answers of a model: text, reasoning, and calls with different ids.

    Shrinks to an empty answer, then to fewer and shorter calls and texts.

    Args:
        max_calls: The most tool calls.
        arguments: Makes arguments texts; None takes `argument_texts()` and empty
            ones.
        names: Makes function names; None takes ``send_message`` and others, one of
            which its name begins with.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: `max_calls` is negative or no integer.
    """
    parts = call_parts(max_calls, arguments, names)
    calls = st.lists(st.tuples(*parts), max_size=max_calls).map(numbered)
    return st.builds(Answer, calls=calls, content=TEXTS, reasoning=TEXTS)
