"""Which keys of a cassette are known: vcrpy's and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def _others(part: Any, known: frozenset[str]) -> list[str]:
    if not isinstance(part, dict):
        return []
    return [str(key) for key in part if not isinstance(key, str) or key not in known]


def _at(part: Any, *path: str) -> Any:
    for key in path:
        part = part.get(key) if isinstance(part, dict) else None
    return part
