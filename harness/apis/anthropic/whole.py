"""Messages that came whole, and what a stream's events share with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.accounting import UnreadFields
from harness.apis.anthropic.blocks import whole_block
from harness.apis.anthropic.known_fields import WHOLE
from harness.apis.counts import count_in
from harness.apis.json_values import as_json, text_of, with_details
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import CallPart, Finish, Head, Item, Problem, Text, Usage

if TYPE_CHECKING:
    from harness.apis.base import Payload
    from harness.core.parts import Part

MEANINGS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
"""Stop reasons in chat's words; `pause_turn` and `compaction` have no counterpart."""

CARRIED_WHOLE = (
    "stop_details",
    "container",
    "context_management",
    "input_transformations",
    "diagnostics",
)
"""Fields of a message beside its content that become an `Item` of the same name."""


def whole(document: Payload) -> list[Part]:
    """Read an answer that was not streamed, or an error.

    Args:
        document: The JSON object; any shape.

    Returns:
        Its parts, in the order in which a stream has them; a `Problem` for an error
        and for each field that is not known.
    """
    if document.get("type") == "error" or (
        document.get("error") and not document.get("content")
    ):
        return [Problem(DiagnosticKind.ERROR_EVENT, error_text(document))]
    unread = UnreadFields(WHOLE)
    unread.feed(0, document)
    return [
        *head_of(document),
        *content_of(document.get("content"), 0, unread, 0),
        *items_of(document),
        *usage_of(document, {}),
        *finish_of(document.get("stop_reason")),
        *unread.problems(),
    ]


def head_of(message: dict[str, Any]) -> list[Part]:
    """Return id and model of a message, if it has any."""
    head = Head(text_of(message.get("id")), text_of(message.get("model")))
    return [head] if head.id or head.model else []


def content_of(
    content: object, calls: int, unread: UnreadFields, event: int
) -> list[Part]:
    """Read the content of a message.

    Args:
        content: A list of blocks, or a text; any shape.
        calls: How many calls came before.
        unread: Where the blocks' fields are accounted for.
        event: Number of the event that has it.

    Returns:
        The parts.
    """
    if type(content) is str:
        return [Text(content)] if content else []
    parts: list[Part] = []
    if content:
        for block in content if type(content) is list else [content]:
            found = whole_block(block, calls, unread, event)
            calls += sum(type(part) is CallPart and part.is_new for part in found)
            parts += found
    return parts


def items_of(holder: dict[str, Any]) -> list[Part]:
    """Return what is carried whole beside the content; what is null is announced."""
    return [
        Item(key, holder[key], is_done=bool(holder[key]))
        for key in CARRIED_WHOLE
        if key in holder
    ]


def usage_of(holder: dict[str, Any], cached: dict[str, int]) -> list[Part]:
    """Return the token counts of a message or of a `message_delta`, if it has any.

    Args:
        holder: The object that has them; any shape.
        cached: The cache counters so far, which `input_tokens` does not include; those
            that came are updated.
    """
    usage = holder.get("usage")
    if not usage or type(usage) is not dict:
        return []
    for key in _CACHE:
        if type(usage.get(key)) is int:
            cached[key] = usage[key]
    asked, answered = usage.get("input_tokens"), usage.get("output_tokens")
    return [
        Usage(
            usage,
            asked + sum(cached.values()) if type(asked) is int else None,
            answered if type(answered) is int else None,
            count_in(usage, "cache_read_input_tokens"),
            count_in(usage, "output_tokens_details", "thinking_tokens"),
        )
    ]


_CACHE = ("cache_creation_input_tokens", "cache_read_input_tokens")


def finish_of(reason: object) -> list[Part]:
    """Return the finish that a `stop_reason` is; empty for null."""
    text = text_of(reason)
    return [Finish(text, MEANINGS.get(text, ""))] if text else []


def missing_finish(*, is_empty: bool) -> Problem:
    """Return what is reported where no `stop_reason` came, or an empty text for one."""
    if is_empty:
        text = "stop_reason is empty text; expected end_turn or another"
        return Problem(DiagnosticKind.EMPTY_FINISH, text)
    return Problem(
        DiagnosticKind.MISSING_FINISH,
        "the stream ended without a stop_reason; expected a message_delta with one, so "
        "the answer may be cut",
    )


def error_text(payload: Payload) -> str:
    """Return an error as `type: message`, or as JSON where it has no message.

    Args:
        payload: The object of an error event or of a whole error, whose `error` is
            an object, a text, or missing; any shape.
    """
    error = payload.get("error")
    if type(error) is str and error:
        return error
    holder = error if type(error) is dict and error else payload
    message, kind = text_of(holder.get("message")), text_of(holder.get("type"))
    if not message:
        return as_json(payload) or "an error object that is nested too deeply"
    if holder is error:
        message = with_details(message, holder)
    return f"{kind}: {message}" if kind and kind != "error" else message
