"""Paths into a JSON value, such as ``a.b[0].c``, and the places that they lead to."""

from __future__ import annotations

import re
from typing import Final

from harness.errors import UsageError

__all__ = ["Node", "steps_of"]

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


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
