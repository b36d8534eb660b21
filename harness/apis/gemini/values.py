"""Spellings of Google's JSON: names of fields, times, errors."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from harness.apis.json_values import as_json, with_details

_UNDERSCORE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_DEEPEST = 20  # no field of the API lies as deep; the user's own objects may
_USERS_OWN = frozenset({"args", "response", "partMetadata", "part_metadata"})


def in_camel_case(value: Any) -> Any:
    """Return a JSON value with its names as the API documents them.

    Args:
        value: As sent; some proxies and clients write `finish_reason`.

    Returns:
        A copy with `finishReason`; arguments and results of functions are kept.
    """
    return _renamed(value, _UNDERSCORE, lambda found: found[1].upper(), _DEEPEST)


def in_snake_case(value: Any) -> Any:
    """Return a JSON value with the names of Google's own languages; see above."""
    return _renamed(value, _CAPITAL, lambda found: "_" + found[1].lower(), _DEEPEST)


def _renamed(value: Any, pattern: re.Pattern[str], new: Any, depth: int) -> Any:
    if depth and isinstance(value, list):
        return [_renamed(item, pattern, new, depth - 1) for item in value]
    if not depth or not isinstance(value, dict):
        return value
    renamed: dict[str, Any] = {}
    for key, inner in value.items():
        name = pattern.sub(new, key) if isinstance(key, str) else key  # a YAML key
        if name != key and name in value:
            name = key  # it stands in both spellings: none may be lost
        renamed[name] = (
            inner if key in _USERS_OWN else _renamed(inner, pattern, new, depth - 1)
        )
    return renamed


def unix_seconds(time: object) -> float:
    """Return an RFC 3339 time as Unix seconds; 0 where it is none."""
    if not isinstance(time, str):
        return 0
    try:
        parsed = datetime.fromisoformat(time)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0


def rfc3339(seconds: float) -> str:
    """Return Unix seconds as RFC 3339 with microseconds; empty where it has none."""
    try:
        time = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return time.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def error_message(error: object) -> str:
    """Return the message of an `error` field, of whatever shape."""
    if isinstance(error, str):
        return error
    if isinstance(error, dict):
        message = error.get("message")
        if message and isinstance(message, str):
            return with_details(message, error)
    return as_json(error) or "an error that is nested too deeply"
