"""Where secrets stand in a text: what detectors return.

Owns the spans, the kinds that have no format of their own, and joining spans that
overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


FIELD = "credential by field name"
"""The kind of a value in a JSON field."""
PARAMETER = "credential by parameter name"
"""The kind of a value in a URL or a form."""
LINE = "credential by name"
"""The kind of a value in a line such as `NAME=value`."""
COMMAND = "credentials of a command"
"""The kind of what follows `curl -u`."""
URL_USER = "credentials in a URL"
"""The kind of what stands before the host of a URL."""


class Span(NamedTuple):
    """Where a secret stands in a text."""

    start: int
    """Offset of its first byte."""
    end: int
    """Offset after its last."""
    kind: str
    """What it is, as a phrase."""


def merge(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, overlapping ones joined under the first one's kind."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Span(last.start, max(last.end, span.end), last.kind)
        else:
            merged.append(span)
    return merged
