"""Replacing a file in one step, so that no reader ever sees half of one.

Owns the temporary file beside the target, its name, its permissions and its removal.
A process killed at any moment leaves the old file or the new one, whole; at worst
also a temporary file, which the next write to the same target removes. Nothing here
knows what a cassette is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassettes.locks import is_gone

if TYPE_CHECKING:
    from collections.abc import Iterable
from harness.errors import CassetteError

_SUFFIX = ".harness-tmp"
_live: set[str] = set()  # this process's files; those of a dead one may share our id


def write_atomically(
    path: str | os.PathLike[str], data: bytes | Iterable[bytes]
) -> None:
    """Write a file so that it is always the old one or the new one, whole.

    The data goes to ``.NAME.PID-RANDOM.harness-tmp`` in the same folder, reaches the
    disk (fsync), and then replaces the target. Missing folders are made. A symbolic
    link is followed: the file it points to is replaced, the link stays. Permissions
    of an existing file are kept; a new one gets what the umask allows.

    Args:
        path: The file to write.
        data: All of its new content, whole or in pieces.

    Raises:
        CassetteError: The folder or the file is read-only, or the disk refuses; the
            old file is untouched and no temporary file is left.
    """
    name = os.fspath(path)
    if "\0" in name:
        raise CassetteError(name, "cannot be written: no name holds a null byte")
    target = Path(name)
    try:
        target = Path(os.path.realpath(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = _mode(target, name)
        _remove_stale(target)
        _replace(target, data, mode)
    except OSError as error:
        reason = error.strerror or str(error)
        kept = "; the old file is untouched" if os.path.lexists(target) else ""
        raise CassetteError(
            name,
            f"cannot be written ({reason}){kept}: "
            f"{_advice(error, target)} or write elsewhere",
        ) from error


def _advice(error: OSError, target: Path) -> str:
    folder = target.parent
    if error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return f"make room for {str(folder)!r}"
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"{str(folder)!r} lies in a file, or is one: name a folder"
    there = next(above for above in target.parents if os.path.lexists(above))
    return f"make {str(there)!r} writable"


def _mode(target: Path, name: str) -> int | None:
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise CassetteError(name, "is no regular file; name a file to record to")
    mode = stat.S_IMODE(status.st_mode)
    if not mode & 0o222:  # a rename would get round the protection a user set
        raise CassetteError(
            name, "is read-only and stays as it is; `chmod +w` it to record over it"
        )
    return mode


def _replace(target: Path, data: bytes | Iterable[bytes], mode: int | None) -> None:
    temporary = target.with_name(
        f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}"
    )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    _live.add(temporary.name)
    try:
        descriptor = os.open(temporary, flags, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines([data] if isinstance(data, bytes) else data)
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                temporary.chmod(mode)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    finally:
        _live.discard(temporary.name)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself last; where folders cannot be opened it does anyway."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_stale(target: Path) -> None:
    """Remove what writers of this target left behind when they were killed."""
    ours = re.compile(
        rf"\.{re.escape(target.name)}\.(\d+)-[0-9a-f]+{re.escape(_SUFFIX)}"
    )
    for name in os.listdir(target.parent):  # noqa: PTH208 - names are all it needs
        match = ours.fullmatch(name)
        leftover = target.parent / name
        if match and name not in _live and is_gone(int(match[1]), leftover):
            with contextlib.suppress(OSError):
                leftover.unlink()
