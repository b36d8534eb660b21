"""Jupyter notebooks: what each cell printed, read like any other text.

Source: nbformat 4. Outputs are what was printed, or the text of a value; each is a text
or the list of its lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.apis.json_values import dict_of, dicts_of
from harness.cassettes.importers import text_exchanges
from harness.cassettes.importers.base import restored

if TYPE_CHECKING:
    from harness.cassettes.model import Exchange


def sniff(document: Any) -> bool:
    """Recognise a parsed notebook in which a stream was printed."""
    return "nbformat" in dict_of(document) and bool(read(document, ""))


def read(document: Any, path: str) -> list[Exchange]:
    """Read the streams that a notebook's cells printed."""
    exchanges: list[Exchange] = []
    for number, cell in enumerate(dicts_of(document.get("cells"))):
        printed = ""
        for out in dicts_of(cell.get("outputs")):
            held = out.get("text") or dict_of(out.get("data")).get("text/plain") or ""
            printed += held if isinstance(held, str) else "".join(map(str, held))
        for exchange in text_exchanges(printed, path):
            exchange.index = len(exchanges)
            exchange.notes.insert(0, restored(f"printed by cell {number}, from 0 on"))
            exchanges.append(exchange)
    return exchanges
