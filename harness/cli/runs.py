"""`harness replay` on a terminal: the default view, and what to look at next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from harness.cli.console import FINDING, write
from harness.engine.default_view import view_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.engine.transcript import Diagnostic, Transcript

_STYLES: dict[str, dict[str, Any]] = {"heading": {"bold": True}, "finding": FINDING}


def show_runs(
    transcript: Transcript,
    *,
    variation: str,
    shows_reasoning: bool,
    explain: Callable[[Diagnostic], list[str]],
    known: set[str],
    is_quiet: bool,
) -> None:
    """Print the default view of a replay.

    Args:
        transcript: Its result; nothing is printed of an empty one.
        variation: How the streams were written, cut and broken.
        shows_reasoning: Whether reasoning was passed on as content.
        explain: Returns lines about a diagnostic.
        known: Diagnostics that were shown before; those of this one are added.
        is_quiet: Whether to leave the diagnostics out.
    """
    if is_quiet:
        transcript.diagnostics = []
    if not (transcript.responses or transcript.emissions or transcript.diagnostics):
        return
    for text, style in view_lines(
        transcript,
        variation=variation,
        shows_reasoning=shows_reasoning,
        explain=explain,
        known=known,
    ):
        write(text, **_STYLES.get(style, {}))
    known.update(map(str, transcript.diagnostics))


def next_steps(path: str, interface: str, found: list[Diagnostic]) -> list[str]:
    """Return what to look at next: the place of the first diagnostic, or the page."""
    name = shlex.quote(path) + (f" {interface}" if ":" in interface else "")
    places = (one.excerpt if one.chunk is None else one for one in found)
    place = next((p.chunk for p in places if p and p.chunk is not None), None)
    if place is not None:
        first = f"next  harness replay {name} --around {place}   what happened there"
    else:
        first = f"next  harness replay {name} --rows chunk   every emission"
    return [
        first,
        f"      harness replay {name} --step   chunk by chunk",
        f"      harness report {name}   as a page",
    ]
