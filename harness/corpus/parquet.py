"""A corpus as a Parquet data set: the schema, one row a stream.

| column | type | holds |
|---|---|---|
| id | string | made of the content (`harness.corpus.stream_rows.content_id`) |
| api, provider, model, shape, source | string | labels: see `Labels` |
| method, uri | string | the request line |
| request_headers | string | JSON: names to lists of values |
| request_body | large_binary | null where none was recorded |
| status | int32 | |
| reason | string | |
| response_headers | string | JSON: names to lists of values |
| body | large_binary | the response's, content encodings undone |
| chunk_seconds, chunk_sizes | list of double, of int64 | null if not recorded |
| ended, error, message | string | the ending; null if not recorded |

A data set is the `*.parquet` files of a folder in the order of their names. Labels may
be missing in one that others wrote; the other columns may not. The metadata of a part
(the key is "harness" and "sources", joined by a dot) hold the files that it was packed
from, with their sizes.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any, BinaryIO

from harness.corpus.stream_rows import LABELS, encode_row, not_a_row
from harness.errors import CassetteCorruptError, UsageError
from harness.limits import CASSETTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_SOURCES = b"harness.sources"
_GROUP_BYTES = 16 << 20  # a reader holds one group


def arrow(what: str) -> Any:
    """Return pyarrow with its Parquet module.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise UsageError(
            f"{what}: Parquet needs `pip install 'agent-stream-harness[corpus]'`"
        ) from None
    return pa


def _schema(pa: Any) -> Any:
    text, data = pa.string(), pa.large_binary()
    return pa.schema(
        [
            ("id", text),
            *((name, text) for name in LABELS),
            ("method", text),
            ("uri", text),
            ("request_headers", text),
            ("request_body", data),
            ("status", pa.int32()),
            ("reason", text),
            ("response_headers", text),
            ("body", data),
            ("chunk_seconds", pa.list_(pa.float64())),
            ("chunk_sizes", pa.list_(pa.int64())),
            ("ended", text),
            ("error", text),
            ("message", text),
        ]
    )


def parquet_bytes(rows: Iterable[dict[str, Any]], sources: dict[str, int]) -> bytes:
    """Return one part of a data set.

    Args:
        rows: As `Stream.to_row` returns them.
        sources: The files that they were read from, with their sizes; also those whose
            streams are all in other parts.
    """
    pa = arrow("a data set")
    metadata = {_SOURCES: json.dumps(sources).encode()}
    schema = _schema(pa).with_metadata(metadata)
    target = io.BytesIO()
    with pa.parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        group: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            group.append(row)
            size += len(group[-1]["body"]) + len(group[-1]["request_body"] or b"")
            if size >= _GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
                group, size = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
    return target.getvalue()


class Group:
    """One row group of a part: its ids at once, its rows when they are asked for."""

    def __init__(self, file: Any, name: str, number: int) -> None:
        self._file, self._number, self._name = file, number, name
        self._rows: list[dict[str, Any]] | None = None
        self.size: int = file.metadata.row_group(number).total_byte_size
        """In bytes, decompressed."""
        self.is_too_large = self.size > CASSETTE.value
        """Whether reading it would take more memory than a cassette may."""
        self.ids: list[str] = file.read_row_group(number, ["id"])["id"].to_pylist()

    def row(self, number: int) -> bytes:
        """Return one row, encoded.

        Raises:
            CassetteCorruptError: A value is of another type.
        """
        if self._rows is None:
            known = set(_schema(arrow(self._name)).names)
            columns = [name for name in self._file.schema_arrow.names if name in known]
            self._rows = self._file.read_row_group(self._number, columns).to_pylist()
        place = f"{self._name}: row group {self._number}, row {number}"
        try:
            return encode_row(self._rows[number], place)
        except (TypeError, ValueError) as error:
            raise not_a_row(place, error) from None


def _opened(file: BinaryIO, name: str) -> Any:
    pa = arrow(name)
    try:
        return pa.parquet.ParquetFile(file)
    except pa.ArrowException as error:
        raise CassetteCorruptError(name, f"no Parquet file: {error}") from None


def groups(file: BinaryIO, name: str) -> Iterator[Group]:
    """Yield the row groups of a part.

    Args:
        file: The part, opened.
        name: What errors call it.

    Raises:
        CassetteCorruptError: It is no Parquet file, or lacks a column.
    """
    opened = _opened(file, name)
    needed = {*_schema(arrow(name)).names}.difference(LABELS)
    missing = needed.difference(opened.schema_arrow.names)
    if missing:
        raise CassetteCorruptError(
            name, f"no data set of streams: it lacks {', '.join(sorted(missing))}"
        )
    for number in range(opened.metadata.num_row_groups):
        yield Group(opened, name, number)


def rows_in(file: BinaryIO, name: str) -> int:
    """Return how many rows a part has."""
    return int(_opened(file, name).metadata.num_rows)


def packed_ids(file: BinaryIO, name: str) -> list[str]:
    """Return the ids of a part."""
    ids: list[str] = _opened(file, name).read(["id"])["id"].to_pylist()
    return ids


def sources_of(file: BinaryIO, name: str) -> dict[str, int]:
    """Return what `parquet_bytes` noted about the files of a part."""
    metadata = _opened(file, name).schema_arrow.metadata or {}
    sources: dict[str, int] = json.loads(metadata.get(_SOURCES, b"{}"))
    return sources
