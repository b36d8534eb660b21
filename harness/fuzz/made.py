"""Structures that hypothesis makes: argument objects and whole streams.

Hypothesis is good at odd structures and at shrinking them, and slow at making many;
so it makes some hundred, the fast generator of `harness.fuzz.cuts` cuts each of them
in many ways, and what fails is shrunk by hypothesis first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings

from harness import strategies

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

_T = TypeVar("_T")
_TRIES = 500  # of hypothesis, to shrink one value


class _Found(Exception):  # noqa: N818 - never leaves this module
    """Signals to hypothesis that an example failed."""


def make(strategy: SearchStrategy[_T], number: int, count: int) -> list[_T]:
    """Return some values of a strategy; the same for the same number.

    Args:
        strategy: What to make.
        number: The seed.
        count: How many.
    """
    values: list[_T] = []
    _explore(strategy, number, count, values.append, (Phase.generate,))
    return values


def shrink_made(
    strategy: SearchStrategy[_T], number: int, count: int, fails: Callable[[_T], bool]
) -> _T | None:
    """Find the failing value of `make` again and let hypothesis shrink it.

    Args:
        strategy: What was made.
        number: The seed it was made with.
        count: How many were made.
        fails: Returns whether a value fails in the same way.

    Returns:
        The smallest failing value that was found; None if none failed.
    """
    best: list[_T] = []
    left = _TRIES + count

    def test(value: _T) -> None:
        nonlocal left
        left -= 1
        if left >= 0 and fails(value):
            best[:] = [value]
            raise _Found

    try:
        _explore(strategy, number, count, test, (Phase.generate, Phase.shrink))
    except Exception as error:
        if not best:
            raise error from None
    return best[0] if best else None


def _explore(
    strategy: SearchStrategy[_T],
    number: int,
    count: int,
    visit: Callable[[_T], None],
    phases: tuple[Phase, ...],
) -> None:
    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(strategy)
    def explore(value: _T) -> None:
        visit(value)

    explore()


def argument_texts(key: str) -> SearchStrategy[str]:
    """Make JSON texts of argument objects, often with a string under `key`.

    Args:
        key: The wanted key.
    """
    return strategies.argument_texts(
        key, allow_lone_surrogates=False, allow_controls=False, allow_duplicates=False
    )


def streams() -> SearchStrategy[tuple[dict[str, Any], ...]]:
    """Make streams of chat: text, reasoning and calls, which may take turns."""
    made = strategies.chunk_streams(arguments=argument_texts("message"))
    return made.map(lambda stream: tuple(stream.payloads))
