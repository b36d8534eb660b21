"""Paths into a JSON value, such as ``a.b[0].c``, and the places that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from harness.core.patterns import late
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP: Final = late(r"\.([^.\[\]]+)|\[(\d+)\]")


class Node:
    """A place in the object that is looked for, or leads to one."""

    __slots__ = ("children", "has_come", "is_wanted", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        """As the caller named it."""
        self.children: dict[str | int, Node] = {}
        self.is_wanted = False
        """Whether its own value is wanted, and not only what is below it."""
        self.has_come = False
        """Whether a value has begun there."""


def steps_of(path: str) -> list[str | int]:
    """Split a path into keys and indexes.

    Args:
        path: Such as ``a.b[0].c``.

    Returns:
        Its steps.

    Raises:
        UsageError: It cannot be read.
    """
    steps: list[str | int] = []
    position, dotted = 0, f".{path}"
    while match := _STEP.match(dotted, position):
        steps.append(int(match[2]) if match[1] is None else match[1])
        position = match.end()
    if position < len(dotted):
        raise UsageError(f"path {path!r}: expected keys and indexes such as 'a.b[0].c'")
    return steps


def value_at(value: Any, steps: Sequence[Any]) -> Any:
    """Return what stands in a JSON value where the steps lead to."""
    for step in steps:
        value = value[step]
    return value


def with_value(container: Any, steps: Sequence[Any], value: Any) -> Any:
    """Return a copy of a JSON value with another value where the steps lead to."""
    if not steps:
        return value
    step, *rest = steps
    inner = with_value(container[step], rest, value)
    if isinstance(container, list):
        return [*container[:step], inner, *container[step + 1 :]]
    return {**container, step: inner}
