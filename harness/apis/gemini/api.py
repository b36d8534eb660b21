"""Gemini's generateContent as one of the APIs (`harness.apis.base.Api`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.gemini import reader, request, rules
from harness.apis.gemini.dialects import DIALECTS, Dialect
from harness.apis.gemini.faults import FAULTS, Fault
from harness.apis.gemini.values import in_camel_case
from harness.apis.gemini.writer import CANNOT, Writer, body

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from harness.apis.base import (
        Conversation,
        Event,
        Payload,
        Violation,
        WritingApi,
        WrittenEvent,
    )
    from harness.core.parts import Part

__all__ = ["API"]

_STANDARD = next(iter(DIALECTS))
_OTHERS = frozenset(
    {"choices", "object", "type", "event_type", "message", "done", "serverContent"}
)
# Chat's and Responses' objects, Anthropic's events, Interactions, Ollama, Live.


class _Gemini:
    """See `harness.apis.base.Api`."""

    name = "gemini"
    title = "Gemini generateContent"
    rules = tuple(rules.RULES.values())

    def is_event(self, name: str, payload: Payload) -> bool:  # noqa: ARG002
        """Return whether an event can only be this API's; an error cannot.

        Args:
            name: Ignored: the API sends none, proxies may.
            payload: The object.
        """
        if not _OTHERS.isdisjoint(payload):
            return False
        inner = payload.get("response")
        if isinstance(inner, dict) and "candidates" not in payload:
            payload = inner  # as Code Assist wraps it
        payload = in_camel_case(payload)
        return (
            _are_candidates(payload.get("candidates"))
            or _is_feedback(payload.get("promptFeedback"))
            or _is_usage(payload.get("usageMetadata"))
            or ("modelVersion" in payload and "responseId" in payload)
        )

    def is_answer(self, document: Any) -> bool:
        """Return whether a JSON document is a whole answer, or an error, of this API.

        A list is an answer where its items are: a stream without `alt=sse`, or an
        error as Google's servers wrap it.
        """
        if isinstance(document, list):
            return bool(document) and all(self.is_answer(item) for item in document)
        if not isinstance(document, dict):
            return False
        return self.is_event("", document) or _is_error(document.get("error"))

    def is_request(self, uri: str, body: Payload) -> bool:
        """Return whether a request is meant for this API."""
        return request.is_request(uri, body)

    def reader(self) -> reader.Reader:
        """Return a reader for one response."""
        return reader.Reader()

    def whole(self, document: Payload) -> list[Part]:
        """Read an answer that was not streamed, all candidates of it."""
        return reader.whole(document)

    def request(self, uri: str, body: Payload) -> Conversation:
        """Read a request body."""
        return request.request(uri, body)

    def check(self, events: Iterable[Event]) -> Iterator[Violation]:
        """Hold a stream against the rules; lazily, one pass."""
        return rules.check(events)

    content_type = "text/event-stream"
    dialects: Mapping[str, Dialect] = DIALECTS
    faults: Mapping[str, Fault] = FAULTS
    not_carried: Mapping[str, str] = CANNOT

    def writer(self, dialect: str) -> Writer:
        """Return a writer for one response."""
        return DIALECTS[dialect or _STANDARD].writer()

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
        number: int | None,
    ) -> Iterator[bytes]:
        """Yield the bytes of events."""
        frames = DIALECTS[dialect or _STANDARD].framing.encode(events)
        return FAULTS[fault].apply_bytes(frames, number) if fault else frames

    def body(self, parts: list[Part]) -> Payload:
        """Write a whole answer."""
        return body(parts)


API: WritingApi = _Gemini()
"""The API."""


def _are_candidates(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(entry, dict)
        and ("finishReason" in entry or isinstance(entry.get("content"), dict))
        for entry in in_camel_case(value)
    )


def _is_feedback(value: object) -> bool:
    return isinstance(value, dict) and not value.keys().isdisjoint(
        {"blockReason", "block_reason", "safetyRatings", "safety_ratings"}
    )


def _is_usage(value: object) -> bool:
    return isinstance(value, dict) and any(
        key.endswith(("TokenCount", "_token_count")) or key == "trafficType"
        for key in value
    )


def _is_error(error: object) -> bool:
    """Return whether it is an error of Google's servers (google.rpc.Status)."""
    return (
        isinstance(error, dict)
        and type(error.get("code")) is int
        and isinstance(error.get("message"), str)
        and isinstance(error.get("status"), str)
    )
