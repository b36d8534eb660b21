"""Ollama's own API as one of the APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import Api
from harness.apis.ollama.reader import OllamaReader
from harness.apis.ollama.request import conversation_of

if TYPE_CHECKING:
    from harness.apis.base import Conversation, Payload
    from harness.core.parts import Part


class _Ollama(Api):
    """See `harness.apis.base.Api`; its oddities are diagnostics of its stream."""

    name = "ollama"
    title = "Ollama"
    has_event_names = False
    reader = OllamaReader

    def is_event(self, name: str, payload: Payload) -> bool:  # noqa: ARG002 - no names
        """Recognise an event: whether it is the last, beside a piece of answer."""
        return isinstance(payload.get("done"), bool) and (
            isinstance(payload.get("message"), dict)
            or isinstance(payload.get("response"), str)
        )

    def is_answer(self, document: Any) -> bool:
        """Recognise a whole answer: its one event is the last."""
        return (
            isinstance(document, dict)
            and document.get("done") is True
            and self.is_event("", document)
        )

    def is_request(self, uri: str, body: Payload) -> bool:  # noqa: ARG002 - as chat's
        """Recognise a request by its path; its body is much like chat's."""
        path = uri.partition("?")[0].rstrip("/")
        return path.endswith(("/api/chat", "/api/generate"))

    def whole(self, document: Payload) -> list[Part]:
        """Read an answer that was not streamed."""
        return OllamaReader().read(document)

    def request(self, uri: str, body: Payload) -> Conversation:  # noqa: ARG002 - body
        """Read a request body."""
        return conversation_of(body)


API = _Ollama()
"""The API."""
