"""Texts that JSON has as arrays of numbers: `"bytes": [115, 107, 45]`.

Owns finding secrets in them, and writing marks as numbers. Log probabilities have every
token so, beside its text, and as the name of a field in their older form: what was
removed from the text is removed there, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from harness.redaction.escapes import IN_JSON
from harness.redaction.overlaps import Secret
from harness.redaction.replacements import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.redaction.spans import Span


_ARRAY = re.compile(
    rb"\[\s{0,40}([0-9]{1,3}(?:\s{0,40},\s{0,40}[0-9]{1,3})*+)\s{0,40}\]"
)
_FIELD = re.compile(rb'"(\w{1,32})"\s{0,8}:\s{0,8}\Z')
_DIGITS = re.compile(rb"[0-9]+")
_FEWEST = 8  # bytes: less is no secret

_STRING = rb'"((?:[^"\\]++|\\.)*+)"'
_COMMA = rb"\s{0,60},\s{0,60}"
_SCALARS = (
    b"(?:" + _COMMA + rb'"(?:logprob|id)"\s{0,8}:\s{0,8}[-+.\w]{1,40}){0,2}' + _COMMA
)
_NUMBERS = rb'"bytes"\s{0,8}:\s{0,8}\[([0-9,\s]{1,4000}+)\]'
_TOKEN = rb'"token"\s{0,8}:\s{0,8}' + _STRING
_TOKEN_FIRST = re.compile(_TOKEN + _SCALARS + _NUMBERS)
_BYTES_FIRST = re.compile(_NUMBERS + _SCALARS + _TOKEN)
_CHOSEN = re.compile(  # and the list of what else it might have been
    _TOKEN
    + rb'(?:\s{0,60},\s{0,60}"(?:logprob|bytes|id)"\s{0,8}:\s{0,8}'
    + rb"(?:\[[0-9,\s]*+\]|[-+.\w]{1,40})){0,3}"
    + rb'\s{0,60},\s{0,60}"top_logprobs"\s{0,8}:\s{0,8}\['
    + rb'((?:[^\[\]"]++|"(?:[^"\\]++|\\.)*+"|\[[^\[\]]*+\])*+)\]'
)
_ONE_TOKEN = re.compile(_TOKEN)
_ANY_STRING = re.compile(_STRING + rb"(\s{0,8}:)?")
_SHORTEST_NAME = 4  # characters: shorter names of fields are those of others


class _Array(NamedTuple):
    text: bytes
    places: list[tuple[int, int]]


def _arrays(body: bytes) -> Iterator[tuple[bytes, _Array]]:
    for match in _ARRAY.finditer(body):
        field = _FIELD.search(body, max(0, match.start() - 60), match.start())
        if field is None:
            continue
        places = [digits.span() for digits in _DIGITS.finditer(body, *match.span(1))]
        numbers = [int(body[start:end]) for start, end in places]
        if max(numbers) < 256:
            yield field[1], _Array(bytes(numbers), places)


def array_secrets(body: bytes, find: Callable[[bytes], list[Span]]) -> list[Secret]:
    """Return the secrets in arrays of bytes; their places are those of the numbers.

    Args:
        body: The body as bytes.
        find: Returns where the secrets of a text stand.
    """
    by_field: dict[bytes, list[_Array]] = {}
    for field, array in _arrays(body) if b"[" in body else ():
        by_field.setdefault(field, []).append(array)
    found = []
    for arrays in by_field.values():
        texts = [array for array in arrays if len(array.text) >= _FEWEST]
        if len(arrays) > 1:  # pieces of a stream
            places = [place for array in arrays for place in array.places]
            texts.append(_Array(b"".join(array.text for array in arrays), places))
        seen: set[tuple[int, int]] = set()
        for text, places in texts:
            for start, end, kind in find(text) if len(text) >= _FEWEST else ():
                where = [place for place in places[start:end] if place not in seen]
                seen.update(where)
                if where:
                    found.append(Secret(kind, text[start:end], tuple(where)))
    return found


def mark_arrays(body: bytes, secrets: list[Secret]) -> bytes:
    """Return a body with marks in place of the numbers of secrets."""
    if not secrets:
        return body
    written = bytearray(body)
    for secret in secrets:
        for (start, end), byte in zip(
            secret.places, mark(len(secret.places)), strict=True
        ):
            _write(written, start, end, byte)
    return bytes(written)


def _write(body: bytearray, start: int, end: int, byte: int) -> None:
    """Write a byte as a number of as many characters; all of a mark have two digits."""
    number = str(byte).encode().rjust(end - start)
    if len(number) == end - start:
        body[start:end] = number


def mark_alike(before: bytes, after: bytes) -> bytes:
    """Return a body in which tokens have the same marks wherever they are repeated.

    Args:
        before: The body as it was.
        after: The same with marks in its strings, of the same length.
    """
    if before == after or (b'"bytes"' not in after and b"logprobs" not in after):
        return after
    after = _with_choices(before, after)
    return _with_names(before, _with_numbers(before, after))


def _with_choices(before: bytes, after: bytes) -> bytes:
    written = bytearray(after)
    for match in _CHOSEN.finditer(before):
        new = after[slice(*match.span(1))]
        for token in _ONE_TOKEN.finditer(before, *match.span(2)):
            if new != match[1] == token[1]:
                written[slice(*token.span(1))] = new
    return bytes(written)


def _with_numbers(before: bytes, after: bytes) -> bytes:
    written = bytearray(after)
    for pattern, token, numbers in ((_TOKEN_FIRST, 1, 2), (_BYTES_FIRST, 2, 1)):
        for match in pattern.finditer(after):
            if match[token] == before[slice(*match.span(token))]:
                continue
            text = IN_JSON.text(match[token])
            places = [m.span() for m in _DIGITS.finditer(after, *match.span(numbers))]
            if len(text) != len(places):
                text = b"*" * len(places)
            for (start, end), byte in zip(places, text, strict=True):
                _write(written, start, end, byte)
    return bytes(written)


def _with_names(before: bytes, after: bytes) -> bytes:
    written = bytearray(after)
    marked: dict[bytes, bytes] = {}
    names = []
    for match in _ANY_STRING.finditer(before):
        old, new = match[1], after[slice(*match.span(1))]
        if match[2]:
            names.append(match.span(1))
        elif old != new and len(old) >= _SHORTEST_NAME:
            marked[old] = new
    for start, end in names:
        new = marked.get(before[start:end], b"")
        if len(new) == end - start:
            written[start:end] = new
    return bytes(written)
