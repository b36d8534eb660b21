"""What an exchange is: a streamed answer of an API, a whole one, or something else.

Decided by what the response holds, never from the URL or the content type: gateways
and test suites put any URL in front of any provider, and recorders lose or falsify
content types. Only the beginning of a body is looked at.
"""

from __future__ import annotations

import json
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.apis.chat.api import is_legacy
from harness.apis.chat.chunks import DONE, parse_json, payload_error
from harness.apis.detect import api_of_answer, api_of_event, api_of_request
from harness.core.aws_event_stream import is_aws_event_stream
from harness.core.framing import decoder_for
from harness.core.patterns import late
from harness.errors import SSEError, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.apis.base import Api
    from harness.cassettes.model import Exchange, Request
    from harness.core.sse import SSEEvent


_LOOKED_AT = 65536  # bytes: the largest first event seen in the wild is under 20 KB
_SLICE = 2048  # after the first event: most streams are known by that


class Kind(StrEnum):
    """What an exchange is to a replay."""

    STREAM = "stream"
    """A streamed answer: its events, one after the other."""
    WHOLE = "whole"
    """An answer that was not streamed: one JSON object."""
    OTHER = "other"
    """Nothing that can be replayed."""


class Classification(NamedTuple):
    """What an exchange is, and why it is not replayed."""

    kind: Kind
    """Which of the three."""
    reason: str = ""
    """For `OTHER`: what it is, as a phrase such as ``HTTP 429: slow down``."""
    api: str = ""
    """Whose answer it is (`harness.apis.detect.API_NAMES`); empty for `OTHER`."""


def classify(exchange: Exchange) -> Classification:
    """Return what an exchange is.

    Args:
        exchange: Any exchange; its `source`, if it has one, is not used up.

    Returns:
        The kind, with a reason for `Kind.OTHER`. A stream that begins with comments,
        an error event or a usage chunk is a stream.
    """
    found = _of_response(exchange)
    if found.kind is Kind.OTHER:
        api = _asked(exchange.request)
        if api is not None and api.name != "chat":
            return _other(f"{found.reason}; it was asked of {api.title}")
    return found


def _asked(request: Request) -> Api | None:
    """Return whom a request is meant for: parsed only where the answer is nobody's."""
    body = request.json()
    return api_of_request(request.uri, body) if body and type(body) is dict else None


def _of_response(exchange: Exchange) -> Classification:
    response = exchange.response
    head = response.peek(_LOOKED_AT)
    is_whole = response.source is None and len(response.body) <= _LOOKED_AT
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if response.status >= 400:
        return _other(f"HTTP {response.status}{_error_message(text)}")
    if not text:
        details = (
            " (HTTP 200)" if response.status == 200 else f" (HTTP {response.status})"
        )
        return _other(f"empty body{details}")
    if text.startswith(b"<") and b"\ndata:" not in text:
        title = _TITLE.search(text)
        words = title[1].decode("utf-8", "replace").split() if title else []
        details = f": {' '.join(words)}" if words else ""
        return _other(f"HTML or XML, no event stream{details}")
    read = _of_json if text.startswith((b"{", b"[")) else _of_events
    return read(text, exchange.request, is_whole=is_whole)


def _other(reason: str) -> Classification:
    return Classification(Kind.OTHER, reason)


def _error_message(text: bytes) -> str:
    document = _first_event(text) if _FIELD.match(text) else _parse(text)
    if isinstance(document, list) and document:  # Gemini wraps its errors in a list
        document = document[0]
    if isinstance(document, dict):
        message = payload_error(document) or document.get("detail")
        if isinstance(message, str):
            return f": {' '.join(message.split())[:120]}"
    return ""


_TITLE = late(rb"(?i)<title[^<>]*>([^<]{1,120})")
_FIELD = late(rb"(?:data|event|id|retry)?:")


def _first_event(text: bytes) -> Any:
    """Return the data of the first event that has any: servers frame errors, too."""
    decoder = decoder_for(text)
    try:
        events = [*decoder.feed(text), *decoder.close()]
    except SSEError:
        return None
    return next((_parse(one.raw) for one in events if one.raw.strip()), None)


def _parse(text: bytes) -> Any:
    """Parse JSON of which the end may be missing; None where it is none."""
    try:
        return parse_json(text)
    except (ValueError, RecursionError):
        pass
    from pydantic_core import from_json  # a third of a start

    try:
        return from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return None


