"""Starting recording processes and killing them: the other end of `killed`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from tests.record import killed

if TYPE_CHECKING:
    from pathlib import Path


class Nursery:
    """A process that forks others on demand."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, killed.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.child = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.child:
            self.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(60) == 0

    def start(self, kind: Any, *arguments: object) -> None:
        """Start a process that does one of the kinds."""
        self.write(json.dumps([kind.__name__, *arguments]))
        word, child = self.line()
        assert word == "started"
        self.child = int(child)

    def write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def line(self) -> list[str]:
        """Return the words of the next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process has ended"
        return line.split(" ", 1) if "{" in line else line.split()

    def rest(self) -> list[list[str]]:
        """Return what a process that ends has printed."""
        lines = []
        while (words := self.line()) != ["ended"]:
            lines.append(words)
        self.child = 0
        return lines

    def kill(self) -> list[list[str]]:
        """Kill the process; return what it had printed besides."""
        os.kill(self.child, signal.SIGKILL)
        return self.rest()


def journals(folder: Path) -> list[Path]:
    """Return the journals of a folder."""
    return sorted(folder.glob(".*.harness-journal"))
