"""Tables of an API that are written as text: a row a line, its cells divided by `|`.

    kimi | no content_block_stop between blocks; input_tokens include the cache
        | breaks block-bracket | source langchainjs#10249

An indented line goes on with the row above it. A cell behind name and summary is the
name of a field and its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.apis.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_rules", "read_table"]


def read_table(text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the name, the summary and the other fields of each row of a table."""
    for name, summary, *cells in _rows(text):
        yield name, summary, dict(cell.split(" ", 1) for cell in cells)


def read_rules(api: str, text: str) -> dict[str, Rule]:
    """Return rules by their names without the API; a row is name, summary, source."""
    return {
        name: Rule(f"{api}/{name}", summary, source)
        for name, summary, source in _rows(text)
    }


def _rows(text: str) -> Iterator[list[str]]:
    rows: list[str] = []
    for line in text.strip().splitlines():
        if line.startswith(" "):
            rows[-1] += f" {line.strip()}"
        else:
            rows.append(line)
    return (row.split(" | ") for row in rows)