def _of_json(head: bytes, request: Request, *, is_whole: bool) -> Classification:
    """Read JSON: one object is a whole answer or an event, several are a stream."""
    document = _parse(head)
    if isinstance(document, dict) and _is_one_value(head):
        found = _of_document(document)
        if found.kind is Kind.OTHER and api_of_event("", document) is not None:
            return _of_events(head, request, is_whole=is_whole)
        return found
    events = _of_events(head, request, is_whole=is_whole)
    if events.kind is Kind.STREAM:
        return events
    if events.reason.endswith(", which is not read"):
        return events
    if isinstance(document, list):
        return _other("a JSON list, no answer of a known API")
    if document is not None:
        return _other("JSON lines of no known API")
    what = "damaged JSON" if is_whole else "JSON that cannot be read"
    return _other(f"{what}, no answer of a known API")


def _is_one_value(head: bytes) -> bool:
    """Return whether nothing follows the first value, as far as can be seen."""
    text = head.decode("utf-8", "replace")
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return True  # damaged, or longer than what is looked at
    return not text[end:].strip()


def _of_document(document: dict[str, Any]) -> Classification:
    api = api_of_answer(document)
    if api is not None:
        return Classification(Kind.WHOLE, api=api.name)
    if is_legacy(document):
        return _other("a legacy text completion")
    return _other(_name_of(document))


def _bare_error(document: dict[str, Any]) -> str | None:
    """Return the error of a gateway or of FastAPI; None where it is none."""
    error = document.get("detail", document.get("message"))
    if not error or not document.keys() <= _BARE:
        return None
    return error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)


def is_error(document: Any) -> bool:
    """Return whether a JSON document is nothing but an error."""
    return isinstance(document, dict) and bool(
        _bare_error(document) or ("error" in document and payload_error(document))
    )


_BARE = frozenset({"detail", "message", "status", "code", "request_id", "success"})


def _name_of(document: dict[str, Any]) -> str:
    """Name a JSON object that is no answer of a known API."""
    named = document.get("object")
    message = payload_error(document) or _bare_error(document)
    if message is not None:
        return f"an error answer: {' '.join(message.split())[:120]}"
    data = document.get("data")
    if named == "list" and isinstance(data, list):
        first = data[0] if data and isinstance(data[0], dict) else {}
        kind = first.get("object")
        return f"a list of {kind}s" if isinstance(kind, str) else "a list"
    keys = ", ".join(list(document)[:4])
    return f"JSON, no answer of a known API (keys: {keys})" if keys else "empty JSON"


def _of_events(head: bytes, request: Request, *, is_whole: bool) -> Classification:
    seen = _Seen(request)
    try:
        for verdict in filter(None, map(seen.verdict, _events(head))):
            return verdict
    except SSEError as error:
        return _other(str(error))
    return seen.at_the_end(head, is_whole=is_whole)


_GAP = late(rb"\n\r?\n")


def _events(head: bytes) -> Iterator[SSEEvent]:
    """Decode the first event, then a slice at a time: few are looked at."""
    decoder = decoder_for(head)
    blank = _GAP.search(head)
    first = blank.end() if blank else _SLICE
    for start, end in pairwise([0, *range(first, len(head), _SLICE), len(head)]):
        yield from decoder.feed(head[start:end])
    yield from decoder.close()


class _Seen:
    """What the events so far show."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._has_error = False
        self._unknown = ""

    def verdict(self, event: SSEEvent) -> Classification | None:
        """Return what the stream is, or None while the events could be anybody's."""
        data = event.data.strip()
        if data.startswith("data:"):  # framed twice, which is reported
            data = data[5:].strip()
        if not data or data == DONE:
            return None
        payload = _parse(data.encode("utf-8", "surrogatepass"))
        if not isinstance(payload, dict):
            what = "no JSON" if payload is None else "no JSON object"
            self._unknown = (
                self._unknown or f"its data is {what}: {shorten(data, limit=40)}"
            )
            return None
        api = api_of_event(event.event, payload)
        if api is not None:
            return Classification(Kind.STREAM, api=api.name)
        from harness.cassettes.other_streams import whose  # only where it is asked

        other = whose(event.event, payload)
        if other:
            return _other(other)
        if payload_error(payload) is not None or event.event == "error":
            self._has_error = True
        else:
            self._unknown = self._unknown or f"keys: {', '.join(list(payload)[:4])}"
        return None

    def at_the_end(self, head: bytes, *, is_whole: bool) -> Classification:
        if self._has_error:
            # Nothing but errors, which look alike: the request decides.
            api = _asked(self._request)
            return Classification(Kind.STREAM, api=api.name if api else "chat")
        if self._unknown:
            what = "an event stream"
            if is_aws_event_stream(head):
                what = "a binary event stream of AWS (Bedrock)"
            return _other(f"{what} of no known API ({self._unknown})")
        if b"\0" in head:
            return _other("binary data, no event stream")
        where = "" if is_whole else f" in its first {_LOOKED_AT // 1024} KiB"
        return _other(f"no event with data{where}")
