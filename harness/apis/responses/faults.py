"""Ways for a Responses stream to go wrong, as changes of its written events.

Sequence numbers are left as they are where the network is at fault, and counted on
where the server is (`harness.apis.faults`).
"""

from __future__ import annotations

from harness.apis.faults import read_faults
from harness.apis.responses.breaking import CHANGES

FAULTS = read_faults(
    "responses",
    lambda name: {"change": CHANGES[name]},
)
"""All faults by name."""
