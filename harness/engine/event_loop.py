"""The event loop that a replay brings where none is running.

An interface object stays with one loop: what it holds of asyncio (an event, a queue)
belongs to the first loop that waited on it, and the same object may be replayed
through again, a cassette at a time.
"""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

_CANCEL_TIMEOUT_S = 1.0  # a task that catches its cancellation is waited for no longer


class OwnLoop:
    """The loop of one interface object; made by `of`.

    It is closed when the object is gone and no replay uses it: one that is collected
    together with its interface still needs the loop to stop its reader.
    """

    _of: dict[int, OwnLoop] = {}  # noqa: RUF012 - by the id of the interface

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        """Not running but while a replay takes its next emission from it."""
        self._users = 0
        self._is_orphan = False

    @classmethod
    def of(cls, interface: Any) -> OwnLoop:
        """Return the loop of an interface object and count one more user of it.

        Args:
            interface: Any object; of one that allows no weak reference nobody could
                report when it is gone, so it gets a loop for this replay only.

        Returns:
            The loop; to be given back with `release`.
        """
        key = id(interface)
        own = cls._of.get(key)
        if own is None:
            own = cls()
            try:
                weakref.finalize(interface, own._orphan, key)
            except TypeError:
                own._is_orphan = True
            else:
                cls._of[key] = own
        own._users += 1
        return own

    def release(self) -> None:
        """Cancel what the interface left running, as `asyncio.run`; use it no more."""
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks, timeout=_CANCEL_TIMEOUT_S))
        for task in tasks:
            if task.done() and not task.cancelled():
                task.exception()  # or asyncio logs that nobody asked
        self._users -= 1
        self._close_if_unused()

    def _orphan(self, key: int) -> None:
        self._of.pop(key, None)
        self._is_orphan = True
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._is_orphan and not self._users:
            self.loop.close()
