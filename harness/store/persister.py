"""vcrpy's persister over our own reader and writer.

Owns what is kept of a file that is written again: interactions that were only loaded
go back as they were, with every key that neither vcrpy nor we know, and a file that
somebody else has changed in the meantime is not overwritten.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import CassetteCorruptError, CassetteError
from harness.store.reading import read_cassette
from harness.store.writing import interaction_of, write_document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.store.cassette import Exchange, Request

__all__ = ["Persister", "Stored"]


class Stored:
    """What vcrpy keeps as the response: the exchange, and the file's own form of it.

    Args:
        exchange: The exchange.
        raw: The interaction as it was in the file; None for a new one.
        order: Where it stands among the new ones; -1 for one from the file.
    """

    __slots__ = ("exchange", "order", "raw")

    def __init__(self, exchange: Exchange, raw: Any, order: int) -> None:
        self.exchange = exchange
        self.raw = raw
        self.order = order

    def __deepcopy__(self, memo: Any) -> Stored:
        return self  # vcrpy copies what it is given; nobody changes this


class Persister:
    """vcrpy's persister interface over our reader and writer.

    Args:
        stored_request: Makes vcrpy's request of a stored one.
        missing: What vcrpy expects to be raised where there is no file.

    Attributes:
        fingerprint: Which state of the file was read or written last; None if there
            was none.
    """

    def __init__(
        self, stored_request: Callable[[Request], Any], missing: type[Exception]
    ) -> None:
        self._stored_request = stored_request
        self._missing = missing
        self._extra: dict[str, Any] = {}
        self.fingerprint: tuple[int, int, int] | None = None

    def load_cassette(
        self,
        path: Any,
        serializer: Any,  # noqa: ARG002 - vcrpy's interface
    ) -> tuple[list[Any], list[Stored]]:
        """Return vcrpy's requests, and the exchanges as what it takes for responses."""
        stored = self.read(str(path))
        if stored is None:
            raise self._missing
        return [self._stored_request(item.exchange.request) for item in stored], stored

    def save_cassette(
        self,
        path: Any,
        cassette_dict: Any,
        serializer: Any,  # noqa: ARG002 - vcrpy's interface
    ) -> None:
        """Write what vcrpy decided to keep."""
        self.write(str(path), cassette_dict["responses"])
        self.fingerprint = _fingerprint(str(path))

    def read(self, path: str) -> list[Stored] | None:
        """Read a cassette; None where there is no file.

        Raises:
            CassetteError: It is there, but cannot be read or is no cassette.
        """
        self.fingerprint = _fingerprint(path)
        if self.fingerprint is None:
            return None
        raws: list[Any] = []

        def inspect(document: Any) -> None:
            found = document.get("interactions") if isinstance(document, dict) else None
            if isinstance(found, list):
                raws.extend(found)  # the reader empties its own list
                self._extra = {
                    key: value
                    for key, value in document.items()
                    if key not in {"interactions", "version"}
                }

        exchanges = read_cassette(path, inspect=inspect).exchanges
        if not raws:
            raise CassetteCorruptError(
                path, "is a recording, but no cassette; record under another name"
            )
        return [
            Stored(exchange, raw, -1)
            for exchange, raw in zip(exchanges, raws, strict=True)
        ]

    def write(self, path: str, stored: Sequence[Stored]) -> None:
        """Write exchanges in the order of their requests.

        Raises:
            CassetteError: It cannot be written.
        """
        ordered = sorted(stored, key=lambda item: item.order)
        write_document(
            path,
            [item.raw or interaction_of(item.exchange) for item in ordered],
            extra=self._extra,
        )

    def check_unchanged(self, path: str) -> None:
        """Refuse to go on if the file is not the one that was read.

        Raises:
            CassetteError: Somebody else changed it.
        """
        if _fingerprint(path) != self.fingerprint:
            raise CassetteError(
                path,
                "was changed by somebody else while this recording was open and is "
                "left as it is; record to one file from one place at a time",
            )


def _fingerprint(path: str) -> tuple[int, int, int] | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
