r"""Text behind escapes, one level deep, with the way back to its bytes.

Owns undoing the escapes of JSON strings, escapes of ASCII anywhere (percent, `\u`,
`\x`, HTML's) and base64, so that a search finds what stands behind them. It knows
nothing of secrets.
"""

from __future__ import annotations

import binascii
import functools
import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_LOOKED_AT = 16  # characters of base64 that show whether text is behind it


class Escapes:
    """One kind of escapes.

    Args:
        pattern: What one of them looks like.
        character: Returns what it stands for, in UTF-8.
        text: Returns a text without them, where that is known faster.
    """

    def __init__(
        self,
        pattern: bytes,
        character: Callable[[bytes], bytes],
        text: Callable[[bytes], bytes | None] = lambda _: None,
    ) -> None:
        self._escape = re.compile(pattern, re.DOTALL)
        self._stretch = re.compile(
            rb"(?:[^\\%&]++|" + pattern + rb"|.){1,1000}+", re.DOTALL
        )
        self._character = character
        self._known = text

    def text(self, raw: bytes) -> bytes:
        """Return a text with each escape replaced by what it stands for."""
        known = self._known(raw)
        if known is not None:
            return known
        resolved = bytearray()  # and no list of pieces, which takes many times the text
        position = 0
        for match in self._escape.finditer(raw):
            resolved += raw[position : match.start()]
            resolved += self._character(match[0])
            position = match.end()
        return bytes(resolved + raw[position:])

    def written(
        self, raw: bytes, spans: Iterable[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """Return where spans of `text(raw)` stand in the raw text, whole escapes."""
        spans = list(spans)
        if not spans or self._known(raw) is raw:
            return spans
        starts: dict[int, int] = {}
        ends: dict[int, int] = {}
        wanted = sorted({offset for span in spans for offset in span}, reverse=True)
        written = read = 0

        def passed(begin: int, end: int, size: int) -> None:
            """Go on by what stands for `size` bytes, one by one or as one escape."""
            nonlocal written, read
            while wanted and wanted[-1] < read + size:
                offset = wanted.pop()
                starts[offset] = ends[offset] = begin + offset - read
                if end - begin != size:  # inside what one escape stands for
                    starts[offset] = begin
                    ends[offset] = begin if offset == read else end
            written, read = end, read + size

        for stretch in self._stretch.finditer(raw):
            size = len(self.text(stretch[0]))
            if wanted and wanted[-1] >= read + size:
                written, read = stretch.end(), read + size
                continue
            for match in self._escape.finditer(raw, *stretch.span()):
                passed(written, match.start(), match.start() - written)
                passed(*match.span(), len(self._character(match[0])))
            passed(written, stretch.end(), stretch.end() - written)
            if not wanted:
                break
        passed(written, len(raw) + 1, len(raw) + 1 - written)  # and the end itself
        return [(starts[start], ends[end]) for start, end in spans]


_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_SHORT |= {b'"': b'"', b"/": b"/"}


def _of_most_strings(raw: bytes) -> bytes | None:
    if b"\\" not in raw:
        return raw
    if b"\\u" in raw or b"\0" in raw:
        return None
    text = raw.replace(b"\\\\", b"\0")
    for letter, character in _SHORT.items():
        text = text.replace(b"\\" + letter, character)
    return None if b"\\" in text else text.replace(b"\0", b"\\")


@functools.lru_cache(maxsize=4096)
def _in_json(escape: bytes) -> bytes:
    if escape[1:2] != b"u" or len(escape) == 2:
        return _SHORT.get(escape[1:2], escape[1:])
    units = [int(code, 16) for code in escape[2:].split(b"\\u")]
    text = "".join(map(chr, units)).encode("utf-16", "surrogatepass")
    return text.decode("utf-16", "surrogatepass").encode("utf-8", "surrogatepass")


IN_JSON = Escapes(
    rb"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|.)",
    _in_json,
    _of_most_strings,
)
"""Of the text between the quotes of a JSON string."""

_PERCENT = re.compile(rb"%[2-7][0-9A-Fa-f]")
_UNICODE = re.compile(rb"\\(?:u00|x)[2-7][0-9A-Fa-f]")


_ENTITY = re.compile(
    rb"&(?:quot|apos|amp|lt|gt|#(?:3[489]|6[02]|x(?:2[267]|3[cCeE])));"
)
_UNSEEN = tuple(c.encode() for c in "\xad\u200b\u200c\u200d\u2060\ufeff")
"""Characters without width, which nobody sees within a word."""
_ESCAPED = re.compile(rb"\\u(?:00[aA][dD]|200[b-dB-D]|2060|[fF][eE][fF][fF])")
UNSEEN = re.compile(b"|".join((rb"\\++" + _ESCAPED.pattern[2:], *_UNSEEN)))
"""The same in a body, behind as many backslashes as there are."""


def _of_most_texts(raw: bytes) -> bytes | None:
    # Searches for literal text are faster than one for all of them.
    searches = (_PERCENT.search, _UNICODE.search, _ESCAPED.search, _ENTITY.search)
    has_escapes = any(search(raw) for search in searches) or (
        not raw.isascii() and any(character in raw for character in _UNSEEN)
    )
    return None if has_escapes else raw


@functools.lru_cache(maxsize=4096)
def _of_ascii(escape: bytes) -> bytes:
    if escape[:1] == b"&":
        return html.unescape(escape.decode()).encode()
    is_seen = escape[:1] == b"%" or _UNICODE.fullmatch(escape) is not None
    return bytes((int(escape[-2:], 16),)) if is_seen else b""


OF_ASCII = Escapes(
    b"|".join(
        (
            _PERCENT.pattern,
            _UNICODE.pattern,
            _ESCAPED.pattern,
            _ENTITY.pattern,
            *_UNSEEN,
        )
    ),
    _of_ascii,
    _of_most_texts,
)
"""Of ASCII, and characters without width; a text that has none is returned as it is."""


def past_escape(text: bytes, start: int) -> int:
    r"""Return where a word begins: the `n` of `\n`, the digits of `\u0022` are none."""
    if text[start - 1 : start] != b"\\":
        return start
    escape = _LETTERS.match(text, start)
    return escape.end() if escape is not None else start


_LETTERS = re.compile(rb"[bfnrt]|u[0-9A-Fa-f]{4}")


def text_in_base64(value: bytes) -> bytes:
    """Return the text that is behind base64; nothing where it is none, or no text."""
    if not _decoded(_standard(value[:_LOOKED_AT].rstrip(b"="))):
        return b""
    value = _standard(value.rstrip(b"="))
    return _decoded(value[:-1] if len(value) % 4 == 1 else value)


def _standard(value: bytes) -> bytes:
    is_url_safe = b"-" in value or b"_" in value
    return value.translate(_STANDARD) if is_url_safe else value


def _decoded(value: bytes) -> bytes:
    try:
        text = binascii.a2b_base64(value + b"=" * (-len(value) % 4))
    except binascii.Error:
        return b""
    # Ten times as fast as a search for one of them.
    has_controls = len(text.translate(None, _CONTROLS)) < len(text)
    return text if text.isascii() and not has_controls else b""


_STANDARD = bytes.maketrans(b"-_", b"+/")
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0D})
