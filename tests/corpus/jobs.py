"""An engine without processes, and a job whose items can be poison."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
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


_victims: list[int] = []  # who is being killed: this process or the one above


def _end_with(victim: int) -> None:
    """Wait for that process to die, and die."""
    while victim in (os.getpid(), os.getppid()):
        time.sleep(0.005)
    os._exit(1)


@dataclass(frozen=True)
class Poison:
    """Does what an item says, and returns its name and length."""

    folder: str = ""
    """Where an item that kills leaves a file, so that it does so once."""
    kills_parent: bool = False
    """Whether it kills the process above."""

    def prepare(self) -> None:
        """Nothing is needed."""

    def work(self, item: Item) -> list[Any]:
        """Hang, take memory, die, or return."""
        if _victims:
            _end_with(_victims[0])
        if item.data == b"hangs":
            time.sleep(600)
        if item.data == b"is huge":
            bytearray(10 << 30)
        if item.data == b"dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if item.data.startswith(b"kills"):
            self._kill(item)
        return [[item.name, len(item.data)]]

    def _kill(self, item: Item) -> None:
        victim = os.getppid() if self.kills_parent else os.getpid()
        mark = Path(self.folder, item.name)
        with (
            contextlib.suppress(FileExistsError),
            mark.open("x", encoding="ascii") as file,
        ):
            file.write(str(victim))
            file.flush()
            _victims.append(victim)
            if item.data == b"kills":
                os.kill(victim, signal.SIGKILL)
                _end_with(victim)
            threading.Timer(0.003, os.kill, (victim, signal.SIGKILL)).start()

    def give_up(self, item: Item, reason: str) -> list[Any]:
        """Return the reason."""
        return [[item.name, reason]]


class Sleeps(Poison):
    """Does nothing, for a long time."""

    def work(self, item: Item) -> list[Any]:
        """Sleep."""
        time.sleep(600)
        return super().work(item)


def entries(*contents: bytes) -> list[Entry]:
    """Return entries named after their number."""
    made = []
    for number, data in enumerate(contents):
        item = Item(str(number), TEXT, data)
        found = Found(item.name, len(data), 0)
        made.append(Entry(item.name, len(data), partial(Item, *item), found))
    return made
