"""Whose line raised: the user's frame of a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_OURS = str(Path(__file__).resolve().parent.parent)


class Frame(NamedTuple):
    """A line of code."""

    file: str
    """Its path, from the current folder where the file is below it."""
    line: int
    """From 1."""
    function: str
    """The function it stands in."""

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, in {self.function}"


def user_frame(error: BaseException) -> Frame | None:
    """Find the line of a user's code that raised.

    Args:
        error: What was raised, through that code.

    Returns:
        The innermost frame that is neither ours nor a library's; where the user's
        code is itself installed, the innermost one of the file that was entered
        first. None where no frame is the user's.
    """
    # Not at the top: most replays see no exception, and these take 10 ms to import.
    import sysconfig
    import traceback

    installed = tuple(
        sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib")
    )
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_OURS, "<frozen"))
    ]
    own = [frame for frame in frames if not frame.filename.startswith(installed)]
    if not own:
        own = [frame for frame in frames if frame.filename == frames[0].filename]
    if not own:
        return None
    path = Path(own[-1].filename)
    if path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return Frame(str(path), own[-1].lineno or 0, own[-1].name)
