"""Cassettes of go-vcr, versions 1 to 4.

Source: go-vcr, cassette/cassette.go. Bodies are text, a request has `url`, a response
has `code` beside a `status` line, and since version 3 a `duration` as Go writes it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.cassettes.importers.base import (
    DocumentImporter,
    Restated,
    exchanges_from,
    first_interaction,
    mapping,
    not_read,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_MICRO = "[\u00b5\u03bc]"  # the micro sign and the Greek letter, which Go reads both
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)")


def _sniff(document: Any) -> bool:
    first = first_interaction(document)
    request = mapping(first.get("request"))
    return "url" in request and "uri" not in request and "response" in first


def _read(document: Any, path: str) -> list[Exchange]:
    return exchanges_from([_restated(one) for one in document["interactions"]], path)


def _restated(item: Any) -> Restated:
    request = mapping(mapping(item).get("request"))
    response = mapping(mapping(item).get("response"))
    status = response.get("status")
    form = mapping(request.get("form"))
    body = request.get("body") or None
    return Restated(
        request.get("method") or "GET",  # as Go's client sends an empty one
        request.get("url"),
        request.get("headers"),
        body,
        response.get("code"),
        re.sub(r"^\d{3} ?", "", status) if isinstance(status, str) else "",
        response.get("headers"),
        response.get("body") or "",
        _seconds(response.get("duration")),
        notes=[not_read("the form of the request")] if form and body is None else [],
    )


def _seconds(duration: Any) -> float | None:
    """Read a time such as `1m2.5s`; a number is nanoseconds, as in Go."""
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        return duration / 1e9 if duration else None
    if not isinstance(duration, str):
        return None
    parts = _DURATION.findall(re.sub(_MICRO, "u", duration))
    return sum(float(number) * _UNITS[unit] for number, unit in parts) or None


IMPORTER = DocumentImporter("a cassette of go-vcr", _sniff, _read)
"""The importer."""
