"""Sessions of Charles Proxy saved as JSON (`.chlsj`).

Source: Charles, "JSON Session File"; as its own exports show: a list of transactions
with `host`, `path`, and a header and a body of request and response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassettes.importers.base import (
    DocumentImporter,
    Restated,
    exchanges_from,
    mapping,
)

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange


def _sniff(document: Any) -> bool:
    first = mapping(document[0]) if isinstance(document, list) and document else {}
    return {"host", "scheme", "request", "response"} <= first.keys()


def _read(document: Any, path: str) -> list[Exchange]:
    return exchanges_from([_restated(mapping(one)) for one in document], path)


def _restated(one: dict[Any, Any]) -> Restated:
    request = mapping(one.get("request"))
    response = mapping(one.get("response"))
    port = one.get("actualPort") if one.get("port") is None else one.get("port")
    query = one.get("query")
    uri = f"{one.get('scheme')}://{one.get('host')}"
    uri += f":{port}" if isinstance(port, int) and port not in {80, 443} else ""
    uri += str(one.get("path") or "/") + (f"?{query}" if query else "")
    total = mapping(one.get("durations")).get("total")
    return Restated(
        one.get("method"),
        uri,
        _headers(request),
        _body(request),
        response.get("status", 0),
        "",
        _headers(response),
        _body(response) or "",
        total / 1000 if isinstance(total, int | float) else None,
    )


def _headers(part: dict[Any, Any]) -> list[list[Any]]:
    entries = mapping(part.get("header")).get("headers")
    return [
        [mapping(entry).get("name"), mapping(entry).get("value")]
        for entry in (entries if isinstance(entries, list) else ())
    ]


def _body(part: dict[Any, Any]) -> Any:
    body = mapping(part.get("body"))
    if body.get("encoded") is not None:
        return {"base64_string": body["encoded"]}
    return body.get("text")


IMPORTER = DocumentImporter("a session of Charles", _sniff, _read)
"""The importer."""
