"""The OpenAI Responses API as `harness.apis.base.Api` asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.responses.answer import whole
from harness.apis.responses.reader import Reader
from harness.apis.responses.request import is_request, request
from harness.apis.responses.rules import RULES, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import Api, Conversation, Event, Payload, Rule, Violation
    from harness.core.parts import Part

__all__ = ["API"]


class ResponsesApi:
    """OpenAI Responses, streamed or whole."""

    name: str = "responses"
    title: str = "OpenAI Responses"
    rules: tuple[Rule, ...] = RULES

    def is_event(self, _name: str, payload: Payload) -> bool:
        """Tell whether an event can only be this API's; `type` decides.

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
        """Tell whether a JSON document is a whole answer of this API.

        A bare `{"error": ...}` is not taken: the chat API sends the same.
        """
        return (
            type(document) is dict
            and document.get("object") == "response"
            and (type(document.get("output")) is list or "error" in document)
        )

    def is_request(self, uri: str, body: Payload) -> bool:
        """Tell whether a request is meant for this API."""
        return is_request(uri, body)

    def reader(self) -> Reader:
        """Return a reader for one response."""
        return Reader()

    def whole(self, document: Payload) -> list[Part]:
        """Read an answer that was not streamed, or an error body."""
        return whole(document)

    def request(self, uri: str, body: Payload) -> Conversation:
        """Read a request body."""
        return request(uri, body)

    def check(self, events: Iterable[Event]) -> Iterator[Violation]:
        """Hold a stream against the rules; lazily, one pass."""
        return check(events)


API: Api = ResponsesApi()
"""The one instance."""
