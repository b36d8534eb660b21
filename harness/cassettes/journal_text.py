"""The text of a journal, and its file name.

Owns the name ``.NAME.PID-TOKEN.harness-journal``: hidden, and with an ending of its
own, so that no search for cassettes takes it for one. The first line names what it is;
each later line is one exchange with its place in the order of requests. A later line
for the same place replaces the earlier. A line without its end is that of a process
killed while it wrote: its client had not got the end of the body.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassettes.json_text import PIECE, for_json, is_plain
from harness.core.fielded import Fielded
from harness.core.patterns import late
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from collections.abc import Iterator


JOURNAL_START = b'{"harness-journal":'
"""What a journal begins with, and nothing else does."""

_SUFFIX = ".harness-journal"
_NAME = late(rf"\.(.+)\.(\d+)-[0-9a-f]+{re.escape(_SUFFIX)}", re.DOTALL)


def journal_name(cassette: str, token: str) -> str:
    """Return a journal's file name.

    Args:
        cassette: The cassette's file name.
        token: The id of the process, a dash, and something unique in hexadecimal.
    """
    return f".{cassette}.{token}{_SUFFIX}"


def is_journal(path: str, cassette: str | None = None) -> bool:
    """Recognise a journal by its file name.

    Args:
        path: The file.
        cassette: The name of the cassette it must be of; None for any.
    """
    name = _NAME.fullmatch(Path(path).name)
    return name is not None and cassette in {None, name[1]}


def has_exchange(path: str) -> bool:
    """Return whether a journal holds an exchange already, from its first lines.

    One that cannot be read may hold some; reading it reports why.
    """
    try:
        with Path(path).open("rb") as file:
            return file.readline().endswith(b"\n") and file.readline().endswith(b"\n")
    except FileNotFoundError:  # folded just now
        return False
    except OSError:
        return True


def writer_of(path: str) -> int:
    """Return the id of the process that wrote a journal."""
    name = _NAME.fullmatch(Path(path).name)
    assert name is not None
    return int(name[2])


def journal_head(cassette: str, mode: str) -> bytes:
    """Return the first line of a journal.

    Args:
        cassette: The cassette's path.
        mode: The record mode.
    """
    return journal_line({"harness-journal": 1, "cassette": cassette, "mode": mode})


def journal_line(record: dict[str, Any]) -> bytes:
    """Return a later line that is no exchange.

    Raises:
        TypeError: JSON has no form for something in it.
    """
    return json.dumps(for_json(record), separators=(",", ":")).encode() + b"\n"


class ExchangeLine:
    """The line of an exchange, in pieces, so that large bodies are not copied whole.

    Args:
        order: Its place in the order of requests.
        interaction: In vcrpy's shape.

    Raises:
        TypeError: JSON has no form for something in it.
    """

    def __init__(self, order: int, interaction: dict[str, Any]) -> None:
        self._texts: list[str] = []
        self._gap = os.urandom(32).hex()
        record = {"order": order, "interaction": self._without_large(interaction)}
        self._between = journal_line(record).split(self._gap.encode())

    def _without_large(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._without_large(item) for key, item in value.items()}
        if isinstance(value, str) and len(value) > PIECE:
            self._texts.append(value)
            return self._gap
        return value

    def __iter__(self) -> Iterator[bytes]:
        yield self._between[0]
        for text, after in zip(self._texts, self._between[1:], strict=True):
            for start in range(0, len(text), PIECE):
                yield _in_string(text[start : start + PIECE])
            yield after


def _in_string(text: str) -> bytes:
    needs_escapes = '"' in text or "\\" in text or not is_plain(text)
    return (json.dumps(text)[1:-1] if needs_escapes else text).encode()


@dataclass(slots=True, eq=False, repr=False)
class JournalText(Fielded):
    """What a journal holds."""

    mode: str = ""
    """The record mode; empty where not even the first line is whole."""
    interactions: list[dict[str, Any]] = field(default_factory=list)
    """In the order of their requests, in vcrpy's shape for JSON."""
    folded: set[str] = field(default_factory=set)
    """Digests of cassettes that have it all."""
    torn: int = 0
    """Bytes of a last line without end: the process was killed while it wrote."""


def parse_journal(text: bytes, path: str) -> JournalText:
    """Parse a journal.

    Args:
        text: All of it.
        path: Its name, for errors.

    Raises:
        CassetteCorruptError: A line other than the last is no record.
    """
    *lines, rest = text.split(b"\n")
    found = JournalText(torn=len(rest))
    by_order: dict[int, dict[str, Any]] = {}
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            if number == 1:
                found.mode = str(record["mode"])
            elif "folded" in record:
                found.folded.add(record["folded"])
            else:
                by_order[int(record["order"])] = record["interaction"]
        except (ValueError, TypeError, LookupError, RecursionError):
            raise CassetteCorruptError(
                path,
                "the journal is damaged: expected one JSON record in each line; "
                "repair the line, the others are whole",
                place=f"line {number}",
            ) from None
    found.interactions = [by_order[order] for order in sorted(by_order)]
    return found
