"""The scalars of a cassette's YAML: text, bytes, numbers and dates, each one way.

Owns how a value stands in the file: readable where it can be, and so that every reader
of YAML 1.1 takes it for what it was. Large ones come in pieces, so that a body of many
megabytes is not held once more than it must.
"""

from __future__ import annotations

import base64
import datetime
import math
import re
from typing import TYPE_CHECKING, Any

from harness.cassettes.json_text import is_plain

if TYPE_CHECKING:
    from collections.abc import Iterator


# Plain scalars that no YAML 1.1 reader takes for anything but text. A leading letter
# and one of these characters leave only the words below.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./+-]*(?:[ ;:=,][A-Za-z0-9_./+=-]+)*")
_WORDS = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})
_LONGEST_PLAIN = 200  # characters; a body of plain words is still quoted text
# What may not stand in a file as itself, but for tabs and line feeds. U+0085, U+2028
# and U+2029 are line breaks to YAML 1.1, U+FEFF is a byte order mark to some readers.
# (What may stand there, as a class of `re`, takes 8 ms to compile, this 0.5.)
ODD = "\0-\b\v-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff"
_NOT_ONE_LINE = re.compile(f"[\t\n{ODD}]")
_NOT_LINES = re.compile(f"[{ODD}]")
_ESCAPED = re.compile(rf"[\t\n\"\\{ODD}]")
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def text_scalar(text: str, indent: str) -> list[str]:
    """Return a scalar for text: plain, quoted or as lines at `indent`.

    In pieces: a body of many megabytes is not held once more than it must.
    """
    if (
        len(text) <= _LONGEST_PLAIN
        and _PLAIN.fullmatch(text)
        and text.lower() not in _WORDS
    ):
        return [text]
    if is_plain(text) or not _NOT_ONE_LINE.search(text):
        return ["'", text.replace("'", "''"), "'"]
    # A first line that begins with a blank hides how far the others are indented.
    is_lines = text[0] not in " \t\n" and not _NOT_LINES.search(text)
    if is_lines and not _has_trailing_blanks(text):
        return _literal(text, indent)
    return [_quoted(text, indent)]


def _has_trailing_blanks(text: str) -> bool:
    """Return whether editors and commit hooks would change the body's length."""
    return text.endswith((" ", "\t")) or " \n" in text or "\t\n" in text


def _literal(text: str, indent: str) -> list[str]:
    header = "|"
    if not text.endswith("\n"):
        header += "-"
    elif text.endswith("\n\n"):
        header += "+"
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    pieces = [header]
    for line in lines:
        pieces += ["\n", indent, line] if line else ["\n"]
    return pieces


def _quoted(text: str, indent: str) -> str:
    """Return a double-quoted scalar, one line of the file for each line of text."""
    lines = [_escaped(line) for line in re.findall(r"[^\n]*\n|[^\n]+", text)]
    # A reader drops blanks at the beginning of a continued line.
    rest = [re.sub(r"^ ", r"\\x20", line) for line in lines[1:]]
    return '"' + f"\\\n{indent}".join([*lines[:1], *rest]) + '"'


class _Escapes(dict[int, str]):
    """What stands for each character, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        self[code] = shown = _ESCAPED.sub(_escape, chr(code))
        return shown


_ESCAPES = _Escapes()
_LONG = 1 << 20  # characters; `re` keeps 75 bytes for each escape that it makes


def _escaped(text: str) -> str:
    if len(text) > _LONG:
        return text.translate(_ESCAPES)
    return _ESCAPED.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    short = _SHORT_ESCAPES.get(character)
    if short is not None:
        return short
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


_BLOCK = 57 << 10  # bytes; 57 are a line of base64


def binary_scalar(data: bytes, indent: str) -> Iterator[str]:
    """Yield a scalar for bytes, in pieces as `_text`."""
    yield "!!binary |"
    for start in range(0, len(data), _BLOCK):
        packed = base64.encodebytes(data[start : start + _BLOCK]).decode()
        yield f"\n{indent}" + packed.removesuffix("\n").replace("\n", f"\n{indent}")


def inline_scalar(value: Any) -> str:
    """Return what stands on the line of its key: a number, a word, a short text.

    Raises:
        TypeError: A cassette holds no such value.
    """
    text: str | None = None
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, float):
        text = _float(value)
    elif isinstance(value, str):
        is_one_line = not _NOT_ONE_LINE.search(value)
        text = (
            "".join(text_scalar(value, "")) if is_one_line else f'"{_escaped(value)}"'
        )
    elif isinstance(value, int | datetime.date):  # also datetime
        text = str(value)
    elif value in ({}, [], ()):
        text = "{}" if isinstance(value, dict) else "[]"
    if text is None:
        raise TypeError(f"a {type(value).__name__} has no place in a cassette")
    return text


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    # YAML 1.1 takes `1e-05` for text: a float needs its point.
    text = repr(value)
    if "e" in text and "." not in text:
        mantissa, _, exponent = text.partition("e")
        text = f"{mantissa}.0e{exponent}"
    return text
