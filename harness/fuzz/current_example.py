"""Which example this process is running: what the watch looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.fuzz.fuzz_inputs import FuzzInput


class _Current:
    """What is being run in this process."""

    fed: FuzzInput | None = None
    """None between two examples."""
    begun: Callable[[FuzzInput], None] | None = None
    """Called before each example where one has ended the process before."""
    taken: int | None = None
    """How many of its items the consumer has taken; None where it is handed them one
    by one or all at once."""
    emits: bool = False
    """Whether the consumer emitted something, one after the other, the last time."""


CURRENT = _Current()
"""The example of this process."""
