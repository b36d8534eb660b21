"""Values of parsed JSON, read without trust in their types."""

from __future__ import annotations

import json
from typing import Any

from harness.core.json_strings import join_surrogates

_MOST_SECONDS = 1e15  # also not true of NaN


def text_of(value: object) -> str:
    """Return a value that is text; empty if it is anything else."""
    return value if isinstance(value, str) else ""


def dict_of(value: object) -> dict[str, Any]:
    """Return a value that is an object; an empty one if it is anything else."""
    return value if isinstance(value, dict) else {}


def dicts_of(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; none if it is anything else."""
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def beside_text(parts: object) -> tuple[str, ...]:
    """Return the kind of each part of a list that has no text: `image`, `fileData`."""
    return tuple(
        text_of(part.get("type")) or next(iter(part), "empty part")
        if isinstance(part, dict)
        else type(part).__name__
        for part in (parts if isinstance(parts, list) else ())
        if not isinstance(part, str | None)
        and not (isinstance(part, dict) and isinstance(part.get("text"), str))
    )


def time_of(value: object) -> float:
    """Return Unix seconds; 0 for what is no number, and for what no calendar holds."""
    if isinstance(value, int | float) and abs(value) < _MOST_SECONDS:
        return value
    return 0


def parsed(text: str | bytes, otherwise: Any = None, *, strict: bool = False) -> Any:
    """Return the value of a JSON text; something else where it is none.

    Args:
        text: The text.
        otherwise: What is returned for a text that is no JSON or nests too deeply.
        strict: Whether control characters in strings, which models send, are refused.
    """
    try:
        # To name `strict` makes a decoder for each text.
        return json.loads(text) if strict else json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return otherwise


def as_json(value: object, otherwise: str = "") -> str:
    """Return a value as JSON text; something else where it has none."""
    try:
        return json.dumps(value, ensure_ascii=False)
    # ValueError: an int of thousands of digits.
    except (RecursionError, ValueError, TypeError):
        return otherwise


def with_details(message: str, error: dict[str, Any]) -> str:
    """Return an error's message and, as JSON, what else the error holds.

    Such as the upstream's own text in OpenRouter's `metadata.raw`, what the model wrote
    in Groq's `failed_generation`, and Google's `details`.
    """
    rest = {k: v for k, v in error.items() if v and k not in _IN_MESSAGE}
    return f"{message} {as_json(rest)}".rstrip() if rest else message


_IN_MESSAGE = frozenset({"message", "code", "type", "param", "status", "object"})


def canonical(text: str) -> str:
    """Return the JSON text of arguments, written one way; other text as it is.

    1 and 1.0 are one number: libraries without integers write it so.
    """
    try:
        return _SORTING.encode(_NUMBERS_ALIKE.decode(text))
    except (ValueError, RecursionError):
        return text


def _number(text: str) -> float:
    number = float(text)
    is_exact = number.is_integer() and abs(number) < 1 << 53
    return int(number) if is_exact else number


# `json.loads` and `json.dumps` make one for each text, which takes longer than most.
_LENIENT = json.JSONDecoder(strict=False)
_NUMBERS_ALIKE = json.JSONDecoder(strict=False, parse_float=_number)
_SORTING = json.JSONEncoder(sort_keys=True)


def is_json(text: str) -> bool:
    """Return whether a text is one complete JSON value."""
    try:
        _LENIENT.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_object(text: str | bytes) -> bool:
    """Return whether a text is one complete JSON object, so that no more can come."""
    return isinstance(parsed(text, strict=True), dict)


def joined(text: str) -> str:
    """Return text in which halves of surrogate pairs that met are one character.

    Who cuts between UTF-16 units sends them in two events, and whole at the end.
    """
    return join_surrogates(text, "surrogatepass")


def same(one: str, other: str) -> bool:
    """Return whether two JSON texts are the same value."""
    try:
        return bool(one == other or json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False
