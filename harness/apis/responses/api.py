"""The OpenAI Responses API as `harness.apis.base.Api` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import WritingApi
from harness.apis.responses.answer import whole
from harness.apis.responses.breaking import FAULTS
from harness.apis.responses.checking import Checker
from harness.apis.responses.dialects import DIALECTS
from harness.apis.responses.reader import Reader
from harness.apis.responses.request import is_request, request
from harness.apis.responses.writer import body

if TYPE_CHECKING:
    from harness.apis.base import Payload


class ResponsesApi(WritingApi):
    """OpenAI Responses, streamed or whole."""

    name: str = "responses"
    title: str = "OpenAI Responses"
    has_event_names = True

    def is_event(self, _name: str, payload: Payload) -> bool:
        """Return whether an event can only be this API's; `type` decides.

        An `error` is this API's in the flat form, or with a number: Anthropic's has
        neither.
        """
        kind = payload.get("type")
        if type(kind) is not str:
            return False
        if kind.startswith("response."):
            # OpenAI's Realtime API has events of the same names on its WebSocket.
            return "event_id" not in payload or "sequence_number" in payload
        if kind == "error":
            return "sequence_number" in payload or (
                "message" in payload and ("code" in payload or "param" in payload)
            )
        return kind == "keepalive" and "sequence_number" in payload

    def is_answer(self, document: Any) -> bool:
        """Return whether a JSON document is a whole answer of this API.

        A bare `{"error": ...}` is not taken: the chat API sends the same.
        """
        return (
            type(document) is dict
            and document.get("object") == "response"
            and (type(document.get("output")) is list or "error" in document)
        )

    is_request = staticmethod(is_request)
    reader = Reader
    whole = staticmethod(whole)
    request = staticmethod(request)
    checker = Checker
    body = staticmethod(body)

    dialects = DIALECTS
    faults = FAULTS


API = ResponsesApi()
"""The one instance."""
