"""What of a chunk stands beside its choices."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.apis.counts import usage_of
from harness.core.parts import Head

if TYPE_CHECKING:
    from harness.apis.chat.chunks import Payload
    from harness.core.parts import Usage

__all__ = ["error_text", "head_of", "usage_in"]


def error_text(payload: Payload) -> str:
    """Return the text of an error object, as JSON where it has none."""
    for field in ("message", "detail", "error"):
        text = payload.get(field)
        if text and isinstance(text, str):
            return text
    try:
        return json.dumps(payload, ensure_ascii=False)
    except RecursionError:
        return "an error object that is nested too deeply"


def usage_in(usage: dict[str, Any]) -> Usage:
    """Return the token counts of a chunk."""
    return usage_of(
        usage,
        "prompt_tokens",
        "completion_tokens",
        "prompt_tokens_details.cached_tokens",
        "completion_tokens_details.reasoning_tokens",
    )


def head_of(response_id: object, model: object, created: object) -> Head | None:
    """Return id, model and time of a chunk; None where it has none of them."""
    is_time = isinstance(created, int | float) and abs(created) < 1e15
    head = Head(
        response_id if isinstance(response_id, str) else "",
        model if isinstance(model, str) else "",
        created if is_time and isinstance(created, int | float) else 0,
    )
    return head if head != Head() else None
