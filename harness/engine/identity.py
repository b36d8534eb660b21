"""Message ids and dates, derived from the cassette and from nothing else.

The same cassette gives the same ids on every machine: they come from the number and
the content of an exchange, never from a path, a clock or a random source.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import chain, pairwise
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.chat.chunks import Chunk

_NAMESPACE = bytes.fromhex("6f1b0a0c3f0e5d2b9a512f6f1c9f7c11")  # ours, fixed for good

LOOKED_AHEAD = 64
"""Chunks. Azure sends one with `created: 0` before the others; a provider that never
sends it must not make a long stream wait."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The date of an exchange whose provider sent no usable `created`."""


class ExchangeIdentity:
    """Makes the ids of one exchange.

    Args:
        number: Position of the exchange in its cassette.
        content: Its body, or the first event of one that is read as it comes.
        is_late: Whether an id is made when its `str` is asked for: most are never
            read, and to load what makes them takes a twentieth of a start.
    """

    def __init__(self, number: int, content: bytes, *, is_late: bool = False) -> None:
        self._number = number
        self._content = content
        self._is_late = is_late
        self._digest = ""
        self._ids: dict[str, str] = {}

    def message_id(self, part: str = "response") -> str:
        """Return the id of one message of the exchange.

        Args:
            part: Which one: `response`, `call-1`, `result-0`, ...

        Returns:
            ``message-<uuid5>``, or what its `str` is.
        """
        known = self._ids.get(part)
        if known is None:
            made = _LateId(self, part) if self._is_late else self.make_id(part)
            known = self._ids[part] = cast("str", made)
        return known

    def make_id(self, part: str) -> str:
        """Return the id of one message, made now."""
        import hashlib  # 5 ms of a start, and most ids are never read

        if not self._digest:
            self._digest = hashlib.sha256(self._content).hexdigest()
            self._content = b""
        name = f"{self._number}:{part}:{self._digest}".encode()
        sha1 = hashlib.sha1(_NAMESPACE + name, usedforsecurity=False)
        return f"message-{_uuid5(sha1.digest())}"

    @property
    def call_prefix(self) -> str:
        """What the id of a call whose provider sent none begins with."""
        return f"call_{self._number}"

    def call_id(self, position: int) -> str:
        """Return the id of a call whose provider sent none."""
        return f"{self.call_prefix}_{position}"


class _LateId:
    """An id that is made when it is read."""

    def __init__(self, identity: ExchangeIdentity, part: str) -> None:
        self._identity = identity
        self._part = part
        self._made = ""

    def __str__(self) -> str:
        self._made = self._made or self._identity.make_id(self._part)
        return self._made


def _uuid5(digest: bytes) -> str:
    """Return the version-5 UUID of a digest; the module takes three times as long."""
    digits = f"{digest.hex()[:12]}5{digest.hex()[13:16]}"
    digits += f"{digest[8] & 0x3F | 0x80:02x}{digest.hex()[18:32]}"
    ends = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[a:b] for a, b in pairwise(ends))


def date_of(created: float) -> datetime:
    """Return the date of a chunk's `created`.

    Args:
        created: Unix seconds; 0 where none came.

    Returns:
        An aware UTC date; `EPOCH` for 0 and for what no calendar holds.
    """
    if created > 0:
        try:
            return datetime.fromtimestamp(created, UTC)
        except (OverflowError, OSError, ValueError):
            return EPOCH
    return EPOCH


def look_ahead(chunks: Iterable[Chunk]) -> tuple[float, Iterator[Chunk]]:
    """Find the first non-zero `created` near the start of a stream.

    Args:
        chunks: The stream.

    Returns:
        Unix seconds (0 if none of the first 64 chunks has one), and all the chunks.
    """
    iterator = iter(chunks)
    held: list[Chunk] = []
    created = 0.0
    for chunk in iterator:
        held.append(chunk)
        sent = chunk.created
        if isinstance(sent, int | float) and not isinstance(sent, bool) and sent > 0:
            created = sent
            break
        if len(held) >= LOOKED_AHEAD:
            break
    return created, chain(held, iterator)
