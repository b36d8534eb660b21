"""JSON of any other tool: streams and answers that stand somewhere in it.

Mock servers, HTTP clients and exporters keep pairs of request and response under names
of their own: nock, WireMock, Hoverfly, Mountebank, Postman, talkback, OpenAI's batches,
LangSmith, Helicone, OpenTelemetry. A response is known by what it holds; status,
headers and request are looked for in the objects around it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import zlib
from typing import TYPE_CHECKING, Any

from harness.apis.detect import api_of_answer, are_events
from harness.apis.json_values import dict_of, parsed
from harness.cassettes.importers.base import (
    Restated,
    encoded,
    exchanges_from,
    is_event,
    restored,
)
from harness.cassettes.importers.json_log import data_lines
from harness.cassettes.importers.log_lines import data_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.cassettes.model import Exchange

_DEEP = 5  # levels of a row, down to an attribute of a span's event
_MOST_VALUES = 200_000
_STREAM = re.compile(r"(?:\A|\n)data: ?[\[{]")
_ASKED = re.compile(
    r"(?!requests$|\w*id$)(?:(?:orig\w*|re)?_?req(?:uest)?|input|messages|predicates)",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"(?:orig\w*)?_?req(?:uest)?(?:_?body)?|inputs?", re.IGNORECASE)
_OWNER = re.compile(r"(?:request_?|trace_?|stream_?|source\.)id$", re.IGNORECASE)
_TIME = re.compile(r"(?:time|timestamp|date|\bts)$", re.IGNORECASE)
_HEAD = re.compile(r"\AHTTP/\d.*?\r?\n\r?\n", re.DOTALL)
_ENDED = re.compile(
    r'"(?:finish_?[rR]eason|stop_reason)": ?"|"type": ?"response\.(?:completed|failed)"'
)
_HEX = re.compile(r"(?:[0-9a-f]{2}){20,}\Z")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{40,}={0,2}\s*\Z")
_GZIP = b"\x1f\x8b"


def sniff(document: Any) -> bool:
    """Recognise JSON with an answer somewhere in it."""
    if "interactions" in dict_of(document):
        return False  # vcrpy's, or one whose damage its own reader names
    return next(_found(document), None) is not None


def read(document: Any, path: str) -> list[Exchange]:
    """Read the answers that stand in a parsed document."""
    return exchanges_from([_restated(*found) for found in _found(document)], path)


def _found(document: Any) -> Iterator[tuple[str, tuple[Any, ...], bytes]]:
    """Yield place, holders and body of each response, in order."""
    waiting: list[tuple[str, tuple[Any, ...], Any]] = [("", (), document)]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        place, holders, value = waiting.pop()
        rows = _oldest_first(value)
        body = _body_of(rows)
        if body is not None:
            how = "" if rows is value else " (whose newest row stands first)"
            yield f"{place or 'the top'}{how}", holders, body
        elif isinstance(value, dict):
            waiting += [
                (f"{place}.{key}", (*holders, value), inner)
                for key, inner in reversed(value.items())
                if not _ASKED.match(str(key))
            ]
        elif isinstance(value, list):
            waiting += [
                (f"{place}{where}", holders, inner)
                for where, inner in reversed(_of_each_request(value).items())
            ]


def _body_of(value: Any) -> bytes | None:
    """Return the body that a value is; None where it is none."""
    if isinstance(value, str):
        return _body_of_text(value)
    if isinstance(value, bytes):
        return value if _STREAM.search(value.decode("utf-8", "replace")) else None
    if isinstance(value, dict):
        if len(value) > 1 and api_of_answer(value) is not None:
            return _as_json(value)
        held = list(value.values())
        value = [value] if is_event(value) else held if len(held) > 1 else []
        return _framed(map(json.dumps, value)) if are_events(value) else None
    if not isinstance(value, list) or not value:
        return None
    if are_events(value):
        return _framed(map(json.dumps, value))
    if isinstance(value[0], dict | list | int):
        return _body_of_columns(value) or _body_of_rows(value)
    return _body_of_pieces(value) if all(isinstance(v, str) for v in value) else None


def _framed(events: Iterable[str]) -> bytes:
    return b"".join(b"data: %b\n\n" % encoded(one) for one in events)


def _body_of_columns(value: list[Any]) -> bytes | None:
    """Return the body whose pieces stand in rows, all under the same key."""
    if whole := _characters(value):
        return _body_of_text(whole)
    rows: list[Any] = [row if isinstance(row, dict) else {0: row} for row in value]
    rows = [row for row in rows if row.get("name") == "DataIn"] or rows  # Insomnia's
    are_exchanges = any(_ASKED.match(str(key)) for row in rows for key in row)
    columns: dict[str, list[str]] = {}
    for row in rows:
        for path, held in _leaves(row, 1 if are_exchanges else _DEEP):
            if text := _characters(held):
                columns.setdefault(path, []).append(text)
    for pieces in columns.values():
        body = _body_of_pieces(pieces) if len(pieces) > 1 else None
        if body and len(_ENDED.findall(body.decode("utf-8", "replace"))) < 2:
            return body
    return None


def _leaves(row: dict[Any, Any], depth: int = _DEEP) -> Iterator[tuple[str, Any]]:
    """Yield what a row holds of the answer, each with the keys that lead to it."""
    for key, inner in row.items():
        if _ASKED.match(str(key)):
            continue
        if isinstance(inner, dict) and depth > 1:
            yield from ((f"{key}.{k}", held) for k, held in _leaves(inner, depth - 1))
        else:
            yield str(key), inner


def _of_each_request(value: list[Any]) -> dict[str, Any]:
    """Return the items of a list; the rows of one of several requests are one item."""
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(value):
        owner = [(k, v) for k, v in _leaves(dict_of(row)) if _OWNER.search(k)]
        groups.setdefault(repr(owner), []).append(number)
    if not 1 < len(groups) < len(value):
        return {f"[{number}]": inner for number, inner in enumerate(value)}
    return {
        f"[{rows[0]}..{rows[-1]}]": [value[n] for n in rows] for rows in groups.values()
    }


def _oldest_first(value: Any) -> Any:
    """Return rows in the order of their times, which some exports turn round."""
    rows = value if isinstance(value, list) else []
    times: list[Any] = [
        next((held for key, held in _leaves(dict_of(row)) if _TIME.search(key)), None)
        for row in rows
    ]
    is_known = len(set(map(type, times))) == 1 and isinstance(times[0], str | int)
    is_falling = is_known and times[0] > times[-1]
    return value[::-1] if is_falling and times == sorted(times)[::-1] else value


def _characters(value: Any) -> str:
    """Return text, or that of bytes as JavaScript prints them; empty for all else."""
    if isinstance(value, list) and all(type(n) is int and 0 <= n < 256 for n in value):
        return bytes(value).decode("utf-8", "surrogateescape")
    return value if isinstance(value, str) else ""


def _body_of_rows(value: list[Any]) -> bytes | None:
    """Return the body whose events stand one in each row, beside its time or name."""
    events = []
    for row in value:
        held = dict(enumerate(row)) if isinstance(row, list) else dict_of(row)
        if any(_ASKED.match(str(key)) for key in held):
            return None  # rows of exchanges
        data = list(filter(None, map(data_of, data_lines(held, _DEEP))))
        if len(data) > 1:
            return None
        events += data
    if len(events) < 2 or sum(bool(_ENDED.search(one)) for one in events) > 1:
        return None
    return _framed(events)


def _body_of_pieces(value: list[str]) -> bytes | None:
    """Return the body whose pieces, or whose events, are a list of texts."""
    packed = _unpacked("".join(value))
    if packed:
        return packed
    events = [one.strip().removeprefix("data:").strip() for one in value]
    if are_events([parsed(one) for one in events if one != "[DONE]"]):
        return _framed(events)
    has_breaks = any("\n" in one for one in value)
    joined = "".join(value) if has_breaks else "\n".join(value)
    if _STREAM.search(joined):
        return encoded(joined)
    for unpack in (bytes.fromhex, _base64):
        with contextlib.suppress(ValueError):
            each = b"".join(map(unpack, value))
            if _STREAM.search(each.decode("utf-8", "replace")):
                return each
    return None


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _body_of_text(text: str) -> bytes | None:
    text = _HEAD.sub("", text)
    if _STREAM.search(text):
        return encoded(text)
    if text[:1] in {"{", "["}:
        value = parsed(text)
        return None if isinstance(value, str) else _body_of(value)
    return _unpacked(text)


def _unpacked(text: str) -> bytes | None:
    """Return the stream or answer that hexadecimal or base64 text packs."""
    data = b""
    try:
        if _HEX.match(text):
            data = bytes.fromhex(text)
        elif _BASE64.match(text):
            data = base64.b64decode("".join(text.split()), validate=True)
        if data.startswith(_GZIP):
            data = zlib.decompressobj(31).decompress(data, 1 << 27)
    except (binascii.Error, ValueError, zlib.error):
        return None
    inner = data.decode("utf-8", "replace")
    is_text = _STREAM.search(inner) or inner[:1] in {"{", "["}
    return _body_of_text(inner) if is_text else None


def _as_json(value: Any) -> bytes:
    return encoded(json.dumps(value, ensure_ascii=False))


def _restated(place: str, holders: tuple[Any, ...], body: bytes) -> Restated:
    near = holders[:-3:-1]  # the object that holds the body, and the one around it
    asked = next(
        (
            inner
            for holder in reversed(holders)
            for key, inner in holder.items()
            if isinstance(inner, dict) and _REQUEST.fullmatch(str(key))
        ),
        next((holder for holder in near if "method" in holder), {}),
    )
    statuses = (
        holder.get(key)
        for holder in near
        for key in ("status", "statusCode", "status_code", "code")
    )
    return Restated(
        _text(asked.get("method")) or "POST",
        _url(asked),
        _headers(asked, ("headers", "header", "reqheaders")),
        _posted(asked),
        next((s for s in statuses if type(s) is int and 100 <= s < 600), 200),
        headers=next(filter(None, map(_headers, near)), None),
        body=body,
        notes=[restored(f"the answer was found at {place.lstrip('.')} of the JSON")],
    )


def _text(value: Any) -> str:
    """Return the first text in a value: matchers wrap what they compare with."""
    if isinstance(value, list):
        return next(filter(None, map(_text, value)), "")
    if isinstance(value, dict):
        return next(filter(None, map(_text, [value.get("value"), *value.values()])), "")
    return value if isinstance(value, str) else ""


def _url(asked: dict[Any, Any]) -> str:
    keys = ("url", "uri", "urlPath", "urlPattern", "path")
    raw = dict_of(asked.get("url")).get("raw")
    path = raw or next(filter(None, (_text(asked.get(key)) for key in keys)), "")
    host = asked.get("scope") or _text(asked.get("destination"))
    if not isinstance(host, str) or "://" in path or not host:
        return str(path)
    scheme = "" if "://" in host else f"{_text(asked.get('scheme')) or 'http'}://"
    return f"{scheme}{host}{path}"


def _headers(
    holder: dict[Any, Any], keys: tuple[str, ...] = ("headers", "rawHeaders", "header")
) -> list[list[str]]:
    """Return headers as pairs, whichever form a tool keeps them in."""
    pairs: list[list[str]] = []
    for held in (holder.get(key) for key in keys):
        if isinstance(held, dict):
            pairs += [[str(name), _text(value)] for name, value in held.items()]
        elif isinstance(held, list) and all(isinstance(one, str) for one in held):
            pairs += [list(pair) for pair in zip(held[::2], held[1::2], strict=False)]
        elif isinstance(held, list):
            for one in map(dict_of, held):
                name = one.get("key", one.get("name"))
                if isinstance(name, str):
                    pairs.append([name, _text(one.get("value"))])
    # What was found is no longer packed.
    return [pair for pair in pairs if pair[0].lower() != "content-encoding"]


def _posted(asked: dict[Any, Any]) -> Any:
    body = asked.get("body", asked.get("postData", asked.get("bodyPatterns")))
    if "messages" in asked or "input" in asked or "contents" in asked:
        body = asked  # the request is its body
    if isinstance(body, str) or body is None:
        return body
    if isinstance(body, dict) and not body.keys() & {"raw", "mode", "value", "text"}:
        return _as_json(body)
    known = dict_of(body)
    text = known.get("raw") or known.get("text") or _text(_deepest(body))
    return text if isinstance(text, str) else None


def _deepest(body: Any) -> Any:
    """Return what a matcher of a body compares with, not the matcher's name."""
    if isinstance(body, list) and body:
        return _deepest(body[0])
    known = dict_of(body)
    return known.get("value", known.get("equalToJson", known.get("equalTo", body)))
