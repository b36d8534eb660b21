"""Writing: exchanges to a version-1 cassette that people can read.

Owns the text of a cassette file: one document always gives the same bytes, and what
was loaded from a file written here is written back byte for byte. The layout is
vcrpy's (keys sorted, two spaces), with three differences for the reader's sake: text
of several lines is shown as lines, the list of wire chunks is wrapped instead of one
number a line, and long lines are not folded. Stock PyYAML reads all of it.

Bodies are text wherever they are UTF-8, large ones unless full of control characters;
`!!binary` where they are not. How the file gets to the disk is
`harness.cassettes.atomic`; secrets have been removed before anything comes here
(`harness.redaction.redact`).
"""

from __future__ import annotations

import io
import os
from itertools import groupby
from typing import TYPE_CHECKING, Any

from harness.cassettes.atomic import write_atomically
from harness.cassettes.json_text import PIECE, is_json, json_text
from harness.cassettes.yaml_scalars import binary_scalar, inline_scalar, text_scalar
from harness.errors import CassetteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cassettes.model import Cassette, Exchange, Response


_WIDTH = 88  # where the list of wire chunks is wrapped, as this project's code is


def save_cassette(
    cassette: Cassette, path: str | os.PathLike[str] | None = None
) -> None:
    """Write a cassette to a file, in one step.

    Args:
        cassette: What to write; its bodies must be held (no `source`).
        path: Where to, instead of `cassette.path`; a name ending in ``.json`` is
            written as JSON, any other as YAML.

    Raises:
        CassetteError: The file cannot be written; the old one is untouched.
        ValueError: A body is not held.
    """
    name = cassette.path if path is None else path
    interactions = [interaction_of(exchange) for exchange in cassette.exchanges]
    write_atomically(name, encode_document(name, interactions))


def encode_document(
    path: str | os.PathLike[str],
    interactions: list[dict[str, Any]],
    *,
    extra: dict[str, Any] | None = None,
) -> Encoded:
    """Return the content of a cassette file.

    Args:
        path: Its name; one ending in ``.json`` gets JSON.
        interactions: In vcrpy's shape, each with its `request` and `response`.
        extra: Other top-level keys that the file had, to be kept.

    Raises:
        CassetteError: Something in it cannot be stored.
    """
    document = {**(extra or {}), "interactions": interactions, "version": 1}
    try:
        if is_json(path):
            return Encoded([json_text(document)])
        return Encoded(document_texts(document))
    except TypeError as error:
        raise CassetteError(os.fspath(path), f"cannot be written: {error}") from error


class Encoded:
    """The content of a file, encoded piece by piece each time that it is read.

    A body of many megabytes is not held once more than it must.
    """

    def __init__(self, texts: list[str]) -> None:
        # Of many small texts, each would cost more than its encoding.
        self._texts = [
            text
            for is_large, group in groupby(texts, lambda text: len(text) > PIECE)
            for text in (group if is_large else ["".join(group)])
        ]

    def __iter__(self) -> Iterator[bytes]:
        for text in self._texts:
            for start in range(0, len(text), PIECE):
                yield text[start : start + PIECE].encode()


def interaction_of(exchange: Exchange) -> dict[str, Any]:
    """Return the vcrpy interaction of an exchange, with our `stream` key.

    Raises:
        ValueError: The body is not held.
    """
    request, response = exchange.request, exchange.response
    if response.source is not None:
        raise ValueError("a body that is read as pieces cannot be stored")
    recorded: dict[str, Any] = {
        "body": {"string": _readable(response.body)},
        "headers": response.headers,
        "status": {"code": response.status, "message": response.reason},
    }
    if response.wire is not None or response.ended is not None:
        recorded["stream"] = _stream(response)
    return {
        "request": {
            "body": None if request.body is None else _readable(request.body),
            "headers": request.headers,
            "method": request.method,
            "uri": request.uri,
        },
        "response": recorded,
    }


