"""What `curl --trace` and `curl --trace-ascii` print.

Source: curl, src/tool_cb_dbg.c. A hexadecimal trace is exact. One in ASCII shows a CRLF
as the beginning of a line, and every other byte that is no printable ASCII as a dot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.cassettes.importers.base import encoded, exchanges_from, restored
from harness.cassettes.importers.draft import Draft, header_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Exchange

_BLOCK = re.compile(
    r"(?:(?:\d{4}-\d\d-\d\d )?((?:[01]\d|2[0-3])(?::[0-5]\d){2}\.\d+) )?"
    r"(?:\[[^\]]*\] )*"
    r"(== Info:|=> Send header|=> Send data|<= Recv header|<= Recv data"
    r"|[=<]=?>? (?:Send|Recv) SSL data)(?:, (\d{1,12}) bytes \(0x[0-9a-f]+\))?(.*)$"
)
_LINE = re.compile(r"([0-9a-f]{4,}): ?(.*)$")
_MOST_OF_A_BLOCK = 1 << 20  # bytes; curl traces what it reads at once, far less
_PAIRS = re.compile(r"(?:[0-9a-f]{2} ){1,16}")


_RECEIVED = re.compile(
    r"^(?:\S+ ){0,3}<= Recv (?:header|data), \d+ bytes \(0x", re.MULTILINE
)


def sniff(text: str) -> bool:
    """Recognise a trace."""
    return bool(_RECEIVED.search(text))


def read(text: str, path: str) -> list[Exchange]:
    """Read a trace."""
    drafts: list[Draft] = []
    dechunk = _Dechunker()
    scheme, began = "http", None
    is_ascii = False
    for kind, time, data, is_text in _blocks(text):
        is_ascii = is_ascii or (is_text and kind == "<= Recv data")
        if kind == "== Info:":
            scheme = "https" if re.search(rb"\b(?:SSL|TLS)", data) else scheme
        elif kind == "=> Send header":
            drafts.append(Draft(scheme=scheme))
            dechunk, began = _Dechunker(), time
            lines = data.decode("latin-1").splitlines()
            drafts[-1].read_request_line(lines[0] if lines else "")
            drafts[-1].request_headers = [header_of(one) for one in lines[1:] if one]
        elif not drafts:
            continue  # the trace begins in the middle
        elif kind == "=> Send data":
            drafts[-1].request_body = (drafts[-1].request_body or b"") + data
        elif kind == "<= Recv header":
            line = data.decode("latin-1").strip()
            if line and not drafts[-1].read_status_line(line):
                drafts[-1].headers.append(header_of(line))
        elif kind == "<= Recv data":
            if "chunked" in drafts[-1].header("transfer-encoding").lower():
                data = dechunk.feed(data)  # noqa: PLW2901 - the same bytes
            at = None if time is None else max(0.0, round(time - (began or time), 6))
            drafts[-1].body.append((at, data))
    if is_ascii:
        for draft in drafts:
            _restore(draft)
    return exchanges_from([one.restated() for one in drafts], path) if drafts else []


def _blocks(text: str) -> Iterator[tuple[str, float | None, bytes, bool]]:
    """Yield each block: kind, seconds of the day, data, and whether it came as text."""
    head: re.Match[str] | None = None
    lines: list[tuple[int, str]] = []
    for line in [*text.splitlines(), "== Info: end"]:
        found = _BLOCK.match(line)
        if found:
            if head is not None:
                yield _block(head, lines)
            head, lines = found, []
        elif head is not None:
            shown = _LINE.match(line)
            if shown:
                lines.append((int(shown[1], 16), shown[2]))


def _block(
    head: re.Match[str], lines: list[tuple[int, str]]
) -> tuple[str, float | None, bytes, bool]:
    time: float | None = None
    if head[1]:
        hours, minutes, seconds = map(float, head[1].split(":"))
        time = round(hours * 3600 + minutes * 60 + seconds, 6)
    size = int(head[3] or 0)
    if not lines:
        return head[2], time, encoded(head[4]), True
    if all(_PAIRS.match(shown) for _, shown in lines):
        pairs = (_PAIRS.match(shown) for _, shown in lines)
        data = b"".join(bytes.fromhex(found[0]) for found in pairs if found)
        return head[2], time, data[:size], False
    data = b""
    for offset, shown in lines:
        data += _line_ends(offset - len(data)) + shown.encode("latin-1", "replace")
    return head[2], time, data + _line_ends(size - len(data)), True


def _line_ends(missing: int) -> bytes:
    """Return the line ends that a trace in ASCII leaves out of a block.

    Args:
        missing: How many bytes are; more than any block has where it is damaged.
    """
    return b"\r\n" * (missing // 2) if missing <= _MOST_OF_A_BLOCK else b""


class _Dechunker:
    """Takes the chunked transfer encoding off, which curl before 8.7 traces."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_plain: bool | None = None

    def feed(self, data: bytes) -> bytes:
        if self._is_plain is None:
            self._is_plain = not re.match(rb"[0-9A-Fa-f]+[^\r\n]*\r\n", data)
        if self._is_plain:
            return data
        self._rest += data
        out = b""
        while found := re.match(rb"(?:\r\n)?([0-9A-Fa-f]+)[^\r\n]*\r\n", self._rest):
            size = int(found[1], 16)
            if size == 0 or len(self._rest) < found.end() + size:
                break
            out += self._rest[found.end() : found.end() + size]
            self._rest = self._rest[found.end() + size :]
        return out


# The dots behind what ends a line: JSON, the end mark, a field of one word, a comment.
_BREAKS = re.compile(
    r"(?:(?<=[}\]])|(?P<named>\b(?:event|id|retry): ?[\w.-]+?|(?:^|(?<=\.)): ?[^.{]*))"
    r"(?P<dots>\.{1,4})(?=(?:data|event|id|retry)?: ?\S|\Z)"
)


def _restore(draft: Draft) -> None:
    """Put line breaks where dots can only be those; the body keeps its length."""
    text = draft.text().decode("latin-1")
    restored_text = _BREAKS.sub(_broken, text)
    if restored_text == text:
        return
    position = 0
    pieces: list[tuple[float | None, bytes]] = []
    for at, piece in draft.body:
        part = restored_text[position : position + len(piece)]
        pieces.append((at, part.encode("latin-1")))
        position += len(piece)
    draft.body = pieces
    draft.notes.append(
        restored(
            "a trace in ASCII shows line breaks and all but ASCII as dots: the breaks "
            "between fields were put back, other characters are lost; `curl --trace` "
            "keeps both"
        )
    )


def _broken(found: re.Match[str]) -> str:
    return (found["named"] or "") + "\n" * len(found["dots"])
