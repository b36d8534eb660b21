"""Chat Completions as one of the APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import Conversation, Payload, Rule, Violation
from harness.apis.chat.reader import ChatReader
from harness.apis.chat.request import conversation_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.apis.base import Event
    from harness.core.parts import Part


def is_legacy(document: Payload) -> bool:
    """Return whether an event or answer is a text completion, the API before chat."""
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return document.get("object") == "text_completion" or (
        isinstance(choice, dict) and "text" in choice and "delta" not in choice
    )


class _Chat:
    """See `harness.apis.base.Api`."""

    name = "chat"
    title = "OpenAI Chat Completions"
    has_event_names = False
    rules: tuple[Rule, ...] = ()

    def is_event(self, name: str, payload: Payload) -> bool:  # noqa: ARG002 - no names
        """Recognise a chunk: it has `choices`, which no other API has."""
        if payload.get("object") == "text_completion":
            return False
        choices = payload.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict) and "text" in choice and "delta" not in choice:
            return False
        return payload.get("object") == "chat.completion.chunk" or "choices" in payload

    def is_answer(self, document: Any) -> bool:
        """Recognise a whole completion."""
        if (
            not isinstance(document, dict)
            or document.get("object") == "text_completion"
        ):
            return False
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict) and "text" in choice:
            return False
        return document.get("object") == "chat.completion" or (
            isinstance(choice, dict) and "message" in choice
        )

    def is_request(self, uri: str, body: Payload) -> bool:
        """Recognise a request by its path, else by its messages."""
        return uri.partition("?")[0].rstrip("/").endswith("/chat/completions") or (
            isinstance(body.get("messages"), list)
        )

    def reader(self) -> ChatReader:
        """Return a reader for one response."""
        return ChatReader()

    def whole(self, document: Payload) -> list[Part]:
        """Read an answer that was not streamed."""
        return ChatReader().read(document)

    def request(self, uri: str, body: Payload) -> Conversation:  # noqa: ARG002 - body
        """Read a request body."""
        return conversation_of(body) or Conversation(())

    def check(self, events: Iterable[Event]) -> Iterator[Violation]:  # noqa: ARG002
        """Yield nothing: chat's own oddities are diagnostics of its stream."""
        return iter(())


API = _Chat()
"""The API."""
