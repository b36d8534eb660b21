"""Recordings of other tools, one module for each kind: the registry.

A module has a function `sniff`, which recognises its format, and `read`; its name below
is all that it takes to be tried. Documents (JSON, YAML) are tried after they are
parsed, text before anything takes it for YAML. Neither is tried on a cassette of
vcrpy or ours.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from harness.apis.json_values import dict_of
from harness.cassettes.classify import Kind, classify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.cassettes.model import Exchange

__all__ = ["document_importer", "text_exchanges"]

_DOCUMENTS = ("har", "recorders", "aimock", "notebook", "anywhere")
_TEXTS = (
    *("curl_trace", "hex_dump", "cassetter_toml", "json_log", "table"),
    *("python_literals", "log", "terminal"),
)


class Importer(Protocol):
    """Reads what another tool has recorded: a parsed document, or text."""

    def sniff(self, recorded: Any, /) -> bool:
        """Recognise a document or text of this format."""

    def read(self, recorded: Any, path: str, /) -> list[Exchange]:
        """Read it; the path is for errors. Of text there may be no exchanges."""


def document_importer(document: Any) -> Importer | None:
    """Return what reads a parsed document; None where nothing but vcrpy's reader may.

    Args:
        document: The parsed file, of any shape.
    """
    if _is_vcrpys(document):  # most are; the importers take a tenth of a start
        return None
    return _first(_DOCUMENTS, document)


def text_exchanges(text: str, path: str) -> list[Exchange]:
    """Return the exchanges that text in no format of its own holds; may be none.

    Args:
        text: All of the text.
        path: Its name, for errors.
    """
    importer = _first(_TEXTS, text)
    found = [] if importer is None else importer.read(text, path)
    return found if any(map(_is_recording, found)) else []


def _is_recording(exchange: Exchange) -> bool:
    """Return whether what was found in text is more than words that look like it."""
    return bool(exchange.request.uri) or classify(exchange).kind is not Kind.OTHER


def _first(names: Iterable[str], recorded: Any) -> Importer | None:
    for name in names:
        module = import_module(f"harness.cassettes.importers.{name}")
        importer = cast("Importer", module)
        if importer.sniff(recorded):
            return importer
    return None


def _is_vcrpys(document: Any) -> bool:
    """Return whether a document shows at once that it is a cassette of vcrpy's."""
    if type(document) is not dict or document.keys() != {"interactions", "version"}:
        return False
    items = document["interactions"]
    first = dict_of(items[0]) if isinstance(items, list) and items else {}
    request, response = dict_of(first.get("request")), dict_of(first.get("response"))
    is_asked = isinstance(request.get("uri"), str)
    is_asked = is_asked and not isinstance(request.get("body"), dict)
    return is_asked and "string" in dict_of(response.get("body"))
