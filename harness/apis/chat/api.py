"""Chat Completions as one of the APIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import Api, Conversation, Payload
from harness.apis.chat.reader import ChatReader
from harness.apis.chat.request import conversation_of
from harness.apis.json_values import dict_of

if TYPE_CHECKING:
    from harness.core.parts import Part


def _first_choice(document: Payload) -> dict[str, Any]:
    """Return the first of its choices; empty where there is none to look at."""
    choices = document.get("choices")
    return dict_of(choices[0]) if isinstance(choices, list) and choices else {}


def is_legacy(document: Payload) -> bool:
    """Return whether an event or answer is a text completion, the API before chat."""
    choice = _first_choice(document)
    return document.get("object") == "text_completion" or (
        "text" in choice and "delta" not in choice
    )


class _Chat(Api):
    """See `harness.apis.base.Api`; its own oddities are diagnostics of its stream."""

    name = "chat"
    title = "OpenAI Chat Completions"
    has_event_names = False
    reader = ChatReader

    def is_event(self, name: str, payload: Payload) -> bool:  # noqa: ARG002 - no names
        """Recognise a chunk: it has `choices`, which no other API has."""
        return not is_legacy(payload) and (
            payload.get("object") == "chat.completion.chunk" or "choices" in payload
        )

    def is_answer(self, document: Any) -> bool:
        """Recognise a whole completion."""
        if not isinstance(document, dict) or is_legacy(document):
            return False
        choice = _first_choice(document)
        return "text" not in choice and (
            document.get("object") == "chat.completion" or "message" in choice
        )

    def is_request(self, uri: str, body: Payload) -> bool:
        """Recognise a request by its path, else by its messages."""
        return uri.partition("?")[0].rstrip("/").endswith("/chat/completions") or (
            isinstance(body.get("messages"), list)
        )

    def whole(self, document: Payload) -> list[Part]:
        """Read an answer that was not streamed."""
        return ChatReader().read(document)

    def request(self, uri: str, body: Payload) -> Conversation:  # noqa: ARG002 - body
        """Read a request body."""
        return conversation_of(body) or Conversation(())


API = _Chat()
"""The API."""
