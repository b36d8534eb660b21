"""Cassettes with `http_interactions`: Ruby's VCR (2 and later) and betamax.

Source: vcr/lib/vcr/structs.rb; betamax/util.py. Both store bodies as `string` or
`base64_string` beside their `encoding`, headers as lists, and `recorded_at`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassettes.importers.base import (
    DocumentImporter,
    Restated,
    exchanges_from,
    mapping,
)
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange


def _sniff(document: Any) -> bool:
    return isinstance(document, dict) and "http_interactions" in document


def _read(document: Any, path: str) -> list[Exchange]:
    items = document["http_interactions"]
    if not isinstance(items, list) or not items:
        raise CassetteCorruptError(
            path, "a cassette of Ruby's VCR or betamax without `http_interactions`"
        )
    return exchanges_from([_restated(item) for item in items], path)


def _restated(item: Any) -> Restated:
    request = mapping(mapping(item).get("request"))
    response = mapping(mapping(item).get("response"))
    status = response.get("status")
    return Restated(
        request.get("method"),
        request.get("uri"),
        request.get("headers"),
        _body(request.get("body")),
        mapping(status).get("code", response.get("status_code")),
        mapping(status).get("message") or "",
        response.get("headers"),
        _body(response.get("body")),
    )


def _body(body: Any) -> Any:
    """Return a body in vcrpy's form: text is UTF-8, as all JSON is."""
    if not isinstance(body, dict):
        return {"string": "" if body is None else body}
    return {
        key: value
        for key, value in body.items()
        if key in {"string", "base64_string"} and value is not None
    } or {"string": ""}


IMPORTER = DocumentImporter("a cassette of Ruby's VCR or betamax", _sniff, _read)
"""The importer."""
