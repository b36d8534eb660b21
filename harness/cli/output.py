"""Standard output, kept for the format that was asked for.

A user's interface prints (Letta's `QueuingInterface` prints every message); among JSON
lines that would be broken output. While a command runs a user's code, whatever that
code prints, also below Python, goes to standard error.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

_TARGET = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")  # no path of Windows looks so

_before: TextIO | None = None  # `sys.stdout`, while it is something else
_copy: TextIO | None = None  # of it, where the file below it is something else too


def out() -> TextIO:
    """Return where a command writes what it was asked for."""
    return _copy or _before or sys.stdout


def imports_own_code(*, goes_first: bool = True) -> None:
    """Prepare for a user's code: importable as by `python -m`, its prints put apart.

    Lasts until `rejoin`; a second call changes nothing.

    Args:
        goes_first: Whether modules of the current folder shadow installed ones.
    """
    global _before, _copy  # noqa: PLW0603 - a process has one standard output
    if "" not in sys.path:
        sys.path.insert(0 if goes_first else len(sys.path), "")
    if _before is not None:
        return
    sys.stdout.flush()
    _before = sys.stdout
    original = sys.__stdout__
    if original is not None and _before is original:
        descriptor = original.fileno()
        _copy = os.fdopen(
            os.dup(descriptor), "w", encoding=original.encoding, errors=original.errors
        )
        os.dup2(sys.stderr.fileno(), descriptor)
    sys.stdout = sys.stderr


def apart(named: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the paths among what was named, and the user's interfaces."""
    own = tuple(
        name for name in named if _TARGET.fullmatch(name) and not Path(name).exists()
    )
    return tuple(name for name in named if name not in own), own


@contextmanager
def replaced(stdout: TextIO, stderr: TextIO) -> Iterator[None]:
    """Let others stand for the outputs, whatever `imports_own_code` did before."""
    global _before, _copy
    saved = _before, _copy, sys.stdout, sys.stderr
    _before, _copy, sys.stdout, sys.stderr = None, None, stdout, stderr
    try:
        yield
    finally:
        rejoin()
        stdout.flush()
        stderr.flush()
        _before, _copy, sys.stdout, sys.stderr = saved


def rejoin() -> None:
    """Undo what `imports_own_code` did to the outputs, if it was called."""
    global _before, _copy
    if _before is None:
        return
    before, copy, _before, _copy = _before, _copy, None, None
    if copy is not None:
        before.flush()
        copy.flush()
        os.dup2(copy.fileno(), before.fileno())
        copy.close()
    sys.stdout = before
