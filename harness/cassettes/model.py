"""The cassette model: what one recorded file holds, independent of how it is stored.

Owns the words cassette, exchange, request, response and wire chunk. It never
touches a file (`harness.cassettes.load`, `harness.cassettes.encode`) and never looks
inside a body: what a response carries is the core's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from harness.apis.json_values import parsed
from harness.core.fielded import Fielded
from harness.errors import CassetteError
from harness.limits import BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.core.parts import Problem


Headers = dict[str, list[str]]
"""Header names as recorded (compare them case-insensitively), each with its values."""


def header_of(headers: Headers, name: str) -> str:
    """Return the first value of a header, or an empty string."""
    wanted = name.lower()
    for key, values in headers.items():
        if key.lower() == wanted and values:
            return values[0]
    return ""


def header_pairs(headers: Headers) -> list[tuple[str, str]]:
    """Return each value of each header with its name."""
    return [(name, value) for name, values in headers.items() for value in values]


def head_bytes(text: str) -> bytes:
    """Return text of a head as it is sent: Latin-1, as most clients read it."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def wire_headers(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Return headers as they are sent: h11 and httpx take text of ASCII only."""
    return [(head_bytes(name), head_bytes(value)) for name, value in pairs]


def header_texts(pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Return headers as h11 has received them as text."""
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]


def decoded_headers(headers: Headers, size: int) -> Headers:
    """Return the headers of a body whose content encoding was undone.

    Stock vcrpy's `decode_compressed_response` changes the same two.
    """
    return {
        name: [str(size)] if name.lower() == "content-length" else values
        for name, values in headers.items()
        if name.lower() != "content-encoding"
    }


def grouped(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Return names and values as a cassette holds them."""
    found: Headers = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


class WireChunk(NamedTuple):
    """One network read: when it arrived and how long it was."""

    seconds: float
    """Since the request was sent."""
    size: int
    """In bytes of the decoded body."""


class Ending(NamedTuple):
    """How a stream ended."""

    kind: Literal["complete", "closed", "error"]
    """`complete`; `closed`: the client stopped reading; `error`: it broke."""
    error: str = ""
    """For `error`: its kind, such as ``RemoteProtocolError``; else empty."""
    message: str = ""
    """For `error`: what the transport reported; else empty."""


@dataclass(slots=True, eq=False, repr=False)
class Request(Fielded):
    """What was sent."""

    method: str
    uri: str
    headers: Headers = field(default_factory=dict)
    body: bytes | None = None

    def json(self) -> Any:
        """Return the parsed body, or None where it is absent or no JSON."""
        return parsed(self.body, strict=True) if self.body else None


@dataclass(slots=True, eq=False, repr=False)
class Response(Fielded):
    """What came back, with where it was cut if that was recorded."""

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    """Decoded: content encodings and base64 are undone. Empty when `source` is set."""
    wire: Sequence[WireChunk] | None = None
    """The reads whose sizes add up to `body`; None where they were not recorded."""
    ended: Ending | None = None
    """None where it was not recorded."""
    source: Callable[[], Iterable[bytes]] | None = None
    """Opens the body as pieces instead of `body`, for text too large to hold."""
    beginning: bytes = b""
    """With `source`: what of the body could be read without using it up."""

    def header(self, name: str) -> str:
        """Return the first value of a header, or an empty string."""
        return header_of(self.headers, name)

    @property
    def seconds(self) -> float | None:
        """When its last piece came, after the request; None if nobody took the time."""
        return self.wire[-1].seconds if self.wire else None

    def peek(self, size: int) -> bytes:
        """Return the beginning of the body without using up a `source`.

        Args:
            size: The most bytes to return.

        Returns:
            As much as is known, which of a pipe may be less than there is; good
            for knowing what a body is, not for anything that must be repeatable.
        """
        return (self.beginning if self.source is not None else self.body)[:size]

    def whole(self, path: str) -> bytes:
        """Return the whole body, for those who must hold it; uses up a `source`.

        Args:
            path: The recording's name, for the error.

        Raises:
            CassetteError: It is larger than the limit of a body.
        """
        if self.source is None:
            return self.body
        pieces: list[bytes] = []
        left = BODY.value
        for piece in self.source():
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise CassetteError(path, BODY.problem)
        return b"".join(pieces)

    def iter_wire(self) -> Iterator[tuple[float | None, bytes]]:
        """Yield the body as it arrived: seconds (None if unknown) and bytes.

        Without recorded reads the body comes in slices of at most 64 KiB, so
        that nobody downstream holds a second copy of a large one.
        """
        if self.source is not None:
            for piece in self.source():
                yield None, piece
            return
        if self.wire is None:
            size = 65536  # large enough that the cost per slice vanishes
            for start in range(0, len(self.body), size):
                yield None, self.body[start : start + size]
            return
        start = 0
        for seconds, length in self.wire:
            yield seconds, self.body[start : start + length]
            start += length


@dataclass(slots=True, eq=False, repr=False)
class Exchange(Fielded):
    """One HTTP request with its response."""

    index: int
    """Position in the cassette, from 0; `--exchange` takes it."""
    request: Request
    response: Response
    notes: list[Problem] = field(default_factory=list)
    """What reading it undid, guessed or left out; no part of what is written."""


@dataclass(slots=True, eq=False, repr=False)
class Cassette(Fielded):
    """The exchanges of one file, in order."""

    path: str
    """As the caller named it; ``-`` for standard input."""
    exchanges: list[Exchange]
