"""A request that no recording answers: why, and which one stands for it in `verify`.

Owns the wording and the choice of the nearest recording; what differs is found by
the matchers themselves (`harness.cassettes.matching`). In `verify` the nearest one of
the same method and path answers, and the test goes on, so that everything that is no
longer sent as recorded is found in one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import CassetteMismatchError
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from harness.cassettes.matching import Candidate
    from harness.cassettes.model import Exchange
    from harness.record.session import RecordingSession


_SHOWN_DIFFERENCES = 5  # more do not help to see what happened; the rest is counted


def explain(session: RecordingSession, prepared: Any) -> CassetteMismatchError:
    """Return the error for a request that nothing recorded answers.

    Args:
        session: The cassette that was asked.
        prepared: The request, as vcrpy sees it.

    Returns:
        The error: it names the cassette, the mode and the request; adds whether the
        request was recorded but already played, or never recorded; and lists the
        fields in which it differs from the nearest recording.
    """
    candidates = session.cassette.candidates(prepared)
    request = f"{prepared.method} {prepared.path or '/'}"
    matching = [candidate for candidate in candidates if not candidate.failed]
    if matching:
        return _already_played(session, request, matching)
    mode = f"record mode {session.mode.value!r} sends nothing"
    nearest = candidates[0]
    played = " (already played)" if nearest.play_count else ""
    return CassetteMismatchError(
        session.path,
        f"{request} was never recorded, and {mode}; nearest is exchange "
        f"{nearest.exchange.index}{played}: {_listed(nearest)}; "
        "make the same request, or record this one (record='new_episodes')",
        reason="never recorded",
        exchange=nearest.exchange.index,
        differences=tuple(redacted_url(str(item)) for item in nearest.differences),
    )


def _already_played(
    session: RecordingSession, request: str, matching: list[Candidate]
) -> CassetteMismatchError:
    numbers = ", ".join(map(str, sorted(one.exchange.index for one in matching)))
    exchanges = f"exchange {numbers}" if len(matching) == 1 else f"exchanges {numbers}"
    have = "has" if len(matching) == 1 else "have"
    return CassetteMismatchError(
        session.path,
        f"{request} is recorded as {exchanges}, which {have} already been played; "
        f"record mode {session.mode.value!r} sends nothing: find out why the request "
        "is made once more, or record it (record='new_episodes'), or set "
        "allow_playback_repeats=True",
        reason="already played",
        exchange=matching[0].exchange.index,
    )


def _listed(candidate: Candidate) -> str:
    shown = [
        redacted_url(str(item)) for item in candidate.differences[:_SHOWN_DIFFERENCES]
    ]
    rest = len(candidate.differences) - len(shown)
    if rest:
        shown.append(f"and {rest} more")
    if not shown:
        shown = [f"{name}: {reason or 'differs'}" for name, reason in candidate.failed]
    return "; ".join(shown)


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
        differences = tuple(map(str, found.differences))
        differences = differences or tuple(
            f"{name}: {text}" for name, text in found.failed
        )
        fields = tuple(one.field for one in found.differences) or tuple(failed)
        session.stale.append(
            StaleRequest(
                found.exchange.index, _named(found.exchange), fields, differences
            )
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
