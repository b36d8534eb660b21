"""Why no recording answers a request, in one line that tells what to do.

Owns the wording and the choice of the nearest recording; what differs is found by
the matchers themselves (`harness.cassettes.matching`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import CassetteMismatchError
from harness.redaction.config import redacted_url

if TYPE_CHECKING:
    from harness.cassettes.vcr_bridge import Candidate
    from harness.record.session import RecordingSession

__all__ = ["explain"]

_SHOWN_DIFFERENCES = 5  # more do not help to see what happened; the rest is counted


def explain(session: RecordingSession, prepared: Any) -> CassetteMismatchError:
    """Return the error for a request that nothing recorded answers.

    Args:
        session: The cassette that was asked.
        prepared: The request, as vcrpy sees it.

    Returns:
        The error: it names the cassette, the mode and the request; says whether the
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
    return CassetteMismatchError(
        session.path,
        f"{request} was never recorded, and {mode}; nearest is exchange "
        f"{nearest.exchange.index}{_played(nearest)}: {_listed(nearest)}; "
        "make the same request, or record this one (record='new_episodes')",
        reason="never recorded",
        exchange=nearest.exchange.index,
        differences=tuple(redacted_url(str(item)) for item in nearest.differences),
    )


def _already_played(
    session: RecordingSession, request: str, matching: list[Candidate]
) -> CassetteMismatchError:
    numbers = ", ".join(str(number) for number in sorted(_indexes(matching)))
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


def _indexes(candidates: list[Candidate]) -> list[int]:
    return [candidate.exchange.index for candidate in candidates]


def _played(candidate: Candidate) -> str:
    return " (already played)" if candidate.play_count else ""


def _listed(candidate: Candidate) -> str:
    shown = [
        redacted_url(str(item)) for item in candidate.differences[:_SHOWN_DIFFERENCES]
    ]
    rest = len(candidate.differences) - len(shown)
    if rest:
        shown.append(f"and {rest} more")
    if not shown:
        shown = [f"{name}: {said or 'differs'}" for name, said in candidate.failed]
    return "; ".join(shown)
