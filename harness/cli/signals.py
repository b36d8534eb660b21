"""Stopping a server that runs until it is stopped."""

from __future__ import annotations

import asyncio
import signal


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set an event on Ctrl-C and on SIGTERM; call it inside the running loop."""
    loop = asyncio.get_running_loop()

    def wake(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, wake)
        except NotImplementedError:  # Windows
            signal.signal(number, wake)
