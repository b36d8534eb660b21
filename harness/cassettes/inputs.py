"""Opening what a user named: a file, a pipe or standard input.

Owns how bytes get in. The first block is read at once, so that the format can be
decided (`harness.cassettes.formats`) before anything large is held; the rest is read on
demand. It never looks at what the bytes mean. Where nothing is of that name, the error
names what may be meant.
"""

from __future__ import annotations

import functools
import io
import os
import re
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from harness.cassettes.formats import encoding_of
from harness.core.patterns import late
from harness.errors import (
    CassetteCorruptError,
    CassetteError,
    CassetteMissingError,
    StateError,
    did_you_mean,
    shorten,
)
from harness.limits import CASSETTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import SupportsRead


STDIN = "-"
"""The path that stands for standard input."""

_BLOCK_BYTES = 65536  # a pipe's capacity on Linux: what one read can give at most

# Of a live pipe no more is awaited than it takes to know the format: the first line
# of data, or the first line of what may be JSON lines.
_ENOUGH = late(rb"(?:\A|[\r\n])data:[^\r\n]*[\r\n]|\A\s*\{[^\n]*\n")


class Input:
    """Opened bytes: the first block, and a way to the rest.

    Attributes:
        path: As the caller named it; ``-`` for standard input.
        head: The first block, at most 64 KiB unless a pipe gave more at once; all
            of the input when `is_whole`.
        is_whole: There is nothing after `head`.
        is_reopenable: `pieces` may be called again and again (a regular file).
        size: Length in bytes; None for a pipe that has not ended.
        encoding: Of text that was not UTF-8 and is now; empty otherwise.
    """

    def __init__(
        self, path: str, raw: BinaryIO, *, reopen: Callable[[], BinaryIO] | None
    ) -> None:
        self.path = path
        self._raw = raw
        self._reopen = reopen
        self._is_spent = False
        self.is_reopenable = reopen is not None
        self.head, self.is_whole = _read_head(raw, live=reopen is None)
        self.size: int | None = len(self.head) if self.is_whole else None
        if reopen is not None and not self.is_whole:
            self.size = raw.seek(0, os.SEEK_END)
            raw.seek(len(self.head))
        if self.is_whole:
            self.close()
        self.encoding = encoding_of(self.head)
        if self.encoding:
            self._become_utf8()

    def _become_utf8(self) -> None:
        """Read all of a text in UTF-16 or UTF-32, so that nobody else has to know."""
        text = self.read()
        try:
            self.head = text.decode(self.encoding).encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise CassetteCorruptError(
                self.path,
                f"begins as {self.encoding.upper()} and is not ({error.reason})",
                place=f"byte {error.start}",
            ) from None
        self.is_whole, self.size = True, len(self.head)

    def close(self) -> None:
        """Close the file; standard input is left open for its owner."""
        if self._raw is not getattr(sys.stdin, "buffer", None):
            self._raw.close()

    def read(self) -> bytes:
        """Return everything, once; the input is closed afterwards.

        Raises:
            CassetteError: Reading failed, or it is more than a cassette may hold.
        """
        if self.is_whole:
            return self.head
        pieces = [self.head]
        self._spend()
        most = CASSETTE.value
        try:
            pieces.append(self._raw.read(max(0, most + 1 - len(self.head))))
            if sum(map(len, pieces)) > most:
                raise CassetteError(self.path, CASSETTE.problem)
        except OSError as error:
            raise _unreadable(self.path, error) from None
        finally:
            self.close()
        return b"".join(pieces)

    def stream(self) -> SupportsRead[bytes]:
        """Return a reader at the beginning of the input, to be read once.

        It raises `CassetteError` where it gives more than a cassette may hold.
        """
        if self.is_whole:
            return io.BytesIO(self.head)
        if self._reopen is not None:
            self._raw.seek(0)
            return _Rejoined(b"", self._raw, self.path)
        self._spend()
        return _Rejoined(self.head, self._raw, self.path)

    def pieces(self, *, skip: int = 0) -> Iterator[bytes]:
        """Yield the bytes as they come, without holding them.

        Args:
            skip: How many bytes of `head` to leave out at the beginning.

        Raises:
            StateError: A pipe was read before: what it held is gone.
            CassetteError: Reading failed on the way.
        """
        if self.is_whole:
            yield self.head[skip:]
            return
        if self._reopen is None:
            self._spend()
            yield self.head[skip:]
            yield from _blocks(self._raw, self.path)
            return
        self.close()
        with _opening(self.path, self._reopen) as raw:
            raw.seek(skip)
            yield from _blocks(raw, self.path)

    def _spend(self) -> None:
        if self._is_spent and self._reopen is None:
            raise StateError(
                f"{self.path}: this input can be read only once; save it to a file"
            )
        self._is_spent = True


