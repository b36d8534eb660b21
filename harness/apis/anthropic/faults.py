"""Ways for a Messages stream to go wrong (`harness.apis.faults`)."""

from __future__ import annotations

from harness.apis.anthropic.breaking import CHANGES
from harness.apis.faults import read_faults

_BODIES = {
    "overloaded-before": {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "req_0",
    }
}

FAULTS = read_faults(
    "anthropic", lambda name: {"change": CHANGES[name], "body": _BODIES.get(name)}
)
"""Every fault, in the order of a help text."""
