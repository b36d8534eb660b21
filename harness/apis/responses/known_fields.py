"""Every field of a Responses stream that the reader carries or knows."""

from __future__ import annotations

from harness.apis.accounting import parse_fields, parse_sections
from harness.apis.tables import tables_of

_TABLES = tables_of("responses")
_ANY_EVENT = _TABLES["any event"]
_ANSWER = (
    *("delta", "text", "refusal", "arguments", "input"),
    # Where gateways put it: under chat's names, or as another API's event.
    *("function", "parameters", "choices", "candidates", "content_block"),
)
# Where the answer stands in an event or a part: unread text there is lost.

ANY_EVENT = parse_fields(_ANY_EVENT)
"""What is known of an event of any type."""
UNKNOWN_EVENT = parse_fields(
    "\n".join(line for line in _ANY_EVENT.splitlines() if line.split()[:1] != ["type"]),
    _ANSWER,
)
"""What is known of an event of a type that no table has: not even the type."""
EVENTS = parse_sections(_TABLES["events"], _ANY_EVENT, _ANSWER)
RESPONSE = parse_fields(_TABLES["response"])
ITEMS = parse_sections(_TABLES["items"], _TABLES["any item"], _ANSWER)
PARTS = parse_sections(_TABLES["parts"], answer=("",))
KEPT_EVENTS = frozenset(_TABLES["kept events"].split())
"""What server tools stream of items that come whole when they are done, and how far
they are: each event is an `Item` that is not done."""
