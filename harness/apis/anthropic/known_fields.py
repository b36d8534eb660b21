"""Every field of the Messages API that the reader carries or knows, a table a type."""

from __future__ import annotations

from harness.apis.accounting import parse_fields, parse_sections
from harness.apis.tables import tables_of

_TABLES = tables_of("anthropic")
_ALL_EVENTS = _TABLES["all events"]
_ANSWER = ("delta", "content_block", "message.content")
# Where text of the answer stands.

EVENTS = parse_sections(_TABLES["events"], _ALL_EVENTS, _ANSWER)
"""By type of event; `content_block_delta` is distinguished by its delta."""
DELTAS = parse_sections(_TABLES["deltas"], _ALL_EVENTS, _ANSWER)
"""Of `content_block_delta`, by type of delta."""
UNKNOWN_EVENT = parse_fields(
    _ALL_EVENTS, (*_ANSWER, "text", "completion", "choices", "candidates")
)
"""Of an event or delta that no table is for."""
UNKNOWN_DELTA = parse_fields(_ALL_EVENTS, ("",))
"""Of a delta that no table is for: text in it belongs to the answer."""
BLOCKS = parse_sections(
    _TABLES["blocks"], "content_block.type  str  type of the block\n", _ANSWER
)
"""By type of block, for an object that has it under `content_block`."""
UNKNOWN_BLOCK = parse_fields("content_block  any  a block that is kept whole")
"""Of a block of another type."""
NO_BLOCK = parse_fields("", _ANSWER)
"""Of a block that names no type: kept whole, and what it holds is reported."""
WHOLE = parse_fields(_TABLES["whole answers"])
"""Of an answer that was not streamed."""
