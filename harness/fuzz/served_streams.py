"""The consumer that is given a base URL: every example goes through a real server.

The server of `harness.serve` runs in a thread of this process, on loopback. Pieces of
bytes become writes; how many of them a client reads at once is the network's choice,
so cuts of bytes are likely here, not certain (`--as bytes` makes them certain).
"""

from __future__ import annotations

import atexit
from typing import TYPE_CHECKING, Any

from harness.fuzz.calling import call_and_fold
from harness.fuzz.driving import BaseConsumer, Level
from harness.fuzz.probes import probes
from harness.fuzz.writing import cassette_of
from harness.serve import serve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.fuzz.outcomes import Outcome
    from harness.serve import RunningServer

__all__ = ["UrlConsumer"]

_SERVER: list[RunningServer] = []


def _server() -> RunningServer:
    """Return the server of this process; it runs until the process ends."""
    if not _SERVER:
        server = serve(cassette_of(probes()["content"]), match="order")
        server.__enter__()
        atexit.register(server.__exit__, None, None, None)
        _SERVER.append(server)
    return _SERVER[0]


class UrlConsumer(BaseConsumer):
    """A callable given the base URL of a server that answers with the example."""

    level = Level.URL

    def run(self, arrival: Sequence[Any], *, is_beginning: bool = False) -> Outcome:
        """Let the server say the bytes and call it."""
        del is_beginning  # a client cannot tell the end from a beginning
        server = _server()
        server.say(arrival)
        return call_and_fold(self, server.base_url)
