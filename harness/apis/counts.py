"""Token counts that every API has a name for, and those that one API alone has."""

from __future__ import annotations

from typing import Any

from harness.core.parts import Usage


def index_of(value: object, otherwise: int | None = None) -> int | None:
    """Return an index, also one sent as `1.0` or `"1"`; another where it is none."""
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    is_index = type(value) is str and value.isascii() and value.isdigit()
    return int(str(value)) if is_index and len(str(value)) < 10 else otherwise


def count_in(counts: dict[str, Any], *path: str) -> int | None:
    """Return the count at a path of an object; None where there is none."""
    value: Any = counts
    for key in path:
        value = value.get(key) if type(value) is dict else None
    return value if type(value) is int else None


def usage_of(counts: dict[str, Any], *paths: str) -> Usage:
    """Return token counts whose neutral ones stand at paths, joined by dots."""
    return Usage(counts, *(count_in(counts, *path.split(".")) for path in paths))


def other_counts(usage: Usage) -> int:
    """Return how many counts are lost where only the neutral ones are written.

    A count of nothing is none, and neither is a sum or a difference of neutral ones.
    """
    asked, answered = usage.input_tokens or 0, usage.output_tokens or 0
    cached, thought = usage.cached_tokens or 0, usage.reasoning_tokens or 0
    neutral = {asked, answered, cached, thought}
    neutral |= {asked - cached, answered - thought, asked + answered}
    return sum(leaf not in neutral for leaf in _leaves(usage.counts))


def _leaves(value: object) -> list[object]:
    found: list[object] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is dict:
            waiting += one.values()
        elif type(one) is list:
            waiting += one
        elif one:
            found.append(one)
    return found
