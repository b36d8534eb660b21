"""Recorded bodies to the bytes the client's code saw.

Owns content encodings and base64: what comes out is decoded, exact, and knows how
long each wire chunk has become. It unpacks no more than `harness.limits.BODY`: a few
kilobytes can stand for gigabytes. It never touches a file and never looks at what a
body holds.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.limits import BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class BodyError(ValueError):
    """A recorded body cannot be decoded; the message explains why and what to do."""


class BodyTooLargeError(BodyError):
    """A body is larger than `harness.limits.BODY`, which the message names."""

    def __init__(self) -> None:
        super().__init__(BODY.problem)


class Decoded(NamedTuple):
    """A body with its encodings undone."""

    body: bytes
    sizes: list[int]
    """The decoded length of each wire chunk that was given."""
    is_cut: bool = False
    """A compressed body ends before its end mark."""


def body_bytes(value: Any) -> bytes:
    """Return what a cassette stores as a body, as bytes.

    Args:
        value: None, text, bytes, a binary file (old vcrpy cassettes), or a list or
            iterator of text and bytes (request bodies that were iterators).

    Raises:
        TypeError: It is anything else.
        BodyTooLargeError: It is larger than the limit of a body.
    """
    body = _bytes(value)
    if len(body) > BODY.value:
        raise BodyTooLargeError
    return body


def _bytes(value: Any) -> bytes:
    if type(value) is str:
        try:
            return value.encode()
        except UnicodeEncodeError:
            # JSON can escape lone surrogates; no valid UTF-8 stands for them.
            return value.encode("utf-8", "surrogatepass")
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, list | tuple) or hasattr(value, "__next__"):
        return _joined(value)
    if hasattr(value, "getvalue"):
        return bytes(value.getvalue())
    raise TypeError(type(value).__name__)


def _joined(values: Any) -> bytes:
    parts: list[bytes] = []
    size, most = 0, BODY.value
    for value in values:
        if not isinstance(value, str | bytes | bytearray):
            raise TypeError(f"list of {type(value).__name__}")
        parts.append(_bytes(value))
        size += len(parts[-1])
        if size > most:  # aliases of YAML make much of a small file
            raise BodyTooLargeError
    return b"".join(parts)


def unpack_base64(text: object) -> bytes:
    """Return the bytes that base64 text stands for.

    Raises:
        BodyError: It is no base64.
        TypeError: It is no text.
    """
    if not isinstance(text, str | bytes):
        raise TypeError(type(text).__name__)
    try:
        packed = text.encode("ascii") if isinstance(text, str) else text
        return base64.b64decode(b"".join(packed.split()), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise BodyError(f"`base64_string` is no base64 ({error})") from None


def decode(stored: bytes, encodings: str, sizes: Iterable[int] = ()) -> Decoded:
    """Undo the content encodings of a body.

    Args:
        stored: The body as recorded.
        encodings: The content-encoding header, such as ``gzip`` or ``gzip, br``.
        sizes: Lengths of the wire chunks of `stored`, if they were recorded.

    Returns:
        The decoded body. A body that is plain despite its header stays as it is:
        recorders that decode (vcrpy with `decode_compressed_response`, httpx) leave
        the header behind.

    Raises:
        BodyError: The body is damaged or unpacks to more than the limit, or the
            package that can unpack it is missing.
    """
    lengths = list(sizes)
    result = Decoded(stored, lengths)
    for name in reversed(encodings.lower().split(",")):
        coding = name.strip()
        if not coding or coding == "identity" or not result.body:
            continue
        if coding not in _CODINGS:
            if _is_text(result.body):
                continue
            raise BodyError(f"unknown content-encoding {coding!r}; record it plain")
        start = _CODINGS[coding](result.body)
        if start is not None:
            result = _run(start, result, coding)
    return result


def undeclared_encoding(stored: bytes) -> str:
    """Name the content encoding that a body shows by itself; empty where it is plain.

    Args:
        stored: The body of a response without a content-encoding header.

    Returns:
        ``gzip``, ``zstd`` or ``deflate`` with the head of zlib, which have a mark of
        their own, where the body can be unpacked; the others have none.
    """
    is_zlib = stored[:1] == b"x" and int.from_bytes(stored[:2], "big") % 31 == 0
    for coding in ("gzip", "zstd", *(["deflate"] if is_zlib else [])):
        try:
            start = _CODINGS[coding](stored)
            if start is not None and decode(stored, coding).body:
                return coding
        except BodyError:
            continue
    return ""


def _run(start: Callable[[], Any], before: Decoded, coding: str) -> Decoded:
    pieces: list[bytes] = []
    sizes: list[int] = []
    decompressor = start()
    position = 0
    left = BODY.value
    # Unpacked piece by piece, so that each wire chunk keeps what it brought.
    for size in before.sizes or [len(before.body)]:
        piece = before.body[position : position + size]
        position += size
        try:
            decompressor, unpacked = _feed(decompressor, piece, start, left)
        except BodyTooLargeError:
            raise
        except Exception as error:  # noqa: BLE001 - each package has its own error class
            raise BodyError(
                f"the body is damaged: {coding} stops near byte {position} ({error})"
            ) from None
        pieces.append(unpacked)
        sizes.append(len(unpacked))
        left -= len(unpacked)
    return Decoded(
        b"".join(pieces),
        sizes if before.sizes else [],
        is_cut=before.is_cut or not getattr(decompressor, "eof", True),
    )


def _feed(
    decompressor: Any, piece: bytes, start: Callable[[], Any], most: int
) -> tuple[Any, bytes]:
    """Unpack one piece; a gzip or zstd body may be several members in a row."""
    unpacked: list[bytes] = []
    while piece:
        if getattr(decompressor, "eof", False):
            decompressor = start()
        # One byte more than there may be: with less, nothing was held back.
        unpacked.append(decompressor.decompress(piece, most + 1))
        most -= len(unpacked[-1])
        if most < 0:
            raise BodyTooLargeError
        piece = getattr(decompressor, "unused_data", b"")
    return decompressor, b"".join(unpacked)


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _gzip(body: bytes) -> Callable[[], Any] | None:
    if not body.startswith(b"\x1f\x8b"):
        return None
    return lambda: zlib.decompressobj(16 + zlib.MAX_WBITS)


def _deflate(body: bytes) -> Callable[[], Any] | None:
    # "deflate" means zlib (RFC 9110, 8.4.1.2), yet some servers send it bare.
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            zlib.decompressobj(bits).decompress(body[:4096], 1 << 16)
        except zlib.error:
            continue
        if bits < 0 and _is_text(body):
            return None
        return lambda bits=bits: zlib.decompressobj(bits)  # type: ignore[misc]  # default binds it
    return None


def _zstd(body: bytes) -> Callable[[], Any] | None:
    if not body.startswith(b"\x28\xb5\x2f\xfd"):
        return None
    zstd = imported_zstd()
    if zstd is None:
        raise BodyError(
            "the body is zstd-compressed; `pip install backports.zstd` to read it"
        )
    return zstd.ZstdDecompressor  # type: ignore[no-any-return]  # untyped module


def imported_zstd() -> Any:
    """Return `compression.zstd`, of Python 3.14 or backported; None without it."""
    return _imported("compression.zstd") or _imported("backports.zstd")


def _brotli(body: bytes) -> Callable[[], Any] | None:
    if _is_text(body):  # brotli has no mark of its own, but is never valid UTF-8
        return None
    for name in ("brotli", "brotlicffi"):
        module = _imported(name)
        if module is not None and _takes_limit(module):
            return lambda module=module: _Brotli(module.Decompressor())  # type: ignore[misc]  # default binds it
    raise BodyError(
        "the body is brotli-compressed; `pip install brotli` (1.2 or newer) to read it"
    )


def _takes_limit(brotli: Any) -> bool:
    """Return whether a brotli package can stop at a size; those before 1.2 cannot."""
    try:
        brotli.Decompressor().process(b"", output_buffer_limit=1)
    except TypeError:
        return False
    return True


class _Brotli:
    """The interface of `zlib.decompressobj` over the brotli packages."""

    def __init__(self, decompressor: Any) -> None:
        self._decompressor = decompressor

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.is_finished())

    def decompress(self, data: bytes, most: int) -> bytes:
        return bytes(self._decompressor.process(data, output_buffer_limit=most))


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


_CODINGS: dict[str, Callable[[bytes], Callable[[], Any] | None]] = {
    "br": _brotli,
    "deflate": _deflate,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
}


_FEW = 10_000  # values: more are written in pieces, twenty times slower


def is_small(body: Any) -> bool:
    """Return whether what is written of a body must be small, aliases and all."""
    held = [body]
    values = length = 0
    while held and values <= _FEW:
        one = held.pop()
        values += 1
        if isinstance(one, dict):
            held += one.values()
            held += one.keys()
        elif isinstance(one, list | tuple):
            held += one
        elif isinstance(one, str):
            length += len(one)
    # An escaped character takes six.
    return not held and 6 * length < BODY.value
