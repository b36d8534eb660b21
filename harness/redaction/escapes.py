r"""Text behind escapes, one level deep, with the way back to its bytes.

Owns undoing percent escapes, `\u` escapes of ASCII and base64, so that a search finds
what stands behind them. It knows nothing of secrets.
"""

from __future__ import annotations

import binascii
import re
from array import array
from bisect import bisect_left

__all__ = ["Unescaped", "text_in_base64", "unescaped"]

_PERCENT = re.compile(rb"%([2-7][0-9A-Fa-f])")
_UNICODE = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")
_ESCAPE = re.compile(_PERCENT.pattern + b"|" + _UNICODE.pattern)
_LOOKED_AT = 16  # characters of base64 that show whether text is behind it


class Unescaped:
    """A text without its escapes.

    Attributes:
        text: The text; each escape is the one character that it stands for.
    """

    def __init__(self, raw: bytes) -> None:
        self._places = array("q")
        self._lengths = array("q", [0])  # by how much the escapes so far are longer
        text = bytearray()
        end = longer = 0
        for match in _ESCAPE.finditer(raw):
            text += raw[end : match.start()]
            self._places.append(len(text))
            text.append(int(match[1] or match[2], 16))
            longer += len(match[0]) - 1
            self._lengths.append(longer)
            end = match.end()
        self.text = bytes(text + raw[end:])

    def raw(self, offset: int) -> int:
        """Return the offset in the raw text of an offset in `text`."""
        return offset + self._lengths[bisect_left(self._places, offset)]


def unescaped(raw: bytes) -> Unescaped | None:
    """Return a text without its escapes of ASCII; None where it has none."""
    # Two searches for literal text are faster than one for either.
    has_escapes = _PERCENT.search(raw) or _UNICODE.search(raw)
    return Unescaped(raw) if has_escapes else None


def text_in_base64(value: bytes) -> bytes:
    """Return the text that is behind base64; nothing where it is none, or no text."""
    url_safe = value.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if not _decoded(url_safe[:_LOOKED_AT]):
        return b""
    return _decoded(url_safe[:-1] if len(url_safe) % 4 == 1 else url_safe)


def _decoded(value: bytes) -> bytes:
    try:
        text = binascii.a2b_base64(value + b"=" * (-len(value) % 4))
    except binascii.Error:
        return b""
    return text if text.isascii() and not _CONTROL.search(text) else b""


_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
