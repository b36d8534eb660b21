"""Arguments of strategies, checked when a strategy is made and not when it draws.

Hypothesis' own error is raised, as by every other strategy that a test combines
these with; see its guides/api-style.rst.
"""

from __future__ import annotations

from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy


def check_size(name: str, value: object, *, least: int = 0) -> None:
    """Refuse what is no integer of at least `least`.

    Args:
        name: The argument's name.
        value: What was given.
        least: The smallest value that makes sense.

    Raises:
        InvalidArgument: It is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgument(
            f"{name}={value!r}: expected an integer of at least {least}"
        )


def check_text(name: str, value: object) -> None:
    """Refuse what is no text.

    Args:
        name: The argument's name.
        value: What was given.

    Raises:
        InvalidArgument: It is no `str`.
    """
    if not isinstance(value, str):
        raise InvalidArgument(f"{name}={value!r}: expected a text")


def check_strategy(name: str, value: object) -> None:
    """Refuse what is neither None nor a strategy.

    Args:
        name: The argument's name.
        value: What was given.

    Raises:
        InvalidArgument: It is neither.
    """
    if value is not None and not isinstance(value, SearchStrategy):
        raise InvalidArgument(f"{name}={value!r}: expected a strategy or None")
