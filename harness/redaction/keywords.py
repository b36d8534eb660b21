"""Where in a text the words are that a search begins at, piece by piece.

Most words of a text show nothing, and come again and again: each is looked at once.
What is left are the places of the few at which names of credentials may end
(`harness.redaction.name_stems`), and which rows of `carriers` may be in a piece. The
searches themselves are their callers'.
"""

from __future__ import annotations

import functools
import re
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from harness.redaction.name_stems import name_end, odd_names
from harness.redaction.secret_formats import table_rows

if TYPE_CHECKING:
    from collections.abc import Iterator


_PIECE, _OVERLAP = 1 << 16, 64  # characters; no carrier is longer than the latter
_LETTERS = bytes(c if chr(c).isalpha() and c < 128 else ord(" ") for c in range(256))
_IN_WORD = b"abcdefghijklmnopqrstuvwxyz0123456789_"
_MOST_PLAIN = 50_000  # words that are remembered to show nothing


class Carrier(NamedTuple):
    """What stands before a credential: a row of `carriers` of `formats.txt`."""

    literal: bytes
    is_within: bool
    """It may be the end of a longer word."""
    rest: re.Pattern[bytes]
    drawn: str


class _WordFacts(NamedTuple):
    """What a word shows."""

    name: int
    """Where in it a name of a credential may begin; -1 for nowhere."""
    carriers: tuple[Carrier, ...]


class _Carriers(NamedTuple):
    by_word: dict[bytes, list[Carrier]]
    by_run: dict[bytes, list[Carrier]]
    """By letters that some word has: the ends of it are not in the literal."""
    others: list[Carrier]
    """Of ASCII, without letters."""
    foreign: list[Carrier]
    """Not of ASCII."""


@functools.cache
def _carriers() -> _Carriers:
    found = _Carriers({}, {}, [], [])
    for literal, rest, *drawn in (
        (literal, *cells)
        for (literals, *cells), _ in table_rows("carriers")
        for literal in literals.split(", ")
    ):
        plain = literal.strip("*").encode()
        row = Carrier(
            plain,
            not literal[0].isalnum(),
            re.compile(rest.encode(), re.IGNORECASE),
            (drawn or ["random"])[0],
        )
        words = plain.translate(_LETTERS).split()
        is_begun = literal[0] == "*" and literal[1].isalpha()
        whole = words[is_begun : len(words) - literal.endswith("*")]
        run = max(words, key=len, default=b"")
        if whole and plain.isascii():
            found.by_word.setdefault(max(whole, key=len), []).append(row)
        elif run and plain.isascii():
            found.by_run.setdefault(run, []).append(row)
        else:
            (found.others if plain.isascii() else found.foreign).append(row)
    return found


class _Lexicon:
    """What each word shows, by the names that a project adds."""

    def __init__(self, deny: frozenset[str]) -> None:
        self._name = name_end(deny)
        self._runs = re.compile(b"|".join(map(re.escape, _carriers().by_run)))
        self._plain: set[bytes] = set()
        self._facts: dict[bytes, _WordFacts] = {}

    def facts(self, words: set[bytes]) -> dict[bytes, _WordFacts]:
        """Return what what the words show, for those that show anything."""
        found = {}
        for word in words - self._plain:
            facts = self._facts.get(word)
            if facts is None:
                facts = self._look(word)
                if facts == _NOTHING:
                    self._plain.add(word)
                    continue
                self._facts[word] = facts
            found[word] = facts
        if len(self._plain) + len(self._facts) > _MOST_PLAIN:
            self._plain.clear()
            self._facts.clear()
        return found

    def _look(self, word: bytes) -> _WordFacts:
        name = self._name.search(word)
        rows = list(_carriers().by_word.get(word, ()))
        if self._runs.search(word):
            for run, some in _carriers().by_run.items():
                rows += some if run in word else ()
        return _WordFacts(name.start() if name else -1, tuple(rows))


_NOTHING = _WordFacts(-1, ())
_lexicon = functools.lru_cache(maxsize=8)(_Lexicon)


class Words:
    """The keywords of one text.

    Args:
        text: Any text.
        deny: More names whose values are secrets.

    Attributes:
        lowered: The text in lower case.
    """

    def __init__(self, text: bytes, deny: frozenset[str] = frozenset()) -> None:
        self.lowered = text.lower()
        self._is_foreign = not text.isascii()
        self._deny = deny
        self._facts: list[dict[bytes, _WordFacts]] = []
        lexicon = _lexicon(deny)
        for start in range(0, len(text), _PIECE):
            piece = self.lowered[start : start + _PIECE + _OVERLAP]
            self._facts.append(lexicon.facts(set(piece.translate(_LETTERS).split())))

    @functools.cached_property
    def names(self) -> list[int]:
        """Where names of credentials may begin, in order."""
        if not self._deny:
            return list(self._names())
        odd = odd_names(self._deny).finditer(self.lowered)
        return list(merge(self._names(), (match.start() for match in odd)))

    def _names(self) -> Iterator[int]:
        for number, facts in enumerate(self._facts):
            names = [(word, one.name) for word, one in facts.items() if one.name >= 0]
            if not names:
                continue
            start = number * _PIECE
            piece = self.lowered[start : start + _PIECE + _OVERLAP]
            plain = b" %b " % piece.translate(_LETTERS)
            places = []
            for word, offset in names:
                blank = plain.find(b" %b " % word)
                while 0 <= blank < _PIECE:
                    places.append(start + blank + offset)
                    blank = plain.find(b" %b " % word, blank + len(word) + 1)
            places.sort()
            yield from places

    def carriers(self) -> Iterator[tuple[Carrier, int]]:
        """Yield rows of `carriers`, and where what follows their literal begins."""
        foreign = _carriers().foreign if self._is_foreign else []
        for number, facts in enumerate(self._facts):
            start = number * _PIECE
            rows = [*_carriers().others, *foreign]
            rows += [row for one in facts.values() for row in one.carriers]
            for row in {id(row): row for row in rows}.values():
                last = start + _PIECE + len(row.literal) - 1
                at = self.lowered.find(row.literal, start, last)
                while at >= 0:
                    end = at + len(row.literal)
                    if row.is_within or not at or self.lowered[at - 1] not in _IN_WORD:
                        yield row, end
                    at = self.lowered.find(row.literal, end, last)
