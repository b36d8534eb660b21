"""Journals that killed processes left: who may take them, and how.

Owns the claim: a journal is taken only when its process has ended, and by one process
at a time. What is done with it is decided in `harness.cassettes.keeping`.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassettes.interactions import exchanges_of
from harness.cassettes.journal import FLAGS, OWN, remove_open
from harness.cassettes.journal_text import (
    is_journal,
    journal_line,
    parse_journal,
    writer_of,
)
from harness.cassettes.locks import is_gone, try_lock
from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LeftOver", "claim_left_over", "is_being_written"]


class LeftOver:
    """A journal whose process has ended, locked so that nobody else takes it.

    Attributes:
        path: The file.
        exchanges: What it holds, in the order of their requests.
        text: The rest of what it says.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.text = parse_journal(path.read_bytes(), str(path))
        self.exchanges = (
            exchanges_of(
                {"interactions": self.text.interactions, "version": 1}, str(path)
            )
            if self.text.interactions
            else []
        )

    def mark_folded(self, digest: str) -> None:
        """Note that the cassette of that content has it all."""
        with contextlib.suppress(OSError):
            if self.text.torn:
                whole = os.fstat(self._descriptor).st_size - self.text.torn
                os.ftruncate(self._descriptor, whole)
            os.write(self._descriptor, journal_line({"folded": digest}))

    def release(self) -> None:
        """Let others take it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Remove the file: what it held is in a file that stays."""
        remove_open(self.path, self._descriptor)
        self._descriptor = -1


def claim_left_over(cassette: str, warn: Callable[[str], object]) -> list[LeftOver]:
    """Take the journals of one cassette whose processes have ended.

    Args:
        cassette: The cassette's path.
        warn: Called with one line for each that cannot be read; it stays.

    Returns:
        The oldest first; each is to be released.
    """
    target = Path(os.path.realpath(cassette))
    try:
        found = [
            each
            for each in target.parent.iterdir()
            if is_journal(each.name, target.name)
        ]
    except OSError:  # no folder yet, or none that can be listed
        return []
    claimed = []
    for path in sorted(found, key=_age):
        descriptor = _claim(path)
        if descriptor is None:
            continue
        try:
            claimed.append(LeftOver(path, descriptor))
        except (CassetteError, OSError) as error:
            os.close(descriptor)
            warn(f"left as it is, and not in {cassette}: {error}")
    return claimed


def is_being_written(path: str) -> bool:
    """Tell whether the process that writes a journal is alive."""
    descriptor = _claim(Path(path))
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # folded by another process just now
        return 0


def _claim(path: Path) -> int | None:
    """Return an open, locked journal, or None if it is in use or gone."""
    if path.name in OWN:
        return None
    try:
        descriptor = os.open(path, FLAGS)
    except OSError:
        return None
    has_lock = try_lock(descriptor)
    if has_lock is None:
        has_lock = is_gone(writer_of(path.name), path)
    if has_lock and os.fstat(descriptor).st_nlink:
        return descriptor
    os.close(descriptor)
    return None
