"""An engine without processes, and a job whose items can be poison."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.corpus.engines import Engine
from harness.corpus.opening import TEXT, Entry, Item
from harness.corpus.places import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.corpus.worker import Job


class Here(Engine):
    """Works in this process, so that a test takes no time; interrupted if asked."""

    workers = 1

    def __init__(self, job: Job, *, interrupted_after: int | None = None) -> None:
        self._job = job
        self._left = interrupted_after

    def submit(self, items: Sequence[Item]) -> Future[list[list[Any]]]:
        """Do it at once."""
        future: Future[list[list[Any]]] = Future()
        future.set_result([self._one(item) for item in items])
        return future

    def _one(self, item: Item) -> list[Any]:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt
        return self._job.work(item)

    def __exit__(self, *_error: object) -> None:
        pass


@dataclass(frozen=True)
class Poison:
    """Does what an item says, and returns its name and length."""

    pause_s: float = 0.0

    def prepare(self) -> None:
        """Nothing is needed."""

    def work(self, item: Item) -> list[Any]:
        """Hang, take memory, die, or return."""
        time.sleep(self.pause_s)
        if item.data == b"hangs":
            time.sleep(600)
        if item.data == b"is huge":
            bytearray(10 << 30)
        if item.data == b"dies":
            os.kill(os.getpid(), signal.SIGKILL)
        return [[item.name, len(item.data)]]

    def give_up(self, item: Item, reason: str) -> list[Any]:
        """Return the reason."""
        return [[item.name, reason]]


def entries(*contents: bytes) -> list[Entry]:
    """Return entries named after their number."""
    made = []
    for number, data in enumerate(contents):
        item = Item(str(number), TEXT, data)
        found = Found(item.name, len(data), 0)
        made.append(Entry(item.name, len(data), partial(Item, *item), found))
    return made
