"""Errors in a stream, in every shape in which servers send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.responses.state import as_json

if TYPE_CHECKING:
    from harness.apis.base import Payload


def error_of(kind: object, name: str, payload: Payload) -> object:
    """Return the error that an event of no known response type is; None if it is none.

    Args:
        kind: Its `type`.
        name: Its `event:` field.
        payload: Its object.

    Returns:
        The error object or text. Documented is the flat form (`message` beside
        `type`); what OpenAI sends is nested (`error: {...}`); gateways send
        `{"error": "text"}`, `{"object": "error", ...}`, `{"detail": ...}` (FastAPI) and
        `event: error` with anything in it.

    Source: OpenAI SDK 3.57.0 (`ResponseErrorEvent`, `_streaming.py`); recordings;
        openai-python#3538, zendev-sh/goai#88.
    """
    nested = payload.get("error")
    if nested:
        return nested
    if not kind and payload.get("detail"):
        return payload["detail"]
    if "error" in [kind, name, payload.get("object")]:
        return {k: v for k, v in payload.items() if k not in _FRAME and v is not None}
    return None


_FRAME = {"type", "object", "sequence_number", "stream_id", "error"}


def error_text(error: object) -> str:
    """Return an error in one line: code, message, and whatever else it holds."""
    if type(error) is not dict:
        return error if type(error) is str else as_json(error)
    rest: dict[str, Any] = {k: v for k, v in error.items() if v not in (None, "")}
    texts = []
    for field in ("code", "type", "message"):
        value = rest.get(field)
        if type(value) is str and value not in texts:
            texts.append(value)
        elif type(value) is not str:
            continue
        del rest[field]
    if rest:
        texts.append(as_json(rest))
    return ": ".join(texts) or "an error without any text"
