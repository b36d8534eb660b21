"""What the user of a recording should know, and is no error: as warnings."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RecordingWarning", "as_warnings"]


class RecordingWarning(UserWarning):
    """Something about a recording; nothing is lost."""


def as_warnings(cassette: str) -> Callable[[str], None]:
    """Return what makes a warning of a line of text.

    Args:
        cassette: Its path, which is shown as the place: our own lines do not help.
    """
    return lambda text: warnings.warn_explicit(text, RecordingWarning, cassette, 0)
