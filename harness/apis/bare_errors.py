"""Errors of servers and gateways that no API sends, as one that every API reads."""

from __future__ import annotations

from typing import Any

_ERROR_FIELDS = ("error_msg", "error_message", "errors", "fault", "Message")
"""Fields that only errors have: the last two are Apigee's and Amazon's."""
_OF_ANSWERS = frozenset({
    "candidates", "choices", "content_block", "delta", "done", "error", "item",
    "response", "usageMetadata",
})  # fmt: skip
_BARE_ERROR = frozenset({"detail", "message", "code", "status", "status_code"})


def with_error(payload: dict[str, Any], name: str, api: str) -> dict[str, Any]:
    """Return an error of FastAPI's or a gateway's in the form that every API reads.

    Args:
        payload: The object of an event.
        name: Its `event:` field.
        api: Whose stream it is in.
    """
    if not payload.keys().isdisjoint(_OF_ANSWERS):
        return payload
    if api != "chat" and name != "message_start":  # whose data may lack their type
        message = payload.get("detail") or payload.get("message")
        if message and payload.keys() <= _BARE_ERROR:
            return {"error": {"message": message}}
    kinds = {str(payload.get("object"))}
    if api not in {"anthropic", "responses"}:  # which have an event of this type
        kinds.add(str(payload.get("type")))
    if api in {"gemini", "ollama"}:  # the others read the name
        kinds.add(name)
    is_error = (
        "error" in kinds
        or payload.get("success") is False
        or (payload.get("code") and isinstance(payload.get("msg"), str))
        or any(map(payload.get, _ERROR_FIELDS))
    )
    return {"error": payload} if is_error else payload
