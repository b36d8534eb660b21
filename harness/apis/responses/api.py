"""The OpenAI Responses API as `harness.apis.base.Api` asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.apis.responses.answer import whole
from harness.apis.responses.dialects import DIALECTS, STANDARD_DIALECT
from harness.apis.responses.faults import FAULTS
from harness.apis.responses.reader import Reader
from harness.apis.responses.request import is_request, request
from harness.apis.responses.rules import RULES, check
from harness.apis.responses.writer import NOT_CARRIED, body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.apis.base import (
        Conversation,
        Event,
        Payload,
        Rule,
        Violation,
        Writer,
        WritingApi,
        WrittenEvent,
    )
    from harness.apis.responses.dialects import Dialect
    from harness.apis.responses.faults import Fault
    from harness.core.parts import Part

__all__ = ["API"]


class ResponsesApi:
    """OpenAI Responses, streamed or whole."""

    name: str = "responses"
    title: str = "OpenAI Responses"
    rules: tuple[Rule, ...] = RULES

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

    def is_request(self, uri: str, body: Payload) -> bool:
        """Return whether a request is meant for this API."""
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

    content_type: str = "text/event-stream; charset=utf-8"
    dialects: Mapping[str, Dialect] = DIALECTS
    faults: Mapping[str, Fault] = FAULTS
    not_carried: Mapping[str, str] = NOT_CARRIED

    def writer(self, dialect: str) -> Writer:
        """Return a writer for one response."""
        return DIALECTS[dialect or STANDARD_DIALECT.name].writer()

    def changed(
        self,
        events: Iterator[WrittenEvent],
        dialect: str,  # noqa: ARG002 - its writer has done it all
        fault: str,
        number: int | None,
    ) -> Iterator[WrittenEvent]:
        """Break written events."""
        return FAULTS[fault].apply(events, number) if fault else events

    def encode(
        self,
        events: Iterable[WrittenEvent],
        dialect: str,
        fault: str,
        number: int | None,  # noqa: ARG002 - faults are of events
    ) -> Iterator[bytes]:
        """Yield the bytes of events."""
        chosen = DIALECTS[dialect or STANDARD_DIALECT.name]
        if fault and FAULTS[fault].ends_early:
            chosen = replace(chosen, has_done=False)
        return chosen.encode(events)

    def body(self, parts: list[Part]) -> Payload:
        """Write a whole answer."""
        return body(parts)


API: WritingApi = ResponsesApi()
"""The one instance."""
