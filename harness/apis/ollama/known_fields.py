"""Every field of an Ollama event that a part carries or that is known."""

from __future__ import annotations

from harness.apis.accounting import parse_fields
from harness.apis.tables import tables_of

FIELDS = parse_fields(
    tables_of("ollama")["fields"], answer=("message", "response", "thinking")
)
"""The table, by path."""
