"""What it means that a sent request is a recorded one, field by field.

Owns which matchers are asked for, the `json_body` matcher and the fields that an
unanswered request is explained with. It works on vcrpy's requests by their attributes
(method, uri, path, headers, body, ...), without importing vcrpy: see
`harness.cassettes.vcr_bridge`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.cassettes.differences import ABSENT, Difference, body_differences
from harness.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.cassettes.model import Exchange


DEFAULT_MATCH_ON: tuple[str, ...] = ("method", "path", "json_body")
"""So that the turns of a conversation, which differ only in the body, never swap."""


VCRPY_MATCH_ON: tuple[str, ...] = ("method", "scheme", "host", "port", "path", "query")
"""What vcrpy matches on unless asked otherwise; ``match_on="vcrpy"``."""


def matchers(match_on: Any, ignore_json: Iterable[str] = ()) -> tuple[Any, ...]:
    """Return the matchers that were asked for.

    Args:
        match_on: Names, functions, or ``vcrpy`` for those that vcrpy uses by itself;
            None for our own.
        ignore_json: JSON paths of fields that `json_body` does not compare.

    Raises:
        UsageError: There is none, or one of the paths is none.
    """
    if match_on is None:
        match_on = DEFAULT_MATCH_ON
    named = (match_on,) if isinstance(match_on, str) else tuple(match_on)
    if not named:
        raise UsageError("match_on: expected at least one matcher, got none")
    if named == ("vcrpy",):
        named = VCRPY_MATCH_ON
    paths = (ignore_json,) if isinstance(ignore_json, str) else tuple(ignore_json or ())
    if not paths:
        return named
    try:
        compare = json_body_without(paths)
    except ValueError as error:
        raise UsageError(f"ignore_json: {error}") from None
    return tuple(compare if name == "json_body" else name for name in named)


def json_body_without(paths: Iterable[str]) -> Callable[[Any, Any], None]:
    """Return `json_body`, but of bodies without some of their fields.

    It takes two vcrpy requests and raises `AssertionError` where they differ, whose
    message vcrpy takes as the reason.

    Args:
        paths: JSON paths: ``$.user``, ``$.metadata``, ``$.messages[*].id``.

    Raises:
        ValueError: One of them is none.
    """
    without = [_steps(path) for path in paths]

    def json_body(sent: Any, recorded: Any) -> None:
        differences = _counting(_body_differences(recorded, sent), without)
        if differences:
            raise AssertionError("; ".join(map(str, differences[:3])))

    json_body.without = without  # type: ignore[attr-defined]  # for explaining
    return json_body


json_body = json_body_without(())
"""Matches requests whose bodies are the same JSON, or the same bytes."""


def _counting(
    differences: list[Difference], without: Iterable[list[str]]
) -> list[Difference]:
    return [
        found
        for found in differences
        if not any(_is_below(found.field, steps) for steps in without)
    ]


_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+|\*)\]|\[(?:'([^']*)'|("[^"]*"))\]""")


def _steps(path: str) -> list[str]:
    """Take a JSON path apart: a field's name as it is, an index in brackets."""
    if not str(path).startswith("$") or path == "$":
        raise ValueError(_NO_PATH.format(path))
    steps, place = [], 1
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None:
            raise ValueError(_NO_PATH.format(path))
        name, index, single, double = found.groups()
        quoted = json.loads(double) if double else single
        steps.append(f"[{index}]" if index else name or quoted)
        place = found.end()
    return steps


_NO_PATH = "expected a JSON path such as '$.user' or '$.messages[*].id', got {!r}"


def _is_below(field: str, steps: list[str]) -> bool:
    """Return whether the field of a difference is one of a path, or inside of it."""
    found = [
        f"[{index}]" if index else name or json.loads(double)
        for name, index, _, double in _STEP.findall(
            field if field.startswith("[") else f".{field}"
        )
    ]
    if len(found) < len(steps):
        return False
    return all(
        step in {got, "[*]" if got.startswith("[") else got}
        for step, got in zip(steps, found, strict=False)
    )


def _bytes(body: Any) -> bytes:
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


def _body_differences(recorded: Any, sent: Any) -> list[Difference]:
    return body_differences(
        _bytes(recorded.body),
        _bytes(sent.body),
        recorded_type=str(recorded.headers.get("content-type", "")),
        sent_type=str(sent.headers.get("content-type", "")),
    )


_BODY_MATCHERS = frozenset({"json_body", "body", "raw_body"})


def field_differences(
    recorded: Any, sent: Any, failed: Iterable[str], without: Iterable[list[str]] = ()
) -> list[Difference]:
    """Return the fields behind failed matchers.

    Args:
        recorded: A recorded vcrpy request.
        sent: The one that was sent.
        failed: Names of matchers; those that belong to no field are left out.
        without: Fields of a body that do not count, as `json_body_without` has them.
    """
    found: list[Difference] = []
    for name in failed:
        if name in _BODY_MATCHERS:
            found += _counting(_body_differences(recorded, sent), without)
        elif name == "headers":
            found += _header_differences(recorded, sent)
        elif hasattr(recorded, name):
            found.append(Difference(name, getattr(recorded, name), getattr(sent, name)))
    return found


def _header_differences(recorded: Any, sent: Any) -> list[Difference]:
    names = sorted({name.lower() for name in [*recorded.headers, *sent.headers]})
    return [
        Difference(
            f"header {name}",
            recorded.headers.get(name, ABSENT),
            sent.headers.get(name, ABSENT),
        )
        for name in names
        if recorded.headers.get(name) != sent.headers.get(name)
    ]


class Candidate(NamedTuple):
    """A recorded exchange as an answer to a request."""

    exchange: Exchange
    failed: list[tuple[str, str]]
    """Matchers that did not pass, each with its message; empty: it matches."""
    differences: list[Difference]
    """The fields behind those matchers."""
    play_count: int
    """How often it has been played."""
