"""The journal: what is being recorded, on the disk before the client sees its end.

Owns when something is appended, to which file, and what happens where none can be
written. Each exchange, already without its secrets, is one append. While its process
lives the file is locked; when its exchanges are in the cassette it is removed. One
that a killed process left is taken only when that process has ended, by one process at
a time; what is done with it is decided in `harness.cassettes.saving`. What a journal
looks like is `harness.cassettes.journal_text`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.interactions import exchanges_of
from harness.cassettes.journal_text import (
    ExchangeLine,
    is_journal,
    journal_head,
    journal_line,
    journal_name,
    parse_journal,
    writer_of,
)
from harness.cassettes.locks import is_gone, try_lock
from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_FLAGS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
"""How a journal is opened."""

_OWN: set[str] = set()
"""Names of this process's journals, which are alive whatever the locks show."""


class Journal:
    """The journal of one recording; its file is made when there is something for it.

    It never raises: what it cannot write it leaves to the memory of its caller, and
    notes it. In a folder that cannot be written, or is full, it goes on in the system's
    folder for temporary files.

    Args:
        cassette: The cassette's path.
        mode: The record mode; what `rewrite` left is never folded.
        warn: Called with one line when the journal cannot be written.

    Attributes:
        problem: Why something was left to memory, or went elsewhere; else empty.
    """

    def __init__(self, cassette: str, mode: str, warn: Callable[[str], object]) -> None:
        self._cassette = cassette
        self._mode = mode
        self._warn = warn
        self._warned: set[str] = set()
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._homes: list[str | None] = [_real(self._cassette), None]
        self._files: list[_File] = []
        self._is_open = False  # the last of them takes the next exchange
        self._is_rest = False  # what came before was discarded
        self.problem = ""

    @property
    def whole(self) -> str | None:
        """The file that holds all of the recording; None where none does."""
        is_one = len(self._files) == 1 and not self.problem and not self._is_rest
        return str(self._files[0].path) if is_one else None

    def append(self, order: int, interaction: dict[str, Any]) -> None:
        """Write an exchange, so that it is there even if this process is killed now.

        Args:
            order: Its place among the requests; an exchange written earlier for the
                same place is replaced.
            interaction: In vcrpy's shape, without secrets.
        """
        if self._process != os.getpid():  # forked: the files belong to the parent
            self._begin()
        try:
            line = ExchangeLine(order, interaction)
        except (TypeError, ValueError) as error:
            self._failed(str(error), "in memory")
            return
        reason = ""
        while self._homes:
            try:
                if not self._is_open:
                    file = _File(self._homes[0], self._cassette, self._mode)
                    self._files.append(file)
                    self._is_open = True
                self._files[-1].append(line)
            except OSError as error:
                reason = reason or error.strerror or str(error)
                self._give_up_file()
            else:
                break
        if reason or not self._homes:
            where = f"in {self._files[-1].path}" if self._is_open else "in memory"
            self._failed(reason, where)

    def _give_up_file(self) -> None:
        """Go on elsewhere; what the file holds stays, and ours."""
        del self._homes[0]
        if self._is_open and self._files[-1].is_empty:
            self._files.pop().remove()
        self._is_open = False

    def _failed(self, reason: str, where: str) -> None:
        self.problem = self.problem or reason
        if where in self._warned:
            return
        self._warned.add(where)
        # A client is reading its stream: no warning made an error may end that.
        with contextlib.suppress(Warning):
            self._warn(
                f"{self._cassette}: its journal cannot be written "
                f"({reason or self.problem}); until the recording ends, what is "
                f"recorded now is kept {where}"
            )

    def mark_folded(self, digest: str) -> None:
        """Note that the cassette of that content has it all.

        Before the cassette is replaced: a process killed between that and the end of
        its journal has folded it, which the next one must not do again.
        """
        if self._process == os.getpid():
            for file in self._files:
                with contextlib.suppress(OSError):
                    file.append([journal_line({"folded": digest})])

    def close(self) -> None:
        """Let go of the files, which stay; another process may fold them."""
        if self._process == os.getpid():
            for file in self._files:
                file.close()
        self._files, self._is_open = [], False

    def discard(self) -> None:
        """Remove what was written: it is in a file now that stays."""
        if self._process == os.getpid():
            for file in self._files:
                file.remove()
        self._files, self._is_open, self._is_rest = [], False, True


