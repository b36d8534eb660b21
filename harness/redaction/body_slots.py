"""The texts that a body brings in fragments, whatever API wrote it.

A model that repeats a key sends it some four characters an event: no search of the
raw bytes finds it. Here every string of every document counts as a fragment, and the
fragments that stand at the same place of their documents are put together in the
order of the stream. No field name is known but those that distinguish parallel texts
(`index`, `output_index`, `id`, ...), so that an API nobody has seen yet leaves no
secret behind either.

Which fragments belong together is a guess that an API may prove wrong. Therefore the
same fragments are put together by several rules (`harness.redaction.slot_places`): a
text too many costs a search, a missing one costs a secret.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from harness.redaction.documents import Document, documents
from harness.redaction.slot_places import (
    ALIKE,
    ANY_NAME,
    LEAF,
    RULES,
    Bucket,
    Fragment,
    Places,
    Template,
    memo,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator


_MOST_STRINGS = 200_000  # of one document; the places of more would fill the memory

_FEWEST = 3  # characters of a text that goes on growing; a piece may have fewer
_MOST_PROSE = 4 << 20  # bytes of a body in which a text may go on under another name

_STRING = re.compile(rb'"((?:[^"\\\r\n]++|\\.)*+)"')
_IN_NUMBERS = b"0123456789+-.eE"


class Slot(NamedTuple):
    """Fragments that may be one text."""

    fragments: list[Fragment]
    """In the order of the stream."""
    rule: int
    """By which they are taken for one; see `harness.redaction.slot_places`."""


class _Alike(NamedTuple):
    """Documents of a body that have a template in common."""

    template: Template
    buckets: dict[tuple[bytes, ...], Bucket]


class Slots:
    """The slots of one body that a search of its bytes does not cover.

    Args:
        body: Any body; one that holds no JSON has no slots.
    """

    def __init__(self, body: bytes) -> None:
        self._view = memoryview(body)  # of which a part is no copy
        self._documents: list[Document] = []
        self._templates: dict[Hashable, _Alike] = {}
        self._text = Bucket([Places(*[-1] * len(RULES))], [-1])  # data, no JSON
        self._names: dict[bytes, Callable[[list[bytes]], object]] = {}
        self._memo = memo()
        self._last: tuple[_Alike, Bucket] | None = None
        self._offsets: tuple[int, list[int]] = (-1, [])
        for document in documents(body):
            self._add(document)
        self._complete()

    def start(self, fragment: Fragment) -> int:
        """Return the offset in the body at which a fragment begins."""
        document = self._documents[fragment.document]
        if fragment.string < 0:
            return document.start
        if self._offsets[0] != fragment.document:
            offsets, offset = [], document.start
            for piece in _pieces(self._view[document.start : document.end]):
                offset += len(piece) + 1
                offsets.append(offset)
            self._offsets = (fragment.document, offsets[::2])
        return self._offsets[1][fragment.string]

    def __iter__(self) -> Iterator[Slot]:
        buckets = [self._text] if self._text.rows else []
        for alike in self._templates.values():
            buckets += alike.buckets.values()
        columns = [
            (number, column, places)
            for number, bucket in enumerate(buckets)
            for column, places in enumerate(bucket.places)
        ]
        alone = Counter([places.loose for _, _, places in columns])
        seen: set[tuple[tuple[int, int], ...]] = set()
        every = columns
        for rule in RULES:
            if rule >= LEAF:
                columns = [one for one in every if one[2][rule] >= 0]
                if len(self._documents) == 1:
                    return
            if rule == ANY_NAME:
                columns = self._prose(buckets, columns)
            groups: dict[int, list[tuple[int, int]]] = {}
            for number, column, places in columns:
                groups.setdefault(places[rule], []).append((number, column))
            for group in groups.values():
                taken = tuple(group)
                if taken not in seen:
                    seen.add(taken)
                    if len(taken) > 1 or buckets[taken[0][0]].may_differ(taken[0][1]):
                        yield from _slots(buckets, taken, rule)
            if rule == RULES[0]:  # what no rule puts together was seen
                columns = [one for one in columns if alone[one[2].loose] > 1]

    def _prose(
        self, buckets: list[Bucket], columns: list[tuple[int, int, Places]]
    ) -> list[tuple[int, int, Places]]:
        """Return the columns that are not the same all along; none of a large body."""
        if len(self._view) > _MOST_PROSE:
            return []
        return [one for one in columns if not buckets[one[0]].is_constant(one[1])]

    def _add(self, document: Document) -> None:
        text = self._view[document.start : document.end]
        number = len(self._documents)
        self._documents.append(document)
        if not document.is_json:
            self._text.rows.append((number, (bytes(text),)))
            return
        pieces = _pieces(text)
        separators, strings = pieces[::2], pieces[1::2]
        if not 0 < len(strings) <= _MOST_STRINGS:
            return
        structure = b'"'.join(separators).translate(None, _IN_NUMBERS)
        names = self._names.get(structure)
        if names is None:
            names = self._names[structure] = self._memo.names(separators)
        key = (separators[0], structure, names(strings))
        alike = self._templates.get(key)
        if alike is None:
            template = self._memo.template(separators, strings)
            alike = self._templates[key] = _Alike(template, {})
        template, buckets = alike
        if template.texts is None:
            return
        values = tuple([value(separators, strings) for value in template.values])
        bucket = buckets.get(values)
        if bucket is None:
            bucket = buckets[values] = template.bucket(values, self._memo)
        bucket.rows.append((number, template.texts(strings)))
        self._last = (alike, bucket)

    def _complete(self) -> None:
        """Put what a cut-off document has wherever its like stood before.

        The numbers that distinguish parallel texts often come after the text.
        """
        if self._last is None or not self._last[0].template.is_cut_off:
            return
        alike, last = self._last
        number, texts = last.rows.pop()
        before: dict[int, dict[Places, None]] = {}
        for other in self._templates.values():
            for bucket in other.buckets.values():
                for places in bucket.places if bucket.rows else ():
                    before.setdefault(places.loose, {})[places] = None
        columns = [
            (places._replace(part=own.part, siblings=-1), string, text)
            for own, string, text in zip(last.places, last.strings, texts, strict=False)
            for places in before.get(own.loose, {own})
        ]
        completed = Bucket([c[0] for c in columns], [c[1] for c in columns])
        completed.rows.append((number, tuple([c[2] for c in columns])))
        alike.buckets[b"cut off",] = completed


def _pieces(document: memoryview) -> list[bytes]:
    """Return what stands between strings and the strings, in turns."""
    pieces = _STRING.split(document)
    if b'"' in pieces[-1]:  # cut off inside a string
        pieces = _STRING.split(bytes(document) + b'"')
    return pieces


def _slots(
    buckets: list[Bucket], columns: tuple[tuple[int, int], ...], rule: int
) -> Iterator[Slot]:
    """Put the fragments of some columns together, in the order of the body."""
    if len(columns) == 1:
        [(number, column)] = columns
        if not buckets[number].is_constant(column):
            yield from _whole(buckets[number].column(column), RULES[0])
        return
    fragments: list[tuple[Fragment, int, int]] = []
    for number, column in columns:
        *_, part, siblings = buckets[number].places[column]
        fragments += [
            (fragment, part, siblings) for fragment in buckets[number].column(column)
        ]
    fragments.sort()
    text: list[Fragment] = []
    before: tuple[Fragment, int, int] | None = None
    for item in fragments:
        fragment, part, siblings = item
        if (
            before is not None
            and rule >= ALIKE
            and (before[0].document, before[1]) == (fragment.document, part)
            and not before[2] == siblings >= 0
        ):
            yield from _whole(text, rule)
            text = []
        text.append(fragment)
        before = item
    yield from _whole(text, rule)


def _whole(fragments: list[Fragment], rule: int) -> Iterator[Slot]:
    """Yield fragments as one slot, or each alone where each repeats the one before."""
    if len(fragments) > 1:
        texts = map(itemgetter(2), fragments)
        grows = all(later.startswith(text) for text, later in pairwise(texts))
        if not grows or (len(fragments) == 2 and len(fragments[0].text) < _FEWEST):
            yield Slot(fragments, rule)
        if not grows:
            return
    for fragment in fragments:
        if b"\\" in fragment.text:  # else it reads the same in the body
            yield Slot([fragment], RULES[0])
