"""Cassettes of other recorders, which store what vcrpy does under other names.

- Ruby's VCR (2 and later) and betamax: `http_interactions`. Source: vcr/structs.rb,
  betamax/util.py. Bodies are `string` or `base64_string` beside their `encoding`.
- go-vcr, versions 1 to 4. Source: cassette/cassette.go. Bodies are text, a request has
  `url`, a response has `code` beside a `status` line, and since version 3 a `duration`.
- The replays of Google's SDK. Source: google/genai/_replay_api_client.py. Bodies are
  lists of what was parsed, `body_segments`; what a stream brought is several.
- cassetter. Source: "Cassette formats" and its conformance files. A body is `{type:
  json | text | binary | none, content: ...}`, binary ones in hexadecimal.
- Charles Proxy (`.chlsj`). Source: "JSON Session File" and its own exports: a list of
  transactions with `host`, `path`, and a header and a body of request and response.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import dict_of
from harness.cassettes.importers.base import (
    Restated,
    exchanges_from,
    first_interaction,
    not_read,
)
from harness.errors import CassetteCorruptError

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassettes.model import Exchange

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_MICRO = "[\u00b5\u03bc]"  # the micro sign and the Greek letter, which Go reads both
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)")
_TYPES = ("json", "text", "binary", "none")
_OTHERS = {
    "ws_interactions": "WebSocket conversations",
    "grpc_interactions": "gRPC calls",
}


def sniff(document: Any) -> bool:
    """Recognise a document of one of these recorders."""
    return _reader(document) is not None


def read(document: Any, path: str) -> list[Exchange]:
    """Read a document that `sniff` recognises."""
    found = _reader(document)
    assert found is not None
    return found(document, path)


def _reader(document: Any) -> Callable[[Any, str], list[Exchange]] | None:
    if isinstance(document, list):
        first = dict_of(document[0]) if document else {}
        is_charles = {"host", "scheme", "request", "response"} <= first.keys()
        return _read_charles if is_charles else None
    if "http_interactions" in dict_of(document):
        return _read_ruby
    first = first_interaction(document)
    request, response = _parts(first)
    if "body_segments" in response:
        return _read_google
    if "url" in request and "uri" not in request and "response" in first:
        return _read_go
    is_typed = any(_is_typed(part.get("body")) for part in (request, response))
    return read_cassetter if is_typed else None


def _restated(item: Any, asked: Any, status: Any, body: Any, **more: Any) -> Restated:
    """Restate an interaction whose method, address and heads stand where most do."""
    request, response = _parts(item)
    return Restated(
        request.get("method"),
        request.get("uri", request.get("url")),
        request.get("headers"),
        asked,
        status,
        headers=response.get("headers"),
        body=body,
        **more,
    )


def _parts(item: Any) -> tuple[dict[Any, Any], dict[Any, Any]]:
    known = dict_of(item)
    return dict_of(known.get("request")), dict_of(known.get("response"))


def _read_ruby(document: Any, path: str) -> list[Exchange]:
    items = document["http_interactions"]
    if not isinstance(items, list) or not items:
        raise CassetteCorruptError(
            path, "a cassette of Ruby's VCR or betamax without `http_interactions`"
        )
    restated = []
    for item in items:
        request, response = _parts(item)
        status = dict_of(response.get("status"))
        code = status.get("code", response.get("status_code"))
        asked, came = (_ruby_body(part.get("body")) for part in (request, response))
        reason = status.get("message") or ""
        restated.append(_restated(item, asked, code, came, reason=reason))
    return exchanges_from(restated, path)


def _ruby_body(body: Any) -> Any:
    """Return a body in vcrpy's form: text is UTF-8, as all JSON is."""
    if not isinstance(body, dict):
        return {"string": "" if body is None else body}
    kept = {key: body.get(key) for key in ("string", "base64_string")}
    return {k: v for k, v in kept.items() if v is not None} or {"string": ""}


