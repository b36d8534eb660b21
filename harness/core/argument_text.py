r"""The same arguments written differently: escaped, pretty, compact, reordered.

Works on the tokens of the JSON text, not on parsed values, so that numbers keep
their digits, strings their escapes and duplicate keys their place. Every function
here takes any text and gives back a text that `json.loads` reads as the same
value; a text that is no JSON comes back unchanged, because there is no knowing
what it would be.

Models do write arguments in all these ways: `{"a":1}` and `{"a": 1}` are common,
pretty-printed arguments come from Llama and Mistral models, `\uXXXX` for every
non-ASCII character from several GPT-4 versions.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_INDENT = "  "


def _tokens(text: str) -> list[str] | None:
    """Return the tokens of a JSON text without its whitespace; None for no JSON."""
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return _TOKEN.findall(text)


def compact(text: str) -> str:
    """Take out the whitespace between tokens; O(length)."""
    pieces = _tokens(text)
    return text if pieces is None else "".join(pieces)


def pretty(text: str) -> str:
    """Write one member a line, indented by two blanks; O(length * depth)."""
    pieces = _tokens(text)
    return text if pieces is None else "".join(_spread(pieces))


def _spread(pieces: list[str]) -> Iterator[str]:
    depth = 0
    before = ""
    for piece in pieces:
        if piece in {"}", "]"}:
            depth -= 1
            if before not in {"{", "["}:
                yield "\n" + _INDENT * depth
        elif before in {"{", "["}:
            yield "\n" + _INDENT * depth
        yield piece
        if piece in {"{", "["}:
            depth += 1
        elif piece == ",":
            yield "\n" + _INDENT * depth
        elif piece == ":":
            yield " "
        before = piece


def escaped(text: str) -> str:
    r"""Write every character of every string, keys too, as `\uXXXX`; O(length).

    A character beyond U+FFFF becomes its two surrogates; a lone surrogate, escaped
    or not, stays the lone one it is.
    """
    pieces = _tokens(text)
    if pieces is None:
        return text
    return "".join(
        _escape(piece) if piece.startswith('"') else piece for piece in pieces
    )


def _escape(piece: str) -> str:
    value = json.loads(piece, strict=False)
    units = value.encode("utf-16-be", "surrogatepass").hex()
    parts = [f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)]
    return '"' + "".join(parts) + '"'


def reordered(text: str) -> str:
    """Write the keys of every object backwards; O(length * depth).

    An object that has a key twice keeps its order: which of the two counts depends
    on it.
    """
    pieces = _tokens(text)
    if pieces is None:
        return text
    # One list of finished members for each open object or array, innermost last.
    members: list[list[str]] = [[]]
    current: list[list[str]] = [[]]
    for piece in pieces:
        if piece in {"{", "["}:
            members.append([])
            current.append([])
        elif piece == ",":
            members[-1].append("".join(current[-1]))
            current[-1] = []
        elif piece in {"}", "]"}:
            finished, rest = members.pop(), "".join(current.pop())
            if rest:
                finished.append(rest)
            current[-1].append(_close(finished, piece))
        else:
            current[-1].append(piece)
    return "".join(current[0])


def _close(members: list[str], piece: str) -> str:
    if piece == "]":
        return "[" + ",".join(members) + "]"
    keys = [json.loads(_key(member), strict=False) for member in members]
    if len(set(keys)) == len(keys):
        members.reverse()
    return "{" + ",".join(members) + "}"


def _key(member: str) -> str:
    found = _TOKEN.match(member)
    assert found is not None, "a member of valid JSON starts with its key"
    return found[0]
