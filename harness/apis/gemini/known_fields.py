"""Every field of a generateContent event that the reader carries or knows."""

from __future__ import annotations

from harness.apis.accounting import parse_fields
from harness.apis.tables import tables_of

_ANSWERS = ("functionCall", "parts", "text", "thought")
FIELDS = parse_fields(
    tables_of("gemini")["fields"],
    answer=(
        "candidates[].content",
        "candidates.",
        # Where gateways put the answer, or an event, beside where it belongs.
        *(f"{at}{f}" for at in ("candidates[].", "") for f in _ANSWERS),
        *(f"{field}.candidates" for field in ("chunk", "data", "result")),
        *("choices", "content_block"),
    ),
)
"""The table, by path."""
