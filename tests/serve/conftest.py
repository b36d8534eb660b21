"""What every serving test needs: the garbage collector out of the server's thread."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _surroundings(collector_waits: None) -> None:
    """See the fixture."""
