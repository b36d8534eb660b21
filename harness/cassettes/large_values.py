"""What is large in a cassette, taken out of its YAML before libyaml reads it.

Nearly all of a recording of harness is the text of responses, as lines behind `|`, and
the list of when each piece of it came. libyaml and PyYAML take 17 us for a piece of the
list, `json` takes 0.3; and 5 ns for a byte of text, of which `bytes.replace` takes
half. (Text folded in single quotes, as vcrpy writes it, takes both about as long.)
Whatever is not exactly as harness writes it stays where it is.

A mark in quotes is left in the place of each. Where libyaml reads it as a whole scalar,
a `|` or a list in its place would have begun a value as well. Where it does not read
every mark so, the place was inside of a text, and the file must be read as it is.

Source: YAML 1.1, 9.3.1 (literal style) and 9.2.1 (flow sequences), as libyaml reads
them; numbers as in PyYAML's resolver, of which those here are JSON's as well.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from harness.core.patterns import late

LEAST = 4096  # bytes: a smaller text costs as much here as it costs libyaml
_MOST = 1 << 25  # bytes of a file; libyaml holds as much of one large scalar
_NAME = "taken-out-"
_FIELD = late(  # begins with a line end, as `re` finds one character at once
    rb"\n( *)(- )?(?:(?:string|body): \|([-+]?)\n( +)(?=[^ \t\n])|chunks: (?=\[))"
)
_WHAT_FOLLOWS = late(rb"\n(?: *(?:- )?[A-Za-z]|\Z)")
_CHUNKS = late(rb"[][0-9., \n]*\](?=\n)")
_ASCII = bytes(range(0x20, 0x7F)) + b"\t\n"


def may_take_out(head: bytes, size: int) -> bool:
    """Return whether to hold all of a file; a wrong answer costs time alone.

    Args:
        head: Its first block. A copy of what vcrpy writes, of which nothing is taken
            out, costs libyaml half as much again as reading it in pieces.
        size: Its length in bytes.
    """
    return size <= _MOST and (len(head) == size or b"|" in head)


def take_out(text: bytes) -> tuple[bytes, dict[str, Any]]:
    """Take large texts and lists of chunks out of YAML.

    Args:
        text: All of it.

    Returns:
        It with a mark in the place of each, and what each mark stands for; as it was,
        and nothing, where there is none.
    """
    taken: dict[str, Any] = {}
    # What vcrpy writes has neither; `rfind` sees that in half the time of `find`.
    if text.find(b"|") < 0 and text.rfind(b"chunks:") < 0:
        return text, taken
    if _NAME.encode() in text:  # a value of the file's own may be one of our marks
        return text, taken
    pieces: list[bytes] = []
    at = 0
    while field := _FIELD.search(text, at):
        begin = field.end() if field[4] is None else field.start(3) - 1
        end, value = _chunks(text, begin) if field[4] is None else _lines(text, field)
        if end < 0:
            break
        if value is None:
            pieces.append(text[at:end])
        else:
            mark = f"{_NAME}{len(taken)}"
            taken[mark] = value
            pieces += [text[at:begin], f"'{mark}'".encode()]
        at = end
    return b"".join([*pieces, text[at:]]), taken


def _chunks(text: bytes, start: int) -> tuple[int, Any]:
    """Return where a list of numbers ends, and it; -1 where there is anything else."""
    found = _CHUNKS.match(text, start)
    try:
        return (-1, None) if found is None else (found.end(), json.loads(found[0]))
    except (ValueError, RecursionError):
        return -1, None


def _lines(text: bytes, field: re.Match[bytes]) -> tuple[int, str | None]:
    """Return where lines behind `|` end, and what they stand for.

    Returns:
        The place of the last line end, -1 where what follows is unusual; and the text,
        None where it is small or something in it is no text to YAML.
    """
    start, indent, ending = field.end(), field[4], field[3]
    last = re.compile(rb"\n(?!\n|%s)" % indent).search(text, start)
    is_inside = len(indent) > len(field[1] + (field[2] or b""))
    if last is None or not is_inside or not _WHAT_FOLLOWS.match(text, last.start()):
        return -1, None
    end = last.start()
    if end - start < LEAST:
        return end, None
    kept = text[start : end + 1].replace(b"\n" + indent, b"\n")
    lines = kept.rstrip(b"\n")
    lines = {b"": lines + b"\n", b"-": lines, b"+": kept}[ending]
    if lines.isascii():
        return end, None if lines.translate(None, _ASCII) else lines.decode()
    try:
        value = lines.decode()
    except UnicodeDecodeError:
        return end, None
    return end, None if _odd().search(value) else value


@cache
def _odd() -> re.Pattern[str]:
    """Return what finds line ends of YAML 1.1's own, and what is no text to it."""
    from harness.cassettes.yaml_scalars import ODD  # which else only writing needs

    return re.compile(f"[{ODD}]")
