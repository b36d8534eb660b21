"""Message ids and dates, derived from the cassette and from nothing else.

The same cassette gives the same ids on every machine: they come from the number and
the content of an exchange, never from a path, a clock or a random source.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from itertools import pairwise

__all__ = ["EPOCH", "ExchangeIdentity", "date_of"]

_NAMESPACE = bytes.fromhex("6f1b0a0c3f0e5d2b9a512f6f1c9f7c11")  # ours, fixed for good

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The date of an exchange whose provider sent no usable `created`."""


class ExchangeIdentity:
    """Makes the ids of one exchange.

    Args:
        number: Position of the exchange in its cassette.
        content: Its body, or the first event of one that is read as it comes.
    """

    __slots__ = ("_digest", "_ids", "_number")

    def __init__(self, number: int, content: bytes) -> None:
        self._number = number
        self._digest = hashlib.sha256(content).hexdigest()
        self._ids: dict[str, str] = {}

    def message_id(self, part: str = "response") -> str:
        """Return the id of one message of the exchange.

        Args:
            part: Which one: `response`, `call-1`, `result-0`, ...

        Returns:
            ``message-<uuid5>``.
        """
        known = self._ids.get(part)
        if known is None:
            name = f"{self._number}:{part}:{self._digest}"
            known = self._ids[part] = f"message-{_uuid5(name)}"
        return known

    @property
    def call_prefix(self) -> str:
        """What the id of a call whose provider sent none begins with."""
        return f"call_{self._number}"

    def call_id(self, position: int) -> str:
        """Return the id of a call whose provider sent none."""
        return f"{self.call_prefix}_{position}"


def _uuid5(name: str) -> str:
    """Return the version-5 UUID of a name; the module takes three times as long."""
    digest = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()
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
