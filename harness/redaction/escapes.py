r"""Text behind escapes, one level deep, with the way back to its bytes.

Owns undoing percent escapes, `\u` escapes of ASCII and base64, so that a search finds
what stands behind them. It knows nothing of secrets.
"""

from __future__ import annotations

import binascii
import re
from array import array
from bisect import bisect_left

__all__ = ["Unescaped", "past_escape", "text_in_base64", "unescaped"]

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
