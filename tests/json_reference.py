r"""A slow, obvious answer to: what must have been returned after this prefix?

`harness.core.json_arguments` reads forwards with a state machine. This reference
knows no states. It asks, for a prefix of the arguments, which values the key could
still end up with, by completing the prefix in many ways and giving each to
`json.loads`; what all of them begin with is decided. Its only own knowledge of
JSON is how an object can end (`_completions`) and that an escape counts when it is
finished. Cost: hundreds of `json.loads` for every character. Shares no code with
the package.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "decided_text",
    "first_bad_offset",
    "is_viable",
    "mend",
    "parse_pairs",
]

_HEX = ("0", "c", "d", "8")  # one of each kind a surrogate's digits can be
_BETWEEN_TOKENS = (
    *("", "0", ":0", ',"":0', "0:0", '"":0', ",0"),
    *("rue", "ue", "e", "alse", "lse", "se", "ull", "ll", "l"),
)


def mend(text: str, *, replace: bool = True) -> str:
    """Join surrogate pairs, one code point at a time; lone ones become U+FFFD."""
    mended: list[str] = []
    rest = list(text)
    while rest:
        code = ord(rest.pop(0))
        if 0xD800 <= code < 0xDC00 and rest and 0xDC00 <= ord(rest[0]) < 0xE000:
            low = ord(rest.pop(0))
            mended.append(chr(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00))
        elif 0xD800 <= code < 0xE000 and replace:
            mended.append("\N{REPLACEMENT CHARACTER}")
        else:
            mended.append(chr(code))
    return "".join(mended)


class _Pairs(list[tuple[str, Any]]):
    """The members of one object in order, repeated keys kept."""


def _refuse(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(  # `json.loads` would make one for each text
    strict=False,
    parse_constant=_refuse,
    parse_int=float,  # no limit on digits
    object_pairs_hook=_Pairs,
)


def parse_pairs(text: str) -> list[tuple[str, Any]]:
    """Parse one object as the machine is to understand it.

    Raises:
        ValueError: The text is malformed, or no object.
    """
    parsed = _DECODER.decode(text)
    if not isinstance(parsed, _Pairs):
        raise ValueError("the top level is no object")  # noqa: TRY004 - as json
    return parsed


def _open_at(prefix: str) -> tuple[str, bool]:
    """Return what closes the open containers, innermost first, and if a string is."""
    closers = ""
    in_string = is_escaped = False
    for char in prefix:
        if in_string:
            if is_escaped:
                is_escaped = False
            elif char == "\\":
                is_escaped = True
            else:
                in_string = char != '"'
        elif char == '"':
            in_string = True
        elif char in "{[":
            closers = {"{": "}", "[": "]"}[char] + closers
        elif char in "}]":
            closers = closers[1:]
    return closers, in_string


def _unescapes() -> Iterator[str]:
    """Yield what may follow within a string to finish an escape, or nothing."""
    yield ""
    yield from ("n", "\\", '"')  # after a backslash
    for digits in ("", *_HEX):
        yield digits  # \uXXX
        for second in _HEX:
            yield digits + second
            yield digits + second + "00"
            yield digits + second + "0"
            yield "u" + digits + second + "00"
            yield "\\u" + digits + second + "00"
    yield from ("000", "0000", "u0000")


def _completions(prefix: str) -> Iterator[str]:
    """Yield texts that could follow the prefix; most of them make no JSON."""
    closers, in_string = _open_at(prefix)
    if not in_string:
        for top in ("", "{}") if not closers else (closers,):
            for middle in _BETWEEN_TOKENS:
                yield middle + top
        return
    # An escape is at most six characters long; without one there is nothing to finish.
    for escape in _unescapes() if "\\" in prefix[-6:] else [""]:
        for after in ("", "x", "\ud800", "\udc00", "\\udc00"):
            for middle in ("", ":0"):
                yield escape + after + '"' + middle + closers


def _possible(prefix: str) -> Iterator[list[tuple[str, Any]]]:
    for suffix in _completions(prefix):
        try:
            yield parse_pairs(prefix + suffix)
        except ValueError:
            continue


def is_viable(prefix: str) -> bool:
    """Tell whether any JSON object begins with the prefix."""
    return any(True for _ in _possible(prefix))


def first_bad_offset(text: str) -> int | None:
    """Return where no JSON object can go on, or None if the text is a beginning."""
    for length in range(1, len(text) + 1):
        if not is_viable(text[:length]):
            return length - 1
    return None


def _without_open_escape(prefix: str) -> str:
    """Cut an unfinished escape off the end of a prefix that ends in a string."""
    for length in range(1, 6):
        tail = prefix[-length:]
        head = prefix[: len(prefix) - len(tail)]
        slashes = len(head) - len(head.rstrip("\\"))
        if tail[:1] == "\\" and slashes % 2 == 0 and tail[1:2] in {"", "u"}:
            return head
    return prefix


def _common_beginning(texts: list[str]) -> str:
    common = min(texts, key=len, default="")
    while not all(text.startswith(common) for text in texts):
        common = common[:-1]
    return common


@lru_cache(10_000)  # several tests ask for each prefix of the same texts
def decided_text(prefix: str, key: str) -> str | None:
    """Return the text of the key's value that every completion begins with.

    Args:
        prefix: A viable beginning of an object.
        key: The key; its first value counts.

    Returns:
        The text, the contribution of an unfinished escape left out; None while it
        is not decided that the key has a string value.
    """
    wanted = mend(key, replace=False)
    values: list[str] = []
    for pairs in _possible(prefix):
        found = [v for k, v in pairs if mend(k, replace=False) == wanted]
        if not found or not isinstance(found[0], str):
            return None
        values.append(found[0])
    # Compared as code points with pairs joined, so that half a pair decides nothing.
    common = _common_beginning([mend(value) for value in values])
    head = _without_open_escape(prefix) if _open_at(prefix)[1] else prefix
    if head != prefix and common:
        # All completions may agree on what an open escape gives (\udc.. is U+FFFD
        # whatever follows), but an escape counts only when it is finished.
        shorter = list(_possible_heads(head, wanted))
        common = common[: max((len(mend(value)) for value in shorter), default=0)]
    return common


def _possible_heads(head: str, wanted: str) -> Iterator[str]:
    """Yield the key's value if the text ended before its unfinished escape."""
    for suffix in ('"', '":0'):
        try:
            pairs = parse_pairs(head + suffix + _open_at(head)[0])
        except ValueError:
            continue
        for key, value in pairs:
            if mend(key, replace=False) == wanted:
                if isinstance(value, str):
                    yield value
                break
