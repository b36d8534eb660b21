"""Options of a recording session that the caller may get wrong: read and checked."""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.errors import UsageError, did_you_mean, shorten
from harness.record.body_streams import Pace
from harness.record.traffic import TRAFFIC_OPTIONS
from harness.redaction.redact import Redaction

_PACE = frozenset(field.name for field in dataclasses.fields(Pace))
_OTHERS = frozenset(
    {"record", "match_on", "ignore_json", "redaction", "before_record_request"}
    | {"allow_playback_repeats", "force", "warn"}
)


def pace_of(given: dict[str, Any], hook: object) -> Pace:
    """Return the pace that is asked for.

    Args:
        given: The options that are none of the session's own.
        hook: `before_record_request`.

    Raises:
        UsageError: One of them is no option at all, or cannot be what it is to be.
    """
    for name in given.keys() - _PACE:
        known = sorted(_OTHERS | TRAFFIC_OPTIONS | _PACE)
        hint = did_you_mean(name, known)
        if name.startswith("filter_") or name == "before_record_response":  # vcrpy's
            hint = "give it a `redaction`, which decides what is written;"
        raise UsageError(
            f"use_cassette has no option {name!r}; {hint and f'{hint} '}it has "
            f"{', '.join(known)}"
        )
    if hook is not None and not callable(hook):
        raise UsageError(
            f"before_record_request: expected a function, got {shorten(hook)}"
        )
    return Pace(**given)


def redaction_of(given: object) -> Redaction:
    """Return what is to be replaced: the default rules for None.

    Raises:
        UsageError: It is no `Redaction`.
    """
    if given is None:
        return Redaction()
    if not isinstance(given, Redaction):
        raise UsageError(
            "redaction: expected a harness.redaction.redact.Redaction, got "
            f"{shorten(given)}"
        )
    return given
