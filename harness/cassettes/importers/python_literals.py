"""Pieces as Python prints them: `print(piece)` for each piece or line of a response.

Each line is one literal, `b'data: {"id": ...'`, cut wherever the network cut it; lines
of `iter_lines` hold no line ends. Literals with a prefix are a log's
(`harness.cassettes.importers.log`).
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from harness.cassettes.importers.base import (
    Restated,
    TextImporter,
    encoded,
    exchanges_from,
    restored,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

__all__ = ["IMPORTER"]

_LITERAL = re.compile(r"\s*([bB]?)(['\"]).*\2,?\s*$")
_STREAM = re.compile(rb"^(?:data|event): ?|^[\[{]")


def _pieces(text: str) -> list[bytes] | None:
    """Return the value of each line; None where a line is no literal."""
    found = []
    for line in text.splitlines():
        stripped = line.strip().rstrip(",")
        if not stripped:
            continue
        if not _LITERAL.match(stripped):
            return None
        try:
            value = ast.literal_eval(stripped)
        except (SyntaxError, ValueError):
            return None
        if not isinstance(value, str | bytes):
            return None
        found.append(encoded(value) if isinstance(value, str) else value)
    return found


def _sniff(text: str) -> bool:
    if text.lstrip()[:2].strip("bB")[:1] not in {"'", '"'}:
        return False
    pieces = _pieces(text)
    return bool(_STREAM.match(b"".join(pieces or []).lstrip()))


def _read(text: str, path: str) -> list[Exchange]:
    pieces = _pieces(text) or []
    are_lines = not any(b"\n" in piece for piece in pieces)
    if are_lines:
        pieces = [piece + b"\n" for piece in pieces]
    how = "lines" if are_lines else "pieces"
    note = restored(f"{len(pieces)} {how} that Python printed are joined to one body")
    body = b"".join(pieces)
    return exchanges_from([Restated(body=body, notes=[note])], path)


IMPORTER = TextImporter("pieces that Python printed", _sniff, _read)
"""The importer."""
