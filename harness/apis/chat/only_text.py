"""The one text of a delta, for the short way of reading (`harness.apis.lane`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.chat.texts import REASONING_FIELDS
from harness.core.parts import CallPart, Reasoning, Refusal, Text

if TYPE_CHECKING:
    from harness.core.parts import Part


def only_text(part: Part, delta: dict[str, Any]) -> str:
    """Return the key whose text alone made a part; empty where there is none.

    Args:
        part: What a delta was read as.
        delta: The delta; all that is not this text is as in the chunks after it.
    """
    if type(part) is CallPart:
        entries = delta.get("tool_calls")
        entry = entries[0] if type(entries) is list and len(entries) == 1 else None
        # An index alone names the call; a repeated id might name another one day.
        if type(entry) is dict and entry.keys() == {"index", "function"}:
            is_bare = entry["function"] == {"arguments": part.arguments}
            return "arguments" if is_bare and part.arguments else ""
    elif type(part) is Text:
        return "content" if delta.get("content") == part.text else ""
    elif type(part) is Refusal:
        return "refusal" if delta.get("refusal") == part.text else ""
    elif type(part) is Reasoning:
        thinking = [{"type": "text", "text": part.text}]
        if delta.get("content") == [{"type": "thinking", "thinking": thinking}]:
            return "text"  # Mistral's
        fields = [field for field in REASONING_FIELDS if field in delta]
        if len(fields) == 1 and delta[fields[0]] == part.text:
            return fields[0]
    return ""
