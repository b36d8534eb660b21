"""Credentials by the name of their column.

Owns where names stand above or before the values of many rows: tables as CSV, Markdown
and terminals have them, `INSERT INTO t (...) VALUES (...)`, and JSON with a list of
columns. Which names count is `harness.redaction.secret_names`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from harness.redaction.secret_names import (
    Credential,
    is_placeholder,
    is_random,
    is_strong,
    is_uuid,
)
from harness.redaction.spans import FIELD, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from harness.redaction.keywords import Words


_IN_LINE = re.compile(
    rb"(?:p(?:ass(?:words?|wd|phrase|code)?|wd)|secrets?|token|key)"
    rb"(?:[ _-]?(?:id|value|hash))?"
    rb"""[*`"']{0,3}(?:[,;\t|]|[ ]?\r?\n|[ ](?:[ ]|\|))"""
)
_LONGEST = 4000  # characters of a row
_CELLS = {
    delimiter: re.compile(
        rb'[ ]*+(?:"((?:[^"\n]|"")*+)"|([^"\n' + delimiter + rb"][^\n" + delimiter
        + rb"]*+|))[ ]*+(?:" + delimiter + rb"|(?=\r?\Z))"
    )
    for delimiter in (b",", b";", rb"\t", rb"\|")
}  # fmt: skip
_ALIGNED = re.compile(rb"()(\S+(?:[ ]\S+)*)(?:[ ]{2,}|\s*\Z)")
_RULE = re.compile(rb"[\s|+:=-]+")
_NAME = re.compile(rb"[A-Za-z][\w .:/()-]{0,40}")

_INSERTS = (  # by literal text, which is searched ten times as fast as a choice
    re.compile(
        rb"into\s{1,9}[^\s(]{1,128}\s{0,9}\(([^()]{1,2000}+)\)\s{0,9}"
        rb"(?:values?\s{0,9}(?=\()|from\s{1,9}stdin[^\n]{0,100}\n)"
    ),
    re.compile(
        rb"copy\s{1,9}[^\s(]{1,128}\s{0,9}\(([^()]{1,2000}+)\)\s{1,9}"
        rb"from\s{1,9}stdin[^\n]{0,100}\n"
    ),
)
_TUPLE = re.compile(
    rb"""\s{0,20},?\s{0,20}\(((?:[^()'"\n]++|'(?:[^'\\]|''|\\.)*+'|"[^"\n]*+"|\([^()\n]*+\))*+)\)"""
)
_SQL_VALUE = re.compile(
    rb"""\s*+[ENen]?(?:'((?:[^'\\]|''|\\.)*+)'|"([^"]*+)"|([^,]*+))\s*+(?:,|\Z)"""
)

_STRING = rb"""\\*"[^"\\\n]{0,200}+\\*\""""
_ARRAY = re.compile(
    rb"\[\s{0,40}(\\*\"[\w .-]{1,40}\\*\""
    rb"(?:\s{0,40},\s{0,40}\\*\"[\w .-]{1,40}\\*\"){0,60}+)"
    rb"\s{0,40}\]"
    rb"(?=[^\[\]{}]{0,60}\[\s{0,40}\[|\s{0,40},\s{0,40}\[)"
)
_ROW = re.compile(rb"[\s,]{0,60}+\[([^\[\]{}\n]{0,4000}+)\]")
_ITEM = re.compile(rb"""\s{0,40}(?:\\*"([^"\\]*+)\\*"|([^,"]*+))\s{0,40}(?:,|\Z)""")
_ROWS = re.compile(rb"[^\[\]{}]{0,60}\[(?=\s{0,40}\[)")


def find_in_columns(
    text: bytes, words: Words, sureness: Callable[[str], Credential]
) -> Iterator[Span]:
    """Yield values in columns whose names are a credential's. O(len(text)).

    Args:
        text: Any text.
        words: Its words.
        sureness: Returns how surely a name stands before a credential.
    """
    if b"\n" in text:
        yield from _tables(text, words, sureness)
    for pattern in _INSERTS:
        yield from _inserted(text, pattern.finditer(words.lowered), sureness)
    if b"[" in text:
        yield from _arrays(text, sureness)


def _tables(
    text: bytes, words: Words, sureness: Callable[[str], Credential]
) -> Iterator[Span]:
    done = 0
    for at in words.names:
        if at < done or not _IN_LINE.match(words.lowered, at):
            continue
        start = text.rfind(b"\n", max(0, at - _LONGEST), at) + 1
        end = text.find(b"\n", at, at + _LONGEST)
        if start < done or end < 0:
            continue
        done = end
        line = text[start:end]
        delimiter, cells = _split(line)
        columns = _columns([line[a:b] for a, b in cells], sureness)
        if not columns and b': "' in line:  # the table is the text of a field
            line = line[line.rindex(b': "') + 3 :]
            delimiter, cells = _split(line)
            columns = _columns([line[a:b] for a, b in cells], sureness)
        if not columns or len(cells) < 2:
            continue
        done = yield from _in_rows(text, end, delimiter, len(cells), columns)


def _in_rows(
    text: bytes,
    end: int,
    delimiter: bytes,
    width: int,
    columns: list[tuple[int, Credential]],
) -> Generator[Span, None, int]:
    """Yield what is in the rows after a header; return where the last one ends."""
    done = end
    is_plain = delimiter in (b",", b";", b"\t") and width < _MOST_CELLS
    while 0 <= (start := end + 1) < len(text):
        end = text.find(b"\n", start, start + _LONGEST)
        end = end if end >= 0 else min(len(text), start + _LONGEST)
        row = text[start:end]
        parts = row.rstrip(b"\r ").split(delimiter) if is_plain else []
        if len(parts) == width and b'"' not in row:  # as most: all of it at once
            for number, sure in columns:
                if _is_secret(parts[number].strip(b" \r*`"), sure):
                    first = start + sum(map(len, parts[:number])) + number
                    where = _stripped(text, first, first + len(parts[number]))
                    yield from _secret(text, *where, sure)
        elif _RULE.fullmatch(row):
            continue
        else:
            values = _split(row, delimiter)[1]
            if len(values) != width:
                break
            for number, sure in columns:
                first, last = values[number]
                yield from _secret(text, start + first, start + last, sure)
        done = end
    return done


_MOST_CELLS = 200


def _stripped(row: bytes, start: int, end: int) -> tuple[int, int]:
    inner = row[start:end]
    end -= len(inner) - len(inner.rstrip(b" \r*`"))
    start += len(inner) - len(inner.lstrip(b" *`"))
    return start, max(start, end)


def _split(row: bytes, delimiter: bytes = b"") -> tuple[bytes, list[tuple[int, int]]]:
    """Return the delimiter of a row, and where its cells are."""
    if not delimiter:
        counts = {one: row.count(one) for one in (b"|", b"\t", b";", b",")}
        delimiter = next((one for one, count in counts.items() if count), b"  ")
    if delimiter == b"  ":
        found = list(_ALIGNED.finditer(row))
    else:
        key = {b"|": rb"\|", b"\t": rb"\t"}.get(delimiter, delimiter)
        found = []
        at = len(row) - len(row.lstrip(b"| ")) if delimiter == b"|" else 0
        stripped = row.rstrip(b"\r ")
        if delimiter == b"|":
            stripped = stripped.rstrip(b'"}\\').removesuffix(b"|")
        while at <= len(stripped) and len(found) < _MOST_CELLS:
            cell = _CELLS[key].match(stripped, at)
            if cell is None:
                return delimiter, []
            found.append(cell)
            if cell.end() == at or not cell[0].endswith(delimiter):
                break
            at = cell.end()
    cells = []
    for cell in found:
        group = 1 if cell[1] else 2
        cells.append(_stripped(row, *cell.span(group)))
    return delimiter, cells


def _columns(
    names: list[bytes], sureness: Callable[[str], Credential]
) -> list[tuple[int, Credential]]:
    """Return which columns hold credentials; none where a name is no name."""
    found = []
    for number, name in enumerate(names):
        if name and not _NAME.fullmatch(name):
            return []
        sure = sureness(name.decode("ascii").replace(" ", "_"))
        if sure > Credential.URL and name.lower() not in (b"key", b"keys", b"pin"):
            is_word = name.lower() in (b"secret", b"secrets")
            found.append((number, Credential.MAYBE if is_word else sure))
    return found


def _secret(text: bytes, start: int, end: int, sure: Credential) -> Iterator[Span]:
    value = text[start:end].split(b'"')[0].rstrip(b"\\")
    if _is_secret(value, sure):
        yield Span(start, start + len(value), FIELD)


@functools.lru_cache(maxsize=1024)  # marks, and what an example repeats
def _is_secret(cell: bytes, sure: Credential) -> bool:
    value = cell.decode("utf-8", "replace")
    return (
        not is_placeholder(value)
        and is_random(value, least=6)
        and (
            sure is Credential.YES
            or (is_strong(value, least=10) and not is_uuid(value))
        )
    )


def _inserted(
    text: bytes,
    matches: Iterable[re.Match[bytes]],
    sureness: Callable[[str], Credential],
) -> Iterator[Span]:
    for match in matches:
        names = [
            name.strip(b" \t\r\n`\"'[]\\")
            for name in text[slice(*match.span(1))].split(b",")
        ]
        columns = _columns(names, sureness)
        if not columns:
            continue
        at = match.end()
        if not match[0].endswith(b"\n"):
            while row := _TUPLE.match(text, at):
                at = row.end()
                cells = list(_SQL_VALUE.finditer(text, *row.span(1)))
                for number, sure in columns if len(cells) >= len(names) else ():
                    cell = cells[number]
                    yield from _secret(text, *cell.span(cell.lastindex or 3), sure)
            continue
        while (end := text.find(b"\n", at)) >= 0 and text[at : at + 2] != b"\\.":
            values = _split(text[at:end], b"\t")[1]
            if len(values) != len(names):
                break
            for number, sure in columns:
                first, last = values[number]
                yield from _secret(text, at + first, at + last, sure)
            at = end + 1


def _arrays(text: bytes, sureness: Callable[[str], Credential]) -> Iterator[Span]:
    for match in _ARRAY.finditer(text):
        names = [name.strip(b' \t\r\n\\"') for name in match[1].split(b",")]
        columns = _columns(names, sureness)
        if not columns:
            continue
        rows = _ROWS.match(text, match.end())
        at = rows.end() if rows else match.end()
        while row := _ROW.match(text, at):
            at = row.end()
            cells = list(_ITEM.finditer(text, *row.span(1)))
            for number, sure in columns if len(cells) >= len(names) else ():
                cell = cells[number]
                yield from _secret(text, *cell.span(cell.lastindex or 2), sure)
