"""Keys with a mark of their own: the table of formats as one regular expression.

Owns searching a word for them, and what looks like one and is none: chance in the
base64 of an image, and examples. The facts are `harness.redaction.secret_formats`.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING

from harness.redaction.secret_formats import FORMATS, Format
from harness.redaction.secret_names import is_random, is_strong
from harness.redaction.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator


_IN_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{40}\Z")
_WINDOW, _OVERLAP = 1 << 16, 1 << 13  # no format needs more than the latter
_MOST = 256


def find_prefixed(word: bytes) -> Iterator[Span]:
    """Yield the keys of a word, but for those that are chance in a piece of base64."""
    first_one, kinds = _formats()
    position, edge = 0, _WINDOW
    while position < len(word):
        # Where a match is chance, a long word must not be read to its end for each.
        match = first_one.match(word, position, edge)
        start = match.start(1) if match and match.lastindex else edge
        if match and not match.lastindex:
            start = match.end()  # none begins before
        if edge < len(word) and start >= edge - _OVERLAP:
            position = max(position, edge - _OVERLAP)
            edge += _WINDOW
        elif match is None:
            return
        elif not match.lastindex:
            position = start
        elif _is_within(word, start, match.end()):
            position = start + 1
        elif edge < len(word):
            edge = len(word)  # it may go on
        else:
            position = _end(word, match.end())
            edge = position + _WINDOW
            if not _is_example(word[start:position]):
                yield Span(start, position, kinds[match.lastindex])


def _is_within(word: bytes, start: int, end: int) -> bool:
    """Return whether a match is chance in a long piece of base64 (an image)."""
    before = word[max(0, start - 40) : start]
    if not _IN_BASE64.match(before):
        return False
    if before[-1] in b"+/" and _URL_SAFE.search(word, start, end):
        return False  # another alphabet
    if sum(byte in _DIGITS for byte in before) >= 3:
        return before.lower() != before != before.upper()
    # One piece in twenty has fewer; of as much as this, none has.
    before = word[max(0, start - 2 * _FAR) : start]
    return len(_IN_LONG_BASE64.findall(before)) == 1 and is_chance(before)


def _end(word: bytes, end: int) -> int:
    """Return where a key ends: a shorter format may be the beginning of another."""
    tail = _TAIL.match(word, end)
    if tail is None:
        return end
    shown = tail[0].decode()
    is_drawn = is_strong(shown, least=6) or is_random(shown, least=10)
    return tail.end() if is_drawn else end


_TAIL = re.compile(rb"[_-][A-Za-z0-9_-]{5,256}+")
_URL_SAFE = re.compile(rb"[_-]")
_FAR = 1 << 10
_IN_LONG_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{2048}")
_DIGITS = b"0123456789"
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_chance(run: bytes) -> bool:
    """Return whether base64 is of bytes all along, and what looks like a key chance."""
    return (
        all(
            len(block) - len(block.translate(None, kind)) >= len(block) // 16
            for start in range(0, len(run) - _FAR + 1, _FAR)
            for block in (run[start : start + _FAR],)
            for kind in (_DIGITS, _UPPER)
        )
        and run.upper() != run
    )


def _is_example(key: bytes) -> bool:
    """Return whether a shape has no content: `sk-xxxxxxxxxxxxxxxx`, `ghp_000...`."""
    return len(set(key[6:].strip(b"-_"))) <= 3 or _EXAMPLE.search(key) is not None


_EXAMPLE = re.compile(rb"(?i:[-_]your[-_]|[-_]here\b|placeholder|x{6})")


@functools.cache
def _formats() -> tuple[re.Pattern[bytes], dict[int, str]]:
    """Return what matches up to the end of the first key, and what its groups mean.

    A key begins after what is no letter or digit, or after a percent escape. What is
    between such places is passed over at once: a search would try each byte of it. Once
    only: a word without a key has none behind its first part either.

    Returns:
        The expression, whose group 1 is where the key begins, and the last one its
        row; it has none where it gave up. And the kind of each row's group. A group
        that holds something would have to be tried for each row, before the row's own
        letters rule it out.
    """
    by_first: dict[str, list[Format]] = {}
    for row in itertools.chain.from_iterable(map(_by_beginning, FORMATS)):
        first = row.prefix[0] if row.prefix[0].isalnum() else ""
        if row.prefix[1:2] in {"?", "*", "{"}:
            first = ""
        by_first.setdefault(first, []).append(row)
    any_of = "|".join(
        f"{first}(?:{'|'.join(f'{row.pattern[len(first) :]}()' for row in rows)})"
        for first, rows in by_first.items()
    )
    word, other, code = "[A-Za-z0-9]", "[^A-Za-z0-9]", "[0-9A-Fa-f]{2}"
    start = rf"(?>(?<!{word})|(?<=%{code})|{word}*+(?:{other}|\Z))"
    passed = rf"(?>(?<=%){code}|{word}++{other}?|{other})"
    # Each that is passed takes memory until the end, so that only so many are.
    either = f"{passed}{{0,{_MOST}}}?()(?:{any_of})|{passed}{{{_MOST}}}+"
    return (
        re.compile(f"{start}(?:{either})".encode()),
        dict(enumerate((row.kind for rows in by_first.values() for row in rows), 2)),
    )


def _by_beginning(row: Format) -> Iterator[Format]:
    """Yield a format for each beginning: what has a first letter is searched fast."""
    choice = _CHOICE.match(row.prefix)
    if choice is None:
        yield row
        return
    for head in choice[1].split("|") if choice[1] else choice[2]:
        yield row._replace(prefix=head + row.prefix[choice.end() :])


_CHOICE = re.compile(r"(?:\(\?:([\w|-]+)\)|\[([A-Za-z]+)\])(?![?*{+])")
_REPEATED = re.compile(r"[{+*]")
_LITERAL = re.compile(r"(?:[A-Za-z0-9_/-]|\\[.$])*")


@functools.cache
def _prefixes() -> dict[str, list[re.Pattern[str]]]:
    found: dict[str, list[re.Pattern[str]]] = {}
    for row in FORMATS:
        # Where something is repeated, it is not the issuer's but the secret's.
        is_random = _REPEATED.search(row.prefix)
        shown = _LITERAL.match(row.prefix)[0] if is_random else row.prefix  # type: ignore[index]
        found.setdefault(row.kind, []).append(re.compile(shown))
    return found


def public_prefix(kind: str, value: str) -> str:
    """Return what of a secret its issuer puts before every one of its kind.

    Args:
        kind: As a span has it.
        value: The secret.
    """
    for prefix in _prefixes().get(kind, ()):
        match = prefix.match(value)
        if match:
            return match[0]
    return ""
