"""Recordings of other tools, one module for each kind: the registry.

A module has an `IMPORTER` (`harness.cassettes.importers.base`); its name below is all
that it takes to be tried. Documents (JSON, YAML) are tried after they are parsed, text
before anything takes it for YAML. Neither is tried on a cassette of vcrpy or ours.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from harness.cassettes.importers.base import DocumentImporter, TextImporter

__all__ = ["document_importer", "text_importer"]

_DOCUMENTS = (
    "har",
    "http_interactions",
    "go_vcr",
    "cassetter",
    "charles",
    "aimock",
    "anywhere",
)
_TEXTS = (
    "curl_trace",
    "cassetter_toml",
    "json_log",
    "python_literals",
    "log",
    "terminal",
)


def document_importer(document: Any) -> DocumentImporter | None:
    """Return what reads a parsed document; None where nothing but vcrpy's reader may.

    Args:
        document: The parsed file, of any shape.
    """
    if _is_vcrpys(document):  # most are; the importers take a tenth of a start
        return None
    for name in _DOCUMENTS:
        importer = cast("DocumentImporter", _importer(name))
        if importer.sniff(document):
            return importer
    return None


def text_importer(text: str) -> TextImporter | None:
    """Return what reads text that is in no format of its own; None where nothing does.

    Args:
        text: All of the text.
    """
    for name in _TEXTS:
        importer = cast("TextImporter", _importer(name))
        if importer.sniff(text):
            return importer
    return None


def _is_vcrpys(document: Any) -> bool:
    """Return whether a document shows at once that it is a cassette of vcrpy's."""
    if type(document) is not dict or document.keys() != {"interactions", "version"}:
        return False
    first = document["interactions"]
    first = first[0] if isinstance(first, list) and first else None
    request = first.get("request") if isinstance(first, dict) else None
    response = first.get("response") if isinstance(first, dict) else None
    if not isinstance(request, dict) or not isinstance(response, dict):
        return False
    body = response.get("body")
    return (
        isinstance(request.get("uri"), str)
        and not isinstance(request.get("body"), dict)
        and isinstance(body, dict)
        and "string" in body
    )


def _importer(name: str) -> Any:
    return import_module(f"harness.cassettes.importers.{name}").IMPORTER
