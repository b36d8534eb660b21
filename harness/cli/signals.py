"""Stopping a server that runs until it is stopped."""

from __future__ import annotations

import asyncio
import signal


def stop_on_signals() -> asyncio.Event:
    """Return what Ctrl-C and SIGTERM set; call it inside the running loop."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def wake(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, wake)
        except NotImplementedError:  # Windows
            signal.signal(number, wake)
    return stop
