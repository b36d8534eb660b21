"""The content of JSON strings: where it ends, what it holds, what is still open.

Knows nothing of states: `harness.core.json_arguments` decides which string it reads,
and its docstring has the rules for escapes and surrogates. All functions are O(what
they read); none looks behind the string that begins at the position it is given.

Source: RFC 8259, section 7; raw control characters are accepted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed
from typing import Final

_STRICT: Final = False  # for scanstring: raw control characters are accepted
_CONTENT: Final = re.compile(  # of a string, as far as it is complete and valid
    # At most 64 escapes, because re keeps 180 bytes for each until the match ends.
    r'[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*){0,64}'
)
_BEGUN: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")  # an unfinished escape
_MAY_BE_LOW_HALF: Final = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F].?)?)?)?)?")


def join_surrogates(text: str, errors: str) -> str:
    """Make pairs of surrogates one character; `errors` is for lone ones."""
    if text.isascii():
        return text
    try:
        text.encode()  # 6 times as fast as what follows, and hardly ever fails
    except UnicodeEncodeError:
        pass
    else:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", errors)


def end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return where a pattern that matches the empty text too stops matching."""
    match = pattern.match(text, position)
    assert match is not None
    return match.end()


def _end_of_content(text: str, position: int) -> int:
    end = end_of(_CONTENT, text, position)
    while end > position and text.startswith("\\", end):
        position, end = end, end_of(_CONTENT, text, end)
    return end


def _decode(text: str, position: int) -> tuple[str, int]:
    """Decode the content of a string as far as it is complete and valid.

    Returns:
        The decoded text, lone surrogates kept, and the position of what ends it: a
        quote, a backslash (of an escape that is unfinished or wrong) or the end.
    """
    stop = text.find('"', position)
    has_quote = stop >= 0
    if not has_quote:
        stop = len(text)
    if text.find("\\", position, stop) < 0:  # half the time of what is below
        return text[position:stop], stop
    # One call in C finds the end, checks and decodes, where a regular expression
    # and then a decoder take 3 times as long; but it raises without a closing quote.
    if has_quote:
        try:
            piece, after = scanstring(text, position, _STRICT)
        except ValueError:
            pass  # an escape that is unfinished or wrong, or all quotes are escaped
        else:
            return piece, after - 1
    stop = _end_of_content(text, position)
    raw = text[position:stop]
    return scanstring(raw + '"', 0, _STRICT)[0], stop


def read_content(text: str, position: int) -> tuple[str, bool, int, int]:
    """Read the content of a string from a position to its end or the text's.

    What is not decided yet stays in the text: an unfinished escape, a high surrogate
    whose low half may still come, or both.

    Returns:
        The decoded text, lone surrogates kept; whether the closing quote is there; the
        position where the decoded text ends; and up to where what follows it is valid:
        a position before the end of the text is that of an error.
    """
    piece, stop = _decode(text, position)
    end = len(text)
    if stop < end and text[stop] == '"':
        return piece, True, stop, stop
    begun = stop if stop == end else end_of(_BEGUN, text, stop)
    if "\ud800" <= piece[-1:] <= "\udbff" and _MAY_BE_LOW_HALF.fullmatch(
        text, stop, begun
    ):
        stop -= 1 if text[stop - 1] == piece[-1] else len(r"\ud83d")
        piece = piece[:-1]
    return piece, False, stop, begun


@lru_cache(maxsize=1024)  # a model's tokens repeat: a fifth of the time of decoding
def decode_token(text: str) -> tuple[str, str] | None:
    """Decode a piece of a string that neither ends in it nor goes wrong.

    Returns:
        The decoded text, and what of the source must be held; None for any other piece.
    """
    piece, _, stop, begun = read_content(text, 0)
    if begun < len(text):  # a quote, or an error
        return None
    return join_surrogates(piece, "replace"), text[stop:]
