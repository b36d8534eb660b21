"""Locks between processes, so that two recordings of one file take turns.

Owns `flock` and what happens where there is none (Windows, some network file
systems): nothing is locked there, a saved cassette is compared with what was read
right before it is replaced, and a journal counts as abandoned when its process is
gone, or by its age where a process cannot be asked after. Locks end with the process
that holds them, however it ends, and leave no files.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Iterator


_TRIES = 1500
_PAUSE_S = 0.02  # 30 s in all: a save takes milliseconds, ten of them a second
_STALE_AFTER_S = 3600.0  # where a process cannot be asked after: no write takes so long


def try_lock(descriptor: int) -> bool | None:
    """Lock an open file against other openings of it, in any process.

    Args:
        descriptor: The open file; closing it unlocks.

    Returns:
        True if it is locked now, False if another opening holds the lock, None where
        files cannot be locked.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep other recordings from writing a file, within the block.

    It is the folder that is locked: the file itself is replaced and may not be there.

    Args:
        path: The file; a link is followed.

    Raises:
        CassetteError: Another process has held the lock for half a minute.
    """
    try:
        descriptor = os.open(Path(os.path.realpath(path)).parent, os.O_RDONLY)
    except OSError:  # no folder yet, or folders cannot be opened: nothing to lock
        yield
        return
    try:
        for _ in range(_TRIES):
            if try_lock(descriptor) is not False:
                break
            time.sleep(_PAUSE_S)
        else:
            raise CassetteError(
                path,
                "another process has kept its folder locked for half a minute and the "
                "file is left as it is; end that process (a stopped recording?)",
            )
        yield
    finally:
        os.close(descriptor)


def is_gone(process: int, leftover: Path) -> bool:
    """Judge without a lock whether the process that wrote a file has ended.

    Args:
        process: Its id; that of this process stands for an earlier one of the same id.
        leftover: The file it wrote.
    """
    if process == os.getpid():
        return True
    if os.name == "posix":
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
    try:
        return time.time() - leftover.stat().st_mtime > _STALE_AFTER_S
    except OSError:
        return False
