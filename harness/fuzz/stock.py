r"""Streams and argument texts that every consumer is tried on when none are given.

Small, one for each shape that has broken a real consumer (`tables.txt` of chat names
the threads). All hold something that a consumer can be held to: faults are
put to them by the campaign. None is longer than a dozen chunks, so that every cut of
every one of them is tried in seconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.apis.examples import example_events, example_names

if TYPE_CHECKING:
    from harness.fuzz.arrivals import Arrival


def stock_streams() -> dict[str, Arrival]:
    """Return the streams by name, simple ones first: the examples of chat."""
    return {
        name: tuple(event.payload for event in example_events("chat", name))
        for name in example_names("chat")
    }


_VALUES = (
    "Hello there",
    "",
    'a "quoted" \\ word/',
    "tab\tline\nend\r\b\f",
    "C:\\users\\new",
    "é ü 你好 \u2028",
    "👋🏽 🚀",
    "\x00\x1f",
    '{"message": "not me"}',
)


def stock_texts(key: str) -> dict[str, str]:
    """Return argument objects as JSON text, by name.

    Args:
        key: The key under which the wanted string is.
    """
    name = json.dumps(key)
    texts: dict[str, str] = {}
    for value in _VALUES:
        texts[f"raw {value!r}"] = f"{{{name}: {json.dumps(value, ensure_ascii=False)}}}"
        texts[f"escaped {value!r}"] = f"{{{name}: {json.dumps(value)}}}"
    everything = "".join(
        f"\\u{unit:04x}" for unit in (0x61, 0xE9, 0x4F60, 0xD83D, 0xDE00)
    )
    texts |= {
        "only escapes": f'{{{name}: "{everything}"}}',
        "solidus and capitals": f'{{{name}: "\\/\\u00E9\\uD83D\\uDE00\\/"}}',
        "the same key deeper": f'{{"o": {{{name}: "no"}}, {name}: "yes"}}',
        "the key inside a string": f'{{"o": "\\"{key}\\": \\"no\\"", {name}: "yes"}}',
        "the key as a value": f'{{"o": {name}, {name}: "yes"}}',
        "the key inside an array": f'{{"o": [{name}, {{{name}: 1}}], {name}: "yes"}}',
        "a longer key first": f'{{"{key}s": "no", {name}: "yes"}}',
        "a shorter key first": f'{{"{key[:-1]}": "no", {name}: "yes"}}',
        "a key that ends so": f'{{"inner_{key}": "no", {name}: "yes"}}',
        "another key after": f'{{{name}: "yes", "o": "no"}}',
        "a key that begins so after": f'{{{name}: "yes", "{key}_id": "no"}}',
        "escaped key": "{"
        '"'
        + "".join(f"\\u{ord(c):04x}" for c in key if ord(c) < 0x10000)
        + '": "yes"}',
        "blanks everywhere": f' {{\n\t{name} \r\n:  "yes" ,\n "o" : [ 1 , 2 ] }} ',
        "no blanks": f'{{"a":1,{name}:"yes","o":[1,2]}}',
        "values of every type first": (
            f'{{"a": -1.5e+3, "b": true, "c": null, "d": [], "e": {{}}, '
            f'"f": [[{{"g": "]}}"}}]], {name}: "yes"}}'
        ),
        "no such key": '{"other": "no"}',
        "empty object": "{}",
        "braces in the text": f'{{{name}: "}} {{ ] [ , : "}}',
    }
    return texts


def broken_texts(key: str) -> dict[str, str]:
    """Return argument texts that are no JSON object, by name.

    Args:
        key: The key under which the wanted string is.

    Source: openclaw#88226, assistant-ui#5524, sglang#31974, letta#2495.
    """
    name = json.dumps(key)
    return {
        "invalid escape": f'{{{name}: "C:\\users"}}',
        "unknown escape": f'{{{name}: "a\\q"}}',
        "unfinished number": f'{{"a": [-, {name}: "b"}}',
        "unfinished word": f'{{"a": nul, {name}: "b"}}',
        "unfinished string": f'{{{name}: "hel',
        "unfinished escape": f'{{{name}: "hel\\u00',
        "half a pair": f'{{{name}: "\\ud83d"}}',
        "junk behind": f'{{{name}: "yes"}}}} and more',
        "two objects": f'{{{name}: "yes"}}{{{name}: "no"}}',
        "no object": '"message"',
        "an array": f'[{{{name}: "no"}}]',
        "nothing": "",
        "missing colon": f'{{{name} "yes"}}',
        "missing comma": f'{{"a": 1 {name}: "yes"}}',
        "raw line end": f'{{{name}: "a\nb"}}',
    }
