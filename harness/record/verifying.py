"""Requests that are no longer sent as they were recorded; the server is not asked.

Owns which recording stands for a request that has changed: the nearest one that has
not been played and has the same method and path. The test goes on with its answer, so
that everything that has changed is found in one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange
    from harness.record.session import RecordingSession

__all__ = ["StaleRequest", "stale_answer", "unsent"]


class StaleRequest(NamedTuple):
    """A recorded request that the code no longer sends."""

    exchange: int
    """Its number in the cassette."""
    request: str
    """Its method and path."""
    fields: tuple[str, ...]
    """The fields that differ; empty if nothing like it was sent at all."""
    differences: tuple[str, ...]
    """The same, with both values, a line each."""


def stale_answer(session: RecordingSession, prepared: Any) -> Exchange | None:
    """Return the recording that stands for a changed request; None if there is none.

    Args:
        session: The cassette; what differs is added to its `stale`.
        prepared: The request, as vcrpy sees it.
    """
    for found in session.cassette.candidates(prepared):
        failed = {name for name, _ in found.failed}
        if found.play_count or failed & {"method", "path", "host", "scheme", "port"}:
            continue
        session.cassette.play_at(found.exchange.index)
        told = tuple(map(str, found.differences))
        told = told or tuple(f"{name}: {text}" for name, text in found.failed)
        fields = tuple(one.field for one in found.differences) or tuple(failed)
        session.stale.append(
            StaleRequest(found.exchange.index, _named(found.exchange), fields, told)
        )
        return found.exchange
    return None


def unsent(session: RecordingSession) -> list[StaleRequest]:
    """Return the recorded requests that nothing like was sent for."""
    return [
        StaleRequest(exchange.index, _named(exchange), (), ())
        for exchange in session.unplayed
    ]


def _named(exchange: Exchange) -> str:
    return f"{exchange.request.method} {exchange.request.uri.partition('?')[0]}"
