"""Message ids and dates, derived from the cassette and from nothing else.

The same cassette gives the same ids on every machine: they come from the number and
the content of an exchange, never from a path, a clock or a random source.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

__all__ = ["EPOCH", "ExchangeIdentity", "date_of"]

_NAMESPACE = uuid.UUID("6f1b0a0c-3f0e-5d2b-9a51-2f6f1c9f7c11")  # ours, fixed for good

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The date of an exchange whose provider sent no usable `created`."""


class ExchangeIdentity:
    """Makes the ids of one exchange.

    Args:
        number: Position of the exchange in its cassette.
        content: Its body, or the first event of one that is read as it comes.
    """

    __slots__ = ("_digest", "_number")

    def __init__(self, number: int, content: bytes) -> None:
        self._number = number
        self._digest = hashlib.sha256(content).hexdigest()

    def message_id(self, part: str = "response") -> str:
        """Return the id of one message of the exchange.

        Args:
            part: Which one: `response`, `call-1`, `result-0`, ...

        Returns:
            ``message-<uuid5>``.
        """
        name = f"{self._number}:{part}:{self._digest}"
        return f"message-{uuid.uuid5(_NAMESPACE, name)}"

    @property
    def call_prefix(self) -> str:
        """What the id of a call whose provider sent none begins with."""
        return f"call_{self._number}"

    def call_id(self, position: int) -> str:
        """Return the id of a call whose provider sent none."""
        return f"{self.call_prefix}_{position}"


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
