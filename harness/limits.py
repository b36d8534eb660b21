"""How much of anything is taken in: every limit by name, with what it bounds.

A limit stops an input that would take the machine down: a few kilobytes that unpack to
gigabytes, a request without an end, a client that never finishes. Each can be set by
one environment variable, read where it is used, and each error that comes of one names
it, its value and how to raise it.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

from harness.errors import UsageError, shorten

_MIB = 1 << 20


class Limit(NamedTuple):
    """One limit; all of them are in `LIMITS`."""

    variable: str
    """The environment variable that sets it."""
    default: int
    """What holds where the variable is not set."""
    unit: str
    """What is counted: ``bytes``, ``s`` or ``sessions``."""
    bounds: str
    """What it bounds, as a phrase."""

    @property
    def value(self) -> int:
        """What holds now, of what is counted.

        Raises:
            UsageError: The variable holds no number, or none that can be a limit.
        """
        return int(self._set(1))

    @property
    def seconds(self) -> float:
        """What holds now, of time; otherwise as `value`."""
        return self._set(0.001)

    def _set(self, least: float) -> float:
        text = os.environ.get(self.variable, "")
        if not text:
            return self.default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value < math.inf:  # also what is no number
            raise UsageError(
                f"{self.variable}: expected a number of {self.unit} from {least:g}, "
                f"got {shorten(text)}"
            )
        return value

    @property
    def problem(self) -> str:
        """What an error states where something is beyond the limit."""
        value = f"{self.seconds:g}" if self.unit == "s" else str(self.value)
        return (
            f"{self.bounds}: more than the limit of {value} {self.unit}; "
            f"set {self.variable} higher to allow it"
        )


BODY = Limit(
    "HARNESS_MAX_BODY_BYTES",
    128 * _MIB,
    "bytes",
    "one body, its content encodings undone",
)
CASSETTE = Limit(
    "HARNESS_MAX_CASSETTE_BYTES",
    512 * _MIB,
    "bytes",
    "the text of one cassette, or its bodies together",
)
EVENT = Limit(
    # A whole answer in one event is well below 1 MB; this leaves room for images.
    "HARNESS_MAX_EVENT_BYTES",
    16 * _MIB,
    "bytes",
    "one event of a stream",
)
REQUEST = Limit(
    # OpenAI takes 50 MB of images in one request.
    "HARNESS_MAX_REQUEST_BYTES",
    64 * _MIB,
    "bytes",
    "the body of one request to `harness serve` or the proxy",
)
REQUEST_TIME = Limit(
    "HARNESS_REQUEST_TIMEOUT_S",
    30,
    "s",
    "the time from the first byte of a request to its last",
)
IDLE = Limit(
    "HARNESS_IDLE_TIMEOUT_S",
    75,  # nginx's default
    "s",
    "the time a connection may be silent before a request",
)
SESSIONS = Limit(
    "HARNESS_MAX_SESSIONS",
    10_000,
    "sessions",
    "the sessions that `harness serve` remembers",
)
LOGGED = Limit(
    "HARNESS_MAX_LOG_BYTES",
    256 * _MIB,
    "bytes",
    "the request bodies that `harness serve` remembers",
)

LIMITS = (BODY, CASSETTE, EVENT, REQUEST, REQUEST_TIME, IDLE, SESSIONS, LOGGED)
"""All of them."""
