"""What the recorded requests tell: conversations, and the results of tools.

The cassette is the whole truth: a tool is never run again. Its result is what the
next recorded request carries in the turns that it adds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.store.cassette import Exchange

__all__ = ["ToolResult", "added_turns", "continues", "messages_of", "results_for"]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The recorded result of one tool call."""

    text: str
    """Verbatim; the parts of a list joined."""

    @property
    def is_error(self) -> bool:
        """Whether it is a JSON object with `status: "Failed"` or a non-null `error`."""
        if not self.text.lstrip().startswith("{"):
            return False
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            return False
        return isinstance(value, dict) and (
            value.get("status") == "Failed" or value.get("error") is not None
        )


def messages_of(exchange: Exchange) -> list[dict[str, Any]] | None:
    """Return the `messages` that a request carried, or None if it carried none."""
    body = exchange.request.json()
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list):
        return None
    return [message for message in messages if isinstance(message, dict)]


def continues(
    earlier: list[dict[str, Any]] | None, later: list[dict[str, Any]] | None
) -> bool:
    """Tell whether a request goes on where an earlier one stopped.

    Args:
        earlier: The messages of the earlier request; None if unknown.
        later: The messages of the later one; None if unknown.

    Returns:
        Whether `later` begins with all of `earlier` and adds to them. Two unknown
        requests do not continue each other.
    """
    if earlier is None or later is None or len(later) <= len(earlier):
        return False
    return later[: len(earlier)] == earlier


def added_turns(exchange: Exchange, later: Sequence[Exchange]) -> list[dict[str, Any]]:
    """Return the messages that the next request adds to those of an exchange.

    Args:
        exchange: The exchange whose response asked for tools.
        later: The exchanges after it, in order, failed ones included: a request
            carries its results whether or not it was answered.

    Returns:
        The added messages; empty if no later request continues this one.
    """
    earlier = messages_of(exchange)
    for candidate in later:
        messages = messages_of(candidate)
        if messages is None:
            continue
        if earlier is not None and continues(earlier, messages):
            return messages[len(earlier) :]
        return []
    return []


def results_for(
    call_ids: Sequence[str], turns: Sequence[dict[str, Any]]
) -> list[ToolResult | None]:
    """Find the recorded result of each call of a response.

    Args:
        call_ids: The calls' ids as sent, in order; empty where none came.
        turns: The messages that the next request adds.

    Returns:
        One entry a call: its result, by id where the id names exactly one call and
        one result, else by position among the results; None if not recorded.
    """
    tools = [turn for turn in turns if turn.get("role") in {"tool", "function"}]
    ids = [turn.get("tool_call_id") for turn in tools]
    found: list[ToolResult | None] = [None] * len(call_ids)
    free = list(range(len(tools)))
    for position, call_id in enumerate(call_ids):
        if call_id and call_ids.count(call_id) == 1 and ids.count(call_id) == 1:
            index = ids.index(call_id)
            found[position] = ToolResult(_text_of(tools[index].get("content")))
            free.remove(index)
    for position, result in enumerate(found):
        if result is None and free:
            # By position among what is left; a lone leftover is still the next one.
            found[position] = ToolResult(_text_of(tools[free.pop(0)].get("content")))
    return found


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [
            part.get("text") if isinstance(part, dict) else part for part in content
        ]
        return "".join(part for part in parts if isinstance(part, str))
    return "" if content is None else json.dumps(content, ensure_ascii=False)
