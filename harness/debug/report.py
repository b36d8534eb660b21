"""One page that shows recordings as pictures: self-contained, no network.

The page is `report.html` beside this file with the data put in as JSON; everything
that is drawn is drawn there. Cost is linear in the streams.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import statistics
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harness.apis.chat.deltas import DeltaReader
from harness.core.parts import Finish
from harness.debug.explain import explain
from harness.debug.trace import streams_of, trace
from harness.engine.transcript import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.cassettes.model import Cassette
    from harness.debug.trace import Trace
    from harness.engine.transcript import Emission

__all__ = ["report_page", "stream_data"]

_BARS = 40


def report_page(
    cassettes: Iterable[Cassette],
    *,
    interfaces: Sequence[object] = ("streaming", "queuing"),
    reasoning: bool = False,
) -> str:
    """Draw recordings.

    Args:
        cassettes: The recordings; exchanges that are no streams are left out.
        interfaces: What is told, side by side.
        reasoning: Pass reasoning fields on as content.

    Returns:
        HTML that loads nothing from anywhere, and by its content-security policy
        could not: a browser runs its own script and nothing else.
    """
    streams: list[dict[str, Any]] = []
    lengths: list[float] = []
    gaps: list[float] = []
    for cassette in cassettes:
        for number in streams_of(cassette):
            made = trace(cassette, number, interfaces=interfaces, reasoning=reasoning)
            streams.append(stream_data(made, cassette))
            lengths += _fragment_lengths(made)
            gaps += _gaps(made)
    plots = {
        "fragment lengths": _bars(lengths),
        "gaps, seconds": _bars(gaps),
        "chunks a stream": _bars([len(one["moments"]) for one in streams]),
        "bytes a stream": _bars([one["bytes"] for one in streams]),
        "chunks a second": _bars([one["rate"] for one in streams if one["rate"]]),
    }
    data = json.dumps({"streams": streams, "plots": plots}, separators=(",", ":"))
    page = files("harness.debug").joinpath("report.html").read_text("utf-8")
    page = page.replace("POLICY", _policy(page), 1)
    # In a script element only `<` could end it; in JSON's strings it may be escaped.
    return page.replace("DATA", data.replace("<", "\\u003c"), 1)


def _policy(page: str) -> str:
    """Return the content-security policy of the page: its own style and script only."""
    allowed = ["default-src 'none'", "base-uri 'none'", "form-action 'none'"]
    for tag in ("style", "script"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        allowed.append(f"{tag}-src 'sha256-{digest}'")
    return "; ".join(allowed)


def stream_data(made: Trace, cassette: Cassette) -> dict[str, Any]:
    """Return what the page needs to know of one stream.

    Args:
        made: The trace.
        cassette: What was traced.

    Returns:
        Plain data; the page's script is its only reader.
    """
    times = [m.arrival.at for m in made.moments if m.arrival.at is not None]
    gaps = _gaps(made)
    first = next((m for m in made.moments if m.said), None)
    seconds = times[-1] if times else None
    return {
        "name": f"{made.cassette} exchange {made.exchange}",
        "exchange": made.exchange,
        "bytes": sum(
            len(m.arrival.raw.encode("utf-8", "replace")) for m in made.moments
        ),
        "seconds": seconds,
        "first": None if first is None else first.arrival.at,
        "rate": len(times) / seconds if seconds else None,
        "gap": max(gaps) if gaps else None,
        "interfaces": made.interfaces,
        "moments": [
            {
                "chunk": m.arrival.chunk,
                "at": m.arrival.at,
                "piece": m.arrival.piece,
                "byte": m.arrival.byte_offset,
                "raw": m.arrival.raw,
                "said": m.said,
                "out": [_lines(m.emissions.get(name, [])) for name in made.interfaces],
                "found": [str(found) for found in m.diagnostics],
            }
            for m in made.moments
        ],
        "after": [_lines(made.after.get(name, [])) for name in made.interfaces],
        "found": [
            {
                "text": "\n".join([str(found), *explain(found, cassette)]),
                "chunk": (
                    found.chunk
                    if found.chunk is not None or found.excerpt is None
                    else found.excerpt.chunk
                ),
            }
            for found in made.diagnostics
        ],
    }


def _lines(emissions: list[Emission]) -> list[str]:
    return ["  ".join(describe(emission.message)) for emission in emissions]


def _gaps(made: Trace) -> list[float]:
    times = [m.arrival.at for m in made.moments if m.arrival.at is not None]
    return [b - a for a, b in pairwise(times)]


def _fragment_lengths(made: Trace) -> list[float]:
    reader = DeltaReader()
    found: list[float] = []
    for moment in made.moments:
        for part in reader.read(moment.arrival.payload or {}):
            if not isinstance(part, Finish):
                text = getattr(part, "text", "") or getattr(part, "arguments", "")
                found.append(len(text))
    return found


def _bars(values: Sequence[float]) -> list[tuple[str, int]]:
    """Return a histogram up to the 99th percentile; what is above is the last bar."""
    if not values:
        return []
    top = statistics.quantiles(values, n=100)[98] if len(values) > 100 else max(values)
    width, digits = max(top / _BARS, 1e-9), 3
    if all(isinstance(value, int) for value in values):
        width = max(1, math.ceil(width))
        digits = 12
    counts = [0] * (_BARS + 1)
    for value in values:
        counts[min(_BARS, int(value / width))] += 1
    while counts and not counts[-1]:
        counts.pop()
    return [
        (f"{number * width:.{digits}g}", count) for number, count in enumerate(counts)
    ]
