"""Gemini's generateContent as one of the APIs (`harness.apis.base.Api`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.base import WritingApi
from harness.apis.gemini import request as requests
from harness.apis.gemini.breaking import FAULTS
from harness.apis.gemini.dialects import DIALECTS
from harness.apis.gemini.reader import Reader, whole
from harness.apis.gemini.rules import Checker
from harness.apis.gemini.values import in_camel_case
from harness.apis.gemini.writer import body

if TYPE_CHECKING:
    from harness.apis.base import Payload


_OTHERS = frozenset(
    {"choices", "object", "type", "event_type", "message", "done", "serverContent"}
)
# Chat's and Responses' objects, Anthropic's events, Interactions, Ollama, Live.


class _Gemini(WritingApi):
    """See `harness.apis.base.Api`."""

    name = "gemini"
    title = "Gemini generateContent"
    has_event_names = False

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
        if _are_candidates(payload.get("candidates")):
            return True
        payload = in_camel_case(payload)
        return (
            _is_feedback(payload.get("promptFeedback"))
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

    is_request = staticmethod(requests.is_request)
    reader = Reader
    whole = staticmethod(whole)
    request = staticmethod(requests.request)
    checker = Checker
    body = staticmethod(body)

    dialects = DIALECTS
    faults = FAULTS


API = _Gemini()
"""The API."""


def _are_candidates(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(entry, dict)
        and (
            isinstance(entry.get("content"), dict)
            or not entry.keys().isdisjoint({"finishReason", "finish_reason"})
        )
        for entry in value
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
