"""Every field of a chat chunk, or of a whole completion, that is carried or known."""

from __future__ import annotations

from harness.apis.accounting import parse_fields
from harness.apis.tables import tables_of

_TABLE = tables_of("chat")["fields"]
_WHOLE = [
    line.replace("[].delta", "[].message", 1)
    for line in _TABLE.splitlines()
    if line.startswith("choices[].delta")
]
_ANSWERS = (
    "candidates",
    "content",
    "delta",
    "function_call",
    "output_text",
    "reasoning",
    "refusal",
    "text",
    "thinking",
    "tool_calls",
)
FIELDS = parse_fields(
    _TABLE + "\n".join(_WHOLE),
    answer=(
        "choices[].delta",
        "choices[].message",
        "choices.",
        "choices[][]",
        # Where gateways put the answer, or a chunk, beside where it belongs.
        *(f"choices[].{field}" for field in _ANSWERS),
        *_ANSWERS,
        *(f"{field}.choices" for field in ("chunk", "data", "result")),
    ),
)
"""The table, by path."""
