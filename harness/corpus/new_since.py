"""How far a growing corpus has been looked at, for `--new-since`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.atomic import write_atomically
from harness.errors import UsageError, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.corpus.places import Found


class Mark:
    """A time, or a file that holds one and moves on with each complete sweep.

    A file has the time of the newest files that were looked at and their names: more
    may come within the same second, which is as fine as some stores keep time.

    Args:
        text: A date or a time (UTC where it names no zone; files of that very second
            are new), or the name of a file; one
            that is not there yet lets everything in.

    Raises:
        UsageError: The file is no mark.
    """

    def __init__(self, text: str) -> None:
        self._path: str | None = None
        self._time = 0.0
        self._names: set[str] = set()
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            self._path = text
            if Path(text).exists():
                self._load(text)
            elif re.match(r"\d{4}-?\d\d", text):
                raise UsageError(
                    f"--new-since {shorten(text)}: no such time; expected one such as "
                    "2026-01-31 or 2026-01-31T06:00+02:00, or the name of a file"
                ) from None
            return
        self._time = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()

    def _load(self, path: str) -> None:
        try:
            held: Any = json.loads(Path(path).read_bytes())
            self._time = float(held["time"])
            self._names = set(held["names"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"--new-since {shorten(path)}: neither a time such as 2026-01-31T06:00 "
                f"nor a mark that a sweep wrote ({type(error).__name__})"
            ) from None

    def is_new(self, found: Found) -> bool:
        """Return whether a file is newer."""
        if found.modified != self._time:
            return found.modified > self._time
        return found.name not in self._names

    def move(self, seen: Sequence[Found]) -> None:
        """Move the mark to what was looked at; call it after a complete sweep.

        Args:
            seen: The files of the latest time (`Corpus.seen`).
        """
        if self._path is None or not seen:
            return
        names = {found.name for found in seen}
        time = seen[0].modified
        if time == self._time:
            names |= self._names
        text = json.dumps({"time": time, "names": sorted(names)}, indent=1)
        write_atomically(self._path, text.encode())
