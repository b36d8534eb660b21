"""Dumps of bytes: `xxd`, `hexdump -C`, Wireshark's "Follow stream" as hex dump.

What one side sent begins at offset 0, and so does what the other one sent: each is a
text of its own, and the dump is read as their texts in a row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.cassettes.importers import terminal
from harness.cassettes.importers.base import restored

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_LINE = re.compile(
    r"[ \t]*[0-9a-fA-F]{4,8}:?[ \t]+(?P<bytes>(?:(?:[0-9a-fA-F]{2}){1,2} {1,2}){1,16})"
)
_FIRST_LINES = 20


def sniff(text: str) -> bool:
    """Recognise a text of which all lines are lines of a dump."""
    lines = text.strip("\n").splitlines()[:_FIRST_LINES]
    return len(lines) > 1 and all(map(_LINE.match, lines[:-1]))


def read(text: str, path: str) -> list[Exchange]:
    """Read the streams of a dump."""
    found = (_LINE.match(f"{line} ") for line in text.splitlines())
    dumped = b"".join(bytes.fromhex(one["bytes"]) for one in found if one)
    plain = dumped.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    exchanges = terminal.read(plain, path)
    for exchange in exchanges:
        exchange.notes.insert(0, restored("read from a dump of its bytes"))
    return exchanges
