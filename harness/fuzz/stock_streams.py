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
from harness.core.package_files import package_file

if TYPE_CHECKING:
    from harness.fuzz.fuzz_inputs import FuzzInput


def stock_streams() -> dict[str, FuzzInput]:
    """Return the streams by name, simple ones first: the examples of chat."""
    return {
        name: tuple(event.payload for event in example_events("chat", name))
        for name in example_names("chat")
    }


def stock_texts(key: str) -> dict[str, str]:
    """Return argument objects as JSON text, by name.

    Args:
        key: The key under which the wanted string is.
    """
    return _texts("sound", key)


def broken_texts(key: str) -> dict[str, str]:
    """Return argument texts that are no JSON object, by name.

    Args:
        key: The key under which the wanted string is.

    Source: openclaw#88226, assistant-ui#5524, sglang#31974, letta#2495.
    """
    return _texts("broken", key)


def _texts(kind: str, key: str) -> dict[str, str]:
    table = package_file("harness.fuzz", "texts.json")
    places = {
        '"$KEY"': json.dumps(key),
        "$KEY": key,
        "$SHORT": key[:-1],
        "$ESCAPED": "".join(f"\\u{ord(c):04x}" for c in key if ord(c) < 0x10000),
    }
    texts: dict[str, str] = json.loads(table)[kind]
    for place, held in places.items():
        texts = {name: text.replace(place, held) for name, text in texts.items()}
    return texts
