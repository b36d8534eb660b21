"""The texts that a body brings in fragments, whatever API wrote it.

A model that repeats a key sends it some four characters an event: no search of the
raw bytes finds it. Here every string of every document counts as a fragment, and the
fragments that stand at the same place of their documents are put together in the
order of the stream. No field name is known but those that tell parallel texts apart
(`index`, `output_index`, `id`, ...), so that an API nobody has seen yet leaves no
secret behind either.

Which fragments belong together is a guess that an API may prove wrong. Therefore the
same fragments are put together by several rules (`_Places`): a text too many costs a
search, a missing one costs a secret.
"""

from __future__ import annotations

import re
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from harness.store.documents import Document, documents

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

__all__ = ["Fragment", "Slot", "Slots"]

_MOST_STRINGS = 200_000  # of one document; the places of more would fill the memory

_STRING = re.compile(rb'"((?:[^"\\\r\n]++|\\.)*+)"')
_STRUCTURE = re.compile(rb"[{}\[\],]")
_NUMBER = re.compile(rb"\s*+:\s*+([-+.\deE]+)")
_INDEX = re.compile(rb"(?:\w*_)?index|\w*Index")
_ID = re.compile(rb"(?:\w*(?:item|call|use|block|part)_?)?id", re.IGNORECASE)
_IN_NUMBERS = b"0123456789+-.eE"


class Fragment(NamedTuple):
    """One string of a body."""

    document: int
    """Number of its document."""
    string: int
    """Number of the string in the document; -1 for a document that is no JSON."""
    text: bytes
    """As written, escapes and all."""


class Slot(NamedTuple):
    """Fragments that may be one text."""

    fragments: list[Fragment]
    """In the order of the stream."""
    is_guess: bool
    """It may hold several texts of one document: what it finds counts where no other
    slot finds anything."""


