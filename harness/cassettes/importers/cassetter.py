"""Cassettes of cassetter: vcrpy's shape, with typed bodies.

Source: cassetter, "Cassette formats" and its conformance files. A body is `{type:
json | text | binary | none, content: ...}`, binary ones in hexadecimal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from harness.cassettes.importers.base import (
    DocumentImporter,
    Restated,
    exchanges_from,
    first_interaction,
    mapping,
    not_read,
)
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange

_TYPES = ("json", "text", "binary", "none")
_OTHERS = {
    "ws_interactions": "WebSocket conversations",
    "grpc_interactions": "gRPC calls",
}


def _sniff(document: Any) -> bool:
    first = first_interaction(document)
    return any(
        _is_typed(mapping(first.get(part)).get("body"))
        for part in ("request", "response")
    )


def _is_typed(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and body.get("type") in _TYPES
        and body.keys() <= {"type", "content"}
    )


def read(document: Any, path: str) -> list[Exchange]:
    """Read a cassette of cassetter, however it was written down."""
    exchanges = exchanges_from(
        [_restated(one, path, n) for n, one in enumerate(document["interactions"])],
        path,
    )
    for key, name in _OTHERS.items():
        others = document.get(key)
        if isinstance(others, list) and others:
            exchanges[0].notes.append(not_read(f"{len(others)} {name} ({key})"))
    return exchanges


def _restated(item: Any, path: str, index: int) -> Restated:
    request = mapping(mapping(item).get("request"))
    response = mapping(mapping(item).get("response"))
    try:
        bodies = _body(request.get("body")), _body(response.get("body"))
    except (TypeError, ValueError) as error:
        raise CassetteCorruptError(
            path,
            f"a body does not fit its type ({error})",
            place=f"exchange {index}",
        ) from None
    return Restated(
        request.get("method"),
        request.get("uri"),
        request.get("headers"),
        bodies[0],
        response.get("status"),
        "",
        response.get("headers"),
        bodies[1] or "",
    )


def _body(body: Any) -> str | bytes | None:
    if not isinstance(body, dict):
        return body  # type: ignore[no-any-return]  # checked with the interaction
    content = body.get("content")
    kind = body.get("type")
    if kind == "none" or content is None:
        return None
    if kind == "binary":
        return bytes.fromhex(str(content))
    if kind == "json":
        # In TOML, which has no null, JSON is stored as text.
        is_text = isinstance(content, str)
        return content if is_text else json.dumps(content, ensure_ascii=False)
    return str(content)


IMPORTER = DocumentImporter("a cassette of cassetter", _sniff, read)
"""The importer."""
