"""Ways for a generateContent stream to go wrong, done to written events or bytes.

Each is a value that names what shows it: a rule that it breaks, a diagnostic that a
reader reports, or a finish reason (`harness.apis.faults`).
"""

from __future__ import annotations

from harness.apis.faults import read_faults
from harness.apis.gemini.breaking import BYTE_CHANGES, CHANGES

FAULTS = read_faults(
    "gemini", lambda name: {"change": CHANGES.get(name), "data": BYTE_CHANGES.get(name)}
)
"""The faults by name."""
