"""Tables of an API that are written as text, in its folder's `tables.txt`.

Tables of fields are read by `harness.apis.accounting`. The others have a row a line,
its cells divided by `|`:

    kimi | no content_block_stop between blocks; input_tokens include the cache
        | breaks block-bracket | source langchainjs#10249

An indented line goes on with the row above it. A cell behind name and summary is the
name of a field and its value.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from harness.apis.base import Rule
from harness.core.package_files import package_tables

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def tables_of(api: str) -> dict[str, str]:
    """Return the tables of an API by their headings."""
    return package_tables("harness.apis", f"{api}/tables.txt")


def read_table(api: str, table: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the name, the summary and the other fields of each row of a table."""
    for name, summary, *cells in rows_of(api, table):
        yield name, summary, dict(cell.split(" ", 1) for cell in cells)


def read_rules(api: str) -> dict[str, Rule]:
    """Return an API's rules by their names without the API.

    A row of their table is name, summary and source.
    """
    return {
        name: Rule(f"{api}/{name}", summary, source)
        for name, summary, source in rows_of(api, "rules")
    }


def not_carried(api: str) -> dict[str, str]:
    """Return what an API cannot carry, and what becomes of it.

    The names are those of its writer's `left_out`; an item's kind stands for itself.
    """
    return dict(rows_of(api, "not carried"))


def rows_of(api: str, table: str) -> Iterator[list[str]]:
    """Return the rows of a table, each as its cells."""
    rows: list[str] = []
    for line in tables_of(api)[table].strip().splitlines():
        if line.startswith(" "):
            rows[-1] += f" {line.strip()}"
        else:
            rows.append(line)
    return (row.split(" | ") for row in rows)
