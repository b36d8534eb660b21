"""Reading: one file, pipe or standard input to a `Cassette`.

Owns which reader takes which format (`harness docs cassette`). Every recording that is
no cassette becomes one exchange with a response body, so that later stages have one
kind of input. Nothing here looks inside an event: `harness.cassettes.classify` decides
what an exchange is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from harness.cassettes.bodies import BodyError, decode
from harness.cassettes.classify import Kind, classify, is_error
from harness.cassettes.formats import (
    COLOUR,
    Format,
    detect_format,
    strange,
    unread_text,
)
from harness.cassettes.importers import document_importer, text_exchanges
from harness.cassettes.inputs import Input, held_input, open_input, refuse_conflict
from harness.cassettes.interactions import exchanges_of
from harness.cassettes.journal_text import parse_journal
from harness.cassettes.json_recordings import (
    SSE_HEADERS,
    as_events,
    json_document,
    json_values,
    values_response,
)
from harness.cassettes.large_values import may_take_out
from harness.cassettes.library import BLOCK_KEY
from harness.cassettes.model import Cassette, Exchange, Request, Response, grouped
from harness.cassettes.yaml_text import load_yaml
from harness.core.diagnostics import DiagnosticKind
from harness.core.parts import Problem
from harness.core.patterns import late
from harness.errors import CassetteCorruptError, CassetteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


_HELD_BYTES = 1 << 20  # text up to this size is held; larger text is read as it is used


# A block of YAML, or a list of them, of a recorder that is not vcrpy.
_BLOCK = late(
    rb"\s*(?:---\s+)?(?:-\s+)?(?:\w+:[^\n]*\n\s*)?(?:- )?(?:responses?|request):\s"
)


def load_cassette(path: str | os.PathLike[str]) -> Cassette:
    """Load a recording in any accepted format.

    Accepted are vcrpy version-1 cassettes (YAML or JSON), event stream text as
    `curl -N` saves it (with its head, as `curl -i` does, too), JSON lines of
    chunks, one whole chat completion as JSON, and the journal of a recording that
    did not end. The format is decided by the content, never from the name. Content
    encodings and base64 are undone.

    Args:
        path: The file, or ``-`` for standard input.

    Returns:
        The cassette; it has at least one exchange. Event stream text and JSON lines
        are one exchange whose request is unknown (``POST`` without uri or body);
        beyond 1 MiB, or from a pipe, its response has `source` instead of `body`.
        JSON lines become events, and `[DONE]` is added at their end: a format
        without framing cannot hold it.

    Raises:
        CassetteMissingError: There is no such file.
        CassetteCorruptError: It does not parse, or is no recording.
        CassetteError: It is empty, a folder, or cannot be read.

    A file is never changed. Memory: a cassette in YAML peaks at what PyYAML's safe
    loader needs for it; text that is not held costs 64 KiB.
    """
    return read_cassette(path)


def read_cassette(
    path: str | os.PathLike[str],
    *,
    inspect: Callable[[Any], None] | None = None,
    text: bytes | None = None,
) -> Cassette:
    """Load a recording as `load_cassette` does, with a look at the document.

    Args:
        path: The file, or ``-`` for standard input.
        inspect: Called with the parsed document of a cassette, unchecked and before
            it is taken apart; not called for text without one.
        text: The content, where it is held already; `path` is then its name alone.

    Returns:
        The cassette.

    Raises:
        CassetteError: As `load_cassette`.
    """
    opened = open_input(path) if text is None else held_input(os.fspath(path), text)
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
    except CassetteCorruptError:
        opened.close()
        refuse_conflict(opened)
        raise
    except BaseException:
        opened.close()
        raise


def _exchanges(opened: Input, inspect: Callable[[Any], None] | None) -> list[Exchange]:
    exchanges = _read(opened, inspect)
    if opened.encoding:
        text = f"the file is {opened.encoding.upper()} text, read as if it were UTF-8"
        exchanges[0].notes.insert(0, Problem(DiagnosticKind.RESTORED, text))
    return exchanges


def _read(opened: Input, inspect: Callable[[Any], None] | None) -> list[Exchange]:
    problem = strange(opened.head)
    if problem:
        raise CassetteCorruptError(opened.path, problem)
    kind = detect_format(opened.head, is_whole=opened.is_whole)
    if kind is Format.JOURNAL:
        return journal_exchanges(opened.read(), opened.path)
    if kind is Format.JSON:
        return _of_json(opened.read(), opened.path, inspect)
    if kind is Format.YAML:
        return _of_yaml(opened, inspect)
    if kind is Format.JSON_LINES and opened.is_reopenable:
        return _of_json_lines(opened)
    return [_OF_FORMAT[kind](opened)]


def _of_json(
    text: bytes, path: str, inspect: Callable[[Any], None] | None
) -> list[Exchange]:
    try:
        document = json_document(text, path)
    except CassetteCorruptError:
        # Values in a row, as `jq` prints them, or an array that was cut.
        stream = values_response(text)
        if stream is not None:
            return [_recorded(stream)]
        exchanges = text_exchanges(text.decode("utf-8-sig", "surrogateescape"), path)
        if not exchanges:
            raise
        return exchanges
    response = values_response(text, is_document=True)
    if response is None and is_error(document):
        response = Response(200, "", {"content-type": ["application/json"]}, body=text)
    if response is not None:
        return [_recorded(response)]
    return _of_document(document, path, inspect)


def _of_json_lines(opened: Input) -> list[Exchange]:
    """Read chunks in lines; where they are none, a log of JSON that may hold some."""
    exchange = _lines_exchange(opened)
    if classify(exchange).kind is Kind.OTHER:
        text = b"".join(opened.pieces()).decode("utf-8-sig", "surrogateescape")
        if found := text_exchanges(text, opened.path):
            return found
        values = json_values(text)
        if values and (rows := document_importer(values)):
            return rows.read(values, opened.path)
    return [exchange]


def _of_document(
    document: Any, path: str, inspect: Callable[[Any], None] | None
) -> list[Exchange]:
    importer = document_importer(document)
    if importer is not None:
        return importer.read(document, path)
    if inspect is not None:
        inspect(document)
    return exchanges_of(document, path)


def _of_yaml(opened: Input, inspect: Callable[[Any], None] | None) -> list[Exchange]:
    """Read YAML, or text that has no format of its own: then nothing streams it."""
    document: Any = ""
    if BLOCK_KEY.search(opened.head) or _BLOCK.match(opened.head):
        try:
            held = opened.is_reopenable and may_take_out(opened.head, opened.size or 0)
            source = opened.read() if held else opened.stream()
            document = load_yaml(source, opened.path)
        finally:
            opened.close()
        return _of_document(document, opened.path, inspect)
    data = opened.read()
    text = data.decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n")
    text = COLOUR.sub("", text)
    if exchanges := text_exchanges(text, opened.path):
        return exchanges
    if text.lstrip().startswith("<"):
        return [_recorded(Response(200, "", {}, body=data))]  # a page, named as one
    try:
        document = load_yaml(data, opened.path)
        return _of_document(document, opened.path, inspect)
    except CassetteCorruptError as error:
        problem = unread_text(text, is_yaml=not isinstance(document, str))
        if not problem:
            raise
        # Its place and its advice are for YAML, which the text never was.
        problem = f"{problem} ({error.problem.partition(';')[0]})"
        raise CassetteCorruptError(opened.path, problem) from None


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


def _text_exchange(opened: Input) -> Exchange:
    response = _with_body(Response(200, "OK", dict(SSE_HEADERS)), opened)
    return _repaired(_recorded(response))


def _repaired(exchange: Exchange) -> Exchange:
    if exchange.response.source is None:
        from harness.cassettes.importers.repairs import repaired  # of text files only

        body, notes = repaired(exchange.response.body)
        exchange.response.body = body
        exchange.notes += notes
    return exchange


def _with_body(
    response: Response,
    opened: Input,
    *,
    skip: int = 0,
    restate: Callable[[Iterable[bytes]], Iterable[bytes]] = iter,
) -> Response:
    """Give a response the rest of an input as its body, held or as pieces."""
    if opened.is_reopenable and (opened.size or 0) <= _HELD_BYTES:
        response.body = b"".join(restate([opened.read()[skip:]]))
    else:
        response.source = lambda: restate(opened.pieces(skip=skip))
        response.beginning = b"".join(restate([opened.head[skip:]]))
    return response


def _aws_exchange(opened: Input) -> Exchange:
    kind = "application/vnd.amazon.eventstream"
    response = Response(200, "OK", {"content-type": [kind]})
    return _recorded(_with_body(response, opened))


# A line of a time alone, as Postman shows one with each event; the mark at the end is
# then ours.
_TIME = late(
    rb"(?m)^data: \[?(?:[\d-]{10}[T ])?\d\d?:\d\d:[\d.,]+Z?(?: ?[AP]M)?\]?\n\n"
    rb"(?:data: \[DONE\]\n\n\Z)?"
)


def _lines_exchange(opened: Input) -> Exchange:
    response = Response(200, "OK", dict(SSE_HEADERS))
    exchange = _recorded(_with_body(response, opened, restate=as_events))
    response.body, count = _TIME.subn(b"", response.body)
    if count:
        text = f"{count} lines that hold a time alone were left out"
        exchange.notes.append(Problem(DiagnosticKind.RESTORED, text))
    return exchange


# A head may end in front of a field: its blank line is not shown by all that print one.
_HEAD = late(
    rb"HTTP/[\d.]+ (\d{3})[ ]?([^\r\n]*)\r?\n"
    rb"((?:(?!(?:data|event): ?\S)[^\r\n]+\r?\n)*)(?:\r?\n|(?=data:|event:))"
)


def _http_exchange(opened: Input) -> Exchange:
    """Read `curl -i`: the last head counts, those of proxies and 100s go before it."""
    head = _HEAD.match(opened.head)
    if head is None:
        raise CassetteCorruptError(
            opened.path,
            "an HTTP response whose head does not end within 64 KiB; "
            "save the body alone (`curl -N`)",
        )
    while following := _HEAD.match(opened.head, head.end()):
        head = following
    lines = (line.partition(":") for line in head[3].decode("latin-1").splitlines())
    headers = grouped((name.strip(), value.strip()) for name, _, value in lines)
    response = Response(int(head[1]), head[2].decode("latin-1").strip(), headers)
    exchange = _recorded(_with_body(response, opened, skip=head.end()))
    encodings = response.header("content-encoding")
    if encodings not in {"", "identity"}:
        from harness.cassettes.chunked import dechunked

        body = b"".join(piece for _, piece in response.iter_wire())
        is_chunked = "chunked" in response.header("transfer-encoding")
        body = (dechunked(body) if is_chunked else None) or body
        try:
            response.body, response.source = decode(body, encodings).body, None
        except BodyError as error:
            raise CassetteError(
                opened.path,
                f"the saved body is compressed ({error}); save it with "
                "`curl --compressed`",
            ) from None
    return _repaired(exchange)


_OF_FORMAT: dict[Format, Callable[[Input], Exchange]] = {
    Format.SSE: _text_exchange,
    Format.JSON_LINES: _lines_exchange,
    Format.HTTP: _http_exchange,
    Format.AWS: _aws_exchange,
}
