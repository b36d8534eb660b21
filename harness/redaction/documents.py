"""The JSON documents of a body: events, lines, or the body as a whole.

Owns where each begins and ends, not what is in it. Nothing is validated: a body cut
off anywhere has the documents that are there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


_EVENT = re.compile(rb"^data:[ ]?+(.*+)(\n(?!\r?\n).++)*+", re.MULTILINE)
_DATA = re.compile(rb"^data:[ ]?+(.*+)", re.MULTILINE)
_LINE = re.compile(rb"^.++", re.MULTILINE)
# `{...}` and more after it, also behind a prefix (`0:"text"`): a document a line.
_IS_LINES = re.compile(
    rb"\s*+(?:\w{1,8}:)?(?:\{.*\}|\".*\"|\[.*\]),?[ \r]*\n\s*+[\w{\[\"]"
)

_EMPTY = (b"", b"[DONE]")
_WHOLE = (b"{}", b"[]")  # first and last byte


class Document(NamedTuple):
    """A part of a body."""

    start: int
    """Offset of its first byte."""
    end: int
    """Offset after its last."""
    is_json: bool
    """It begins like JSON; other data of an event is text as it is."""


def is_event_stream(body: bytes) -> bool:
    """Return whether a body has lines of data as an event stream has."""
    # Literal text, which is searched ten times as fast as a choice.
    return body.startswith(b"data:") or b"\ndata:" in body or b"\rdata:" in body


def documents(body: bytes) -> Iterator[Document]:
    """Yield the documents of a body in order."""
    if b"\n" not in body:
        body = body.replace(b"\r", b"\n")  # events may end in CR alone
    if is_event_stream(body):
        for event in _EVENT.finditer(body):
            if event[2] is None and event[1][:1] == b"{" and event[1][-1:] == b"}":
                yield Document(*event.span(1), is_json=True)
            else:
                yield from _of_event(body, *event.span())
    elif _IS_LINES.match(body):
        for line in _LINE.finditer(body):
            yield Document(*line.span(), is_json=True)
    elif b'"' in body:
        yield Document(0, len(body), is_json=True)


def _of_event(body: bytes, start: int, end: int) -> Iterator[Document]:
    lines = [line.span(1) for line in _DATA.finditer(body, start, end)]
    if len(lines) > 1 and not all(
        body[first : first + 1] in (b"{", b"[")
        and body[first:last].rstrip()[-1:] in (b"}", b"]")
        for first, last in lines
    ):
        lines = [(lines[0][0], lines[-1][1])]  # one document over several lines
    for first, last in lines:
        data = body[first:last].rstrip(b"\r")
        is_json = data[:1] in (b"{", b"[", b'"')
        if is_json:
            yield Document(first, last, is_json=True)
        # What ends in its middle may be cut off, or a piece of JSON sent as text.
        if data[:1] + data[1:][-1:] not in _WHOLE and data not in _EMPTY:
            yield Document(first, first + len(data), is_json=False)
