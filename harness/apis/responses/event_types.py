"""The types of a Responses stream's events, by what they are about."""

from __future__ import annotations

from harness.apis.responses.known_fields import EVENTS, KEPT_EVENTS
from harness.apis.responses.state import TEXT_KINDS, TextKind

ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
"""The events that end a response, and the status that each states."""

REASONS = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    **dict.fromkeys(("max_messages", "steered"), ""),
}
"""`incomplete_details.reason` in chat's words; empty where chat has none."""

DELTAS: dict[str, TextKind] = {
    "response.output_text.delta": TEXT_KINDS["output_text"],
    "response.refusal.delta": TEXT_KINDS["refusal"],
    "response.reasoning_summary_text.delta": TEXT_KINDS["summary_text"],
    "response.reasoning_summary.delta": TEXT_KINDS["summary_text"],
    "response.reasoning_text.delta": TEXT_KINDS["reasoning_text"],
    "response.reasoning.delta": TEXT_KINDS["reasoning_text"],
}
DONES = {kind.replace(".delta", ".done"): text for kind, text in DELTAS.items()}


CALL_EVENTS = {
    "response.function_call_arguments.delta": "function_call",
    "response.function_call_arguments.done": "function_call",
    "response.custom_tool_call_input.delta": "custom_tool_call",
    "response.custom_tool_call_input.done": "custom_tool_call",
}
PART_EVENTS = {
    f"{part}.{when}": index
    for part, index in (
        ("response.content_part", "content_index"),
        ("response.reasoning_summary_part", "summary_index"),
        ("response.reasoning_part", "content_index"),
    )
    for when in ("added", "done")
}
"""Events of a content or summary part, and which field holds its place."""
GATEWAY_EVENTS = {
    "ping",
    "response.cancelled",
    "response.keep_alive",
    "response.reasoning.delta",
    "response.reasoning.done",
    "response.reasoning_part.added",
    "response.reasoning_part.done",
    "response.reasoning_summary.delta",
    "response.reasoning_summary.done",
}
"""Events that are read but that neither OpenAI nor its reference has.

`keepalive` is in no reference, but OpenAI sends it (openai-node#1964, openai-java#767).
"""
STANDARD = (EVENTS.keys() | KEPT_EVENTS) - GATEWAY_EVENTS
NO_ITEM_ID = {f"response.shell_call_command.{w}" for w in ("added", "delta", "done")}
ITEM_EVENTS = {"response.output_item.added", "response.output_item.done"}
WHOLE_EVENTS = {"response.created", "response.queued", "response.in_progress", *ENDS}
NO_ITEM = {
    *WHOLE_EVENTS,
    *ITEM_EVENTS,
    "error",
    "keepalive",
    "ping",
    "response.keep_alive",
    *(f"response.audio.{w}" for w in ("delta", "done")),
    *(f"response.audio.transcript.{w}" for w in ("delta", "done")),
    *(f"response.steer.{w}" for w in ("accepted", "pending", "failed")),
    *(f"response.inject.{w}" for w in ("created", "failed")),
}
