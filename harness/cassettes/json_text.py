"""Cassettes as JSON, the format that vcrpy's JSON serializer reads.

Owns the layout, and what stands for bytes, which JSON has not.
"""

from __future__ import annotations

import base64
import datetime
import io
import json
import os
from typing import Any

PIECE = 1 << 20
"""Characters of a text that are encoded at once."""


_PRINTABLE = bytes(range(0x20, 0x7F))
_LOOKED_AT = 1 << 16  # characters; of more at once, the copies leave the CPU's cache


def is_plain(text: str) -> bool:
    """Return whether a text is printable ASCII: a third of the time of `re`."""
    return text.isascii() and not any(
        text[start : start + _LOOKED_AT].encode().translate(None, _PRINTABLE)
        for start in range(0, len(text), _LOOKED_AT)
    )


def is_json(path: str | os.PathLike[str]) -> bool:
    """Return by its name whether a cassette is written as JSON."""
    return os.fspath(path).lower().endswith(".json")


def json_text(document: dict[str, Any]) -> str:
    """Return the JSON text of a cassette document."""
    # vcrpy's own layout, so that a diff after stock vcrpy saved it is small.
    prepared = for_json(document)
    return json.dumps(prepared, ensure_ascii=False, indent=4, sort_keys=True) + "\n"


def for_json(value: Any) -> Any:
    """Return a document with what JSON has no form for replaced.

    Stock vcrpy stores no bytes in JSON at all; the reader knows `base64_string`.
    """
    if isinstance(value, dict):
        body = value.get("string")
        if isinstance(body, bytes | bytearray):
            value = {**value, "base64_string": base64.b64encode(body).decode()}
            del value["string"]
        return {key: for_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [for_json(item) for item in value]
    if isinstance(value, io.BytesIO):
        value = value.getvalue()
    if isinstance(value, bytes | bytearray):
        return {"base64_string": base64.b64encode(value).decode()}
    return str(value) if isinstance(value, datetime.date) else value