class _File:
    """An open journal, locked; `target` is None for one among temporary files."""

    def __init__(self, target: str | None, cassette: str, mode: str) -> None:
        home, name = os.path.split(target or os.path.realpath(cassette))
        folder = Path(home if target else tempfile.gettempdir())
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            token = f"{os.getpid()}-{os.urandom(4).hex()}"
            self.path = folder / journal_name(name, token)
            self._descriptor = os.open(
                self.path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600
            )
            _OWN.add(self.path.name)
            # Whoever looks for what is left over may have come before the lock.
            is_ours = try_lock(self._descriptor) is not False
            if is_ours and os.fstat(self._descriptor).st_nlink:
                break
            self.remove()
        self._head = journal_head(cassette, mode)
        self.is_empty = True

    def append(self, line: Iterable[bytes]) -> None:
        before = os.fstat(self._descriptor).st_size
        head = self._head if self.is_empty else b""
        try:
            for part in line:
                piece, head = head + part, b""
                written = 0
                while written < len(piece):
                    written += os.write(self._descriptor, piece[written:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, before)
            raise
        self.is_empty = False

    def close(self) -> None:
        os.close(self._descriptor)
        _OWN.discard(self.path.name)

    def remove(self) -> None:
        _remove_open(self.path, self._descriptor)
        _OWN.discard(self.path.name)


def _remove_open(path: Path, descriptor: int) -> None:
    """Remove an open file; it is unlocked last, so that nobody takes it meanwhile."""
    if os.name == "nt":  # where no open file can be removed
        os.close(descriptor)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    if os.name != "nt":
        os.close(descriptor)


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # a null byte: writing it reports the error
        return path


class LeftOver:
    """A journal whose process has ended, locked so that nobody else takes it.

    Attributes:
        path: The file.
        exchanges: What it holds, in the order of their requests.
        text: The rest of its text.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.text = parse_journal(path.read_bytes(), str(path))
        self.exchanges = (
            exchanges_of(
                {"interactions": self.text.interactions, "version": 1}, str(path)
            )
            if self.text.interactions
            else []
        )

    def mark_folded(self, digest: str) -> None:
        """Note that the cassette of that content has it all."""
        with contextlib.suppress(OSError):
            if self.text.torn:
                whole = os.fstat(self._descriptor).st_size - self.text.torn
                os.ftruncate(self._descriptor, whole)
            os.write(self._descriptor, journal_line({"folded": digest}))

    def release(self) -> None:
        """Let others take it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Remove the file: what it held is in a file that stays."""
        _remove_open(self.path, self._descriptor)
        self._descriptor = -1


def claim_left_over(cassette: str, warn: Callable[[str], object]) -> list[LeftOver]:
    """Take the journals of one cassette whose processes have ended.

    Args:
        cassette: The cassette's path.
        warn: Called with one line for each that cannot be read; it stays.

    Returns:
        The oldest first; each is to be released.
    """
    target = Path(os.path.realpath(cassette))
    try:
        found = [
            each
            for each in target.parent.iterdir()
            if is_journal(each.name, target.name)
        ]
    except OSError:  # no folder yet, or none that can be listed
        return []
    claimed = []
    for path in sorted(found, key=_age):
        descriptor = _claim(path)
        if descriptor is None:
            continue
        try:
            claimed.append(LeftOver(path, descriptor))
        except (CassetteError, OSError) as error:
            os.close(descriptor)
            warn(f"left as it is, and not in {cassette}: {error}")
    return claimed


def is_being_written(path: str) -> bool:
    """Return whether the process that writes a journal is alive."""
    descriptor = _claim(Path(path))
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def _age(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # folded by another process just now
        return 0


def _claim(path: Path) -> int | None:
    """Return an open, locked journal, or None if it is in use or gone."""
    if path.name in _OWN:
        return None
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    has_lock = try_lock(descriptor)
    if has_lock is None:
        has_lock = is_gone(writer_of(path.name), path)
    if has_lock and os.fstat(descriptor).st_nlink:
        return descriptor
    os.close(descriptor)
    return None
