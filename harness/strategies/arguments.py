r"""JSON texts of tool call arguments, in every spelling a model could choose.

The texts are written here and not by `json.dumps`, which knows one spelling of each
value: here every character may come raw or as an escape, between all tokens may be
any whitespace, and keys and strings look like the key that is wanted. Every text
is what RFC 8259 calls an object, apart from raw control characters in strings
(models send them) where they are allowed. ``json.loads(text, strict=False)`` is the
truth; of repeated keys it keeps the last, see `argument_texts`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from harness.strategies.validation import check_size, check_text

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


_SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n"} | {
    "\r": "r",
    "\t": "t",
}
# Whitespace before a key, after it, before its value and after it. One draw for an
# object and not one for each place: hypothesis deletes members of up to five draws.
_STYLES = st.sampled_from(
    [
        *(("", "", "", ""), ("", "", " ", ""), (" ", " ", " ", " ")),
        *(("\n  ", "", " ", ""), ("\t", "\r", "", "\n"), ("\r\n", " ", "\t\t", "  ")),
    ]
)
_NUMBERS = st.sampled_from(
    [
        *("0", "1", "-1", "-0", "10", "-27", "1.5", "-0.25", "2e10", "1E-3", "3.0e+2"),
        "123456789012345678901234567890",
    ]
)
# Contents of strings that look like structure to who does not track escapes.
_DECOYS = ("{", "}", "[", "]", ":", ",", "null", '\\"', "\\\\", '\\\\\\"', "\xa0")


def _escape(unit: int, *, upper: bool) -> str:
    return f"\\u{unit:04X}" if upper else f"\\u{unit:04x}"


def _units(char: str) -> list[int]:
    raw = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]


def _escaped(code: int) -> str:
    """Write a character as one or two escapes, every other code in upper case."""
    return "".join(_escape(unit, upper=code % 2 == 1) for unit in _units(chr(code)))


def _spell(text: str, ways: list[int]) -> str:
    """Write the content of a string: per character raw (0), short or as an escape."""
    pieces = []
    for place, char in enumerate(text):
        way = ways[place] if place < len(ways) else 0
        if char in _SHORT and (way == 1 or (way == 0 and char in '"\\')):
            pieces.append(f"\\{_SHORT[char]}")
        elif way < 2:
            pieces.append(char)
        else:
            pieces += [_escape(unit, upper=way == 3) for unit in _units(char)]
    return "".join(pieces)


def spellings(text: str) -> SearchStrategy[str]:
    r"""JSON texts of one string, quotes included, each character spelled in any way.

    Raw, by a short escape where there is one, or as ``\uXXXX`` in either case; a
    character beyond U+FFFF then becomes two. Shrinks to as few escapes as possible.

    Args:
        text: What `json.loads` of each of them gives, with ``strict=False``.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: It is no text.
    """
    check_text("text", text)
    ways = st.lists(st.integers(0, 3), max_size=len(text))
    return ways.map(lambda drawn: f'"{_spell(text, drawn)}"')


def string_texts(
    *,
    key: str = "message",
    allow_lone_surrogates: bool = True,
    allow_controls: bool = True,
    max_pieces: int = 6,
) -> SearchStrategy[str]:
    r"""JSON texts of strings, quotes included.

    Made of plain runs, escapes of all kinds, surrogate pairs and what looks like
    structure (brackets, backslashes, the quoted key). Shrinks to ``""``.

    Args:
        key: The key that strings may quote.
        allow_lone_surrogates: Halves of pairs too, raw and escaped.
        allow_controls: Raw control characters too, which RFC 8259 forbids.
        max_pieces: The most pieces that one is made of.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: An argument is of the wrong kind or negative.
    """
    check_text("key", key)
    check_size("max_pieces", max_pieces)
    excluded = '"\\' if allow_controls else '"\\' + "".join(map(chr, range(32)))
    plain = st.characters(exclude_characters=excluded, exclude_categories=["Cs"])
    quoted_key = json.dumps(key, ensure_ascii=True)[1:-1]
    pieces = [
        st.text(plain, max_size=4),
        st.sampled_from([f"\\{char}" for char in '"\\/bfnrt']),
        st.integers(0, 0xD7FF).map(_escaped),
        st.integers(0x10000, 0x10FFFF).map(_escaped),
        st.sampled_from([*_DECOYS, quoted_key, f'\\"{quoted_key}\\":\\"']),
    ]
    if allow_lone_surrogates:
        halves = st.integers(0xD800, 0xDFFF)
        pieces += [halves.map(_escaped), halves.map(chr)]
    contents = st.lists(st.one_of(pieces), max_size=max_pieces).map("".join)
    return contents.map('"{}"'.format)


def _object(members: list[tuple[str, str]], style: tuple[str, ...]) -> str:
    before_key, after_key, before_value, after_value = style
    written = [
        f"{before_key}{key}{after_key}:{before_value}{value}{after_value}"
        for key, value in members
    ]
    return "{" + (",".join(written) or style[2]) + "}"


def _array(items: list[str], style: tuple[str, ...]) -> str:
    written = [f"{style[0]}{item}{style[3]}" for item in items]
    return "[" + (",".join(written) or style[2]) + "]"


def _keys(key: str, strings: SearchStrategy[str]) -> SearchStrategy[str]:
    """Texts of keys: the key in some spellings, what looks like it, any string."""
    spelled = [_spell(key, [0] * n + [2 + n % 2]) for n in range(len(key))]
    spelled += [_spell(key, [way] * len(key)) for way in (2, 3)]
    near = [key[:-1], f"{key}s", f" {key}", key.swapcase(), key[:1], f'"{key}']
    texts = [f'"{text}"' for text in spelled]
    texts += [json.dumps(name, ensure_ascii=False) for name in near]
    # Shorter first, since that is where shrinking goes: any string, then the key.
    return strings | st.sampled_from([f'"{_spell(key, [])}"'] * 9 + texts)


def value_texts(
    *,
    key: str = "message",
    allow_lone_surrogates: bool = True,
    allow_controls: bool = True,
    max_leaves: int = 6,
) -> SearchStrategy[str]:
    """JSON texts of values of all types, nested, any whitespace between tokens.

    Objects inside have `key` among their keys often. Shrinks to ``null``.

    Args:
        key: The key that objects inside may have.
        allow_lone_surrogates: See `string_texts`.
        allow_controls: See `string_texts`.
        max_leaves: About how many values without members one may hold.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: An argument is of the wrong kind or out of range.
    """
    check_size("max_leaves", max_leaves, least=1)
    strings = string_texts(
        key=key,
        allow_lone_surrogates=allow_lone_surrogates,
        allow_controls=allow_controls,
    )
    keys = _keys(key, strings)

    def nested(values: SearchStrategy[str]) -> SearchStrategy[str]:
        members = st.lists(st.tuples(keys, values), max_size=3)
        arrays = st.builds(_array, st.lists(values, max_size=3), _STYLES)
        return arrays | st.builds(_object, members, _STYLES)

    scalars = st.sampled_from(["null", "true", "false"]) | _NUMBERS | strings
    return st.recursive(scalars, nested, max_leaves=max_leaves)


def argument_texts(
    key: str = "message",
    *,
    allow_lone_surrogates: bool = True,
    allow_controls: bool = True,
    allow_duplicates: bool = True,
    max_members: int = 4,
    max_leaves: int = 6,
) -> SearchStrategy[str]:
    """JSON texts of the arguments of a call: one object, any whitespace around it.

    `key` is often there, once, several times or only deeper down, spelled with or
    without escapes, with a string or another value; beside it stand keys and
    strings that look like it. Shrinks to ``{}``.

    Args:
        key: The key whose value a consumer wants.
        allow_lone_surrogates: See `string_texts`.
        allow_controls: See `string_texts`.
        allow_duplicates: Top-level keys that repeat too: `json.loads` keeps the
            last, the argument handler the first. Objects inside may repeat keys in
            any case.
        max_members: The most members of the object itself.
        max_leaves: See `value_texts`.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: An argument is of the wrong kind or out of range.
    """
    check_size("max_members", max_members)
    check_size("max_leaves", max_leaves, least=1)
    allowed = {
        "allow_lone_surrogates": allow_lone_surrogates,
        "allow_controls": allow_controls,
    }
    strings = string_texts(key=key, **allowed)
    nested = value_texts(key=key, max_leaves=max_leaves, **allowed)
    members = st.lists(
        st.tuples(_keys(key, strings), strings | nested),
        max_size=max_members,
        unique_by=None if allow_duplicates else lambda one: _parsed(one[0]),
    )
    return st.builds(
        lambda drawn, style: style[0] + _object(drawn, style) + style[3],
        members,
        _STYLES,
    )


def argument_objects(
    key: str = "message", *, max_members: int = 4, max_leaves: int = 6
) -> SearchStrategy[dict[str, Any]]:
    """Parsed arguments, as a tool gets them; can be encoded and dumped again.

    What `argument_texts` makes, parsed. Shrinks to ``{}``.

    Args:
        key: See `argument_texts`.
        max_members: The most members of the object itself.
        max_leaves: About how many values without members one may hold.

    Returns:
        The strategy.

    Raises:
        InvalidArgument: An argument is of the wrong kind or out of range.
    """
    sizes: Any = {"max_members": max_members, "max_leaves": max_leaves}
    return argument_texts(key, allow_lone_surrogates=False, **sizes).map(_parsed)


def _parsed(text: str) -> Any:
    return json.loads(text, strict=False)
