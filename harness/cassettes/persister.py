"""vcrpy's persister over our own reader and writer.

Owns what is kept of a file that is written again: interactions that were only loaded
go back as they were, with every key that neither vcrpy nor we know, and what a user
else has added or changed in the meantime stays as they left it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.atomic import write_atomically
from harness.cassettes.encode import encode_document, interaction_of
from harness.cassettes.json_text import for_json, is_json
from harness.cassettes.load import read_cassette
from harness.errors import CassetteCorruptError, CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.cassettes.model import Exchange, Request


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What vcrpy keeps as the response: the exchange, and the file's own form of it."""

    exchange: Exchange
    raw: Any
    """The interaction as it was in the file; None for a new one."""
    order: int
    """Where it stands among the new ones; -1 for one from the file."""

    def __deepcopy__(self, memo: Any) -> Stored:
        return self  # vcrpy copies what it is given; nobody changes this


class Persister:
    """vcrpy's persister interface over our reader and writer.

    Args:
        stored_request: Makes vcrpy's request of a stored one.
        missing: What vcrpy expects to be raised where there is no file.
        replaces: What is written replaces the file as a whole, so that one which
            another program has changed is left alone.
        writes: Whether a file that is there may be written to.

    Attributes:
        fingerprint: Which state of the file was read or written last; None if there
            was none.
        taken_in: Exchanges to be written between those of the file and the new ones.
        before_replacing: Called with the digest of what is about to be written.
        extra: Top-level keys of the file that are neither vcrpy's nor ours.
    """

    def __init__(
        self,
        stored_request: Callable[[Request], Any],
        missing: type[Exception],
        *,
        replaces: bool,
        writes: bool,
    ) -> None:
        self._stored_request = stored_request
        self._missing = missing
        self._replaces = replaces
        self._writes = writes
        self._loaded: list[Stored] = []
        self._current: list[Any] = []  # interactions of the file
        self._own: list[Any] = []  # those of them that were recorded here
        self.extra: dict[str, Any] = {}
        self.fingerprint: tuple[int, int, int] | None = None
        self.taken_in: list[Exchange] = []
        self.before_replacing: Callable[[str], object] = lambda _: None

    def load_cassette(self, path: Any, **_: Any) -> tuple[list[Any], list[Stored]]:
        """Return vcrpy's requests, and the exchanges as what it takes for responses."""
        stored = self.read(str(path), plays=not self._writes)
        if stored is None:
            raise self._missing
        self._loaded = stored
        return [self._stored_request(item.exchange.request) for item in stored], stored

    def save_cassette(self, path: Any, cassette_dict: Any, **_: Any) -> None:
        """Write what vcrpy decided to keep."""
        self.write(str(path), cassette_dict["responses"])

    def read(self, path: str, *, plays: bool = False) -> list[Stored] | None:
        """Read a cassette; None where there is no file.

        Args:
            path: The file.
            plays: It may be a recording of another format, which is not written to.

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
                self.extra = {
                    key: value
                    for key, value in document.items()
                    if key not in {"interactions", "version"}
                }

        exchanges = read_cassette(path, inspect=inspect).exchanges
        plays = plays and all(exchange.request.uri for exchange in exchanges)
        if not raws and not plays:
            raise CassetteCorruptError(
                path,
                "is a recording, but no cassette: it is played, and not written to; "
                "record under another name",
            )
        self._current = raws
        raws = raws or [{} for _ in exchanges]  # another recorder's format
        return [
            Stored(exchange, raw, -1)
            for exchange, raw in zip(exchanges, raws, strict=True)
        ]

    def write(self, path: str, stored: Sequence[Stored]) -> None:
        """Write the cassette: what the file has, what is taken in, what is new.

        Args:
            path: The file.
            stored: Loaded exchanges that are to stay, and all new ones, which are
                written in the order of their requests.

        Raises:
            CassetteError: It cannot be written, or is not the file that was read and
                cannot be joined with what is new.
        """
        self._refresh(path)
        new = [interaction_of(item.exchange) for item in in_order(stored)]
        taken_in = [interaction_of(exchange) for exchange in self.taken_in]
        interactions = [*self._kept(stored), *taken_in, *new]
        data = encode_document(path, interactions, extra=self.extra)
        digest = hashlib.sha256()
        for piece in data:
            digest.update(piece)
        self.before_replacing(digest.hexdigest())
        write_atomically(path, data)
        self._current = interactions
        self._own = for_json(new) if is_json(path) else new
        self.fingerprint = _fingerprint(path)

    def _refresh(self, path: str) -> None:
        """Read the file again if another program has changed it."""
        found = _fingerprint(path)
        if found == self.fingerprint:
            return
        if self._replaces or found is None:
            what = "removed" if found is None else "changed"
            raise CassetteError(
                path,
                f"was {what} by another program while this recording was open and is "
                "left as it is; record to one file from one place at a time",
            )
        self.read(path)

    def _kept(self, stored: Sequence[Stored]) -> list[Any]:
        """Return what stays of the file: all but what is re-recorded, and our own."""
        if self._replaces:
            return []
        staying = {id(item) for item in stored}
        going = [item.raw for item in self._loaded if id(item) not in staying]
        going += self._own
        kept = []
        for raw in self._current:
            place = next((i for i, one in enumerate(going) if one == raw), None)
            if place is None:
                kept.append(raw)
            else:
                del going[place]
        return kept


def in_order(stored: Sequence[Stored]) -> list[Stored]:
    """Return the new ones among stored exchanges, in the order of their requests."""
    return sorted((s for s in stored if s.raw is None), key=lambda item: item.order)


def _fingerprint(path: str) -> tuple[int, int, int] | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
