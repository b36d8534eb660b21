"""Anthropic Messages as one of harness's APIs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.apis.anthropic import request, whole, writer
from harness.apis.anthropic.breaking import FAULTS
from harness.apis.anthropic.dialects import DIALECTS
from harness.apis.anthropic.reader import Reader
from harness.apis.anthropic.rules import Checker
from harness.apis.base import WritingApi
from harness.apis.json_values import dicts_of

if TYPE_CHECKING:
    from harness.apis.base import Payload


_PATH = re.compile(
    r"/messages/?$"  # not .../messages/count_tokens, which answers with a number
    r"|:(stream)?RawPredict$"  # Vertex AI
    r"|/model/[^/]+/invoke(-with-response-stream)?$",  # Bedrock
    re.IGNORECASE,
)
_BEARING: dict[str, tuple[str, type]] = {  # what its events hold, which are no stops
    "message_start": ("message", dict),
    "message_delta": ("delta", dict),
    "content_block_start": ("content_block", object),
    "content_block_delta": ("delta", object),
}
_OWN_BLOCKS = ("tool_use", "tool_result", "thinking", "redacted_thinking")


class _Anthropic(WritingApi):
    """See `harness.apis.base.Api`."""

    name = "anthropic"
    title = "Anthropic Messages"
    has_event_names = True

    def is_event(self, name: str, payload: Payload) -> bool:
        """Return whether an event can only be this API's; pings and errors cannot."""
        sent = payload.get("type")
        kind = sent if type(sent) is str else name
        if kind in _BEARING:
            field, may_be = _BEARING[kind]
            return field in payload and isinstance(payload[field], may_be)
        return kind in {"content_block_stop", "message_stop"}

    def is_answer(self, document: Any) -> bool:
        """Return whether a document is a message, or an error of this API's shape."""
        if type(document) is not dict:
            return False
        if document.get("type") == "error":
            error = document.get("error")
            return type(error) is dict and type(error.get("message")) is str
        return (
            document.get("type") == "message"
            and document.get("role") == "assistant"
            and type(document.get("content")) is list
            and "stop_reason" in document
        )

    def is_request(self, uri: str, body: Payload) -> bool:
        """Return whether a request is meant for this API.

        By what its body has that chat's has not, or the other way round; by the path
        where it could be either's.
        """
        path = uri.partition("?")[0].partition("#")[0]
        messages = body.get("messages")
        if type(messages) is not list:  # recordings that leave the body out
            return not body and path.endswith("/v1/messages")
        dicts = dicts_of(messages)
        if any(
            "tool_calls" in m or m.get("role") in ("developer", "tool", "function")
            for m in dicts
        ) or any("function" in tool for tool in dicts_of(body.get("tools"))):
            return False
        if _PATH.search(path):
            return True
        return "/chat/completions" not in path and (
            "anthropic_version" in body
            or any("input_schema" in tool for tool in dicts_of(body.get("tools")))
            or any(
                block.get("type") in _OWN_BLOCKS
                for message in dicts
                for block in dicts_of(message.get("content"))
            )
        )

    reader = Reader
    whole = staticmethod(whole.whole)
    request = staticmethod(request.request)
    checker = Checker
    body = staticmethod(writer.body)

    dialects = DIALECTS
    faults = FAULTS


API = _Anthropic()
"""The API."""
