"""The rows of `old_releases.py`: which release has which public bug."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ROWS", "Row"]


class Row(NamedTuple):
    """A public bug of an old release."""

    name: str
    old: tuple[str, ...]
    """What is installed; the first is the library."""
    fixed: tuple[str, ...]
    """What has it no more."""
    target: str
    """The reader: a module beside this one and a name in it."""
    bug: str
    """Where it is public."""
    shows: str
    """What the report of the finding has in it, as a regular expression."""
    level: str = "url"
    api: str = "chat"


ROWS: list[Row] = []
