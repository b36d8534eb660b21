"""Reading: one file, pipe or standard input to a `Cassette`.

Owns which reader takes which format (design.md, section 7). Every recording that is
no cassette becomes one exchange with a response body, so that whoever comes after
has one kind of input. Nothing here looks inside an event: `harness.cassettes.classify`
says what an exchange is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.cassettes.formats import Format, strange, tell_format
from harness.cassettes.inputs import Input, open_input
from harness.cassettes.interactions import exchanges_of
from harness.cassettes.journal_text import parse_journal
from harness.cassettes.model import Cassette, Exchange, Headers, Request, Response
from harness.cassettes.yaml_text import load_yaml
from harness.errors import CassetteCorruptError, CassetteError
from harness.limits import EVENT

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["load_cassette", "read_cassette"]

_HELD_BYTES = 1 << 20  # text up to this size is held; larger text is read as it is used


def load_cassette(path: str | os.PathLike[str]) -> Cassette:
    """Load a recording in any accepted format.

    Accepted are vcrpy version-1 cassettes (YAML or JSON), event stream text as
    `curl -N` saves it (with its head, as `curl -i` does, too), JSON lines of
    chunks, one whole chat completion as JSON, and the journal of a recording that
    did not end. The format is told from the content, never from the name. Content
    encodings and base64 are undone.

    Args:
        path: The file, or ``-`` for standard input.

    Returns:
        The cassette; it has at least one exchange. Event stream text and JSON lines
        are one exchange whose request is unknown (``POST`` without uri or body);
        beyond 1 MiB, or from a pipe, its response has `source` instead of `body`.
        JSON lines become events, and `[DONE]` is added at their end: a format
        without framing cannot say it.

    Raises:
        CassetteMissingError: There is no such file.
        CassetteCorruptError: It does not parse, or is no recording.
        CassetteError: It is empty, a folder, or cannot be read.

    A file is never changed. Memory: a cassette in YAML peaks at what PyYAML's safe
    loader needs for it; text that is not held costs 64 KiB.
    """
    return read_cassette(path)


def read_cassette(
    path: str | os.PathLike[str], *, inspect: Callable[[Any], None] | None = None
) -> Cassette:
    """Load a recording as `load_cassette` does, with a look at the document.

    Args:
        path: The file, or ``-`` for standard input.
        inspect: Called with the parsed document of a cassette, unchecked and before
            it is taken apart; not called for text without one.

    Returns:
        The cassette.

    Raises:
        CassetteError: As `load_cassette`.
    """
    opened = open_input(path)
    try:
        return Cassette(opened.path, _exchanges(opened, inspect))
    except MemoryError:
        opened.close()
        raise CassetteError(
            opened.path, "does not fit into the memory; record less into one file"
        ) from None
    except RecursionError:
        opened.close()
        raise CassetteCorruptError(opened.path, "is nested too deeply") from None
    except BaseException:
        opened.close()
        raise


def _document(opened: Input) -> Any:
    if tell_format(opened.head, is_whole=opened.is_whole) is Format.JSON:
        return _json(opened.read(), opened.path)
    try:
        return load_yaml(opened.stream(), opened.path)
    finally:
        opened.close()


def _exchanges(opened: Input, inspect: Callable[[Any], None] | None) -> list[Exchange]:
    problem = strange(opened.head)
    if problem:
        raise CassetteCorruptError(opened.path, problem)
    kind = tell_format(opened.head, is_whole=opened.is_whole)
    if kind is Format.SSE:
        return [_recorded(_text_response(opened))]
    if kind is Format.JSON_LINES:
        return [_recorded(_lines_response(opened))]
    if kind is Format.HTTP:
        return [_recorded(_http_response(opened))]
    if kind is Format.JOURNAL:
        return journal_exchanges(opened.read(), opened.path)
    document = _document(opened)
    if kind is Format.JSON:
        response = _json_response(document)
        if response is not None:
            return [_recorded(response)]
    if inspect is not None:
        inspect(document)
    return exchanges_of(document, opened.path)


def journal_exchanges(text: bytes, path: str) -> list[Exchange]:
    """Return the exchanges of a journal, at least one.

    Args:
        text: All of it; half a line at its end is no exchange.
        path: Its name, for errors.

    Raises:
        CassetteCorruptError: It is damaged.
        CassetteError: It holds nothing yet.
    """
    interactions = parse_journal(text, path).interactions
    if not interactions:
        raise CassetteError(path, "the journal holds no exchange; nothing had ended")
    return exchanges_of({"interactions": interactions, "version": 1}, path)


def _recorded(response: Response) -> Exchange:
    return Exchange(0, Request("POST", ""), response)


_SSE_HEADERS: Headers = {"content-type": ["text/event-stream"]}


def _text_response(opened: Input) -> Response:
    return _response(opened, Response(200, "OK", dict(_SSE_HEADERS)), skip=0)


def _response(opened: Input, response: Response, *, skip: int) -> Response:
    """Give a response the rest of an input as its body, held or as pieces."""
    if opened.is_reopenable and (opened.size or 0) <= _HELD_BYTES:
        response.body = opened.read()[skip:]
    else:
        response.source = lambda: opened.pieces(skip=skip)
        response.beginning = opened.head[skip:]
    return response


def _lines_response(opened: Input) -> Response:
    response = Response(200, "OK", dict(_SSE_HEADERS))
    if opened.is_reopenable and (opened.size or 0) <= _HELD_BYTES:
        response.body = b"".join(_as_events([opened.read()]))
    else:
        response.source = lambda: _as_events(opened.pieces())
        response.beginning = b"".join(_as_events([opened.head]))
    return response


def _as_events(pieces: Iterable[bytes]) -> Iterator[bytes]:
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
            stripped = line.strip().removeprefix(b"\xef\xbb\xbf")
            if stripped:
                yield stripped
        rest = [tail]
        size = len(tail)
    last = b"".join(rest).strip().removeprefix(b"\xef\xbb\xbf")
    if last:
        yield last


_HEAD = re.compile(rb"HTTP/[\d.]+ (\d{3})[ ]?([^\r\n]*)\r?\n((?:[^\r\n]+\r?\n)*)\r?\n")


def _http_response(opened: Input) -> Response:
    """Read `curl -i`: the last head counts, those of proxies and 100s go before it."""
    position = 0
    head = _HEAD.match(opened.head)
    if head is None:
        raise CassetteCorruptError(
            opened.path,
            "an HTTP response whose head does not end within 64 KiB; "
            "save the body alone (`curl -N`)",
        )
    while following := _HEAD.match(opened.head, head.end()):
        head = following
    position = head.end()
    headers: Headers = {}
    for line in head[3].decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        headers.setdefault(name.strip(), []).append(value.strip())
    response = Response(int(head[1]), head[2].decode("latin-1").strip(), headers)
    if response.header("content-encoding") not in {"", "identity"}:
        raise CassetteError(
            opened.path,
            "the saved body is compressed; save it with `curl --compressed`",
        )
    return _response(opened, response, skip=position)


def _json(text: bytes, path: str) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(text)
    except ValueError:
        pass  # `json` reads more (lone surrogates) and says where the text breaks
    try:
        return json.loads(text)
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


def _json_response(document: Any) -> Response | None:
    """Return the response that a saved chat completion or single chunk stands for."""
    if not isinstance(document, dict) or "interactions" in document:
        return None
    choices = document.get("choices")
    if not isinstance(choices, list):
        return None
    text = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    is_chunk = document.get("object") == "chat.completion.chunk" or any(
        isinstance(choice, dict) and "delta" in choice and "message" not in choice
        for choice in choices
    )
    if is_chunk:
        return Response(
            200, "OK", dict(_SSE_HEADERS), body=b"".join(_as_events([text]))
        )
    return Response(200, "OK", {"content-type": ["application/json"]}, body=text)
