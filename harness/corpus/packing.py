"""Recordings to a data set, and some streams of a corpus to cassettes."""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from harness.cassettes.encode import encode_document, interaction_of
from harness.corpus.opening import Corpus, Entry, Item
from harness.corpus.parquet import packed_ids, parquet_bytes, sources_of
from harness.corpus.places import Found, Place
from harness.corpus.stream_rows import Stream, content_id, decode_row, encode_row
from harness.corpus.sweeping import streams_in
from harness.errors import CassetteError, CassetteMissingError
from harness.redaction.config import Redaction, redacted_url
from harness.redaction.redact import redact_exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from harness.corpus.engines import Engine


PART_STREAMS = 4096
_PART_BYTES = 64 << 20
_PART = re.compile(r"part-(\d+)\.parquet")


@dataclass(frozen=True, slots=True)
class PackJob:
    """Redacts the streams of a recording and labels them; see `Job`."""

    personal: frozenset[str] = frozenset()
    """Kinds of personal data to remove besides secrets, as `Redaction` takes them."""

    def prepare(self) -> None:
        """Check the rules.

        Raises:
            UsageError: There is no such kind.
        """
        Redaction(personal=self.personal)

    def work(self, item: Item) -> list[bytes | str]:
        """Return the encoded rows of a recording, or one text: the problem."""
        rules = Redaction(personal=self.personal)
        try:
            streams = [_redacted(each, rules) for each in streams_in(item)]
            return [encode_row(each.to_row()) for each in streams]
        except CassetteError as error:
            return [redacted_url(str(error))]

    def give_up(self, item: Item, reason: str) -> list[bytes | str]:
        """Return the reason why a recording is not packed."""
        return [f"{item.name}: {reason}"]


def _redacted(stream: Stream, rules: Redaction) -> Stream:
    exchange = redact_exchange(stream.exchange, rules)
    source = redacted_url(stream.labels.source)
    return Stream(content_id(exchange), exchange, replace(stream.labels, source=source))


@dataclass(slots=True)
class Packed:
    """What a packing did."""

    streams: int = 0
    duplicates: int = 0
    skipped: int = 0
    """Files that were packed before."""
    passed_over: int = 0
    """Files that are no recordings, by their names or by what they hold."""
    problems: list[str] = field(default_factory=list)
    """One a recording that was not packed; its file is tried again next time."""


