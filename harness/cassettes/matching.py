"""What it means that a sent request is a recorded one, field by field.

Owns the `json_body` matcher and the fields that an unanswered request is explained
with. It works on vcrpy's requests by their attributes (method, uri, path, headers,
body, ...), without importing vcrpy: see `harness.cassettes.vcr_bridge`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassettes.differences import ABSENT, Difference, body_differences

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["field_differences", "json_body"]


def json_body(sent: Any, recorded: Any) -> None:
    """Match requests whose bodies are the same JSON, or the same bytes.

    Args:
        sent: A vcrpy request.
        recorded: The vcrpy request to compare it with.

    Raises:
        AssertionError: They differ; vcrpy takes the message as the reason.
    """
    differences = _body_differences(recorded, sent)
    if differences:
        raise AssertionError("; ".join(map(str, differences[:3])))


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
    recorded: Any, sent: Any, failed: Iterable[str]
) -> list[Difference]:
    """Return the fields behind failed matchers.

    Args:
        recorded: A recorded vcrpy request.
        sent: The one that was sent.
        failed: Names of matchers; those that belong to no field are left out.
    """
    found: list[Difference] = []
    for name in failed:
        if name in _BODY_MATCHERS:
            found += _body_differences(recorded, sent)
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
