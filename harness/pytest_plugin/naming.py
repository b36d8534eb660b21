"""File names of cassettes, from the names of tests.

A name is the same test on every file system, and two tests never share one:

- letters, digits, ``_``, ``-`` and ``.`` stand for themselves, everything else is
  percent-encoded UTF-8, so that there is nothing to normalise or to refuse;
- a name with capital letters ends in ``~`` and the hexadecimal mask of where they
  are, so that `test_x[A]` and `test_x[a]` differ where case does not count;
- the names that Windows keeps for devices (`con`, `nul`, ...) and a leading dot are
  encoded as well;
- a name longer than `LONGEST` is cut, and ends in ``~~`` and a hash of the whole. It
  is the only kind that cannot be read back.
"""

from __future__ import annotations

import hashlib
import re

LONGEST = 130
"""Characters: eCryptfs allows 143 bytes, the ending and `.partial` included."""

_HASH_LENGTH = 16
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)


def file_name(name: str) -> str:
    """Return the file name, without ending, that stands for a test's name.

    Args:
        name: Any text, such as ``TestCity.test_weather[Rome]``.

    Returns:
        Letters, digits and ``_-.%~``, at most `LONGEST` of them.
    """
    data = name.encode("utf-8", "surrogatepass")
    text = "".join(chr(b) if b in _PLAIN else f"%{b:02x}" for b in data)
    if text.startswith(".") or _DEVICE.match(text):
        text = f"%{ord(text[0]):02x}{text[1:]}"
    mask = sum(1 << place for place, char in enumerate(text) if char.isupper())
    if mask:
        text = f"{text}~{mask:x}"
    if len(text) > LONGEST:
        mark = hashlib.sha256(data).hexdigest()[:_HASH_LENGTH]
        text = f"{text[: LONGEST - _HASH_LENGTH - 2]}~~{mark}"
    return text
