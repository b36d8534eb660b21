"""Every field of a generateContent event that the reader carries or knows."""

from __future__ import annotations

from harness.apis.accounting import parse_fields
from harness.apis.tables import tables_of

FIELDS = parse_fields(
    tables_of("gemini")["fields"], answer=("candidates[].content", "candidates.")
)
"""The table, by path."""
