"""Some streams of a corpus: counted, sampled, written as cassettes."""

from __future__ import annotations

import hashlib
import heapq
import re
from typing import TYPE_CHECKING

from harness.corpus.packing import cassette_bytes
from harness.corpus.sweeping import streams_in
from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from harness.corpus.opening import Corpus
    from harness.corpus.places import Place
    from harness.corpus.stream_rows import Stream

__all__ = ["chosen", "iter_streams", "sample", "write_cassettes"]


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
