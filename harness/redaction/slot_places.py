"""Where in a document each of its strings stands, and which places are the same.

Owns the rules by which strings of several documents are taken for one text. Documents
of a stream are much alike: what depends on their structure and the names of their
fields alone is found once for all of them (`Template`), what depends on the numbers
and ids that distinguish parallel texts once for each of those (`Bucket`). So are those
of several streams: both are kept for the next body (`Memo`).
"""

from __future__ import annotations

import re
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


_STRUCTURE = re.compile(rb"[{}\[\],]")
_NUMBER = re.compile(rb"\s*+:\s*+([-+.\deE]+)")
_INDEX = re.compile(rb"(?:\w*_)?index|\w*Index")
_OF_NO_TEXT = re.compile(
    rb"|type|object|model|role|name|status|event|.*(?:_id|Id|_at)|id|.*index|.*Index"
)
_OF_NO_PROSE = re.compile(
    rb".*(?:reason|fingerprint|tier|signature|_path|Path)|obfuscation|provider|language|p"
)
_ID = re.compile(rb"(?:\w*(?:item|call|use|block|part)_?)?id", re.IGNORECASE)


class Fragment(NamedTuple):
    """One string of a body."""

    document: int
    """Number of its document."""
    string: int
    """Number of the string in the document; -1 for a document that is no JSON."""
    text: bytes
    """As written, escapes and all."""


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
        self.values: list[
            tuple[bytes, int]
        ] = []  # what distinguishes it from its likes

    @property
    def is_outermost(self) -> bool:
        """It is the document, or an array that is all of it: of events, perhaps."""
        return self.parent is None or (self.is_array and self.parent.parent is None)


class _Leaf(NamedTuple):
    frame: _Frame
    field: bytes
    position: int


class Places(NamedTuple):
    """Where the text of one leaf belongs, by each rule."""

    exact: int
    """Path, numbers, ids, type of event; positions in arrays where there are none."""
    numbered: int
    """Path and numbers; positions where there are none."""
    alike: int
    """Path, numbers, and which fields the items of arrays have."""
    placeless: int
    """Path and numbers."""
    loose: int
    """Path."""
    leaf: int
    """Numbers and name: a text may begin in one object and go on in another."""
    any_name: int
    """Numbers: it may go on under another name."""
    part: int = 0
    """Which of the outermost values of its document it stands in."""
    siblings: int = -1
    """The array whose items may be pieces of one text; -1 for none."""


RULES = range(7)
ALIKE = 2  # by this and the following, several texts of one document may meet
GUESSES = 3
LEAF = 5
ANY_NAME = 6


class Bucket:
    """Documents of a template whose texts belong to the same places."""

    def __init__(self, places: list[Places], strings: list[int]) -> None:
        self.places = places
        self.strings = strings
        self.rows: list[tuple[int, tuple[bytes, ...]]] = []

    def is_constant(self, number: int) -> bool:
        """Return whether a string is the same in many documents, such as an id."""
        texts = {texts[number] for _, texts in self.rows}
        return len(texts) == 1 and len(self.rows) > 1 and b"\\" not in min(texts)

    def may_differ(self, number: int) -> bool:
        """Return whether a string may read otherwise than it stands in the body.

        Most do not, of a body that is one document.
        """
        # `in` of bytes takes five times as long as `find`.
        return len(self.rows) != 1 or self.rows[0][1][number].find(b"\\") >= 0

    def column(self, number: int) -> list[Fragment]:
        """Return a string of each document, where it is not empty."""
        string = self.strings[number]
        return [
            Fragment(document, string, texts[number])
            for document, texts in self.rows
            if texts[number]
        ]


