"""The rows of a sweep on disk: appended as they come, gone on with, joined at the end.

While a sweep runs, its rows are JSON lines in a folder ``OUTPUT.partial`` beside the
output, some hundred a file; each file is written in one step and holds whole entries.
At the end they become the output, after the rows that it had before. So whatever ends
a sweep, what it finished is kept, here or in a bucket alike.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from typing import TYPE_CHECKING, Any

from harness.corpus.parquet import arrow
from harness.corpus.places import Place
from harness.errors import CassetteCorruptError, CassetteMissingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.corpus.opening import Entry


Row = dict[str, Any]
"""A row as `sweep_bytes` returns it."""

_FLUSHED_ROWS = 500
_GROUP_ROWS = 10_000
_TEXTS_AFTER = ("digest", "sdk", "sdk_digest", "apart", "harness")


class Rows:
    """The rows of one sweep.

    Args:
        url: The output: ``.jsonl`` or ``.parquet``, at any URL.

    Raises:
        UsageError: It has another ending, or pyarrow is missing.
    """

    def __init__(self, url: str) -> None:
        self._place = Place(url)
        self._is_parquet = url.endswith(".parquet")
        if not url.endswith((".parquet", ".jsonl")):
            raise UsageError(
                f"--output {self._place.shown}: expected a name ending in .jsonl or "
                ".parquet"
            )
        if self._is_parquet:
            arrow(self._place.shown)
        self._spool = self._place.beside(".partial")
        self.spool = self._spool.shown
        """Where the rows are until the sweep is over."""
        self._names = self._spooled()
        self._held: list[Row] = []

    def _spooled(self) -> list[str]:
        with contextlib.suppress(CassetteMissingError):
            names = (each.name for each in self._spool.files())
            return [name for name in names if name.endswith(".jsonl")]
        return []

    def __iter__(self) -> Iterator[Row]:
        """Yield all rows that are stored, in order."""
        if self._place.has():
            yield from read_rows(self._place)
        for name in self._names:
            yield from _lines(self._spool.read(name), f"{self.spool}/{name}")

    def add(self, rows: Iterable[Row]) -> None:
        """Add the rows of one entry; they are stored together."""
        self._held += rows
        if len(self._held) >= _FLUSHED_ROWS:
            self.flush()

    def flush(self) -> None:
        """Store what was added so far."""
        if self._held:
            number = int(self._names[-1].partition(".")[0]) + 1 if self._names else 0
            name = f"{number:08d}.jsonl"
            self._spool.write(b"".join(map(_line, self._held)), name)
            self._names.append(name)
            self._held = []

    def finish(self) -> None:
        """Make the output of all rows; without new ones it stays as it is."""
        self.flush()
        if not self._names and self._place.has():
            return
        with self._place.creating() as file:
            if self._is_parquet:
                _write_parquet(iter(self), file)
            else:  # as they are: each was looked at when it came, or was gone on from
                if self._place.has():
                    with self._place.open() as old:
                        for line in old:
                            file.write(line.rstrip(b"\n") + b"\n")
                for name in self._names:
                    file.write(self._spool.read(name))
        for name in self._names:
            self._spool.remove(name)
        self._names = []
        self._spool.remove_folder()


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _lines(text: bytes | Iterable[bytes], name: str) -> Iterator[Row]:
    source = io.BytesIO(text) if isinstance(text, bytes) else text
    for number, line in enumerate(source, 1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CassetteCorruptError(
                name, f"no JSON: {error}", place=f"line {number}"
            ) from None
        if not isinstance(row, dict) or not isinstance(row.get("verdicts"), dict):
            raise CassetteCorruptError(
                name, "not a row of a sweep", place=f"line {number}"
            )
        yield row


def read_rows(place: Place) -> Iterator[Row]:
    """Yield the rows of a sweep that is over.

    Raises:
        CassetteError: There are none, or they cannot be read.
    """
    with place.open() as file:
        if not place.name.endswith(".parquet"):
            yield from _lines(file, place.shown)
            return
        pa = arrow(place.shown)
        try:
            opened = pa.parquet.ParquetFile(file)
            for batch in opened.iter_batches(_GROUP_ROWS):
                for row in batch.to_pylist():
                    row["verdicts"] = dict(row["verdicts"])
                    row["diagnostics"] = dict(row["diagnostics"])
                    yield row
        except (pa.ArrowException, KeyError) as error:
            raise CassetteCorruptError(
                place.shown, f"no rows of a sweep: {error}"
            ) from None


def _write_parquet(rows: Iterator[Row], file: Any) -> None:
    pa = arrow("the output")
    text = pa.string()
    schema = pa.schema(
        [
            *((name, text) for name in ("id", "stream", "api", "provider", "model")),
            ("shape", text),
            ("source", text),
            ("size", pa.int64()),
            ("verdicts", pa.map_(text, text)),
            ("diagnostics", pa.map_(text, pa.int64())),
            ("problems", pa.list_(text)),
            *((name, text) for name in _TEXTS_AFTER),
            ("seconds", pa.float64()),
        ]
    )
    with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(itertools.islice(rows, _GROUP_ROWS)):
            plain = [
                {
                    **row,
                    "verdicts": list(row["verdicts"].items()),
                    "diagnostics": list(row["diagnostics"].items()),
                }
                for row in group
            ]
            writer.write_table(pa.Table.from_pylist(plain, schema=schema))


def remaining(
    entries: Iterator[Entry], stored: Iterator[Row], checks: Sequence[str]
) -> Iterator[Entry | Row]:
    """Go through what was done, then yield what is left.

    Rows have the order of the corpus, so that both are read side by side and none is
    held.

    Args:
        entries: The corpus.
        stored: The rows that are stored.
        checks: What the sweep does; the rows must have the same.

    Yields:
        Each stored row, then each entry that has none.

    Raises:
        UsageError: The rows are of another corpus, or of other checks.
    """
    row = next(stored, None)
    for entry in entries:
        if row is None:
            yield entry
            continue
        if not _is_of(row, entry):
            raise UsageError(
                f"the rows that are stored go on with {row['id']} where the corpus has "
                f"{entry.name}: it is another corpus, or something came in between; "
                "name another --output (and compare both with --against), or sweep "
                "what is new with --new-since"
            )
        while row is not None and _is_of(row, entry):
            if row["verdicts"] and tuple(row["verdicts"]) != tuple(checks):
                raise UsageError(
                    f"the rows that are stored have {', '.join(row['verdicts'])} and "
                    f"this sweep does {', '.join(checks)}; name another --output"
                )
            yield row
            row = next(stored, None)
    if row is not None:
        raise UsageError(
            f"the rows that are stored have {row['id']}, which is not in the corpus; "
            "name another --output"
        )


def _is_of(row: Row, entry: Entry) -> bool:
    name, _, number = str(row["id"]).rpartition("#")
    return row["id"] == entry.name or (name == entry.name and number.isdigit())
