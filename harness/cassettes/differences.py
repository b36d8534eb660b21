"""How two requests differ, field by field.

Owns the comparison of JSON values by path: "no differences" is what the `json_body`
matcher means, and the differences are what an unanswered request is explained with,
so that matching and explaining cannot disagree. Pure functions over values.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from harness.core.text import first_difference
from harness.errors import shorten
from harness.redaction.replacements import is_same_text

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()
"""Stands for a field that one side does not have."""

_SHOWN = 60  # characters of a long text around the first difference
_BEFORE = 20  # of which before it


class Difference(NamedTuple):
    """One field in which a request differs from a recorded one."""

    field: str
    """Such as ``method`` or ``messages[2].content``."""
    recorded: Any
    """The recorded value, or `ABSENT`."""
    sent: Any
    """The value that was sent, or `ABSENT`."""

    def __str__(self) -> str:
        """Return one line: the field and both values, cut around the difference."""
        recorded, sent = self.recorded, self.sent
        if isinstance(recorded, str) and isinstance(sent, str):
            recorded, sent = _around(recorded, sent)
        else:
            recorded, sent = _value(recorded), _value(sent)
        return f"{self.field}: recorded {recorded}, sent {sent}"


def around(text: str, place: int, width: int, mark: str = "…") -> str:
    """Return what stands around a place of a text, all of it where that is near."""
    start = 0 if place <= 2 * width else place - width
    begin, end = mark * bool(start), mark * (len(text) > place + width)
    return f"{begin}{text[start : place + width]}{end}"


def _around(recorded: str, sent: str) -> tuple[str, str]:
    """Cut two long texts so that their first difference is in what is left."""
    if max(len(recorded), len(sent)) <= _SHOWN:
        return repr(recorded), repr(sent)
    start = max(0, first_difference(recorded, sent) - _BEFORE)
    place = f" from character {start}" if start else ""
    return tuple(  # type: ignore[return-value]  # two in, two out
        f"{text[start : start + _SHOWN]!r}{place} (of {len(text)})"
        for text in (recorded, sent)
    )


def _value(value: Any) -> str:
    if value is ABSENT or isinstance(value, str | bytes):
        return shorten(value, limit=_SHOWN)
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} long)"


def json_differences(recorded: Any, sent: Any, path: str = "") -> Iterator[Difference]:
    """Compare two parsed JSON values.

    Objects are compared without order, arrays by position. Numbers are equal by
    value (``1`` and ``1.0``), but no number equals a boolean.

    Args:
        recorded: The recorded value.
        sent: The value to compare with it.
        path: What stands before each field's name.

    Yields:
        The differences, in the order of the sent value; nothing if they are equal.

    Raises:
        RecursionError: The values are nested too deeply.
    """
    if isinstance(recorded, dict) and isinstance(sent, dict):
        for key in [*sent, *(key for key in recorded if key not in sent)]:
            yield from json_differences(
                recorded.get(key, ABSENT), sent.get(key, ABSENT), _below(path, key)
            )
    elif isinstance(recorded, list) and isinstance(sent, list):
        for index in range(max(len(recorded), len(sent))):
            yield from json_differences(
                recorded[index] if index < len(recorded) else ABSENT,
                sent[index] if index < len(sent) else ABSENT,
                f"{path}[{index}]",
            )
    elif not _is_same(recorded, sent):
        yield Difference(path or "body", recorded, sent)


def _is_same(recorded: Any, sent: Any) -> bool:
    if isinstance(recorded, bool) or isinstance(sent, bool):
        return recorded is sent
    if recorded != recorded and sent != sent:  # noqa: PLR0124 - NaN is no other NaN
        return True
    if isinstance(recorded, str) and isinstance(sent, str):
        return is_same_text(recorded, sent)
    return bool(recorded == sent)


_SIMPLE_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")


def _below(path: str, key: str) -> str:
    if not _SIMPLE_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def body_differences(
    recorded: bytes | None,
    sent: bytes | None,
    *,
    recorded_type: str = "",
    sent_type: str = "",
) -> list[Difference]:
    """Compare two request bodies as JSON, or as bytes where one is no JSON.

    Args:
        recorded: The recorded body; None is the same as empty.
        sent: The body to compare with it.
        recorded_type: Its content-type header. The boundary of a multipart body,
            which is drawn anew for each request, does not count.
        sent_type: The same of the sent body.

    Returns:
        The differences; empty if the bodies are the same.
    """
    one, other = _unbounded(recorded, recorded_type), _unbounded(sent, sent_type)
    if one == other:
        return []
    try:
        return list(json_differences(json.loads(one), json.loads(other)))
    except (ValueError, RecursionError):
        if is_same_text(one.decode("latin-1"), other.decode("latin-1")):
            return []
        return [Difference("body", _shown(one), _shown(other))]


_BOUNDARY = re.compile(r"multipart/[^;]+;.*?boundary=\"?([^\";,\s]+)", re.IGNORECASE)


def _unbounded(body: bytes | None, content_type: str) -> bytes:
    match = _BOUNDARY.match(content_type)
    return (body or b"").replace(match[1].encode(), b"") if match else body or b""


def _shown(body: bytes) -> Any:
    try:
        return body.decode() if body else ABSENT
    except UnicodeDecodeError:
        return body
