"""A corpus, opened: its entries in a stable order, each read when it is needed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from harness.cassettes.file_endings import is_archive, is_recording_name
from harness.cassettes.unpacking import members
from harness.corpus.parquet import groups, rows_in
from harness.corpus.places import Found, Place
from harness.errors import CassetteError
from harness.limits import CASSETTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_READINGS = "/__drift__/"  # what `harness drift` keeps beside recordings is none

ROW = "row"
"""An item's bytes are one row of a data set (`encode_row`)."""
TEXT = "text"
"""An item's bytes are a file in any format that harness reads, maybe compressed."""


class Item(NamedTuple):
    """What a worker gets: the bytes of one recording."""

    name: str
    kind: str
    """`ROW` or `TEXT`."""
    data: bytes
    problem: str = ""
    """Why there are no bytes: it is set apart without being worked on."""


class Entry(NamedTuple):
    """One recording of a corpus: a file, a member of an archive, a row."""

    name: str
    """Unique in the corpus: its path, ``ARCHIVE!MEMBER``, or the id of a row."""
    size: int
    load: Callable[[], Item]
    file: Found
    """The file that it is in."""

    @classmethod
    def held(cls, item: Item, size: int, file: Found) -> Entry:
        """Return the entry of an item that is there already."""
        return cls(item.name, size, lambda: item, file)


class Corpus:
    """A folder of recordings, an archive, a data set: at any URL.

    Args:
        url: See `Place`.
        is_wanted: Whether each file it is looked at; None looks at all.

    Attributes:
        passed_over: How many files are no recordings by their names.
    """

    def __init__(
        self, url: str, is_wanted: Callable[[Found], bool] | None = None
    ) -> None:
        self.place = Place(url)
        self.passed_over = 0
        self._is_wanted = is_wanted or (lambda _file: True)
        self.seen: list[Found] = []
        """The files of the latest time among those looked at."""

    def files(self) -> Iterator[Found]:
        """Yield the files that hold recordings, by name.

        Raises:
            CassetteError: There are none.
        """
        self.passed_over = 0
        self.seen = []
        is_file = self.place.is_file()
        has_some = False
        for found in self.place.files():
            name = found.name.lower()
            if _READINGS in f"/{name}" or not (
                is_file
                or name.endswith(".parquet")
                or is_archive(name)
                or is_recording_name(name)
            ):
                self.passed_over += 1
                continue
            has_some = True
            if not self._is_wanted(found):
                continue
            if self.seen and found.modified > self.seen[0].modified:
                self.seen = []
            if not self.seen or found.modified == self.seen[0].modified:
                self.seen.append(found)
            yield found
        if not has_some:
            raise CassetteError(
                self.place.shown,
                "no recordings: expected *.parquet, *.yaml, *.json, *.har, *.toml, "
                "*.jsonl, *.sse, *.txt or *.http, as they are, .gz or .zst, or in a "
                ".zip or .tar",
            )

    def count(self) -> int | None:
        """Return how many entries there are; None where that cannot be seen."""
        total = 0
        try:
            for found in self.files():
                if is_archive(found.name):
                    return None
                total += 1
                if found.name.lower().endswith(".parquet"):
                    path = "" if self.place.is_file() else found.name
                    with self.place.open(path) as file:
                        total += rows_in(file, found.name) - 1
        except CassetteError:  # whoever reads it reports it
            return None
        return total

    def entries(self) -> Iterator[Entry]:
        """Yield all recordings: by the names of files, then in their order in a file.

        A file that cannot be read is an entry with a problem, so that others go on.
        """
        for found in self.files():
            try:
                yield from self.entries_of(found)
            except CassetteError as error:
                problem = str(error).removeprefix(f"{found.name}: ")
                yield _apart(found, found.name, found.size, problem)

    def entries_of(self, found: Found) -> Iterator[Entry]:
        """Yield the recordings of one file.

        Raises:
            CassetteError: It cannot be read.
        """
        path = "" if self.place.is_file() else found.name
        if found.name.lower().endswith(".parquet"):
            yield from self._rows(found, path)
        elif is_archive(found.name):
            with self.place.open(path) as file:
                for name, size, data in members(found.name, file):
                    problem = CASSETTE.problem if data is None else ""
                    item = Item(f"{found.name}!{name}", TEXT, data or b"", problem)
                    yield Entry.held(item, size, found)
        elif found.size > CASSETTE.value:
            yield _apart(found, found.name, found.size, CASSETTE.problem)
        else:
            read = partial(self.place.read, path)
            load = partial(_loaded, found.name, TEXT, read)
            yield Entry(found.name, found.size, load, found)

    def _rows(self, found: Found, path: str) -> Iterator[Entry]:
        with self.place.open(path) as file:
            for group in groups(file, found.name):
                for number, name in enumerate(group.ids):
                    if group.is_too_large:
                        yield _apart(found, name, group.size, CASSETTE.problem)
                        continue
                    load = partial(_loaded, name, ROW, partial(group.row, number))
                    yield Entry(name, group.size // len(group.ids), load, found)


def _apart(found: Found, name: str, size: int, problem: str) -> Entry:
    return Entry.held(Item(name, TEXT, b"", problem), size, found)


def _loaded(name: str, kind: str, read: Callable[[], bytes]) -> Item:
    try:
        return Item(name, kind, read())
    except CassetteError as error:
        return Item(name, kind, b"", str(error))
