"""The interactions of a cassette document, checked and made into exchanges.

Owns vcrpy's version-1 shape in all the forms its recorders have written, and the
`stream` key that ours adds to a response (`harness docs cassette`):

    stream:
      version: 1
      chunks: [[0.153, 312], [0.171, 298]]   # seconds since the request, bytes
      ended: error                            # complete | closed | error
      error: RemoteProtocolError              # for `error`: its kind
      message: peer closed connection         # for `error`: optional

It never opens a file; the document is a parsed object of unknown quality, and all
that is wrong with it comes out as a `CassetteCorruptError` naming the exchange.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from harness.apis.json_values import text_of
from harness.cassettes.bodies import (
    BodyError,
    body_bytes,
    decode,
    is_small,
    undeclared_encoding,
    unpack_base64,
)
from harness.cassettes.model import (
    Ending,
    Exchange,
    Headers,
    Request,
    Response,
    WireChunk,
)
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem
from harness.errors import CassetteCorruptError, shorten
from harness.limits import BODY, CASSETTE

_T = TypeVar("_T")

_MOST_TOKENS = 1_000_000  # of a request body; aliases make more from a small file
_EXCHANGE_BYTES = 1024  # what one holds besides its bodies; aliases make many


def exchanges_of(document: Any, path: str) -> list[Exchange]:
    """Build the exchanges of a cassette.

    Args:
        document: The parsed file. Its list of interactions is emptied on the way,
            so that no body is held twice for longer than one exchange takes.
        path: The file's name, for errors.

    Returns:
        The exchanges in order; never empty.

    Raises:
        CassetteCorruptError: The document is no version-1 cassette.
    """
    interactions = _interactions(document, path)
    exchanges = []
    left = CASSETTE.value
    for index in range(len(interactions)):
        interaction = interactions[index]
        interactions[index] = None
        reader = _Reader(path, index)
        exchange = reader.exchange(interaction)
        left -= _EXCHANGE_BYTES + len(exchange.response.body)
        left -= len(exchange.request.body or b"")
        if left < 0:
            raise reader.error(CASSETTE.problem)
        exchanges.append(exchange)
    return exchanges


def _interactions(document: Any, path: str) -> list[Any]:
    problem = _problem_of(document)
    if problem:
        raise CassetteCorruptError(path, problem)
    interactions: list[Any] = document["interactions"]
    return interactions


def _problem_of(document: Any) -> str:
    """Return why a document is no version-1 cassette; empty if it is one."""
    first = document[0] if isinstance(document, list) and document else None
    if isinstance(first, dict) and "request" in first:
        return (
            "a cassette of vcrpy before version 1; "
            "convert a copy with `python -m vcr.migration`"
        )
    others = "name a cassette, SSE text or JSON lines of chunks"
    if not isinstance(document, dict):
        expected, got = "a mapping with `interactions`", _named(document)
        return f"no cassette: expected {expected}, got {got}; {others}"
    if "interactions" not in document:
        keys = ", ".join(shorten(key, limit=20) for key in list(document)[:3])
        got = keys or "an empty mapping"
        return f"no cassette: expected `interactions`, got {got}; {others}"
    version = document.get("version", 1)
    if not isinstance(version, int | float | str) or version not in {1, "1"}:
        got = shorten(version, limit=20)
        return f"expected cassette version 1, got {got}; record it again"
    interactions = document["interactions"]
    if not isinstance(interactions, list):
        got = _named(interactions)
        return f"expected a list of `interactions`, got {got}; record it again"
    return "" if interactions else "the cassette has no interactions; record it again"


_STR = {str}
_WORDS = {
    bool: "true or false",
    bytes: "binary data",
    dict: "a mapping",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "text",
    type(None): "nothing",
}


def _named(value: Any) -> str:
    return _WORDS.get(type(value), type(value).__name__)


class _Reader:
    """Reads one interaction; knows where it is, for errors."""

    def __init__(self, path: str, index: int) -> None:
        self.path = path
        self.index = index
        self.notes: list[Problem] = []

    def error(self, problem: str) -> CassetteCorruptError:
        return CassetteCorruptError(self.path, problem, place=f"exchange {self.index}")

    def exchange(self, interaction: Any) -> Exchange:
        found = self.checked(interaction, dict, "with `request` and `response`")
        return Exchange(
            self.index,
            self.request(self.checked(found.get("request"), dict, "as `request`")),
            self.response(self.checked(found.get("response"), dict, "as `response`")),
            self.notes,
        )

    def checked(self, value: Any, kind: type[_T], role: str, where: str = "") -> _T:
        """Return a value of the type that belongs there."""
        if type(value) is not kind:
            expected = f"{_WORDS[kind]} {role}".rstrip()
            raise self.error(f"{where}expected {expected}, got {_named(value)}")
        return value

    def request(self, recorded: dict[Any, Any]) -> Request:
        where = "request: "
        method = self.checked(recorded.get("method"), str, "as `method`", where)
        uri = self.checked(recorded.get("uri"), str, "as `uri`", where)
        try:
            urlsplit(uri).port  # noqa: B018 - raises where it is none
        except ValueError as error:
            shown = shorten(uri.partition("?")[0].rpartition("@")[2])  # no secret
            raise self.error(
                f"request: `uri` is no URL ({error}): {shown}; correct it"
            ) from None
        body = recorded.get("body", recorded.get("parsed_body"))
        return Request(
            method,
            uri,
            self.headers(recorded.get("headers"), "request"),
            None if body is None else self.request_body(body, recorded),
        )

    def request_body(self, body: Any, recorded: dict[Any, Any]) -> bytes:
        if "body" not in recorded:
            return self.json_body(body, "request: `parsed_body`")
        if type(body) is dict:
            if set(body) & {"string", "base64_string"} and len(body) <= 2:
                return self.stored_body(body, "request")
            return self.json_body(body, "request: `body`")
        return self.stored_body(body, "request")

    def json_body(self, body: Any, where: str) -> bytes:
        """Write a body that was recorded as an object as JSON, as the client did."""
        if is_small(body):
            with suppress(TypeError, ValueError, RecursionError):  # reported below
                return body_bytes(json.dumps(body, ensure_ascii=False))
        pieces: list[str] = []
        left = BODY.value
        try:
            for piece in json.JSONEncoder(ensure_ascii=False).iterencode(body):
                pieces.append(piece)
                left -= len(piece)
                if len(pieces) > _MOST_TOKENS or left < 0:
                    raise self.error(f"{where} repeats itself by aliases without end")
            return body_bytes("".join(pieces))
        except BodyError as error:
            raise self.error(f"request: {error}") from None
        except (TypeError, ValueError, RecursionError) as error:
            raise self.error(f"{where} is a mapping, but not JSON ({error})") from None

    def response(self, recorded: dict[Any, Any]) -> Response:
        status, reason = self.status(recorded)
        headers = self.headers(recorded.get("headers"), "response")
        response = Response(status, reason, headers)
        if "body" in recorded:
            stored = self.stored_body(recorded["body"], "response")
        elif "content" in recorded:  # httpx recordings of vcrpy up to 5
            stored = self.stored_body(recorded["content"], "response")
        elif "parsed_body" in recorded:  # pydantic-ai's: decoded and parsed
            response.body = self.json_body(
                recorded["parsed_body"], "response: `parsed_body`"
            )
            return response
        else:
            raise self.error("response: `body` is missing; record it again")
        stream = recorded.get("stream")
        if stream is not None:
            response.wire, response.ended = self.stream(stream)
        self.decode(response, stored)
        return response

    def status(self, recorded: dict[Any, Any]) -> tuple[int, str]:
        status = recorded.get("status", recorded.get("status_code"))
        reason: Any = ""
        if type(status) is dict:
            reason = status.get("message")
            status = status.get("code")
        if type(status) is str and status.isascii() and status.isdigit():
            status = int(status[:4])
        if type(status) is not int:
            raise self.error(
                f"response: expected a number as the status code, got {_named(status)}"
            )
        return status, text_of(reason)

    def headers(self, recorded: Any, where: str) -> Headers:
        headers = self.checked_headers(recorded, where)
        size = sum(len(text) for values in headers.values() for text in values)
        if size > BODY.value:
            raise self.error(f"{where}: `headers` are as large as a body may be")
        return headers

    def checked_headers(self, recorded: Any, where: str) -> Headers:
        if type(recorded) is dict:
            if all(
                type(key) is str
                and type(values) is list
                and {*map(type, values)} <= _STR
                for key, values in recorded.items()
            ):
                return recorded  # already the shape we want, as vcrpy writes it
            pairs = list(recorded.items())
        elif recorded is None:
            return {}
        elif isinstance(recorded, list | tuple):
            pairs = [self.pair(entry, where) for entry in recorded]
        else:
            raise self.error(
                f"{where}: expected a mapping as `headers`, got {_named(recorded)}"
            )
        headers: Headers = {}
        for key, value in pairs:
            values = value if isinstance(value, list | tuple) else [value]
            texts = [self.header_text(text, where) for text in values]
            headers.setdefault(self.header_text(key, where), []).extend(texts)
        return headers

    def pair(self, entry: Any, where: str) -> tuple[Any, Any]:
        if isinstance(entry, list | tuple) and len(entry) == 2:
            return entry[0], entry[1]
        raise self.error(
            f"{where}: expected pairs as `headers`, got {shorten(entry, limit=20)}"
        )

    def header_text(self, value: Any, where: str) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, bytes):
            return value.decode("latin-1")  # any byte may stand in a header
        if value is None:
            return ""
        if isinstance(value, int | float):
            return str(value)
        raise self.error(f"{where}: expected text in `headers`, got {_named(value)}")

    def stored_body(self, body: Any, where: str) -> bytes:
        try:
            if type(body) is dict:
                if body.get("base64_string") is not None:
                    return unpack_base64(body["base64_string"])
                if body and "string" not in body and "base64_string" not in body:
                    raise self.error(
                        f"{where}: `body` has neither `string` nor `base64_string`"
                    )
                body = body.get("string")
            return body_bytes(body)
        except BodyError as error:
            raise self.error(f"{where}: {error}") from None
        except TypeError as error:
            raise self.error(
                f"{where}: `body` is neither text nor bytes, but {error}"
            ) from None

    def stream(self, recorded: Any) -> tuple[list[WireChunk] | None, Ending | None]:
        recorded = self.checked(recorded, dict, "", "stream: ")
        version = recorded.get("version", 1)
        if type(version) is not int or version != 1:
            raise self.error(
                f"stream: expected version 1, got {shorten(version, limit=20)}; "
                "a newer harness wrote it"
            )
        chunks = recorded.get("chunks")
        wire = None
        if chunks is not None:
            chunks = self.checked(chunks, list, "as `chunks`", "stream: ")
            wire = [
                self.wire_chunk(chunk, number) for number, chunk in enumerate(chunks)
            ]
        return wire, self.ending(recorded)

    def wire_chunk(self, chunk: Any, number: int) -> WireChunk:
        if type(chunk) is list and len(chunk) == 2:
            seconds, size = chunk
            if (
                type(seconds) in {int, float}
                and 0 <= seconds <= _MOST_SECONDS  # which NaN is not
                and type(size) is int
                and size >= 0
            ):
                return WireChunk(float(seconds), size)
        raise self.error(
            f"stream: expected [seconds, bytes] as chunk {number}, "
            f"got {shorten(chunk, limit=40)}"
        )

    def ending(self, recorded: dict[Any, Any]) -> Ending | None:
        kind = recorded.get("ended")
        error = recorded.get("error")
        message = recorded.get("message")
        if type(kind) is dict and "error" in kind:  # the same, written as one key
            error, message = kind["error"], kind.get("message", message)
            kind = "error"
        if kind is None:
            return None
        if kind == "complete" or kind == "closed" or kind == "error":  # noqa: PLR1714 - narrows
            return Ending(kind, text_of(error), text_of(message))
        raise self.error(
            "stream: expected complete, closed or error as `ended`, "
            f"got {shorten(kind, limit=20)}"
        )

    def decode(self, response: Response, stored: bytes) -> None:
        if response.wire is None and b"\r\n" in stored[:40]:  # may be behind a size
            from harness.cassettes.chunked import without_sizes

            stored = without_sizes(stored, self.notes)
        sizes = [chunk.size for chunk in response.wire or ()]
        encodings = response.header("content-encoding")
        body = stored
        if not encodings and (encodings := undeclared_encoding(stored)):
            text = f"the body is {encodings} data without a content-encoding header"
            self.notes.append(Problem(DiagnosticKind.MISSING_ENCODING, text))
        if encodings:
            known = sizes if sum(sizes) == len(stored) else ()
            try:
                decoded = decode(stored, encodings, known)
            except BodyError as error:
                raise self.error(f"response: {error}") from None
            body = decoded.body
            if decoded.sizes and response.wire is not None:
                sizes = decoded.sizes
                response.wire = [
                    WireChunk(chunk.seconds, size)
                    for chunk, size in zip(response.wire, sizes, strict=True)
                ]
            if decoded.is_cut and response.ended is None:
                response.ended = Ending(
                    "error", "ContentDecodingError", "the compressed body ends early"
                )
        if response.wire is not None and sum(sizes) != len(body):
            raise self.error(
                f"stream: the byte counts of its chunks add up to {sum(sizes)}, "
                f"the body has {len(body)} bytes; the file was edited, record it again"
            )
        response.body = body


_MOST_SECONDS = 1e9  # 30 years: more is a time of day, not a time since the request
