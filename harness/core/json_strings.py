"""The content of JSON strings: where it ends, what it says, what is still open.

Knows nothing of states: `harness.core.json_arguments` says which string it reads,
and its docstring has the rules for escapes and surrogates. All functions are O(what
they read); none looks behind the string that begins at the position it is given.

Source: RFC 8259, section 7; raw control characters are accepted.
"""

from __future__ import annotations

import re
from json.decoder import scanstring  # type: ignore[attr-defined]  # not in typeshed
from typing import Final

__all__ = [
    "MAY_BE_LOW_HALF",
    "STRICT",
    "decode",
    "end_of",
    "end_of_open_escape",
    "join_surrogates",
    "scanstring",
]

STRICT: Final = False  # for scanstring: raw control characters are accepted
_CONTENT: Final = re.compile(  # of a string, as far as it is complete and valid
    # At most 64 escapes, because re keeps 180 bytes for each until the match ends.
    r'[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*){0,64}'
)
_BEGUN: Final = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")  # an unfinished escape
MAY_BE_LOW_HALF: Final = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F].?)?)?)?)?")


def join_surrogates(text: str, errors: str) -> str:
    """Make pairs of surrogates one character; `errors` says what lone ones become."""
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


def end_of_open_escape(text: str, position: int) -> int:
    """Return where the escape at a position breaks off: the end, or its error."""
    return end_of(_BEGUN, text, position)


def _end_of_content(text: str, position: int) -> int:
    end = end_of(_CONTENT, text, position)
    while end > position and text.startswith("\\", end):
        position, end = end, end_of(_CONTENT, text, end)
    return end


def decode(text: str, position: int) -> tuple[str, int]:
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
            piece, after = scanstring(text, position, STRICT)
        except ValueError:
            pass  # an escape that is unfinished or wrong, or all quotes are escaped
        else:
            return piece, after - 1
    stop = _end_of_content(text, position)
    raw = text[position:stop]
    return scanstring(raw + '"', 0, STRICT)[0], stop
