"""What an exchange is: a streamed chat completion, a whole one, or something else.

Told from what the response says, never from the URL or the content type: gateways
and test suites put any URL in front of any provider, and recorders lose or falsify
content types. Only the beginning of a body is looked at.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.core.chunks import DONE, parse_payload, payload_error
from harness.core.sse import SSEDecoder, SSEEvent
from harness.errors import ChunkError, SSEError, shorten

if TYPE_CHECKING:
    from harness.store.cassette import Exchange

__all__ = ["Classification", "Kind", "classify"]

_LOOKED_AT = 65536  # bytes: the largest first event seen in the wild is under 20 KB
_SLICE = 2048  # most streams are told by their first event


class Kind(StrEnum):
    """What an exchange is to a replay."""

    STREAM = "stream"
    """A streamed chat completion: event stream text with chunks."""
    WHOLE = "whole"
    """A chat completion that was not streamed: one JSON object."""
    OTHER = "other"
    """Nothing that can be replayed."""


class Classification(NamedTuple):
    """What an exchange is, and why it is not replayed."""

    kind: Kind
    """Which of the three."""
    reason: str = ""
    """For `OTHER`: what it is, as a phrase such as ``HTTP 429: slow down``."""


_STREAM = Classification(Kind.STREAM)
_WHOLE = Classification(Kind.WHOLE)


def classify(exchange: Exchange) -> Classification:
    """Tell what an exchange is.

    Args:
        exchange: Any exchange; its `source`, if it has one, is not used up.

    Returns:
        The kind, with a reason for `Kind.OTHER`. A stream that begins with comments,
        an error event or a usage chunk is a stream.
    """
    response = exchange.response
    head = response.peek(_LOOKED_AT)
    is_whole = response.source is None and len(response.body) <= _LOOKED_AT
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if response.status >= 400:
        return _other(f"HTTP {response.status}{_error_message(text)}")
    if not text:
        said = " (HTTP 200)" if response.status == 200 else f" (HTTP {response.status})"
        return _other(f"empty body{said}")
    if text.startswith((b"{", b"[")):
        return _of_json(text, is_whole=is_whole)
    if text.startswith(b"<"):
        return _other("HTML or XML, no event stream")
    return _of_events(head, is_whole=is_whole)


def _other(reason: str) -> Classification:
    return Classification(Kind.OTHER, reason)


def _error_message(text: bytes) -> str:
    document = _parse(text)
    if isinstance(document, list) and document:  # Gemini wraps its errors in a list
        document = document[0]
    if isinstance(document, dict):
        message = payload_error(document) or document.get("detail")
        if isinstance(message, str):
            return f": {' '.join(message.split())[:120]}"
    return ""


def _parse(text: bytes) -> Any:
    """Parse JSON of which the end may be missing; None where it is none."""
    from pydantic_core import from_json

    try:
        return from_json(text, allow_partial="trailing-strings")
    except ValueError:
        pass
    try:
        return parse_payload(text)  # reads lone surrogates, which jiter refuses
    except ChunkError:
        return None


def _is_object(line: bytes) -> bool:
    try:
        parse_payload(line)
    except ChunkError:
        return False
    return True


def _of_json(text: bytes, *, is_whole: bool) -> Classification:
    first, _, rest = text.partition(b"\n")
    if rest.lstrip().startswith(b"{") and _is_object(first):
        return _other("JSON lines without event framing")
    document = _parse(text)
    if document is None:
        what = "damaged JSON" if is_whole else "JSON that cannot be read"
        return _other(f"{what}, no chat completion")
    if not isinstance(document, dict):
        return _other("a JSON list, no chat completion")
    return _of_document(document)


def _of_document(document: dict[str, Any]) -> Classification:
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    named = document.get("object")
    if named == "text_completion" or (isinstance(choice, dict) and "text" in choice):
        return _other("a legacy text completion")
    if named == "chat.completion" or (isinstance(choice, dict) and "message" in choice):
        return _WHOLE  # Perplexity's have an empty `delta` besides
    if isinstance(choice, dict) and "delta" in choice:
        return _other("a chunk without event framing")
    return _other(_name_of(document))


def _name_of(document: dict[str, Any]) -> str:
    """Name a JSON object that is no chat completion."""
    named = document.get("object")
    for is_it, name in (
        (named == "response", "an OpenAI Responses answer"),
        (document.get("type") == "message", "an Anthropic answer"),
        ("candidates" in document, "a Gemini answer"),
    ):
        if is_it:
            return f"{name}, not streamed"
    message = payload_error(document)
    if message is not None:
        return f"an error answer: {' '.join(message.split())[:120]}"
    data = document.get("data")
    if named == "list" and isinstance(data, list):
        first = data[0] if data and isinstance(data[0], dict) else {}
        kind = first.get("object")
        return f"a list of {kind}s" if isinstance(kind, str) else "a list"
    keys = ", ".join(list(document)[:4])
    return f"JSON, no chat completion (keys: {keys})" if keys else "empty JSON"


def _of_events(head: bytes, *, is_whole: bool) -> Classification:
    decoder = SSEDecoder()
    seen = _Seen()
    try:
        for start in range(0, len(head), _SLICE):
            for event in decoder.feed(head[start : start + _SLICE]):
                verdict = seen.verdict(event)
                if verdict is not None:
                    return verdict
        for event in decoder.close():
            verdict = seen.verdict(event)
            if verdict is not None:
                return verdict
    except SSEError as error:
        return _other(str(error))
    return seen.at_the_end(head, is_whole=is_whole)


class _Seen:
    """What the events so far have told."""

    def __init__(self) -> None:
        self._has_error = False
        self._unknown = ""

    def verdict(self, event: SSEEvent) -> Classification | None:
        """Tell what the stream is, or None while the events could be anybody's."""
        api = _api_of(event.event)
        if api:
            return _other(api)
        data = event.data.strip()
        if not data or data == DONE:
            return None
        payload = _parse(data.encode("utf-8", "surrogatepass"))
        if not isinstance(payload, dict):
            self._unknown = (
                self._unknown or f"its data is no JSON: {shorten(data, limit=40)}"
            )
            return None
        return self._of_payload(payload, event.event)

    def _of_payload(self, payload: dict[str, Any], name: str) -> Classification | None:
        choices = payload.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if payload.get("object") == "text_completion" or (
            isinstance(choice, dict) and "text" in choice and "delta" not in choice
        ):
            return _other("a stream of legacy text completions")
        if payload.get("object") == "chat.completion.chunk" or "choices" in payload:
            return _STREAM
        kind = payload.get("type")
        api = _api_of(kind) if isinstance(kind, str) else ""
        if "candidates" in payload:
            api = "a Gemini stream"
        if api:
            return _other(api)
        if payload_error(payload) is not None:
            if kind == "error" and name == "error":
                return _other("an Anthropic stream that is nothing but an error")
            self._has_error = True
        else:
            self._unknown = self._unknown or f"keys: {', '.join(list(payload)[:4])}"
        return None

    def at_the_end(self, head: bytes, *, is_whole: bool) -> Classification:
        if self._has_error:
            return _STREAM
        if self._unknown:
            return _other(
                f"an event stream without chat completion chunks ({self._unknown})"
            )
        if b"\0" in head:
            return _other("binary data, no event stream")
        where = "" if is_whole else f" in its first {_LOOKED_AT // 1024} KiB"
        return _other(f"no event with data{where}")


def _api_of(name: str) -> str:
    """Return whose events bear this name; empty where anybody's may."""
    if name.startswith("response."):
        return "an OpenAI Responses stream"
    if name in {"message_start", "content_block_start", "content_block_delta"}:
        return "an Anthropic stream"
    if name.startswith("thread."):
        return "an OpenAI Assistants stream"
    return ""