def _read_go(document: Any, path: str) -> list[Exchange]:
    restated = []
    for item in document["interactions"]:
        request, response = _parts(item)
        body, came = request.get("body") or None, response.get("body") or ""
        one = _restated(item, body, response.get("code"), came)
        one.method = one.method or "GET"  # as Go's client sends an empty one
        if isinstance(status := response.get("status"), str):
            one.reason = re.sub(r"^\d{3} ?", "", status)
        one.seconds = _go_seconds(response.get("duration"))
        if dict_of(request.get("form")) and body is None:
            one.notes.append(not_read("the form of the request"))
        restated.append(one)
    return exchanges_from(restated, path)


def _read_google(document: Any, path: str) -> list[Exchange]:
    restated = []
    for item in document["interactions"]:
        request, response = _parts(item)
        asked, came = (_segments(part) for part in (request, response))
        is_stream = "stream" in str(request.get("url")) or len(came) > 1
        framed = "".join(f"data: {segment}\n\n" for segment in came)
        body, sent = framed if is_stream else "".join(came), asked[0] if asked else None
        restated.append(_restated(item, sent, response.get("status_code"), body))
    return exchanges_from(restated, path)


def _segments(part: dict[Any, Any]) -> list[str]:
    segments = part.get("body_segments")
    return [json.dumps(one) for one in segments if one] if segments else []


def _go_seconds(duration: Any) -> float | None:
    """Read a time such as `1m2.5s`; a number is nanoseconds, as in Go."""
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        return duration / 1e9 if duration else None
    if not isinstance(duration, str):
        return None
    parts = _DURATION.findall(re.sub(_MICRO, "u", duration))
    return sum(float(number) * _UNITS[unit] for number, unit in parts) or None


def _is_typed(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and body.get("type") in _TYPES
        and body.keys() <= {"type", "content"}
    )


def read_cassetter(document: Any, path: str) -> list[Exchange]:
    """Read a cassette of cassetter, however it was written down."""
    restated = []
    for index, item in enumerate(document["interactions"]):
        try:
            sent, came = (_typed_body(part.get("body")) for part in _parts(item))
        except (TypeError, ValueError) as error:
            what = f"a body does not fit its type ({error})"
            raise CassetteCorruptError(path, what, place=f"exchange {index}") from None
        status = _parts(item)[1].get("status")
        restated.append(_restated(item, sent, status, came or ""))
    exchanges = exchanges_from(restated, path)
    for key, name in _OTHERS.items():
        others = document.get(key)
        if isinstance(others, list) and others:
            exchanges[0].notes.append(not_read(f"{len(others)} {name} ({key})"))
    return exchanges


def _typed_body(body: Any) -> Any:
    if not isinstance(body, dict):
        return body  # checked with the interaction
    content, kind = body.get("content"), body.get("type")
    if kind == "none" or content is None:
        return None
    if kind == "binary":
        return bytes.fromhex(str(content))
    if kind == "json" and not isinstance(content, str):
        return json.dumps(content, ensure_ascii=False)
    return str(content)  # in TOML, which has no null, JSON is stored as text


def _read_charles(document: Any, path: str) -> list[Exchange]:
    return exchanges_from([_charles(dict_of(one)) for one in document], path)


def _charles(one: dict[Any, Any]) -> Restated:
    request, response = _parts(one)
    port = one.get("actualPort") if one.get("port") is None else one.get("port")
    query = one.get("query")
    uri = f"{one.get('scheme')}://{one.get('host')}"
    uri += f":{port}" if isinstance(port, int) and port not in {80, 443} else ""
    uri += str(one.get("path") or "/") + (f"?{query}" if query else "")
    total = dict_of(one.get("durations")).get("total")
    return Restated(
        one.get("method"),
        uri,
        _charles_headers(request),
        _charles_body(request),
        response.get("status", 0),
        "",
        _charles_headers(response),
        _charles_body(response) or "",
        total / 1000 if isinstance(total, int | float) else None,
    )


def _charles_headers(part: dict[Any, Any]) -> list[list[Any]]:
    entries = dict_of(part.get("header")).get("headers")
    known = map(dict_of, entries if isinstance(entries, list) else ())
    return [[entry.get("name"), entry.get("value")] for entry in known]


def _charles_body(part: dict[Any, Any]) -> Any:
    body = dict_of(part.get("body"))
    if body.get("encoded") is not None:
        return {"base64_string": body["encoded"]}
    return body.get("text")
