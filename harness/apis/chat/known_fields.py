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
FIELDS = parse_fields(
    _TABLE + "\n".join(_WHOLE),
    answer=("choices[].delta", "choices[].message", "choices.", "choices[][]"),
)
"""The table, by path."""
