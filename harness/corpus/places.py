"""Where corpora lie: a folder of this machine, or anything that fsspec opens.

Owns how files are listed, read and written there. A path without a scheme is read
with the standard library alone. No credentials come from here: fsspec takes them from
the environment, and errors show a URL as a cassette would have it.
"""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from harness.cassettes.atomic import write_atomically
from harness.cassettes.library import leads_nowhere
from harness.errors import CassetteError, CassetteMissingError, UsageError
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from collections.abc import Iterator


class Found(NamedTuple):
    """One file of a place."""

    name: str
    """Below the place, with slashes; the last part of it where the place is a file."""
    size: int
    modified: float
    """Seconds since 1970; 0 where the store does not know."""


class Place:
    """A folder or a file, here or far away.

    Args:
        url: A path, or a URL that fsspec knows, such as ``s3://bucket/streams``.

    Raises:
        UsageError: fsspec, or what it needs for this scheme, is not installed.
    """

    def __init__(self, url: str) -> None:
        self.shown = redacted_url(url)
        """The URL without credentials: what may be printed and stored."""
        self._fs: Any = None
        self._root = url.removeprefix("file://")
        if "://" in self._root:
            self._fs, self._root = _filesystem(url, self.shown)
        self._root = self._root.rstrip("/") or "/"

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return self._fs is None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self._root.rpartition("/")[2]

    def path(self, name: str = "") -> str:
        """Return the path of a file below it; the place itself without a name."""
        return f"{self._root}/{name}" if name else self._root

    def beside(self, suffix: str) -> Place:
        """Return the place whose path is this one's with something after it."""
        other = Place.__new__(Place)
        other.shown = f"{self.shown}{suffix}"
        other._fs, other._root = self._fs, f"{self._root}{suffix}"  # noqa: SLF001 - ours
        return other

    def is_below(self, other: Place) -> bool:
        """Return whether it is another place, or lies in it."""
        if self.is_local != other.is_local:
            return False
        if self.is_local:
            here, there = Path(self._root).resolve(), Path(other.path()).resolve()
            return here.is_relative_to(there)
        return f"{self._root}/".startswith(f"{other.path()}/")

    def is_file(self) -> bool:
        """Return whether it is a file."""
        with self._errors():
            if self._fs is None:
                return Path(self._root).is_file()
            return bool(self._fs.isfile(self._root))

    def files(self) -> Iterator[Found]:
        """Yield the files below it in the order of their names, hidden ones left out.

        Raises:
            CassetteError: There is nothing, or it cannot be listed.
        """
        with self._errors():
            found = self._local() if self._fs is None else self._remote()
        if not found:
            raise CassetteMissingError(
                self.shown, "there is no file of that name and none below it"
            )
        yield from sorted(found)

    def _local(self) -> list[Found]:
        root = Path(self._root)
        if root.is_file():
            status = root.stat()
            return [Found(root.name, status.st_size, status.st_mtime)]
        found: list[Found] = []
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(folder, name)
                if not name.startswith(".") and (path.is_file() or leads_nowhere(path)):
                    status = path.stat() if path.exists() else path.lstat()
                    below = path.relative_to(root).as_posix()
                    found.append(Found(below, status.st_size, status.st_mtime))
        return found

    def _remote(self) -> list[Found]:
        self._fs.invalidate_cache()
        listed = self._fs.find(self._root, detail=True)
        found: list[Found] = []
        for path, info in listed.items():
            below = path.removeprefix(self._root).lstrip("/") or path.rpartition("/")[2]
            if not any(part.startswith(".") for part in below.split("/")):
                found.append(Found(below, int(info.get("size") or 0), _modified(info)))
        return found

    def open(self, name: str = "") -> BinaryIO:
        """Open a file below it for reading, seekable; the place itself without a name.

        Raises:
            CassetteError: It cannot be opened.
        """
        with self._errors(name):
            if self._fs is None:
                return Path(self.path(name)).open("rb")
            opened: BinaryIO = self._fs.open(self.path(name), "rb")
            return opened

    def read(self, name: str = "") -> bytes:
        """Return all of a file.

        Raises:
            CassetteError: It cannot be read.
        """
        with self._errors(name), self.open(name) as file:
            return file.read()

    def has(self, name: str = "") -> bool:
        """Return whether there is such a file."""
        with self._errors(name):
            if self._fs is None:
                return Path(self.path(name)).exists()
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self.path(name)))

    def write(self, data: bytes, name: str = "") -> None:
        """Write a file in one step: nobody sees half of it.

        Raises:
            CassetteError: It cannot be written.
        """
        with self._errors(name):
            if self._fs is None:
                write_atomically(self.path(name), data)
            else:
                self._fs.pipe_file(self.path(name), data)

    @contextlib.contextmanager
    def creating(self) -> Iterator[BinaryIO]:
        """Write the place itself as a file, piece by piece, there when it is whole.

        Raises:
            CassetteError: It cannot be written.
        """
        with self._errors():
            if self._fs is not None:
                with self._fs.open(self._root, "wb") as file:
                    yield file
                return
            target = Path(self._root)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.{os.getpid()}.harness-tmp")
            try:
                with temporary.open("wb") as file:
                    yield file
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file that `write` wrote; none is no error."""
        with self._errors(name), contextlib.suppress(FileNotFoundError):
            if self._fs is None:
                Path(self.path(name)).unlink()
            else:
                self._fs.rm_file(self.path(name))

    def remove_folder(self) -> None:
        """Remove the place itself where it is an empty folder; buckets have none."""
        if self._fs is None:
            with contextlib.suppress(OSError):
                Path(self._root).rmdir()

    @contextlib.contextmanager
    def _errors(self, name: str = "") -> Iterator[None]:
        """Report what a store raises as an error of ours, without its credentials."""
        shown = f"{self.shown}/{name}" if name else self.shown
        try:
            yield
        except CassetteError:
            raise
        except FileNotFoundError:
            raise CassetteMissingError(shown, "there is no such file") from None
        except Exception as error:
            if self._fs is None and not isinstance(error, OSError | ValueError):
                raise
            # A client of a store raises whatever its library does.
            reason = redacted_url(str(error) or type(error).__name__)
            raise CassetteError(
                shown, f"cannot be used ({type(error).__name__}: {reason})"
            ) from None


def _filesystem(url: str, shown: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError:
        raise UsageError(
            f"{shown}: URLs need fsspec; `pip install 'agent-stream-harness[corpus]'`"
        ) from None
    try:
        filesystem, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{shown}: {redacted_url(str(error))}") from None
    return filesystem, root


def _modified(info: dict[str, Any]) -> float:
    for key in ("LastModified", "mtime", "updated", "last_modified", "created"):
        value = info.get(key)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return 0.0
