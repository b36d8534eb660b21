"""Ways for a Messages stream to go wrong (`harness.apis.faults`)."""

from __future__ import annotations

from harness.apis.anthropic.breaking import CHANGES
from harness.apis.anthropic.message import ERROR_TYPES
from harness.apis.faults import read_faults
from harness.apis.tables import tables_of

_ERRORS = (
    "\n".join(
        f"{kind.replace('_', '-')} | an error event of the type {kind} after K events, "
        "then the end | reported error-event | default 3 | ends early"
        for kind in ERROR_TYPES
    )
    + "\n"
)
_BODIES = {
    "overloaded-before": {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_0",
    }
}

FAULTS = read_faults(
    "anthropic",
    _ERRORS + tables_of("anthropic")["faults"],
    lambda name: {"change": CHANGES[name], "body": _BODIES.get(name)},
)
"""Every fault, in the order of a help text."""
