"""Regular expressions that are compiled when they are first used.

To compile one takes 0.1 to 1 ms, and most commands use few of those that their modules
name: for what a plain replay does not match with.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Late:
    """Stands for a pattern; its methods are the pattern's from the first use on."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what `re.compile` does, compiled when it is first used."""
    return cast("re.Pattern[AnyStr]", _Late(pattern, flags))
