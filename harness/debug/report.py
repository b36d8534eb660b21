"""One page that shows recordings as pictures: self-contained, no network.

The page is `report.html` beside this file with its style, its script and the data put
in; everything that is drawn is drawn there. Cost is linear in the streams.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import statistics
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.varied import Variation
from harness.core.package_files import package_file
from harness.debug.difference import compare
from harness.debug.report_data import entry_data, gaps, traced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.cassettes.model import Cassette
    from harness.debug.sides import Side
    from harness.debug.trace import Trace
    from harness.errors import HarnessError

_BARS = 40


class Drawn(NamedTuple):
    """What the page needs to know of one recording; it can be pickled."""

    entries: list[dict[str, Any]]
    """One an exchange: plain data."""
    lengths: list[float]
    """Of fragments."""
    waits: list[float]
    """Between chunks."""
    failures: list[HarnessError]
    """What a user's interface raised."""


def drawn(
    cassette: Cassette,
    *,
    interfaces: Sequence[object] = ("streaming", "queuing"),
    variation: Variation | None = None,
    reasoning: bool = False,
) -> Drawn:
    """Read a recording for `page_of`.

    Args:
        cassette: The recording; every exchange of it is on the page.
        interfaces: What is fed, side by side.
        variation: How every stream is written, cut and broken.
        reasoning: Pass reasoning fields on as content.
    """
    found = Drawn([], [], [], [])
    for exchange in cassette.exchanges:
        summary, made = traced(
            cassette,
            exchange.index,
            interfaces=interfaces,
            variation=variation or Variation(),
            reasoning=reasoning,
        )
        found.entries.append(entry_data(cassette, summary, made, interfaces=interfaces))
        if made is not None:
            found.lengths.extend(_fragment_lengths(made))
            found.waits.extend(gaps(made))
            found.failures.extend(each.error for each in made.failures.values())
    return found


def report_page(
    recordings: Iterable[Drawn], *, sides: tuple[Side, Side] | None = None
) -> str:
    """Draw recordings.

    Args:
        recordings: As `drawn` returns them.
        sides: Two replays that are compared above everything else.

    Returns:
        HTML that loads nothing from anywhere, and by its content-security policy
        could not: a browser runs its own script and nothing else.
    """
    entries: list[dict[str, Any]] = []
    lengths: list[float] = []
    waits: list[float] = []
    for one in recordings:
        entries += one.entries
        lengths += one.lengths
        waits += one.waits
    streams = [one for one in entries if one["kind"] == "stream"]
    plots = {
        "fragment lengths": _bars(lengths),
        "gaps, seconds": _bars(waits),
        "chunks a stream": _bars([len(one["moments"]) for one in streams]),
        "bytes a stream": _bars([one["bytes"] for one in streams]),
        "chunks a second": _bars([one["rate"] for one in streams if one["rate"]]),
    }
    found = None if sides is None else compare(*sides).to_dict()
    data = json.dumps(
        {"streams": entries, "plots": plots, "diff": found}, separators=(",", ":")
    )
    page, style, base, line = (
        package_file("harness.debug", name)
        for name in ("report.html", "report.css", "report.js", "report_time.js")
    )
    # In the middle: what follows draws with it as soon as it is loaded.
    script = base.replace("/* TIME LINE */", line, 1)
    page = page.replace("STYLE", style, 1).replace("SCRIPT", script, 1)
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


def _fragment_lengths(made: Trace) -> list[float]:
    return [len(text) for moment in made.moments for _, text in moment.pieces]


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