class _Target:
    """The data set that is written, part after part."""

    def __init__(self, url: str) -> None:
        self._place = Place(url)
        self.sources: dict[str, int] = {}
        self.ids: set[bytes] = set()
        self._next = 0
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self._noted: dict[str, int] = {}
        try:
            names = [found.name for found in self._place.files()]
        except CassetteMissingError:
            names = []
        for name in names:
            match = _PART.fullmatch(name)
            if match is None:
                continue
            self._next = max(self._next, int(match[1]) + 1)
            with self._place.open(name) as file:
                self.sources |= sources_of(file, name)
                self.ids.update(map(bytes.fromhex, packed_ids(file, name)))

    def add(self, row: dict[str, Any]) -> bool:
        """Add a stream; return whether it was new."""
        key = bytes.fromhex(row["id"])
        if key in self.ids:
            return False
        self.ids.add(key)
        self._rows.append(row)
        self._bytes += len(row["body"])
        # Parts end with a file, so that a resumed packing cuts them at the same places;
        # an archive that would not fit into memory is cut all the same.
        if len(self._rows) >= 8 * PART_STREAMS or self._bytes >= 2 * _PART_BYTES:
            self.flush()
        return True

    def note(self, source: str, size: int) -> None:
        """Note that a file has been packed to its end."""
        self._noted[source] = size
        if len(self._rows) >= PART_STREAMS or self._bytes >= _PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write a part, if there is anything to write."""
        if self._rows or self._noted:
            data = parquet_bytes(self._rows, self._noted)
            self._place.write(data, f"part-{self._next:05d}.parquet")
            self._next += 1
            self._rows, self._bytes, self._noted = [], 0, {}


def pack(
    sources: Iterable[str],
    target: str,
    start: Callable[[PackJob], Engine],
    job: PackJob | None = None,
) -> Packed:
    """Pack recordings into a data set: redacted, each stream once.

    Args:
        sources: Corpora: paths or URLs.
        target: The folder of the data set. Files that it was packed from already (the
            same name and size) are skipped, so that an interrupted packing goes on,
            and a growing source is packed again and again.
        start: Starts an engine for the job.
        job: How to redact; None removes secrets alone.

    Returns:
        What was done.

    Raises:
        CassetteError: A source is missing, or the target cannot be written.
    """
    report = Packed()
    written = _Target(target)
    trail: deque[tuple[str, int]] = deque()  # the file of each entry that is at work
    with start(job or PackJob()) as engine:
        entries = _entries(sources, written.sources, trail, report)
        done = ((trail.popleft(), results) for _, results in engine.run(entries))
        for source, of_file in groupby(done, itemgetter(0)):
            before = len(report.problems)
            for _, results in of_file:
                report.passed_over += not results
                for result in results:
                    if isinstance(result, str):
                        report.problems.append(result)
                    elif written.add(decode_row(result)):
                        report.streams += 1
                    else:
                        report.duplicates += 1
            if len(report.problems) == before:
                written.note(*source)
        written.flush()
    return report


def _entries(
    sources: Iterable[str],
    done: dict[str, int],
    trail: deque[tuple[str, int]],
    report: Packed,
) -> Iterator[Entry]:
    for url in sources:

        def is_new(found: Found, url: str = url) -> bool:
            is_done = done.get(_source(url, found)) == found.size
            report.skipped += is_done
            return not is_done

        corpus = Corpus(url, is_new)
        for entry in corpus.entries():
            trail.append((_source(url, entry.file), entry.file.size))
            yield entry
        report.passed_over += corpus.passed_over


def _source(url: str, found: Found) -> str:
    return redacted_url(f"{url.rstrip('/')}/{found.name}")


def cassette_bytes(stream: Stream) -> bytes:
    """Return a cassette that holds one stream, redacted."""
    interaction = interaction_of(redact_exchange(stream.exchange))
    return b"".join(encode_document(f"{stream.id}.yaml", [interaction]))


def iter_streams(
    corpus: Corpus, report: Callable[[CassetteError], None]
) -> Iterator[Stream]:
    """Yield the streams of a corpus; one that cannot be read is reported."""
    for entry in corpus.entries():
        try:
            yield from streams_in(entry.load())
        except CassetteError as error:
            report(error)


def sample(
    corpus: Corpus,
    by: Sequence[str],
    count: int,
    report: Callable[[CassetteError], None],
) -> list[tuple[tuple[str, ...], str]]:
    """Choose streams so that each group has as many as the others, while it can.

    Args:
        corpus: Where from.
        by: Labels that make a group, such as ``api`` and ``provider``.
        count: How many in all.
        report: Called with what cannot be read.

    Returns:
        The group and the id of each, by group; the same of the same corpus.
    """
    heaps: dict[tuple[str, ...], list[tuple[int, str]]] = {}
    for stream in iter_streams(corpus, report):
        group = tuple(getattr(stream.labels, name) for name in by)
        # Any order that has nothing to do with the content; negative: a max-heap.
        rank = -int(hashlib.sha256(stream.id.encode()).hexdigest()[:15], 16)
        heap = heaps.setdefault(group, [])
        heapq.heappush(heap, (rank, stream.id))
        if len(heap) > count:
            heapq.heappop(heap)
    groups = {group: sorted(heap, reverse=True) for group, heap in heaps.items()}
    taken: list[tuple[tuple[str, ...], str]] = []
    turn = 0
    while len(taken) < count and any(len(found) > turn for found in groups.values()):
        for group in sorted(groups):
            if len(groups[group]) > turn and len(taken) < count:
                taken.append((group, groups[group][turn][1]))
        turn += 1
    return sorted(taken)


def chosen(corpus: Corpus, ids: Collection[str]) -> Iterator[Stream]:
    """Yield the streams of these ids, reading no other recording of a data set."""
    names = {each.rpartition("#")[0] for each in ids}
    for entry in corpus.entries():
        if entry.name in ids:
            yield from streams_in(entry.load())
        elif entry.name in names:
            yield from (each for each in streams_in(entry.load()) if each.id in ids)


def write_cassettes(streams: Iterator[Stream], target: Place) -> int:
    """Write each stream as a cassette that is named after its id.

    Args:
        streams: What to write; secrets are removed.
        target: The folder.

    Returns:
        How many.
    """
    count = 0
    for stream in streams:
        name = re.sub(r"[^\w.#/-]+|\.\.+|^[/.]", "_", stream.id)
        target.write(cassette_bytes(stream), f"{name}.yaml")
        count += 1
    return count
