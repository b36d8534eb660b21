"""Compressed files and archives to the recordings in them, within the limits."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from harness.cassettes.bodies import imported_zstd
from harness.cassettes.file_endings import COMPRESSED, is_archive, is_recording_name
from harness.cassettes.inputs import open_input
from harness.errors import CassetteCorruptError, CassetteError, UsageError
from harness.limits import CASSETTE

if TYPE_CHECKING:
    from collections.abc import Iterator


class Member(NamedTuple):
    """One file of an archive."""

    name: str
    size: int
    data: bytes | None
    """None where it is larger than a cassette may be."""


def plain(name: str, data: bytes) -> bytes:
    """Undo the compression of a file.

    Args:
        name: Its name, which shows how it is compressed.
        data: Its content.

    Returns:
        The content; `data` of a file that is not compressed.

    Raises:
        CassetteCorruptError: It does not decompress.
        CassetteError: It is larger than a cassette may be.
        UsageError: It is zstd, and the extra `compression` is not installed.
    """
    if not name.lower().endswith(COMPRESSED):
        return data
    most = CASSETTE.value
    try:
        with _decompressed(name, io.BytesIO(data)) as file:
            text = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CassetteCorruptError(name, f"does not decompress: {error}") from None
    if len(text) > most:
        raise CassetteError(name, CASSETTE.problem)
    return text


def _decompressed(name: str, file: BinaryIO) -> BinaryIO:
    if not name.lower().endswith((".zst", ".tar.zst")):
        return cast("BinaryIO", gzip.GzipFile(fileobj=file))
    zstd = imported_zstd()
    if zstd is None:
        raise UsageError(
            f"{name}: zstd needs `pip install 'agent-stream-harness[compression]'`"
        )
    reader = zstd.ZstdFile(file)

    class _Reader(io.RawIOBase):
        """zstd's errors as those of a file, closed as one."""

        def readable(self) -> bool:
            return True

        def readinto(self, target: object) -> int:
            try:
                return int(reader.readinto(target))
            except zstd.ZstdError as error:
                raise OSError(str(error)) from None

    return io.BufferedReader(_Reader())


def members(name: str, file: BinaryIO) -> Iterator[Member]:
    """Yield the recordings in an archive, in their order there.

    Args:
        name: The archive's name, which shows what it is.
        file: It, opened; seekable for a zip.

    Raises:
        CassetteCorruptError: It is damaged; what stands before has been yielded.
    """
    try:
        if name.lower().endswith(".zip"):
            yield from _zipped(file)
        else:
            yield from _tarred(name, file)
    except (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as e:
        raise CassetteCorruptError(name, f"the archive is damaged: {e}") from None


def unpacked(name: str) -> Iterator[Member]:
    """Yield the recordings in an archive or compressed file.

    Args:
        name: A path that `is_packed`.

    Raises:
        CassetteError: It cannot be read, or is damaged; what stands before has been
            yielded.
    """
    if not is_archive(name):
        data = plain(name, open_input(name).read())
        yield Member(name, len(data), data)
        return
    try:
        with Path(name).open("rb") as file:
            for member in members(name, file):
                yield member._replace(name=f"{name}!{member.name}")
    except OSError as error:
        raise CassetteError(name, f"cannot be read ({error.strerror})") from None


def _zipped(file: BinaryIO) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.is_dir() or not _is_wanted(info.filename):
                continue
            is_small = info.file_size <= CASSETTE.value
            data = archive.read(info) if is_small else None
            yield Member(info.filename, info.file_size, data)


def _tarred(name: str, file: BinaryIO) -> Iterator[Member]:
    is_zst = name.lower().endswith(".zst")
    source = _decompressed(name, file) if is_zst else file
    with tarfile.open(fileobj=source, mode="r|" if is_zst else "r|*") as archive:
        for info in archive:
            if not info.isfile() or not _is_wanted(info.name):
                continue
            opened = archive.extractfile(info) if info.size <= CASSETTE.value else None
            data = None if opened is None else opened.read()
            yield Member(info.name, info.size, data)


def _is_wanted(name: str) -> bool:
    is_hidden = any(part.startswith(".") for part in name.split("/") if part != ".")
    return not is_hidden and is_recording_name(name)
