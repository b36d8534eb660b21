"""What was recorded, on its way to a file that stays.

Owns that nothing recorded is lost: each exchange goes to the journal as it ends, the
journal is folded into the cassette when that is saved, what killed recordings left is
taken in with it, and what cannot be saved is kept elsewhere and named.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cassettes.atomic import write_atomically
from harness.cassettes.encode import Encoded, encode_document, interaction_of
from harness.cassettes.journal import Journal, LeftOver, claim_left_over
from harness.cassettes.locks import locked
from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.cassettes.model import Exchange
    from harness.cassettes.persister import Persister


class Keeping:
    """The journal of one recording, and what it becomes.

    Args:
        path: The cassette.
        mode: The record mode, as it is written.
        persister: Writes the cassette.
        warn: Called with one line about what the user should know.
    """

    def __init__(
        self, path: str, mode: str, persister: Persister, warn: Callable[[str], object]
    ) -> None:
        self.path = path
        self.journal = Journal(path, mode, warn)
        self._is_rewrite = mode == "rewrite"
        self._persister = persister
        self._warn = warn
        self._aside: str | None = None

    def note(self, order: int, exchange: Exchange) -> None:
        """Write an exchange to the journal; see `Journal.append`."""
        self.journal.append(order, interaction_of(exchange))

    def fold(
        self, save: Callable[[], None], is_recorded_again: Callable[[Exchange], bool]
    ) -> None:
        """Save the cassette, with what earlier recordings left of it.

        Args:
            save: Has the persister write.
            is_recorded_again: Returns what a new exchange replaces.

        Raises:
            CassetteError: It cannot be saved; what the journals hold stays there.
        """
        notices: list[str] = []
        with locked(self.path):
            found = claim_left_over(self.path, notices.append)
            try:
                found = self._without_folded(found)
                foldable = [each for each in found if not self._is_apart(each)]
                self._persister.taken_in = [
                    exchange
                    for each in foldable
                    for exchange in each.exchanges
                    if not is_recorded_again(exchange)
                ]
                self._persister.before_replacing = functools.partial(
                    _mark, [self.journal, *foldable]
                )
                save()
                self.journal.discard()
                notices += [self._settle(each) for each in found]
            finally:
                self._persister.taken_in = []
                for each in found:
                    each.release()
        if self._aside is not None:
            Path(self._aside).unlink(missing_ok=True)
            self._aside = None
        for notice in filter(None, notices):
            self._warn(notice)

    def _without_folded(self, found: list[LeftOver]) -> list[LeftOver]:
        """Remove what was folded by a process that was killed right after."""
        if not any(each.text.folded for each in found):
            return found
        digest = ""
        with contextlib.suppress(OSError):
            digest = hashlib.sha256(Path(self.path).read_bytes()).hexdigest()
        for each in found:
            if digest in each.text.folded:
                each.remove()
        return [each for each in found if digest not in each.text.folded]

    def _is_apart(self, found: LeftOver) -> bool:
        """Return whether it does not belong in the cassette: a failed rewrite."""
        return self._is_rewrite or found.text.mode == "rewrite"

    def _settle(self, found: LeftOver) -> str:
        """Remove a journal whose exchanges are in a file now; return what to report."""
        is_one = len(found.exchanges) == 1
        count = f"{len(found.exchanges)} exchange{'' if is_one else 's'}"
        if not found.exchanges:
            found.remove()
            return ""
        if not self._is_apart(found):
            found.remove()
            return (
                f"{self.path}: took in {count} of a recording that did not end "
                f"(journal {found.path.name})"
            )
        try:
            kept = self._write_aside(found.exchanges)
        except CassetteError as error:
            return f"{found.path}: {count} of a recording that did not end: {error}"
        found.remove()
        return (
            f"{self.path}: {count} of a recording that did not end "
            f"{'is' if is_one else 'are'} in {kept} and not in this cassette"
        )

    def keep(self, exchanges: Sequence[Exchange]) -> str:
        """Keep what is not to go into the cassette, or cannot.

        In a ``.partial`` file beside it; where none can be written in the journal, if
        that has it all, or else among the system's temporary files.

        Args:
            exchanges: All that was recorded, in order.

        Returns:
            The file.

        Raises:
            CassetteError: It can be kept nowhere.
        """
        try:
            self._aside = self._write_aside(exchanges, self._aside)
        except CassetteError as error:
            kept = self.journal.whole or self._write_to_temporary(exchanges, error)
        else:
            self.journal.discard()
            return self._aside
        self.journal.close()
        return kept

    def _write_aside(
        self, exchanges: Sequence[Exchange], name: str | None = None
    ) -> str:
        data = self._encoded(exchanges)
        path = name or _free_name(self.path)
        try:
            write_atomically(path, data)
        except CassetteError:
            if name is None:
                with contextlib.suppress(OSError):
                    Path(path).unlink(missing_ok=True)
            raise
        return path

    def _write_to_temporary(
        self, exchanges: Sequence[Exchange], error: CassetteError
    ) -> str:
        data = self._encoded(exchanges)
        prefix = f"{Path(self.path).name[:100]}."
        try:
            descriptor, name = tempfile.mkstemp(".partial", prefix)  # mode 0600
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(data)
        except OSError as reason:
            raise CassetteError(
                error.path, f"{error.problem}; nor among temporary files ({reason})"
            ) from None
        return name

    def _encoded(self, exchanges: Sequence[Exchange]) -> Encoded:
        interactions = [interaction_of(exchange) for exchange in exchanges]
        return encode_document(self.path, interactions, extra=self._persister.extra)

    def close(self, *, is_kept: bool) -> None:
        """Let go of the journal.

        Args:
            is_kept: What was recorded is in a file that stays, which is worth a line
                if the journal has failed on the way.
        """
        self.journal.close()
        if self.journal.problem and is_kept:
            self._warn(
                f"{self.path}: all that was recorded is kept, though the journal could "
                f"not be written on the way ({self.journal.problem})"
            )


def _mark(journals: Sequence[Journal | LeftOver], digest: str) -> None:
    for each in journals:
        each.mark_folded(digest)


def _free_name(path: str) -> str:
    """Make an empty ``.partial`` file that nobody else has, and return its name."""
    number = 1
    while True:
        name = f"{path}.partial" if number == 1 else f"{path}.{number}.partial"
        try:
            os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            number += 1
        except OSError as error:
            reason = error.strerror or str(error)
            raise CassetteError(name, f"cannot be written ({reason})") from error
        else:
            return name


def partial_files(path: str | os.PathLike[str]) -> list[Path]:
    """Return what recordings kept beside a cassette that they did not replace."""
    target = Path(path)
    name = re.compile(rf"{re.escape(target.name)}(?:\.\d+)?\.partial")
    try:
        return [each for each in target.parent.iterdir() if name.fullmatch(each.name)]
    except OSError:
        return []