class Slots:
    """The slots of one body that a search of its bytes does not cover.

    Args:
        body: Any body; one that holds no JSON has no slots.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._documents: list[Document] = []
        self._templates: dict[Hashable, _Template] = {}
        self._text = _Bucket([_Places(-1, -1, -1, -1, -1, 0, -1)], [-1])  # data, no JSON
        self._names: dict[bytes, Callable[[list[bytes]], object]] = {}
        self._interned: dict[Hashable, int] = {}
        self._offsets: tuple[int, list[int]] = (-1, [])
        for document in documents(body):
            self._add(document)

    def start(self, fragment: Fragment) -> int:
        """Return the offset in the body at which a fragment begins."""
        document = self._documents[fragment.document]
        if fragment.string < 0:
            return document.start
        if self._offsets[0] != fragment.document:
            offsets, offset = [], document.start
            for piece in _pieces(self._body[document.start : document.end]):
                offset += len(piece) + 1
                offsets.append(offset)
            self._offsets = (fragment.document, offsets[::2])
        return self._offsets[1][fragment.string]

    def __iter__(self) -> Iterator[Slot]:
        buckets = [self._text] if self._text.rows else []
        for template in self._templates.values():
            buckets += template.buckets.values()
        seen: set[tuple[tuple[int, int], ...]] = set()
        for rule in _RULES:
            groups: dict[int, list[tuple[int, int]]] = {}
            for number, bucket in enumerate(buckets):
                for column, places in enumerate(bucket.places):
                    groups.setdefault(places[rule], []).append((number, column))
            for group in groups.values():
                columns = tuple(group)
                if columns not in seen:
                    seen.add(columns)
                    yield from _slots(buckets, columns, rule)

    def _add(self, document: Document) -> None:
        text = self._body[document.start : document.end]
        number = len(self._documents)
        self._documents.append(document)
        if not document.is_json:
            self._text.rows.append((number, (text,)))
            return
        pieces = _pieces(text)
        separators, strings = pieces[::2], pieces[1::2]
        if not 0 < len(strings) <= _MOST_STRINGS:
            return
        structure = b'"'.join(separators).translate(None, _IN_NUMBERS)
        names = self._names.get(structure)
        if names is None:
            names = self._names[structure] = _names_of(separators)
        key = (separators[0], structure, names(strings))
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = _Template(separators, strings)
        if template.texts is None:
            return
        values = tuple([value(separators, strings) for value in template.values])
        bucket = template.buckets.get(values)
        if bucket is None:
            bucket = template.bucket(separators[0], values, self._interned)
        bucket.rows.append((number, template.texts(strings)))


def _pieces(document: bytes) -> list[bytes]:
    """Return what stands between strings and the strings, in turns."""
    pieces = _STRING.split(document)
    if b'"' in pieces[-1]:  # cut off inside a string
        pieces = _STRING.split(document + b'"')
    return pieces


def _names_of(separators: list[bytes]) -> Callable[[list[bytes]], object]:
    """Return what returns those strings of a document that are names of fields."""
    numbers = [
        number
        for number, separator in enumerate(separators[1:])
        if separator.lstrip()[:1] == b":"
    ]
    return itemgetter(*numbers) if numbers else lambda _: b""


class _Frame:
    """One object or array of a document."""

    def __init__(self, parent: _Frame | None, field: bytes, *, is_array: bool) -> None:
        self.item = 0  # number of the one that is read
        self.parent = parent
        self.field = field
        self.is_array = is_array
        self.position = -1
        self.part = 0
        if parent is not None:
            self.part = parent.item if parent.is_outermost else parent.part
            if parent.is_array and not parent.is_outermost:
                self.position = parent.item
        self.has_role = False
        self.names: set[bytes] = set()  # of its fields, if it is an item of an array
        self.values: list[tuple[bytes, int]] = []  # what tells it from its likes

    @property
    def is_outermost(self) -> bool:
        """It is the document, or an array that is all of it: of events, perhaps."""
        return self.parent is None or (self.is_array and self.parent.parent is None)


class _Leaf(NamedTuple):
    frame: _Frame
    field: bytes
    position: int


class _Places(NamedTuple):
    """Where the text of one leaf belongs, by each rule."""

    exact: int
    """Path, numbers, ids, type of event, positions in arrays."""
    numbered: int
    """Path and numbers; positions where there are none."""
    alike: int
    """Path, numbers, and which fields the items of arrays have."""
    placeless: int
    """Path and numbers."""
    loose: int
    """Path."""
    part: int
    """Which of the outermost values of its document it stands in."""
    siblings: int
    """The array whose items may be pieces of one text; -1 for none."""


_RULES = range(5)
_ALIKE = 2  # by this and the following, several texts of one document may meet
_GUESSES = 3


class _Bucket:
    """Documents of a template whose texts belong to the same places."""

    def __init__(self, places: list[_Places], strings: list[int]) -> None:
        self.places = places
        self.strings = strings
        self.rows: list[tuple[int, tuple[bytes, ...]]] = []

    def is_constant(self, number: int) -> bool:
        """Say whether a string is the same in each of many documents, such as an id."""
        texts = {texts[number] for _, texts in self.rows}
        return len(texts) == 1 and len(self.rows) > 1 and b"\\" not in min(texts)

    def column(self, number: int) -> list[Fragment]:
        string = self.strings[number]
        return [
            Fragment(document, string, texts[number])
            for document, texts in self.rows
            if texts[number]
        ]


class _Template:
    """What documents of the same structure and field names have in common."""

    def __init__(self, separators: list[bytes], strings: list[bytes]) -> None:
        self.values: list[Callable[[list[bytes], list[bytes]], bytes]] = []
        self.buckets: dict[tuple[bytes, ...], _Bucket] = {}
        self._frames = [_Frame(None, b"", is_array=False)]
        self._leaves: list[_Leaf] = []
        self._strings: list[int] = []
        self._read(separators, strings)
        self.texts: Callable[[list[bytes]], tuple[bytes, ...]] | None = None
        if self._strings:  # with one number alone it would return no tuple
            self.texts = itemgetter(*self._strings, self._strings[0])

    def bucket(
        self, prefix: bytes, values: tuple[bytes, ...], known: dict[Hashable, int]
    ) -> _Bucket:
        """Return a new bucket for documents with these values.

        Args:
            prefix: What stands before the first string.
            values: What tells the texts apart, see `values`.
            known: Numbers given to places so far.
        """

        def place(*parts: Hashable) -> int:
            return known.setdefault(parts, len(known))

        start = place(prefix.strip(b"{[ \t\r\n"))
        places = {self._frames[0]: _Places(start, start, start, start, start, 0, -1)}
        for number, frame in enumerate(self._frames[1:], 1):
            above = places[frame.parent]  # type: ignore[index]  # only the first has none
            found = [(name, values[i]) for name, i in frame.values]
            index = tuple([pair for pair in found if _INDEX.fullmatch(pair[0])])
            position = -1 if index else frame.position
            siblings = above.siblings
            if frame.is_array:
                siblings = number
            elif frame.position >= 0 and (frame.has_role or found):
                siblings = -1
            places[frame] = _Places(
                place(above.exact, frame.field, tuple(found), position),
                place(above.numbered, frame.field, index, position),
                place(above.alike, frame.field, index, frozenset(frame.names)),
                place(above.placeless, frame.field, index),
                place(above.loose, frame.field),
                frame.part,
                siblings,
            )
        leaves = []
        for frame, field, position in self._leaves:
            above = places[frame]
            leaves.append(
                _Places(
                    place(above.exact, field, position),
                    place(above.numbered, field, position),
                    place(above.alike, field),
                    place(above.placeless, field),
                    place(above.loose, field),
                    frame.item if frame.parent is None else frame.part,
                    above.siblings,
                )
            )
        bucket = self.buckets[values] = _Bucket(leaves, self._strings)
        return bucket

    def _read(self, separators: list[bytes], strings: list[bytes]) -> None:
        frame = self._frames[0]
        key = b""
        for number, separator in enumerate(separators):
            if number and separator.lstrip()[:1] == b":":
                key = strings[number - 1]
                frame.has_role |= key == b"role"
                if frame.position >= 0:
                    frame.names.add(key)
                if _INDEX.fullmatch(key) and _NUMBER.match(separator):
                    self._tells(frame, key, _number_at(number))
            elif number:
                position = frame.item if frame.is_array else -1
                self._leaves.append(_Leaf(frame, key, position))
                self._strings.append(number - 1)
                if _is_telling(key, frame):
                    self._tells(frame, key, _string_at(number - 1))
            for mark in _STRUCTURE.findall(separator):
                if mark in b"{[":
                    frame = _Frame(frame, key, is_array=mark == b"[")
                    self._frames.append(frame)
                elif mark == b",":
                    frame.item += frame.is_array
                elif frame.parent is not None:
                    frame = frame.parent
                    frame.item += frame.parent is None  # values one after another
                key = b""

    def _tells(
        self,
        frame: _Frame,
        key: bytes,
        value: Callable[[list[bytes], list[bytes]], bytes],
    ) -> None:
        frame.values.append((key, len(self.values)))
        self.values.append(value)


def _is_telling(key: bytes, frame: _Frame) -> bool:
    if frame.is_array:
        return False
    is_event = frame.parent is not None and frame.parent.is_outermost
    if is_event and key in (b"id", b"type"):
        return key == b"type"  # the id is that of the response, or of the event
    return bool(_INDEX.fullmatch(key) or _ID.fullmatch(key))


def _number_at(number: int) -> Callable[[list[bytes], list[bytes]], bytes]:
    def value(separators: list[bytes], strings: list[bytes]) -> bytes:
        del strings
        found = _NUMBER.match(separators[number])
        return found[1] if found is not None else b""

    return value


def _string_at(number: int) -> Callable[[list[bytes], list[bytes]], bytes]:
    return lambda _, strings: strings[number]


def _slots(
    buckets: list[_Bucket], columns: tuple[tuple[int, int], ...], rule: int
) -> Iterator[Slot]:
    """Put the fragments of some columns together, in the order of the body."""
    if len(columns) == 1:
        [(number, column)] = columns
        if not buckets[number].is_constant(column):
            yield from _whole(buckets[number].column(column), is_guess=False)
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
            and rule >= _ALIKE
            and before[0].document == fragment.document
            and before[1] == part
            and not before[2] == siblings >= 0
        ):
            yield from _whole(text, is_guess=rule >= _GUESSES)
            text = []
        text.append(fragment)
        before = item
    yield from _whole(text, is_guess=rule >= _GUESSES)


def _whole(fragments: list[Fragment], *, is_guess: bool) -> Iterator[Slot]:
    """Yield fragments as one slot, or each alone where each repeats the one before."""
    if len(fragments) > 1:
        texts = map(itemgetter(2), fragments)
        if not all(later.startswith(text) for text, later in pairwise(texts)):
            yield Slot(fragments, is_guess)
            return
    for fragment in fragments:
        if b"\\" in fragment.text:  # else it reads the same in the body
            yield Slot([fragment], is_guess=False)
