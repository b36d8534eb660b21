"""JSON that is a recording by itself: a whole answer, chunks in lines, a list or a row.

Chat chunks become events, with `[DONE]` at their end: JSON has no framing to carry it.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.cassettes.classify import Kind, classify
from harness.cassettes.model import Exchange, Headers, Request, Response
from harness.cassettes.yaml_text import stands_twice
from harness.core.framing import decoder_for
from harness.errors import CassetteCorruptError, shorten
from harness.limits import EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


SSE_HEADERS: Headers = {"content-type": ["text/event-stream"]}
"""The headers of a stream whose own were not recorded; copy them."""


_BLANK = b" \t\r\n\v\f\x1e"  # the last one separates texts of JSON (RFC 7464)


def as_events(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Frame lines as events; what is no JSON goes through for others to report."""
    last = b""
    for line in _lines(pieces):
        last = line
        yield b"data: %b\n\n" % line
    if last != b"[DONE]":
        yield b"data: [DONE]\n\n"


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest: list[bytes] = []
    size, most = 0, EVENT.value
    for piece in pieces:
        head, newline, tail = piece.rpartition(b"\n")
        size += len(piece)
        if not newline:
            rest.append(piece)
            if size > most:  # too long for an event: whoever decodes it stops there
                break
            continue
        for line in b"".join([*rest, head]).split(b"\n"):
            stripped = line.strip(_BLANK).removeprefix(b"\xef\xbb\xbf")
            if stripped:
                yield stripped
        rest = [tail]
        size = len(tail)
    last = b"".join(rest).strip(_BLANK).removeprefix(b"\xef\xbb\xbf")
    if last:
        yield last


def values_response(text: bytes, *, is_document: bool = False) -> Response | None:
    """Return the response that JSON values in a row are; None where it is no answer.

    Args:
        text: The values.
        is_document: It is one whole value, and may be an answer that was not streamed.
    """
    kind = "application/json"
    response = Response(200, "OK", {"content-type": [kind]}, body=text)
    found = classify(Exchange(0, Request("POST", ""), response))
    if found.kind is Kind.WHOLE and is_document:
        return response
    if found.kind is not Kind.STREAM:
        return None
    if found.api == "chat":  # whose streams are events and end with [DONE]
        decoder = decoder_for(text)
        values = [one.raw for one in (*decoder.feed(text), *decoder.close())]
        response.headers = dict(SSE_HEADERS)
        response.body = b"".join(as_events([b"\n".join(map(_one_line, values))]))
    return response


def _one_line(value: bytes) -> bytes:
    """Return JSON on one line: a line break is none of a string's characters."""
    lines = (line.strip() for line in value.splitlines())
    return b"".join(line + b" " * line.endswith(b",") for line in lines)


def json_values(text: str) -> list[Any]:
    """Return the objects of JSON lines; none where a line is no object."""
    try:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return []
    return values if all(isinstance(one, dict) for one in values) else []


def json_document(text: bytes, path: str) -> Any:
    """Parse a file of one JSON document.

    Raises:
        CassetteCorruptError: It does not parse, which the error names line and column
            of; or a key has two values.
    """
    try:
        return json.loads(text, object_pairs_hook=partial(_object, path))
    except UnicodeDecodeError as error:
        raise CassetteCorruptError(
            path, f"no UTF-8 text ({error.reason})", place=f"byte {error.start}"
        ) from None
    except json.JSONDecodeError as error:
        raise CassetteCorruptError(
            path,
            f"the JSON does not parse: {error.msg}; repair it or record it again",
            place=f"line {error.lineno}, column {error.colno}",
        ) from None
    except RecursionError:
        problem = "the JSON does not parse: it is nested too deeply"
        raise CassetteCorruptError(path, problem) from None
    except ValueError as error:
        raise CassetteCorruptError(path, f"the JSON does not parse: {error}") from None


def _object(path: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    key = next((key for key, value in pairs if made[key] != value), None)
    if key is None:
        return made
    raise CassetteCorruptError(
        path, stands_twice(key), place=f"beside {', '.join(map(shorten, made))}"
    )
