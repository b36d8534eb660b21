"""Which keys of a cassette and which fields of a chunk are known.

Owns the two lists and the search for what is in neither. A key of a cassette that is
unknown is a mistake, since nobody reads it; a field of a chunk that is unknown is a
provider's extension, which is kept and replayed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core.deltas import REASONING_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.core.chunks import Payload

__all__ = ["unknown_chunk_fields", "unknown_keys"]

# vcrpy 9.4; `url` is written by its aiohttp and tornado parts, `http_version`,
# `status_code` and `content` by its httpx part up to version 5, `encoding` by tools
# that convert Ruby's cassettes, `parsed_body` by pydantic-ai's serializer.
_CASSETTE = frozenset({"interactions", "metadata", "version"})
_INTERACTION = frozenset({"recorded_at", "request", "response"})
_REQUEST = frozenset({"body", "headers", "method", "parsed_body", "uri"})
_RESPONSE = frozenset(
    {"body", "content", "headers", "http_version", "status", "status_code", "stream"}
    | {"parsed_body", "url"}
)
_BODY = frozenset({"base64_string", "encoding", "string"})
_STATUS = frozenset({"code", "message"})
_STREAM = frozenset({"chunks", "ended", "error", "message", "version"})

# OpenAI API reference, "The chat completion chunk object", and what is read besides.
_CHUNK = frozenset(
    {"choices", "created", "error", "id", "model", "object", "service_tier"}
    | {"system_fingerprint", "usage"}
)
_CHOICE = frozenset({"delta", "finish_reason", "index", "logprobs"})
_DELTA = frozenset(
    {"content", "function_call", "refusal", "role", "tool_calls", *REASONING_FIELDS}
)
_CALL = frozenset({"function", "id", "index", "type"})
_FUNCTION = frozenset({"arguments", "name"})


def unknown_keys(document: Any) -> Iterator[tuple[int | None, str]]:
    """Yield the keys of a cassette that nothing reads.

    Args:
        document: The parsed file, of any shape.

    Yields:
        The number of the exchange (None for the top level) and the key's path.
    """
    if not isinstance(document, dict):
        return
    for key in _others(document, _CASSETTE):
        yield None, key
    interactions = document.get("interactions")
    for index, item in enumerate(
        interactions if isinstance(interactions, list) else ()
    ):
        for part, known, path in (
            (item, _INTERACTION, ""),
            (_at(item, "request"), _REQUEST, "request."),
            (_at(item, "response"), _RESPONSE, "response."),
            (_at(item, "response", "body"), _BODY, "response.body."),
            (_at(item, "response", "status"), _STATUS, "response.status."),
            (_at(item, "response", "stream"), _STREAM, "response.stream."),
            (
                _at(item, "response", "stream", "ended"),
                _STREAM,
                "response.stream.ended.",
            ),
        ):
            for key in _others(part, known):
                yield index, path + key


def unknown_chunk_fields(payload: Payload) -> Iterator[str]:
    """Yield the paths of the fields of a chunk that are no part of the format.

    Args:
        payload: A parsed chunk.

    Yields:
        Paths such as ``choices[].delta.extra_content``, in the order sent.
    """
    yield from _others(payload, _CHUNK)
    for choice in _items(payload.get("choices")):
        yield from _under("choices[].", choice, _CHOICE)
        delta = choice.get("delta")
        yield from _under("choices[].delta.", delta, _DELTA)
        for call in _items(_at(delta, "tool_calls")):
            path = "choices[].delta.tool_calls[]."
            yield from _under(path, call, _CALL)
            yield from _under(f"{path}function.", call.get("function"), _FUNCTION)


def _under(path: str, part: Any, known: frozenset[str]) -> Iterator[str]:
    return (path + key for key in _others(part, known))


def _others(part: Any, known: frozenset[str]) -> list[str]:
    if not isinstance(part, dict):
        return []
    return [str(key) for key in part if not isinstance(key, str) or key not in known]


def _at(part: Any, *path: str) -> Any:
    for key in path:
        part = part.get(key) if isinstance(part, dict) else None
    return part


def _items(part: Any) -> list[dict[str, Any]]:
    found = part if isinstance(part, list) else []
    return [item for item in found if isinstance(item, dict)]