class _Rejoined:
    """An input with its first block put back in front, as far as the limit."""

    def __init__(self, head: bytes, raw: BinaryIO, path: str) -> None:
        self._head = head
        self._raw = raw
        self._path = path
        self._left = CASSETTE.value

    def read(self, size: int = -1, /) -> bytes:
        try:
            piece = self._head[:size] or self._raw.read(size)
        except OSError as error:
            raise _unreadable(self._path, error) from None
        self._head = self._head[size:]
        self._left -= len(piece)
        if self._left < 0:
            raise CassetteError(self._path, CASSETTE.problem)
        return piece


def open_input(path: str | os.PathLike[str]) -> Input:
    """Open a file, a pipe or standard input and read its first block.

    Args:
        path: A path, or ``-`` for standard input.

    Returns:
        The input; a pipe is read no further than it takes to know its format.

    Raises:
        CassetteMissingError: There is nothing of that name.
        CassetteError: It is a folder, cannot be read, or is empty.
    """
    name = os.fspath(path)
    if name == STDIN:
        stdin = getattr(sys.stdin, "buffer", None)
        if stdin is None:  # closed, or replaced by a text-only object
            raise CassetteError(name, "standard input is closed; name a file")
        opened = Input(name, stdin, reopen=None)
    else:
        reopen = functools.partial(_open, name)
        raw = _opening(name, reopen)
        try:
            opened = Input(name, raw, reopen=reopen if raw.seekable() else None)
        except OSError as error:
            raw.close()
            raise _unreadable(name, error) from None
    return _not_empty(name, opened)


def _not_empty(name: str, opened: Input) -> Input:
    if opened.is_whole and not opened.head.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        held = "is empty" if not opened.head else "holds nothing but white space"
        raise CassetteError(name, f"the file {held}; record it again")
    return opened


def held_input(path: str, text: bytes) -> Input:
    """Return an input of bytes that are in memory already.

    Args:
        path: What errors call it.
        text: All of it.

    Raises:
        CassetteError: It is empty.
    """
    reopen = functools.partial(io.BytesIO, text)
    return _not_empty(path, Input(path, reopen(), reopen=reopen))


def _open(path: str) -> BinaryIO:
    return open(path, "rb")  # noqa: PTH123 - a Path would fold `./x` to `x`


def _opening(path: str, reopen: Callable[[], BinaryIO]) -> BinaryIO:
    try:
        return reopen()
    except FileNotFoundError:
        raise missing(path) from None
    except IsADirectoryError:
        raise CassetteError(
            path, "is a folder; name a file in it (`harness ls` lists them)"
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: OSError | ValueError) -> CassetteError:
    reason = getattr(error, "strerror", None) or str(error)
    return CassetteError(path, f"cannot be read ({reason})")


def _read_head(raw: BinaryIO, *, live: bool) -> tuple[bytes, bool]:
    # `read1` returns what is there instead of waiting for a full block.
    read = raw.read1 if live and hasattr(raw, "read1") else raw.read
    head = b""
    while len(head) < _BLOCK_BYTES:
        piece = read(_BLOCK_BYTES - len(head))
        if not piece:
            return head, True
        head += piece
        if live and _ENOUGH.search(head):
            return head, False
    piece = b"" if live else raw.read(1)
    return head + piece, not live and not piece


def _blocks(raw: BinaryIO, path: str) -> Iterator[bytes]:
    read = getattr(raw, "read1", raw.read)
    while True:
        try:
            piece = read(_BLOCK_BYTES)
        except OSError as error:
            raise _unreadable(path, error) from None
        if not piece:
            return
        yield piece


_LOOKED_AT = 2000  # names of a folder that are compared: a larger one takes long


def missing(name: str) -> CassetteMissingError:
    """Return the error for a path where nothing is.

    Args:
        name: As the caller wrote it.

    Returns:
        The error. It names a file beside it that is called almost the same.
    """
    if name.startswith(("http://", "https://")):
        return CassetteMissingError(
            name,
            "this is a URL, and a recording is a file: record it with `harness "
            "record`, or pipe a response: curl -N URL | harness replay -",
        )
    if Path(name).is_symlink():
        return CassetteMissingError(name, "is a link to nothing; mend or remove it")
    return CassetteMissingError(
        name, f"there is no such file or folder; {near_name(name) or 'check the name'}"
    )


def near_name(name: str) -> str:
    """Return the question about a file beside a path that is called almost the same."""
    path = Path(name)
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in islice(entries, _LOOKED_AT)]
    except (OSError, ValueError):
        names = []
    return did_you_mean(path.name, names)


_CONFLICT = late(rb"^<{7} [^\r\n]*(?=\r?$)(?s:.*?)^>{7} ", re.MULTILINE)


def refuse_conflict(opened: Input) -> None:
    """Name what git leaves in a file that two branches have changed."""
    if not opened.is_reopenable:
        return
    text = b"".join(opened.pieces())
    found = _CONFLICT.search(text)
    if found is not None:
        mark = found[0].splitlines()[0].decode("utf-8", "replace")
        raise CassetteCorruptError(
            opened.path,
            f"git left a merge conflict here ({shorten(mark)}); take one side of it, "
            "or both where each is a whole interaction, or record it again",
            place=f"line {text.count(10, 0, found.start()) + 1}",
        ) from None
