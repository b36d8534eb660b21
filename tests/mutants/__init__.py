"""One line broken on purpose for each rule, and the test that must notice.

`mutants.toml` is the list; `python -m tests.mutants` applies each to a copy of the
tree, never to the tree itself, and runs its test there.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

__all__ = ["LIST", "ROOT", "Mutant", "applied", "load"]

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutants.toml")


class Mutant(NamedTuple):
    """One broken line."""

    rule: str
    """What is no longer kept; names the mutant."""
    file: str
    """Below the root."""
    old: str
    """Text that stands in the file exactly once."""
    new: str
    test: str
    """The node id of the test that must fail, for this reason alone."""


def load() -> list[Mutant]:
    """Read the list.

    Raises:
        ValueError: An entry lacks a field, has another, or two have one name.
    """
    document = tomllib.loads(LIST.read_text(encoding="utf-8"))
    folders = document["tests"]
    mutants = []
    for file, entries in document["mutants"].items():
        for entry in entries:
            where, _, test = entry["test"].partition("::")
            found = Mutant(
                **entry | {"file": file, "test": f"{folders[where]}::{test}"}
            )
            mutants.append(found)
    names = [mutant.rule for mutant in mutants]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ValueError(f"{LIST.name}: rules that stand twice: {sorted(doubled)}")
    return mutants


def applied(mutant: Mutant, text: str) -> str:
    """Return the text of the file with the line broken.

    Args:
        mutant: What to break.
        text: The file as it is.

    Raises:
        ValueError: The old text does not stand there exactly once.
    """
    count = text.count(mutant.old)
    if count != 1:
        raise ValueError(
            f"{mutant.rule}: {mutant.old!r} stands {count} times in {mutant.file}, "
            f"expected once; bring {LIST.name} up to date"
        )
    return text.replace(mutant.old, mutant.new)
