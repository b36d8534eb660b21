"""What to do about a path where nothing is: a URL, or a name almost right."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from harness.errors import CassetteMissingError, did_you_mean

__all__ = ["missing"]

_LOOKED_AT = 2000  # names of a folder that are compared: a larger one takes long


def missing(name: str) -> CassetteMissingError:
    """Return the error for a path where nothing is.

    Args:
        name: As the caller wrote it.

    Returns:
        The error. It names a file beside it that is called almost the same.
    """
    if name.startswith(("http://", "https://")):
        return CassetteMissingError(
            name,
            "this is a URL, and a recording is a file: record it with `harness "
            "record`, or pipe a response: curl -N URL | harness replay -",
        )
    path = Path(name)
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _LOOKED_AT)]
    except (OSError, ValueError):
        names = []
    hint = did_you_mean(path.name, names)
    return CassetteMissingError(
        name, f"there is no such file or folder; {hint or 'check the name'}"
    )
