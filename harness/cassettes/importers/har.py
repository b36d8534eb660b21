"""HAR files (HTTP Archive 1.2): browsers' developer tools, mitmproxy, Charles, Polly.

Source: W3C web performance group, "HTTP Archive (HAR) format"; Polly.JS stores binary
bodies as a JSON list of base64 (before version 3: hexadecimal) pieces.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from typing import TYPE_CHECKING, Any

from harness.apis.json_values import dict_of, parsed
from harness.cassettes.importers.base import (
    Restated,
    exchanges_from,
    not_read,
    restored,
)
from harness.errors import CassetteCorruptError, shorten

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange


def sniff(document: Any) -> bool:
    """Recognise a parsed HAR file."""
    log = dict_of(document).get("log")
    return isinstance(log, dict) and "entries" in log


def read(document: Any, path: str) -> list[Exchange]:
    """Read a parsed HAR file."""
    entries = document["log"]["entries"]
    if not isinstance(entries, list) or not entries:
        raise CassetteCorruptError(path, "a HAR file without entries")
    return exchanges_from([_restated(entry) for entry in entries], path)


def _restated(entry: Any) -> Restated:
    entry = dict_of(entry)
    request = dict_of(entry.get("request"))
    response = dict_of(entry.get("response"))
    notes: list[Any] = []
    headers = _headers(response.get("headers"))
    body = _content(dict_of(response.get("content")), notes)
    events = entry.get("_eventSourceMessages")
    if isinstance(events, list) and not body:
        body = "".join(map(_event, map(dict_of, events)))
        notes[:] = [restored(f"{len(events)} events the browser had parsed are framed")]
    messages = entry.get("_webSocketMessages")
    if isinstance(messages, list) and messages:
        notes.append(not_read(f"{len(messages)} WebSocket messages"))
    failure = response.get("_error") or entry.get("_error")
    time = entry.get("time")
    return Restated(
        request.get("method"),
        request.get("url"),
        _headers(request.get("headers")),
        _posted(dict_of(request.get("postData")), notes),
        response.get("status"),
        response.get("statusText") or "",
        headers,
        body,
        time / 1000 if isinstance(time, int | float) and time > 0 else None,
        {"ended": "error", "error": str(failure)} if failure else {},
        notes,
    )


def _event(message: dict[Any, Any]) -> str:
    name, data = message.get("eventName"), str(message.get("data", ""))
    named = f"event: {name}\n" if name and name != "message" else ""
    return named + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n"


def _headers(entries: Any) -> list[list[Any]]:
    """Return name and value pairs, without the pseudo-headers of HTTP/2."""
    pairs = []
    for entry in entries if isinstance(entries, list) else ():
        name = dict_of(entry).get("name")
        if isinstance(name, str) and not name.startswith(":"):
            pairs.append([name, entry.get("value")])
    return pairs


def _content(content: dict[Any, Any], notes: list[Any]) -> str | bytes:
    text = content.get("text")
    size = content.get("size")
    if not isinstance(text, str) or not text:
        if isinstance(size, int | float) and size > 0:
            what = f"the body of {size} bytes: the file holds no content for it; save "
            notes.append(
                not_read(f"{what}the HAR with content, after its response ended")
            )
        return ""
    if content.get("encoding") in (None, ""):
        return text
    pieces = _pieces(text)
    unpacked = [_unpack(piece, may_be_hex=pieces != [text]) for piece in pieces]
    if None in unpacked:
        what = f"the body is marked {shorten(content.get('encoding'))} and is not"
        notes.append(restored(f"{what}; it is read as text"))
        return text
    return b"".join(piece for piece in unpacked if piece is not None)


def _pieces(text: str) -> list[str]:
    if text.startswith("["):
        pieces = parsed(text, strict=True)
        if isinstance(pieces, list) and all(isinstance(one, str) for one in pieces):
            return pieces
    return [text]


def _unpack(text: str, *, may_be_hex: bool = False) -> bytes | None:
    with contextlib.suppress(ValueError):
        if may_be_hex:  # all of it is base64, too, yet no long piece is both by chance
            return bytes.fromhex(text)
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _posted(posted: dict[Any, Any], notes: list[Any]) -> str | bytes | None:
    text = posted.get("text")
    if isinstance(text, str):
        is_packed = posted.get("encoding") == "base64"
        unpacked = _unpack(text) if is_packed else None
        return text if unpacked is None else unpacked
    if posted.get("params"):
        notes.append(not_read("the form of the request"))
    return None