class Template:
    """What documents of the same structure and field names have in common."""

    def __init__(self, separators: list[bytes], strings: list[bytes]) -> None:
        self.values: list[Callable[[list[bytes], list[bytes]], bytes]] = []
        self._places: dict[tuple[bytes, ...], list[Places]] = {}
        self._prefix = separators[0].strip(b"{[ \t\r\n")
        self._frames = [_Frame(None, b"", is_array=False)]
        self._leaves: list[_Leaf] = []
        self._strings: list[int] = []
        self.is_cut_off = False
        self._read(separators, strings)
        self.texts: Callable[[list[bytes]], tuple[bytes, ...]] | None = None
        if self._strings:  # with one number alone it would return no tuple
            self.texts = itemgetter(*self._strings, self._strings[0])

    def bucket(self, values: tuple[bytes, ...], memo: Memo) -> Bucket:
        """Return a new bucket for documents with these values.

        Args:
            values: What distinguishes the texts, see `values`.
            memo: The one that has this template.
        """
        places = self._places.get(values)
        if places is None:
            places = self._places[values] = self._placed(values, memo)
            memo.size += len(places)
        return Bucket(places, self._strings)

    def _placed(self, values: tuple[bytes, ...], memo: Memo) -> list[Places]:
        place = memo.place
        start = place(self._prefix)
        places = {self._frames[0]: Places(*[start] * len(RULES))}
        for number, frame in enumerate(self._frames[1:], 1):
            above = places[frame.parent]  # type: ignore[index]  # only the first has none
            found = [(name, values[i]) for name, i in frame.values]
            at: list[Hashable] = [frame.position]
            index = [pair for pair in found if _INDEX.fullmatch(pair[0])]
            siblings = above.siblings
            if frame.is_array:
                siblings = number
            elif frame.position >= 0 and (frame.has_role or found):
                siblings = -1
            places[frame] = Places(
                place(above.exact, frame.field, *(found or at)),
                place(above.numbered, frame.field, *(index or at)),
                place(above.alike, frame.field, *index, frozenset(frame.names)),
                place(above.placeless, frame.field, *index),
                place(above.loose, frame.field),
                place(above.leaf, *index) if index else above.leaf,
                -1,
                frame.part,
                siblings,
            )
        leaves = []
        for frame, field, position in self._leaves:
            above = places[frame]
            is_text = not _OF_NO_TEXT.fullmatch(field)
            is_prose = is_text and not _OF_NO_PROSE.fullmatch(field)
            leaves.append(
                Places(
                    place(above.exact, field, position),
                    place(above.numbered, field, position),
                    place(above.alike, field, position),
                    place(above.placeless, field),
                    place(above.loose, field),
                    place(above.leaf, field) if is_text else -1,
                    above.leaf if is_prose else -1,
                    frame.item if frame.parent is None else frame.part,
                    above.siblings,
                )
            )
        return leaves

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
                    self._note_identity(frame, key, _number_at(number))
            elif number:
                position = frame.item if frame.is_array else -1
                self._leaves.append(_Leaf(frame, key, position))
                self._strings.append(number - 1)
                if _is_identity(key, frame):
                    self._note_identity(frame, key, _string_at(number - 1))
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
        self.is_cut_off = frame.parent is not None

    def _note_identity(
        self,
        frame: _Frame,
        key: bytes,
        value: Callable[[list[bytes], list[bytes]], bytes],
    ) -> None:
        frame.values.append((key, len(self.values)))
        self.values.append(value)


def _is_identity(key: bytes, frame: _Frame) -> bool:
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


_MOST_STRINGS = 40_000  # of templates that are held for other bodies: some 14 MB
_NUMBERS = bytes.maketrans(b"0123456789+-.eE", b"0" * 15)


class Memo:
    """Templates of the bodies before, with the numbers of their places."""

    def __init__(self) -> None:
        self._names: dict[bytes, Callable[[list[bytes]], object]] = {}
        self._templates: dict[Hashable, Template] = {}
        self._numbers: dict[Hashable, int] = {}
        self._next = count().__next__
        self.size = 0
        """How many strings its templates and their places have."""

    def place(self, *parts: Hashable) -> int:
        """Return the number of a place, the same for the same parts."""
        return self._numbers.setdefault(parts, self._next())

    def names(self, separators: list[bytes]) -> Callable[[list[bytes]], object]:
        """Return what returns those strings of a document that are names of fields."""
        key = _structure(separators)
        names = self._names.get(key)
        if names is None:
            numbers = [
                number
                for number, separator in enumerate(separators[1:])
                if separator.lstrip()[:1] == b":"
            ]
            names = itemgetter(*numbers) if numbers else lambda _: b""
            self._names[key] = names
        return names

    def template(self, separators: list[bytes], strings: list[bytes]) -> Template:
        """Return the template of a document."""
        names = self.names(separators)(strings)
        key = (separators[0], _structure(separators), names)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = Template(separators, strings)
            self.size += len(separators)
        return template


def _structure(separators: list[bytes]) -> bytes:
    """Return all that `Template` reads of them: where numbers are, and not which."""
    return b'"'.join(separators).translate(_NUMBERS)


def memo() -> Memo:
    """Return the memo for the next body."""
    global _memo  # noqa: PLW0603 - dropped as a whole: its parts hold numbers of others
    if _memo.size > _MOST_STRINGS:
        _memo = Memo()
    return _memo


_memo = Memo()
