"""What happens to a stream on its way into a text file, undone and noted.

Each repair is tried only where the text as it stands can be no stream of events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.apis.json_values import parsed
from harness.cassettes.chunked import SIZE, dechunked
from harness.cassettes.importers.base import encoded, restored

if TYPE_CHECKING:
    from harness.core.parts import Problem

_SIZE_LINE = re.compile(
    rb"^[0-9a-fA-F]{1,8}(?:;[^\r\n]*)?\r?\n(?=data:|event:|id:|retry:|:|\s*\Z)",
    re.MULTILINE,
)
_LAST_SIZE = re.compile(rb"\n0\s*\Z")
_LAID_OUT = re.compile(r"^data: ?(?=[\[{][ \t]*\r?\n(?!data:))", re.MULTILINE)
_INDENT = re.compile(r"\s*\n\s*")
_TAG = re.compile(r"</?[a-z][^<>]*>")
_TYPESET = re.compile(
    r"^data:\s?(?:\u00a0|\{[\u201c\u201d]|\{\"\w+\":\u00a0)", re.MULTILINE
)
_TYPED = {0x201C: '"', 0x201D: '"', 0xA0: " "}
_UNMARKED = re.compile(rb"(?<=.)(?<!\$)(?<!\^M)$", re.MULTILINE)
_MARKS = re.compile(rb"(?:\^M)?\$?$", re.MULTILINE)
_BREAK = re.compile(rb"(?:\\r)?\\n(?=data:|event:|id:|:|(?:\\r)?\\n|\s*\Z)")


def repaired(body: bytes) -> tuple[bytes, list[Problem]]:
    """Return the body of a stream as it was sent, and what was undone.

    Args:
        body: As a file holds it.
    """
    notes = []
    for what, repair in _REPAIRS:
        found = repair(body)
        if found != body:
            body = found
            notes.append(restored(what))
    return body, notes


def _without_sizes(body: bytes) -> bytes:
    """Undo the chunked transfer encoding."""
    if not SIZE.match(body):  # a terminal's text, from its first field on
        return _SIZE_LINE.sub(b"", body) if _LAST_SIZE.search(body) else body
    whole = dechunked(body)
    # Where the line ends were translated the sizes are wrong.
    return _SIZE_LINE.sub(b"", body) if whole is None else whole


def _unescaped(body: bytes) -> bytes:
    """Undo what JSON makes of a text; its quotes are not there."""
    text = parsed(b'"%b"' % body) if b'{\\"' in body else None
    return encoded(text) if isinstance(text, str) else body


def _with_breaks(body: bytes) -> bytes:
    """Undo line breaks that are written as escapes."""
    if not re.search(rb"\\n(?:\\r)?\\n(?:data|event):", body):
        return body
    return body if b"\ndata:" in body else _BREAK.sub(b"\n", body)


def _on_one_line(body: bytes) -> bytes:
    """Put JSON on its `data:` line that was laid out over the lines behind it."""
    text = body.decode("utf-8", "surrogateescape")
    if not _LAID_OUT.search(text):
        return body
    from harness.cassettes.importers.log_lines import decoded  # this is rare

    parts, end = [], 0
    for found in _LAID_OUT.finditer(text):
        try:
            _, past = decoded(text, found.end())
        except (ValueError, RecursionError):
            continue  # it is reported as it stands
        parts += [text[end : found.end()], _INDENT.sub("", text[found.end() : past])]
        end = past
    return encoded("".join(parts) + text[end:])


def _without_entities(body: bytes) -> bytes:
    if not re.search(rb"\{&(?:quot|#34|#x22);", body) or b'{"' in body:
        return body
    import html  # its table of names is large, and this is rare

    text = _TAG.sub("", body.decode("utf-8", "surrogateescape"))
    return html.unescape(text).encode("utf-8", "surrogateescape")


def _as_typed(body: bytes) -> bytes:
    """Undo the quotes and blanks that a page or an editor puts for those of JSON."""
    text = body.decode("utf-8", "surrogateescape")
    return encoded(text.translate(_TYPED)) if _TYPESET.search(text) else body


def _without_marks(body: bytes) -> bytes:
    """Undo how `cat -A` and `cat -v` show the ends of lines."""
    return body if _UNMARKED.search(body) else _MARKS.sub(b"", body)


def _with_blank_lines(body: bytes) -> bytes:
    """Part the events of lines without blank ones, as `grep data:` prints them."""
    lines = body.removeprefix(b"\xef\xbb\xbf").strip().splitlines()
    if b"" in lines or sum(line[:5] == b"data:" for line in lines) < 2:
        return body
    parted: list[bytes] = []
    was_data = False
    for line in lines:
        is_data = line[:5] == b"data:"
        if is_data and not _is_event(line[5:].strip()):
            return body  # one event of several lines
        if was_data:
            parted.append(b"")
        parted.append(line)
        was_data = is_data
    return b"\n".join(parted) + b"\n\n"


def _is_event(data: bytes) -> bool:
    return data == b"[DONE]" or isinstance(parsed(data, strict=True), dict)


_NO_BLANK_LINE = (
    "no blank line ended an event: each data line was taken for one; a client "
    "reads none of them if the server sent it so"
)
_NOT_ASCII = (
    "the line ends that `cat -A` shows (`^M$`) were undone; all but ASCII stays as it "
    "shows it"
)
_REPAIRS = (
    ("the sizes of the chunked transfer encoding were taken off", _without_sizes),
    ('the escapes of JSON (`\\"`) were undone', _unescaped),
    (r"line breaks that were written as `\n` were put back", _with_breaks),
    ("the tags and quotes of HTML (`&quot;`) were undone", _without_entities),
    ("quotes and blanks of a page were put back to those of JSON", _as_typed),
    (_NOT_ASCII, _without_marks),
    ("JSON that was laid out over several lines was put on one", _on_one_line),
    (_NO_BLANK_LINE, _with_blank_lines),
)