def _stream(response: Response) -> dict[str, Any]:
    stream: dict[str, Any] = {"version": 1}
    if response.wire is not None:
        stream["chunks"] = [[chunk.seconds, chunk.size] for chunk in response.wire]
    if response.ended is not None:
        stream["ended"] = response.ended.kind
        if response.ended.error:
            stream["error"] = response.ended.error
        if response.ended.message:
            stream["message"] = response.ended.message
    return stream


_LARGE_BYTES = 1 << 16
_CONTROLS = bytes({*range(0x20), 0x7F} - {9, 10, 13})


def _readable(body: bytes) -> str | bytes:
    is_large = len(body) > _LARGE_BYTES
    if is_large and 4 * len(body.translate(None, _CONTROLS)) < 3 * len(body):
        return body  # nobody reads it, and an escape takes four characters
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def document_texts(document: dict[str, Any]) -> list[str]:
    """Return the YAML text of a cassette document, in pieces.

    Args:
        document: Mappings, lists and scalars as `yaml.safe_load` returns them.

    Returns:
        The text, ending in a newline. The same document gives the same pieces.

    Raises:
        TypeError: A value is of a type that no cassette holds.
    """
    out: list[str] = []
    _mapping(document, "", out)
    return out


def _mapping(
    mapping: dict[Any, Any], indent: str, out: list[str], *, first: str = ""
) -> None:
    """Write a block mapping; `first` replaces the indent of its first line."""
    for key in sorted(mapping, key=lambda key: (type(key).__name__, str(key))):
        out.append(f"{first or indent}{inline_scalar(key)}:")
        first = ""
        value = mapping[key]
        if key == "stream" and isinstance(value, dict) and "chunks" in value:
            out.append("\n")
            _stream_mapping(value, indent + "  ", out)
        else:
            _value(value, indent, out)


def _value(value: Any, indent: str, out: list[str]) -> None:
    """Write what follows a colon or a dash at `indent`, with its newline."""
    if isinstance(value, dict) and value:
        out.append("\n")
        _mapping(value, indent + "  ", out)
    elif isinstance(value, list | tuple) and value:
        out.append("\n")
        for item in value:
            if isinstance(item, dict) and item:
                _mapping(item, indent + "  ", out, first=f"{indent}- ")
            else:
                out.append(f"{indent}-")
                _value(item, indent + "  ", out)
    elif isinstance(value, io.BytesIO):
        _value(value.getvalue(), indent, out)
    elif isinstance(value, str):
        out += [" ", *text_scalar(value, indent + "  "), "\n"]
    elif isinstance(value, bytes | bytearray):
        out += [" ", *binary_scalar(bytes(value), indent + "  "), "\n"]
    else:
        out.append(f" {inline_scalar(value)}\n")


def _stream_mapping(stream: dict[Any, Any], indent: str, out: list[str]) -> None:
    """Write our own key: in the order people read it, the chunks wrapped."""
    rank = {"version": 0, "chunks": 1, "ended": 2}
    for key in sorted(stream, key=lambda key: (rank.get(key, 3), str(key))):
        out.append(f"{indent}{inline_scalar(key)}:")
        if key == "chunks" and _are_chunks(stream[key]):
            _chunks(stream[key], indent, out)
        else:
            _value(stream[key], indent, out)


def _are_chunks(chunks: Any) -> bool:
    return isinstance(chunks, list) and all(
        isinstance(chunk, list)
        and len(chunk) == 2
        and all(type(number) in {int, float} for number in chunk)
        for chunk in chunks
    )


def _chunks(chunks: list[list[float]], indent: str, out: list[str]) -> None:
    column = len(indent) + len("chunks: [")
    out.append(" [")
    for number, (seconds, size) in enumerate(chunks):
        text = f"[{inline_scalar(seconds)}, {inline_scalar(size)}]"
        if number:
            if column + len(text) + 3 > _WIDTH:
                out.append(f",\n{indent}  ")
                column = len(indent) + 2
            else:
                out.append(", ")
                column += 2
        out.append(text)
        column += len(text)
    out.append("]\n")
